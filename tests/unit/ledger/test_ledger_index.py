# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An index answers as the lines do, and is never trusted over them."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.rootstock.pki.plugins.module_utils._ledger import index_file
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.codec import decode, encode
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.entries import Entry
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.files import FileLedger
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.fold import FoldedState, fold
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.index_file import index_folder, index_path
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.index_groups import Groups
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.indexed import IndexedState, read_indexed
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.port import LedgerState
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.state import STATUSES, Wanted
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import LedgerError
from tests.unit.ledger.contract import Clock
from tests.unit.ledger.entry_makers import NOW, an_adopted, an_intent, histories, issued_for, revoked, serial


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def _answers(state: LedgerState, now: datetime) -> dict[str, object]:
    serials = [serial(number) for number in range(8)]
    names = ["web", "db", "mail", ""]
    wanted = [
        Wanted(),
        Wanted(names=frozenset({"web", ""}), expires_before=now),
        Wanted(statuses=frozenset({"expired", "on_hold"})),
        *(Wanted(statuses=frozenset({status})) for status in STATUSES),
    ]
    return {
        "authority": state.authority,
        "latest": state.latest,
        "mark": state.revocation_mark,
        "counts": state.counts(now),
        "certificates": list(state.certificates),
        "revocations": list(state.revocations),
        "open": state.open_intents,
        "crls": state.crls,
        "last crls": [state.last_crl(scope) for scope in ("full", "delta", "none")],
        "doubles": state.doubles(now),
        "found": [list(state.find(which, now)) for which in wanted],
        "by serial": [(state.by_serial(one), state.revocation_of(one), state.intent_of(one)) for one in serials],
        "by name": [
            (state.current(name, now), state.by_name(name), state.two_live(name, now), state.claim_on(name, now))
            for name in names
        ],
    }


FEWER = settings(max_examples=max(25, (settings.default or settings()).max_examples // 4))  # each makes files


@FEWER
@given(histories(), st.data())
def test_an_index_answers_as_the_lines_do_however_the_ledger_grew(lines: list[Entry], data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(lines)), max_size=3)))
    now = NOW + timedelta(days=data.draw(st.integers(0, 30)))
    with _folder() as folder:
        path = folder / "ledger.jsonl"
        path.touch()
        for start, end in zip([0, *cuts], [*cuts, len(lines)], strict=True):
            with path.open("ab") as file:
                file.writelines(map(encode, lines[start:end]))
            state = read_indexed(path)
        assert _answers(state, now) == _answers(fold(lines), now)


@FEWER
@given(histories(), st.data())
def test_an_index_answers_as_the_lines_do_with_lines_twice_and_in_any_order(
    lines: list[Entry], data: st.DataObject
) -> None:
    again = data.draw(st.lists(st.sampled_from(lines), max_size=5)) if lines else []
    order = data.draw(st.permutations([*lines, *again]))
    at = data.draw(st.integers(0, len(order)))
    with _folder() as folder:
        path = folder / "ledger.jsonl"
        path.write_bytes(b"".join(map(encode, order[:at])))
        read_indexed(path)
        with path.open("ab") as file:
            file.writelines(map(encode, order[at:]))
        assert _answers(read_indexed(path), NOW) == _answers(fold(lines), NOW)


def test_an_index_tells_when_a_revocation_was_recorded_beside_since_when_it_counts(path: Path) -> None:
    late, first, second = revoked(1), revoked(2), revoked(2, "key_compromise")
    late, second = (replace(line, revoked_at=NOW - timedelta(days=3)) for line in (late, second))
    with path.open("ab") as file:
        file.writelines(map(encode, (late, first)))
    for state in (read_indexed(path), fold(map(decode, path.read_bytes().splitlines()))):
        assert {(found.revoked_at, found.recorded_at) for found in state.revocations} == {
            (NOW - timedelta(days=3), NOW),
            (NOW, NOW),
        }
    with path.open("ab") as file:
        file.write(encode(second))
    assert {(found.revoked_at, found.recorded_at) for found in read_indexed(path).revocations} == {
        (NOW - timedelta(days=3), NOW)
    }


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.jsonl"
    lines: list[Entry] = []
    for number in range(40):
        intent = an_intent(f"host-{number}", number)
        lines += [intent, issued_for(intent)]
    path.write_bytes(b"".join(map(encode, lines)))
    return path


def _generation(path: Path) -> str:
    return read_indexed(path).about.generation


def _statuses(path: Path) -> set[str]:
    return {record.status(NOW) for record in read_indexed(path).certificates}


def test_an_index_is_kept_in_step_line_by_line(path: Path) -> None:
    generation = _generation(path)
    ledger = FileLedger(path, Clock(), index_from=1)
    ledger.append(revoked(3))
    state = ledger.read()
    assert isinstance(state, IndexedState)
    assert state.about.generation == generation
    assert state.counts(NOW)["revoked"] == 1


def test_lines_that_others_appended_are_taken_in(path: Path) -> None:
    generation = _generation(path)
    with path.open("ab") as file:
        file.write(encode(revoked(5)))
    state = read_indexed(path)
    assert (state.about.generation, state.counts(NOW)["revoked"]) == (generation, 1)


def test_an_edit_in_the_middle_makes_the_index_anew(path: Path) -> None:
    generation = _generation(path)
    content = path.read_bytes()
    path.write_bytes(content.replace(b'"name":"host-7"', b'"name":"host_7"'))
    state = read_indexed(path)
    assert state.about.generation != generation
    assert state.by_name("host-7") == ()
    assert [record.serial for record in state.by_name("host_7")] == [serial(7)]


def test_a_merge_that_puts_lines_in_the_middle_makes_the_index_anew(path: Path) -> None:
    generation = _generation(path)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:10], encode(revoked(1)), *lines[10:]]))
    state = read_indexed(path)
    assert state.about.generation != generation
    assert state.counts(NOW)["revoked"] == 1


def test_a_file_that_shrank_makes_the_index_anew(path: Path) -> None:
    read_indexed(path)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:20]))
    assert read_indexed(path).counts(NOW)["valid"] == 10


def test_a_state_says_so_when_the_file_was_replaced_meanwhile(path: Path) -> None:
    state = read_indexed(path)
    other = path.with_name("other")
    other.write_bytes(encode(revoked(1)))
    other.replace(path)
    with pytest.raises(LedgerError, match="was replaced while it was read; run again"):
        state.by_serial(serial(1))
    read_indexed(path)
    with pytest.raises(LedgerError, match="was replaced while it was read; run again"):
        state.counts(NOW)


def test_a_line_changed_in_place_is_noticed_when_it_is_looked_up(path: Path) -> None:
    state = read_indexed(path)
    content = path.read_bytes()
    with path.open("r+b") as file:
        file.write(b"#" * len(content))
    with pytest.raises(LedgerError, match="was changed since, run again"):
        state.by_serial(serial(1))


@pytest.mark.parametrize("damage", [b"", b"SQLite format 3\0 and then nothing", b"\0" * 5000])
def test_a_damaged_index_is_made_anew(path: Path, damage: bytes) -> None:
    read_indexed(path)
    index_path(path).write_bytes(damage)
    assert read_indexed(path).counts(NOW)["valid"] == 40


@pytest.mark.parametrize("layout", ["another", "2"])
def test_an_index_of_another_layout_is_made_anew(path: Path, layout: str) -> None:
    generation = _generation(path)
    with closing(sqlite3.connect(index_path(path))) as connection:
        connection.execute("UPDATE about SET value = ? WHERE name = 'layout'", (layout,))
        connection.commit()
    state = read_indexed(path)
    assert state.about.generation != generation
    assert state.counts(NOW)["valid"] == 40


def test_an_index_that_a_crash_left_half_made_is_made_anew(path: Path) -> None:
    read_indexed(path)
    index_path(path).rename(index_path(path).with_name("index.sqlite.new"))
    index_path(path).with_name("index.sqlite-journal").write_bytes(b"a journal of what was there before")
    assert read_indexed(path).counts(NOW)["valid"] == 40
    assert sorted(found.name for found in index_folder(path).iterdir()) == [".gitignore", "index.sqlite", "lock"]


def test_a_ledger_without_room_for_an_index_is_read_without(path: Path) -> None:
    index_folder(path).write_text("a file where the folder would be")
    ledger = FileLedger(path, Clock(), index_from=1)
    ledger.append(revoked(1))
    state = ledger.read()
    assert isinstance(state, FoldedState)
    assert state.counts(NOW)["revoked"] == 1


def test_damaged_lines_are_named_by_number(path: Path) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:4], b"<<<<<<< HEAD\n", *lines[4:], b'{"v":1}\n']))
    with pytest.raises(
        LedgerError, match=r"line 5 is a conflict marker of Git; .*; line 82 is of the unknown kind None"
    ):
        read_indexed(path)


def test_damaged_lines_that_were_added_are_named_by_number(path: Path) -> None:
    read_indexed(path)
    with path.open("ab") as file:
        file.write(b"\n" + encode(revoked(1)) + b"nothing\n")
    with pytest.raises(LedgerError, match="line 83 is not a JSON object"):
        read_indexed(path)


def test_a_last_line_without_its_newline_is_taken_in_once(path: Path) -> None:
    with path.open("ab") as file:
        file.write(encode(revoked(1))[:-1])
    assert _statuses(path) == {"valid", "revoked"}
    ledger = FileLedger(path, Clock(), index_from=1)
    ledger.append(revoked(2))
    assert ledger.read().counts(NOW)["revoked"] == 2
    with path.open("ab") as file:
        file.write(b"torn\n")
    with pytest.raises(LedgerError, match="line 83 is not a JSON object"):
        read_indexed(path)


def test_a_torn_last_line_is_not_indexed_and_its_end_is(path: Path) -> None:
    line = encode(revoked(1))
    with path.open("ab") as file:
        file.write(line[:30])
    assert _statuses(path) == {"valid"}
    with path.open("ab") as file:
        file.write(line[30:])
    assert _statuses(path) == {"valid", "revoked"}


def test_two_authorities_in_one_ledger_are_refused(path: Path) -> None:
    ours, theirs = (replace(an_adopted(number=number), authority=str(number)) for number in (90, 91))
    with path.open("ab") as file:
        file.write(encode(ours) + encode(theirs))
    with pytest.raises(LedgerError, match="two authorities"):
        read_indexed(path)


def test_many_blocks_are_read_as_one_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = _answers(read_indexed(path), NOW)
    shutil.rmtree(index_folder(path))
    monkeypatch.setattr(index_file, "_CHUNK", 700)
    assert _answers(read_indexed(path), NOW) == whole
    with path.open("ab") as file:
        file.write(encode(revoked(1)))
    assert read_indexed(path).counts(NOW)["revoked"] == 1


def test_git_does_not_see_the_index(path: Path) -> None:
    read_indexed(path)
    subprocess.run(
        ["git", "init", "--quiet", str(path.parent)], check=True, env={**os.environ, "HOME": str(path.parent)}
    )
    seen = subprocess.run(
        ["git", "-C", str(path.parent), "status", "--porcelain", "--untracked-files=all"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert seen.stdout.split() == ["??", "ledger.jsonl"]


def test_a_line_counts_as_recorded_when_the_index_cannot_follow(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = FileLedger(path, Clock(), index_from=1)
    ledger.read()
    fsync = os.fsync

    def damage_after(descriptor: int) -> None:
        fsync(descriptor)
        os.write(descriptor, b"scribble\n")

    monkeypatch.setattr(os, "fsync", damage_after)
    ledger.append(revoked(1))
    monkeypatch.undo()
    assert encode(revoked(1))[-40:-1] in path.read_bytes()
    with pytest.raises(LedgerError, match="line 82 is not a JSON object"):
        ledger.read()


def test_what_was_read_of_a_ledger_is_freed_as_soon_as_its_index_is_made() -> None:
    groups = Groups()
    for line in (encode(an_intent()), encode(issued_for(an_intent()))):
        groups.add(line.decode("latin-1").rstrip("\n"), 0)
    still_there = weakref.ref(groups)
    del groups
    assert still_there() is None
