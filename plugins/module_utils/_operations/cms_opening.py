# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A CMS message found in a file: in DER, in PEM or as a mail, of any size and in flat memory."""

from __future__ import annotations

import base64
import binascii
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesHeaderParser
from email.policy import SMTP
from typing import IO, TYPE_CHECKING, Protocol

from .._pki.errors import SpecError
from .._signer.cms import DER, PEM, SMIME
from .content import CHUNK, steady_file

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._signer.cms import CmsMessage

    Read = Callable[[int, int], bytes]

KEPT_IN_MEMORY = 4 * 1024 * 1024
"""Octets of a decoded message; what is more goes into a temporary file."""

LONGEST_HEADER = 64 * 1024
_BLANK = b" \t\r\n"
_PEM_LABELS = (b"CMS", b"PKCS7", b"PKCS #7 SIGNED DATA")
_SIGNATURE_TYPES = ("application/pkcs7-signature", "application/x-pkcs7-signature")
_MESSAGE_TYPES = ("application/pkcs7-mime", "application/x-pkcs7-mime")


class MessageReader(Protocol):
    """Somebody who knows the ASN.1 of CMS."""

    def read(self, read: Read, size: int) -> CmsMessage:
        """Return the message in *size* octets that *read* gives; its content is not read.

        Raises:
            SpecError: it is none, in a phrase to stand behind the file's name.
        """


@dataclass(frozen=True)
class OpenMessage:
    """A message while its file is open.

    Attributes:
        form: DER, PEM or SMIME.
        content: gives the content in pieces, as it was signed; None where it is elsewhere.
        in_clear: whether the content stands beside the message, in a mail of two parts.
    """

    message: CmsMessage
    form: str
    content: Callable[[], Iterator[bytes]] | None
    in_clear: bool = False


@contextmanager
def open_message(path: str, reader: MessageReader) -> Iterator[OpenMessage]:
    """Read the message in the file at *path*, however it is written.

    Raises:
        NoMessageError: the file holds no CMS signed data that can be read here.
        SpecError: the file cannot be read, or changed.
    """
    with ExitStack() as stack:
        file, size = stack.enter_context(steady_file(path))
        try:
            opened = _found(reader, file.fileno(), size, stack)
        except _NoMessageError as exc:
            raise NoMessageError(path, str(exc)) from exc
        yield opened


def _found(reader: MessageReader, handle: int, size: int, stack: ExitStack) -> OpenMessage:
    """Return the message in an open file; what has to be open for it stays so with *stack*."""

    def read(at: int, length: int) -> bytes:
        return os.pread(handle, length, at)

    start = read(0, CHUNK)
    if start[:1] == b"\x30":
        return _opened(reader, read, size, DER)
    if start.lstrip(_BLANK).startswith(b"-----BEGIN "):
        return _opened(reader, *stack.enter_context(_decoded(read, _pem_body(start), size)), PEM)
    return _mail(reader, read, (start, size), stack)


class _NoMessageError(SpecError):
    """What is wrong with the file, to stand behind its name."""


class NoMessageError(SpecError):
    """The file can be read, and holds no message that can.

    Attributes:
        problem: why, to stand behind its name.
    """

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.problem = problem


def _opened(reader: MessageReader, read: Read, size: int, form: str) -> OpenMessage:
    try:
        message = reader.read(read, size)
    except SpecError as exc:
        raise _NoMessageError(str(exc)) from exc
    place = message.content
    return OpenMessage(message, form, None if place is None else lambda: _pieces(read, *place))


def _pieces(read: Read, start: int, end: int) -> Iterator[bytes]:
    for at in range(start, end, CHUNK):
        yield read(at, min(CHUNK, end - at))


def _pem_body(start: bytes) -> int:
    """Return where the Base64 begins."""
    lead = len(start) - len(start.lstrip(_BLANK))
    line = start[lead : lead + 100].partition(b"\n")[0].rstrip()
    if line not in {b"-----BEGIN " + label + b"-----" for label in _PEM_LABELS}:
        told = line.strip(b"-").decode("ascii", "replace")
        raise _NoMessageError(f"is no CMS message, it begins with {told}")
    return lead + len(line)


@contextmanager
def _decoded(read: Read, start: int, end: int) -> Iterator[tuple[Read, int]]:
    """Decode the Base64 from *start* up to a hyphen or to *end*, and give it for reading."""
    with tempfile.SpooledTemporaryFile(KEPT_IN_MEMORY) as kept:
        _decode_into(kept, _pieces(read, start, end))
        size = kept.seek(0, os.SEEK_END)

        def inner(at: int, length: int) -> bytes:
            kept.seek(at)
            return kept.read(length)

        yield inner, size


def _decode_into(kept: IO[bytes], pieces: Iterator[bytes]) -> None:
    rest = b""
    for piece in pieces:
        text, hyphen, _after = piece.partition(b"-")
        text = rest + text.translate(None, _BLANK)
        whole = len(text) - len(text) % 4
        kept.write(_from_base64(text[:whole]))
        rest = text[whole:]
        if hyphen:
            break
    kept.write(_from_base64(rest))


def _from_base64(text: bytes) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as exc:
        raise _NoMessageError("cannot be read as CMS: its Base64 is damaged") from exc


def _mail(reader: MessageReader, read: Read, whole: tuple[bytes, int], stack: ExitStack) -> OpenMessage:
    start, size = whole
    header, body = _mail_header(start, 0)
    kind = header.get_content_type()
    if kind == "multipart/signed":
        return _signed_mail(reader, read, header, (body, size), stack)
    if kind in _MESSAGE_TYPES:
        return _opened(reader, *stack.enter_context(_decoded(read, body, size)), SMIME)
    raise _NoMessageError("is no CMS message: neither DER, nor PEM, nor a signed S/MIME mail")


def _mail_header(text: bytes, at: int) -> tuple[Message, int]:
    """Return the header fields in *text*, which stands at *at*, and the position behind them."""
    ends = [(text.find(end), len(end)) for end in (b"\n\n", b"\r\n\r\n") if end in text[:LONGEST_HEADER]]
    end, length = min(ends, default=(0, 0))
    return BytesHeaderParser(policy=SMTP).parsebytes(text[:end]), at + end + length


def _signed_mail(
    reader: MessageReader, read: Read, header: Message, body: tuple[int, int], stack: ExitStack
) -> OpenMessage:
    """Read a mail of two parts, the content in clear and the detached signature (RFC 8551 3.5.3)."""
    boundary = header.get_param("boundary", "")
    delimiters = list(_delimiters(read, f"\n--{boundary}".encode(), *body)) if isinstance(boundary, str) else []
    if len(delimiters) < 3:
        raise _NoMessageError("is a signed mail without its two parts, as if it were cut off")
    first, second, third = delimiters[:3]
    content_start, content_end = _after_line(read, first), _before_line(read, second)
    text = read(_after_line(read, second), LONGEST_HEADER)
    part, signature_start = _mail_header(text, _after_line(read, second))
    if part.get_content_type() not in _SIGNATURE_TYPES:
        raise _NoMessageError("is a signed mail whose second part is no CMS signature")
    message = _opened(reader, *stack.enter_context(_decoded(read, signature_start, third)), SMIME).message
    if message.content is not None:
        raise _NoMessageError("is a signed mail of two parts whose signature carries a content of its own")
    return OpenMessage(message, SMIME, lambda: _canonical(_pieces(read, content_start, content_end)), True)


def _delimiters(read: Read, wanted: bytes, start: int, end: int) -> Iterator[int]:
    """Yield the positions of *wanted*."""
    overlap = len(wanted) - 1
    for at in range(max(0, start - 1), end, CHUNK):
        text = read(at, CHUNK + overlap)
        found = text.find(wanted)
        while found >= 0:
            yield at + found
            found = text.find(wanted, found + 1)


def _after_line(read: Read, delimiter: int) -> int:
    """Return the position behind the line of a delimiter, which begins with the end of the line before."""
    line = read(delimiter + 1, LONGEST_HEADER)
    return delimiter + 1 + line.find(b"\n") + 1


def _before_line(read: Read, delimiter: int) -> int:
    """Return the end of what stands before a delimiter: the end of the line belongs to that (RFC 2046 5.1.1)."""
    return delimiter - 1 if read(delimiter - 1, 1) == b"\r" else delimiter


def _canonical(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield *pieces* with lines that end as in a mail, in which form they were signed (RFC 8551 3.1.1)."""
    held = b""
    for piece in pieces:
        text = held + piece
        held = b"\r" if text.endswith(b"\r") else b""
        yield text[: len(text) - len(held)].replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    yield held
