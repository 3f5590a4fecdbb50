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
    """Replace *path* atomically with *pieces*, which are written beside it first: it may be too large for elsewhere.

    Raises:
        SpecError: the folder cannot be written.
        PkiError: what *pieces* raises; then *path* is as it was.
    """
    whole = os.path.abspath(path)
    try:
        os.makedirs(os.path.dirname(whole), exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=os.path.dirname(whole), prefix=".ansible_tmp")
        module.add_cleanup_file(temporary)
        with os.fdopen(handle, "wb") as stream:
            for piece in pieces:
                stream.write(piece)
    except OSError as exc:
        raise SpecError(f"{path}: cannot be written ({exc.strerror}); check the folder") from exc
    module.atomic_move(temporary, whole, unsafe_writes=module.params["unsafe_writes"])
