# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a ledger file to its state: small files line by line, large ones through their index."""

from __future__ import annotations

from pathlib import Path

from .._pki.errors import LedgerError
from .codec import Damage, NewerLedgerError, complete, damage_error, decode
from .entries import Entry
from .fold import fold
from .port import LedgerState

INDEX_FROM = 256 * 1024  # bytes; below it, reading everything is as fast as looking up


def read_state(path: Path, index_from: int = INDEX_FROM) -> LedgerState:
    """Return the state of the ledger in *path*, an empty one where there is no file.

    Raises:
        LedgerError: the file is damaged or cannot be read.
    """
    return _indexed(path, index_from) or fold(read_entries(read_content(path)))


def keep_in_step(path: Path, index_from: int, known: str) -> bool:
    """Let the index of a large ledger know the newest lines; return whether it does.

    Where it cannot, the next reader finds out and reads more.

    Args:
        known: stamp of the file before they were added.
    """
    try:
        return _indexed(path, index_from, known) is not None
    except LedgerError:  # the line is on disk; what else is wrong is for the next reader to tell
        return False


def _indexed(path: Path, index_from: int, known: str = "") -> LedgerState | None:
    """Return the state through the index, None where the file is small or no index can be kept beside it."""
    try:
        if path.stat().st_size < index_from:
            return None
        import sqlite3

        from .indexed import read_indexed
    except (OSError, ImportError):
        return None
    try:
        return read_indexed(path, known)
    except (OSError, sqlite3.Error):
        return None


def read_content(path: Path) -> bytes:
    """Return the bytes of a ledger, none where there is no file."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as exc:
        raise LedgerError(f"the ledger cannot be read: {exc.strerror}") from exc


def read_entries(content: bytes) -> list[Entry]:
    """Return the entries of a ledger's bytes; a torn last line is none.

    Raises:
        LedgerError: lines are damaged.
    """
    entries, damages = sift(content)
    if damages:
        raise damage_error(damages)
    return [entry for _line, entry in entries]


def sift(content: bytes) -> tuple[list[tuple[bytes, Entry]], list[Damage]]:
    """Return the good lines of a ledger's bytes with their entries, and the damaged ones; a torn last line is neither.

    Raises:
        NewerLedgerError: a line is of a schema version that is not known here.
    """
    good: list[tuple[bytes, Entry]] = []
    damages: list[Damage] = []
    lines = content.split(b"\n")
    last = lines.pop()
    for number, line in enumerate(lines, 1):
        if line and not line.isspace():
            try:
                good.append((line, decode(line)))
            except NewerLedgerError:
                raise
            except LedgerError as exc:
                damages.append(Damage(number, str(exc)))
    entry = complete(last)
    return (good if entry is None else [*good, (last, entry)]), damages
