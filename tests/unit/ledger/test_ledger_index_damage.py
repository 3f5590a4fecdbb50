# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An index that was damaged is made again, while those who ask it and others go on."""

from __future__ import annotations

import resource
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from ansible_collections.rootstock.pki.plugins.module_utils._ledger.codec import encode
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.entries import Entry
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.files import FileLedger
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.fold import FoldedState, fold
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.index_file import index_path
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.indexed import IndexedState, read_indexed
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.port import LedgerState
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.reading import read_content, read_entries
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import LedgerError
from tests.unit.ledger.contract import Clock
from tests.unit.ledger.entry_makers import NOW, a_crl, an_intent, issued_for, revoked, serial

PAGE = 4096
HOSTS = 120
SOME = range(0, HOSTS, 12)

QUESTIONS: dict[str, Callable[[LedgerState], object]] = {
    "certificates": lambda state: list(state.certificates),
    "revocations": lambda state: list(state.revocations),
    "open intents": lambda state: state.open_intents,
    "crls": lambda state: (state.crls, state.last_crl("full")),
    "names": lambda state: [state.by_name(f"host-{number}") for number in SOME],
    "serials": lambda state: [
        (state.by_serial(serial(number)), state.revocation_of(serial(number)), state.intent_of(serial(number)))
        for number in SOME
    ],
    "claims": lambda state: state.claim_on("open-7", NOW),
    "counts": lambda state: (state.counts(NOW), state.doubles(NOW)),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.jsonl"
    lines: list[Entry] = []
    for number in range(HOSTS):
        intent, crl = an_intent(f"host-{number}", number), an_intent("full", purpose="crl")
        lines += [
            intent,
            issued_for(intent),
            crl,
            a_crl(crl, number, "full"),
            an_intent(f"open-{number}", 1000 + number),
        ]
        lines += [revoked(number)] * (number % 3 == 0)
    path.write_bytes(b"".join(map(encode, lines)))
    return path


def _told(path: Path) -> FoldedState:
    return fold(read_entries(read_content(path)))


def _pages(path: Path) -> range:
    return range(index_path(path).stat().st_size // PAGE)


def _damage(path: Path, pages: range | list[int]) -> None:
    """Write zeros over pages of the index, as a bad disk or a copy that went wrong leaves them."""
    with index_path(path).open("r+b") as file:
        for page in pages:
            file.seek(page * PAGE)
            file.write(bytes(PAGE))


def _update(path: Path, change: str) -> None:
    with closing(sqlite3.connect(index_path(path))) as connection:
        connection.execute(change)
        connection.commit()


@pytest.mark.parametrize("question", QUESTIONS)
def test_whichever_page_is_damaged_the_answer_is_right_in_the_same_run(path: Path, question: str) -> None:
    read_indexed(path)
    ask, right = QUESTIONS[question], QUESTIONS[question](_told(path))
    assert len(_pages(path)) > 20
    for page in _pages(path):
        _damage(path, [page])
        state = FileLedger(path, Clock(), index_from=1).read()
        assert isinstance(state, IndexedState)
        assert (page, ask(state)) == (page, right)


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_state_that_was_read_before_the_damage_goes_on(path: Path, question: str) -> None:
    state = read_indexed(path)
    _damage(path, _pages(path)[5::2])
    assert QUESTIONS[question](state) == QUESTIONS[question](_told(path))


def test_of_an_answer_that_is_being_read_the_rest_comes_from_the_new_index(path: Path) -> None:
    state = read_indexed(path)
    found = iter(state.certificates)
    first = [next(found) for _number in range(3)]
    _damage(path, _pages(path)[5:])
    assert [*first, *found] == list(_told(path).certificates)


def test_a_line_is_recorded_in_spite_of_a_damaged_index(path: Path) -> None:
    ledger = FileLedger(path, Clock(), index_from=1)
    for number in range(1, 4):
        ledger.read()
        _damage(path, _pages(path)[5::2])
        ledger.claim(an_intent(f"new-{number}", 2000 + number), None)
        ledger.append(revoked(number))
    state = ledger.read()
    assert isinstance(state, IndexedState)
    assert list(state.revocations) == list(_told(path).revocations)


@pytest.mark.parametrize("places", ["x'01'", "zeroblob(12)", "(SELECT places FROM groups WHERE name = 'host-7')"])
def test_an_index_that_names_wrong_places_is_made_again(path: Path, places: str) -> None:
    state = read_indexed(path)
    _update(path, f"UPDATE groups SET places = {places} WHERE name = 'host-8'")  # noqa: S608
    assert state.by_name("host-8") == _told(path).by_name("host-8")


@pytest.mark.parametrize("places", ["x'01'", "zeroblob(12)"])
def test_an_index_that_names_wrong_places_is_made_again_when_lines_are_added(path: Path, places: str) -> None:
    state = read_indexed(path)
    _update(path, f"UPDATE groups SET places = {places} WHERE name = 'host-8'")  # noqa: S608
    with path.open("ab") as file:
        file.write(encode(revoked(8)))
    assert read_indexed(path).by_name("host-8") == _told(path).by_name("host-8")
    assert state.by_name("host-8") == _told(path).by_name("host-8")


def test_an_index_with_a_size_that_is_none_is_made_again(path: Path) -> None:
    read_indexed(path)
    _update(path, "UPDATE about SET value = 'many' WHERE name = 'size'")
    assert list(read_indexed(path).revocations) == list(_told(path).revocations)


def test_where_others_wrote_meanwhile_the_next_run_goes_on(path: Path) -> None:
    state = read_indexed(path)
    with path.open("ab") as file:
        file.write(encode(revoked(1)))
    _damage(path, _pages(path)[5::2])
    with pytest.raises(LedgerError, match=r"ledger\.jsonl: the ledger cannot be looked up: database .*; run again"):
        list(state.certificates)
    number = index_path(path).stat().st_ino
    assert list(read_indexed(path).certificates) == list(_told(path).certificates)
    assert index_path(path).stat().st_ino == number


def test_others_go_on_reading_the_index_that_is_thrown_away(path: Path) -> None:
    mine, theirs = read_indexed(path), read_indexed(path)
    found = iter(theirs.revocations)
    first = next(found)
    _damage(path, _pages(path)[-1:])
    for question in QUESTIONS.values():
        question(mine)
    assert [first, *found] == list(_told(path).revocations)
    assert theirs.counts(NOW) == _told(path).counts(NOW)


def test_an_index_that_was_deleted_while_a_state_is_asked_is_made_again(path: Path) -> None:
    state = read_indexed(path)
    index_path(path).unlink()
    assert state.counts(NOW) == _told(path).counts(NOW)


def test_a_damaged_index_that_cannot_be_made_again_is_gone(path: Path) -> None:
    ledger = FileLedger(path, Clock(), index_from=1)
    state = ledger.read()
    _damage(path, _pages(path)[5::2])
    limit, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3 * PAGE, most))
    try:
        with pytest.raises(LedgerError, match=r"the ledger cannot be looked up: .*; run again"):
            list(state.certificates)
        assert isinstance(ledger.read(), FoldedState)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, most))


def test_a_ledger_that_is_damaged_too_says_so(path: Path) -> None:
    state = read_indexed(path)
    with path.open("ab") as file:
        file.write(b"scribble\n")
    _damage(path, _pages(path)[5::2])
    with pytest.raises(LedgerError, match=r"ledger\.jsonl: line \d+ is not a JSON object; restore the file"):
        list(state.certificates)
