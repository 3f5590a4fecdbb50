# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From lines to a state, whatever their order: every choice is made by time and id, never by position."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from .._pki.errors import LedgerError
from .entries import (
    CERTIFICATE_HOLD,
    COMPROMISES,
    OUTCOMES,
    Adopted,
    Attempt,
    Crl,
    Entry,
    Holder,
    Intent,
    Issued,
    Released,
    Retired,
    Revoked,
    Superseded,
)
from .holders import is_gone
from .state import STATUSES, CertificateRecord, OpenIntent, Revocation, Wanted, assumed_mark, differing

AnyEntry = TypeVar("AnyEntry", bound=Entry)


@dataclass(frozen=True)
class FoldedState:
    """A LedgerState in memory."""

    authority: str
    latest: datetime | None
    records: Mapping[str, CertificateRecord]
    serials_of: Mapping[str, tuple[str, ...]]
    revoked: Mapping[str, Revocation]
    intents: Mapping[str, Intent]
    open: tuple[OpenIntent, ...]
    crls: tuple[Crl, ...]
    revocation_mark: str

    @property
    def certificates(self) -> Iterable[CertificateRecord]:
        return (self.records[serial] for name in sorted(self.serials_of) for serial in self.serials_of[name])

    def assuming(self, revocations: Mapping[str, Revocation | None]) -> FoldedState:
        others = differing(revocations, self.revocation_of)
        both = {**self.revoked, **others}
        revoked = {serial: revocation for serial, revocation in sorted(both.items()) if revocation}
        return replace(self, revoked=revoked, revocation_mark=assumed_mark(self.revocation_mark, others))

    def find(self, wanted: Wanted, now: datetime) -> Iterable[CertificateRecord]:
        return (record for record in self.certificates if wanted.matches(record, now))

    @property
    def open_intents(self) -> tuple[Intent, ...]:
        return tuple(item.intent for item in self.open)

    @property
    def revocations(self) -> Iterable[Revocation]:
        return self.revoked.values()

    def by_name(self, name: str) -> tuple[CertificateRecord, ...]:
        return tuple(self.records[serial] for serial in self.serials_of.get(name, ()))

    def _live(self, name: str, now: datetime) -> tuple[CertificateRecord, ...]:
        return tuple(record for record in self.by_name(name) if record.is_live(now))

    def current(self, name: str, now: datetime) -> CertificateRecord | None:
        return next(iter(self._live(name, now)), None)

    def two_live(self, name: str, now: datetime) -> tuple[CertificateRecord, ...]:
        live = self._live(name, now)
        return live if len(live) > 1 else ()

    def doubles(self, now: datetime) -> Mapping[str, tuple[CertificateRecord, ...]]:
        found = {name: self.two_live(name, now) for name in sorted(self.serials_of)}
        return {name: records for name, records in found.items() if records}

    def by_serial(self, serial: str) -> CertificateRecord | None:
        return self.records.get(serial)

    def revocation_of(self, serial: str) -> Revocation | None:
        return self.revoked.get(serial)

    def intent_of(self, serial: str) -> Intent | None:
        return self.intents.get(serial)

    def claim_on(
        self, name: str, now: datetime, purpose: str = "certificate", gone: Callable[[Holder], bool] = is_gone
    ) -> OpenIntent | None:
        return claim_among(self.open, name, now, purpose, gone)

    def last_crl(self, scope: str) -> Crl | None:
        return last_crl(self.crls, scope)

    def counts(self, now: datetime) -> Mapping[str, int]:
        found = Counter(record.status(now) for record in self.records.values())
        return {**{status: found[status] for status in STATUSES}, "open_intents": len(self.open)}


def claim_among(
    intents: Iterable[OpenIntent], name: str, now: datetime, purpose: str, gone: Callable[[Holder], bool]
) -> OpenIntent | None:
    """Return the newest of *intents* that still claims (*purpose*, *name*)."""
    claims = [
        item
        for item in intents
        if (item.intent.purpose, item.intent.name) == (purpose, name)
        and now < item.lapses_at()
        and not gone(item.intent.holder)
    ]
    return max(claims, key=lambda item: _age(item.intent), default=None)


def crls_in_order(crls: Iterable[Crl]) -> tuple[Crl, ...]:
    """Return *crls* by number; of one CRL the line of who asked KMS comes after that of who found it."""
    return tuple(sorted(crls, key=lambda crl: (crl.number, crl.scope, bool(crl.request_id), *_age(crl))))


def last_crl(crls: Iterable[Crl], scope: str) -> Crl | None:
    """Return the one of *scope* with the highest number; *crls* come in order."""
    return next((crl for crl in reversed(tuple(crls)) if crl.scope == scope), None)


def fold(entries: Iterable[Entry]) -> FoldedState:
    """Return what *entries* say together.

    Raises:
        LedgerError: two lines share an id but differ, or are of two authorities.
    """
    lines = _distinct(entries)
    intents = {intent.id: intent for intent in _of(lines, Intent)}
    revoked = _revocations(lines, _ends(lines))
    records = _records(lines, intents, revoked)
    return FoldedState(
        authority=one_authority(line.authority for line in lines),
        latest=max((line.time for line in lines), default=None),
        records=records,
        serials_of=_serials_of(records.values()),
        revoked=revoked,
        intents=_first_by(lambda intent: intent.serial, (item for item in intents.values() if item.serial)),
        open=_open(lines, intents, revoked),
        crls=crls_in_order(_of(lines, Crl)),
        revocation_mark=revocation_mark(line.id for line in lines if isinstance(line, (Revoked, Released))),
    )


def revocation_mark(ids: Iterable[str], start: str = "0-0") -> str:
    """Return the mark of a set of random line ids: their number and their exclusive or.

    Args:
        ids: each id once.
        start: the mark of other ids that the set has too.
    """
    number, together = (int(part, 16) for part in start.split("-"))
    for text in ids:
        number += 1
        together ^= int(text, 16)
    return f"{number:x}-{together:x}"


def _distinct(entries: Iterable[Entry]) -> list[Entry]:
    found: dict[str, Entry] = {}
    for entry in entries:
        if found.setdefault(entry.id, entry) != entry:
            raise LedgerError(
                f"two lines with the id {entry.id} differ; one of them was edited: restore it from Git or a backup"
            )
    return sorted(found.values(), key=_age)


def _age(entry: Entry) -> tuple[datetime, str]:
    return entry.time, entry.id


def _of(lines: Iterable[Entry], kind: type[AnyEntry]) -> list[AnyEntry]:
    return [line for line in lines if isinstance(line, kind)]


def _first_by(key: Callable[[AnyEntry], str], lines: Iterable[AnyEntry]) -> dict[str, AnyEntry]:
    """Return the first line of each key; *lines* come in the order of time and id."""
    found: dict[str, AnyEntry] = {}
    for line in lines:
        found.setdefault(key(line), line)
    return found


def one_authority(authorities: Iterable[str]) -> str:
    """Return the authority that all lines agree on; a line may say none.

    Raises:
        LedgerError: they do not agree.
    """
    found = sorted(set(authorities) - {""})
    if len(found) > 1:
        raise LedgerError(
            f"it holds lines of two authorities, {found[0]} and {found[1]}; "
            "keep one ledger for each authority and take the other's lines out of this one"
        )
    return found[0] if found else ""


def _issued(lines: Iterable[Entry]) -> dict[str, Issued]:
    """Return the first line of each serial; that of who asked KMS before that of who found the certificate."""
    return _first_by(lambda line: line.serial, sorted(_of(lines, Issued), key=lambda line: not line.request_id))


def _adopted(lines: Iterable[Entry]) -> dict[str, Adopted]:
    return _first_by(lambda line: line.serial, _of(lines, Adopted))


def _ends(lines: Iterable[Entry]) -> dict[str, datetime]:
    both: dict[str, Issued | Adopted] = {**_adopted(lines), **_issued(lines)}
    return {serial: line.not_after for serial, line in both.items()}


def _revocations(lines: Iterable[Entry], ends: Mapping[str, datetime]) -> dict[str, Revocation]:
    released = {line.revocation for line in _of(lines, Released)}
    by_serial: defaultdict[str, list[Revoked]] = defaultdict(list)
    for line in _of(lines, Revoked):
        if line.reason != CERTIFICATE_HOLD or line.id not in released:
            by_serial[line.serial].append(line)
    return {serial: _revocation(by_serial[serial], ends.get(serial)) for serial in sorted(by_serial)}


def _revocation(lines: list[Revoked], not_after: datetime | None) -> Revocation:
    """Return the one in force: any other before a hold, a compromise before the rest, then the earliest dates."""
    chosen = min(
        lines,
        key=lambda line: (
            line.reason == CERTIFICATE_HOLD,
            line.reason not in COMPROMISES,
            line.revoked_at,
            line.invalidity_date or line.revoked_at,
            line.invalidity_date is None,
            *_age(line),
        ),
    )
    ends = [line.not_after for line in lines if line.not_after]
    return Revocation(
        serial=chosen.serial,
        reason=chosen.reason,
        revoked_at=chosen.revoked_at,
        invalidity_date=chosen.invalidity_date,
        not_after=not_after or max(ends, default=None),
        recorded_at=chosen.time,
        holds=tuple(line.id for line in lines) if chosen.reason == CERTIFICATE_HOLD else (),
    )


def _records(
    lines: Iterable[Entry], intents: Mapping[str, Intent], revoked: Mapping[str, Revocation]
) -> dict[str, CertificateRecord]:
    issued = _issued(lines)
    replaced = {line.serial: line.by for line in reversed(_of(lines, Superseded)) if line.by != line.serial}
    for line in issued.values():
        intent = _intent_of(line, intents)
        if intent and intent.replaces not in ("", intent.serial):
            replaced.setdefault(intent.replaces, line.serial)
    retired = {line.serial for line in _of(lines, Retired)}
    both: dict[str, Issued | Adopted] = {**_adopted(lines), **issued}
    return {
        serial: _record(line, intents, revoked.get(serial), replaced.get(serial, ""), serial in retired)
        for serial, line in both.items()
    }


def _intent_of(line: Issued, intents: Mapping[str, Intent]) -> Intent | None:
    """Return the intent of an issued certificate, None where the ledger lost it or it is about another serial."""
    intent = intents.get(line.intent)
    return intent if intent and intent.serial == line.serial else None


def _record(
    line: Issued | Adopted,
    intents: Mapping[str, Intent],
    revocation: Revocation | None,
    superseded_by: str,
    retired: bool,
) -> CertificateRecord:
    intent = _intent_of(line, intents) if isinstance(line, Issued) else None
    source = line if isinstance(line, Adopted) else intent
    return CertificateRecord(
        serial=line.serial,
        name=source.name if source else "",
        subject=source.subject if source else "",
        profile=source.profile if source else "",
        certificate_sha256=line.certificate_sha256,
        not_before=line.not_before,
        not_after=line.not_after,
        recorded_at=line.time,
        key_arn=(line.key_arn if isinstance(line, Issued) else "") or (intent.key_arn if intent else ""),
        intent=intent,
        adopted=isinstance(line, Adopted),
        revocation=revocation,
        superseded_by=superseded_by,
        retired=retired,
    )


def _serials_of(records: Iterable[CertificateRecord]) -> dict[str, tuple[str, ...]]:
    names: defaultdict[str, list[CertificateRecord]] = defaultdict(list)
    for record in records:
        names[record.name].append(record)
    return {name: tuple(record.serial for record in newest_first(found)) for name, found in names.items()}


def newest_first(records: Iterable[CertificateRecord]) -> list[CertificateRecord]:
    """Return *records* in the order in which one of them is current."""
    return sorted(records, key=lambda record: (record.recorded_at, record.serial), reverse=True)


def _open(
    lines: Iterable[Entry], intents: Mapping[str, Intent], revoked: Mapping[str, Revocation]
) -> tuple[OpenIntent, ...]:
    closed = {
        line.intent
        for line in lines
        if isinstance(line, OUTCOMES) and (not isinstance(line, Issued) or _intent_of(line, intents))
    }
    attempts: defaultdict[str, list[Attempt]] = defaultdict(list)
    for attempt in _of(lines, Attempt):
        attempts[attempt.intent].append(attempt)
    return tuple(
        OpenIntent(intent, tuple(attempts[intent.id]))
        for intent in intents.values()
        if intent.id not in closed and not (intent.serial and intent.serial in revoked)
    )
