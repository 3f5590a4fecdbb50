# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many processes on one ledger, and processes that die at the worst moment."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.rootstock.pki.plugins.module_utils._ledger import index_file, lines
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.entries import Intent
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.files import FileLedger
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.holders import this_holder
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.port import NameClaimed
from tests.unit.ledger.entry_makers import an_intent, revoked, serial

FORK = multiprocessing.get_context("fork")
PROCESSES = 8


def _now() -> datetime:
    return datetime.now(timezone.utc).replace(microsecond=0)


def _ledger(path: Path, index_from: int = 10**9) -> FileLedger:
    return FileLedger(path, _now, lock_timeout=60, index_from=index_from)


def _intent(name: str, number: int) -> Intent:
    return an_intent(name, number, _now(), this_holder())


def _together(work: Callable[..., None], *arguments: object) -> list[Any]:
    """Run *work* in several processes at once; return what each put into its queue."""
    queue, start = FORK.Queue(), FORK.Barrier(PROCESSES)
    processes = [FORK.Process(target=work, args=(which, start, queue, *arguments)) for which in range(PROCESSES)]
    for process in processes:
        process.start()
    answers = [queue.get(timeout=120) for _process in processes]
    for process in processes:
        process.join()
    return answers


def _claim(which: int, start: Any, queue: Any, path: Path, index_from: int) -> None:
    intent = _intent("web", which)
    start.wait()
    try:
        _ledger(path, index_from).claim(intent, None)
        queue.put(("won", intent.id))
    except NameClaimed as exc:
        queue.put(("lost", exc.intent.id if exc.intent else ""))
    start.wait()  # a process that ended would free the name


@pytest.mark.parametrize("index_from", [10**9, 1])
def test_of_many_processes_that_claim_a_name_one_wins(tmp_path: Path, index_from: int) -> None:
    answers = _together(_claim, tmp_path / "ledger.jsonl", index_from)
    assert sorted(answer for answer, _intent_id in answers) == ["lost"] * (PROCESSES - 1) + ["won"]
    assert len({intent for _answer, intent in answers}) == 1


def _claim_by_either_name(which: int, start: Any, queue: Any, link: Path, real: Path, index_from: int) -> None:
    _claim(which, start, queue, link if which % 2 else real, index_from)


@pytest.mark.parametrize("index_from", [10**9, 1])
def test_of_those_who_come_by_a_link_and_those_who_come_by_the_path_one_wins(tmp_path: Path, index_from: int) -> None:
    real, link = tmp_path / "store" / "ledger.jsonl", tmp_path / "ledger.jsonl"
    real.parent.mkdir()
    link.symlink_to(real)
    answers = _together(_claim_by_either_name, link, real, index_from)
    assert sorted(answer for answer, _intent_id in answers) == ["lost"] * (PROCESSES - 1) + ["won"]
    assert len({intent for _answer, intent in answers}) == 1


def _claim_many(which: int, start: Any, queue: Any, path: Path, index_from: int, names: int) -> None:
    intents = [
        an_intent(f"file {(number + which * 5) % names}", 0, _now(), this_holder(), "file") for number in range(40)
    ]
    start.wait()
    lost = _ledger(path, index_from).claim_all(intents)
    queue.put([intent.name for intent in intents if intent.id not in lost])
    start.wait()


@pytest.mark.parametrize("index_from", [10**9, 1])
def test_of_many_processes_that_claim_many_names_each_name_goes_to_one(tmp_path: Path, index_from: int) -> None:
    names = 60
    answers = _together(_claim_many, tmp_path / "ledger.jsonl", index_from, names)
    assert sorted(name for won in answers for name in won) == sorted(f"file {number}" for number in range(names))


def _ask_a_damaged_index(which: int, start: Any, queue: Any, path: Path) -> None:
    made: list[Path] = []
    build = index_file._built

    def watch(path: Path, descriptor: int, generation: str = "") -> index_file.About:
        made.append(path)
        return build(path, descriptor, generation)

    index_file._built = watch
    state = _ledger(path, 1).read()
    start.wait()
    if which == 0:
        index = index_file.index_path(path)
        size = index.stat().st_size
        with index.open("r+b") as file:
            file.seek(size // 2)
            file.write(bytes(size - size // 2))
    start.wait()
    queue.put(([revocation.serial for revocation in state.revocations], len(made)))


def test_of_many_processes_that_find_the_index_damaged_one_makes_it_again_for_all(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    _ledger(path, 1).append_all([revoked(number, time=_now()) for number in range(400)])
    answers = _together(_ask_a_damaged_index, path)
    assert [found for found, _made in answers] == [sorted(serial(number) for number in range(400))] * PROCESSES
    assert sum(made for _found, made in answers) == 1


def _die_when(condition: Callable[[], None], path: Path) -> None:
    """Claim web in a process of its own in which *condition* has prepared a death."""

    def work() -> None:
        condition()
        _ledger(path).claim(_intent("web", 1), None)

    process = FORK.Process(target=work)
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL


def _die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _at_fsync() -> None:
    os.fsync = _die


def _in_the_middle_of_the_line() -> None:
    def write_half(descriptor: int, data: bytes) -> None:
        os.write(descriptor, data[: len(data) // 2])
        _die()

    lines.write_all = write_half


def test_after_a_death_between_write_and_sync_the_name_is_free_at_once(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    path.touch()
    _die_when(_at_fsync, path)
    ledger = _ledger(path)
    assert [intent.serial for intent in ledger.read().open_intents] == [serial(1)]
    ledger.claim(_intent("web", 2), None)


def test_after_a_death_in_the_middle_of_a_line_the_ledger_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    _die_when(_in_the_middle_of_the_line, path)
    ledger = _ledger(path)
    assert ledger.read().open_intents == ()
    ledger.claim(_intent("web", 2), None)
    assert [intent.serial for intent in ledger.read().open_intents] == [serial(2)]


def _append_for_ever(path: Path, index_from: int, told: Any) -> None:
    ledger = _ledger(path, index_from)
    number = os.getpid() * 1000
    while True:
        number += 1
        ledger.append(revoked(number, time=_now()))
        told.send(serial(number))


@pytest.mark.parametrize("index_from", [10**9, 1])
def test_what_a_killed_process_had_recorded_stays_recorded(tmp_path: Path, index_from: int) -> None:
    path = tmp_path / "ledger.jsonl"
    recorded: set[str] = set()
    for round_number in range(6):
        ours, theirs = FORK.Pipe(duplex=False)
        process = FORK.Process(target=_append_for_ever, args=(path, index_from, theirs))
        process.start()
        theirs.close()
        recorded.add(ours.recv())
        time.sleep(0.013 * round_number)
        process.kill()
        process.join()
        with suppress(EOFError):
            while ours.poll():
                recorded.add(ours.recv())
        found = {revocation.serial for revocation in _ledger(path, index_from).read().revocations}
        assert recorded <= found
        assert len(found) <= len(recorded) + round_number + 1


def test_readers_see_whole_lines_while_others_write(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    ours, theirs = FORK.Pipe(duplex=False)
    process = FORK.Process(target=_append_for_ever, args=(path, 1, theirs))
    process.start()
    try:
        ours.recv()
        seen = 0
        for _reading in range(30):
            now_seen = len(list(_ledger(path, 1).read().revocations))
            assert now_seen >= seen
            seen = now_seen
    finally:
        process.kill()
        process.join()
