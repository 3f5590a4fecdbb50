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
from typing import IO, TYPE_CHECKING, Protocol

from .._pki.errors import SpecError
from .._signer.cms import DER, PEM, SMIME
from .cms_mail import BLANK, SignedMail, UnreadableError, canonical, mail_header, take_apart
from .content import CHUNK, steady_file

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._signer.cms import CmsMessage
    from .cms_mail import Read

KEPT_IN_MEMORY = 4 * 1024 * 1024
"""Octets of a decoded message; what is more goes into a temporary file."""

LONGEST_LINE = 1024
_PEM_LABELS = (b"CMS", b"PKCS7", b"PKCS #7 SIGNED DATA")
_DAMAGED = "cannot be read as CMS: its Base64 is damaged"
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
        except UnreadableError as exc:
            raise NoMessageError(path, str(exc)) from exc
        yield opened


def _found(reader: MessageReader, handle: int, size: int, stack: ExitStack) -> OpenMessage:
    """Return the message in an open file; what has to be open for it stays so with *stack*."""

    def read(at: int, length: int) -> bytes:
        return os.pread(handle, length, at)

    start = read(0, CHUNK)
    if start[:1] == b"\x30":
        return _opened(reader, read, size, DER)
    if start.lstrip(BLANK).startswith(b"-----BEGIN "):
        return _opened(reader, *_from_pem(read, start, size, stack), PEM)
    return _mail(reader, read, (start, size), stack)


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
        raise UnreadableError(str(exc)) from exc
    place = message.content
    return OpenMessage(message, form, None if place is None else lambda: _pieces(read, *place))


def _pieces(read: Read, start: int, end: int) -> Iterator[bytes]:
    for at in range(start, end, CHUNK):
        yield read(at, min(CHUNK, end - at))


def _from_pem(read: Read, start: bytes, size: int, stack: ExitStack) -> tuple[Read, int]:
    """Return what the PEM holds, and its size; text may follow behind the line that ends it (RFC 7468 2)."""
    label, body = _pem_beginning(start)
    inner, length, end = stack.enter_context(_decoded(read, body, size))
    wanted = b"-----END " + label + b"-----"
    line = read(end, LONGEST_LINE).partition(b"\n")[0].rstrip(BLANK)
    if line != wanted or read(end - 1, 1) != b"\n":
        raise UnreadableError(
            f"cannot be read as CMS: no line {wanted.decode()} ends its Base64, as if it were cut off (RFC 7468 2)"
        )
    return inner, length


def _pem_beginning(start: bytes) -> tuple[bytes, int]:
    """Return the label, and where the Base64 begins."""
    lead = len(start) - len(start.lstrip(BLANK))
    line = start[lead : lead + 100].partition(b"\n")[0].rstrip()
    for label in _PEM_LABELS:
        if line == b"-----BEGIN " + label + b"-----":
            return label, lead + len(line)
    told = line.strip(b"-").decode("ascii", "replace")
    raise UnreadableError(f"is no CMS message, it begins with {told}")


@contextmanager
def _decoded(read: Read, start: int, end: int) -> Iterator[tuple[Read, int, int]]:
    """Decode the Base64 from *start* up to a hyphen or to *end*.

    Yields:
        What gives the octets, how many they are, and where the Base64 ends.
    """
    with tempfile.SpooledTemporaryFile(KEPT_IN_MEMORY) as kept:
        stop = _decode_into(kept, read, start, end)
        size = kept.seek(0, os.SEEK_END)

        def inner(at: int, length: int) -> bytes:
            kept.seek(at)
            return kept.read(length)

        yield inner, size, stop


def _decode_into(kept: IO[bytes], read: Read, start: int, end: int) -> int:
    """Decode into *kept* and return where the Base64 ends; only its last four characters may be padded."""
    rest, stop = b"", start
    for piece in _pieces(read, start, end):
        text, hyphen, _after = piece.partition(b"-")
        stop += len(text)
        text = rest + text.translate(None, BLANK)
        whole = max(0, (len(text) - 1) // 4 * 4)
        if b"=" in text[:whole]:
            raise UnreadableError(_DAMAGED)
        kept.write(_from_base64(text[:whole]))
        rest = text[whole:]
        if hyphen:
            break
    kept.write(_from_base64(rest))
    return stop


def _from_base64(text: bytes) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as exc:
        raise UnreadableError(_DAMAGED) from exc


def _mail(reader: MessageReader, read: Read, whole: tuple[bytes, int], stack: ExitStack) -> OpenMessage:
    start, size = whole
    header, body = mail_header(start, 0)
    kind = header.get_content_type()
    if kind == "multipart/signed":
        return _signed_mail(reader, read, take_apart(read, header, size), stack)
    if kind in _MESSAGE_TYPES:
        inner, length, _end = stack.enter_context(_decoded(read, body, size))
        return _opened(reader, inner, length, SMIME)
    raise UnreadableError("is no CMS message: neither DER, nor PEM, nor a signed S/MIME mail")


def _signed_mail(reader: MessageReader, read: Read, mail: SignedMail, stack: ExitStack) -> OpenMessage:
    inner, length, _end = stack.enter_context(_decoded(read, *mail.signature))
    message = _opened(reader, inner, length, SMIME).message
    if message.content is not None:
        raise UnreadableError("is a signed mail of two parts whose signature carries a content of its own")
    return OpenMessage(message, SMIME, lambda: canonical(_pieces(read, *mail.content)), True)
