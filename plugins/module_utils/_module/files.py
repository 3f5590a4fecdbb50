# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files that a module keeps: compared as bytes, replaced atomically, with the user's mode and owner."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._pki.errors import SpecError
from .._pki.plan import Change
from .._pki.problems import try_all
from .streams import put_in_place, written_beside


@dataclass(frozen=True)
class KeptFile:
    """One file as it should be.

    Attributes:
        content: None while it is not known yet.
        label: what it holds, for the diff.
        secret: it keeps nothing of the mode, owner and ACL of the file that it replaces.
    """

    path: str
    content: bytes | None
    label: str
    secret: bool = False

    def change(self) -> tuple[Change, ...]:
        """Return the change that writing it would be; the diff names the file, never its bytes."""
        before = read_if_there(self.path)
        if before is not None and before == self.content:
            return ()
        return (Change(self.label, None if before is None else f"{self.path} (other content)", self.path),)


def read_file(path: str) -> bytes:
    """Return the bytes of *path*.

    Raises:
        SpecError: it cannot be read; the message says why.
    """
    try:
        return Path(path).read_bytes()
    except OSError as exc:
        raise SpecError(f"{path}: cannot be read ({exc.strerror})") from exc
    except ValueError as exc:
        raise SpecError(f"{path!r}: is no path ({exc})") from exc


def octets_of(text: str, option: str) -> bytes:
    """Return the octets that Ansible read into *text*: those that are no UTF-8, as in DER, came as surrogates.

    Raises:
        SpecError: it is text that no file can hold.
    """
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as exc:
        raise SpecError(f"{option}: holds half a character (a lone surrogate); give PEM") from exc


def read_if_there(path: str) -> bytes | None:
    """Return the bytes of *path*, or None where there is no such file."""
    return read_file(path) if os.path.exists(path) else None


def check_writable(path: str, option: str = "") -> None:
    """Refuse a place where no file can be put, before anything is signed for it.

    Args:
        option: that named the place, for the message.
    """
    if "\0" in path:
        raise SpecError(f"{path!r}: is no path, it has a NUL in it")
    what = f"{option} {path}".strip()
    folder = os.path.dirname(os.path.abspath(path))
    while not os.path.lexists(folder):
        folder = os.path.dirname(folder)
    if os.path.isdir(path):
        raise SpecError(f"{what}: is a folder; name a file in it")
    if not os.path.isdir(folder) or not os.access(folder, os.W_OK | os.X_OK):
        raise SpecError(f"{what}: cannot be written, {folder} is not a folder or not writable")


def unwritable(paths: Iterable[str], option: str) -> list[str]:
    """Return why no file can be put at those of *paths* where that is so."""
    return try_all(lambda path: check_writable(path, option), paths)[1]


def write_file(module: Any, path: str, content: bytes, backup: bool = False, *, secret: bool = False) -> str | None:
    """Replace *path* atomically and return the name of the backup, if one was made.

    Args:
        secret: keep nothing of the mode, owner and ACL of the file that is replaced.
    Raises:
        SpecError: the folder cannot be written, or its disk is full; then *path* is as it was.
    """
    temporary = written_beside(module, path, [content])
    backup_file: str | None = module.backup_local(path) if backup and os.path.exists(path) else None
    put_in_place(module, path, temporary, secret=secret)
    return backup_file


def file_changes(files: Sequence[KeptFile]) -> tuple[Change, ...]:
    return tuple(change for file in files for change in file.change())


def write_files(module: Any, files: Sequence[KeptFile], backup: bool = False) -> dict[str, Any]:
    """Write those of *files* that differ; return their backups as the result `backup_files`, where there are any."""
    backups = [
        write_file(module, file.path, file.content, backup, secret=file.secret)
        for file in files
        if file.content is not None and file.change()
    ]
    kept = [backup_file for backup_file in backups if backup_file]
    return {"backup_files": kept} if kept else {}


def attribute_changes(module: Any, paths: Sequence[str]) -> tuple[Change, ...]:
    """Return what apply_attributes() will change in those of *paths* that exist now, each with the file that it is of.

    A copy of the module tells it that is in check mode, so that this is the same in check mode and outside of it.
    """
    trial = copy(getattr(module, "_module", module))  # AnsibleAWSModule is around the one that knows
    trial.check_mode = True
    changes: list[Change] = []
    for path in filter(os.path.exists, paths):
        diff: dict[str, dict[str, Any]] = {"before": {}, "after": {}}
        trial.set_fs_attributes_if_different(trial.load_file_common_arguments(trial.params, path=path), False, diff)
        changes += [Change(f"{path}: {name}", diff["before"].get(name), value) for name, value in diff["after"].items()]
    return tuple(changes)


def apply_attributes(module: Any, paths: Sequence[str], changed: bool) -> bool:
    """Give the files among *paths* that exist the mode and owner of the task; return whether anything changed."""
    for path in paths:
        if os.path.exists(path):
            arguments = module.load_file_common_arguments(module.params, path=path)
            changed = module.set_fs_attributes_if_different(arguments, changed)
    return changed
