# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A repair sets damaged lines aside, and nothing else."""

from __future__ import annotations

import fcntl
import os
import resource
from pathlib import Path

import pytest

from ansible_collections.rootstock.pki.plugins.module_utils._ledger.codec import encode
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.entries import Entry
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.files import FileLedger
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.repair import plan_repair, repair
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import LedgerError
from tests.unit.ledger.contract import Clock
from tests.unit.ledger.entry_makers import NOW, an_intent, issued_for, revoked, serial

KEPT = "ledger.jsonl.damaged-20260301T120000Z"
GOOD: list[Entry] = [revoked(1), revoked(2), revoked(3)]


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.jsonl"
    first, second, third = map(encode, GOOD)
    path.write_bytes(first + b"<<<<<<< HEAD\n" + second + b"=======\n" + third + b'{"v":1}\n' + b"{torn")
    path.chmod(0o640)
    return path


def test_a_plan_names_the_damaged_lines_and_changes_nothing(damaged: Path) -> None:
    before = damaged.read_bytes()
    plan = plan_repair(damaged)
    assert [damage.number for damage in plan.damages] == [2, 4, 6]
    assert plan.kept is None
    assert damaged.read_bytes() == before
    assert list(damaged.parent.iterdir()) == [damaged]


def test_a_repair_keeps_the_good_lines_and_the_old_file(damaged: Path) -> None:
    before = damaged.read_bytes()
    done = repair(damaged, NOW)
    assert [damage.number for damage in done.damages] == [2, 4, 6]
    assert done.kept == damaged.with_name(KEPT)
    assert done.kept.read_bytes() == before
    assert damaged.read_bytes() == b"".join(map(encode, GOOD))
    assert damaged.stat().st_mode & 0o777 == 0o640
    assert sorted(found.name for found in damaged.parent.iterdir()) == ["ledger.jsonl", KEPT]
    ledger = FileLedger(damaged, Clock())
    ledger.append(revoked(4))
    assert len(list(ledger.read().revocations)) == 4


def test_a_sound_ledger_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    path.write_bytes(encode(GOOD[0]))
    assert repair(path, NOW).damages == ()
    assert list(tmp_path.iterdir()) == [path]


def test_a_certificate_whose_outcome_was_damaged_is_an_open_intent_again(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    intent = an_intent()
    path.write_bytes(encode(intent) + encode(issued_for(intent)).replace(b'"issued"', b'"ixsued"'))
    repair(path, NOW)
    assert [found.serial for found in FileLedger(path, Clock()).read().open_intents] == [serial(1)]


def test_lines_of_a_newer_schema_are_not_touched(damaged: Path) -> None:
    with damaged.open("ab") as file:
        file.write(b"\n" + encode(revoked(4)).replace(b'"v":1', b'"v":2'))
    before = damaged.read_bytes()
    with pytest.raises(LedgerError, match="schema version 2"):
        repair(damaged, NOW)
    assert damaged.read_bytes() == before


def test_lines_that_contradict_each_other_are_for_people_to_settle(damaged: Path) -> None:
    with damaged.open("ab") as file:
        file.write(b"\n" + encode(GOOD[0]).replace(b"superseded", b"unspecified"))
    before = damaged.read_bytes()
    with pytest.raises(LedgerError, match="two lines with the id"):
        repair(damaged, NOW)
    assert damaged.read_bytes() == before


def test_a_repair_waits_for_the_lock(damaged: Path) -> None:
    with damaged.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(LedgerError, match=f"was locked by process {os.getpid()}"):
            repair(damaged, NOW, lock_timeout=0.1)


def test_an_earlier_kept_file_is_not_overwritten(damaged: Path) -> None:
    damaged.with_name(KEPT).write_text("precious")
    before = damaged.read_bytes()
    with pytest.raises(LedgerError, match="cannot be repaired: File exists; it is as before"):
        repair(damaged, NOW)
    assert damaged.with_name(KEPT).read_text() == "precious"
    assert damaged.read_bytes() == before


def test_a_full_disk_leaves_the_damaged_ledger_as_it_was(damaged: Path) -> None:
    before = damaged.read_bytes()
    limit, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, most))
    try:
        with pytest.raises(LedgerError, match="cannot be repaired: File too large; it is as before"):
            repair(damaged, NOW)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, most))
    assert damaged.read_bytes() == before
    assert list(damaged.parent.iterdir()) == [damaged]
