# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a linter finds is told, or refused, before the ledger has a line and before KMS is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from ansible_collections.rootstock.pki.plugins.module_utils._lint.lint import Finding, lint
from ansible_collections.rootstock.pki.plugins.module_utils._operations.certificate_plan import (
    CertificatePlan,
    plan_certificate,
)
from ansible_collections.rootstock.pki.plugins.module_utils._operations.lint_certificate import Linter
from ansible_collections.rootstock.pki.plugins.module_utils._pki.certificates import to_der
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import SpecError
from tests.unit.operations.workshop import Workshop, spki_of
from tests.unit.signer.local_kms import PAIRS, SIGNING_SPECS, local_key

GRAVE = Finding("error", "pkix.first", "certificate")
DOUBTFUL = Finding("warning", "pkix.second", "certificate.tbsCertificate: odd")
HARMLESS = Finding("notice", "pkix.third", "certificate")
MAILBOX = {"common_name": "web", "email_address": "web@acme.internal"}


@dataclass
class Desk:
    """A linter that finds what it is told to, and keeps what it was given."""

    finds: Sequence[Finding] = (GRAVE, DOUBTFUL, HARMLESS)
    given: list[bytes] = field(default_factory=list)

    def __call__(self, der: bytes, kind: str) -> Sequence[Finding]:
        assert kind == "certificate"
        self.given.append(der)
        return self.finds


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    made = Workshop(tmp_path)
    made.root()
    return made


def plan(
    workshop: Workshop, level: str, linter: Linter, profile: str = "tls_server", **options: Any
) -> CertificatePlan:
    """Return the plan of a TLS server below the root, linted by *linter*."""
    given = {
        "public_key": spki_of(local_key("ECC_NIST_P256", 99)),
        "subject_alt_name": ["DNS:web.acme.internal"],
        **options,
    }
    task = workshop.task("web", profile, "root", lint=level, **given)
    return plan_certificate(task, replace(workshop.ports(task), lint=linter))


def test_nothing_is_linted_unless_asked(workshop: Workshop) -> None:
    desk = Desk()
    assert plan(workshop, "off", desk).findings == ()
    assert desk.given == []


def test_findings_from_warning_upwards_become_warnings(workshop: Workshop) -> None:
    planned = plan(workshop, "warn", Desk())
    assert planned.findings == (GRAVE, DOUBTFUL)
    assert planned.warnings == (
        "web: lint error pkix.first (certificate)",
        "web: lint warning pkix.second (certificate.tbsCertificate: odd)",
    )
    assert workshop.carry_out(planned).sign_calls == 1


def test_findings_are_an_error_with_all_of_them_before_anything_is_recorded_or_signed(workshop: Workshop) -> None:
    lines = workshop.ledger_lines("root")
    with pytest.raises(SpecError) as caught:
        plan(workshop, "error", Desk())
    assert str(caught.value) == (
        "web: lint error pkix.first (certificate); lint warning pkix.second (certificate.tbsCertificate: odd); "
        "change the task, or use lint: warn"
    )
    assert workshop.ledger_lines("root") == lines
    assert len(workshop.signers["root"].asked) == 1


def test_what_is_below_a_warning_stands_in_nobodys_way(workshop: Workshop) -> None:
    planned = plan(workshop, "error", Desk([HARMLESS]))
    assert (planned.findings, planned.warnings) == ((), ())


def test_the_linted_certificate_is_the_signed_one_but_for_serial_and_signature(workshop: Workshop) -> None:
    desk = Desk([])
    signed = workshop.carry_out(plan(workshop, "error", desk)).certificate
    linted = x509.load_der_x509_certificate(desk.given[0])
    for name in ("subject", "issuer", "not_valid_before_utc", "not_valid_after_utc", "signature_algorithm_oid"):
        assert getattr(linted, name) == getattr(signed, name)
    assert list(linted.extensions) == list(signed.extensions)
    assert linted.public_key() == signed.public_key()
    assert linted.serial_number.bit_length() == 159
    assert linted.signature != signed.signature


def test_a_certificate_that_stays_is_not_linted(workshop: Workshop) -> None:
    workshop.carry_out(plan(workshop, "off", Desk()))
    desk = Desk()
    assert not plan(workshop, "error", desk).reissue
    assert desk.given == []


def test_what_is_not_known_yet_is_not_linted(workshop: Workshop) -> None:
    desk = Desk()
    task = workshop.task("web", "tls_server", "missing", lint="error", subject_alt_name=["DNS:web.acme.internal"])
    planned = plan_certificate(task, replace(workshop.ports(task), lint=desk))
    assert planned.plan.pending
    assert desk.given == []


def test_the_gate_speaks_before_the_linter(workshop: Workshop) -> None:
    desk = Desk()
    with pytest.raises(SpecError, match="needs a subject_alt_name"):
        plan(workshop, "error", desk, subject_alt_name=None)
    assert desk.given == []


def test_without_a_linter_the_task_is_refused(workshop: Workshop) -> None:
    task = workshop.task("root", "root_ca", lint="warn", force=True, reissue_root=True)
    with pytest.raises(SpecError, match="nothing here can lint a certificate"):
        plan_certificate(task, workshop.ports(task))


def test_pkilint_finds_a_mailbox_that_is_no_alternative_name(workshop: Workshop) -> None:
    with pytest.raises(SpecError, match=r"lint error pkix\.subject_email_address_not_in_san .*web@acme\.internal"):
        plan(workshop, "error", lint, subject=MAILBOX)


@pytest.mark.parametrize("key_spec", SIGNING_SPECS)
def test_pkilint_finds_nothing_in_a_tree_of_any_key_spec(tmp_path: Path, key_spec: str) -> None:
    workshop = Workshop(tmp_path)
    workshop.key("root", key_spec)
    workshop.key("services", key_spec)
    for name, profile, issuer, options in (
        ("root", "root_ca", None, {}),
        ("services", "subordinate_ca", "root", {"path_length": 0}),
        ("web", "tls_server", "services", {"subject_alt_name": ["DNS:web.acme.internal"], "key_id": "root"}),
    ):
        task = workshop.task(name, profile, issuer, lint="warn", **options)
        planned = plan_certificate(task, replace(workshop.ports(task), lint=lint))
        assert planned.findings == ()
        workshop.carry_out(planned)


@pytest.mark.parametrize(("key_spec", "algorithm"), [pair for pair in PAIRS if pair[0] == "RSA_2048"])
def test_every_hash_and_padding_of_rsa_is_linted_as_it_is_signed(tmp_path: Path, key_spec: str, algorithm: str) -> None:
    desk, workshop = Desk([]), Workshop(tmp_path)
    workshop.key("root", key_spec)
    digest, padding = f"sha{algorithm[-3:]}", "pss" if "PSS" in algorithm else "pkcs1v15"
    task = workshop.task("root", "root_ca", lint="error", digest=digest, padding=padding)
    signed = workshop.carry_out(plan_certificate(task, replace(workshop.ports(task), lint=desk))).certificate
    linted = x509.load_der_x509_certificate(desk.given[0])
    assert linted.signature_algorithm_oid == signed.signature_algorithm_oid
    assert linted.signature_hash_algorithm.name == signed.signature_hash_algorithm.name == digest
    assert abs(len(desk.given[0]) - len(to_der(signed))) <= 20


def test_a_certificate_that_ed25519_cannot_sign_is_refused_while_it_is_linted(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path)
    workshop.root(key_spec="ECC_NIST_EDWARDS25519")
    names = [f"DNS:web{number}.acme.internal" for number in range(300)]
    with pytest.raises(SpecError, match="longer than 4096 bytes"):
        plan(workshop, "warn", lint, subject_alt_name=names)
