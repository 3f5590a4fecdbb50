# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A file is signed once, with its record before and after, and what must not be signed is not."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import pytest

from ansible_collections.rootstock.pki.plugins.module_utils._ledger.entries import Intent, Refused, Signed
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import (
    AwsError,
    KeyStateError,
    SignerError,
    SpecError,
)
from ansible_collections.rootstock.pki.plugins.module_utils._signer.algorithms import ALGORITHMS, KEY_SPECS
from ansible_collections.rootstock.pki.plugins.module_utils._signer.specs import Content
from ansible_collections.rootstock.pki.plugins.module_utils._signer.verify import verify_signature
from tests.unit.operations.signing_desk import CALLER, Desk, KnownKey
from tests.unit.signer.local_kms import KEY_ARN, SIGNING_SPECS, LocalSigner, denied, local_key, throttled


def entries(desk: Desk) -> list[object]:
    ledger = desk.ledger
    assert ledger is not None
    return list(_read(ledger.path))


def _read(path: Path) -> list[object]:
    from ansible_collections.rootstock.pki.plugins.module_utils._ledger.codec import decode

    return [decode(line) for line in path.read_bytes().splitlines()] if path.exists() else []


@pytest.mark.parametrize("key_spec", SIGNING_SPECS)
def test_a_file_is_signed_once_and_left_alone_after_that(key_spec: str, tmp_path: Path) -> None:
    desk = Desk(tmp_path, key_spec)
    first = desk.plan()
    made = desk.carry_out(first)
    again = desk.plan()
    row = ALGORITHMS[KEY_SPECS[key_spec].bare_default]
    verify_signature(desk.private.public_key(), desk.dest.read_bytes(), b"a release\n", row)
    assert (first.plan.changed, made.sign_calls, again.plan.changed) == (True, 1, False)
    assert again.known() == {
        "signature": base64.b64encode(made.signature).decode(),
        "verified": True,
        "signing_algorithm": row.name,
        "message_type": row.message_type.lower(),
    }
    assert desk.carry_out(again).sign_calls == 0


def test_a_plan_reads_and_asks_for_no_signature(tmp_path: Path) -> None:
    desk = Desk(tmp_path, recorded=True)
    work = desk.plan()
    assert work.plan.diff["after"] == {str(desk.dest): f"ECDSA_SHA_256 signature of {tmp_path}/content"}
    assert (desk.signer.asked, desk.dest.exists(), entries(desk)) == ([], False, [])


def test_an_unchanged_file_costs_one_call(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.sign()
    desk.keys.asked.clear()
    desk.plan()
    assert desk.keys.asked == [("public_key", "alias/desk")]


@pytest.mark.parametrize("change", ["content", "signature", "algorithm"])
def test_what_no_longer_fits_is_signed_again_with_the_reason(change: str, tmp_path: Path) -> None:
    desk = Desk(tmp_path, "RSA_2048")
    desk.sign()
    if change == "content":
        (tmp_path / "content").write_bytes(b"another release\n")
    if change == "signature":
        desk.dest.write_bytes(b"a note")
    wanted = "RSASSA_PSS_SHA_256" if change == "algorithm" else ""
    work = desk.plan(signing_algorithm=wanted)
    assert work.plan.changed
    name = wanted or "RSASSA_PKCS1_V1_5_SHA_512"
    assert work.known()["reason"] == f"{desk.dest} is no {name} signature of this content by this key"


def test_a_public_key_in_a_file_saves_the_call(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    work = desk.plan(public_key=desk.spki)
    assert desk.carry_out(work).sign_calls == 1
    assert desk.keys.asked == [("use_of", "alias/desk")]


def test_a_public_key_in_a_file_that_is_another_one_is_found_out_and_nothing_is_kept(tmp_path: Path) -> None:
    desk = Desk(tmp_path, recorded=True)
    desk.signer = LocalSigner(local_key("ECC_NIST_P256", 1))
    with pytest.raises(SignerError, match="name the same key"):
        desk.sign()
    assert not desk.dest.exists()
    assert [type(line) for line in entries(desk)] == [Intent, Refused]


@pytest.mark.parametrize("use", ["ca", "ocsp"])
def test_the_key_of_an_authority_is_refused_already_in_the_plan(use: str, tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.keys.uses[KEY_ARN] = use
    with pytest.raises(KeyStateError, match=f"tagged rootstock:use={use}; such a key signs certificates"):
        desk.plan()


@pytest.mark.parametrize("use", ["sign", "", "something else", None])
def test_other_keys_and_keys_whose_tags_may_not_be_read_are_taken(use: str | None, tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.keys.uses[KEY_ARN] = use
    assert desk.plan().plan.changed


def test_a_key_of_another_usage_is_refused(tmp_path: Path) -> None:
    desk = Desk(tmp_path, "RSA_2048")
    desk.keys.known["alias/desk"] = KnownKey(desk.spki, key_usage="ENCRYPT_DECRYPT")
    with pytest.raises(KeyStateError, match="is for ENCRYPT_DECRYPT; signing needs a key of usage SIGN_VERIFY"):
        desk.plan()


def test_a_key_that_is_not_there_yet_is_pending(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.keys.known.clear()
    work = desk.plan("the key does not exist yet")
    assert (work.plan.changed, work.plan.pending) == (True, ("the key does not exist yet",))
    with pytest.raises(KeyStateError, match="the key does not exist yet"):
        desk.carry_out(work)


def test_without_the_public_key_the_algorithm_must_be_named(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.keys.known["alias/desk"] = KnownKey(b"", key_arn="")
    with pytest.raises(SpecError, match="so signing_algorithm must be named; or give public_key_path"):
        desk.plan()


def test_without_the_public_key_ml_dsa_is_refused(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.keys.known["alias/desk"] = KnownKey(b"", key_arn="")
    with pytest.raises(SpecError, match=r"ML-DSA signs over the public key.*give public_key_path"):
        desk.plan(signing_algorithm="ML_DSA_SHAKE_256")


def test_without_the_public_key_the_signature_goes_out_unverified_and_is_made_in_every_run(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.keys.known["alias/desk"] = KnownKey(b"", key_arn="")
    made = desk.sign(signing_algorithm="ECDSA_SHA_256")
    again = desk.plan(signing_algorithm="ECDSA_SHA_256")
    assert desk.plan(signing_algorithm="ECDSA_SHA_256").result(made.signature)["verified"] is False
    assert again.known()["reason"] == f"{desk.dest} cannot be verified without the public key"


def test_the_intent_is_on_disk_before_the_key_is_asked_and_the_outcome_after(tmp_path: Path) -> None:
    desk = Desk(tmp_path, recorded=True)
    seen: list[list[object]] = []
    kept = desk.signer.sign_with

    def look_then_sign(*arguments: object) -> bytes:
        seen.append(entries(desk))
        return bytes(kept(*arguments))

    desk.signer = LocalSigner(desk.private, look_then_sign)
    made = desk.sign()
    (intent,) = seen[0]
    assert isinstance(intent, Intent)
    content_sha256 = hashlib.sha256(b"a release\n").hexdigest()
    assert (intent.purpose, intent.name, intent.content_sha256) == ("file", str(desk.dest), content_sha256)
    assert (intent.key_arn, intent.subject) == (KEY_ARN, str(tmp_path / "content"))
    outcome = entries(desk)[1]
    assert isinstance(outcome, Signed)
    assert (outcome.intent, outcome.request_id, outcome.caller_arn) == (intent.id, "request-1", CALLER)
    assert outcome.details["signature_sha256"] == hashlib.sha256(made.signature).hexdigest()


@pytest.mark.parametrize("key_spec", ["RSA_2048", "ECC_NIST_P384", "ECC_NIST_EDWARDS25519"])
def test_the_record_holds_the_sha256_of_the_content_whatever_the_algorithm(key_spec: str, tmp_path: Path) -> None:
    desk = Desk(tmp_path, key_spec, recorded=True)
    desk.sign()
    intent = entries(desk)[0]
    assert isinstance(intent, Intent)
    assert intent.content_sha256 == hashlib.sha256(b"a release\n").hexdigest()


def test_a_refusal_closes_the_intent(tmp_path: Path) -> None:
    desk = Desk(tmp_path, recorded=True)
    for failure in (denied(), KeyStateError("alias/desk is disabled")):
        desk.signer = LocalSigner(desk.private, failures=[failure])
        with pytest.raises((AwsError, KeyStateError)):
            desk.sign()
        assert isinstance(entries(desk)[-1], Refused)


def test_a_call_without_an_answer_leaves_the_intent_open_and_another_attempt_has_its_line(tmp_path: Path) -> None:
    desk = Desk(tmp_path, recorded=True)
    desk.signer = LocalSigner(desk.private, failures=[throttled(), denied()])
    with pytest.raises(AwsError):
        desk.sign()
    assert [type(entry).__name__ for entry in entries(desk)] == ["Intent", "Attempt"]


def test_a_run_that_died_before_the_outcome_is_completed_by_the_next(tmp_path: Path) -> None:
    class Killed(BaseException):
        pass

    desk = Desk(tmp_path, recorded=True)

    def keep_and_die(signature: bytes) -> None:
        desk.dest.write_bytes(signature)
        raise Killed

    desk.keep = keep_and_die
    with pytest.raises(Killed):
        desk.sign()
    assert [type(entry).__name__ for entry in entries(desk)] == ["Intent"]
    desk.keep = None
    desk.now = desk.now.replace(hour=13)  # the claim of a process that lives lapses
    work = desk.plan()
    assert work.plan.diff["after"] == {"ledger": "its outcome"}
    assert desk.carry_out(work).sign_calls == 0
    assert [type(entry).__name__ for entry in entries(desk)] == ["Intent", "Signed"]
    assert not desk.plan().plan.changed


def test_a_text_is_signed_without_a_file(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    made = desk.sign(content=Content("content", b"a text"), dest="")
    verify_signature(desk.private.public_key(), made.signature, b"a text", ALGORITHMS["ECDSA_SHA_256"])
    assert desk.plan(content=Content("content", b"a text"), dest="").plan.changed


@pytest.mark.parametrize("message_type", ["RAW", "DIGEST"])
def test_the_message_type_says_what_is_sent_and_nothing_else(message_type: str, tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.sign(message_type=message_type)
    assert desk.signer.asked[0][1] == message_type
    assert not desk.plan(message_type="RAW").plan.changed
    assert not desk.plan(message_type="DIGEST").plan.changed
