# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A key that stands where KMS would: it signs what KMS would sign, or lies about it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import AwsError
from ansible_collections.rootstock.pki.plugins.module_utils._signer.algorithms import (
    ALGORITHMS,
    KEY_SPECS,
    AlgorithmRow,
)
from ansible_collections.rootstock.pki.plugins.module_utils._signer.ports import NoRecorder, SignReply
from ansible_collections.rootstock.pki.plugins.module_utils._signer.session import SigningSession
from ansible_collections.rootstock.pki.plugins.module_utils._signer.verify import to_hash

try:
    from cryptography.hazmat.primitives.asymmetric import mldsa
except ImportError:
    mldsa = None  # type: ignore[assignment]

KEY_ARN = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
CURVES = {"secp256r1": ec.SECP256R1, "secp384r1": ec.SECP384R1, "secp521r1": ec.SECP521R1, "secp256k1": ec.SECP256K1}

SIGNING_SPECS = [
    spec for spec, row in KEY_SPECS.items() if row.signing_algorithms and (mldsa is not None or row.family != "ML_DSA")
]
"""What can be tried with the installed cryptography."""

PAIRS = [
    (spec, name)
    for spec in SIGNING_SPECS
    for name in KEY_SPECS[spec].signing_algorithms
    if name != "ED25519_PH_SHA_512"
]


@cache
def local_key(key_spec: str, *_which: int) -> Any:
    """Return a private key, the same one for the same arguments."""
    row = KEY_SPECS[key_spec]
    if row.family == "RSA":
        return rsa.generate_private_key(65537, int(key_spec.removeprefix("RSA_")))
    if row.family == "EC":
        return ec.generate_private_key(CURVES[row.curve]())
    if row.family == "ED25519":
        return ed25519.Ed25519PrivateKey.generate()
    return getattr(mldsa, f"MLDSA{key_spec.removeprefix('ML_DSA_')}PrivateKey").generate()


def pss(row: AlgorithmRow, salt_length: int | None = None) -> padding.PSS:
    """Return the padding of KMS, or one with another salt."""
    hash_ = to_hash(row.hash)
    return padding.PSS(padding.MGF1(hash_), hash_.digest_size if salt_length is None else salt_length)


def kms_signature(key: Any, message: bytes, message_type: str, row: AlgorithmRow) -> Any:
    """Return what kms:Sign returns."""
    if row.family == "ML_DSA":
        return key.sign_mu(message) if message_type == "EXTERNAL_MU" else key.sign(message)
    if row.family == "ED25519":
        return key.sign(message)
    digest = message if message_type == "DIGEST" else hashlib.new(row.hash, message).digest()
    prehashed = utils.Prehashed(to_hash(row.hash))
    if row.family == "EC":
        return key.sign(digest, ec.ECDSA(prehashed))
    return key.sign(digest, padding.PKCS1v15() if row.padding == "PKCS1V15" else pss(row), prehashed)


Sign = Callable[[Any, bytes, str, AlgorithmRow], bytes]


@dataclass
class LocalSigner:
    """A MessageSigner over a key in memory.

    Args:
        sign_with: makes the signature; give another one to lie.
        failures: raised one after the other before it answers.
    """

    key: Any
    sign_with: Sign = kms_signature
    failures: list[Exception] = field(default_factory=list)
    asked: list[tuple[bytes, str, str]] = field(default_factory=list)

    def sign(self, message: bytes, message_type: str, signing_algorithm: str) -> SignReply:
        self.asked.append((message, message_type, signing_algorithm))
        if self.failures:
            raise self.failures.pop(0)
        signature = self.sign_with(self.key, message, message_type, ALGORITHMS[signing_algorithm])
        return SignReply(signature, f"request-{len(self.asked)}", KEY_ARN)


def session_for(key: Any, **changed: Any) -> SigningSession:
    """Return a session over a key in memory that waits for nothing."""
    parts = {"signer": LocalSigner(key), "recorder": NoRecorder(), "public_key": key.public_key()}
    return SigningSession(**{**parts, "sleep": lambda _seconds: None, **changed})


def throttled() -> AwsError:
    return AwsError("kms:Sign is throttled", operation="Sign", code="ThrottlingException", retryable=True)


def denied() -> AwsError:
    return AwsError("kms:Sign is not allowed", operation="Sign", code="AccessDeniedException")
