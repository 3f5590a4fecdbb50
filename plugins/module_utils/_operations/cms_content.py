# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The content of a CMS message, read once for its digests and once more to be written."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO

from .._pki.errors import SpecError
from .._signer.cms import SMIME
from .._signer.structures import structure_of, structure_of_file
from .cms_writing import entity_pieces, entity_size
from .content import CHUNK, check_signable, feed_all, steady_file

if TYPE_CHECKING:
    from .._signer.cms import CmsSpec
    from .._signer.specs import Content


@dataclass(frozen=True)
class ContentFacts:
    """What is known of a content: its octets as they are signed, and their digests by hashlib's names."""

    size: int
    digests: Mapping[str, bytes]


@contextmanager
def open_content(content: Content) -> Iterator[tuple[BinaryIO, int]]:
    """Open the content and give its size; a file that changes before the block ends is an error.

    Raises:
        SpecError: it cannot be read, or changed.
    """
    if content.data is not None:
        yield BytesIO(content.data), len(content.data)
        return
    with ExitStack() as stack:
        yield stack.enter_context(steady_file(content.name))


def hash_content(spec: CmsSpec) -> ContentFacts:
    """Return the digests that the signers of *spec* need, in one pass and in flat memory.

    Raises:
        SpecError: it cannot be read, is empty, changes while it is read, or must not be signed as a file.
    """
    digests = {name: hashlib.new(name) for name in spec.hash_names}
    content = spec.content
    with open_content(content) as (file, size):
        kind = structure_of_file(file) if content.data is None else structure_of(content.data)
        check_signable(content.name, size, kind)
        signed_size = entity_size(content.name, size) if spec.form == SMIME else size
        if spec.form == SMIME:
            for piece in entity_pieces(content.name, pieces_of(file)):
                for digest in digests.values():
                    digest.update(piece)
        else:
            feed_all(file, size, [digest.update for digest in digests.values()])
    return ContentFacts(signed_size, {name: digest.digest() for name, digest in digests.items()})


def digests_of(pieces: Iterable[bytes | memoryview], names: Iterable[str]) -> dict[str, bytes]:
    """Return the digests of *pieces* by hashlib's names."""
    digests = {name: hashlib.new(name) for name in names}
    for piece in pieces:
        for digest in digests.values():
            digest.update(piece)
    return {name: digest.digest() for name, digest in digests.items()}


def same_pieces(spec: CmsSpec, facts: ContentFacts) -> Iterator[bytes | memoryview]:
    """Yield the content as it is signed.

    Raises:
        SpecError: at the end, where it is no longer what was hashed.
    """
    name = spec.hash_names[0]
    digest = hashlib.new(name)
    with ExitStack() as stack:
        file, _size = stack.enter_context(open_content(spec.content))
        plain = pieces_of(file)
        for piece in entity_pieces(spec.content.name, plain) if spec.form == SMIME else plain:
            digest.update(piece)
            yield piece
    if digest.digest() != facts.digests[name]:
        raise SpecError(f"{spec.content.name}: changed after it was signed; run again when it is complete")


def pieces_of(file: BinaryIO) -> Iterator[memoryview]:
    """Yield the whole of *file*; each piece is gone when the next one is asked for."""
    buffer = bytearray(CHUNK)
    while length := file.readinto(buffer):  # type: ignore[attr-defined]  # raw files and BytesIO have it
        yield memoryview(buffer)[:length]
