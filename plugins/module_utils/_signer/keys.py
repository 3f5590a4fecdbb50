# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private-key objects for pyca/cryptography whose sign() asks KMS and whose private half is nowhere."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from .._pki.errors import SignerError, SpecError
from .algorithms import ALGORITHMS, KEY_SPECS, MU_SIZE, algorithm_for, spec_of_public_key
from .verify import Hasher

if TYPE_CHECKING:
    from typing import Any, NoReturn, TypeVar

    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey as EcBase
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey as Ed25519Base
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey as MlDsa44Base
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey as MlDsa65Base
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA87PrivateKey as MlDsa87Base
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey as RsaBase
    from cryptography.utils import Buffer

    from .algorithms import AlgorithmRow, PublicKey
    from .session import SigningSession

    Key = TypeVar("Key", bound="_KmsKey")
else:
    try:
        from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey as EcBase
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey as Ed25519Base
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey as RsaBase
    except ImportError:
        EcBase = Ed25519Base = RsaBase = object  # require_cryptography() in the module says so
    try:
        from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey as MlDsa44Base
        from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey as MlDsa65Base
        from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA87PrivateKey as MlDsa87Base
    except ImportError:
        MlDsa44Base = MlDsa65Base = MlDsa87Base = object  # older than 50: no public key of that kind can be loaded

try:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding
    from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
except ImportError:
    hashes = ec = padding = None  # type: ignore[assignment]


class _KmsKey:
    """What all of them share: a public key, a session, and no private half."""

    def __init__(self, public_key: Any, session: SigningSession) -> None:
        self._public_key = public_key
        self._session = session

    def public_key(self) -> Any:
        return self._public_key

    def _stays_in_kms(self, *_args: object, **_kwargs: object) -> NoReturn:
        raise SignerError("the private key never leaves KMS")

    private_bytes = private_bytes_raw = private_numbers = decrypt = exchange = _stays_in_kms

    def __copy__(self: Key) -> Key:
        return self

    def __deepcopy__(self: Key, memo: dict[Any, Any]) -> Key:
        return self

    def _sign(self, data: Buffer, algorithm: object, row: AlgorithmRow) -> bytes:
        """Sign *data*, or the digest that *data* is when *algorithm* is Prehashed."""
        if not isinstance(algorithm, Prehashed):
            return self._session.sign_content(data, row)
        digest = bytes(data)
        size = hashlib.new(row.hash).digest_size
        if len(digest) != size:
            raise SignerError(f"digest: {len(digest)} bytes; {row.name} takes {size}")
        return self._session.sign_message(digest, row, "DIGEST", _sha256_of_content(digest, row))


def _sha256_of_content(digest: bytes, row: AlgorithmRow) -> str:
    """Return what the record says where only a digest is known: the digest if it is SHA-256, else its SHA-256."""
    return digest.hex() if row.hash == "sha256" else hashlib.sha256(digest).hexdigest()


def _hash_name(algorithm: object) -> str:
    """Return hashlib's name of the hash that pyca was asked for, prehashed or not; other objects are refused.

    pyca tells the parts of Prehashed, PSS and MGF1 through private names only; its own code reads them the same way.
    """
    inner = algorithm._algorithm if isinstance(algorithm, Prehashed) else algorithm  # noqa: SLF001
    if not isinstance(inner, hashes.HashAlgorithm):
        raise SignerError(f"{type(algorithm).__name__}: KMS signs a named hash only")
    return inner.name


def _row(public_key: object, name: str, asked: str) -> AlgorithmRow:
    """Return the row called *name* if the key can sign with it."""
    try:
        return algorithm_for(spec_of_public_key(public_key), name)
    except SpecError as exc:
        raise SignerError(f"{asked}: {exc}") from exc


def _rsa_padding(scheme: object, hash_name: str) -> str:
    """Return the name of the padding in KMS's words, after making sure that KMS would pad the same way."""
    if isinstance(scheme, padding.PKCS1v15):
        return "PKCS1_V1_5"
    if not isinstance(scheme, padding.PSS):
        raise SignerError(f"{type(scheme).__name__}: KMS signs with PKCS1v15 or PSS")
    size = hashlib.new(hash_name).digest_size
    if scheme._salt_length not in (padding.PSS.DIGEST_LENGTH, size):  # noqa: SLF001
        raise SignerError(f"PSS: KMS makes a salt as long as the digest; use PSS.DIGEST_LENGTH or {size}")
    mgf = scheme.mgf
    if not isinstance(mgf, padding.MGF1) or mgf._algorithm.name != hash_name:  # noqa: SLF001
        raise SignerError(f"PSS: KMS uses MGF1 with the hash of the message, {hash_name}")
    return "PSS"


class KmsRsaPrivateKey(_KmsKey, RsaBase):
    """RSA: PKCS#1 v1.5 or PSS with a salt as long as the digest."""

    @property
    def key_size(self) -> int:
        size: int = self._public_key.key_size
        return size

    def sign(self, data: Buffer, padding: object, algorithm: object) -> bytes:
        name = _hash_name(algorithm)
        scheme = _rsa_padding(padding, name)
        row = _row(self._public_key, f"RSASSA_{scheme}_{_kms_hash(name)}", f"{scheme} with {name}")
        return self._sign(data, algorithm, row)


class KmsEllipticCurvePrivateKey(_KmsKey, EcBase):
    """ECDSA with the hash that KMS ties to the curve."""

    @property
    def curve(self) -> ec.EllipticCurve:
        curve: ec.EllipticCurve = self._public_key.curve
        return curve

    @property
    def key_size(self) -> int:
        return self.curve.key_size

    def sign(self, data: Buffer, signature_algorithm: ec.EllipticCurveSignatureAlgorithm) -> bytes:
        if not isinstance(signature_algorithm, ec.ECDSA):
            raise SignerError(f"{type(signature_algorithm).__name__}: KMS signs with ECDSA")
        if signature_algorithm.deterministic_signing:
            raise SignerError("ECDSA: KMS chooses the nonce, deterministic_signing cannot be had")
        algorithm = signature_algorithm.algorithm
        name = _hash_name(algorithm)
        row = _row(self._public_key, f"ECDSA_{_kms_hash(name)}", f"ECDSA with {name} on {self.curve.name}")
        return self._sign(data, algorithm, row)


class KmsEd25519PrivateKey(_KmsKey, Ed25519Base):
    """Pure Ed25519: the message itself is sent, so it has at most 4,096 bytes."""

    def sign(self, data: Buffer) -> bytes:
        return self._session.sign_content(data, ALGORITHMS["ED25519_SHA_512"])


class _KmsMlDsaPrivateKey(_KmsKey):
    """ML-DSA: the message representative mu is computed here and sent."""

    def sign(self, data: Buffer, context: Buffer | None = None) -> bytes:
        row = ALGORITHMS["ML_DSA_SHAKE_256"]
        hasher = Hasher(row, "EXTERNAL_MU", self._public_key, bytes(context or b""))
        hasher.update(data)
        return self._session.sign_message(hasher.finish(), row, "EXTERNAL_MU", hashlib.sha256(data).hexdigest())

    def sign_mu(self, mu: Buffer) -> bytes:
        message = bytes(mu)
        if len(message) != MU_SIZE:
            raise SignerError(f"mu: {len(message)} bytes; it has {MU_SIZE} (FIPS 204 6.2)")
        row = ALGORITHMS["ML_DSA_SHAKE_256"]
        return self._session.sign_message(message, row, "EXTERNAL_MU", hashlib.sha256(message).hexdigest())


class KmsMlDsa44PrivateKey(_KmsMlDsaPrivateKey, MlDsa44Base):
    """ML-DSA-44."""


class KmsMlDsa65PrivateKey(_KmsMlDsaPrivateKey, MlDsa65Base):
    """ML-DSA-65."""


class KmsMlDsa87PrivateKey(_KmsMlDsaPrivateKey, MlDsa87Base):
    """ML-DSA-87."""


def _kms_hash(name: str) -> str:
    """Turn sha256 into SHA_256."""
    return name.upper().replace("SHA", "SHA_")


_BY_FAMILY = {"RSA": KmsRsaPrivateKey, "EC": KmsEllipticCurvePrivateKey, "ED25519": KmsEd25519PrivateKey}
_ML_DSA = {"ML_DSA_44": KmsMlDsa44PrivateKey, "ML_DSA_65": KmsMlDsa65PrivateKey, "ML_DSA_87": KmsMlDsa87PrivateKey}


def private_key_for(public_key: PublicKey, session: SigningSession) -> Any:
    """Return a private-key object of pyca's kind for the key in KMS whose public half is *public_key*.

    Args:
        session: of the same key; everything that is signed goes through it.
    Raises:
        SpecError: KMS has no keys of this kind.
        SignerError: the session verifies under another public key, or under none.
    """
    key_spec = spec_of_public_key(public_key)
    if session.public_key != public_key:
        raise SignerError("public key: not the one that the signing session verifies under")
    made: type[Any] = _ML_DSA.get(key_spec) or _BY_FAMILY[KEY_SPECS[key_spec].family]
    return made(public_key, session)
