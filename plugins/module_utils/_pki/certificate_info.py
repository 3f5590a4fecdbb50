# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A certificate in words, field by field, for whoever reads results (RFC 5280 4)."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from .certificates import asn1_time, hash_name, serial_hex, spki, to_der
from .errors import SpecError
from .fingerprints import fingerprints
from .general_names import constraint_text, general_name_text
from .issuing import signed_by
from .names import name_to_list
from .openssl_names import EXTENDED_KEY_USAGES, KEY_TYPES, KEY_USAGES, SIGNATURE_ALGORITHMS

try:
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
except ImportError:
    UnsupportedAlgorithm = ValueError  # type: ignore[misc,assignment]  # require_cryptography() in the module says so

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

Facts = dict[str, Any]
Value = TypeVar("Value", bound="x509.ExtensionType")

OCSP, CA_ISSUERS = "1.3.6.1.5.5.7.48.1", "1.3.6.1.5.5.7.48.2"


def describe_certificate(certificate: x509.Certificate, now: datetime) -> Facts:
    """Return the fields of *certificate* under the names and in the words of community.crypto's info module.

    Beyond those: `serial_number_hex`, `signature_hash`, `crl_uris`, name constraints and `days_left`.

    Raises:
        SpecError: a part of it is malformed, or stands there twice.
    """
    try:
        return {
            **_names(certificate),
            **_validity(certificate, now),
            **_public_key(certificate),
            **_extensions(certificate),
            "fingerprints": fingerprints(to_der(certificate)),
            "serial_number": certificate.serial_number,
            "serial_number_hex": serial_hex(certificate.serial_number),
            "signature_algorithm": _signature_algorithm(certificate),
            "signature_hash": hash_name(certificate) or None,
            "version": certificate.version.value + 1,
        }
    except KeyError as exc:  # the library's word for a string type or TLS feature that it does not know
        raise SpecError(
            f"the certificate cannot be described: it has the unknown value {exc}; have it made again"
        ) from exc
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as exc:
        raise SpecError(f"the certificate cannot be described: {exc}; have it made again") from exc


def valid_at(certificate: x509.Certificate, moments: Mapping[str, datetime]) -> dict[str, bool]:
    """Return for each of *moments* whether it lies within the validity of *certificate* (RFC 5280 4.1.2.5)."""
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return {name: start <= moment <= end for name, moment in moments.items()}


def issuer_match(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Return whether *certificate* names *issuer* and the issuer's key signed it (RFC 5280 6.1.3 a).

    Raises:
        SpecError: the installed cryptography cannot tell, because it does not know the issuer's kind of key.
    """
    if _load_key(issuer) is None:
        kind = _key_type(issuer)
        raise SpecError(f"the issuer's {kind} key is of no kind that the installed cryptography knows; upgrade it")
    return signed_by(certificate, issuer)


def _names(certificate: x509.Certificate) -> Facts:
    subject, issuer = name_to_list(certificate.subject), name_to_list(certificate.issuer)
    return {
        "subject": dict(subject),
        "subject_ordered": subject,
        "issuer": dict(issuer),
        "issuer_ordered": issuer,
    }


def _validity(certificate: x509.Certificate, now: datetime) -> Facts:
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return {
        "not_before": asn1_time(start),
        "not_after": asn1_time(end),
        "expired": end < now,
        "days_left": (end - now) // timedelta(days=1),
    }


def _signature_algorithm(certificate: x509.Certificate) -> str:
    oid = certificate.signature_algorithm_oid.dotted_string
    return SIGNATURE_ALGORITHMS.get(oid, oid)


def _public_key(certificate: x509.Certificate) -> Facts:
    facts: Facts = {"public_key_type": _key_type(certificate)}
    key = _load_key(certificate)
    if key is None:
        return {**facts, "public_key": None, "public_key_data": {}, "public_key_fingerprints": {}}
    info = serialization.PublicFormat.SubjectPublicKeyInfo
    return {
        **facts,
        "public_key": key.public_bytes(serialization.Encoding.PEM, info).decode(),
        "public_key_data": _key_data(key),
        "public_key_fingerprints": fingerprints(spki(key)),
    }


def _key_type(certificate: x509.Certificate) -> str:
    oid = certificate.public_key_algorithm_oid.dotted_string
    return KEY_TYPES.get(oid, f"unknown ({oid})")


def _load_key(certificate: x509.Certificate) -> CertificatePublicKeyTypes | None:
    """Return the public key; None where it is of a kind that the installed cryptography does not know."""
    try:
        return certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return None


def _key_data(key: CertificatePublicKeyTypes) -> Facts:
    if isinstance(key, rsa.RSAPublicKey):
        rsa_numbers = key.public_numbers()
        return {"size": key.key_size, "modulus": rsa_numbers.n, "exponent": rsa_numbers.e}
    if isinstance(key, ec.EllipticCurvePublicKey):
        point = key.public_numbers()
        return {"curve": key.curve.name, "exponent_size": key.curve.key_size, "x": point.x, "y": point.y}
    if isinstance(key, dsa.DSAPublicKey):
        numbers = key.public_numbers()
        group = numbers.parameter_numbers
        return {"size": key.key_size, "p": group.p, "q": group.q, "g": group.g, "y": numbers.y}
    return {}


def _extensions(certificate: x509.Certificate) -> Facts:
    found = certificate.extensions
    return {
        **_with_criticality("key_usage", found, x509.KeyUsage, _key_usages),
        **_with_criticality("extended_key_usage", found, x509.ExtendedKeyUsage, _extended_key_usages),
        **_with_criticality("basic_constraints", found, x509.BasicConstraints, _basic_constraints),
        **_with_criticality("ocsp_must_staple", found, x509.TLSFeature, _staples),
        **_with_criticality("subject_alt_name", found, x509.SubjectAlternativeName, _alternative_names),
        **_name_constraints(found),
        **_key_identifiers(found),
        **_locations(found),
        "extensions_by_oid": {
            one.oid.dotted_string: {
                "critical": one.critical,
                "value": base64.b64encode(one.value.public_bytes()).decode(),
            }
            for one in found
        },
    }


def _find(extensions: x509.Extensions, kind: type[Value]) -> tuple[Value | None, bool]:
    """Return the value of *kind* and whether it is critical."""
    try:
        found = extensions.get_extension_for_class(kind)
    except x509.ExtensionNotFound:
        return None, False
    return found.value, found.critical


def _with_criticality(
    name: str, extensions: x509.Extensions, kind: type[Value], describe: Callable[[Value], object]
) -> Facts:
    value, critical = _find(extensions, kind)
    return {name: None if value is None else describe(value), f"{name}_critical": critical}


def _key_usages(value: x509.KeyUsage) -> list[str]:
    """The last two bits mean something beside key agreement alone (RFC 5280 4.2.1.3)."""
    bits = list(KEY_USAGES) if value.key_agreement else list(KEY_USAGES)[:-2]
    return sorted(KEY_USAGES[bit] for bit in bits if getattr(value, bit))


def _extended_key_usages(value: x509.ExtendedKeyUsage) -> list[str]:
    return sorted(EXTENDED_KEY_USAGES.get(usage.dotted_string, usage.dotted_string) for usage in value)


def _basic_constraints(value: x509.BasicConstraints) -> list[str]:
    path_length = [] if value.path_length is None else [f"pathlen:{value.path_length}"]
    return ["CA:TRUE" if value.ca else "CA:FALSE", *path_length]


def _staples(value: x509.TLSFeature) -> bool:
    return x509.TLSFeatureType.status_request in value


def _alternative_names(value: Iterable[x509.GeneralName]) -> list[str]:
    return [_general_name(name) for name in value]


def _general_name(name: x509.GeneralName) -> str:
    """Return *name* with its prefix; an otherName in hex, whatever its type, as community.crypto has it."""
    if isinstance(name, x509.OtherName):
        return f"otherName:{name.type_id.dotted_string};{name.value.hex(':')}"
    return general_name_text(name)


def _name_constraints(extensions: x509.Extensions) -> Facts:
    value, critical = _find(extensions, x509.NameConstraints)
    return {
        "name_constraints_permitted": None if value is None else _constraints(value.permitted_subtrees),
        "name_constraints_excluded": None if value is None else _constraints(value.excluded_subtrees),
        "name_constraints_critical": critical,
    }


def _constraints(subtrees: Sequence[x509.GeneralName] | None) -> list[str]:
    return [constraint_text(name) for name in subtrees or ()]


def _key_identifiers(extensions: x509.Extensions) -> Facts:
    subject = _find(extensions, x509.SubjectKeyIdentifier)[0]
    authority = _find(extensions, x509.AuthorityKeyIdentifier)[0]
    names = None if authority is None else authority.authority_cert_issuer
    return {
        "subject_key_identifier": None if subject is None else subject.digest.hex(":"),
        "authority_key_identifier": None if authority is None else _octets(authority.key_identifier),
        "authority_cert_issuer": None if names is None else _alternative_names(names),
        "authority_cert_serial_number": None if authority is None else authority.authority_cert_serial_number,
    }


def _octets(value: bytes | None) -> str | None:
    return None if value is None else value.hex(":")


def _locations(extensions: x509.Extensions) -> Facts:
    access = _find(extensions, x509.AuthorityInformationAccess)[0]
    points = _find(extensions, x509.CRLDistributionPoints)[0]
    return {
        "ocsp_uri": _access_uri(access, OCSP),
        "issuer_uri": _access_uri(access, CA_ISSUERS),
        "crl_uris": None if points is None else _uris(name for point in points for name in point.full_name or ()),
    }


def _access_uri(access: Iterable[x509.AccessDescription] | None, method: str) -> str | None:
    """Return the first URI of *method* (RFC 5280 4.2.2.1)."""
    places = (one.access_location for one in access or () if one.access_method.dotted_string == method)
    return next(iter(_uris(places)), None)


def _uris(names: Iterable[x509.GeneralName]) -> list[str]:
    return [name.value for name in names if isinstance(name, x509.UniformResourceIdentifier)]
