# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The attributes of a distinguished name: what they are called, which string type and length they have."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

from .errors import SpecError

UTF8, PRINTABLE, COUNTRY, EMAIL, LABEL = "UTF8String", "PrintableString", "country", "email", "label"


@dataclass(frozen=True)
class Attribute:
    """One attribute type.

    Args:
        oid: dotted.
        short: OpenSSL's short name; RFC 4514 uses the same.
        long: OpenSSL's long name.
        kind: the string type; for country, email and label also the syntax of the value.
        bound: greatest number of characters; None where the standards set none.
    """

    oid: str
    short: str
    long: str
    kind: str = UTF8
    bound: int | None = None


# Upper bounds: RFC 5280 appendix A.1; X.520 for street, postalCode, description and businessCategory; RFC 4524 for UID;
# RFC 2985 for unstructuredName; RFC 1034 for a label.
ATTRIBUTES = (
    Attribute("2.5.4.3", "CN", "commonName", bound=64),
    Attribute("2.5.4.4", "SN", "surname", bound=32768),
    Attribute("2.5.4.5", "serialNumber", "serialNumber", PRINTABLE, 64),
    Attribute("2.5.4.6", "C", "countryName", COUNTRY, 2),
    Attribute("2.5.4.7", "L", "localityName", bound=128),
    Attribute("2.5.4.8", "ST", "stateOrProvinceName", bound=128),
    Attribute("2.5.4.9", "street", "streetAddress", bound=128),
    Attribute("2.5.4.10", "O", "organizationName", bound=64),
    Attribute("2.5.4.11", "OU", "organizationalUnitName", bound=64),
    Attribute("2.5.4.12", "title", "title", bound=64),
    Attribute("2.5.4.13", "description", "description", bound=1024),
    Attribute("2.5.4.15", "businessCategory", "businessCategory", bound=128),
    Attribute("2.5.4.17", "postalCode", "postalCode", bound=40),
    Attribute("2.5.4.41", "name", "name", bound=32768),
    Attribute("2.5.4.42", "GN", "givenName", bound=32768),
    Attribute("2.5.4.43", "initials", "initials", bound=32768),
    Attribute("2.5.4.44", "generationQualifier", "generationQualifier", bound=32768),
    Attribute("2.5.4.46", "dnQualifier", "dnQualifier", PRINTABLE),
    Attribute("2.5.4.65", "pseudonym", "pseudonym", bound=128),
    Attribute("2.5.4.97", "organizationIdentifier", "organizationIdentifier"),
    Attribute("0.9.2342.19200300.100.1.1", "UID", "userId", bound=256),
    Attribute("0.9.2342.19200300.100.1.25", "DC", "domainComponent", LABEL, 63),
    Attribute("1.2.840.113549.1.9.1", "emailAddress", "emailAddress", EMAIL, 255),
    Attribute("1.2.840.113549.1.9.2", "unstructuredName", "unstructuredName", bound=255),
    Attribute("1.3.6.1.4.1.311.60.2.1.1", "jurisdictionL", "jurisdictionLocalityName", bound=128),
    Attribute("1.3.6.1.4.1.311.60.2.1.2", "jurisdictionST", "jurisdictionStateOrProvinceName", bound=128),
    Attribute("1.3.6.1.4.1.311.60.2.1.3", "jurisdictionC", "jurisdictionCountryName", COUNTRY, 2),
)
# Attribute types whose value is no character string that a name could be given as text.
NOT_TEXT = {
    "2.5.4.16": "postalAddress",
    "2.5.4.20": "telephoneNumber",
    "2.5.4.24": "x121Address",
    "2.5.4.45": "x500UniqueIdentifier",
}
_OID = re.compile(r"(?:[01]\.(?:[0-9]|[123][0-9])|2\.(?:0|[1-9][0-9]*))(?:\.(?:0|[1-9][0-9]*))*")
_LONGEST_OID = 256
_BY_NAME = {name.lower(): row for row in ATTRIBUTES for name in (row.oid, row.short, row.long)}
_BY_OID = {row.oid: row for row in ATTRIBUTES}


def is_oid(text: str) -> bool:
    """Tell whether *text* is a dotted object identifier: two arcs or more, the second below 40 under 0 and 1."""
    return len(text) <= _LONGEST_OID and _OID.fullmatch(text) is not None


def attribute_called(name: str) -> Attribute:
    """Return the attribute type that *name* means: OpenSSL's short or long name, snake_case, or a dotted OID.

    Raises:
        SpecError: no such attribute, or one whose value is no text.
    """
    known = _BY_NAME.get(name.replace("_", "").lower())
    if known:
        return known
    if name in NOT_TEXT:
        raise SpecError(f"attribute {name} ({NOT_TEXT[name]}) takes no text value; leave it out")
    if is_oid(name):
        return Attribute(name, name, name)
    close = difflib.get_close_matches(name[:80].replace("_", "").lower(), _BY_NAME, n=1)
    hint = f"did you mean {_BY_NAME[close[0]].long}? " if close else ""
    raise SpecError(
        f"attribute {name[:80]!r} is unknown; {hint}write an OpenSSL name (CN, commonName, common_name) or a dotted OID"
    )


def attribute_of(oid: str) -> Attribute:
    """Return the row of the dotted *oid*; for one that is not in the table, a row named by the OID."""
    return _BY_OID.get(oid) or Attribute(oid, oid, oid)
