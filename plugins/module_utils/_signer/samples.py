# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Something to sign, verify and decrypt that means nothing to anybody, for asking AWS whether it would."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from .._pki.errors import SpecError
from .algorithms import KEY_SPECS, MU_SIZE, AlgorithmRow
from .public_keys import load_public_key

try:
    from cryptography.hazmat.primitives.asymmetric import padding
    from cryptography.hazmat.primitives.hashes import SHA256
except ImportError:
    padding = None  # type: ignore[assignment]  # require_cryptography() in the module says so
if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

TEXT = b"rootstock.pki"
ENCRYPTION_ALGORITHM = "RSAES_OAEP_SHA_256"
SMALLEST_ECDSA = bytes.fromhex("3006020101020101")  # r and s are 1
SIGNATURE_SIZES = {"ED25519": 64, "ML_DSA_44": 2420, "ML_DSA_65": 3309, "ML_DSA_87": 4627}


def sample_message(row: AlgorithmRow, message_type: str) -> bytes:
    """Return a text, or something as long as its digest or message representative.

    Raises:
        SpecError: the algorithm does not take messages of this type.
    """
    if message_type not in row.message_types:
        fitting = ", ".join(row.message_types).lower()
        raise SpecError(f"message_type {message_type.lower()} does not fit {row.name}, which takes {fitting}")
    if message_type == "DIGEST":
        return hashlib.new(row.hash, TEXT).digest()
    return bytes(MU_SIZE) if message_type == "EXTERNAL_MU" else TEXT


def sample_signature(key_spec: str) -> bytes:
    """Return something with the form of a signature by such a key, which is none."""
    row = KEY_SPECS[key_spec]
    if row.family == "EC":
        return SMALLEST_ECDSA
    if row.family == "RSA":
        return (1).to_bytes(int(key_spec.partition("_")[2]) // 8, "big")
    return bytes(SIGNATURE_SIZES.get(row.key_spec) or SIGNATURE_SIZES[row.family])


def sample_ciphertext(public_key: bytes, where: str) -> bytes:
    """Return a text encrypted by ENCRYPTION_ALGORITHM.

    Args:
        public_key: of an RSA key, a SubjectPublicKeyInfo in DER.
        where: the key, for messages.
    """
    loaded: RSAPublicKey = load_public_key(public_key, where)  # type: ignore[assignment]  # no other keys encrypt
    return loaded.encrypt(TEXT, padding.OAEP(padding.MGF1(SHA256()), SHA256(), None))
