# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A whole ledger file, read once, as the rows of an index: a million certificates in a few hundred megabytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from .entries import CERTIFICATE_HOLD, Entry
from .fold import one_authority, revocation_mark
from .index_rows import NO_MARK, Row, mark_ids, pack, row_of
from .scan import FACTS, read_facts

_Adder = Callable[[str, tuple[str, ...], bytes], None]
ReadLines = Callable[[bytes], list[Entry]]


class _Group:
    """The lines of one serial, or of one intent without a serial.

    Attributes:
        certificate: (not_after, recorded_at) of its only issued line.
        intent: (name, profile) of its only intent.
        revocation: (id, reason, revoked_at, invalidity_date) of its only revocation.
        closed: an outcome that is no certificate was seen.
        unusual: to be folded from its lines, for anything but an intent, an outcome and one revocation for good.
    """

    __slots__ = ("certificate", "closed", "intent", "places", "replaces", "revocation", "superseded", "unusual")

    def __init__(self) -> None:
        self.places = b""
        self.intent: tuple[str, str] | None = None
        self.certificate: tuple[str, str] | None = None
        self.revocation: tuple[str, str, str, str] | None = None
        self.replaces = ""
        self.closed = self.superseded = self.unusual = False

    def is_usual(self) -> bool:
        if self.unusual or self.intent is None:
            return False
        return bool(self.certificate) or (self.closed and not self.revocation)

    def row(self, key: str) -> Row:
        """Return the row of a usual group."""
        name, profile = self.intent if self.intent and self.certificate else (None, None)
        not_after, recorded_at = self.certificate or (None, None)
        _id, reason, revoked_at, invalidity_date = self.revocation or ("", None, None, None)
        status = "revoked" if reason else "superseded" if self.superseded else "valid"
        return Row(
            key=key,
            name=name,
            profile=profile,
            status=status if self.certificate else None,
            not_after=not_after,
            recorded_at=recorded_at,
            reason=reason,
            revoked_at=revoked_at,
            invalidity_date=invalidity_date or None,
            holds="",
            open=False,
            places=self.places,
        )


class Groups:
    """Collects lines in any order; then rows() gives the index."""

    def __init__(self) -> None:
        self.authority = ""
        self.latest = ""
        self.mark = NO_MARK
        self.crls: list[bytes] = []
        self._groups: dict[str, _Group] = {}
        self._adders: Mapping[str, _Adder] = {
            "intent": self._add_intent,
            "issued": self._add_issued,
            "revoked": self._add_revoked,
        }

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
        self.latest = max(self.latest, facts[-1])
        place = pack(at, len(line))
        self._adders.get(kind, self._add_other)(kind, facts, place)

    def _group(self, key: str, place: bytes) -> _Group:
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = _Group()
        group.places += place
        return group

    def _add_intent(self, _kind: str, facts: tuple[str, ...], place: bytes) -> None:
        _authority, line_id, name, profile, replaces, serial, _time = facts
        group = self._group(serial or line_id, place)
        group.unusual |= group.intent is not None
        group.intent = (name, profile)
        group.replaces = replaces

    def _add_issued(self, _kind: str, facts: tuple[str, ...], place: bytes) -> None:
        _authority, _line_id, _intent, not_after, serial, time = facts
        group = self._group(serial, place)
        group.unusual |= group.certificate is not None
        group.certificate = (not_after, time)

    def _add_revoked(self, _kind: str, facts: tuple[str, ...], place: bytes) -> None:
        _authority, line_id, invalidity_date, _not_after, reason, revoked_at, serial, _time = facts
        group = self._group(serial, place)
        group.unusual |= group.revocation is not None or reason == CERTIFICATE_HOLD
        group.revocation = (line_id, reason, revoked_at, invalidity_date)

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
                ids += [group.revocation[0]] if group.revocation else []
                yield group.row(key)
            else:
                lines = read_lines(group.places)
                ids += mark_ids(key, lines)
                yield row_of(key, lines, group.places)
        self.mark = revocation_mark(ids)

    def _join_replaced(self) -> None:
        """Give every replaced certificate the lines of its successor too."""
        successors = [(group.replaces, key) for key, group in self._groups.items() if group.replaces not in ("", key)]
        own = {key: self._groups[key].places for _, key in successors}
        for replaced, key in successors:
            group = self._group(replaced, own[key])
            group.superseded |= self._groups[key].certificate is not None
