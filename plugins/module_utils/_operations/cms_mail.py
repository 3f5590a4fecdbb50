# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A signed mail taken apart (RFC 1847 2.1): of any size, in flat memory, and with nothing in it that nobody signed.

What a mail program shows must be what was signed. So whatever programs may read in different ways is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesHeaderParser
from itertools import islice
from typing import TYPE_CHECKING

from .._pki.errors import SpecError
from .content import CHUNK

if TYPE_CHECKING:
    from collections.abc import Callable

    Read = Callable[[int, int], bytes]

BLANK = b" \t\r\n"
LONGEST_HEADER = 64 * 1024
_BLANK_LINE = re.compile(rb"\n\r?\n")
_BOUNDARY = re.compile(r"(\"?)([\w'()+,./:=? -]*[\w'()+,./:=?-])\1", re.ASCII)
"""RFC 2046 5.1.1."""

_SIGNATURE_TYPES = ("application/pkcs7-signature", "application/x-pkcs7-signature")


class UnreadableError(SpecError):
    """What is wrong with the file of a message, to stand behind its name."""


@dataclass(frozen=True)
class SignedMail:
    """Where in a mail its two parts begin and end: what was signed, and the Base64 of the signature."""

    content: tuple[int, int]
    signature: tuple[int, int]


@dataclass(frozen=True)
class _Delimiter:
    """A line between parts.

    Attributes:
        start: of the end of the line before, which belongs to it (RFC 2046 5.1.1).
        end: of the line, its own end included.
    """

    start: int
    end: int
    closes: bool


def mail_header(text: bytes, at: int) -> tuple[Message, int]:
    """Return the header fields in *text*, which stands at *at*, and the position behind them.

    Raises:
        UnreadableError: it tells its type twice.
    """
    found = _BLANK_LINE.search(text, 0, LONGEST_HEADER)
    end = found.end() if found else 0
    header = BytesHeaderParser().parsebytes(text[:end])
    if len(header.get_all("content-type", [])) > 1:
        raise UnreadableError("is a mail with a header that has Content-Type twice (RFC 5322 3.6), so read in two ways")
    return header, at + end


def take_apart(read: Read, header: Message, size: int) -> SignedMail:
    """Find the content in clear and its detached signature (RFC 8551 3.5.3), the only parts that there may be.

    Raises:
        UnreadableError: it has other parts, or has not ended.
    """
    first, second, third = _three_delimiters(read, _boundary(header), size)
    text = read(second.end, min(LONGEST_HEADER, max(0, third.start - second.end)))
    part, signature_start = mail_header(text, second.end)
    if part.get_content_type() not in _SIGNATURE_TYPES:
        raise UnreadableError("is a signed mail whose second part is no CMS signature")
    return SignedMail((first.end, second.start), (signature_start, third.start))


def _boundary(header: Message) -> bytes:
    """Return what stands between the parts, behind two hyphens."""
    given = [value for name, value in header.get_params([], unquote=False) if name.lower() == "boundary"]
    found = _BOUNDARY.fullmatch(given[0]) if len(given) == 1 and isinstance(given[0], str) else None
    if found is None:
        raise UnreadableError("is a signed mail that does not tell one plain boundary of its parts (RFC 2046 5.1.1)")
    return found[2].encode()


def _three_delimiters(read: Read, boundary: bytes, size: int) -> tuple[_Delimiter, _Delimiter, _Delimiter]:
    """Return the lines around two parts: they are all that there are, and the last one says so."""
    wanted = b"--" + boundary
    found = [_delimiter(read, at, len(wanted)) for at in islice(_beginnings(read, wanted, size), 4)]
    if len(found) > 3:
        raise UnreadableError(
            "is a signed mail with more than its two parts, and nobody signed the others (RFC 1847 2.1)"
        )
    closing = [one.closes for one in found]
    if len(found) < 3 or any(closing[:2]):
        raise UnreadableError("is a signed mail without its two parts, as if it were cut off (RFC 1847 2.1)")
    if not closing[2]:
        raise UnreadableError(
            "is a signed mail without the end of its two parts, as if it were cut off (RFC 2046 5.1.1)"
        )
    return found[0], found[1], found[2]


def _beginnings(read: Read, wanted: bytes, size: int) -> Iterator[int]:
    """Yield the positions of the ends of lines before *wanted*.

    CR alone is no end of a line, but there are mail programs that take it for one.
    """
    for at in range(0, size, CHUNK):
        text = read(at, CHUNK + len(wanted)).replace(b"\r", b"\n")
        found = text.find(b"\n" + wanted)
        while found >= 0:
            yield at + found
            found = text.find(b"\n" + wanted, found + 1)


def _delimiter(read: Read, at: int, length: int) -> _Delimiter:
    """Return the delimiter whose *length* octets begin behind the end of a line at *at*."""
    behind = at + 1 + length
    rest, end, _more = read(behind, LONGEST_HEADER).partition(b"\n")
    kind = rest.strip(BLANK)
    if read(at, 1) != b"\n" or kind not in (b"", b"--") or not (end or kind):
        raise UnreadableError("is a signed mail with a damaged line between its parts (RFC 2046 5.1.1)")
    before = 1 if at and read(at - 1, 1) == b"\r" else 0
    return _Delimiter(at - before, behind + len(rest) + len(end), kind == b"--")


def canonical(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield *pieces* with lines that end as in a mail, in which form they were signed (RFC 8551 3.1.1)."""
    held = b""
    for piece in pieces:
        text = held + piece
        held = b"\r" if text.endswith(b"\r") else b""
        yield text[: len(text) - len(held)].replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    yield held
