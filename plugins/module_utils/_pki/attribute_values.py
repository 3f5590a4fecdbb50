# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values of name attributes, checked as RFC 5280 appendix A.1 and 7 want them."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from .attributes import COUNTRY, EMAIL, LABEL, PRINTABLE, Attribute
from .domain_names import shown, to_label, to_mailbox
from .errors import SpecError

if TYPE_CHECKING:
    from cryptography import x509
else:
    try:
        from cryptography import x509
    except ImportError:
        x509 = None  # require_cryptography() in the module says so

_PRINTABLE_STRING = re.compile(r"[A-Za-z0-9 '()+,./:=?-]*")
_COUNTRY_CODE = re.compile(r"[A-Z]{2}")
_COUNTED_IN_OCTETS = "2.5.4.3"  # by cryptography, where RFC 5280 counts characters


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
