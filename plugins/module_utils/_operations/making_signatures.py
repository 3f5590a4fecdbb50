# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many signatures are made: intents are recorded ahead in batches, KMS is asked for several at once, outcomes follow.

What takes time in a ledger is its lock and the disk, and a hundred lines take no longer than one. So the intents of a
whole batch are recorded together before the first of it is asked for, and outcomes together after signatures are kept.
A run that dies leaves open the intents of a few batches at most. The next run finishes those whose signature is there.
"""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from queue import SimpleQueue
from typing import TYPE_CHECKING, NamedTuple

from .._ledger.entries import Refused, new_id
from .._ledger.holders import this_holder
from .._pki.errors import PkiError
from .sign_file import ask_for_signature, intent_of, keep_signature

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from concurrent.futures import Future

    from .._ledger.entries import Entry, Intent
    from .._ledger.port import Ledger, LedgerState, NameClaimed
    from .sign_file import SignatureMade, SigningPorts, SigningWork

AT_ONCE = 8
"""Signatures that KMS is asked for at the same time."""

RECORDED_AT_ONCE = 128
"""Lines that are added to a ledger together."""


def make_signatures(works: Sequence[SigningWork], ports: SigningPorts) -> list[SignatureMade]:
    """Carry out *works*; each signature is kept as soon as it is there.

    Raises:
        PkiError: the first failure. What was asked for until then is kept and recorded, and nothing more is asked for.
    """
    ports = replace(ports, ledger=_OneAtATime(ports.ledger)) if ports.ledger else ports
    with ThreadPoolExecutor(min(AT_ONCE, max(1, len(works)))) as pool:
        run = _Run(ports, pool, deque(enumerate(works)))
        run.carry_out()
    if run.failure:
        raise _told(run.failure, len(run.made), len(works))
    return [run.made[place] for place in sorted(run.made)]


class _Asked(NamedTuple):
    """One work on its way: its place among all, and its intent where that was recorded for it."""

    place: int
    intent: Intent | None


@dataclass
class _Run:
    """Works on their way through the pool.

    Attributes:
        waiting: works whose intents are not recorded yet, with their places.
        asked: what the pool works on or will.
        ended: those of them that came to an end.
        lines: outcomes to be recorded.
    """

    ports: SigningPorts
    pool: ThreadPoolExecutor
    waiting: deque[tuple[int, SigningWork]]
    asked: dict[Future[SignatureMade], _Asked] = field(default_factory=dict)
    ended: SimpleQueue[Future[SignatureMade]] = field(default_factory=SimpleQueue)
    made: dict[int, SignatureMade] = field(default_factory=dict)
    lines: list[Entry] = field(default_factory=list)
    failure: PkiError | None = None

    def carry_out(self) -> None:
        try:
            while self._is_busy():
                self._settle(self.ended.get())
                if len(self.lines) >= RECORDED_AT_ONCE:
                    self._unless_it_fails(self._record)
        finally:
            self._cancel()
        self._unless_it_fails(self._record)

    def _is_busy(self) -> bool:
        """Keep enough works in the pool; return whether any is there."""
        while self.waiting and self.failure is None and len(self.asked) < RECORDED_AT_ONCE // 2:
            self._unless_it_fails(self._ask_for_more)
        return bool(self.asked)

    def _ask_for_more(self) -> None:
        """Record the intents of a batch and give it to the pool, without those whose names somebody else has."""
        batch = [self.waiting.popleft() for _unused in range(min(RECORDED_AT_ONCE, len(self.waiting)))]
        intents = self._intents(batch)
        lost: Mapping[str, NameClaimed] = (
            self.ports.ledger.claim_all(list(intents.values())) if self.ports.ledger else {}
        )
        for place, work in batch:
            intent = intents.get(place)
            if intent is None or intent.id not in lost:
                future = self.pool.submit(ask_for_signature, work, self.ports, intent)
                self.asked[future] = _Asked(place, intent)
                future.add_done_callback(self.ended.put)
        for loser in lost.values():
            raise loser

    def _intents(self, batch: Sequence[tuple[int, SigningWork]]) -> dict[int, Intent]:
        if self.ports.ledger is None:
            return {}
        holder, now = this_holder(), self.ports.clock()
        to_sign = [(place, work) for place, work in batch if work.prepared is not None and work.signature is None]
        return {place: intent_of(work, holder, now) for place, work in to_sign}

    def _settle(self, future: Future[SignatureMade]) -> None:
        asked = self.asked.pop(future)
        if not future.cancelled():
            self._unless_it_fails(lambda: self._keep(asked.place, future))
        elif asked.intent is not None:
            never = f"never asked for, because of another signature: {self.failure}"
            self.lines.append(Refused(new_id(), self.ports.clock(), asked.intent.id, never))

    def _keep(self, place: int, future: Future[SignatureMade]) -> None:
        made = future.result()
        self.lines += keep_signature(made, self.ports)
        self.made[place] = made

    def _record(self) -> None:
        lines, self.lines = self.lines, []
        if self.ports.ledger:
            self.ports.ledger.append_all(lines)

    def _unless_it_fails(self, action: Callable[[], None]) -> None:
        try:
            action()
        except PkiError as exc:
            self.failure = self.failure or exc
            self._cancel()

    def _cancel(self) -> None:
        for future in list(self.asked):
            future.cancel()


@dataclass(frozen=True)
class _OneAtATime:
    """A ledger for several threads: they wait here, which is quicker than for the lock of its file."""

    ledger: Ledger
    lock: threading.Lock = field(default_factory=threading.Lock)

    def exists(self) -> bool:
        return self.ledger.exists()

    def read(self) -> LedgerState:
        with self.lock:
            return self.ledger.read()

    def claim(self, intent: Intent, expected_current: str | None) -> None:
        with self.lock:
            self.ledger.claim(intent, expected_current)

    def claim_all(self, intents: Sequence[Intent]) -> Mapping[str, NameClaimed]:
        with self.lock:
            return self.ledger.claim_all(intents)

    def append(self, entry: Entry) -> None:
        with self.lock:
            self.ledger.append(entry)

    def append_all(self, entries: Sequence[Entry]) -> None:
        with self.lock:
            self.ledger.append_all(entries)


def _told(failure: PkiError, done: int, wanted: int) -> PkiError:
    """Return *failure*, with what was done in spite of it where more than one signature was wanted."""
    if wanted > 1:
        failure.args = (f"{failure} ({done} of {wanted} signatures were made; run again for the others)",)
    return failure
