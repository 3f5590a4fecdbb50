# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Distinguished names as one line of text and back (RFC 4514)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from .attribute_values import to_attribute
from .attributes import attribute_called, attribute_of
from .domain_names import shown
from .errors import SpecError
from .problems import convert_all, refuse

if TYPE_CHECKING:
    from cryptography import x509
else:
    try:
        from cryptography import x509
    except ImportError:
        x509 = None  # require_cryptography() in the module says so

_TOKEN = re.compile(r"\\.|.", re.DOTALL)
_PAIRS = re.compile(r"(?:\\[0-9A-Fa-f]{2})+|\\.|.", re.DOTALL)
_SPECIAL = ' "#+,;<=>\\'
_PLAIN = re.compile("[0-9A-Za-z](?:[0-9A-Za-z .:/@'()-]*[0-9A-Za-z.)])?")  # as most values are: nothing to escape


def name_text(name: x509.Name) -> str:
    """Return *name* in one line, most specific first, such as ``CN=Acme Root R1,O=Acme,C=DE`` (RFC 4514 2).

    Attributes are written with OpenSSL's short names, others with their OID. Empty for the empty name.
    """
    return ",".join("+".join(_attribute_text(one) for one in rdn) for rdn in reversed(name.rdns))


def _attribute_text(attribute: x509.NameAttribute[str | bytes]) -> str:
    short = attribute_of(attribute.oid.dotted_string).short
    value = attribute.value
    return f"{short}=#{value.hex()}" if isinstance(value, bytes) else f"{short}={_escaped(value)}"


def _escaped(value: str) -> str:
    if _PLAIN.fullmatch(value):
        return value
    last = len(value) - 1
    return "".join(_escaped_letter(letter, place in (0, last), place == 0) for place, letter in enumerate(value))


def _escaped_letter(letter: str, at_an_end: bool, first: bool) -> str:
    if letter in '"+,;<>\\' or (letter == " " and at_an_end) or (letter == "#" and first):
        return "\\" + letter
    if letter == " " or unicodedata.category(letter)[0] not in "CZ":
        return letter
    return "".join(f"\\{octet:02X}" for octet in letter.encode("utf-8", "replace"))


def to_name_from_text(text: str) -> x509.Name:
    """Return the name that RFC 4514 *text* says, most specific attribute first: the inverse of :func:`name_text`.

    White space around ``=``, ``,`` and ``+`` is ignored, as OpenSSL and older RFCs write it.

    Raises:
        SpecError: with every problem of every attribute.
    """
    if text.startswith("/"):
        raise SpecError(f"{shown(text)} begins with a slash; write the name as in RFC 4514: CN=...,O=...,C=..")
    if not text.strip():
        return x509.Name([])
    rdns = convert_all(_rdn_from_text, reversed(_split(text, ",")))
    refuse(repeated_types(rdns))
    return name_of(rdns)


def _rdn_from_text(text: str) -> list[x509.NameAttribute[str]]:
    return convert_all(_attribute_from_text, _split(text, "+"))


def _split(text: str, separator: str) -> list[str]:
    """Split at every *separator* that no backslash escapes."""
    parts: list[list[str]] = [[]]
    for token in _TOKEN.findall(text):
        if token == separator:
            parts.append([])
        else:
            parts[-1].append(token)
    return ["".join(part) for part in parts]


def _attribute_from_text(text: str) -> x509.NameAttribute[str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise SpecError(f"{shown(text)} is no attribute; write type=value, and a comma inside a value as \\,")
    return to_attribute(attribute_called(key.strip()), _unescaped(value))


def _unescaped(raw: str) -> str:
    tokens = list(_PAIRS.findall(raw))
    while tokens and tokens[0].isspace():
        tokens.pop(0)
    while tokens and tokens[-1].isspace():
        tokens.pop()
    if tokens and tokens[0] == "#":
        raise SpecError(f"{shown(raw)} is a value in hexadecimal; write it as text, or a leading # as \\#")
    return "".join(map(_unescaped_token, tokens))


def _unescaped_token(token: str) -> str:
    if len(token) > 2:
        try:
            return bytes.fromhex(token.replace("\\", "")).decode()
        except UnicodeDecodeError as exc:
            raise SpecError(f"{shown(token)} is no UTF-8; write the letter itself") from exc
    if len(token) == 2 and token[1] in _SPECIAL:
        return token[1]
    if token in ("\\", '"', ";", "<", ">") or len(token) == 2:
        raise SpecError(
            f'{shown(token)} stands unescaped in a name; write a backslash before each of " + , ; < > \\ (RFC 4514 2.4)'
        )
    return token


def repeated_types(rdns: Iterable[Sequence[x509.NameAttribute[str]]]) -> list[str]:
    """Return a problem for each attribute type that stands twice in one RDN (X.501 9.3)."""
    problems = []
    for rdn in rdns:
        oids = [one.oid.dotted_string for one in rdn]
        twice = dict.fromkeys(oid for oid in oids if oids.count(oid) > 1)
        problems += [
            f"{attribute_of(oid).short} is twice in one RDN (X.501 9.3); give it an RDN of its own" for oid in twice
        ]
    return problems


def name_of(rdns: Iterable[Sequence[x509.NameAttribute[str]]]) -> x509.Name:
    """Return the name made of *rdns*, in the order of the certificate."""
    return x509.Name([x509.RelativeDistinguishedName(rdn) for rdn in rdns])
