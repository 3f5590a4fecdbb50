# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a ledger file to its state: small files line by line, large ones through their index."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from .._pki.errors import LedgerError
from .codec import complete, damaged, decode
from .entries import Entry
from .fold import fold
from .port import LedgerState

INDEX_FROM = 256 * 1024  # bytes; below it, reading everything is as fast as looking up


def read_state(path: Path) -> LedgerState:
    """Return the state of the ledger in *path*, an empty one where there is no file.

    Raises:
        LedgerError: the file is damaged or cannot be read.
    """
    return _indexed(path) or fold(read_entries(_content(path)))


def keep_in_step(path: Path, known: str) -> bool:
    """Let the index of a large ledger know the newest lines; return whether it does.

    Where it cannot, the next reader finds out and reads more.

    Args:
        known: stamp of the file before they were added.
    """
    return _indexed(path, known) is not None


def _indexed(path: Path, known: str = "") -> LedgerState | None:
    """Return the state through the index, None where the file is small or no index can be kept beside it."""
    try:
        if path.stat().st_size < INDEX_FROM:
            return None
        import sqlite3

        from .indexed import read_indexed
    except (OSError, ImportError):
        return None
    try:
        return read_indexed(path, known)
    except (OSError, sqlite3.Error):
        return None


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as exc:
        raise LedgerError(f"the ledger cannot be read: {exc.strerror}") from exc


def read_entries(content: bytes) -> Iterator[Entry]:
    """Yield the entries of a ledger's bytes; a torn last line is none."""
    lines = content.split(b"\n")
    last = lines.pop()
    for number, line in enumerate(lines, 1):
        if line and not line.isspace():
            try:
                yield decode(line)
            except LedgerError as exc:
                raise damaged(number, exc) from None
    entry = complete(last)
    if entry:
        yield entry
