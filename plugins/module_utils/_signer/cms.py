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
    from .specs import Content

INNER_HASH = "sha512"
"""Digest of the content where the signature algorithm hashes inside: Ed25519 (RFC 8419 2.3), ML-DSA (RFC 9882 3.3)."""

DER, PEM, SMIME = "der", "pem", "smime"
"""How a message is written."""

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
class CmsSigner:
    """Somebody who is to sign.

    Attributes:
        key_id: the key in KMS.
        certificate: of that key.
        signing_algorithm: name in the KMS API.
    """

    key_id: str
    certificate: x509.Certificate
    signing_algorithm: str

    @property
    def row(self) -> AlgorithmRow:
        return ALGORITHMS[self.signing_algorithm]

    @property
    def key_spec(self) -> str:
        return spec_of_public_key(self.certificate.public_key())


@dataclass(frozen=True)
class CmsSpec:
    """One message as the task wants it.

    Attributes:
        form: DER, PEM or SMIME.
        attached: whether the message carries the content; else it stands elsewhere, in a mail beside it.
        certificates: those that the message carries.
        intermediates, anchors: between the signers' certificates and trusted ones; without anchors nobody looks.
    """

    content: Content
    dest: str
    form: str
    attached: bool
    signing_time: bool
    signers: tuple[CmsSigner, ...]
    certificates: tuple[x509.Certificate, ...]
    intermediates: tuple[x509.Certificate, ...] = ()
    anchors: tuple[x509.Certificate, ...] = ()

    @property
    def hash_names(self) -> tuple[str, ...]:
        """The digests of the content that the signers need."""
        return tuple(sorted({content_hash(signer.row) for signer in self.signers}))


@dataclass(frozen=True)
class SignedPart:
    """One signature of a message that is to be written.

    Attributes:
        attributes: DER of the signed attributes, as a SET OF: what is signed.
    """

    signer: CmsSigner
    attributes: bytes
    signature: bytes


@dataclass(frozen=True)
class SignerId:
    """How a signature names the certificate of its signer: by issuer (DER) and serial, or by subject key identifier."""

    issuer: bytes = b""
    serial_number: int = 0
    key_identifier: bytes = b""


@dataclass(frozen=True)
class CertificateReference:
    """How a signed attribute refers to one certificate (RFC 5035 4).

    Attributes:
        hash_name: hashlib's; empty where it is none that is dealt with here.
        issuer: DER of the issuer's name; empty where neither it nor the serial number is told.
    """

    hash_name: str
    hash: bytes
    issuer: bytes = b""
    serial_number: int = 0


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
        references: of each attribute that refers to certificates (RFC 5035), the signer's first.
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
    references: tuple[tuple[CertificateReference, ...], ...] = ()
    problems: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class CmsMessage:
    """A message as it was read.

    Attributes:
        skeleton: the message without its content.
        content: where the content begins and ends; None where it is detached.
        certificates: those that it carries, each as it stands there, of whatever kind.
    """

    skeleton: bytes
    content: tuple[int, int] | None
    signers: tuple[SignerClaim, ...]
    certificates: tuple[bytes, ...]
