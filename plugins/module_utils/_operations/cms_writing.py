# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A CMS message as a file: in DER, in PEM (RFC 7468), or as a mail (RFC 8551); all of it in pieces."""

from __future__ import annotations

import binascii
import os
import struct
from collections.abc import Iterable, Iterator
from email.message import Message
from email.policy import compat32

from .._signer.cms import DER, PEM

LINE = 48
"""Octets in a line of Base64, which makes 64 characters (RFC 7468 2)."""

_POLICY = compat32.clone(linesep="\r\n")

BOUNDARY = "=_rootstock_signed"
"""Between the parts of a mail, none of whose lines can begin with two hyphens."""


def base64_lines(pieces: Iterable[bytes | memoryview], line_end: bytes) -> Iterator[bytes]:
    """Yield *pieces* in Base64, in lines."""
    rest = b""
    for piece in pieces:
        data = rest + piece
        whole = len(data) - len(data) % LINE
        yield _lines(data[:whole], line_end)
        rest = data[whole:]
    yield _lines(rest, line_end)


def _lines(data: bytes, line_end: bytes) -> bytes:
    """Return *data* in Base64; struct cuts lines faster than slices do."""
    text = binascii.b2a_base64(data, newline=False)
    width = LINE // 3 * 4
    whole = len(text) // width
    lines = [*struct.unpack(f"{width}s" * whole, text[: whole * width]), text[whole * width :]]
    return line_end.join(lines) + (line_end if lines[-1] else b"")


def base64_size(size: int, line_end: bytes) -> int:
    """Return how many octets base64_lines() makes of *size*."""
    return (size + 2) // 3 * 4 + (size + LINE - 1) // LINE * len(line_end)


def entity_header(name: str) -> bytes:
    """Return the header under which content stands in a mail: as an attachment, which arrives as it was sent."""
    return _header(("Content-Type", "application/octet-stream", {}), *_attached(os.path.basename(name)))


def entity_pieces(name: str, pieces: Iterable[bytes | memoryview]) -> Iterator[bytes]:
    """Yield the MIME entity that S/MIME signs in place of the bare content (RFC 8551 3.1)."""
    yield entity_header(name)
    yield from base64_lines(pieces, b"\r\n")


def entity_size(name: str, size: int) -> int:
    return len(entity_header(name)) + base64_size(size, b"\r\n")


def _attached(name: str) -> list[tuple[str, str, dict[str, str]]]:
    return [("Content-Transfer-Encoding", "base64", {}), ("Content-Disposition", "attachment", {"filename": name})]


def _header(*fields: tuple[str, str, dict[str, str]]) -> bytes:
    """Return header fields, their parameters quoted or encoded where they have to be (RFC 2231)."""
    message = Message()
    for name, value, parameters in fields:
        plain = {key: "".join(c if c.isprintable() else "_" for c in text) for key, text in parameters.items()}
        given = {key: text if text.isascii() else ("utf-8", "", text) for key, text in plain.items()}
        message.add_header(name, value, **given)
    return b"".join(_POLICY.fold_binary(name, value) for name, value in message.items()) + b"\r\n"


def write_message(message: Iterable[bytes | memoryview], form: str) -> Iterator[bytes | memoryview]:
    """Yield a message that carries its content, or whose content is elsewhere, as a file."""
    if form == DER:
        yield from message
    elif form == PEM:
        yield b"-----BEGIN CMS-----\n"
        yield from base64_lines(message, b"\n")
        yield b"-----END CMS-----\n"
    else:
        kind = ("Content-Type", "application/pkcs7-mime", {"smime-type": "signed-data", "name": "smime.p7m"})
        yield _header(("MIME-Version", "1.0", {}), kind, *_attached("smime.p7m"))
        yield from base64_lines(message, b"\r\n")


def write_signed_mail(
    entity: Iterable[bytes | memoryview], message: bytes, hash_names: Iterable[str]
) -> Iterator[bytes | memoryview]:
    """Yield a mail of two parts, the content in clear and the detached signature (RFC 8551 3.5.3)."""
    micalg = ",".join(name.replace("sha", "sha-") for name in hash_names)
    parameters = {"protocol": "application/pkcs7-signature", "micalg": micalg, "boundary": BOUNDARY}
    signature = ("Content-Type", "application/pkcs7-signature", {"name": "smime.p7s"})
    delimiter = f"\r\n--{BOUNDARY}".encode()
    yield _header(("MIME-Version", "1.0", {}), ("Content-Type", "multipart/signed", parameters))
    yield b"This is a signed message in the format of S/MIME.\r\n" + delimiter + b"\r\n"
    yield from entity
    yield delimiter + b"\r\n" + _header(signature, *_attached("smime.p7s"))
    yield from base64_lines([message], b"\r\n")
    yield delimiter + b"--\r\n"
