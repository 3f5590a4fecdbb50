# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The DER of one simple ASN.1 value, as otherName and arbitrary extensions take it from text (X.690).

Written here because cryptography 45, the floor, has no builder for a bare string, integer or object identifier.
"""

from __future__ import annotations

import re

from .attributes import is_oid
from .domain_names import shown
from .errors import SpecError

TAGS = {
    "BOOL": 0x01,
    "INT": 0x02,
    "OCT": 0x04,
    "NULL": 0x05,
    "OID": 0x06,
    "UTF8": 0x0C,
    "NUMERICSTRING": 0x12,
    "PRINTABLESTRING": 0x13,
    "IA5STRING": 0x16,
    "VISIBLESTRING": 0x1A,
    "BMPSTRING": 0x1E,
}
_ALIASES = {
    "BOOLEAN": "BOOL",
    "INTEGER": "INT",
    "OCTETSTRING": "OCT",
    "OBJECT": "OID",
    "UTF8STRING": "UTF8",
    "NUMERIC": "NUMERICSTRING",
    "PRINTABLE": "PRINTABLESTRING",
    "IA5": "IA5STRING",
    "VISIBLE": "VISIBLESTRING",
    "BMP": "BMPSTRING",
}
_ALPHABETS = {  # X.680 41, the string types whose characters are a subset of ASCII
    "NUMERICSTRING": re.compile(r"[0-9 ]*"),
    "PRINTABLESTRING": re.compile(r"[A-Za-z0-9 '()+,./:=?-]*"),
    "IA5STRING": re.compile(r"[\x00-\x7f]*"),
    "VISIBLESTRING": re.compile(r"[\x20-\x7e]*"),
}
_TYPES = ", ".join(TAGS)
_LARGEST_INTEGER = 200  # digits


def encode(kind: str, value: str) -> bytes:
    """Return the DER of *value* as the type that OpenSSL calls *kind*, such as UTF8, IA5STRING, INT, OID, BOOL, NULL.

    Raises:
        SpecError: no such type, or a value that is none of that type.
    """
    name = _ALIASES.get(kind.upper(), kind.upper())
    if name not in TAGS:
        raise SpecError(
            f"type {shown(kind)} is unknown; write one of {_TYPES}, or the DER in hexadecimal as 0c:02:68:69"
        )
    return wrap(TAGS[name], _content(name, value))


def wrap(tag: int, content: bytes) -> bytes:
    """Return tag, length in its shortest form (X.690 10.1), and *content*."""
    return header(tag, len(content)) + content


def header(tag: int, length: int) -> bytes:
    """Return what stands before *length* octets of content."""
    if length < 0x80:
        return bytes((tag, length))
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(size))) + size


def _content(name: str, value: str) -> bytes:
    if name in ("UTF8", "BMPSTRING", "OCT"):
        return _text_content(name, value)
    if name == "BOOL" and value.upper() in ("TRUE", "FALSE"):
        return b"\xff" if value.upper() == "TRUE" else b"\x00"
    if name == "NULL" and not value:
        return b""
    if name == "INT" and re.fullmatch(r"-?[0-9]+", value) and len(value) <= _LARGEST_INTEGER:
        return _integer(int(value))
    if name == "OID" and is_oid(value):
        return _object_identifier(value)
    if name in _ALPHABETS and _ALPHABETS[name].fullmatch(value):
        return value.encode("ascii")
    raise SpecError(f"{shown(value)} is no value of the type {name}; correct it, or take another type")


def _text_content(name: str, value: str) -> bytes:
    encoding = "utf-16-be" if name == "BMPSTRING" else "utf-8"
    try:
        content = value.encode(encoding)
    except UnicodeEncodeError as exc:
        raise SpecError(f"{shown(value)} holds half a character (a lone surrogate); remove it") from exc
    if name == "BMPSTRING" and len(content) != 2 * len(value):
        raise SpecError(f"{shown(value)} has characters beyond U+FFFF, which no BMPString holds; take UTF8")
    return content


def _integer(value: int) -> bytes:
    return value.to_bytes((value + (value < 0)).bit_length() // 8 + 1, "big", signed=True)


def _object_identifier(dotted: str) -> bytes:
    arcs = [int(arc) for arc in dotted.split(".")]
    return b"".join(_base128(arc) for arc in (40 * arcs[0] + arcs[1], *arcs[2:]))


def _base128(arc: int) -> bytes:
    septets = [arc & 0x7F]
    while arc := arc >> 7:
        septets.append(arc & 0x7F | 0x80)
    return bytes(reversed(septets))


def is_one_value(der: bytes) -> bool:
    """Tell whether *der* is one complete value: tag, shortest definite length, and that many octets (X.690 10.1)."""
    if len(der) < 2 or der[0] & 0x1F == 0x1F:
        return False
    if der[1] < 0x80:
        return len(der) == 2 + der[1]
    head = 2 + (der[1] & 0x7F)
    length = int.from_bytes(der[2:head], "big")
    return head < len(der) and wrap(der[0], der[head:]) == der and length == len(der) - head


def parts_of(der: bytes) -> list[bytes]:
    """Return the values, headers included, that a SEQUENCE or SET of well-formed DER is made of."""
    parts, place = [], _header_length(der)
    while place < len(der):
        start, place = place, place + _length(der[place:])
        parts.append(der[start:place])
    return parts


def _length(der: bytes) -> int:
    """Return how many octets the first value in *der* has, its header included."""
    head = _header_length(der)
    return head + (der[1] if der[1] < 0x80 else int.from_bytes(der[2:head], "big"))


def _header_length(der: bytes) -> int:
    return 2 if der[1] < 0x80 else 2 + (der[1] & 0x7F)


def string_of(der: bytes, kind: str) -> str | None:
    """Return the text of *der* where it is the DER of a string of *kind* (a key of TAGS), else None."""
    if not is_one_value(der) or der[0] != TAGS[kind]:
        return None
    content = der[2:] if der[1] < 0x80 else der[2 + (der[1] & 0x7F) :]
    try:
        return content.decode("utf-16-be" if kind == "BMPSTRING" else "utf-8" if kind == "UTF8" else "ascii")
    except UnicodeDecodeError:
        return None
