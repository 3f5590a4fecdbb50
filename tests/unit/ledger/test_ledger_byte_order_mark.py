# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A byte order mark, as editors on Windows put it at the start of a file, changes nothing of what a ledger says."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from ansible_collections.rootstock.pki.plugins.module_utils._ledger.codec import decode, encode
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.entries import Entry
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.files import FileLedger
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.fold import FoldedState
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.indexed import IndexedState
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.reading import INDEX_FROM
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.repair import plan_repair, repair
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import LedgerError
from tests.unit.ledger.contract import Clock
from tests.unit.ledger.entry_makers import NOW, an_intent, issued_for, revoked, serial

MARK = codecs.BOM_UTF8
ROOT = an_intent("root", 1)
LINES: list[Entry] = [ROOT, issued_for(ROOT), revoked(2)]
SOUND = b"".join(map(encode, LINES))

READ_AS = {INDEX_FROM: FoldedState, 1: IndexedState}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.jsonl"
    path.write_bytes(MARK + SOUND)
    return path


@pytest.fixture(params=READ_AS)
def ledger(path: Path, request: pytest.FixtureRequest) -> FileLedger:
    ledger = FileLedger(path, Clock(), index_from=request.param)
    assert isinstance(ledger.read(), READ_AS[request.param])
    return ledger


def test_a_line_says_the_same_behind_one_mark_and_is_written_without() -> None:
    for line in LINES:
        assert decode(MARK + encode(line)) == line
        assert not encode(line).startswith(MARK)
        with pytest.raises(LedgerError, match="is not a JSON object"):
            decode(MARK + MARK + encode(line))


def test_the_first_line_counts(ledger: FileLedger) -> None:
    state = ledger.read()
    record = state.current("root", NOW)
    assert record is not None
    assert (record.serial, record.intent, state.intent_of(serial(1))) == (serial(1), ROOT, ROOT)
    assert [found.serial for found in state.revocations] == [serial(2)]


def test_lines_are_added_and_the_mark_stays(ledger: FileLedger, path: Path) -> None:
    ledger.claim(an_intent("web", 3), None)
    ledger.append(revoked(1))
    assert path.read_bytes().startswith(MARK + SOUND)
    state = ledger.read()
    assert [intent.name for intent in state.open_intents] == ["web"]
    assert {found.serial for found in state.revocations} == {serial(1), serial(2)}


def test_an_editor_may_add_the_mark_and_take_it_off(ledger: FileLedger, path: Path) -> None:
    for content in (SOUND, MARK + SOUND, MARK + SOUND.replace(b"\n", b"\r\n"), SOUND):
        path.write_bytes(content + encode(revoked(1)))
        record = ledger.read().by_serial(serial(1))
        assert record is not None
        assert record.status(NOW) == "revoked"


def test_a_merge_may_move_the_line_with_the_mark(ledger: FileLedger, path: Path) -> None:
    path.write_bytes(encode(revoked(4)) + SOUND + MARK + SOUND)
    assert ledger.read().intent_of(serial(1)) == ROOT


def test_an_only_line_without_its_newline_is_not_torn(ledger: FileLedger, path: Path) -> None:
    path.write_bytes(MARK + encode(ROOT)[:-1])
    assert ledger.read().open_intents == (ROOT,)
    ledger.append(revoked(2))
    assert ledger.read().open_intents == (ROOT,)
    assert not path.with_name("ledger.jsonl.torn").exists()


def test_a_ledger_of_nothing_but_the_mark_is_empty(ledger: FileLedger, path: Path) -> None:
    path.write_bytes(MARK)
    assert ledger.read().latest is None
    ledger.append(revoked(2))
    assert [found.serial for found in ledger.read().revocations] == [serial(2)]


def test_damaged_lines_keep_their_numbers(ledger: FileLedger, path: Path) -> None:
    path.write_bytes(MARK + SOUND + b"garbage\n")
    with pytest.raises(LedgerError, match="line 4 is not a JSON object; restore"):
        ledger.read()
    path.write_bytes(MARK + b"<<<<<<< HEAD\n" + SOUND)
    with pytest.raises(LedgerError, match="line 1 is a conflict marker of Git"):
        ledger.read()


@pytest.mark.parametrize(("more", "numbers"), [(b"", []), (b"garbage\n", [4])])
def test_a_repair_takes_the_mark_off_and_leaves_the_line(path: Path, more: bytes, numbers: list[int]) -> None:
    path.write_bytes(MARK + SOUND + more)
    planned = plan_repair(path)
    assert (planned.needed, planned.marked, [damage.number for damage in planned.damages]) == (True, True, numbers)
    done = repair(path, NOW)
    assert path.read_bytes() == SOUND
    assert done.kept is not None
    assert done.kept.read_bytes() == MARK + SOUND + more
    assert not plan_repair(path).needed
