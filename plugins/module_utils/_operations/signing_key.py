# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The key that signs files: what is known of it, and whether it may be used for that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from .._pki.errors import KeyStateError, SpecError
from .._signer.algorithms import ALGORITHMS, KEY_SPECS, algorithm_for, spec_of_public_key
from .._signer.public_keys import load_public_key
from .._signer.verify import require_verifiable

if TYPE_CHECKING:
    from .._signer.algorithms import AlgorithmRow, PublicKey

RESERVED_USES = ("ca", "ocsp")
"""Uses of keys whose signatures make certificates, CRLs and OCSP responses: they sign nothing else."""


class PublicKeyReply(Protocol):
    """What KMS tells of a public key; *der* is empty where it may not be read."""

    @property
    def der(self) -> bytes:
        """SubjectPublicKeyInfo."""

    @property
    def key_arn(self) -> str:
        """ARN of the key."""

    @property
    def key_usage(self) -> str:
        """What KMS lets the key do."""


class SigningKeys(Protocol):
    """The keys of one account and region."""

    def public_key(self, key_id: str) -> PublicKeyReply | None:
        """Return the public key, empty where it may not be read, or None where there is no such key."""

    def use_of(self, key_id: str) -> str | None:
        """Return the use that the key is tagged for; empty where it has no such tag, None where it may not be read.

        Raises:
            NoKeyError: there is no such key.
        """


@dataclass(frozen=True)
class SigningKey:
    """A key that signs files.

    Attributes:
        key_id: as the task names it.
        arn: empty where nobody had to ask for it.
        public_key: None where it may not be read.
    """

    key_id: str
    arn: str
    public_key: PublicKey | None


def find_signing_key(
    keys: SigningKeys, key_id: str, public_key: bytes | None, public_key_path: str
) -> SigningKey | None:
    """Return the key, or None where there is no such key.

    Args:
        public_key: from *public_key_path*; then KMS is not asked.
    Raises:
        KeyStateError: the key is not for signing.
        SpecError: the public key is none that KMS can hold.
    """
    if public_key is not None:
        return SigningKey(key_id, "", load_public_key(public_key, public_key_path))
    found = keys.public_key(key_id)
    if found is None:
        return None
    if not found.der:
        return SigningKey(key_id, "", None)
    if found.key_usage != "SIGN_VERIFY":
        raise KeyStateError(
            f"{key_id}: {found.key_arn} is for {found.key_usage}; signing needs a key of usage SIGN_VERIFY"
        )
    return SigningKey(key_id, found.key_arn, load_public_key(found.der, found.key_arn))


def given_key(public_key: bytes, name: str) -> SigningKey:
    """Return the key of a public key or certificate that is at hand; *name* is where it comes from, for messages."""
    return SigningKey(name, "", load_public_key(public_key, name))


def choose_algorithm(key: SigningKey, signing_algorithm: str, digest_algorithm: str = "") -> AlgorithmRow:
    """Return the algorithm that the task names, or the key's default for files.

    Args:
        digest_algorithm: what made the digest that is to be signed; of an RSA key's algorithms the one that fits.
    Raises:
        SpecError: it does not fit the key, or must be named because the public key may not be read.
    """
    if key.public_key is not None:
        key_spec = spec_of_public_key(key.public_key)
        row = algorithm_for(key_spec, signing_algorithm or _default(key_spec, digest_algorithm))
    elif not signing_algorithm:
        raise SpecError(
            f"{key.key_id}: its public key may not be read (kms:GetPublicKey), so signing_algorithm must be named;"
            " or give public_key_path"
        )
    else:
        row = ALGORITHMS[signing_algorithm]
    if key.public_key is None and row.family == "ML_DSA":
        raise SpecError(
            f"{key.key_id}: ML-DSA signs over the public key, which may not be read (kms:GetPublicKey);"
            " give public_key_path"
        )
    require_verifiable(row)
    return row


def _default(key_spec: str, digest_algorithm: str) -> str:
    """Return the default of *key_spec*, or the like of it that signs digests of *digest_algorithm*."""
    row = KEY_SPECS[key_spec]
    if row.family != "RSA" or not digest_algorithm:
        return row.bare_default
    padding = ALGORITHMS[row.bare_default].padding
    fitting = [ALGORITHMS[name] for name in row.signing_algorithms if ALGORITHMS[name].padding == padding]
    return next((one.name for one in fitting if one.hash == digest_algorithm), row.bare_default)


def check_use(keys: SigningKeys, key: SigningKey, blind: bool = False) -> None:
    """Refuse a key of an authority or of an OCSP responder, where its tags may be read.

    Args:
        blind: a digest is signed whose content nobody here has seen; then the tags have to be readable.
    Raises:
        KeyStateError: the key must not sign files.
        NoKeyError: there is no such key.
    """
    use = keys.use_of(key.arn or key.key_id)
    if use in RESERVED_USES:
        raise KeyStateError(
            f"{key.key_id}: is tagged rootstock:use={use}; such a key signs certificates, CRLs, OCSP responses and"
            " requests alone. Use a key made with use=sign"
        )
    if blind and use is None:
        raise KeyStateError(
            f"{key.key_id}: its tags may not be read (kms:ListResourceTags), so nothing tells whether it is an"
            " authority's key and the digest a certificate's; allow that, or give the content"
        )
