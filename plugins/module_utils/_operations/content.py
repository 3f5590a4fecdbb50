# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is to be signed: inspected, and turned into the message for KMS in one pass over it."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO, TypeVar

from .._pki.errors import SpecError
from .._signer.structures import structure_of, structure_of_file
from .._signer.verify import Hasher

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cryptography.utils import Buffer

    from .._signer.algorithms import AlgorithmRow, PublicKey
    from .._signer.specs import Content

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

CHUNK = 1024 * 1024
"""Bytes read at once; such a buffer is all that a file of any size takes."""

WORTH_A_THREAD = 256 * 1024
"""Bytes; what is smaller is hashed faster than it is handed to another thread."""


@dataclass(frozen=True)
class Prepared:
    """Content as KMS gets it.

    Attributes:
        message: digest, mu or the content itself, as *message_type* says.
        sha256: of the content, lower-case hex, or of its digest where nothing else is known; empty where nobody asked.
    """

    message: bytes
    message_type: str
    sha256: str


def prepare_content(
    content: Content,
    row: AlgorithmRow,
    message_type: str,
    public_key: PublicKey | None,
    record: bool,
    to_sign: bool = True,
) -> Prepared:
    """Return what is sent to KMS for *content*, in flat memory.

    Args:
        message_type: empty for the algorithm's own.
        record: whether the SHA-256 is wanted too.
        to_sign: refuse what must not be signed as a file; False where a signature is only verified.
    Raises:
        SpecError: it cannot be read, is empty, changes while it is read, must not be signed as a file, or is too long
            for the message type.
    """
    if content.digest_algorithm:
        return _prepare_digest(content, row)
    hasher = Hasher(row, message_type, public_key)
    if content.data is not None:
        if to_sign:
            check_signable(content.name, len(content.data), structure_of(content.data))
        return _prepare(content.name, BytesIO(content.data), len(content.data), row, hasher, record)
    with steady_file(content.name) as (file, size):
        if to_sign:
            check_signable(content.name, size, structure_of_file(file))
        return _prepare(content.name, file, size, row, hasher, record)


def check_signable(name: str, size: int, structure: str) -> None:
    """Refuse what nobody means to sign as a file."""
    if size == 0:
        raise SpecError(f"{name}: is empty, there is nothing to sign")
    if structure:
        raise SpecError(
            f"{name}: is a {structure}; signed as a file it would be a forged certificate, CRL, OCSP response,"
            " request or CMS message. Issue it with the module made for it"
        )


def _prepare_digest(content: Content, row: AlgorithmRow) -> Prepared:
    wanted = {"DIGEST": row.hash, "EXTERNAL_MU": "mu"}.get(row.message_type, "")
    if content.digest_algorithm != wanted:
        way_out = f"it signs {wanted}" if wanted else "it signs no digest; give the content"
        raise SpecError(f"digest_algorithm {content.digest_algorithm}: does not fit {row.name}; {way_out}")
    sha256 = content.digest if row.hash == "sha256" else hashlib.sha256(content.digest).digest()
    return Prepared(content.digest, row.message_type, sha256.hex())


def _prepare(name: str, file: BinaryIO, size: int, row: AlgorithmRow, hasher: Hasher, record: bool) -> Prepared:
    same = row.hash == "sha256" and hasher.message_type == "DIGEST"
    sha256 = hashlib.sha256() if record and not same else None
    try:
        feed_all(file, size, [hasher.update, *([sha256.update] if sha256 else [])])
    except SpecError as exc:
        raise SpecError(f"{name}: {exc}") from exc
    message = hasher.finish()
    told = sha256.hexdigest() if sha256 else message.hex() if record else ""
    return Prepared(message, hasher.message_type, told)


def of_each_file(work: Callable[[_Item], _Result], items: Sequence[_Item], paths: Sequence[str]) -> list[_Result]:
    """Return what *work* makes of each of *items*: large files on all cores, the small ones meanwhile in a row.

    Args:
        paths: the files that *items* are about, in the same order; no matter whether they are there.
    """
    made: dict[int, _Result] = {}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        large = {place: pool.submit(work, items[place]) for place, path in enumerate(paths) if _is_large(path)}
        for place, item in enumerate(items):
            if place not in large:
                made[place] = work(item)
    return [large[place].result() if place in large else made[place] for place in range(len(items))]


def _is_large(path: str) -> bool:
    try:
        return os.stat(path).st_size >= WORTH_A_THREAD
    except (OSError, ValueError):
        return False  # whoever reads it says so


def hash_file(path: str, algorithm: str) -> bytes:
    """Return the digest of a file.

    Raises:
        SpecError: it cannot be read, or changes while it is read.
    """
    digest = hashlib.new(algorithm)
    with steady_file(path) as (file, size):
        feed_all(file, size, [digest.update])
    return digest.digest()


@contextmanager
def steady_file(path: str) -> Iterator[tuple[BinaryIO, int]]:
    """Open a regular file and give its size; where it changed before the block ends, that is an error.

    Raises:
        SpecError: it cannot be read, is no regular file, or changed.
    """
    try:
        with open(path, "rb", buffering=0, opener=_open_at_once) as file:
            before = os.fstat(file.fileno())
            if not stat.S_ISREG(before.st_mode):
                raise SpecError(f"{path}: not a regular file")
            yield file, before.st_size
            if _identity(os.fstat(file.fileno())) != _identity(before):
                raise SpecError(f"{path}: changed while it was read; run again when it is complete")
    except OSError as exc:
        raise SpecError(f"{path}: cannot be read ({exc.strerror})") from exc


def _open_at_once(path: str, flags: int) -> int:
    """Open without waiting for somebody to write into a pipe."""
    return os.open(path, flags | os.O_NONBLOCK)


def _identity(found: os.stat_result) -> tuple[int, int, int]:
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns


def feed_all(file: BinaryIO, size: int, takers: Sequence[Callable[[Buffer], object]]) -> None:
    """Give the whole of *file* to each of *takers*, who work on the same piece at the same time."""
    first, *others = takers
    if size <= CHUNK:
        data = file.read()
        for taker in takers:
            taker(data)
        return
    buffer = bytearray(CHUNK)
    with ThreadPoolExecutor(max(1, len(others))) as pool:
        while length := file.readinto(buffer):  # type: ignore[attr-defined]  # raw files and BytesIO have it
            piece = memoryview(buffer)[:length]
            working = [pool.submit(taker, piece) for taker in others]
            first(piece)
            for one in working:
                one.result()
