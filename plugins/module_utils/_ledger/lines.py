# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A file that only grows, line by line: locked, synced, healed where a crash tore the last line."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .._pki.errors import LedgerError
from .codec import complete

_RETRY_SECONDS = 0.02


def read_bytes(path: Path) -> bytes:
    """Return the file's content, nothing where there is no file.

    Raises:
        LedgerError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as exc:
        raise LedgerError(f"{path}: the ledger cannot be read: {exc.strerror}") from exc


@dataclass(frozen=True)
class LockedFile:
    """The file while nobody else writes to it."""

    path: Path
    descriptor: int

    def content(self) -> bytes:
        with os.fdopen(os.dup(self.descriptor), "rb") as file:
            file.seek(0)
            return file.read()

    def append(self, line: bytes) -> None:
        """Add *line*, which ends with a newline, and return when it is on disk.

        Raises:
            LedgerError: it could not be written; the file is as before.
        """
        try:
            end = self._heal()
            try:
                _write_all(self.descriptor, line)
                os.fsync(self.descriptor)
            except OSError:
                os.ftruncate(self.descriptor, end)
                raise
        except OSError as exc:
            raise LedgerError(
                f"{self.path}: the ledger cannot be written: {exc.strerror}; nothing was recorded"
            ) from exc

    def _heal(self) -> int:
        """Give a last line its newline, or move what a crash left of it aside; return the file's size."""
        content = self.content()
        kept = content.rfind(b"\n") + 1
        torn = content[kept:]
        if not torn:
            return kept
        if complete(torn):
            _write_all(self.descriptor, b"\n")
            return len(content) + 1
        aside = os.open(self.path.with_name(f"{self.path.name}.torn"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            _write_all(aside, torn + b"\n")
            os.fsync(aside)
        finally:
            os.close(aside)
        os.ftruncate(self.descriptor, kept)
        return kept


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


@contextmanager
def locked(path: Path, timeout: float) -> Iterator[LockedFile]:
    """Hold the file's lock; make the file where there is none.

    Raises:
        LedgerError: the file cannot be opened for writing, or another process holds the lock for longer than *timeout*.
    """
    descriptor = _open_locked(path, time.monotonic() + timeout, timeout)
    try:
        yield LockedFile(path, descriptor)
    finally:
        os.close(descriptor)


def _open_locked(path: Path, deadline: float, timeout: float) -> int:
    while True:
        descriptor = _open(path)
        if _try_lock(descriptor) and _same_file(path, descriptor):
            return descriptor
        os.close(descriptor)
        if time.monotonic() >= deadline:
            raise LedgerError(f"{path}: the ledger is locked by another process for {timeout:g} s")
        time.sleep(_RETRY_SECONDS)


def _open(path: Path) -> int:
    flags = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC
    try:
        try:
            return os.open(path, flags)
        except FileNotFoundError:
            descriptor = os.open(path, flags | os.O_CREAT, 0o644)
            _sync_folder(path.parent)
            return descriptor
    except OSError as exc:
        raise LedgerError(f"{path}: the ledger cannot be written: {exc.strerror}") from exc


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as exc:
        if exc.errno in (errno.EWOULDBLOCK, errno.EACCES, errno.EINTR):
            return False
        raise
    return True


def _same_file(path: Path, descriptor: int) -> bool:
    """Tell whether the path still names the locked file: Git and repair replace it."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False
