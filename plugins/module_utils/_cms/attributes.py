# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The signed attributes (RFC 5652 11, RFC 5035 3): what is signed in place of the content."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from .._signer.cms import CertificateReference
from .algorithms import digest_identifier, read_digest
from .structures import (
    AlgorithmIdentifier,
    Attribute,
    EssCertId,
    EssCertIdV2,
    SigningCertificate,
    SigningCertificateV2,
    decode,
    decode_time,
    encode,
    encode_set,
    encode_time,
    oid,
    set_of,
    to_tlv,
)

try:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding
except ImportError:
    x509 = None  # type: ignore[assignment]  # require_cryptography() in the module says so

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

DATA = "1.2.840.113549.1.7.1"
CONTENT_TYPE = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
SIGNING_TIME = "1.2.840.113549.1.9.5"
SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.12"
SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"
RECEIPT_REQUEST = "1.2.840.113549.1.9.16.2.1"
COUNTERSIGNATURE = "1.2.840.113549.1.9.6"

_ONLY_SIGNED = (
    CONTENT_TYPE,
    MESSAGE_DIGEST,
    SIGNING_TIME,
    SIGNING_CERTIFICATE,
    SIGNING_CERTIFICATE_V2,
    RECEIPT_REQUEST,
)
"""Attributes with one value that have to be signed (RFC 5652 11.1 to 11.3, RFC 5035 3, RFC 2634 2.7 and 5.4)."""

_REFERRING: dict[str, type[SigningCertificate | SigningCertificateV2]] = {
    SIGNING_CERTIFICATE: SigningCertificate,
    SIGNING_CERTIFICATE_V2: SigningCertificateV2,
}


def encode_attributes(
    certificate: x509.Certificate, hash_name: str, content_digest: bytes, signing_time: datetime | None
) -> bytes:
    """Return the DER of the attributes as a SET OF, which is what is signed (RFC 5652 5.4).

    Args:
        hash_name: of the content's digest; the certificate is hashed with it too.
        signing_time: None leaves it out.
    """
    values = {
        CONTENT_TYPE: encode(oid(DATA)),
        MESSAGE_DIGEST: encode(content_digest),
        SIGNING_CERTIFICATE_V2: encode(_signing_certificate(certificate, hash_name)),
    }
    if signing_time is not None:
        values[SIGNING_TIME] = encode_time(signing_time)
    return encode_set([Attribute(type=oid(kind), values=set_of([to_tlv(der)])) for kind, der in values.items()])


def _signing_certificate(certificate: x509.Certificate, hash_name: str) -> SigningCertificateV2:
    """Return the reference to the signer's certificate; SHA-256 is the default, which DER leaves out (X.690 11.5)."""
    identifier = decode(AlgorithmIdentifier, digest_identifier(hash_name))
    reference = EssCertIdV2(
        hash_algorithm=None if hash_name == "sha256" else identifier,
        cert_hash=hashlib.new(hash_name, certificate.public_bytes(Encoding.DER)).digest(),
        issuer_serial=None,
    )
    return SigningCertificateV2(certs=[reference], policies=None)


@dataclass(frozen=True)
class AttributeFacts:
    """What the attributes say, and what is wrong with them."""

    types: tuple[str, ...]
    content_digest: bytes
    signing_time: datetime | None
    references: tuple[tuple[CertificateReference, ...], ...]
    problems: tuple[str, ...]


def read_attributes(attributes: Sequence[Attribute]) -> AttributeFacts:
    """Return what *attributes* say; those that nobody here knows are passed over, as RFC 5652 5.6 has it."""
    types = tuple(attribute.type.dotted_string for attribute in attributes)
    values = {kind: _only_value(attribute) for kind, attribute in zip(types, attributes, strict=True)}
    problems = [f"has the signed attribute {kind} twice" for kind in dict.fromkeys(types) if types.count(kind) > 1]
    if COUNTERSIGNATURE in types:
        problems.append("has a countersignature among its signed attributes, where none may be (RFC 5652 11.4)")
    if RECEIPT_REQUEST in types and not values[RECEIPT_REQUEST]:
        problems.append("has a request for receipts without one value (RFC 2634 2.7)")
    if values.get(CONTENT_TYPE) != encode(oid(DATA)):
        problems.append("has no content type in its signed attributes, or another than data")
    digest = _octets(values.get(MESSAGE_DIGEST))
    if not digest:
        problems.append("has no digest of the content in its signed attributes")
    moment = None
    if SIGNING_TIME in values:
        moment = _time(values[SIGNING_TIME])
        problems += [] if moment else ["has a signing time that is none"]
    references = [_references(kind, values[kind]) for kind in _REFERRING if kind in values]
    if not all(found and found[0].hash_name for found in references):
        problems.append("has a reference to its certificate that cannot be read")
    return AttributeFacts(types, digest, moment, tuple(references), tuple(problems))


def unsigned_problems(types: Iterable[str]) -> list[str]:
    """Return what is wrong with unsigned attributes of these types: some would be believed if anybody looked there."""
    wrong = [kind for kind in dict.fromkeys(types) if kind in _ONLY_SIGNED]
    return [f"has the attribute {kind} unsigned, which has to be signed (RFC 5652 11, RFC 2634 5.4)" for kind in wrong]


def _only_value(attribute: Attribute) -> bytes:
    """Return the DER of the one value that each of the attributes here has to have; empty where it has not one."""
    values = attribute.values.as_list()
    return encode(values[0]) if len(values) == 1 else b""


def _octets(der: bytes | None) -> bytes:
    try:
        return decode(bytes, der or b"")
    except ValueError:
        return b""


def _time(der: bytes) -> datetime | None:
    try:
        return decode_time(der)
    except ValueError:
        return None


def _references(kind: str, der: bytes) -> tuple[CertificateReference, ...]:
    """Return the certificates that an attribute refers to, the signer's first (RFC 5035 3); none if it is malformed."""
    try:
        return tuple(_reference(found) for found in decode(_REFERRING[kind], der).certs)
    except ValueError:
        return ()


def _reference(found: EssCertId | EssCertIdV2) -> CertificateReference:
    told = found.issuer_serial
    issuer, serial_number = (b"", 0) if told is None else (encode(told.issuer.name), told.serial_number)
    return CertificateReference(_hash_name(found), found.cert_hash, issuer, serial_number)


def _hash_name(found: EssCertId | EssCertIdV2) -> str:
    if isinstance(found, EssCertId):
        return "sha1"
    return "sha256" if found.hash_algorithm is None else read_digest(encode(found.hash_algorithm))
