# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a CMS message says (RFC 5652), as values; how it is written in ASN.1 is the business of _cms."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .algorithms import ALGORITHMS, KEY_SPECS, algorithm_for, spec_of_public_key

if TYPE_CHECKING:
    from datetime import datetime

    from cryptography import x509

    from .algorithms import AlgorithmRow

INNER_HASH = "sha512"
"""Digest of the content where the signature algorithm hashes inside: Ed25519 (RFC 8419 2.3), ML-DSA (RFC 9882 3.3)."""

HASH_NAMES = ("sha256", "sha384", "sha512")


def content_hash(row: AlgorithmRow) -> str:
    """Return hashlib's name of the digest that stands for the content in the signed attributes."""
    return row.hash or INNER_HASH


def cms_algorithm(public_key: object, signing_algorithm: str) -> AlgorithmRow:
    """Return the row that is asked for, or the default of files.

    Raises:
        SpecError: it does not fit the key, or there are no such keys in KMS.
    """
    key_spec = spec_of_public_key(public_key)
    return algorithm_for(key_spec, signing_algorithm or KEY_SPECS[key_spec].bare_default)


@dataclass(frozen=True)
class SignedPart:
    """One signature of a message that is to be written.

    Attributes:
        attributes: DER of the signed attributes, as a SET OF: what is signed.
        key_spec: of the key, which the identifier of ML-DSA names.
    """

    certificate: x509.Certificate
    key_spec: str
    signing_algorithm: str
    attributes: bytes
    signature: bytes

    @property
    def row(self) -> AlgorithmRow:
        return ALGORITHMS[self.signing_algorithm]


@dataclass(frozen=True)
class SignerId:
    """How a signature names the certificate of its signer: by issuer (DER) and serial, or by subject key identifier."""

    issuer: bytes = b""
    serial_number: int = 0
    key_identifier: bytes = b""


@dataclass(frozen=True)
class SignerClaim:
    """One signature as it stands in a message. Nothing of it is proven.

    Attributes:
        signing_algorithm: name in the KMS API; empty where there is none of that kind.
        key_spec: what the algorithm says of the key, ML-DSA alone; else empty.
        digest: hashlib's name of the content's digest; empty where it is none of HASH_NAMES.
        attributes: DER of the signed attributes, as a SET OF; empty where there are none.
        attribute_types: dotted OIDs, in their order.
        content_digest: the message-digest attribute.
        signing_time: None where it is not told.
        certificate_hash: hash name and hash of the signer's certificate (RFC 5035); None where they are not told.
        problems: what makes it invalid whatever the content and the certificate.
    """

    signer: SignerId
    signing_algorithm: str
    key_spec: str
    digest: str
    signature: bytes
    attributes: bytes = b""
    attribute_types: tuple[str, ...] = ()
    content_digest: bytes = b""
    signing_time: datetime | None = None
    certificate_hash: tuple[str, bytes] | None = None
    problems: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class CmsMessage:
    """A message as it was read.

    Attributes:
        skeleton: the message without its content.
        content: where the content begins and ends; None where it is detached.
        certificates: DER; those of other kinds than X.509 are left out.
    """

    skeleton: bytes
    content: tuple[int, int] | None
    signers: tuple[SignerClaim, ...]
    certificates: tuple[x509.Certificate, ...]
