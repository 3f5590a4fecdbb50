# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Set damaged lines aside: the ledger goes on without them, and the file as it was is kept."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from .._pki.errors import LedgerError
from .codec import BYTE_ORDER_MARK, Damage, is_whole
from .fold import fold
from .lines import locked, real_path, sync_folder, write_all
from .reading import read_content, sift


@dataclass(frozen=True)
class Repair:
    """What a repair takes out.

    Attributes:
        marked: a byte order mark stands before a good line, in all likelihood the first one.
        kept: where the file as it was is kept; None where nothing was damaged or nothing was done.
    """

    damages: tuple[Damage, ...] = ()
    marked: bool = False
    kept: Path | None = None

    @property
    def needed(self) -> bool:
        return bool(self.damages) or self.marked


def plan_repair(path: Path) -> Repair:
    """Return what is damaged, and change nothing.

    Raises:
        LedgerError: the ledger cannot be read, or what is wrong is nothing that could be set aside.
    """
    return _sound_lines(path)[1]


def repair(path: Path, now: datetime, lock_timeout: float = 30.0) -> Repair:
    """Replace the ledger by one without its damaged lines and byte order mark, all else byte by byte as it was.

    Of a symbolic link, the file that it stands for is replaced.

    Raises:
        LedgerError: as for plan_repair(), or the new file cannot be written; the ledger is as before.
    """
    path = real_path(path)
    with locked(path, lock_timeout, is_whole) as file:
        content, planned = _sound_lines(path)
        if not planned.needed:
            return planned
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
    return replace(planned, kept=kept)


def _sound_lines(path: Path) -> tuple[bytes, Repair]:
    """Return what stays of the file, and what does not."""
    try:
        content = read_content(path)
        good, damages = sift(content)
        fold(entry for _line, entry in good)
    except LedgerError as exc:
        raise LedgerError(f"{path}: {exc}") from None
    stays = b"".join(line.removeprefix(BYTE_ORDER_MARK) + b"\n" for line, _entry in good)
    return stays, Repair(tuple(damages), any(line.startswith(BYTE_ORDER_MARK) for line, _entry in good))


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
