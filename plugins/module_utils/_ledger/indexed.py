# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The state of a large ledger, looked up through its index and read from the file."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from heapq import merge
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TypeVar

from .._pki.errors import LedgerError
from .codec import time_text, to_time
from .entries import Crl, Entry, Holder, Intent
from .fold import claim_among, crls_in_order, fold
from .holders import is_gone
from .index_file import (
    About,
    IndexMisfit,
    connected,
    file_number,
    in_step,
    index_path,
    made_again,
    places_of,
    read_about,
    read_places,
)
from .state import STATUSES, CertificateRecord, OpenIntent, Revocation, Wanted, assumed_mark, differing

_STATUS_NOW = "CASE WHEN status = 'revoked' THEN status WHEN not_after < ? THEN 'expired' ELSE status END"
_LIVE = "status IN ('valid', 'on_hold') AND not_after >= ?"

T = TypeVar("T")


class _Asked(NamedTuple):
    """Index and ledger, open for one question."""

    connection: sqlite3.Connection
    about: About
    ledger: int

    def read(self, places: bytes) -> list[Entry]:
        return read_places(self.ledger, places)

    def read_group(self, key: str) -> list[Entry]:
        return self.read(places_of(self.connection, key))

    def record(self, key: str, places: bytes) -> CertificateRecord:
        record = fold(self.read(places)).by_serial(key)
        if record is None:
            raise IndexMisfit(f"the lines of {key} are not where they were; run again")
        return record


@dataclass(frozen=True)
class IndexedState:
    """A LedgerState that reads of the ledger file what is asked for.

    What others append meanwhile may be seen; where the file is replaced, asking fails. An index that proves damaged is
    made again.

    Attributes:
        about: what the index was about when it was read.
        assumed: revocations by serial that are to be told instead of those in the file.
    """

    path: Path
    about: About
    latest: datetime | None
    revocation_mark: str
    assumed: Mapping[str, Revocation | None] = field(default_factory=dict)

    @property
    def authority(self) -> str:
        return self.about.authority

    @property
    def certificates(self) -> Iterable[CertificateRecord]:
        return self._records("status IS NOT NULL")

    def find(self, wanted: Wanted, now: datetime) -> Iterable[CertificateRecord]:
        terms, values = ["status IS NOT NULL"], []
        for column, choices in (("name", wanted.names), ("profile", wanted.profiles)):
            if choices:
                terms.append(f"{column} IN ({', '.join('?' * len(choices))})")
                values += sorted(choices)
        if wanted.expires_before:
            terms.append("not_after < ?")
            values.append(time_text(wanted.expires_before))
        if wanted.statuses:
            terms.append(f"{_STATUS_NOW} IN ({', '.join('?' * len(wanted.statuses))})")
            values += [time_text(now), *sorted(wanted.statuses)]
        return self._records(" AND ".join(terms), values)

    @property
    def open_intents(self) -> tuple[Intent, ...]:
        return tuple(item.intent for item in self._open())

    def assuming(self, revocations: Mapping[str, Revocation | None]) -> IndexedState:
        others = differing(revocations, self.revocation_of)
        return replace(self, assumed=others, revocation_mark=assumed_mark(self.revocation_mark, others))

    @property
    def revocations(self) -> Iterable[Revocation]:
        if not self.assumed:
            return self._recorded_revocations()
        recorded = (found for found in self._recorded_revocations() if found.serial not in self.assumed)
        assumed = (self.assumed[serial] for serial in sorted(self.assumed))
        return merge(recorded, (found for found in assumed if found), key=lambda found: found.serial)

    def _recorded_revocations(self) -> Iterator[Revocation]:
        query = (
            "SELECT key, reason, revoked_at, invalidity_date, not_after, revocation_recorded_at, holds FROM groups "
            "WHERE reason IS NOT NULL ORDER BY key"
        )
        return self._told(lambda asked: map(_revocation, asked.connection.execute(query)))

    @property
    def crls(self) -> tuple[Crl, ...]:
        return self._crls("SELECT places FROM crls")

    def last_crl(self, scope: str) -> Crl | None:
        newest = "SELECT places FROM crls WHERE scope = ?1 AND number = (SELECT max(number) FROM crls WHERE scope = ?1)"
        return next(reversed(self._crls(newest, (scope,))), None)

    def current(self, name: str, now: datetime) -> CertificateRecord | None:
        return next(iter(self._live(name, now)), None)

    def by_name(self, name: str) -> tuple[CertificateRecord, ...]:
        return tuple(self._records("status IS NOT NULL AND name = ?", [name]))

    def two_live(self, name: str, now: datetime) -> tuple[CertificateRecord, ...]:
        live = self._live(name, now)
        return live if len(live) > 1 else ()

    def doubles(self, now: datetime) -> Mapping[str, tuple[CertificateRecord, ...]]:
        query = f"SELECT name FROM groups WHERE {_LIVE} GROUP BY name HAVING count(*) > 1 ORDER BY name"  # noqa: S608
        names = list(self._told(lambda asked: asked.connection.execute(query, (time_text(now),))))
        return {name: self._live(name, now) for (name,) in names}

    def by_serial(self, serial: str) -> CertificateRecord | None:
        return next(self._records("key = ? AND status IS NOT NULL", [serial]), None)

    def revocation_of(self, serial: str) -> Revocation | None:
        if serial in self.assumed:
            return self.assumed[serial]
        return fold(self._told(lambda asked: asked.read_group(serial))).revocation_of(serial)

    def intent_of(self, serial: str) -> Intent | None:
        return fold(self._told(lambda asked: asked.read_group(serial))).intent_of(serial)

    def claim_on(
        self, name: str, now: datetime, purpose: str = "certificate", gone: Callable[[Holder], bool] = is_gone
    ) -> OpenIntent | None:
        return claim_among(self._open(), name, now, purpose, gone)

    def counts(self, now: datetime) -> Mapping[str, int]:
        ((found, past, open_intents),) = self._told(lambda asked: [_counts(asked.connection, time_text(now))])
        left = {status: number - past.get(status, 0) for status, number in found.items()}
        return {**left, "expired": sum(past.values()), "open_intents": open_intents}

    def _live(self, name: str, now: datetime) -> tuple[CertificateRecord, ...]:
        return tuple(self._records(f"name = ? AND {_LIVE}", [name, time_text(now)]))

    def _records(self, where: str, values: Sequence[str] = ()) -> Iterator[CertificateRecord]:
        query = f"SELECT key, places FROM groups WHERE {where} ORDER BY name, recorded_at DESC, key DESC"  # noqa: S608
        return self._told(lambda asked: (asked.record(*row) for row in asked.connection.execute(query, values)))

    def _open(self) -> list[OpenIntent]:
        def ask(asked: _Asked) -> Iterator[OpenIntent]:
            for key, places in asked.connection.execute("SELECT key, places FROM groups WHERE open ORDER BY key"):
                yield from (
                    item for item in fold(asked.read(places)).open if (item.intent.serial or item.intent.id) == key
                )

        return sorted(self._told(ask), key=lambda item: (item.intent.time, item.intent.id))

    def _crls(self, query: str, values: Sequence[str] = ()) -> tuple[Crl, ...]:
        def ask(asked: _Asked) -> Iterator[Entry]:
            for (places,) in asked.connection.execute(f"{query} ORDER BY id", values):
                yield from asked.read(places)

        return crls_in_order(line for line in self._told(ask) if isinstance(line, Crl))

    def _told(self, ask: Callable[[_Asked], Iterable[T]]) -> Iterator[T]:
        """Yield what *ask* finds; where the index proves damaged it is made again, and asked for the rest.

        Raises:
            LedgerError: index or ledger is not what it was when this state was read.
        """
        told = size = 0
        number = file_number(index_path(self.path))
        try:
            with self._asked() as asked:
                size = asked.about.size
                for item in ask(asked):
                    told += 1
                    yield item
            return
        except IndexMisfit:
            if not self._made_again(number):
                raise
        with self._asked() as asked:
            if told and asked.about.size != size:
                raise LedgerError("others wrote to it while its index was made again; run again")
            yield from islice(ask(asked), told, None)

    @contextmanager
    def _asked(self) -> Iterator[_Asked]:
        """Open index and ledger for one question.

        Raises:
            IndexMisfit: the index is damaged.
            LedgerError: one of them is not what it was when this state was read.
        """
        try:
            with open(self.path, "rb") as ledger, connected(index_path(self.path)) as connection:
                connection.execute("BEGIN")
                about = read_about(connection)
                if about.generation != self.about.generation or not about.is_of(ledger.fileno()):
                    raise LedgerError("the ledger was replaced while it was read; run again")
                yield _Asked(connection, about, ledger.fileno())
        except LedgerError as exc:
            raise type(exc)(f"{self.path}: {exc}") from None
        except (sqlite3.Error, OSError) as exc:
            kind = IndexMisfit if isinstance(exc, sqlite3.Error) else LedgerError
            raise kind(f"{self.path}: the ledger cannot be looked up: {exc}; run again") from exc

    def _made_again(self, number: int) -> bool:
        try:
            return made_again(self.path, self.about, number)
        except LedgerError as exc:
            raise LedgerError(f"{self.path}: {exc}") from None
        except (sqlite3.Error, OSError):  # the next run reads without an index
            return False


def read_indexed(path: Path, known: str = "") -> IndexedState:
    """Return the state of a ledger file.

    Args:
        known: see in_step().
    Raises:
        LedgerError: the ledger is damaged.
        sqlite3.Error, OSError: no index can be kept here.
    """
    about = in_step(path, known)
    return IndexedState(
        path=path,
        about=about,
        latest=to_time(about.latest) if about.latest else None,
        revocation_mark=about.mark,
    )


def _counts(connection: sqlite3.Connection, now: str) -> tuple[dict[str, int], dict[str, int], int]:
    """Return how many have each status, how many of these are past their end, and how many intents are open."""
    found = {status: _count(connection, "status = ?", status) for status in STATUSES}
    past = {
        status: _count(connection, "status = ? AND not_after < ?", status, now)
        for status in STATUSES
        if status != "revoked"
    }
    return found, past, _count(connection, "open")


def _count(connection: sqlite3.Connection, where: str, *values: str) -> int:
    (number,) = connection.execute(f"SELECT count(*) FROM groups WHERE {where}", values).fetchone()  # noqa: S608
    return int(number)


def _revocation(row: tuple[str, str, str, str | None, str | None, str | None, str]) -> Revocation:
    serial, reason, revoked, invalidity_date, not_after, recorded_at, holds = row
    revoked_at = to_time(revoked)
    return Revocation(
        serial,
        reason,
        revoked_at,
        to_time(invalidity_date) if invalidity_date else None,
        to_time(not_after) if not_after else None,
        to_time(recorded_at) if recorded_at else revoked_at,
        tuple(holds.split()),
    )
