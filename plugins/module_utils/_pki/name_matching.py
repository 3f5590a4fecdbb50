# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When two distinguished names are the same, or one lies below the other (RFC 5280 7.1)."""

from __future__ import annotations

import re
import string
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography import x509

_DROPPED = frozenset("\u00ad\u034f\u1806\u180b\u180c\u180d\u200b\ufffc") | frozenset(map(chr, range(0xFE00, 0xFE10)))
_SPACES = frozenset("\t\n\x0b\x0c\r\x85")
_ASCII_SPACES = re.compile(r"[ \t\n\x0b\x0c\r]+")
_ASCII_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def is_same_name(one: x509.Name, other: x509.Name) -> bool:
    """Tell whether two names match: the same RDNs in the same order, each with the same attributes (RFC 5280 7.1)."""
    return len(one.rdns) == len(other.rdns) and is_within(one, other)


def is_within(name: x509.Name, base: x509.Name) -> bool:
    """Tell whether *name* lies in the subtree of *base*: its first RDNs match those of *base* (RFC 5280 7.1).

    Values are compared without regard to case, string type or insignificant white space.
    """
    if len(name.rdns) < len(base.rdns):
        return False
    return all(
        rdn == wanted or _prepared(rdn) == _prepared(wanted) for rdn, wanted in zip(name.rdns, base.rdns, strict=False)
    )


def is_surely_within(name: x509.Name, base: x509.Name) -> bool:
    """Tell whether *name* lies in the subtree of *base* for relying parties too that fold ASCII alone, as OpenSSL does.

    Its canonical form drops the case of ASCII letters and needless ASCII white space, and no other difference.
    """
    if len(name.rdns) < len(base.rdns):
        return False
    return all(_folded(rdn) == _folded(wanted) for rdn, wanted in zip(name.rdns, base.rdns, strict=False))


def comparable(name: x509.Name) -> tuple[frozenset[tuple[str, str | bytes]], ...]:
    """Return what is equal for names that match (RFC 5280 7.1)."""
    return tuple(map(_prepared, name.rdns))


def _prepared(rdn: x509.RelativeDistinguishedName) -> frozenset[tuple[str, str | bytes]]:
    return frozenset((one.oid.dotted_string, prepare(one.value)) for one in rdn)


def _folded(rdn: x509.RelativeDistinguishedName) -> frozenset[tuple[str, str | bytes]]:
    return frozenset((one.oid.dotted_string, _fold_ascii(one.value)) for one in rdn)


def _fold_ascii(value: str | bytes) -> str | bytes:
    return value if isinstance(value, bytes) else _ASCII_SPACES.sub(" ", value).strip(" ").translate(_ASCII_LOWER)


def prepare(value: str | bytes) -> str | bytes:
    """Return *value* as caseIgnoreMatch sees it: mapped, case folded, NFKC, spaces folded (RFC 4518 2.2, 2.3, 2.6.1).

    Code points that RFC 4518 prohibits stay as they are: they can only make two names differ. What is not text is
    compared octet by octet.
    """
    if isinstance(value, bytes):
        return value
    mapped = value.lower() if value.isascii() and value.isprintable() else _mapped(value)
    return " ".join(mapped.split())


def _mapped(value: str) -> str:
    """Fold case and compatibility forms by today's Unicode; the tables of RFC 3454 end with Unicode 3.2."""
    mapped = "".join(map(_mapped_letter, value))
    for _round in range(2):  # NFKC may bring capitals back
        mapped = unicodedata.normalize("NFKC", mapped.casefold())
    return mapped


def _mapped_letter(letter: str) -> str:
    category = unicodedata.category(letter)
    if letter in _SPACES or category in ("Zs", "Zl", "Zp"):
        return " "
    return "" if letter in _DROPPED or category in ("Cc", "Cf") else letter
