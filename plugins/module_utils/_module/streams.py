# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files of any size that a module writes, all or nothing."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from typing import Any

from .._pki.errors import SpecError


def write_pieces(module: Any, path: str, pieces: Iterable[bytes | memoryview]) -> None:
    """Replace *path* atomically with *pieces*.

    Raises:
        SpecError: the folder cannot be written, or its disk is full; then *path* is as it was.
        PkiError: what *pieces* raises; then too.
    """
    put_in_place(module, path, written_beside(module, path, pieces))


def written_beside(module: Any, path: str, pieces: Iterable[bytes | memoryview]) -> str:
    """Write *pieces* to a temporary file beside *path* and return its path.

    It may be too large for elsewhere, and a disk that is full is told before anything is replaced.

    Raises:
        SpecError, PkiError: as for write_pieces().
    """
    folder = os.path.dirname(os.path.abspath(path))
    try:
        os.makedirs(folder, exist_ok=True)
        elsewhere = module.params["unsafe_writes"] and not os.access(folder, os.W_OK | os.X_OK)
        handle, temporary = tempfile.mkstemp(dir=module.tmpdir if elsewhere else folder, prefix=".ansible_tmp")
        module.add_cleanup_file(temporary)
        with os.fdopen(handle, "wb") as stream:
            for piece in pieces:
                stream.write(piece)
    except OSError as exc:
        raise SpecError(f"{path}: cannot be written ({exc.strerror}); check the folder and its disk") from exc
    return temporary


def put_in_place(module: Any, path: str, temporary: str, *, secret: bool = False) -> None:
    """Replace *path* atomically with what written_beside() wrote.

    Args:
        secret: keep nothing of the mode, owner and ACL of the file that is replaced.
    """
    unsafe = module.params["unsafe_writes"]
    module.atomic_move(temporary, os.path.abspath(path), unsafe_writes=unsafe, keep_dest_attrs=not secret)
