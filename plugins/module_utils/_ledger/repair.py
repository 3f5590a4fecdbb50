# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Set damaged lines aside: the ledger goes on without them, and the file as it was is kept."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from .._pki.errors import LedgerError
from .codec import Damage, is_whole
from .fold import fold
from .lines import locked, real_path, sync_folder, write_all
from .reading import read_content, sift


@dataclass(frozen=True)
class Repair:
    """What a repair takes out.

    Attributes:
        kept: where the file as it was is kept; None where nothing was damaged or nothing was done.
    """

    damages: tuple[Damage, ...]
    kept: Path | None = None


def plan_repair(path: Path) -> Repair:
    """Return what is damaged, and change nothing.

    Raises:
        LedgerError: the ledger cannot be read, or what is wrong is nothing that could be set aside.
    """
    return Repair(_sound_lines(path)[1])


def repair(path: Path, now: datetime, lock_timeout: float = 30.0) -> Repair:
    """Replace the ledger by one without its damaged lines, all others byte by byte as they were.

    Of a symbolic link, the file that it stands for is replaced.

    Raises:
        LedgerError: as for plan_repair(), or the new file cannot be written; the ledger is as before.
    """
    path = real_path(path)
    with locked(path, lock_timeout, is_whole) as file:
        content, damages = _sound_lines(path)
        if not damages:
            return Repair(())
        kept = path.with_name(f"{path.name}.damaged-{now:%Y%m%dT%H%M%SZ}")
        fresh = path.with_name(f".{path.name}.repaired")
        try:
            model = os.fstat(file.descriptor)
            fresh.unlink(missing_ok=True)
            _write_like(fresh, content, model)
            _write_like(kept, read_content(path), model)
            os.replace(fresh, path)
            sync_folder(path.parent)
        except OSError as exc:
            fresh.unlink(missing_ok=True)
            raise LedgerError(f"{path}: the ledger cannot be repaired: {exc.strerror}; it is as before") from exc
    return Repair(damages, kept)


def _sound_lines(path: Path) -> tuple[bytes, tuple[Damage, ...]]:
    try:
        content = read_content(path)
        good, damages = sift(content)
        fold(entry for _line, entry in good)
    except LedgerError as exc:
        raise LedgerError(f"{path}: {exc}") from None
    return b"".join(line + b"\n" for line, _entry in good), tuple(damages)


def _write_like(path: Path, content: bytes, model: os.stat_result) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        if os.geteuid() == 0:
            os.fchown(descriptor, model.st_uid, model.st_gid)
        os.fchmod(descriptor, model.st_mode & 0o7777)
        write_all(descriptor, content)
        os.fsync(descriptor)
    except OSError:
        path.unlink()
        raise
    finally:
        os.close(descriptor)
