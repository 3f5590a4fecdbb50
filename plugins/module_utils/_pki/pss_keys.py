# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""RSA keys that may sign with RSASSA-PSS alone (RFC 4055 1.2), which loading them forgets."""

from __future__ import annotations

import base64
import re

from .der import encode
from .errors import SpecError

try:
    from cryptography import x509
except ImportError:
    x509 = None  # type: ignore[assignment]  # require_cryptography() in the module says so

RSASSA_PSS = "1.2.840.113549.1.1.10"
PSS_ALONE = (
    "the key is restricted to RSASSA-PSS (id-RSASSA-PSS, RFC 4055 1.2), and only plain RSA keys (rsaEncryption), as "
    "those in KMS are, can be used; have it without the restriction, it can sign with PSS as well"
)
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
