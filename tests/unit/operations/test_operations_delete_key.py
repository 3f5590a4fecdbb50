# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A key goes to deletion when nobody needs it any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.rootstock.pki.plugins.module_utils._keys.description import KeyDescription
from ansible_collections.rootstock.pki.plugins.module_utils._keys.desired import NewKey
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.entries import (
    Adopted,
    Crl,
    Entry,
    Holder,
    Intent,
    Issued,
    Retired,
    Revoked,
    authority_of,
    new_id,
)
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.files import FileLedger
from ansible_collections.rootstock.pki.plugins.module_utils._operations.delete_key import (
    check_unneeded,
    plan_deletion,
    to_guard,
)
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import KeyStateError, LedgerError, SpecError
from tests.unit.operations.memory_keys import ACCOUNT, Keys, MemoryKeyStore

NOW = datetime(2030, 6, 1, tzinfo=timezone.utc)
DAY = timedelta(days=1)
SERIAL = "0A" * 10


def stored(use: str = "sign", **facts: Any) -> tuple[MemoryKeyStore, KeyDescription]:
    """Return an account with one old key in it."""
    store = MemoryKeyStore(Keys())
    made = store.create(NewKey("ECC_NIST_P256", "SIGN_VERIFY", "", {"rootstock:use": use}, None), "alias/x")
    for name, value in facts.items():
        setattr(store.account.keys[made.key_id], name, value)
    return store, made


def ledger(folder: Path, *entries: Entry, key: bytes = b"key-1") -> str:
    """Write a ledger of the key's authority and return its path."""
    path = folder / "ledger.jsonl"
    kept = FileLedger(path, lambda: NOW, authority_of(key))
    for entry in entries:
        kept.append(entry)
    return str(path)


def certificate(not_after: datetime, serial: str = SERIAL, name: str = "web") -> Adopted:
    return Adopted(new_id(), NOW, name, serial, "CN=web", "tls_server", "00" * 32, NOW - 400 * DAY, not_after)


def crl(next_update: datetime) -> Crl:
    asked = intent("crl", "")
    return Crl(
        new_id(),
        NOW,
        asked.id,
        "full",
        7,
        NOW - 9 * DAY,
        next_update,
        "00" * 32,
        "0-0",
        "request",
        "arn:aws:iam::1:root",
    )


def intent(purpose: str = "certificate", serial: str = SERIAL) -> Intent:
    return Intent(new_id(), NOW, purpose, "web", serial, "CN=web", "00" * 32, "alias/x", "tls_server", Holder("h", 1))


def refusal(store: MemoryKeyStore, key: KeyDescription, **options: Any) -> str:
    """Return why the key must stay, empty where it may go."""
    usual: dict[str, Any] = {"ledger_path": None, "unused_for": "30d", "force": False}
    try:
        check_unneeded(store, key, to_guard(**{**usual, **options}, now=NOW), NOW)
    except KeyStateError as refused:
        return str(refused)
    return ""


def test_a_key_that_nobody_used_may_go() -> None:
    assert refusal(*stored()) == ""


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({"last_used": "2030-05-20T00:00:00Z"}, "it was used at 2030-05-20T00:00:00Z"),
        ({"last_used": "2030-05-02T00:00:00Z"}, "unused_for asks for none since 2030-05-02T00:00:00Z"),
        ({"last_used": "2030-05-01T23:59:59Z"}, ""),
        ({"tracked_since": "2030-05-20T00:00:00Z"}, "AWS knows of its use only since 2030-05-20T00:00:00Z"),
        ({"tracked_since": "2030-01-20T00:00:00Z"}, ""),
    ],
)
def test_a_key_that_was_used_lately_or_perhaps_stays(facts: dict[str, str], told: str) -> None:
    found = refusal(*stored(**facts))
    assert told in found
    assert bool(found) == bool(told)


def test_a_key_made_since_then_and_never_used_may_go() -> None:
    store, key = stored(tracked_since="2030-05-20T10:00:00Z")
    assert refusal(store, replace(key, created="2030-05-20T09:59:00Z")) == ""


def test_where_the_last_use_cannot_be_known_the_key_stays() -> None:
    store, key = stored()
    store.denied = frozenset({"last_use"})
    assert "whether it is still used cannot be known (somebody may not last_use)" in refusal(store, key)


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ([certificate(NOW + DAY)], "its ledger shows web valid until 2030-06-02T00:00:00Z"),
        ([certificate(NOW - DAY)], ""),
        (
            [certificate(NOW + DAY), Revoked(new_id(), NOW, SERIAL, "key_compromise", NOW)],
            "its ledger shows web valid until",
        ),
        ([certificate(NOW + DAY), Retired(new_id(), NOW, SERIAL)], "its ledger shows web valid until"),
        ([certificate(NOW - DAY), Revoked(new_id(), NOW, SERIAL, "key_compromise", NOW)], ""),
        ([Revoked(new_id(), NOW, "0B", "key_compromise", NOW)], "CRLs must go on listing 0B"),
        ([Revoked(new_id(), NOW, "0B", "key_compromise", NOW, not_after=NOW - DAY)], ""),
        ([intent()], f"its ledger cannot tell whether {SERIAL} was issued"),
        ([intent("csr", "")], ""),
    ],
)
def test_a_key_under_which_something_lives_stays_whatever_its_last_use(
    tmp_path: Path, entries: Sequence[Entry], told: str
) -> None:
    found = refusal(*stored("ca"), ledger_path=ledger(tmp_path, *entries))
    assert told in found
    assert bool(found) == bool(told)


@pytest.mark.parametrize(("next_update", "stays"), [(NOW + DAY, True), (NOW - DAY, False)])
def test_a_key_whose_next_crl_is_expected_stays(tmp_path: Path, next_update: datetime, stays: bool) -> None:
    found = refusal(*stored("ca"), ledger_path=ledger(tmp_path, crl(next_update)))
    assert ("expect a CRL after number 7" in found) is stays


def test_everything_that_a_key_is_needed_for_is_told_at_once(tmp_path: Path) -> None:
    lives = [certificate(NOW + number * DAY, f"0{number}", f"host{number}") for number in range(1, 6)]
    path = ledger(tmp_path, *lives, crl(NOW + DAY))
    found = refusal(*stored("ca", last_used="2030-05-31T00:00:00Z"), ledger_path=path)
    words = ["host1, host2, host3 and 2 more valid until 2030-06-06", "CRL after number 7", "it was used", "set force"]
    assert [word for word in words if word not in found] == []


def test_with_force_nothing_is_asked_and_the_key_may_go(tmp_path: Path) -> None:
    store, key = stored("ca", last_used="2030-05-31T00:00:00Z")
    store.calls.clear()
    assert refusal(store, key, ledger_path=ledger(tmp_path, certificate(NOW + DAY)), force=True) == ""
    assert store.calls == []


def test_an_authoritys_key_does_not_go_without_its_ledger() -> None:
    assert "it is an authority's, so name its ledger_path" in refusal(*stored("ca"))


def test_the_ledger_of_another_authority_is_refused(tmp_path: Path) -> None:
    path = ledger(tmp_path, certificate(NOW - DAY), key=b"other")
    with pytest.raises(LedgerError, match="ledger of another authority"):
        refusal(*stored("ca"), ledger_path=path)


def disabled() -> tuple[MemoryKeyStore, KeyDescription]:
    """Return an account with a disabled key, whose public key is not to be had."""
    store, key = stored("ca")
    store.disable(key.key_id)

    def refuse(step: str) -> None:
        if step == "before public_key":
            raise KeyStateError(f"{key.arn} is disabled, and kms:GetPublicKey needs an enabled key")

    store.step = refuse
    return store, replace(key, state="Disabled")


def issued(not_after: datetime, key_arn: str) -> list[Entry]:
    asked = replace(intent(), key_arn="alias/x")
    made = Issued(
        new_id(), NOW, asked.id, SERIAL, "00" * 32, "request", "", NOW - 400 * DAY, not_after, key_arn=key_arn
    )
    return [asked, made]


def test_a_disabled_key_goes_by_the_ledger_in_which_its_certificates_are(tmp_path: Path) -> None:
    store, key = disabled()
    assert refusal(store, key, ledger_path=ledger(tmp_path, *issued(NOW - DAY, key.arn))) == ""


def test_a_disabled_key_stays_while_its_certificates_live(tmp_path: Path) -> None:
    store, key = disabled()
    told = refusal(store, key, ledger_path=ledger(tmp_path, *issued(NOW + DAY, key.arn)))
    assert "its ledger shows web valid until" in told


@pytest.mark.parametrize(
    "signer", ["", "alias/x", f"{ACCOUNT}key-2", "arn:aws:kms:eu-central-1:444455556666:key/key-1"]
)
def test_a_disabled_key_stays_where_nothing_says_that_the_ledger_is_its_own(tmp_path: Path, signer: str) -> None:
    store, key = disabled()
    told = refusal(store, key, ledger_path=ledger(tmp_path, *issued(NOW - DAY, signer)))
    assert "no certificate in its ledger names it; enable it" in told


def test_an_enabled_key_whose_public_key_is_not_to_be_had_is_an_error(tmp_path: Path) -> None:
    store, key = disabled()
    with pytest.raises(KeyStateError, match="GetPublicKey needs"):
        check_unneeded(
            store,
            replace(key, state="Enabled"),
            to_guard(ledger(tmp_path, certificate(NOW - DAY)), "30d", force=False, now=NOW),
            NOW,
        )


def test_a_ledger_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"none\.jsonl does not exist"):
        refusal(*stored("ca"), ledger_path=str(tmp_path / "none.jsonl"))


def test_a_key_that_is_gone_or_going_is_left_as_it_is() -> None:
    key = stored()[1]
    assert not plan_deletion(None, 30).changed
    assert not plan_deletion(replace(key, state="PendingDeletion"), 30).changed
    assert plan_deletion(key, 30).diff == {
        "before": {"key_state": "Enabled"},
        "after": {"key_state": "PendingDeletion", "pending_window": 30},
    }


def test_a_key_of_awss_own_is_not_planned_to_go() -> None:
    with pytest.raises(KeyStateError, match=r"key-1 belongs to AWS .* use a key of your own"):
        plan_deletion(replace(stored()[1], manager="AWS"), 30)
