# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every signature of a message is on record before it is asked for, and what became of it after."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.rootstock.pki.plugins.module_utils._ledger.codec import decode
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.entries import Attempt, Intent, Refused, Signed
from ansible_collections.rootstock.pki.plugins.module_utils._pki.certificates import serial_hex
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import (
    AwsError,
    LedgerError,
    SignerError,
    SpecError,
)
from ansible_collections.rootstock.pki.plugins.module_utils._signer.session import ATTEMPTS
from tests.unit.cms.cms_desk import CALLER, CONTENT, CmsDesk
from tests.unit.cms.cms_people import NOW, cms_signer
from tests.unit.signer.local_kms import LocalSigner, denied, local_key, throttled

P256 = cms_signer("ECC_NIST_P256")
TWO = (P256, cms_signer("RSA_2048"))


def lines(desk: CmsDesk) -> list[Any]:
    ledger = desk.ledger
    assert ledger is not None
    return [decode(line) for line in ledger.path.read_bytes().splitlines()] if ledger.path.exists() else []


def open_at(desk: CmsDesk) -> list[Intent]:
    ledger = desk.ledger
    assert ledger is not None
    return list(ledger.read().open_intents)


def test_a_signature_that_is_not_the_key_s_is_thrown_away(tmp_path: Path) -> None:
    desk = CmsDesk(tmp_path, recorded=True)
    desk.hands[P256.key_id] = LocalSigner(local_key("ECC_NIST_P256", 9))
    with pytest.raises(SignerError, match="it was thrown away"):
        desk.sign()
    assert not desk.dest.exists()
    intent, outcome = lines(desk)
    assert (outcome.intent, "it was thrown away" in outcome.reason) == (intent.id, True)
    assert open_at(desk) == []


def test_every_signature_has_its_lines_before_and_after(tmp_path: Path) -> None:
    desk = CmsDesk(tmp_path, TWO, recorded=True)
    desk.sign()
    found = lines(desk)
    intents, outcomes = found[:2], found[2:]
    assert [type(line) for line in found] == [Intent, Intent, Signed, Signed]
    assert [one.intent for one in outcomes] == [one.id for one in intents]
    assert [one.purpose for one in intents] == ["cms", "cms"]
    assert [one.name for one in intents] == [str(desk.dest), f"{desk.dest} (signer 2)"]
    claims = desk.plan().claims
    assert [one.content_sha256 for one in intents] == [hashlib.sha256(one.attributes).hexdigest() for one in claims]
    assert intents[0].details == {
        "signing_algorithm": "ECDSA_SHA_256",
        "certificate": serial_hex(P256.certificate.serial_number),
        "digest": f"sha256:{hashlib.sha256(CONTENT).hexdigest()}",
    }
    assert outcomes[0].caller_arn == CALLER
    assert outcomes[0].details["signature_sha256"] == hashlib.sha256(claims[0].signature).hexdigest()
    assert not desk.plan().plan.changed


def test_an_attempt_that_is_repeated_has_its_line_too(tmp_path: Path) -> None:
    desk = CmsDesk(tmp_path, recorded=True)
    desk.hands[P256.key_id].failures.append(throttled())
    assert desk.sign()["sign_calls"] == 2
    assert [type(line) for line in lines(desk)] == [Intent, Attempt, Signed]


def test_a_refusal_is_recorded_and_nothing_is_written(tmp_path: Path) -> None:
    desk = CmsDesk(tmp_path, recorded=True)
    desk.hands[P256.key_id].failures.append(denied())
    with pytest.raises(AwsError):
        desk.sign()
    assert [type(line) for line in lines(desk)] == [Intent, Refused]
    assert not desk.dest.exists()


def test_a_signature_that_another_signer_s_refusal_made_useless_has_its_outcome(tmp_path: Path) -> None:
    desk = CmsDesk(tmp_path, TWO, recorded=True)
    desk.hands[TWO[1].key_id].failures.append(denied())
    with pytest.raises(AwsError):
        desk.sign()
    first, second, refused, lost = lines(desk)
    assert [type(line) for line in (first, second, refused, lost)] == [Intent, Intent, Refused, Refused]
    assert [one.intent for one in (refused, lost)] == [second.id, first.id]
    told = "signed in request request-1 and thrown away, because no message came of it: kms:Sign is not allowed"
    assert lost.reason == told
    assert open_at(desk) == []


def test_signatures_over_a_content_that_changes_before_it_is_written_have_their_outcomes(tmp_path: Path) -> None:
    desk = CmsDesk(tmp_path, TWO, recorded=True)
    work = desk.plan(attached=True)
    desk.content.write_bytes(CONTENT[::-1])
    with pytest.raises(SpecError, match="changed after it was signed"):
        desk.carry_out(work)
    assert [type(line) for line in lines(desk)] == [Intent, Intent, Refused, Refused]


def test_intents_that_nobody_knows_the_end_of_are_closed_with_the_next_message(tmp_path: Path) -> None:
    desk = CmsDesk(tmp_path, TWO, recorded=True)
    desk.hands[TWO[1].key_id].failures += [throttled() for _attempt in range(ATTEMPTS)]
    with pytest.raises(AwsError):
        desk.sign()
    unknown = open_at(desk)
    assert [one.name for one in unknown] == [f"{desk.dest} (signer 2)"]
    desk.now = NOW + timedelta(hours=1)
    desk.sign(signers=(P256,))
    assert open_at(desk) == []
    assert (lines(desk)[-1].intent, lines(desk)[-1].reason) == (
        unknown[0].id,
        f"no signature made for it is in the message at {desk.dest}",
    )
    assert not desk.plan(signers=(P256,)).plan.changed


def test_intents_left_beside_a_message_that_is_right_are_closed_without_another_signature(tmp_path: Path) -> None:
    desk = CmsDesk(tmp_path, recorded=True)
    for minute in range(2):
        desk.now = NOW + timedelta(minutes=minute)
        desk.dest.unlink(missing_ok=True)
        desk.sign(signing_time=False)
    ledger = tmp_path / "ledger.jsonl"
    intents = [line for line in ledger.read_bytes().splitlines(keepends=True) if b'"intent"' in line]
    ledger.write_bytes(b"".join(line for line in intents if isinstance(decode(line), Intent)))
    desk.now = NOW + timedelta(hours=1)
    work = desk.plan(signing_time=False)
    assert (len(work.left), work.plan.changed) == (2, True)
    desk.carry_out(work)
    first, second, signed, refused = lines(desk)
    assert (type(signed), signed.intent, type(refused), refused.intent) == (Signed, second.id, Refused, first.id)
    assert (open_at(desk), desk.asked, desk.plan(signing_time=False).plan.changed) == ([], 2, False)


def test_an_intent_that_somebody_is_at_work_on_stays_open(tmp_path: Path) -> None:
    desk = CmsDesk(tmp_path, TWO, recorded=True)
    desk.sign()
    ledger = tmp_path / "ledger.jsonl"
    ledger.write_bytes(b"".join(ledger.read_bytes().splitlines(keepends=True)[:2]))
    assert (desk.plan().left, desk.plan().plan.changed) == ((), False)


def test_a_run_that_died_before_the_record_is_completed_without_another_signature(tmp_path: Path) -> None:
    desk = CmsDesk(tmp_path, TWO, recorded=True)
    desk.sign()
    ledger = tmp_path / "ledger.jsonl"
    ledger.write_bytes(b"".join(ledger.read_bytes().splitlines(keepends=True)[:2]))
    desk.now = NOW + timedelta(hours=1)
    work = desk.plan()
    assert (len(work.left), work.plan.changed) == (2, True)
    desk.carry_out(work)
    assert ([type(line) for line in lines(desk)], desk.asked) == ([Intent, Intent, Signed, Signed], 2)
    assert not desk.plan().plan.changed


def test_nothing_is_signed_when_the_ledger_cannot_be_written(tmp_path: Path) -> None:
    desk = CmsDesk(tmp_path, recorded=True)
    work = desk.plan()
    (tmp_path / "ledger.jsonl").mkdir()
    with pytest.raises(LedgerError):
        desk.carry_out(work)
    assert desk.asked == 0
