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
from pathlib import Path

from .._pki.errors import LedgerError
from .codec import time_text, to_time
from .entries import Crl, Entry, Holder, Intent
from .fold import claim_among, crls_in_order, fold
from .holders import is_gone
from .index_file import connected, in_step, index_path, places_of, read_about, read_places
from .state import STATUSES, CertificateRecord, OpenIntent, Revocation, Wanted, assumed_mark, differing

_STATUS_NOW = "CASE WHEN status = 'revoked' THEN status WHEN not_after < ? THEN 'expired' ELSE status END"
_LIVE = "status IN ('valid', 'on_hold') AND not_after >= ?"


@dataclass(frozen=True)
class IndexedState:
    """A LedgerState that reads of the ledger file what is asked for.

    What others append meanwhile may be seen; where the file is replaced, asking fails.

    Attributes:
        assumed: revocations by serial that are to be told instead of those in the file.
    """

    path: Path
    generation: str
    authority: str
    latest: datetime | None
    revocation_mark: str
    assumed: Mapping[str, Revocation | None] = field(default_factory=dict)

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
        with self._asked() as (connection, _read):
            yield from map(
                _revocation,
                connection.execute(
                    "SELECT key, reason, revoked_at, invalidity_date, not_after, revocation_recorded_at, holds "
                    "FROM groups WHERE reason IS NOT NULL ORDER BY key"
                ),
            )

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
        with self._asked() as (connection, _read):
            names = connection.execute(
                f"SELECT name FROM groups WHERE {_LIVE} GROUP BY name HAVING count(*) > 1 ORDER BY name",  # noqa: S608
                (time_text(now),),
            ).fetchall()
        return {name: self._live(name, now) for (name,) in names}

    def by_serial(self, serial: str) -> CertificateRecord | None:
        return next(self._records("key = ? AND status IS NOT NULL", [serial]), None)

    def revocation_of(self, serial: str) -> Revocation | None:
        if serial in self.assumed:
            return self.assumed[serial]
        with self._asked() as (connection, read):
            return fold(read(places_of(connection, serial))).revocation_of(serial)

    def intent_of(self, serial: str) -> Intent | None:
        with self._asked() as (connection, read):
            return fold(read(places_of(connection, serial))).intent_of(serial)

    def claim_on(
        self, name: str, now: datetime, purpose: str = "certificate", gone: Callable[[Holder], bool] = is_gone
    ) -> OpenIntent | None:
        return claim_among(self._open(), name, now, purpose, gone)

    def counts(self, now: datetime) -> Mapping[str, int]:
        with self._asked() as (connection, _read):
            found = {status: _count(connection, "status = ?", status) for status in STATUSES}
            past = {
                status: _count(connection, "status = ? AND not_after < ?", status, time_text(now))
                for status in STATUSES
                if status != "revoked"
            }
            open_intents = _count(connection, "open")
        left = {status: number - past.get(status, 0) for status, number in found.items()}
        return {**left, "expired": sum(past.values()), "open_intents": open_intents}

    def _live(self, name: str, now: datetime) -> tuple[CertificateRecord, ...]:
        return tuple(self._records(f"name = ? AND {_LIVE}", [name, time_text(now)]))

    def _records(self, where: str, values: Sequence[str] = ()) -> Iterator[CertificateRecord]:
        query = f"SELECT key, places FROM groups WHERE {where} ORDER BY name, recorded_at DESC, key DESC"  # noqa: S608
        with self._asked() as (connection, read):
            for key, places in connection.execute(query, values):
                yield fold(read(places)).records[key]

    def _open(self) -> list[OpenIntent]:
        with self._asked() as (connection, read):
            groups = connection.execute("SELECT key, places FROM groups WHERE open").fetchall()
            found = [
                item
                for key, places in groups
                for item in fold(read(places)).open
                if (item.intent.serial or item.intent.id) == key
            ]
        return sorted(found, key=lambda item: (item.intent.time, item.intent.id))

    def _crls(self, query: str, values: Sequence[str] = ()) -> tuple[Crl, ...]:
        with self._asked() as (connection, read):
            lines = [line for (places,) in connection.execute(query, values) for line in read(places)]
        return crls_in_order(line for line in lines if isinstance(line, Crl))

    @contextmanager
    def _asked(self) -> Iterator[tuple[sqlite3.Connection, Callable[[bytes], list[Entry]]]]:
        """Open index and ledger for one question.

        Raises:
            LedgerError: one of them is not what it was when this state was read.
        """
        try:
            with open(self.path, "rb") as ledger, connected(index_path(self.path)) as connection:
                about = read_about(connection)
                if about.generation != self.generation or not about.is_of(ledger.fileno()):
                    raise LedgerError("the ledger was replaced while it was read; run again")
                yield connection, lambda places: read_places(ledger.fileno(), places)
        except LedgerError as exc:
            raise LedgerError(f"{self.path}: {exc}") from None
        except (sqlite3.Error, OSError) as exc:
            raise LedgerError(f"{self.path}: the ledger cannot be looked up: {exc}; run again") from exc


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
        generation=about.generation,
        authority=about.authority,
        latest=to_time(about.latest) if about.latest else None,
        revocation_mark=about.mark,
    )


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
