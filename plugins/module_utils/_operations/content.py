# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is to be signed: inspected, and turned into the message for KMS in one pass over it."""

from __future__ import annotations

import hashlib
import os
import stat
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO

from .._pki.errors import SpecError
from .._signer.structures import structure_of, structure_of_file
from .._signer.verify import Hasher

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from cryptography.utils import Buffer

    from .._signer.algorithms import AlgorithmRow, PublicKey
    from .._signer.specs import Content

CHUNK = 1024 * 1024
"""Bytes read at once; two such buffers are all that a file of any size takes."""


@dataclass(frozen=True)
class Prepared:
    """Content as KMS gets it.

    Attributes:
        message: digest, mu or the content itself, as *message_type* says.
        sha256: of the content, lower-case hex; empty where nobody asked for it.
    """

    message: bytes
    message_type: str
    sha256: str


def prepare_content(
    content: Content, row: AlgorithmRow, message_type: str, public_key: PublicKey | None, record: bool
) -> Prepared:
    """Return what is sent to KMS for *content*, in flat memory.

    Args:
        message_type: empty for the algorithm's own.
        record: whether the SHA-256 is wanted too.
    Raises:
        SpecError: it cannot be read, is empty, changes while it is read, must not be signed as a file, or is too long
            for the message type.
    """
    if content.data is not None:
        check_signable(content.name, len(content.data), structure_of(content.data))
        return _prepare(BytesIO(content.data), len(content.data), row, message_type, public_key, record)
    try:
        with open(content.name, "rb", buffering=0, opener=_open_at_once) as file:
            before = os.fstat(file.fileno())
            if not stat.S_ISREG(before.st_mode):
                raise SpecError(f"{content.name}: not a regular file")
            check_signable(content.name, before.st_size, structure_of_file(file))
            prepared = _prepare(file, before.st_size, row, message_type, public_key, record)
            if _identity(os.fstat(file.fileno())) != _identity(before):
                raise SpecError(f"{content.name}: changed while it was read; run again when it is complete")
    except OSError as exc:
        raise SpecError(f"{content.name}: cannot be read ({exc.strerror})") from exc
    return prepared


def check_signable(name: str, size: int, structure: str) -> None:
    """Refuse what nobody means to sign as a file."""
    if size == 0:
        raise SpecError(f"{name}: is empty, there is nothing to sign")
    if structure:
        raise SpecError(
            f"{name}: is a {structure}; signed as a file it would be a forged certificate, CRL, OCSP response or"
            " request. Issue it with the module made for it"
        )


def _open_at_once(path: str, flags: int) -> int:
    """Open without waiting for somebody to write into a pipe."""
    return os.open(path, flags | os.O_NONBLOCK)


def _identity(found: os.stat_result) -> tuple[int, int, int]:
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _prepare(
    file: BinaryIO, size: int, row: AlgorithmRow, message_type: str, public_key: PublicKey | None, record: bool
) -> Prepared:
    hasher = Hasher(row, message_type, public_key)
    same = row.hash == "sha256" and hasher.message_type == "DIGEST"
    sha256 = hashlib.sha256() if record and not same else None
    feed_all(file, size, [hasher.update, *([sha256.update] if sha256 else [])])
    message = hasher.finish()
    told = sha256.hexdigest() if sha256 else message.hex() if record else ""
    return Prepared(message, hasher.message_type, told)


def feed_all(file: BinaryIO, size: int, takers: list[Callable[[Buffer], object]]) -> None:
    """Give the whole of *file* to each of *takers*; one piece is read while the one before is worked on."""
    if size <= CHUNK:
        data = file.read()
        for taker in takers:
            taker(data)
        return
    buffers = [bytearray(CHUNK), bytearray(CHUNK)]
    with ThreadPoolExecutor(len(takers)) as pool:
        working: list[Future[object]] = []
        while length := file.readinto(buffers[0]):  # type: ignore[attr-defined]  # raw files and BytesIO have it
            _finish(working)
            piece = memoryview(buffers[0])[:length]
            working = [pool.submit(taker, piece) for taker in takers]
            buffers.reverse()
        _finish(working)


def _finish(working: list[Future[object]]) -> None:
    wait(working)
    for one in working:
        one.result()
