# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Algorithm identifiers of CMS for the algorithms of KMS, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._signer.algorithms import ALGORITHMS
from .._signer.cms import HASH_NAMES
from . import structures
from .structures import AlgorithmIdentifier, MaskGenAlgorithm, PssIdentifier, PssParameters, decode, encode, oid

if TYPE_CHECKING:
    from .._signer.algorithms import AlgorithmRow

HASHES = {  # RFC 5754 2
    "sha256": "2.16.840.1.101.3.4.2.1",
    "sha384": "2.16.840.1.101.3.4.2.2",
    "sha512": "2.16.840.1.101.3.4.2.3",
}
_HASH_SIZES = {"sha256": 32, "sha384": 48, "sha512": 64}
_HASH_NAMES = {dotted: name for name, dotted in HASHES.items()}

RSA_ENCRYPTION = "1.2.840.113549.1.1.1"
RSASSA_PSS = "1.2.840.113549.1.1.10"
MGF1 = "1.2.840.113549.1.1.8"

SIGNATURES = {
    # RFC 5754 3.2: the key's own identifier, which every implementation has to take; the digest is named beside it.
    "PKCS1V15": RSA_ENCRYPTION,
    "PSS": RSASSA_PSS,  # RFC 4056
    "ECDSA_SHA_256": "1.2.840.10045.4.3.2",  # RFC 5754 3.3
    "ECDSA_SHA_384": "1.2.840.10045.4.3.3",
    "ECDSA_SHA_512": "1.2.840.10045.4.3.4",
    "ED25519_SHA_512": "1.3.101.112",  # RFC 8419 3.1
    "ML_DSA_44": "2.16.840.1.101.3.4.3.17",  # RFC 9882 3.2
    "ML_DSA_65": "2.16.840.1.101.3.4.3.18",
    "ML_DSA_87": "2.16.840.1.101.3.4.3.19",
}
"""By padding, by key spec for ML-DSA, else by the algorithm's name."""

_KINDS = {dotted: kind for kind, dotted in SIGNATURES.items()}
_RSA_WITH_HASH = {  # RFC 5754 3.2, taken too
    "1.2.840.113549.1.1.11": "sha256",
    "1.2.840.113549.1.1.12": "sha384",
    "1.2.840.113549.1.1.13": "sha512",
}


_ONLY_DIGESTS = {"ED25519_SHA_512": "sha512"}
"""Beside signature algorithms that hash inside: RFC 8419 2.3 has one digest, RFC 9882 3.3 merely advises some."""


def digest_identifier(name: str) -> bytes:
    """Return the DER for a digest; without parameters, as RFC 5754 2 wants it."""
    return encode(AlgorithmIdentifier(algorithm=oid(HASHES[name]), parameters=None))


def signature_identifier(row: AlgorithmRow, key_spec: str) -> bytes:
    """Return the DER for a signature by a key of *key_spec*."""
    if row.padding == "PSS":
        return encode(PssIdentifier(algorithm=oid(RSASSA_PSS), parameters=_pss(row.hash)))
    kind = row.padding or (key_spec if row.family == "ML_DSA" else row.name)
    parameters = structures.null() if row.padding else None
    return encode(AlgorithmIdentifier(algorithm=oid(SIGNATURES[kind]), parameters=parameters))


def _pss(name: str) -> PssParameters:
    """Return parameters with one hash for all and a salt as long as it (RFC 4055 3.1, with NULL as 2.1 wants it)."""
    hash_algorithm = AlgorithmIdentifier(algorithm=oid(HASHES[name]), parameters=structures.null())
    return PssParameters(
        hash_algorithm=hash_algorithm,
        mask_gen_algorithm=MaskGenAlgorithm(algorithm=oid(MGF1), parameters=hash_algorithm),
        salt_length=_HASH_SIZES[name],
        trailer_field=1,
    )


def read_digest(identifier: bytes) -> str:
    """Return hashlib's name of a digest; empty where it is another than HASH_NAMES."""
    try:
        return _hash_name(decode(AlgorithmIdentifier, identifier))
    except ValueError:
        return ""


def digest_problems(digest: str, signing_algorithm: str) -> list[str]:
    """Return what is wrong with a content's digest beside a signature.

    Args:
        digest: hashlib's name; empty where it is another than HASH_NAMES.
    """
    if not digest:
        return ["has a digest algorithm other than SHA-256, SHA-384 and SHA-512"]
    if _ONLY_DIGESTS.get(signing_algorithm, digest) != digest:
        return [f"has a digest of the content by {digest}, and Ed25519 allows none but sha512 (RFC 8419 2.3)"]
    return []


def _hash_name(identifier: AlgorithmIdentifier | None) -> str:
    return "" if identifier is None else _HASH_NAMES.get(identifier.algorithm.dotted_string, "")


def read_signature(identifier: bytes, digest: str) -> tuple[str, str]:
    """Return the algorithm's name in the KMS API, and for ML-DSA the key spec; both empty where there is none.

    Args:
        digest: hash name that stands beside it; a signature with another one is none of KMS.
    """
    try:
        found = decode(AlgorithmIdentifier, identifier)
    except ValueError:
        return _read_pss(identifier, digest), ""
    dotted = found.algorithm.dotted_string
    kind = _KINDS.get(dotted, "")
    if kind == "PKCS1V15" or _RSA_WITH_HASH.get(dotted, "-") == digest:
        return _named(f"RSASSA_PKCS1_V1_5_{_kms_hash(digest)}"), ""
    if kind.startswith("ML_DSA"):
        return ("ML_DSA_SHAKE_256", kind) if found.parameters is None else ("", "")
    name = _named(kind)
    fits = bool(name) and found.parameters is None and ALGORITHMS[name].hash in ("", digest)
    return (name if fits else ""), ""


def _read_pss(identifier: bytes, digest: str) -> str:
    """Return the algorithm's name where the parameters are those that KMS signs with, in either way to write them."""
    try:
        found = decode(PssIdentifier, identifier)
    except ValueError:
        return ""
    parameters = found.parameters
    mask = parameters.mask_gen_algorithm
    names = (_hash_name(parameters.hash_algorithm), _hash_name(mask.parameters if mask else None))
    fits = (
        found.algorithm.dotted_string == RSASSA_PSS
        and mask is not None
        and mask.algorithm.dotted_string == MGF1
        and names == (digest, digest)
        and parameters.salt_length == _HASH_SIZES.get(digest)
        and parameters.trailer_field == 1
    )
    return _named(f"RSASSA_PSS_{_kms_hash(digest)}") if fits else ""


def _named(name: str) -> str:
    return name if name in ALGORITHMS else ""


def _kms_hash(name: str) -> str:
    return name.upper().replace("SHA", "SHA_") if name in HASH_NAMES else ""
