# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ledger as one append-only file of JSON lines, fit for Git and for many processes at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from .._pki.errors import LedgerError
from .codec import encode, is_whole, time_text
from .entries import Attempt, Entry, Intent, Refused
from .lines import LockedFile, locked
from .port import LedgerState, NameClaimed
from .reading import INDEX_FROM, keep_in_step, read_state
from .state import OpenIntent

CLOCK_TOLERANCE = timedelta(minutes=5)


def issued_path(ledger_path: Path, serial: str) -> Path:
    """Return where the certificate of *serial* is kept: issued/<SERIAL>.pem beside the ledger."""
    return ledger_path.parent / "issued" / f"{serial}.pem"


@dataclass(frozen=True)
class FileLedger:
    """A Ledger in a file.

    Args:
        path: the file; it is made by the first line, its folder has to exist.
        clock: the present time, UTC-aware.
        authority: whose ledger it has to be, as authority_of() writes it; empty takes what the file says.
        lock_timeout: seconds to wait for another process.
        index_from: size in bytes from which an index is kept beside the file.
    """

    path: Path
    clock: Callable[[], datetime]
    authority: str = ""
    lock_timeout: float = 30.0
    index_from: int = INDEX_FROM

    def exists(self) -> bool:
        return self.path.exists()

    def read(self) -> LedgerState:
        try:
            state = read_state(self.path, self.index_from)
        except LedgerError as exc:
            raise LedgerError(f"{self.path}: {exc}") from None
        if self.authority and state.authority not in ("", self.authority):
            raise LedgerError(
                f"{self.path}: this is the ledger of another authority, {state.authority}, and not of "
                f"{self.authority}; give each authority its own ledger_path"
            )
        return state

    def claim(self, intent: Intent, expected_current: str | None) -> None:
        with locked(self.path, self.lock_timeout, is_whole) as file:
            state = self.read()
            now = self.clock()
            mine = replace(intent, time=now)
            if intent.purpose == "certificate":
                mine = replace(mine, replaces=expected_current or "")
            self._check_time(mine, state, now)
            _check_serial(self.path, mine, state)
            _check_claim(self.path, mine, expected_current, state, now)
            self._write(file, [mine], state)

    def claim_all(self, intents: Sequence[Intent]) -> Mapping[str, NameClaimed]:
        if any(intent.purpose == "certificate" for intent in intents):
            raise LedgerError(f"{self.path}: certificates are claimed one by one")
        if not intents:
            return {}
        with locked(self.path, self.lock_timeout, is_whole) as file:
            state = self.read()
            now = self.clock()
            mine = [replace(intent, time=now) for intent in intents]
            self._check_time(mine[0], state, now)
            lost = _lost(self.path, mine, state, now)
            self._write(file, [intent for intent in mine if intent.id not in lost], state)
        return lost

    def append(self, entry: Entry) -> None:
        self.append_all([entry])

    def append_all(self, entries: Sequence[Entry]) -> None:
        if not entries:
            return
        with locked(self.path, self.lock_timeout, is_whole) as file:
            state = self.read()
            now = self.clock()
            for entry in entries:
                self._check_time(entry, state, now)
            self._write(file, _with_serials(entries, state), state)

    def _write(self, file: LockedFile, entries: Sequence[Entry], state: LedgerState) -> None:
        """Add *entries* in one write: all of them, or none where it fails."""
        lines = b"".join(self._line(entry, self.authority or state.authority) for entry in entries)
        if not lines:
            return
        known = file.stamp()
        file.append(lines)
        keep_in_step(self.path, self.index_from, known)

    def _line(self, entry: Entry, authority: str) -> bytes:
        if entry.authority and authority and entry.authority != authority:
            raise LedgerError(
                f"{self.path}: a line of the authority {entry.authority} does not belong into the ledger of {authority}"
            )
        try:
            return encode(replace(entry, authority=entry.authority or authority))
        except LedgerError as exc:
            raise LedgerError(f"{self.path}: the new line {exc}") from None

    def _check_time(self, entry: Entry, state: LedgerState, now: datetime) -> None:
        if state.latest and now < state.latest - CLOCK_TOLERANCE:
            raise LedgerError(
                f"{self.path}: it is {time_text(now)} here, but the ledger has a line of {time_text(state.latest)}; "
                "set the clock of this machine, or of the one that wrote that line"
            )
        if entry.time > now + CLOCK_TOLERANCE:
            raise LedgerError(f"{self.path}: the new line is of {time_text(entry.time)}, but it is {time_text(now)}")


def _with_serials(entries: Sequence[Entry], state: LedgerState) -> list[Entry]:
    """Return *entries* with the serials of their intents, so that all lines about one certificate share it."""
    if not any(isinstance(entry, (Attempt, Refused)) for entry in entries):
        return list(entries)
    serials = {intent.id: intent.serial for intent in state.open_intents}
    return [
        replace(entry, serial=entry.serial or serials.get(entry.intent, ""))
        if isinstance(entry, (Attempt, Refused))
        else entry
        for entry in entries
    ]


def _lost(path: Path, intents: Sequence[Intent], state: LedgerState, now: datetime) -> dict[str, NameClaimed]:
    """Return by its id each of *intents* whose name is taken, by somebody else or by an earlier one of them."""
    open_names = {(intent.purpose, intent.name) for intent in state.open_intents}
    first: dict[tuple[str, str], Intent] = {}
    lost = {}
    for intent in filter(lambda one: one.name, intents):
        key = (intent.purpose, intent.name)
        claim = state.claim_on(intent.name, now, intent.purpose) if key in open_names else None
        if claim or key in first:
            lost[intent.id] = _claimed(path, claim or OpenIntent(first[key]))
        else:
            first[key] = intent
    return lost


def _check_serial(path: Path, intent: Intent, state: LedgerState) -> None:
    if intent.serial and (state.by_serial(intent.serial) or state.intent_of(intent.serial)):
        raise LedgerError(f"{path}: the serial {intent.serial} was used before; take a fresh random one")


def _check_claim(path: Path, intent: Intent, expected_current: str | None, state: LedgerState, now: datetime) -> None:
    if not intent.name:
        return
    other = state.claim_on(intent.name, now, intent.purpose)
    if other:
        raise _claimed(path, other)
    current = state.current(intent.name, now) if intent.purpose == "certificate" else None
    if intent.purpose == "certificate" and (current.serial if current else None) != expected_current:
        found = f"the certificate {current.serial}" if current else "no certificate"
        raise NameClaimed(
            f"{path}: {intent.name} has {found} now, and had {expected_current or 'none'} a moment ago; run again",
            certificate=current,
        )


def _claimed(path: Path, other: OpenIntent) -> NameClaimed:
    intent, holder = other.intent, other.intent.holder
    return NameClaimed(
        f"{path}: {intent.name} is being issued by process {holder.pid} on {holder.host} since "
        f"{time_text(intent.time)}; wait for it, or until {time_text(other.lapses_at())}, when that lapses",
        intent=intent,
    )
