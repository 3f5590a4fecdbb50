# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The file of an index: made from a ledger file, kept in step with it, thrown away where it does not fit.

It lies in a folder of its own beside the ledger, which tells Git to ignore it. It is keyed by the ledger's identity,
size and times, and where these differ by the digest of every part that it has read.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import sqlite3
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from .._pki.errors import LedgerError
from .codec import Damage, NewerLedgerError, complete, damage_error, decode, time_text
from .entries import Crl, Entry
from .fold import one_authority, revocation_mark
from .index_groups import Groups
from .index_rows import NO_MARK, Row, group_of, mark_ids, own_places, pack, replaced_by, row_of, unpack
from .lines import real_path, stamp_of

_CHUNK = 4 * 1024 * 1024
_LAYOUT = "3"

_TABLES = f"""
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE chunks (number INTEGER PRIMARY KEY, digest BLOB NOT NULL);
CREATE TABLE crls (id TEXT PRIMARY KEY, scope TEXT, number TEXT, places BLOB) WITHOUT ROWID;
CREATE TABLE groups ({", ".join(Row._fields)}, PRIMARY KEY (key)) WITHOUT ROWID;
"""
_INDEXES = """
CREATE INDEX groups_by_name ON groups (name, recorded_at DESC, key DESC, status, not_after) WHERE status IS NOT NULL;
CREATE INDEX groups_by_status ON groups (status, not_after) WHERE status IS NOT NULL;
CREATE INDEX groups_open ON groups (key) WHERE open;
CREATE INDEX crls_by_scope ON crls (scope, number);
"""
_PUT_ROW = f"INSERT OR REPLACE INTO groups VALUES ({', '.join('?' * len(Row._fields))})"  # noqa: S608  # marks only


class IndexMisfit(LedgerError):  # noqa: N818
    """An index does not say what the ledger file says, so it has to be made again."""


@dataclass(frozen=True)
class About:
    """What an index is about.

    Attributes:
        generation: random; another one after the index was made anew from a file that may be another.
        stamp: identity, size and times of the ledger file when it was last in step.
        size: how many bytes of it are indexed.
        lines: how many lines these are.
    """

    generation: str
    stamp: str
    size: int
    lines: int
    authority: str
    latest: str
    mark: str
    layout: str = _LAYOUT

    def is_of(self, descriptor: int) -> bool:
        """Tell whether an open file is the one that was indexed, perhaps longer by now."""
        stat = os.fstat(descriptor)
        return self.stamp.startswith(f"{stat.st_dev}:{stat.st_ino}:") and stat.st_size >= self.size


def index_folder(ledger_path: Path) -> Path:
    ledger_path = real_path(ledger_path)
    return ledger_path.with_name(f".{ledger_path.name}.index")


def index_path(ledger_path: Path) -> Path:
    return index_folder(ledger_path) / "index.sqlite"


@contextmanager
def connected(path: Path) -> Iterator[sqlite3.Connection]:
    """Open an index that exists, for one transaction."""
    opened = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=60)
    with closing(opened), opened:
        yield opened


def read_about(connection: sqlite3.Connection) -> About:
    """Return what the index is about.

    Raises:
        sqlite3.Error: it is no index, or of another layout.
    """
    values = dict(connection.execute("SELECT name, value FROM about"))
    fits = values.get("layout") == _LAYOUT and values.keys() == About.__dataclass_fields__.keys()
    if not fits or not (values["size"].isdecimal() and values["lines"].isdecimal()):
        raise sqlite3.DatabaseError("an index of another layout")
    return About(**{**values, "size": int(values["size"]), "lines": int(values["lines"])})


def _write_about(connection: sqlite3.Connection, about: About) -> None:
    values = [(name, str(getattr(about, name))) for name in About.__dataclass_fields__]
    connection.executemany("INSERT OR REPLACE INTO about VALUES (?, ?)", values)


def read_places(descriptor: int, places: bytes) -> list[Entry]:
    """Return the entries at packed places of the ledger file.

    Raises:
        IndexMisfit: there is no line at a place.
    """
    try:
        return [decode(os.pread(descriptor, length, at)) for at, length in unpack(places)]
    except LedgerError as exc:
        raise IndexMisfit(f"a line that is looked up {exc}; it was changed since, run again") from None
    except struct.error:
        raise IndexMisfit("the index names no place of a line; run again") from None


def in_step(ledger_path: Path, known: str = "") -> About:
    """Make the index of *ledger_path* say what the file says now, and return what it is about.

    Args:
        known: stamp of the file before the caller added lines to it; an index of that stamp needs no check.
    Raises:
        LedgerError: the ledger is damaged.
        sqlite3.Error, OSError: no index can be kept here.
    """
    path = index_path(ledger_path)
    generation = ""
    with open(ledger_path, "rb") as ledger, _only_writer(ledger_path):
        descriptor = ledger.fileno()
        with suppress(sqlite3.Error, IndexMisfit), connected(path) as connection:
            about = read_about(connection)
            if about.stamp == stamp_of(descriptor):
                return about
            connection.execute("BEGIN IMMEDIATE")
            if about.stamp == known or _fits(connection, about, descriptor):
                generation = about.generation
                return _extended(connection, about, descriptor)
        return _built(path, descriptor, generation)


def made_again(ledger_path: Path, about: About, damaged: int) -> bool:
    """Make an index that proved damaged anew; return whether those who asked it can ask again.

    Nothing is made where somebody else has done so meanwhile. Others who read the damaged one are not disturbed.

    Args:
        about: what the index was about when the caller found it in step.
        damaged: file_number() of the index that the caller asked.
    Raises:
        LedgerError: the ledger is damaged.
        sqlite3.Error, OSError: no index can be kept here, and the damaged one is gone.
    """
    path = index_path(ledger_path)
    with open(ledger_path, "rb") as ledger, _only_writer(ledger_path):
        if file_number(path) != damaged:
            return True
        same = stamp_of(ledger.fileno()) == about.stamp
        try:
            _built(path, ledger.fileno(), about.generation if same else "")
        except (LedgerError, sqlite3.Error, OSError):
            path.unlink(missing_ok=True)
            raise
    return same


def file_number(path: Path) -> int:
    """Return what tells a file from the one that takes its place; 0 where there is none."""
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return 0


@contextmanager
def _only_writer(ledger_path: Path) -> Iterator[None]:
    folder = index_folder(ledger_path)
    folder.mkdir(exist_ok=True)
    ignore = folder / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n", encoding="ascii")
    with open(folder / "lock", "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fits(connection: sqlite3.Connection, about: About, descriptor: int) -> bool:
    """Tell whether the file still begins with what was indexed, and whether the rest is worth reading by itself."""
    size = os.fstat(descriptor).st_size
    if not about.size <= size <= 2 * about.size:
        return False
    digests = [digest for (digest,) in connection.execute("SELECT digest FROM chunks ORDER BY number")]
    return digests == [digest for _number, digest in _digests(descriptor, 0, about.size)]


def _digests(descriptor: int, start: int, end: int) -> Iterator[tuple[int, bytes]]:
    """Yield number and digest of each chunk of the file's first *end* bytes, from the one with *start* on."""
    for number in range(start // _CHUNK, -(-end // _CHUNK)):
        at = number * _CHUNK
        yield number, hashlib.sha256(os.pread(descriptor, min(_CHUNK, end - at), at)).digest()


def _write_digests(connection: sqlite3.Connection, descriptor: int, start: int, end: int) -> None:
    connection.executemany("INSERT OR REPLACE INTO chunks VALUES (?, ?)", _digests(descriptor, start, end))


class _Batch(NamedTuple):
    """Some lines of the file: the first one's place and number, where the last one ends."""

    at: int
    number: int
    lines: list[bytes]
    end: int


def _batches(descriptor: int, start: int, number: int) -> Iterator[_Batch]:
    """Yield the lines from *start* on, which follows line *number*; a torn last line is none."""
    at, rest = start, b""
    if start and os.pread(descriptor, 2, start - 1) == b"}\n":
        at += 1  # the newline that the last line lacked when it was indexed
    while block := os.pread(descriptor, _CHUNK, at + len(rest)):
        whole = rest + block
        lines = whole.split(b"\n")
        rest = lines.pop()
        end = at + len(whole) - len(rest)
        yield _Batch(at, number + 1, lines, end)
        at = end
        number += len(lines)
    if rest and complete(rest):
        yield _Batch(at, number + 1, [rest], at + len(rest))


def _take_in(batches: Iterable[_Batch], take: Callable[[bytes, int], None]) -> tuple[int, int]:
    """Give *take* every line and its place; return where the last line ends, and its number.

    Raises:
        LedgerError: lines are damaged.
    """
    end = last = 0
    damages: list[Damage] = []
    for batch in batches:
        at = batch.at
        for number, line in enumerate(batch.lines, batch.number):
            if line and not line.isspace():
                try:
                    take(line, at)
                except NewerLedgerError:
                    raise
                except LedgerError as exc:
                    damages.append(Damage(number, str(exc)))
            at += len(line) + 1
        end, last = batch.end, batch.number + len(batch.lines) - 1
    if damages:
        raise damage_error(damages)
    return end, last


def _built(path: Path, descriptor: int, generation: str = "") -> About:
    """Make the index anew from the whole file.

    Args:
        generation: of the index before, where the file still says what that was made from.
    """
    groups = Groups()
    stamp = stamp_of(descriptor)
    size, lines = _take_in(_batches(descriptor, 0, 0), lambda line, at: groups.add(line.decode("latin-1"), at))
    for suffix in ("-journal", ".new", ".new-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    fresh = path.with_name(f"{path.name}.new")
    about = About(generation or secrets.token_hex(8), stamp, size, lines, "", "", NO_MARK)
    about = _filled(fresh, descriptor, groups, about)
    fresh.replace(path)
    return about


def _filled(path: Path, descriptor: int, groups: Groups, about: About) -> About:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.executescript(_TABLES)
        connection.executemany(_PUT_ROW, groups.rows(lambda places: read_places(descriptor, places)))
        for places in groups.crls:
            _put_crls(connection, read_places(descriptor, places), places)
        connection.executescript(_INDEXES)
        _write_digests(connection, descriptor, 0, about.size)
        done = replace(about, authority=groups.authority, latest=groups.latest, mark=groups.mark)
        _write_about(connection, done)
        connection.commit()
    return done


def _put_crls(connection: sqlite3.Connection, lines: Iterable[Entry], places: bytes) -> None:
    rows = [(line.id, line.scope, _sortable(line.number), places) for line in lines if isinstance(line, Crl)]
    connection.executemany("INSERT OR IGNORE INTO crls VALUES (?, ?, ?, ?)", rows)


def _sortable(number: int) -> str:
    """Return a text that sorts as CRL numbers do: they have up to 20 octets, integers of SQLite eight."""
    return f"{number:040x}"


def _extended(connection: sqlite3.Connection, about: About, descriptor: int) -> About:
    """Take in the lines that were added to the file."""
    touched: dict[str, bytes] = {}
    added: list[Entry] = []

    def take(line: bytes, at: int) -> None:
        entry = decode(line)
        place = pack(at, len(line))
        touched[group_of(entry)] = touched.get(group_of(entry), b"") + place
        _put_crls(connection, [entry], place)
        added.append(entry)

    stamp = stamp_of(descriptor)
    size, lines = _take_in(_batches(descriptor, about.size, about.lines), take)
    done = replace(
        about,
        stamp=stamp,
        size=size or about.size,
        lines=lines or about.lines,
        authority=one_authority([about.authority, *(entry.authority for entry in added)]),
        latest=max([about.latest, *(time_text(entry.time) for entry in added)]),
        mark=_put_groups(connection, descriptor, touched, about.mark),
    )
    _write_digests(connection, descriptor, about.size, done.size)
    _write_about(connection, done)
    return done


def _put_groups(connection: sqlite3.Connection, descriptor: int, touched: Mapping[str, bytes], mark: str) -> str:
    """Write the rows of the groups that got lines; return the revocation mark."""
    replaced: dict[str, bytes] = {}
    for key, new in touched.items():
        old = places_of(connection, key)
        lines = read_places(descriptor, old + new)
        mark = revocation_mark(mark_ids(key, lines) - mark_ids(key, read_places(descriptor, old)), mark)
        connection.execute(_PUT_ROW, row_of(key, lines, old + new))
        for other in replaced_by(key, lines):
            replaced[other] = replaced.get(other, b"") + own_places(key, lines, old + new)
    for key, new in replaced.items():
        places = places_of(connection, key) + new
        lines = read_places(descriptor, places)
        connection.execute(_PUT_ROW, row_of(key, lines, places))
    return mark


def places_of(connection: sqlite3.Connection, key: str) -> bytes:
    row = connection.execute("SELECT places FROM groups WHERE key = ?", (key,)).fetchone()
    return bytes(row[0]) if row else b""
