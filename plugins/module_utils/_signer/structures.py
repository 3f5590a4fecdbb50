# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Recognises the structures whose signature is a certificate, a CRL, an OCSP response, a request or a CMS message.

Who gets one of them signed as a file has forged it. So this reads tags and lengths as the laxest verifier does (BER:
lengths of any form, constructed strings) and looks at the outline alone: what a strict parser would refuse further
inside is recognised all the same. Content of any size is read at a few places; see `Outline`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

MOST_ELEMENTS = 200_000
"""Elements that are walked through, to find the end of one of indefinite length or a certain attribute of a set."""

DEEPEST = 64
"""Levels of such elements inside each other."""

_HEADER = 2 + 126
"""Octets of an identifier and the longest length (X.690 8.1.3.5)."""


@dataclass(frozen=True)
class Outline:
    """What a SEQUENCE has to hold, in order: alternatives of tags for each element, and what is inside them.

    Attributes:
        tags: allowed identifier octets without the bit that says "constructed", which OpenSSL does not always read.
        optional: whether the element may be missing.
        inside: outlines of the first elements inside; more may follow unless *exact*.
        exact: nothing may follow what *inside* lists.
    """

    tags: tuple[int, ...]
    optional: bool = False
    inside: tuple[Outline, ...] = ()
    exact: bool = False


def _maybe(outline: Outline) -> Outline:
    return Outline(outline.tags, True, outline.inside, outline.exact)


_CONSTRUCTED = 0x20
_INTEGER = Outline((0x02,))
_BIT_STRING = Outline((0x03,))
_GENERALIZED_TIME = Outline((0x18,))
_TIME = Outline((0x17, 0x18))
_SEQUENCE = Outline((0x10,))
_ALGORITHM = Outline((0x10,), inside=(Outline((0x06,)),))
_PUBLIC_KEY = Outline((0x10,), inside=(_ALGORITHM, _BIT_STRING), exact=True)
_VALIDITY = Outline((0x10,), inside=(_TIME, _TIME), exact=True)


def _context(*numbers: int) -> Outline:
    return Outline(tuple(0x80 | number for number in numbers))


STRUCTURES: dict[str, Outline] = {
    # RFC 5280 4.1
    "TBSCertificate": Outline(
        (0x10,),
        inside=(
            _maybe(_context(0)),
            _INTEGER,
            _ALGORITHM,
            _SEQUENCE,
            _VALIDITY,
            _SEQUENCE,
            _PUBLIC_KEY,
            _maybe(_context(1)),
            _maybe(_context(2)),
            _maybe(_context(3)),
        ),
        exact=True,
    ),
    # RFC 5280 5.1
    "TBSCertList": Outline(
        (0x10,),
        inside=(_maybe(_INTEGER), _ALGORITHM, _SEQUENCE, _TIME, _maybe(_TIME), _maybe(_SEQUENCE), _maybe(_context(0))),
        exact=True,
    ),
    # RFC 6960 4.2.1
    "OCSP ResponseData": Outline(
        (0x10,),
        inside=(_maybe(_context(0)), _context(1, 2), _GENERALIZED_TIME, _SEQUENCE, _maybe(_context(1))),
        exact=True,
    ),
    # RFC 2986 4.1
    "CertificationRequestInfo": Outline(
        (0x10,), inside=(_INTEGER, _SEQUENCE, _PUBLIC_KEY, _maybe(_context(0))), exact=True
    ),
}


_UNSURE = ", or something with too many elements to tell"

SIGNED_ATTRIBUTES = "CMS SignedAttributes"
_SET = 0x11
_ATTRIBUTE = Outline((0x10,), inside=(Outline((0x06,)),))
_MESSAGE_DIGEST = bytes.fromhex("2a864886f70d010904")
"""OID 1.2.840.113549.1.9.4 (RFC 5652 11.2). Of all attributes OpenSSL's PKCS#7 misses this one alone."""


class _Element(NamedTuple):
    tag: int
    content: int
    end: int | None
    """None where the length is indefinite: it ends with two zero octets."""


class _Reader:
    """Content by position; what is not there or not BER reads as None."""

    def __init__(self, read: Callable[[int, int], bytes]) -> None:
        self._read = read
        self._steps = 0
        self.too_involved = False

    def element(self, at: int, limit: int) -> _Element | None:
        """Return the element whose identifier stands at *at* (X.690 8.1)."""
        self._steps += 1
        self.too_involved = self.too_involved or self._steps > MOST_ELEMENTS
        header = self._read(at, min(_HEADER, limit - at)) if at < limit else b""
        if self.too_involved or len(header) < 2 or header[0] & 0x1F == 0x1F:
            return None
        tag, first = header[0] & ~_CONSTRUCTED, header[1]
        if first == 0x80:
            return _Element(tag, at + 2, None)
        octets = first & 0x7F if first & 0x80 else 0
        content = at + 2 + octets
        end = content + (int.from_bytes(header[2 : 2 + octets], "big") if octets else first)
        return _Element(tag, content, end) if len(header) >= 2 + octets and end <= limit else None

    def after(self, element: _Element, limit: int, depth: int = 0) -> int | None:
        """Return the position behind *element*, with its end-of-contents octets where it has them."""
        if element.end is not None:
            return element.end
        self.too_involved = self.too_involved or depth > DEEPEST
        at: int | None = element.content
        while at is not None and self._read(at, 2) != b"\0\0":
            inner = self.element(at, limit)
            at = self.after(inner, limit, depth + 1) if inner else None
        return None if at is None else at + 2

    def ends(self, at: int, parent: _Element) -> bool:
        """Return whether *parent* has no element at *at*."""
        return at == parent.end if parent.end is not None else self._read(at, 2) == b"\0\0"

    def match(self, outline: Outline, at: int, limit: int) -> int | None:
        """Return the position behind the element at *at* if it follows *outline*."""
        element = self.element(at, limit)
        if element is None or element.tag not in outline.tags:
            return None
        place = element.content
        for part in outline.inside:
            following = self._match_part(part, element, place, limit if element.end is None else element.end)
            if following is None:
                return None
            place = following
        if outline.exact and not self.ends(place, element):
            return None
        return self.after(element, limit)

    def are_signed_attributes(self, size: int) -> bool:
        """Return whether the whole content is a SET OF Attribute with a messageDigest (RFC 5652 5.4)."""
        whole = self.element(0, size)
        if whole is None or whole.tag != _SET or self.after(whole, size) != size:
            return False
        limit, at, digest = size if whole.end is None else whole.end, whole.content, False
        while not self.ends(at, whole):
            following = self.match(_ATTRIBUTE, at, limit)
            if following is None:
                return False
            digest = digest or self._type_of(at, limit) == _MESSAGE_DIGEST
            at = following
        return digest

    def _type_of(self, at: int, limit: int) -> bytes:
        """Return the content octets of the OID that an attribute begins with."""
        attribute = self.element(at, limit)
        oid = attribute and self.element(attribute.content, limit)
        return self._read(oid.content, min(oid.end - oid.content, 16)) if oid and oid.end else b""

    def _match_part(self, part: Outline, parent: _Element, at: int, limit: int) -> int | None:
        if part.optional:
            element = None if self.ends(at, parent) else self.element(at, limit)
            if element is None or element.tag not in part.tags:
                return at
        return self.match(part, at, limit)


def _structure(read: Callable[[int, int], bytes], size: int) -> str:
    first = read(0, 1)
    if not first or first[0] & ~_CONSTRUCTED not in (_SEQUENCE.tags[0], _SET):
        return ""  # nearly every file
    for name, outline in STRUCTURES.items():
        reader = _Reader(read)
        if reader.match(outline, 0, size) == size:
            return name
        if reader.too_involved:
            return f"{name}{_UNSURE}"
    reader = _Reader(read)
    found = reader.are_signed_attributes(size)
    return SIGNED_ATTRIBUTES if found else f"{SIGNED_ATTRIBUTES}{_UNSURE}" if reader.too_involved else ""


def structure_of(content: bytes) -> str:
    """Return which of STRUCTURES the whole of *content* is, or SIGNED_ATTRIBUTES, or nothing."""
    return _structure(lambda at, length: content[at : at + length], len(content))


def structure_of_file(file: BinaryIO) -> str:
    """Return which of them the whole of *file* is; its position does not change."""
    handle = file.fileno()
    return _structure(lambda at, length: os.pread(handle, length, at), os.fstat(handle).st_size)
