# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of a signature over files, and what they mean."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from .._pki.errors import SpecError
from .._signer.algorithms import ALGORITHMS
from .._signer.specs import Content, SignatureSpec
from .files import read_file

MESSAGE_TYPES = {"auto": "", "raw": "RAW", "digest": "DIGEST", "external_mu": "EXTERNAL_MU"}

LARGEST_SIGNATURE = 16 * 1024
"""Bytes; what is larger is no signature, and is not read to find out."""

SIGNATURE_OPTIONS: dict[str, dict[str, Any]] = {
    "key_id": {"type": "str", "required": True},
    "src": {"type": "path"},
    "content": {"type": "str", "no_log": False},
    "dest": {"type": "path"},
    "signing_algorithm": {"type": "str", "choices": list(ALGORITHMS)},
    "message_type": {"type": "str", "default": "auto", "choices": list(MESSAGE_TYPES)},
    "public_key_path": {"type": "path"},
    "ledger_path": {"type": "path"},
}


def to_signature_spec(params: Mapping[str, Any]) -> SignatureSpec:
    """Return the signature that the task asks for.

    Raises:
        SpecError: dest is the file to be signed, or cannot be written.
    """
    src, content, dest = params["src"], params["content"], params["dest"] or ""
    if src and dest and os.path.realpath(src) == os.path.realpath(dest):
        raise SpecError(f"dest {dest}: is the file to be signed; name another one, such as {src}.sig")
    if dest:
        check_writable(dest)
    return SignatureSpec(
        content=Content("content", content.encode()) if src is None else Content(src),
        dest=dest,
        signing_algorithm=params["signing_algorithm"] or "",
        message_type=MESSAGE_TYPES[params["message_type"]],
    )


def check_writable(dest: str) -> None:
    """Refuse a place where no file can be put, before anything is signed for it."""
    folder = os.path.dirname(os.path.abspath(dest))
    while not os.path.lexists(folder):
        folder = os.path.dirname(folder)
    if os.path.isdir(dest):
        raise SpecError(f"dest {dest}: is a folder; name a file in it")
    if not os.path.isdir(folder) or not os.access(folder, os.W_OK | os.X_OK):
        raise SpecError(f"dest {dest}: cannot be written, {folder} is not a folder or not writable")


def read_current(dest: str) -> bytes | None:
    """Return what is at dest; nothing at all of something larger than any signature, None where there is nothing."""
    if not dest or not os.path.exists(dest):
        return None
    return read_file(dest) if os.path.getsize(dest) <= LARGEST_SIGNATURE else b""


def read_if_there(path: str | None, option: str, missing: list[str]) -> bytes | None:
    """Return the content of the file that *option* names; a missing one is noted and is an error outside check mode."""
    if path is None:
        return None
    if not os.path.exists(path):
        missing.append(f"{option} {path} does not exist yet")
        return None
    return read_file(path)
