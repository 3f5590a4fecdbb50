# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ASN.1 of CMS SignedData (RFC 5652 5) and of its attributes, as the cryptography library encodes it.

Three libraries were tried. The builder for PKCS#7 in cryptography takes RSA and ECDSA alone, one fixed set of
attributes, and the content in memory. pyasn1 with pyasn1-alt-modules has all of it ready-made, but is two more things
to install where the module runs, is untyped, and takes 0.15 s to import, in every task. cryptography.hazmat.asn1 needs
nothing that is not there already but cryptography 50, as ML-DSA does (it is there from 47 on, and writes values of any
type from 50 on). It reads DER alone, which is what is written here. Its interface may still change, so this is the only
file that uses it.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, TypeVar

from .._pki.der import wrap

if TYPE_CHECKING:
    from collections.abc import Callable

Made = TypeVar("Made")
try:
    from cryptography import x509
    from cryptography.hazmat import asn1
except ImportError:
    asn1 = None  # type: ignore[assignment]  # older than 50: require_cryptography() in the module says so

if TYPE_CHECKING:
    from cryptography.hazmat.asn1 import sequence
else:
    sequence: Callable[[type[Made]], type[Made]] = asn1.sequence if asn1 else lambda made: made


@sequence
class AlgorithmIdentifier:
    """RFC 5652 10.1. With parameters of any kind it is read as TLV; see `PssIdentifier` for the one that has some."""

    algorithm: x509.ObjectIdentifier
    parameters: asn1.Null | None


@sequence
class MaskGenAlgorithm:
    """RFC 4055 2.2."""

    algorithm: x509.ObjectIdentifier
    parameters: AlgorithmIdentifier


@sequence
class PssParameters:
    """RFC 4055 3.1; the defaults are SHA-1, which nobody here uses, so what is missing reads as None."""

    hash_algorithm: Annotated[AlgorithmIdentifier | None, asn1.Explicit(0)]
    mask_gen_algorithm: Annotated[MaskGenAlgorithm | None, asn1.Explicit(1)]
    salt_length: Annotated[int, asn1.Explicit(2), asn1.Default(20)]
    trailer_field: Annotated[int, asn1.Explicit(3), asn1.Default(1)]


@sequence
class PssIdentifier:
    """RFC 4056 3."""

    algorithm: x509.ObjectIdentifier
    parameters: PssParameters


@sequence
class Attribute:
    """RFC 5652 5.3."""

    type: x509.ObjectIdentifier
    values: asn1.SetOf[asn1.TLV]


@sequence
class UnsignedAttribute:
    """RFC 5652 5.3. Nobody looks at its values, which need not be DER in their order."""

    type: x509.ObjectIdentifier
    values: asn1.TLV


@sequence
class HeldAttributes:
    """A SET OF attributes by itself, which the library reads inside something else alone."""

    attributes: asn1.SetOf[Attribute]


@sequence
class DirectoryName:
    """GeneralNames of one distinguished name (RFC 5280 4.2.1.6), all that RFC 5035 4 lets them be."""

    name: Annotated[asn1.TLV, asn1.Explicit(4)]


@sequence
class IssuerSerial:
    """RFC 5035 4."""

    issuer: DirectoryName
    serial_number: int


@sequence
class EssCertId:
    """RFC 2634 5.4.1, always with SHA-1."""

    cert_hash: bytes
    issuer_serial: IssuerSerial | None


@sequence
class SigningCertificate:
    """RFC 2634 5.4."""

    certs: list[EssCertId]
    policies: list[asn1.TLV] | None


@sequence
class EssCertIdV2:
    """RFC 5035 4. Without an algorithm it is SHA-256."""

    hash_algorithm: AlgorithmIdentifier | None
    cert_hash: bytes
    issuer_serial: IssuerSerial | None


@sequence
class SigningCertificateV2:
    """RFC 5035 3."""

    certs: list[EssCertIdV2]
    policies: list[asn1.TLV] | None


@sequence
class IssuerAndSerialNumber:
    """RFC 5652 10.2.4."""

    issuer: asn1.TLV
    serial_number: int


@sequence
class SignerInfo:
    """RFC 5652 5.3."""

    version: int
    sid: IssuerAndSerialNumber | Annotated[bytes, asn1.Implicit(0)]
    digest_algorithm: asn1.TLV
    signed_attrs: Annotated[asn1.SetOf[Attribute] | None, asn1.Implicit(0)]
    signature_algorithm: asn1.TLV
    signature: bytes
    unsigned_attrs: Annotated[list[UnsignedAttribute] | None, asn1.Implicit(1)]


@sequence
class EncapsulatedContentInfo:
    """RFC 5652 5.2."""

    content_type: x509.ObjectIdentifier
    content: Annotated[bytes | None, asn1.Explicit(0)]


@sequence
class SignedData:
    """RFC 5652 5.1. The certificates are a SET OF; as a list they may be in any order, as OpenSSL's smime has them."""

    version: int
    digest_algorithms: asn1.SetOf[asn1.TLV]
    encap_content_info: EncapsulatedContentInfo
    certificates: Annotated[list[asn1.TLV] | None, asn1.Implicit(0)]
    crls: Annotated[list[asn1.TLV] | None, asn1.Implicit(1)]
    signer_infos: asn1.SetOf[SignerInfo]


@sequence
class ContentInfo:
    """RFC 5652 3, with the one content type that is dealt with here."""

    content_type: x509.ObjectIdentifier
    content: Annotated[SignedData, asn1.Explicit(0)]


def encode(value: object) -> bytes:
    """Return the DER of *value*."""
    return asn1.encode_der(value)


def encode_set(values: list[Made]) -> bytes:
    """Return the DER of a SET OF *values*, in the order that DER wants."""
    return asn1.encode_der(asn1.SetOf(values))


def set_of(values: list[Made]) -> asn1.SetOf[Made]:
    return asn1.SetOf(values)


def decode(kind: type[Made], der: bytes) -> Made:
    """Return the value of *kind* in *der*.

    Raises:
        ValueError: it is not the DER of such a value.
    """
    return asn1.decode_der(kind, der)


def decode_attributes(der: bytes) -> asn1.SetOf[Attribute]:
    """Return the SET OF attributes in *der*.

    Raises:
        ValueError: it is not the DER of such a set.
    """
    return decode(HeldAttributes, wrap(0x30, der)).attributes


def to_tlv(der: bytes) -> asn1.TLV:
    """Return *der*, which is one value of any type, as the library keeps such values."""
    return asn1.decode_der(asn1.TLV, der)


def oid(dotted: str) -> x509.ObjectIdentifier:
    return x509.ObjectIdentifier(dotted)


def null() -> asn1.Null:
    return asn1.Null()


def encode_time(moment: datetime) -> bytes:
    """Return UTCTime up to 2049, GeneralizedTime from then on (RFC 5652 11.3)."""
    return encode(asn1.UTCTime(moment) if 1950 <= moment.year < 2050 else asn1.GeneralizedTime(moment))


def decode_time(der: bytes) -> datetime:
    """Return the moment in *der*.

    Raises:
        ValueError: it is no time.
    """
    utc_time = 0x17
    if der[:1] == bytes((utc_time,)):
        return decode(asn1.UTCTime, der).as_datetime()
    return decode(asn1.GeneralizedTime, der).as_datetime()
