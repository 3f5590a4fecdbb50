# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an index says about each serial: where its lines are, and what they add up to."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import NamedTuple

from .codec import time_text
from .entries import Entry, Intent, Released, Revoked
from .fold import fold, revocation_mark
from .state import Revocation

NO_MARK = revocation_mark(())

_PLACE = struct.Struct("<QL")


class Row(NamedTuple):
    """One group of lines: all that share a serial, or the id of an intent that has none.

    Attributes:
        status: the certificate's, expiry left aside; None where there is no certificate.
        recorded_at: time of the certificate's line.
        revocation_recorded_at: time of the revocation's line; None where it is revoked_at, as nearly always.
        open: whether its intent has no outcome.
        places: where its lines are, and those of the certificate that replaced it; see pack().
    """

    key: str
    name: str | None
    profile: str | None
    status: str | None
    not_after: str | None
    recorded_at: str | None
    reason: str | None
    revoked_at: str | None
    invalidity_date: str | None
    revocation_recorded_at: str | None
    holds: str
    open: bool
    places: bytes


def group_of(entry: Entry) -> str:
    """Return the key of an entry's group."""
    return str(getattr(entry, "serial", "") or getattr(entry, "intent", "") or entry.id)


def pack(at: int, length: int) -> bytes:
    """Return a place in the file; places are joined by concatenation."""
    return _PLACE.pack(at, length)


def unpack(places: bytes) -> list[tuple[int, int]]:
    """Return packed places, each once, in the order of the file."""
    return sorted(set(_PLACE.iter_unpack(places)))


def own_places(key: str, lines: Iterable[Entry], places: bytes) -> bytes:
    """Return those of the packed places whose lines, given in the same order, are of the group itself."""
    pairs = zip(unpack(places), lines, strict=True)
    return b"".join(pack(*place) for place, line in pairs if group_of(line) == key)


def row_of(key: str, lines: Iterable[Entry], places: bytes) -> Row:
    """Return what the lines of a group add up to."""
    state = fold(lines)
    record, revocation = state.by_serial(key), state.revocation_of(key)
    not_after = record.not_after if record else revocation.not_after if revocation else None
    return Row(
        key=key,
        name=record.name if record else None,
        profile=record.profile if record else None,
        status=record.status(record.not_after) if record else None,
        not_after=time_text(not_after) if not_after else None,
        recorded_at=time_text(record.recorded_at) if record else None,
        reason=revocation.reason if revocation else None,
        revoked_at=time_text(revocation.revoked_at) if revocation else None,
        invalidity_date=time_text(revocation.invalidity_date) if revocation and revocation.invalidity_date else None,
        revocation_recorded_at=_recorded_at(revocation) if revocation else None,
        holds=" ".join(revocation.holds) if revocation else "",
        open=any((intent.serial or intent.id) == key for intent in state.open_intents),
        places=b"".join(pack(*place) for place in unpack(places)),
    )


def _recorded_at(revocation: Revocation) -> str | None:
    recorded_at = revocation.recorded_at
    return None if recorded_at in (None, revocation.revoked_at) else time_text(recorded_at)


def mark_ids(key: str, lines: Iterable[Entry]) -> set[str]:
    """Return the ids of a group that count in the revocation mark."""
    return {line.id for line in lines if isinstance(line, (Revoked, Released)) and line.serial == key}


def replaced_by(key: str, lines: Iterable[Entry]) -> set[str]:
    """Return the serials that the certificate of this group was meant to replace."""
    return {line.replaces for line in lines if isinstance(line, Intent) and line.replaces and group_of(line) == key} - {
        key
    }
