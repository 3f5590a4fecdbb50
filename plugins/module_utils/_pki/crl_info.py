# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A CRL in words, field by field, for whoever reads results (RFC 5280 5)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from .certificates import asn1_time, serial_hex
from .crl import crl_der, load_crl
from .errors import SpecError
from .general_names import general_name_text
from .names import name_to_list
from .openssl_names import SIGNATURE_ALGORITHMS

try:
    from cryptography import x509
except ImportError:
    x509 = None  # type: ignore[assignment]  # require_cryptography() in the module says so

if TYPE_CHECKING:
    Value = TypeVar("Value", bound="x509.ExtensionType")

Facts = dict[str, Any]

# Of the issuing distribution point (RFC 5280 5.2.5), in the order of the standard.
_SCOPES = ("only_contains_user_certs", "only_contains_ca_certs", "indirect_crl", "only_contains_attribute_certs")


def read_crl_text(content: bytes, source: str) -> x509.CertificateRevocationList:
    """Return the CRL in *content*: PEM, DER, or DER in Base64.

    Raises:
        SpecError: it holds none.
    """
    return load_crl(_from_base64(content) if crl_der(content) is None else content, source)


def _from_base64(content: bytes) -> bytes:
    """Return what *content* encodes, itself where it is no Base64."""
    try:
        return base64.b64decode(content)
    except binascii.Error:
        return content


def describe_crl(crl: x509.CertificateRevocationList, content: bytes, now: datetime, list_revoked: bool) -> Facts:
    """Return the fields of *crl* under the names and in the words of community.crypto's info module, and more.

    Args:
        content: what it was read from, for the form.
    Raises:
        SpecError: a part of it is malformed, or stands there twice.
    """
    oid = crl.signature_algorithm_oid.dotted_string
    try:
        issuer = name_to_list(crl.issuer)
        return {
            "format": "pem" if b"-----BEGIN" in content else "der",
            "issuer": dict(issuer),
            "issuer_ordered": issuer,
            "digest": SIGNATURE_ALGORITHMS.get(oid, oid),
            **_times(crl, now),
            **_extensions(crl.extensions),
            "revoked_count": len(crl),
            **({"revoked_certificates": [_revoked(entry) for entry in crl]} if list_revoked else {}),
        }
    except KeyError as exc:  # the library's word for a string type that it does not know
        raise SpecError(f"the CRL cannot be described: it has the unknown value {exc}; have it made again") from exc
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as exc:
        raise SpecError(f"the CRL cannot be described: {exc}; have it made again") from exc


def _times(crl: x509.CertificateRevocationList, now: datetime) -> Facts:
    end = crl.next_update_utc
    return {
        "last_update": asn1_time(crl.last_update_utc),
        "next_update": None if end is None else asn1_time(end),
        "expired": None if end is None else end < now,
        "days_left": None if end is None else (end - now) // timedelta(days=1),
    }


def _find(extensions: x509.Extensions, kind: type[Value]) -> Value | None:
    try:
        return extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _extensions(found: x509.Extensions) -> Facts:
    number, base = _find(found, x509.CRLNumber), _find(found, x509.DeltaCRLIndicator)
    authority = _find(found, x509.AuthorityKeyIdentifier)
    identifier = None if authority is None else authority.key_identifier
    freshest = _find(found, x509.FreshestCRL)
    return {
        "crl_number": None if number is None else number.crl_number,
        "base_crl_number": None if base is None else base.crl_number,
        "authority_key_identifier": None if identifier is None else identifier.hex(":"),
        "issuing_distribution_point": _scope(_find(found, x509.IssuingDistributionPoint)),
        "delta_crl_uris": None
        if freshest is None
        else [text.removeprefix("URI:") for point in freshest for text in _names(point.full_name)],
    }


def _scope(point: x509.IssuingDistributionPoint | None) -> Facts | None:
    if point is None:
        return None
    reasons = None if point.only_some_reasons is None else sorted(flag.name for flag in point.only_some_reasons)
    flags: Facts = {name: getattr(point, name) for name in _SCOPES}
    return {"full_name": _names(point.full_name), "only_some_reasons": reasons, **flags}


def _names(names: Iterable[x509.GeneralName] | None) -> list[str]:
    return [general_name_text(name) for name in names or ()]


def _revoked(entry: x509.RevokedCertificate) -> Facts:
    facts: Facts = {
        "serial_number": entry.serial_number,
        "serial_number_hex": serial_hex(entry.serial_number),
        "revocation_date": asn1_time(entry.revocation_date_utc),
        "issuer": None,
        "issuer_critical": False,
        "reason": None,
        "reason_critical": False,
        "invalidity_date": None,
        "invalidity_date_critical": False,
    }
    for extension in entry.extensions:
        facts |= _entry_fact(extension.value, extension.critical)
    return facts


def _entry_fact(value: x509.ExtensionType, critical: bool) -> Facts:
    if isinstance(value, x509.CRLReason):
        return {"reason": value.reason.name, "reason_critical": critical}
    if isinstance(value, x509.InvalidityDate):
        return {"invalidity_date": asn1_time(value.invalidity_date_utc), "invalidity_date_critical": critical}
    if isinstance(value, x509.CertificateIssuer):
        return {"issuer": _names(value), "issuer_critical": critical}
    return {}
