# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keys that protect nothing, of every kind, to try out what a certificate would look like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

try:
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
except ImportError:
    ec = rsa = Ed25519PrivateKey = None  # type: ignore[assignment,misc]  # judge_tree() says so

try:
    from cryptography.hazmat.primitives.asymmetric import mldsa
except ImportError:
    mldsa = None  # type: ignore[assignment]  # cryptography older than 50

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

# Specs of keys in the words of the KMS API.
_BELOW = 117  # how far below these powers of two a modulus is that has no small factor
_RSA_BITS: Mapping[str, int] = {"RSA_2048": 2048, "RSA_3072": 3072, "RSA_4096": 4096}
_CURVES: Mapping[str, str] = {
    "ECC_NIST_P256": "SECP256R1",
    "ECC_NIST_P384": "SECP384R1",
    "ECC_NIST_P521": "SECP521R1",
    "ECC_SECG_P256K1": "SECP256K1",
}
_ML_DSA_BYTES: Mapping[str, tuple[str, int]] = {  # FIPS 204, table 2
    "ML_DSA_44": ("MLDSA44PublicKey", 1312),
    "ML_DSA_65": ("MLDSA65PublicKey", 1952),
    "ML_DSA_87": ("MLDSA87PublicKey", 2592),
}


def trial_private_key() -> Ed25519PrivateKey:
    """Return a key for signatures that are thrown away."""
    return Ed25519PrivateKey.from_private_bytes(bytes(32))


def trial_public_key(key_spec: str) -> CertificatePublicKeyTypes:
    """Return a public key of *key_spec*; where ML-DSA is not supported an Ed25519 key, which does what they do."""
    if key_spec in _RSA_BITS:
        return rsa.RSAPublicNumbers(65537, (1 << _RSA_BITS[key_spec]) - _BELOW).public_key()
    if key_spec in _CURVES:
        return ec.derive_private_key(1, getattr(ec, _CURVES[key_spec])()).public_key()
    if key_spec in _ML_DSA_BYTES and mldsa is not None:
        kind, size = _ML_DSA_BYTES[key_spec]
        key: CertificatePublicKeyTypes = getattr(mldsa, kind).from_public_bytes(bytes(size))
        return key
    return trial_private_key().public_key()
