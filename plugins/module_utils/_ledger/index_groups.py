# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A whole ledger file, read once, as the rows of an index: a million certificates in half a gigabyte."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator

from .entries import CERTIFICATE_HOLD, Entry, Revoked
from .fold import one_authority, revocation_mark
from .index_rows import NO_MARK, Row, mark_ids, pack, row_of
from .scan import FACTS, read_facts

ReadLines = Callable[[bytes], list[Entry]]


class _Group:
    """The lines of one serial, or of one intent without a serial; what the usual case needs is kept at hand.

    Attributes:
        name: of its only intent; None before it came.
        times: end of the certificate's life and time of its only issued line, one behind the other.
        reason: of its only revocation.
        dates: revoked_at and invalidity_date of that, one behind the other.
        recorded: time of that revocation's line where it is another than revoked_at.
        closed: an outcome that is no certificate was seen.
        unusual: to be folded from its lines, for anything but an intent, an outcome and one revocation for good.
    """

    __slots__ = (
        "closed",
        "dates",
        "name",
        "places",
        "profile",
        "reason",
        "recorded",
        "replaces",
        "superseded",
        "times",
        "unusual",
    )

    def __init__(self) -> None:
        self.places = b""
        self.name: str | None = None
        self.profile = self.replaces = self.times = self.reason = self.dates = self.recorded = ""
        self.closed = self.superseded = self.unusual = False

    def is_usual(self) -> bool:
        if self.unusual or self.name is None:
            return False
        return bool(self.times) or (self.closed and not self.reason)

    def row(self, key: str) -> Row:
        """Return the row of a usual group."""
        certificate = bool(self.times)
        status = "revoked" if self.reason else "superseded" if self.superseded else "valid"
        return Row(
            key,
            self.name if certificate else None,
            self.profile if certificate else None,
            status if certificate else None,
            self.times[:_TIME] or None,
            self.times[_TIME:] or None,
            self.reason or None,
            self.dates[:_TIME] or None,
            self.dates[_TIME:] or None,
            self.recorded or None,
            "",
            False,
            self.places,
        )


_TIME = len("2030-12-31T23:59:59Z")


class Groups:
    """Collects lines in any order; then rows() gives the index."""

    def __init__(self) -> None:
        self.authority = ""
        self.latest = ""
        self.mark = NO_MARK
        self.crls: list[bytes] = []
        self._revoked = self._revoked_ids = 0  # number and exclusive or, the parts of a mark
        self._groups: dict[str, _Group] = {}

    def add(self, line: str, at: int) -> None:
        """Take in one line.

        Args:
            line: its bytes as Latin-1, without the newline.
            at: its place in the file.
        Raises:
            LedgerError: what is wrong with it, without the line's number.
        """
        kind, facts = read_facts(line)
        if facts[0] != self.authority and facts[0]:
            self.authority = one_authority((self.authority, facts[0]))
        if facts[-1] > self.latest:
            self.latest = facts[-1]
        place = pack(at, len(line))
        if kind == "intent":
            self._add_intent(facts, place)
        elif kind == "issued":
            self._add_issued(facts, place)
        elif kind == "revoked":
            self._add_revoked(facts, place)
        else:
            self._add_other(kind, facts, place)

    def _group(self, key: str, place: bytes) -> _Group:
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = _Group()
        group.places += place
        return group

    def _add_intent(self, facts: tuple[str, ...], place: bytes) -> None:
        _authority, line_id, name, profile, replaces, serial, _time = facts
        group = self._group(serial or line_id, place)
        group.unusual |= group.name is not None
        group.name, group.profile, group.replaces = name, sys.intern(profile), replaces

    def _add_issued(self, facts: tuple[str, ...], place: bytes) -> None:
        _authority, _line_id, _intent, not_after, serial, time = facts
        group = self._group(serial, place)
        group.unusual |= bool(group.times)
        group.times = not_after + time

    def _add_revoked(self, facts: tuple[str, ...], place: bytes) -> None:
        _authority, line_id, invalidity_date, _not_after, reason, revoked_at, serial, time = facts
        group = self._group(serial, place)
        group.unusual |= bool(group.reason) or reason == CERTIFICATE_HOLD
        group.reason, group.dates = sys.intern(reason), revoked_at + invalidity_date
        group.recorded = "" if time == revoked_at else time
        self._revoked += 1
        self._revoked_ids ^= int(line_id, 16)

    def _add_other(self, kind: str, facts: tuple[str, ...], place: bytes) -> None:
        known = dict(zip(FACTS[kind], facts, strict=True))
        group = self._group(known.get("serial") or known.get("intent") or known["id"], place)
        group.closed |= kind in {"signed", "refused", "crl"}
        group.unusual |= kind in {"adopted", "released", "superseded", "retired"}
        if kind == "crl":
            self.crls.append(place)

    def rows(self, read_lines: ReadLines) -> Iterator[Row]:
        """Yield the rows by key, and complete the mark.

        Args:
            read_lines: gives the entries of packed places.
        """
        self._join_replaced()
        ids: list[str] = []
        for key in sorted(self._groups):
            group = self._groups[key]
            if group.is_usual():
                yield group.row(key)
            else:
                lines = read_lines(group.places)
                self._uncount(line for line in lines if isinstance(line, Revoked) and line.serial == key)
                ids += mark_ids(key, lines)
                yield row_of(key, lines, group.places)
        self.mark = revocation_mark(ids, f"{self._revoked:x}-{self._revoked_ids:x}")

    def _uncount(self, lines: Iterable[Revoked]) -> None:
        for line in lines:
            self._revoked -= 1
            self._revoked_ids ^= int(line.id, 16)

    def _join_replaced(self) -> None:
        """Give every replaced certificate the lines of its successor too."""
        successors = [(group.replaces, key) for key, group in self._groups.items() if group.replaces not in ("", key)]
        own = {key: self._groups[key].places for _replaced, key in successors}
        for replaced, key in successors:
            self._group(replaced, own[key]).superseded |= bool(self._groups[key].times)
