# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A file that only grows, line by line: locked, synced, healed where a crash tore the last line."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .._pki.errors import LedgerError

_RETRY_SECONDS = 0.01
_BLOCK = 64 * 1024


@dataclass(frozen=True)
class LockedFile:
    """The file while nobody else writes to it.

    Attributes:
        is_whole: tells whether a last line without its newline is whole all the same.
    """

    path: Path
    descriptor: int
    is_whole: Callable[[bytes], bool]

    def stamp(self) -> str:
        """Return what changes whenever somebody writes to the file."""
        return stamp_of(self.descriptor)

    def append(self, line: bytes) -> None:
        """Add *line*, which ends with a newline, and return when it is on disk.

        Raises:
            LedgerError: it could not be written; the file says what it said before.
        """
        try:
            self._heal()
            end = os.fstat(self.descriptor).st_size
            try:
                write_all(self.descriptor, line)
                os.fsync(self.descriptor)
            except OSError:
                os.ftruncate(self.descriptor, end)
                raise
        except OSError as exc:
            raise LedgerError(
                f"{self.path}: the ledger cannot be written: {exc.strerror}; nothing was recorded"
            ) from exc

    def _heal(self) -> None:
        """Give a last line its newline, or move what a crash left of it aside."""
        torn = self._behind_last_newline()
        if torn and self.is_whole(torn):
            write_all(self.descriptor, b"\n")
        elif torn:
            aside = os.open(torn_path(self.path), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
            try:
                write_all(aside, torn + b"\n")
                os.fsync(aside)
            finally:
                os.close(aside)
            os.ftruncate(self.descriptor, os.fstat(self.descriptor).st_size - len(torn))

    def _behind_last_newline(self) -> bytes:
        at = os.fstat(self.descriptor).st_size
        found = b""
        while at and b"\n" not in found:
            start = max(0, at - _BLOCK)
            found = os.pread(self.descriptor, at - start, start) + found
            at = start
        return found[found.rfind(b"\n") + 1 :]


def real_path(path: Path) -> Path:
    """Return the file that a symbolic link stands for, *path* itself where it is none.

    Whatever goes with a file lies beside the real one, so that it is the same for all who use it.
    """
    return Path(os.path.realpath(path)) if os.path.islink(path) else path


def stamp_of(descriptor: int) -> str:
    """Return identity, size and times of an open file."""
    stat = os.fstat(descriptor)
    return f"{stat.st_dev}:{stat.st_ino}:{stat.st_size}:{stat.st_mtime_ns}:{stat.st_ctime_ns}"


def torn_path(path: Path) -> Path:
    """Return where the torn last lines of *path* are kept."""
    path = real_path(path)
    return path.with_name(f"{path.name}.torn")


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of *data*, in several pieces where the system takes only some of it."""
    while data:
        data = data[os.write(descriptor, data) :]


def sync_folder(folder: Path) -> None:
    """Put a folder's new names on disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def locked(path: Path, timeout: float, is_whole: Callable[[bytes], bool]) -> Iterator[LockedFile]:
    """Hold the file's lock; make the file where there is none.

    Args:
        timeout: seconds to wait for another process.
    Raises:
        LedgerError: the file cannot be opened for writing, or another process holds the lock all the time.
    """
    deadline = time.monotonic() + timeout
    while True:
        descriptor = _open(path)
        try:
            if _try_lock(path, descriptor) and _is_at(path, descriptor):
                yield LockedFile(path, descriptor, is_whole)
                return
            if time.monotonic() >= deadline:
                raise LedgerError(
                    f"{path}: the ledger was locked by {_lock_owner(descriptor)} for the {timeout:g} s that this run "
                    "waited; run again when that has ended"
                )
        finally:
            os.close(descriptor)
        time.sleep(_RETRY_SECONDS)


def _open(path: Path) -> int:
    flags = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC
    folder = real_path(path).parent
    try:
        try:
            return os.open(path, flags)
        except FileNotFoundError:
            descriptor = os.open(path, flags | os.O_CREAT, 0o644)
            sync_folder(folder)
            return descriptor
    except FileNotFoundError as exc:
        raise LedgerError(f"{path}: there is no folder {folder} for the ledger; create it first") from exc
    except OSError as exc:
        raise LedgerError(f"{path}: the ledger cannot be opened for writing: {exc.strerror}") from exc


def _try_lock(path: Path, descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as exc:
        if exc.errno == errno.EWOULDBLOCK:
            return False
        raise LedgerError(f"{path}: the ledger cannot be locked: {exc.strerror}") from exc
    return True


def _is_at(path: Path, descriptor: int) -> bool:
    """Tell whether the path still names the locked file: Git and repairs put another one there."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _lock_owner(descriptor: int) -> str:
    """Return who holds the lock, as far as proc(5), locks, tells."""
    unknown = "another process, perhaps on another machine that shares the folder,"
    try:
        with open("/proc/locks", encoding="ascii") as locks:
            rows = [line.split() for line in locks]
    except OSError:
        return unknown
    inode = str(os.fstat(descriptor).st_ino)
    # 1: FLOCK  ADVISORY  WRITE 4711 fd:01:131073 0 EOF; one that waits has -> in the second place
    owners = [row[4] for row in rows if len(row) > 5 and row[1] == "FLOCK" and row[5].rpartition(":")[2] == inode]
    if not owners or int(owners[0]) <= 0:
        return unknown
    return f"process {owners[0]}{_command(owners[0])}"


def _command(pid: str) -> str:
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as comm:
            return f" ({comm.read().strip()})"
    except OSError:
        return ""
