# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests for keys in KMS: recorded, signed, verified, and left alone when they are right."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from ansible_collections.rootstock.pki.plugins.module_utils._ledger.files import FileLedger
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.holders import this_holder
from ansible_collections.rootstock.pki.plugins.module_utils._operations import make_csr as flow
from ansible_collections.rootstock.pki.plugins.module_utils._operations.make_csr import (
    CsrPlan,
    CsrPorts,
    MadeCsr,
    make_csr,
    plan_csr,
)
from ansible_collections.rootstock.pki.plugins.module_utils._pki.certificates import csr_to_pem
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import (
    AwsError,
    DisabledKeyError,
    SignerError,
    SpecError,
)
from ansible_collections.rootstock.pki.plugins.module_utils._pki.request import to_request
from ansible_collections.rootstock.pki.plugins.module_utils._pki.task import CsrTask
from tests.unit.operations.workshop import CALLER, Workshop
from tests.unit.signer.local_kms import SIGNING_SPECS, LocalSigner, denied, local_key


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    made = Workshop(tmp_path)
    made.key("services")
    return made


def plan(workshop: Workshop, present: bytes | None = None, **options: Any) -> CsrPlan:
    given = {"certificate_profile": "subordinate_ca", "subject": {"common_name": "Services"}, **options}
    signature = {name: given.pop(name) for name in ("digest", "padding", "force") if name in given}
    task = CsrTask(
        to_request("services", given), "ca.csr", present, "services", str(workshop.folder / "ledger.jsonl"), **signature
    )
    return plan_csr(task, workshop)


def make(workshop: Workshop, planned: CsrPlan) -> MadeCsr:
    ledger = FileLedger(workshop.folder / "ledger.jsonl", workshop.clock)
    return make_csr(planned, CsrPorts(workshop.signers["services"], ledger, lambda: CALLER, workshop.clock))


def kinds(workshop: Workshop) -> list[tuple[str, str]]:
    lines = (workshop.folder / "ledger.jsonl").read_text().splitlines()
    return [(entry["kind"], entry.get("purpose", "")) for entry in map(json.loads, lines)]


def test_a_request_says_what_the_profile_wants_and_is_on_record(workshop: Workshop) -> None:
    made = make(workshop, plan(workshop, path_length=0))
    constraints = made.csr.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (constraints.critical, constraints.value.ca, constraints.value.path_length) == (True, True, 0)
    assert made.csr.is_signature_valid
    assert kinds(workshop) == [("intent", "csr"), ("signed", "")]


def test_a_request_stands_while_its_key_is_disabled(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    present = csr_to_pem(make(workshop, plan(workshop)).csr)

    def refuse(key_id: str) -> bytes:
        raise DisabledKeyError(f"{key_id} is disabled")

    monkeypatch.setattr(workshop, "public_key", refuse)
    assert not plan(workshop, present).plan.changed
    with pytest.raises(DisabledKeyError, match="services is disabled"):
        plan(workshop)
    with pytest.raises(DisabledKeyError, match="services is disabled"):
        plan(workshop, b"damaged")


def test_a_request_that_is_right_is_not_signed_again(workshop: Workshop) -> None:
    present = csr_to_pem(make(workshop, plan(workshop)).csr)
    again = plan(workshop, present)
    assert not again.plan.changed
    assert make(workshop, again).sign_calls == 0
    assert plan(workshop, present, force=True).plan.reason == "force"


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"subject": {"common_name": "Another"}}, "subject"),
        ({"path_length": 1}, "basic_constraints"),
        ({"subject_alt_name": ["DNS:ca.acme.internal"]}, "subject_alt_name"),
    ],
)
def test_a_changed_field_is_the_reason_for_a_new_request(workshop: Workshop, options: Any, field: str) -> None:
    present = csr_to_pem(make(workshop, plan(workshop)).csr)
    assert plan(workshop, present, **options).plan.reason == f"changed: {field}"


def test_another_key_behind_the_alias_is_the_reason_for_a_new_request(workshop: Workshop) -> None:
    present = csr_to_pem(make(workshop, plan(workshop)).csr)
    workshop.keys["services"] = local_key("ECC_NIST_P256", 89)
    assert plan(workshop, present).plan.reason == "changed: public_key"


def test_what_is_no_request_any_more_is_made_again(workshop: Workshop) -> None:
    present = csr_to_pem(make(workshop, plan(workshop)).csr)
    broken = present.replace(b"A", b"B", 3)
    assert plan(workshop, broken).csr is None
    assert plan(workshop, b"garbage").csr is None


SERVER = {"certificate_profile": "tls_server", "subject_alt_name": ["DNS:web.acme.internal"]}
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({**SERVER, "key_usage": ["key_encipherment"]}, "key_usage key_encipherment does not fit a EC key"),
    ({**SERVER, "key_usage": ["key_cert_sign"]}, "key_usage key_cert_sign is for authorities alone"),
    ({**SERVER, "subject_alt_name": []}, "certificate_profile tls_server needs a subject_alt_name of DNS or IP"),
    ({"key_usage": ["crl_sign"]}, "an authority needs key_usage key_cert_sign"),
    ({"subject": {}, "subject_alt_name": ["DNS:ca.acme.internal"]}, "subordinate_ca needs a subject"),
    (
        {"certificate_profile": "timestamping", "extended_key_usage": ["time_stamping", "code_signing"]},
        "time_stamping stands alone",
    ),
    (
        {"other_extensions": [{"oid": "1.2.3.4", "value": "BQA=", "critical": True}]},
        "has the critical extension 1.2.3.4",
    ),
]


@pytest.mark.parametrize(("options", "says"), REFUSED)
def test_what_nobody_may_issue_is_not_asked_for(workshop: Workshop, options: dict[str, Any], says: str) -> None:
    with pytest.raises(SpecError, match=f"services: .*{says}"):
        plan(workshop, **options)


def test_a_key_that_the_profile_does_not_allow_is_refused_with_all_else(workshop: Workshop) -> None:
    workshop.key("services", "ECC_SECG_P256K1")
    asked = {"certificate_profile": "iam_roles_anywhere", "key_usage": ["data_encipherment"], "padding": "pss"}
    with pytest.raises(SpecError) as caught:
        plan(workshop, **asked)
    for sentence in ("the subject key is ECC_SECG_P256K1", "data_encipherment does not fit", "pss is for RSA keys"):
        assert sentence in str(caught.value)


def test_what_is_known_is_judged_while_the_key_is_missing(workshop: Workshop) -> None:
    workshop.keys.clear()
    with pytest.raises(SpecError, match="needs a subject_alt_name"):
        plan(workshop, certificate_profile="tls_server")


def test_a_root_may_ask_a_partner_for_a_cross_certificate(workshop: Workshop) -> None:
    assert plan(workshop, certificate_profile="root_ca").plan.changed


@pytest.mark.parametrize("key_spec", SIGNING_SPECS)
def test_a_request_is_made_for_every_key_spec(tmp_path: Path, key_spec: str) -> None:
    workshop = Workshop(tmp_path)
    workshop.key("services", key_spec)
    made = make(workshop, plan(workshop))
    assert made.csr.is_signature_valid
    if key_spec.startswith("ML_DSA"):
        return
    done = subprocess.run(
        ["openssl", "req", "-noout", "-verify"], input=csr_to_pem(made.csr), capture_output=True, check=False
    )
    assert b"verify OK" in done.stderr, done.stderr


def test_a_missing_key_is_pending(workshop: Workshop) -> None:
    workshop.keys.clear()
    planned = plan(workshop)
    assert "does not exist yet" in planned.plan.pending[0]
    with pytest.raises(SpecError, match="does not exist yet"):
        make(workshop, planned)


def test_a_refused_call_and_a_foreign_signature_leave_no_request(workshop: Workshop) -> None:
    workshop.signers["services"].failures = [denied()]
    with pytest.raises(AwsError):
        make(workshop, plan(workshop))
    assert kinds(workshop) == [("intent", "csr"), ("refused", "")]
    workshop.signers["services"] = LocalSigner(local_key("ECC_NIST_P256", 88))
    with pytest.raises(SignerError):
        make(workshop, plan(workshop))
    assert kinds(workshop)[2:] == [("intent", "csr"), ("refused", "")]


@pytest.mark.parametrize("behind", [0, 3])
def test_the_next_request_closes_what_a_run_that_died_left_open(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch, behind: int
) -> None:
    ended = replace(this_holder(), started="1")
    with monkeypatch.context() as patched:
        patched.setattr(flow, "this_holder", lambda: ended)
        patched.setattr(LocalSigner, "sign", interrupted)
        with pytest.raises(KeyboardInterrupt):
            make(workshop, plan(workshop))
    state = FileLedger(workshop.folder / "ledger.jsonl", workshop.clock).read
    assert len(state().open_intents) == 1
    workshop.clock.forward(minutes=-behind)  # the clock of the next machine is not the same
    make(workshop, plan(workshop))
    assert state().open_intents == ()


def interrupted(*_arguments: object) -> None:
    raise KeyboardInterrupt
