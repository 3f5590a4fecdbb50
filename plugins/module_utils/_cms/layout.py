# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the content stands in a message, so that content of any size need not be in memory.

The library encodes the message with an empty content. To put the content there, or to take it out again, means new
lengths for the six values around it and nothing else; that they are those which the library would have written is
tested against it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from .._pki.der import header

if TYPE_CHECKING:
    from collections.abc import Callable

    Read = Callable[[int, int], bytes]
    """Give the octets at a place, that many of them; fewer at the end."""

SEQUENCE, SET, INTEGER, OID, OCTET_STRING, EXPLICIT_0 = 0x30, 0x31, 0x02, 0x06, 0x04, 0xA0
INDEFINITE = 0x80

PATH = (
    (SEQUENCE,),  # ContentInfo
    (OID, EXPLICIT_0),
    (SEQUENCE,),  # SignedData
    (INTEGER, SET, SEQUENCE),  # version, digestAlgorithms, EncapsulatedContentInfo
    (OID, EXPLICIT_0),
    (OCTET_STRING,),
)
"""The way to the content, level by level: the tags of what stands before, and of the value that is entered."""

LARGEST_HEADER = 10
LARGEST_SKELETON = 8 * 1024 * 1024
"""Octets of a message without its content: certificates and signatures, ten thousand of them."""


class LayoutError(ValueError):
    """It is not a message in DER."""


@dataclass(frozen=True)
class Span:
    """One value: where it begins, where its content does, and where it ends."""

    tag: int
    start: int
    content: int
    end: int


def read_span(read: Read, at: int, limit: int) -> Span:
    """Return the value that begins at *at* and ends at *limit* at the latest.

    Raises:
        LayoutError: there is none, or it is not DER.
    """
    octets = read(at, min(LARGEST_HEADER, limit - at)) if at < limit else b""
    if len(octets) < 2:
        raise LayoutError("it ends too early")
    if octets[1] == INDEFINITE:
        raise LayoutError(
            "it is BER with lengths that are not told; `openssl cms -cmsout -outform DER` makes DER of it"
        )
    more = octets[1] & 0x7F if octets[1] & 0x80 else 0
    length = int.from_bytes(octets[2 : 2 + more], "big") if more else octets[1]
    if octets[: 2 + more] != header(octets[0], length):
        raise LayoutError("a length is not written as DER wants it")
    if at + 2 + more + length > limit:
        raise LayoutError("it ends too early")
    return Span(octets[0], at, at + 2 + more, at + 2 + more + length)


def path_to_content(read: Read, size: int) -> tuple[Span, ...]:
    """Return the values around the content, the outermost first and the content last; it is empty where detached.

    Raises:
        LayoutError: it is not a message of signed data in DER, or something follows it.
    """
    way: list[Span] = []
    limit, at = size, 0
    for level, tags in enumerate(PATH):
        for tag in tags:
            if level == len(PATH) - 2 and tag == EXPLICIT_0 and at == limit:
                return ()
            span = read_span(read, at, limit)
            if span.tag != tag:
                raise LayoutError("it is no CMS signed data")
            at = span.end
        way.append(span)
        if level == 0 and span.end != size:
            raise LayoutError("something follows behind its end")
        at, limit = span.content, span.end
    if way[-1].end != way[-2].end:
        raise LayoutError("it is no CMS signed data")
    return tuple(way)


def around(read: Read, way: tuple[Span, ...], size: int) -> tuple[bytes, bytes]:
    """Return what stands before and behind the content if that has *size* octets.

    Raises:
        LayoutError: it is larger than any message.
    """
    beside = sum(outer.end - outer.content - (inner.end - inner.start) for outer, inner in _nested(way))
    if beside > LARGEST_SKELETON:
        raise LayoutError(f"it has more than {LARGEST_SKELETON} octets beside its content")
    before, behind = header(way[-1].tag, size), b""
    for outer, inner in reversed(_nested(way)):
        before = read(outer.content, inner.start - outer.content) + before
        behind += read(inner.end, outer.end - inner.end)
        before = header(outer.tag, len(before) + size + len(behind)) + before
    return before, behind


def _nested(way: tuple[Span, ...]) -> list[tuple[Span, Span]]:
    return list(pairwise(way))


def reader_of(octets: bytes) -> Read:
    return lambda at, length: octets[at : at + length]
