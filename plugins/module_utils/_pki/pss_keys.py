# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""RSA keys that may sign with RSASSA-PSS alone (RFC 4055 1.2), which loading them forgets."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass

from .certificate_fields import SPKI, field_of
from .der import encode, parts_of
from .errors import SpecError

try:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding
except ImportError:
    x509 = None  # type: ignore[assignment]  # require_cryptography() in the module says so

RSASSA_PSS = "1.2.840.113549.1.1.10"
PSS_ALONE = (
    "the key is restricted to RSASSA-PSS (id-RSASSA-PSS, RFC 4055 1.2), and only plain RSA keys (rsaEncryption), as "
    "those in KMS are, can be used; have it without the restriction, it can sign with PSS as well"
)
_SHA1 = "1.3.14.3.2.26"
_HASH, _MASK, _SALT = 0xA0, 0xA1, 0xA2
_ALGORITHM_WITHIN = 20  # octets: two headers and the identifier
_PEM_PUBLIC_KEY = re.compile(rb"-----BEGIN PUBLIC KEY-----(.+?)-----END PUBLIC KEY-----", re.DOTALL)


def is_restricted_to_pss(key: bytes | x509.Certificate) -> bool:
    """Tell whether a key is of id-RSASSA-PSS: a SubjectPublicKeyInfo, PEM or DER, or that of a certificate."""
    if not isinstance(key, bytes):
        return key.public_key_algorithm_oid.dotted_string == RSASSA_PSS
    block = _PEM_PUBLIC_KEY.search(key)
    der = base64.b64decode(block[1]) if block else key
    return encode("OID", RSASSA_PSS) in der[:_ALGORITHM_WITHIN]


def refuse_pss_key(key: bytes | x509.Certificate, label: str) -> None:
    """Refuse a restricted key: no key in KMS is, and others would find what it signs, or what says so of it, wrong.

    Args:
        label: where it comes from, for the message.
    Raises:
        SpecError: it is restricted.
    """
    if is_restricted_to_pss(key):
        raise SpecError(f"{label}: {PSS_ALONE}")


def may_sign_so(issuer: x509.Certificate, signed: x509.Certificate | x509.CertificateRevocationList) -> bool:
    """Tell whether the key of *issuer* may make a signature of the kind that *signed* has.

    A restricted key signs with PSS; where it names hash, mask and salt, with those, and with no shorter a salt (RFC
    4055 3.3).
    """
    if not is_restricted_to_pss(issuer):
        return True
    if signed.signature_algorithm_oid.dotted_string != RSASSA_PSS:
        return False
    wanted = _parameters(parts_of(field_of(issuer, SPKI))[0])
    found = _parameters(parts_of(signed.public_bytes(Encoding.DER))[1])
    if wanted is None or found is None:
        return wanted is None
    return (found.hash, found.mask) == (wanted.hash, wanted.mask) and found.salt >= wanted.salt


@dataclass(frozen=True)
class _Parameters:
    """RSASSA-PSS-params (RFC 4055 3.1): the hash and that of MGF1, both as DER of their OID, and octets of salt."""

    hash: bytes
    mask: bytes
    salt: int


def _parameters(algorithm: bytes) -> _Parameters | None:
    """Return what an AlgorithmIdentifier says; None where it leaves that open."""
    _oid, *given = parts_of(algorithm)
    if not given:
        return None
    said = {field[0]: parts_of(field)[0] for field in parts_of(given[0])}
    sha1 = encode("OID", _SHA1)
    return _Parameters(
        parts_of(said[_HASH])[0] if _HASH in said else sha1,
        parts_of(parts_of(said[_MASK])[1])[0] if _MASK in said else sha1,
        int.from_bytes(said[_SALT][2:], "big") if _SALT in said else 20,
    )
