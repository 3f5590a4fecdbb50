# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is sent to KMS for some content, and whether a signature over it is right: both from the same table row."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from .._pki.errors import SignerError, SpecError
from .algorithms import MU_SIZE, RAW_LIMIT, VERIFIABLE, algorithm_for, spec_of_public_key

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    from cryptography.hazmat.primitives.asymmetric.padding import AsymmetricPadding
    from cryptography.utils import Buffer

    from .algorithms import AlgorithmRow, PublicKey

    class _Digest(Protocol):
        def update(self, data: Buffer, /) -> None: ...


try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding
    from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
except ImportError:
    InvalidSignature = ValueError  # type: ignore[assignment,misc]  # require_cryptography() in the module says so
try:
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSAMuHasher
except ImportError:
    MLDSAMuHasher = None  # type: ignore[assignment,misc]  # older than 50: no ML-DSA key can be loaded

_HASHES = {"sha256": "SHA256", "sha384": "SHA384", "sha512": "SHA512"}


def to_hash(name: str) -> hashes.HashAlgorithm:
    """Return pyca's object for hashlib's *name*, as the table writes it."""
    algorithm: hashes.HashAlgorithm = getattr(hashes, _HASHES[name])()
    return algorithm


def to_padding(row: AlgorithmRow) -> AsymmetricPadding:
    """Return pyca's object for an RSA row: PSS with MGF1 over the same hash and a salt as long as the digest."""
    if row.padding == "PKCS1V15":
        return padding.PKCS1v15()
    algorithm = to_hash(row.hash)
    return padding.PSS(mgf=padding.MGF1(algorithm), salt_length=algorithm.digest_size)


class _Whole:
    """Keeps content that is sent as it is."""

    def __init__(self, algorithm: str) -> None:
        self.content = bytearray()
        self._algorithm = algorithm

    def update(self, data: Buffer) -> None:
        self.content += data
        if len(self.content) > RAW_LIMIT:
            raise SpecError(
                f"longer than {RAW_LIMIT} bytes, the most that kms:Sign takes as a whole message"
                f" ({self._algorithm}, message type RAW); use a key whose algorithm signs a digest"
            )

    def digest(self) -> bytes:
        return bytes(self.content)


class Hasher:
    """Turns content of any size, taken in pieces, into the message that is sent to KMS.

    Args:
        row: the algorithm.
        message_type: DIGEST, EXTERNAL_MU or RAW; the row's own when empty.
        public_key: needed for EXTERNAL_MU, which covers the public key.
        context: of ML-DSA (FIPS 204 5.2); X.509, CMS and KMS itself use none.
    Raises:
        SpecError: the message type does not fit the algorithm, or content sent whole is too long.
    """

    def __init__(
        self, row: AlgorithmRow, message_type: str = "", public_key: PublicKey | None = None, context: bytes = b""
    ) -> None:
        self.message_type = message_type or row.message_type
        if self.message_type not in row.message_types:
            fitting = " or ".join(row.message_types)
            raise SpecError(f"message_type {self.message_type} does not fit {row.name}; it takes {fitting}")
        self._digest: Any
        if self.message_type == "RAW":
            self._digest = _Whole(row.name)
        elif self.message_type == "EXTERNAL_MU":
            self._digest = _mu_hasher(public_key, context)
        else:
            self._digest = hashlib.new(row.hash)
        self.update: Callable[[Buffer], None] = self._digest.update

    def finish(self) -> bytes:
        """Return the message; nothing may be added after that."""
        finalize = self._digest.finalize if self.message_type == "EXTERNAL_MU" else self._digest.digest
        message: bytes = finalize()
        return message


def _mu_hasher(public_key: PublicKey | None, context: bytes) -> _Digest:
    if public_key is None:
        raise SpecError("ML-DSA: hashing locally needs the public key, which could not be read; give public_key_path")
    spec_of_public_key(public_key)
    return MLDSAMuHasher(public_key, context or None)  # type: ignore[arg-type]


def prepare(content: Buffer, row: AlgorithmRow, message_type: str = "", public_key: PublicKey | None = None) -> bytes:
    """Return the message that is sent to KMS for the whole *content*."""
    hasher = Hasher(row, message_type, public_key)
    hasher.update(content)
    return hasher.finish()


def _verify(public_key: Any, signature: bytes, message: bytes, row: AlgorithmRow) -> None:
    if row.family == "RSA":
        public_key.verify(signature, message, to_padding(row), Prehashed(to_hash(row.hash)))
    elif row.family == "EC":
        public_key.verify(signature, message, ec.ECDSA(Prehashed(to_hash(row.hash))))
    elif row.family == "ML_DSA":
        public_key.verify_mu(signature, message)
    else:
        public_key.verify(signature, message)


def require_verifiable(row: AlgorithmRow) -> None:
    """Refuse an algorithm whose signatures nothing here can check."""
    if row.name not in VERIFIABLE:
        raise SpecError(
            f"signing_algorithm {row.name}: its signatures cannot be verified here, and none is handed over unverified;"
            " use ED25519_SHA_512"
        )


def message_verifies(
    public_key: PublicKey, signature: bytes, message: bytes, row: AlgorithmRow, message_type: str = ""
) -> bool:
    """Return whether *signature* is right for a *message* as it was sent to KMS.

    Raises:
        SpecError: the algorithm or the message type does not fit the key.
    """
    algorithm_for(spec_of_public_key(public_key), row.name)
    require_verifiable(row)
    if (message_type or row.message_type) == "RAW":
        message = prepare(message, row, public_key=public_key)
    elif row.family == "ML_DSA" and len(message) != MU_SIZE:
        raise SpecError(f"mu: {len(message)} bytes; it has {MU_SIZE} (FIPS 204 6.2)")
    try:
        _verify(public_key, signature, message, row)
    except InvalidSignature:
        return False
    return True


def verify_signature(public_key: PublicKey, signature: bytes, content: Buffer, row: AlgorithmRow) -> None:
    """Check *signature* over the whole *content*.

    Raises:
        SignerError: it is not the key's signature over this content with this algorithm.
    """
    if not message_verifies(public_key, signature, prepare(content, row, public_key=public_key), row):
        raise SignerError(f"signature: not a {row.name} signature of this content under the public key")
