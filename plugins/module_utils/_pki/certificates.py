# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates and requests: bytes to objects and back, and the few facts everybody asks of them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from .der import encode, parts_of, wrap
from .errors import IssuerError, SpecError
from .issuing import issued_by
from .ml_dsa import require_ml_dsa_for
from .name_matching import is_same_name
from .names import name_text
from .pss_keys import RSASSA_PSS

try:
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
except ImportError:
    UnsupportedAlgorithm = ValueError  # type: ignore[misc,assignment]  # the module reports it

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

_PEM_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def load_certificates(content: bytes, source: str) -> tuple[x509.Certificate, ...]:
    """Return the certificates in *content*: one in DER, or any number in PEM, in their order.

    Args:
        source: where the bytes come from, for messages.
    Raises:
        SpecError: there is none, or one cannot be parsed.
    """
    blocks = _PEM_CERTIFICATE.findall(content)
    try:
        if content[:1] == b"\x30":
            return (x509.load_der_x509_certificate(content),)
        found = tuple(x509.load_pem_x509_certificate(block) for block in blocks)
    except (ValueError, TypeError, x509.InvalidVersion) as exc:
        raise SpecError(f"{source}: not a readable certificate ({exc}); expected X.509 in PEM or DER") from exc
    if not found:
        raise SpecError(f"{source}: holds no certificate; expected X.509 in PEM or DER")
    return found


def load_usable_certificates(content: bytes, source: str) -> tuple[x509.Certificate, ...]:
    """Return the certificates in *content*, of which every part that others build upon can be read.

    Raises:
        SpecError: as load_certificates(), or a name, key or extension is malformed or of an unknown kind.
    """
    found = load_certificates(content, source)
    for certificate in found:
        _require_readable(certificate, source)
    return found


def _require_readable(thing: x509.Certificate | x509.CertificateSigningRequest, source: str) -> None:
    """Read what the library parses only when asked, so that nothing is found malformed half-way."""
    refusals = (ValueError, TypeError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)
    what = "certificate" if isinstance(thing, x509.Certificate) else "CSR"
    try:
        thing.public_key()
        for part in ("subject", "issuer", "extensions"):
            getattr(thing, part, None)
    except KeyError as exc:  # the library's word for a string type or TLS feature that it does not know
        raise SpecError(f"{source}: a part of the {what} has the unknown value {exc}; have it made again") from exc
    except refusals as exc:
        require_ml_dsa_for(thing.public_bytes(serialization.Encoding.DER), source)
        raise SpecError(f"{source}: a part of the {what} cannot be read ({exc}); have it made again") from exc


def load_csr(content: bytes, source: str) -> x509.CertificateSigningRequest:
    """Return the PKCS#10 request in *content* after checking that its key signed it (RFC 2986 4.2).

    Raises:
        SpecError: it cannot be parsed, a part of it is malformed, or its own signature does not verify.
    """
    try:
        der = content[:1] == b"\x30"
        csr = x509.load_der_x509_csr(content) if der else x509.load_pem_x509_csr(content)
        valid = csr.is_signature_valid
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion) as exc:
        require_ml_dsa_for(content, source)
        raise SpecError(f"{source}: not a readable CSR ({exc}); expected PKCS#10 in PEM or DER") from exc
    if not valid:
        raise SpecError(f"{source}: the CSR's signature does not verify under its own key; have it made again")
    _require_readable(csr, source)
    return csr


def load_name(der: bytes) -> x509.Name:
    """Return the distinguished name in *der*, which the library reads inside something else alone, here a request.

    Raises:
        ValueError: it is none.
    """
    nothing = wrap(0x30, encode("OID", RSASSA_PSS)) + wrap(0x03, b"\0")
    request = wrap(0x30, encode("INT", "0") + der + wrap(0x30, nothing) + wrap(0xA0, b""))
    try:
        return x509.load_der_x509_csr(wrap(0x30, request + nothing)).subject
    except KeyError as exc:  # the library's word for a string type that it does not know
        raise ValueError(f"unknown value {exc}") from exc


def load_public_key(content: bytes, source: str) -> CertificatePublicKeyTypes:
    """Return the SubjectPublicKeyInfo in *content*, PEM or DER.

    Raises:
        SpecError: it cannot be parsed, or is a private key.
    """
    if b"PRIVATE KEY-----" in content:
        raise SpecError(f"{source}: is a private key; expected a public key in PEM or DER")
    der = content[:1] == b"\x30"
    try:
        key = serialization.load_der_public_key(content) if der else serialization.load_pem_public_key(content)
    except (ValueError, TypeError, UnsupportedAlgorithm) as exc:
        require_ml_dsa_for(content, source)
        raise SpecError(f"{source}: not a readable public key ({exc}); expected PEM or DER") from exc
    return key  # type: ignore[return-value]  # Diffie-Hellman keys are refused by key type, in the gate


def csr_spki(csr: x509.CertificateSigningRequest) -> bytes:
    """Return the SubjectPublicKeyInfo as it stands in *csr* (RFC 2986 4.1)."""
    _version, _subject, public_key, *_attributes = parts_of(csr.tbs_certrequest_bytes)
    return public_key


def to_der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)


def to_pem(certificates: Sequence[x509.Certificate]) -> bytes:
    return b"".join(certificate.public_bytes(serialization.Encoding.PEM) for certificate in certificates)


def csr_to_pem(csr: x509.CertificateSigningRequest) -> bytes:
    return csr.public_bytes(serialization.Encoding.PEM)


def spki(public_key: CertificatePublicKeyTypes) -> bytes:
    """Return the DER SubjectPublicKeyInfo (RFC 5280 4.1.2.7), the form in which keys are compared."""
    return public_key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def same_key(one: CertificatePublicKeyTypes, other: CertificatePublicKeyTypes) -> bool:
    return spki(one) == spki(other)


def sha256_hex(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def serial_hex(serial_number: int) -> str:
    """Return *serial_number* as OpenSSL names files in newcerts: upper-case hex, an even number of digits."""
    digits = f"{serial_number:X}"
    return digits if len(digits) % 2 == 0 else f"0{digits}"


def asn1_time(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).strftime("%Y%m%d%H%M%SZ")


def is_self_issued(certificate: x509.Certificate) -> bool:
    """Tell whether subject and issuer are the same name (RFC 5280 3.2, 7.1)."""
    return is_same_name(certificate.subject, certificate.issuer)


def hash_name(certificate: x509.Certificate | x509.CertificateSigningRequest) -> str:
    """Return the hash under the signature, such as sha256; empty where the algorithm hashes inside or is unknown."""
    try:
        algorithm = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return ""
    return "" if algorithm is None else algorithm.name


def is_self_signed(certificate: x509.Certificate) -> bool:
    return is_self_issued(certificate) and issued_by(certificate, certificate)


def path_upwards(
    issuer: x509.Certificate, pool: Sequence[x509.Certificate], now: datetime | None = None
) -> tuple[x509.Certificate, ...]:
    """Return *issuer* and the certificates of *pool* above it, nearest first, as far as they are known.

    Where several lead upwards, as with cross-certificates, one that is valid *now* is taken, of these a self-signed
    one, else the first.

    Raises:
        IssuerError: the certificates go round in a circle.
    """
    path = [issuer]
    while not is_self_signed(path[-1]):
        above = [candidate for candidate in pool if issued_by(path[-1], candidate)]
        if not above:
            break
        nearest = max(above, key=lambda candidate: (_is_valid(candidate, now), is_self_signed(candidate)))
        if nearest in path:
            raise IssuerError(f"{name_text(issuer.subject)}: the certificates above it go round in a circle")
        path.append(nearest)
    return tuple(path)


def _is_valid(certificate: x509.Certificate, now: datetime | None) -> bool:
    return now is None or certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc


def all_upwards(issuer: x509.Certificate, pool: Sequence[x509.Certificate]) -> tuple[x509.Certificate, ...]:
    """Return *issuer* and every certificate of *pool* on any path upwards from it, nearest first.

    Cross-certificates of an authority come with it, so a relying party that trusts either root finds its path.
    """
    found, others = [issuer], list(dict.fromkeys(pool))
    for below in found:
        found += [above for above in others if above not in found and issued_by(below, above)]
    return tuple(found)
