# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Issuing: planned, recorded, signed, verified, stored, and safe to run again from wherever it stopped."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import padding

from ansible_collections.rootstock.pki.plugins.module_utils._ledger.entries import Holder, Revoked, new_id
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.files import FileLedger
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.port import NameClaimed
from ansible_collections.rootstock.pki.plugins.module_utils._operations import issue_certificate as flow
from ansible_collections.rootstock.pki.plugins.module_utils._operations import issued_copy
from ansible_collections.rootstock.pki.plugins.module_utils._pki.certificates import serial_hex, sha256_hex, to_pem
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import (
    AwsError,
    IssuerError,
    LedgerError,
    SignerError,
    SpecError,
)
from ansible_collections.rootstock.pki.plugins.module_utils._pki.general_names import to_constraint
from tests.unit.operations.workshop import CALLER, Workshop, spki_of
from tests.unit.signer.local_kms import KEY_ARN, SIGNING_SPECS, denied, local_key, throttled


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


def tls(workshop: Workshop, **options: Any) -> Any:
    """Return the plan of a TLS server below the root, its key made elsewhere."""
    given = {
        "public_key": spki_of(local_key("ECC_NIST_P256", 99)),
        "subject_alt_name": ["DNS:web.acme.internal"],
        "subject": {"common_name": "web.acme.internal"},
        **options,
    }
    return workshop.plan("web", "tls_server", "root", **given)


def kinds(workshop: Workshop, authority: str = "root") -> list[str]:
    return [json.loads(line)["kind"] for line in workshop.ledger_lines(authority)]


def test_a_second_run_changes_nothing_and_asks_for_no_signature(workshop: Workshop) -> None:
    workshop.root()
    again = workshop.plan("root", "root_ca")
    assert not again.plan.changed
    assert workshop.carry_out(again).sign_calls == 0
    assert len(workshop.signers["root"].asked) == 1


@pytest.mark.parametrize("key_spec", [spec for spec in SIGNING_SPECS if not spec.startswith("ML_DSA")])
def test_openssl_accepts_a_tree_of_every_classical_key_spec(workshop: Workshop, key_spec: str) -> None:
    root = workshop.root(key_spec=key_spec, not_after="+7300d")
    issuing = workshop.authority("services", "root", key_spec, path_length=0)
    leaf = workshop.issue(
        "web",
        "tls_server",
        "services",
        above=["root"],
        public_key=spki_of(local_key(key_spec, 98)),
        subject_alt_name=["DNS:web.acme.internal"],
    )
    files = {"root.pem": root, "services.pem": issuing, "web.pem": leaf}
    for name, certificate in files.items():
        (workshop.folder / name).write_bytes(to_pem([certificate]))
    command = [
        "openssl",
        "verify",
        "-x509_strict",
        "-purpose",
        "sslserver",
        "-attime",
        str(int(workshop.clock.now.timestamp())),
    ]
    told = subprocess.run(
        [*command, "-CAfile", "root.pem", "-untrusted", "services.pem", "web.pem"],
        cwd=workshop.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.stdout.strip() == "web.pem: OK", told.stderr


@pytest.mark.parametrize("key_spec", [spec for spec in SIGNING_SPECS if spec.startswith("ML_DSA")])
def test_pyca_accepts_a_tree_of_every_ml_dsa_key_spec(workshop: Workshop, key_spec: str) -> None:
    root = workshop.root(key_spec=key_spec)
    leaf = workshop.issue(
        "web", "tls_client", "root", public_key=spki_of(local_key(key_spec, 97)), subject={"common_name": "client"}
    )
    leaf.verify_directly_issued_by(root)


def test_every_signature_has_its_intent_before_and_its_outcome_after(workshop: Workshop) -> None:
    workshop.root()
    seen: list[list[str]] = []
    signer = workshop.signers["root"]
    honest = signer.sign_with
    signer.sign_with = lambda *arguments: seen.append(kinds(workshop)) or honest(*arguments)  # type: ignore[func-returns-value]
    certificate = workshop.carry_out(tls(workshop)).certificate
    assert seen == [["intent", "issued", "intent"]]
    intent, issued = (json.loads(line) for line in workshop.ledger_lines("root")[2:])
    assert intent["content_sha256"] == sha256_hex(certificate.tbs_certificate_bytes)
    assert (intent["name"], intent["profile"], intent["serial"]) == (
        "web",
        "tls_server",
        serial_hex(certificate.serial_number),
    )
    assert (issued["intent"], issued["key_arn"], issued["caller_arn"]) == (intent["id"], KEY_ARN, CALLER)
    assert issued["request_id"] == "request-2"


def test_every_repetition_of_a_sign_call_is_recorded(workshop: Workshop) -> None:
    workshop.root()
    workshop.signers["root"].failures = [throttled(), throttled()]
    flow_ports = workshop.issuing("root")
    planned = tls(workshop)
    issuance = flow.issue_certificate(planned, flow_ports)
    assert issuance.sign_calls == 3
    assert kinds(workshop)[2:] == ["intent", "attempt", "attempt", "issued"]


def test_a_refused_call_closes_its_intent_and_writes_no_certificate(workshop: Workshop) -> None:
    workshop.root()
    workshop.signers["root"].failures = [denied()]
    with pytest.raises(AwsError, match="not allowed"):
        workshop.carry_out(tls(workshop))
    assert kinds(workshop)[2:] == ["intent", "refused"]
    assert not (workshop.folder / "certificates" / "web.pem").exists()


def test_the_intent_of_a_call_with_an_unsure_outcome_stays_open(workshop: Workshop) -> None:
    workshop.root()
    workshop.signers["root"].failures = [AwsError("a page came back", operation="Sign", code="", unsure=True)]
    with pytest.raises(AwsError):
        workshop.carry_out(tls(workshop))
    assert kinds(workshop)[2:] == ["intent"]


def test_a_signature_of_another_key_is_thrown_away_and_the_name_is_free_for_every_host(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    workshop.root()
    workshop.key("stranger")
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(flow, "this_holder", lambda: Holder("elsewhere", 1))
        with pytest.raises(SignerError, match="same key"):
            workshop.carry_out(tls(workshop, issuer_key_id="stranger"))
    assert kinds(workshop)[2:] == ["intent", "refused"]
    assert len(list((workshop.folder / "root" / "issued").iterdir())) == 1
    assert workshop.carry_out(tls(workshop)).sign_calls == 1


def test_a_run_that_died_before_recording_is_completed_without_a_signature(workshop: Workshop) -> None:
    workshop.root()
    issued = workshop.carry_out(tls(workshop)).certificate
    ledger = workshop.folder / "root" / "ledger.jsonl"
    ledger.write_text("\n".join(ledger.read_text().splitlines()[:-1]) + "\n")
    _as_if_its_process_had_ended(workshop)
    Path(tls(workshop).task.path).unlink()
    again = tls(workshop)
    assert not again.reissue
    assert [change.field for change in again.completion] == ["ledger"]
    done = workshop.carry_out(again)
    assert (done.certificate, done.sign_calls) == (issued, 0)
    assert kinds(workshop)[-1] == "issued"
    assert tls(workshop).completion == ()


def test_a_run_that_died_before_storing_is_done_again_and_its_intent_stays_visible(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    workshop.root()

    def die(*_arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(flow, "store", die)
        with pytest.raises(KeyboardInterrupt):
            workshop.carry_out(tls(workshop))
    _as_if_its_process_had_ended(workshop)
    workshop.carry_out(tls(workshop))
    assert kinds(workshop)[2:] == ["intent", "intent", "issued"]
    state = tls(workshop).ledger.read()
    assert [intent.name for intent in state.open_intents] == ["web"]


def _as_if_its_process_had_ended(workshop: Workshop) -> None:
    ledger = workshop.folder / "root" / "ledger.jsonl"
    lines = ledger.read_text().splitlines()
    last = json.loads(lines[-1])
    last["holder"]["started"] = "1"
    ledger.write_text("\n".join([*lines[:-1], json.dumps(last)]) + "\n")


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"subject_alt_name": ["DNS:www.acme.internal"]}, "subject_alt_name"),
        ({"subject": {"common_name": "www"}}, "subject"),
        ({"public_key": "other"}, "public_key"),
        ({"not_after": "+300d"}, "not_after"),
        ({"not_before": "-1h"}, "not_before"),
    ],
)
def test_a_changed_field_is_the_reason_for_a_new_certificate(
    workshop: Workshop, changed: dict[str, Any], field: str
) -> None:
    workshop.root()
    workshop.carry_out(tls(workshop))
    if "public_key" in changed:
        changed = {"public_key": spki_of(local_key("ECC_NIST_P256", 96))}
    again = tls(workshop, **changed)
    assert again.plan.reason.startswith("changed: ")
    assert field in again.plan.diff["after"]  # type: ignore[operator]
    workshop.carry_out(again)
    assert not tls(workshop, **changed).plan.changed


def test_a_changed_signature_is_the_reason_for_a_new_certificate(workshop: Workshop) -> None:
    workshop.root(key_spec="RSA_2048")
    workshop.carry_out(tls(workshop))
    again = tls(workshop, digest="sha384", padding="pss")
    assert again.plan.reason == "changed: signature"
    certificate = workshop.carry_out(again).certificate
    assert isinstance(certificate.signature_algorithm_parameters, padding.PSS)
    assert certificate.signature_hash_algorithm is not None
    assert certificate.signature_hash_algorithm.name == "sha384"
    assert not tls(workshop, digest="sha384", padding="pss").plan.changed


def test_a_certificate_is_renewed_when_its_time_comes(workshop: Workshop) -> None:
    workshop.root()
    first = workshop.carry_out(tls(workshop, not_after="+90d", renew_before="30d")).certificate
    workshop.clock.forward(days=59)
    assert not tls(workshop, not_after="+90d", renew_before="30d").plan.changed
    workshop.clock.forward(days=1, seconds=1)
    again = tls(workshop, not_after="+90d", renew_before="30d")
    assert again.plan.reason.startswith("renewal: valid until")
    second = workshop.carry_out(again).certificate
    assert second.not_valid_after_utc > first.not_valid_after_utc
    assert not tls(workshop, not_after="+90d", renew_before="30d").plan.changed


def test_renew_before_has_to_be_shorter_than_the_lifetime(workshop: Workshop) -> None:
    workshop.root()
    with pytest.raises(SpecError, match="not shorter than the lifetime"):
        tls(workshop, not_after="+10d", renew_before="30d")


TIMES = [
    ({"not_before": "soon", "not_after": "20260231000000Z"}, ["time 'soon' is not", "time '20260231000000Z' does not"]),
    ({"not_after": "+10d", "renew_before": "30d"}, ["not shorter than the lifetime"]),
    ({"renew_before": "now and then"}, ["renew_before 'now and then' is not understood"]),
]


@pytest.mark.parametrize("issued_before", [False, True])
@pytest.mark.parametrize(("times", "told"), TIMES)
def test_what_is_wrong_with_times_is_told_with_everything_else(
    workshop: Workshop, times: dict[str, str], told: list[str], issued_before: bool
) -> None:
    workshop.root()
    if issued_before:
        workshop.carry_out(tls(workshop))
    with pytest.raises(SpecError) as caught:
        tls(workshop, **times, subject_alt_name=[], key_usage=["key_encipherment"])
    wanted = [*told, "does not fit a EC key", "needs a subject_alt_name"]
    assert [sentence for sentence in wanted if sentence not in str(caught.value)] == []


def test_times_are_read_while_the_issuer_is_missing(workshop: Workshop) -> None:
    with pytest.raises(SpecError, match="time 'soon' is not understood"):
        tls(workshop, not_after="soon")


def test_a_renewal_takes_the_place_of_both_certificates_that_a_merge_left(workshop: Workshop) -> None:
    workshop.root()
    ledger = workshop.folder / "root" / "ledger.jsonl"
    before = ledger.read_bytes()
    theirs = workshop.carry_out(tls(workshop)).certificate
    branch = ledger.read_bytes().removeprefix(before)
    ledger.write_bytes(before)
    (workshop.folder / "certificates" / "web.pem").unlink()
    workshop.clock.forward(minutes=1)
    ours = workshop.carry_out(tls(workshop)).certificate
    ledger.write_bytes(ledger.read_bytes() + branch)
    workshop.clock.forward(minutes=1)
    renewed = serial_hex(workshop.carry_out(tls(workshop, force=True)).certificate.serial_number)
    state = FileLedger(ledger, workshop.clock).read()
    former = [state.by_serial(serial_hex(one.serial_number)) for one in (ours, theirs)]
    assert [one and one.superseded_by for one in former] == [renewed, renewed]
    assert state.doubles(workshop.clock()) == {}
    assert not tls(workshop).plan.changed


def test_force_issues_again(workshop: Workshop) -> None:
    workshop.root()
    first = workshop.carry_out(tls(workshop)).certificate
    second = workshop.carry_out(tls(workshop, force=True)).certificate
    assert first.serial_number != second.serial_number


def _issue_a_client(workshop: Workshop) -> None:
    key = spki_of(local_key("ECC_NIST_P256", 95))
    workshop.issue("client", "tls_client", "services", above=["root"], public_key=key)


@pytest.mark.parametrize(
    "changed",
    [
        {"subject": {"common_name": "Another"}},
        {"path_length": 0},
        {"name_constraints_permitted": (to_constraint("DNS:acme.internal"),)},
        {"key_id": "other"},
    ],
)
def test_an_authority_with_living_certificates_keeps_its_identity(workshop: Workshop, changed: dict[str, Any]) -> None:
    workshop.root()
    workshop.authority("services", "root", path_length=1)
    workshop.key("other")
    assert workshop.plan("services", "subordinate_ca", "root", **{"path_length": 1, **changed}).reissue
    _issue_a_client(workshop)
    with pytest.raises(IssuerError, match="1 certificates it issued are valid"):
        workshop.plan("services", "subordinate_ca", "root", **{"path_length": 1, **changed})


@pytest.mark.parametrize("changed", [{"path_length": 2}, {"not_after": "+2000d"}, {"path_length": None}])
def test_an_authority_with_living_certificates_may_change_what_takes_nothing_away(
    workshop: Workshop, changed: dict[str, Any]
) -> None:
    workshop.root()
    workshop.authority("services", "root", path_length=1)
    _issue_a_client(workshop)
    assert workshop.plan("services", "subordinate_ca", "root", **{"path_length": 1, **changed}).reissue


def test_what_is_missing_is_pending_and_the_rest_is_planned(workshop: Workshop) -> None:
    workshop.key("root")
    planned = tls(workshop)
    assert "the issuer's certificate" in planned.plan.pending[0]
    assert planned.plan.diff["after"]["subject_alt_name"] == ["DNS:web.acme.internal"]  # type: ignore[index]
    assert "the KMS key nobody does not exist yet" in workshop.plan("nobody", "root_ca").plan.pending[0]


def test_what_is_known_is_gated_while_the_issuer_is_pending(workshop: Workshop) -> None:
    with pytest.raises(SpecError, match="needs a subject_alt_name"):
        tls(workshop, subject_alt_name=[])


def test_a_key_that_was_compromised_since_the_plan_gets_no_certificate(workshop: Workshop) -> None:
    workshop.root()
    first = workshop.carry_out(tls(workshop)).certificate
    late = tls(workshop, force=True)
    asked = len(workshop.signers["root"].asked)
    ledger = FileLedger(workshop.folder / "root" / "ledger.jsonl", workshop.clock)
    now, serial = workshop.clock(), serial_hex(first.serial_number)
    ledger.append(Revoked(new_id(), now, serial, "key_compromise", now))
    with pytest.raises(SpecError, match="the subject key was compromised"):
        workshop.carry_out(late)
    assert len(workshop.signers["root"].asked) == asked
    assert ledger.read().open_intents == ()


def test_a_run_that_is_forced_waits_until_all_others_had_their_turn(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    workshop.root()
    late = tls(workshop, force=True)
    claim, turns = FileLedger.claim, ["first", "second", "third"]

    def after_another(self: FileLedger, *arguments: Any) -> None:
        if turns:
            turns.pop()
            with monkeypatch.context() as patched:
                patched.setattr(FileLedger, "claim", claim)
                workshop.carry_out(tls(workshop, force=True))
        claim(self, *arguments)

    monkeypatch.setattr(FileLedger, "claim", after_another)
    assert workshop.carry_out(late).sign_calls == 1
    assert turns == []


def test_a_run_that_loses_the_name_takes_the_winners_certificate(workshop: Workshop) -> None:
    workshop.root()
    late = tls(workshop)
    winner = workshop.carry_out(tls(workshop)).certificate
    done = workshop.carry_out(late)
    assert (done.certificate, done.by_another, done.sign_calls) == (winner, True, 0)
    assert kinds(workshop)[2:] == ["intent", "issued"]


def test_a_run_waits_for_another_and_gives_up_with_its_name(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    workshop.root()

    def die(*_arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(flow, "store", die)
        with pytest.raises(KeyboardInterrupt):
            workshop.carry_out(tls(workshop))
    with pytest.raises(NameClaimed, match="is being issued by process"):
        workshop.carry_out(tls(workshop))


def test_a_full_disk_leaves_the_intent_and_says_so(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    workshop.root()

    def full(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(issued_copy.os, "fsync", full)
    with pytest.raises(LedgerError, match="No space left"):
        workshop.carry_out(tls(workshop))


def test_issuing_by_the_chain_verifies_under_the_issuers_certificate_alone(workshop: Workshop) -> None:
    """The signer may not read its public key: everything needed is in the issuer's certificate."""
    workshop.root()
    planned = tls(workshop)
    workshop.keys.clear()
    workshop.carry_out(planned).certificate.verify_directly_issued_by(planned.chain[0])
