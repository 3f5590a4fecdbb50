# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Distinguished names: from options and from text, to text and to results (RFC 5280 4.1.2.4, RFC 4514)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from .attributes import COUNTRY, EMAIL, LABEL, PRINTABLE, Attribute, attribute_called, attribute_of
from .domain_names import shown, to_label, to_mailbox
from .errors import SpecError
from .problems import convert_all, refuse

if TYPE_CHECKING:
    from cryptography import x509
else:
    try:
        from cryptography import x509
    except ImportError:
        x509 = None  # require_cryptography() in the module says so

_PRINTABLE_STRING = re.compile(r"[A-Za-z0-9 '()+,./:=?-]*")
_COUNTRY_CODE = re.compile(r"[A-Z]{2}")
_COUNTED_IN_OCTETS = "2.5.4.3"
_TOKEN = re.compile(r"\\.|.", re.DOTALL)
_PAIRS = re.compile(r"(?:\\[0-9A-Fa-f]{2})+|\\.|.", re.DOTALL)
_SPECIAL = ' "#+,;<=>\\'


def to_name(subject: Mapping[str, object] | Sequence[Mapping[str, object]]) -> x509.Name:
    """Return the distinguished name that the options ``subject`` or ``subject_ordered`` say, in the order written.

    Args:
        subject: a mapping from attribute to its value or list of values, or a list of one-key mappings. An attribute is
            an OpenSSL short or long name, snake_case, or a dotted OID. With a ``+`` before it, it joins the
            attribute before it in one multi-valued RDN, as in OpenSSL's configuration files.
    Returns:
        String types and upper bounds as RFC 5280 appendix A.1 has them; empty where *subject* is.
    Raises:
        SpecError: with every problem of every attribute.
    """
    rdns: list[list[x509.NameAttribute[str]]] = []
    problems: list[str] = []
    for key, value in _pairs(subject):
        try:
            joins, attribute = _joins_and_attribute(key, bool(rdns))
            made = [to_attribute(attribute, text) for text in _values(attribute.short, value)]
        except SpecError as exc:
            problems.append(f"subject: {exc}")
            continue
        if joins:
            rdns[-1].extend(made)
        else:
            rdns.extend([one] for one in made)
    refuse([*problems, *_repeated(subject), *_doubled(rdns)])
    return _name(rdns)


def _pairs(subject: object) -> list[tuple[object, object]]:
    if isinstance(subject, Mapping):
        return list(subject.items())
    if isinstance(subject, Sequence) and not isinstance(subject, (str, bytes)):
        return convert_all(_single_pair, list(enumerate(subject, start=1)))
    raise SpecError(f"subject: {shown(str(subject))} is no mapping and no list; write common_name: ... and so on")


def _single_pair(item: tuple[int, object]) -> tuple[object, object]:
    place, entry = item
    if not isinstance(entry, Mapping) or len(entry) != 1:
        found = f"{len(entry)} keys" if isinstance(entry, Mapping) else shown(str(entry))
        raise SpecError(
            f"subject: item {place} of the list is {found}; write one attribute an item, such as - common_name: ..."
        )
    return next(iter(entry.items()))


def _joins_and_attribute(key: object, has_previous: bool) -> tuple[bool, Attribute]:
    if not isinstance(key, str):
        raise SpecError(f"attribute {key!r} is no string; quote it")
    joins = key.startswith("+")
    if joins and not has_previous:
        raise SpecError(f"attribute {shown(key)} has no attribute before it that it could join; remove the +")
    return joins, attribute_called(key.removeprefix("+"))


def _values(name: str, value: object) -> list[str]:
    values = list(value) if isinstance(value, Sequence) and not isinstance(value, (str, bytes)) else [value]
    if not values:
        raise SpecError(f"{name} has an empty list of values; leave it out")
    texts = [one for one in values if isinstance(one, str)]
    if len(texts) != len(values):
        other = next(one for one in values if not isinstance(one, str))
        raise SpecError(f"{name} is {shown(repr(other))}, which is no string; quote it, or leave it out")
    return texts


def _repeated(subject: object) -> list[str]:
    """Find attributes that a mapping gives twice under two names; a list may repeat them."""
    if not isinstance(subject, Mapping):
        return []
    spellings: dict[str, list[str]] = {}
    for key in subject:
        if isinstance(key, str):
            spellings.setdefault(key.removeprefix("+").replace("_", "").lower(), []).append(key)
    by_oid: dict[str, list[str]] = {}
    for spelling, keys in spellings.items():
        by_oid.setdefault(_oid_or_itself(spelling), []).extend(keys)
    return [
        f"subject: {' and '.join(keys)} are one attribute; write it once, with a list of values"
        for keys in by_oid.values()
        if len(keys) > 1
    ]


def _oid_or_itself(name: str) -> str:
    try:
        return attribute_called(name).oid
    except SpecError:
        return name


def _doubled(rdns: Iterable[Sequence[x509.NameAttribute[str]]]) -> list[str]:
    """Find types that occur twice in one RDN (X.501 9.3 allows one value of a type in an RDN)."""
    problems = []
    for rdn in rdns:
        oids = [one.oid.dotted_string for one in rdn]
        problems += [
            f"subject: {attribute_of(oid).short} is twice in one RDN (X.501 9.3); give it an RDN of its own"
            for oid in dict.fromkeys(oids)
            if oids.count(oid) > 1
        ]
    return problems


def _name(rdns: Iterable[Sequence[x509.NameAttribute[str]]]) -> x509.Name:
    return x509.Name([x509.RelativeDistinguishedName(rdn) for rdn in rdns])


def to_attribute(attribute: Attribute, value: str) -> x509.NameAttribute[str]:
    """Return one attribute with its value checked for syntax, characters and upper bound (RFC 5280 appendix A.1)."""
    text = _checked_value(attribute, value)
    try:
        return x509.NameAttribute(x509.ObjectIdentifier(attribute.oid), text)
    except ValueError as exc:
        raise SpecError(f"{attribute.short}={shown(value)} cannot be encoded ({exc}); leave it out") from exc


def _checked_value(attribute: Attribute, value: str) -> str:
    name = attribute.short
    if not value.strip():
        raise SpecError(f"{name} is empty; leave it out")
    if value != value.strip():
        raise SpecError(f"{name} {shown(value)} begins or ends with white space, which comparison ignores; remove it")
    bad = [
        letter
        for letter in value
        if unicodedata.category(letter) in ("Cc", "Cs", "Co", "Zl", "Zp") or letter == "\ufffd"
    ]
    if bad:
        raise SpecError(
            f"{name} {shown(value)} has U+{ord(bad[0]):04X}, which no name may hold (RFC 4518 2.4); remove it"
        )
    text = _checked_kind(attribute, value)
    length = len(text.encode()) if attribute.oid == _COUNTED_IN_OCTETS else len(text)
    if attribute.bound is not None and length > attribute.bound:
        unit = "octets of UTF-8" if length != len(text) else "characters"
        raise SpecError(
            f"{name} {shown(value)} is {length} {unit} long; at most {attribute.bound} (RFC 5280 A.1); shorten it"
        )
    return text


def _checked_kind(attribute: Attribute, value: str) -> str:
    name, kind = attribute.short, attribute.kind
    if kind == COUNTRY and not _COUNTRY_CODE.fullmatch(value):
        raise SpecError(
            f"{name} {shown(value)} is no country code; write two upper-case letters of ISO 3166, such as DE"
        )
    if kind == PRINTABLE and not _PRINTABLE_STRING.fullmatch(value):
        raise SpecError(
            f"{name} {shown(value)} is no PrintableString; write letters A to Z, digits, space and '()+,-./:=? only"
        )
    if kind not in (EMAIL, LABEL):
        return value
    try:
        return to_mailbox(value) if kind == EMAIL else to_label(value)
    except SpecError as exc:
        raise SpecError(f"{name} {shown(value)}: {exc}") from exc


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
    refuse(problem.removeprefix("subject: ") for problem in _doubled(rdns))
    return _name(rdns)


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


def name_to_list(name: x509.Name) -> list[list[str]]:
    """Return *name* as results show it: [[long name, value], ...] in the order of the certificate."""
    return [
        [attribute_of(one.oid.dotted_string).long, one.value.hex() if isinstance(one.value, bytes) else one.value]
        for one in name
    ]
