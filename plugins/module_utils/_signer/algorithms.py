# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one table of key specs and signing algorithms, so that hash, padding and identifier cannot disagree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .._pki.errors import SpecError

if TYPE_CHECKING:
    from typing import TypeAlias

    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey, MLDSA65PublicKey, MLDSA87PublicKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    MlDsaPublicKey: TypeAlias = MLDSA44PublicKey | MLDSA65PublicKey | MLDSA87PublicKey
    PublicKey: TypeAlias = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey | MlDsaPublicKey

RAW_LIMIT = 4096
"""Bytes of a message that kms:Sign takes at most."""

MU_SIZE = 64
"""Bytes of the message representative of ML-DSA (FIPS 204 6.2)."""


@dataclass(frozen=True)
class AlgorithmRow:
    """One signing algorithm of KMS.

    Attributes:
        name: as in the KMS API.
        family: RSA, EC, ED25519, ED25519PH or ML_DSA.
        hash: hashlib's name; empty where the algorithm hashes inside.
        padding: PKCS1V15 or PSS for RSA, else empty. The PSS salt is as long as the digest, MGF1 uses the same hash.
        message_types: what kms:Sign accepts, the one that is used by default first.
    """

    name: str
    family: str
    hash: str
    padding: str
    message_types: tuple[str, ...]

    @property
    def message_type(self) -> str:
        """What is sent unless somebody asks otherwise: never the content where a digest will do."""
        return self.message_types[0]


_HASHED = ("DIGEST", "RAW")

ALGORITHMS: dict[str, AlgorithmRow] = {
    row.name: row
    for row in (
        AlgorithmRow("RSASSA_PKCS1_V1_5_SHA_256", "RSA", "sha256", "PKCS1V15", _HASHED),
        AlgorithmRow("RSASSA_PKCS1_V1_5_SHA_384", "RSA", "sha384", "PKCS1V15", _HASHED),
        AlgorithmRow("RSASSA_PKCS1_V1_5_SHA_512", "RSA", "sha512", "PKCS1V15", _HASHED),
        AlgorithmRow("RSASSA_PSS_SHA_256", "RSA", "sha256", "PSS", _HASHED),
        AlgorithmRow("RSASSA_PSS_SHA_384", "RSA", "sha384", "PSS", _HASHED),
        AlgorithmRow("RSASSA_PSS_SHA_512", "RSA", "sha512", "PSS", _HASHED),
        AlgorithmRow("ECDSA_SHA_256", "EC", "sha256", "", _HASHED),
        AlgorithmRow("ECDSA_SHA_384", "EC", "sha384", "", _HASHED),
        AlgorithmRow("ECDSA_SHA_512", "EC", "sha512", "", _HASHED),
        AlgorithmRow("ED25519_SHA_512", "ED25519", "", "", ("RAW",)),
        AlgorithmRow("ED25519_PH_SHA_512", "ED25519PH", "sha512", "", ("DIGEST",)),
        AlgorithmRow("ML_DSA_SHAKE_256", "ML_DSA", "", "", ("EXTERNAL_MU", "RAW")),
    )
}

VERIFIABLE = tuple(name for name, row in ALGORITHMS.items() if row.family != "ED25519PH")
"""Whose signatures can be checked here: not those of Ed25519ph, whose input KMS hashes twice."""


@dataclass(frozen=True)
class KeySpecRow:
    """One key spec of KMS.

    Attributes:
        key_spec: as in the KMS API.
        family: RSA, EC, ED25519, ML_DSA or SYMMETRIC.
        usages: values of KeyUsage that fit, the usual one first.
        signing_algorithms: what the key can sign with, in the order of the KMS API; empty where it cannot sign.
        x509_default: algorithm of certificates and CRLs unless the task names another.
        bare_default: algorithm of signatures over files unless the task names another.
        curve: pyca's name of the curve, for EC alone.
    """

    key_spec: str
    family: str
    usages: tuple[str, ...]
    signing_algorithms: tuple[str, ...] = ()
    x509_default: str = ""
    bare_default: str = ""
    curve: str = ""

    @property
    def message_type(self) -> str:
        """What is sent after hashing locally: DIGEST, RAW or EXTERNAL_MU; empty where the key cannot sign."""
        return ALGORITHMS[self.x509_default].message_type if self.x509_default else ""


_SIGN = ("SIGN_VERIFY",)
_RSA_ALGORITHMS = (
    "RSASSA_PKCS1_V1_5_SHA_256",
    "RSASSA_PKCS1_V1_5_SHA_384",
    "RSASSA_PKCS1_V1_5_SHA_512",
    "RSASSA_PSS_SHA_256",
    "RSASSA_PSS_SHA_384",
    "RSASSA_PSS_SHA_512",
)


def _rsa(bits: int) -> KeySpecRow:
    usages = ("SIGN_VERIFY", "ENCRYPT_DECRYPT")
    defaults = ("RSASSA_PKCS1_V1_5_SHA_256", "RSASSA_PKCS1_V1_5_SHA_512")
    return KeySpecRow(f"RSA_{bits}", "RSA", usages, _RSA_ALGORITHMS, *defaults)


def _one(key_spec: str, family: str, algorithm: str, usages: tuple[str, ...] = _SIGN, curve: str = "") -> KeySpecRow:
    return KeySpecRow(key_spec, family, usages, (algorithm,), algorithm, algorithm, curve)


_AGREE = ("SIGN_VERIFY", "KEY_AGREEMENT")

KEY_SPECS: dict[str, KeySpecRow] = {
    row.key_spec: row
    for row in (
        _rsa(2048),
        _rsa(3072),
        _rsa(4096),
        _one("ECC_NIST_P256", "EC", "ECDSA_SHA_256", _AGREE, "secp256r1"),
        _one("ECC_NIST_P384", "EC", "ECDSA_SHA_384", _AGREE, "secp384r1"),
        _one("ECC_NIST_P521", "EC", "ECDSA_SHA_512", _AGREE, "secp521r1"),
        _one("ECC_SECG_P256K1", "EC", "ECDSA_SHA_256", _SIGN, "secp256k1"),
        KeySpecRow(
            "ECC_NIST_EDWARDS25519",
            "ED25519",
            _SIGN,
            ("ED25519_SHA_512", "ED25519_PH_SHA_512"),
            "ED25519_SHA_512",
            "ED25519_SHA_512",
        ),
        _one("ML_DSA_44", "ML_DSA", "ML_DSA_SHAKE_256"),
        _one("ML_DSA_65", "ML_DSA", "ML_DSA_SHAKE_256"),
        _one("ML_DSA_87", "ML_DSA", "ML_DSA_SHAKE_256"),
        KeySpecRow("SYMMETRIC_DEFAULT", "SYMMETRIC", ("ENCRYPT_DECRYPT",)),
    )
}

_CURVES = {row.curve: row.key_spec for row in KEY_SPECS.values() if row.curve}
_ML_DSA_SIZES = (44, 65, 87)


def _kind_of(public_key: object) -> tuple[str, str]:
    """Return the key spec that this kind of key would have, and the kind in words."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa  # kms_key wants the tables alone, quickly

    if isinstance(public_key, rsa.RSAPublicKey):
        return f"RSA_{public_key.key_size}", f"RSA with {public_key.key_size} bits"
    if isinstance(public_key, ec.EllipticCurvePublicKey):
        return _CURVES.get(public_key.curve.name, ""), f"the curve {public_key.curve.name}"
    if isinstance(public_key, ed25519.Ed25519PublicKey):
        return "ECC_NIST_EDWARDS25519", "Ed25519"
    return _ml_dsa_kind(public_key), type(public_key).__name__


def _ml_dsa_kind(public_key: object) -> str:
    try:
        from cryptography.hazmat.primitives.asymmetric import mldsa
    except ImportError:
        return ""  # older than 50: public keys of that kind cannot be loaded either
    fitting = (size for size in _ML_DSA_SIZES if isinstance(public_key, getattr(mldsa, f"MLDSA{size}PublicKey")))
    return next((f"ML_DSA_{size}" for size in fitting), "")


def spec_of_public_key(public_key: object) -> str:
    """Return the KMS key spec that a pyca public key belongs to.

    Raises:
        SpecError: KMS has no keys of this kind or size.
    """
    key_spec, kind = _kind_of(public_key)
    if key_spec not in KEY_SPECS:
        raise SpecError(f"public key: {kind} is no key that KMS can hold; it has {', '.join(KEY_SPECS)}")
    return key_spec


def algorithm_for(key_spec: str, signing_algorithm: str) -> AlgorithmRow:
    """Return the row of *signing_algorithm*.

    Raises:
        SpecError: keys of this spec cannot sign with it.
    """
    fitting = KEY_SPECS[key_spec].signing_algorithms
    if signing_algorithm not in fitting:
        choice = f"use one of {', '.join(fitting)}" if fitting else "such keys do not sign"
        raise SpecError(f"signing_algorithm {signing_algorithm} does not fit a key of spec {key_spec}; {choice}")
    return ALGORITHMS[signing_algorithm]
