# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What several ledgers say together."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.rootstock.pki.plugins.module_utils._ledger.entries import Revoked, new_id
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.files import FileLedger
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.state import Wanted
from ansible_collections.rootstock.pki.plugins.module_utils._operations.describe_ledgers import (
    NamedLedger,
    describe_ledgers,
)
from ansible_collections.rootstock.pki.plugins.module_utils._operations.ledger_facts import standing_facts
from tests.unit.ledger.contract import Clock
from tests.unit.ledger.entry_makers import AUTHORITY, NOW, a_crl, an_adopted, an_intent, issued_for, serial

ALL = Wanted()


@pytest.fixture
def ledgers(tmp_path: Path) -> list[NamedLedger]:
    """Two authorities: one certificate and two of one name; an open intent; one revocation of nobody's."""
    made = []
    for authority in ("root", "services"):
        folder = tmp_path / authority
        folder.mkdir()
        path = folder / "ledger.jsonl"
        made.append(NamedLedger(path, FileLedger(path, Clock(), AUTHORITY if authority == "root" else "")))
    root, services = (named.ledger for named in made)
    intent = an_intent("services", 1)
    root.claim(intent, None)
    root.append(issued_for(intent))
    for number in (2, 3):
        services.append(an_adopted("web", number, NOW - timedelta(hours=number), days=10))
    services.append(an_intent("db", 4))
    services.append(Revoked(new_id(), NOW, serial(5), "key_compromise", NOW, NOW - timedelta(days=1)))
    return made


def told(ledgers: list[NamedLedger], wanted: Wanted = ALL, limit: int | None = None) -> dict[str, Any]:
    return describe_ledgers(ledgers, wanted, limit, NOW)


def test_certificates_are_told_with_where_and_how_they_stand(ledgers: list[NamedLedger]) -> None:
    first = told(ledgers)["certificates"][0]
    assert {key: first[key] for key in ("name", "status", "days_left", "certificate_profile", "adopted")} == {
        "name": "services",
        "status": "valid",
        "days_left": 90,
        "certificate_profile": "tls_server",
        "adopted": False,
    }
    assert first["serial_number"] == int(first["serial_number_hex"], 16)
    assert first["issued_path"] == str(ledgers[0].path.parent / "issued" / f"{serial(1)}.pem")
    assert first["revocation"] is None
    assert first["key_arn"].startswith("arn:aws:kms:")


def test_what_is_open_doubled_and_counted_is_told_of_all_ledgers(ledgers: list[NamedLedger]) -> None:
    everything = told(ledgers)
    assert [found["name"] for found in everything["certificates"]] == ["services", "web", "web"]
    assert [(found["name"], found["purpose"]) for found in everything["open_intents"]] == [("db", "certificate")]
    assert everything["duplicates"] == [
        {"ledger_path": str(ledgers[1].path), "name": "web", "serial_numbers_hex": [serial(2), serial(3)]}
    ]
    assert (everything["counts"]["valid"], everything["counts"]["open_intents"]) == (3, 1)
    assert [found["authority"] for found in everything["ledgers"]] == [AUTHORITY, None]
    assert [found["counts"]["valid"] for found in everything["ledgers"]] == [1, 2]


def test_a_number_that_two_crls_have_is_told_while_both_may_be_in_use(ledgers: list[NamedLedger]) -> None:
    path, ledger = ledgers[0].path, ledgers[0].ledger
    intent = an_intent("crl full", purpose="crl")
    ours = a_crl(intent, 7)
    theirs = replace(ours, id=new_id(), scope="delta", crl_sha256="ab" * 32)
    ledger.append_all([intent, ours, replace(ours, id=new_id(), request_id=""), a_crl(intent, 7, "partition-0")])
    assert told(ledgers)["duplicate_crl_numbers"] == []
    ledger.append(theirs)
    both = sorted([ours.crl_sha256, theirs.crl_sha256])
    assert told(ledgers)["duplicate_crl_numbers"] == [
        {"ledger_path": str(path), "part": "full", "crl_number": 7, "fingerprints": both}
    ]
    later = ours.next_update + timedelta(seconds=1)
    assert describe_ledgers(ledgers, ALL, None, later)["duplicate_crl_numbers"] == []


def test_a_limit_keeps_certificates_back_and_says_so(ledgers: list[NamedLedger]) -> None:
    for limit, names, truncated in ((0, [], True), (1, ["services"], True), (3, ["services", "web", "web"], False)):
        found = told(ledgers, limit=limit)
        assert [certificate["name"] for certificate in found["certificates"]] == names
        assert found["truncated"] is truncated
    assert told(ledgers, Wanted(names=frozenset({"nobody"})), 0)["truncated"] is False


def test_only_what_is_wanted_is_told(ledgers: list[NamedLedger]) -> None:
    soon = told(ledgers, Wanted(expires_before=NOW + timedelta(days=30)))
    assert [found["name"] for found in soon["certificates"]] == ["web", "web"]
    assert soon["counts"]["valid"] == 3


def test_no_ledgers_say_nothing() -> None:
    assert told([])["counts"]["valid"] == 0


def test_all_of_it_can_be_written_as_json(ledgers: list[NamedLedger]) -> None:
    assert json.loads(json.dumps(told(ledgers))) == told(ledgers)


def test_a_serial_stands_as_far_as_the_ledger_knows(ledgers: list[NamedLedger]) -> None:
    state = ledgers[1].ledger.read()
    standing = [standing_facts(state, serial(number), NOW) for number in (2, 4, 5, 6)]
    assert [(found["name"], found["status"]) for found in standing] == [
        ("web", "valid"),
        ("db", "open_intent"),
        (None, "revoked"),
        (None, None),
    ]
    assert standing[2]["revocation"] == {
        "reason": "key_compromise",
        "revoked_at": "20260301120000Z",
        "invalidity_date": "20260228120000Z",
    }
