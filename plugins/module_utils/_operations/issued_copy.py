# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ledger's own copy of every certificate, issued/SERIAL.pem: there in full, or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from .._pki.errors import LedgerError


def read_issued(path: Path) -> bytes | None:
    """Return the copy at *path*; None where there is none.

    Raises:
        LedgerError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise LedgerError(f"{path}: cannot be read ({exc.strerror}); it is the ledger's copy of a certificate") from exc


def unfinished(path: Path) -> Path:
    """Return where a copy is written before it is put at *path*; a run that dies may leave it there, in full or not."""
    return path.with_name(f".{path.name}.new")


def store(path: Path, content: bytes) -> None:
    """Put *content* at *path* so that it is there in full, on disk, or not at all.

    Raises:
        LedgerError: it cannot be written.
    """
    temporary = unfinished(path)
    try:
        with open(temporary, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except OSError as exc:
        discard(temporary)
        raise LedgerError(
            f"{path}: the signed certificate cannot be stored ({exc.strerror}); free the way and run again"
        ) from exc


def discard(path: Path) -> None:
    """Remove what a run left behind; where that cannot be, it does no harm either."""
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return
