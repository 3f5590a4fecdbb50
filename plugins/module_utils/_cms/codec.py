# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""CMS SignedData (RFC 5652 5) written and read. Content of any size stays where it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from .._pki.errors import SpecError
from .._signer.cms import CmsMessage, CmsSigner, SignedPart, SignerClaim, SignerId, content_hash
from .algorithms import digest_identifier, digest_problems, read_digest, read_signature, signature_identifier
from .attributes import DATA, AttributeFacts, encode_attributes, read_attributes, unsigned_problems
from .layout import LARGEST_SKELETON, LayoutError, around, path_to_content, reader_of
from .structures import (
    ContentInfo,
    EncapsulatedContentInfo,
    IssuerAndSerialNumber,
    SignedData,
    SignerInfo,
    decode,
    decode_attributes,
    encode,
    encode_set,
    oid,
    set_of,
    to_tlv,
)

try:
    from cryptography.hazmat.primitives.serialization import Encoding
except ImportError:
    Encoding = None  # type: ignore[assignment,misc]  # require_cryptography() in the module says so

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography import x509

    from .layout import Read

SIGNED_DATA = "1.2.840.113549.1.7.2"
BY_ISSUER, BY_KEY_IDENTIFIER = 1, 3
"""Versions of a signature (RFC 5652 5.3), by how it names its certificate."""

VERSIONS = (1, 3, 4, 5)
"""Versions of signed data (RFC 5652 5.1)."""


@dataclass(frozen=True)
class DerCodec:
    """Fits the port of the operations by shape."""

    def attributes(self, signer: CmsSigner, content_digest: bytes, signing_time: datetime | None) -> bytes:
        """Return what *signer* signs: the DER of the signed attributes as a SET OF.

        Args:
            content_digest: made with content_hash() of the signer's algorithm.
            signing_time: None leaves it out.
        """
        return encode_attributes(signer.certificate, content_hash(signer.row), content_digest, signing_time)

    def skeleton(self, parts: Sequence[SignedPart], certificates: Sequence[x509.Certificate], attached: bool) -> bytes:
        """Return the DER of a message without content: detached, or with an empty one where it is to be *attached*.

        Its version is 1 (RFC 5652 5.1): certificates are X.509, the content is data, and signers are named by issuer
        and serial number.
        """
        digests = dict.fromkeys(digest_identifier(content_hash(part.signer.row)) for part in parts)
        ders = sorted({one.public_bytes(Encoding.DER) for one in certificates})
        signed_data = SignedData(
            version=1,
            digest_algorithms=set_of([to_tlv(der) for der in digests]),
            encap_content_info=EncapsulatedContentInfo(content_type=oid(DATA), content=b"" if attached else None),
            certificates=[to_tlv(der) for der in ders] or None,
            crls=None,
            signer_infos=set_of([_signer_info(part) for part in parts]),
        )
        return encode(ContentInfo(content_type=oid(SIGNED_DATA), content=signed_data))

    def around(self, skeleton: bytes, size: int) -> tuple[bytes, bytes]:
        """Return what stands before and behind a content of *size* octets, in a message made as *attached*."""
        read = reader_of(skeleton)
        return around(read, path_to_content(read, len(skeleton)), size)

    def read(self, read: Read, size: int) -> CmsMessage:
        """Return the message in *size* octets; its content is not read.

        Raises:
            SpecError: it is none, in a phrase to stand behind the file's name.
        """
        try:
            way = path_to_content(read, size)
            if not way and size > LARGEST_SKELETON:
                raise LayoutError(f"it has more than {LARGEST_SKELETON} octets beside its content")
            skeleton = b"".join(around(read, way, 0)) if way else read(0, size)
            message = decode(ContentInfo, skeleton)
        except LayoutError as exc:
            raise SpecError(f"cannot be read as CMS signed data: {exc}") from exc
        except ValueError as exc:
            raise SpecError("cannot be read as CMS signed data in DER") from exc
        signed_data = message.content
        problems = _refusals(message)
        if problems:
            raise SpecError(f"is a kind of CMS that is not dealt with here: {problems}")
        announced = frozenset(read_digest(encode(one)) for one in signed_data.digest_algorithms.as_list())
        return CmsMessage(
            skeleton,
            (way[-1].content, way[-1].end) if way else None,
            tuple(_claim(info, announced) for info in signed_data.signer_infos.as_list()),
            tuple(encode(one) for one in signed_data.certificates or []),
        )


def _refusals(message: ContentInfo) -> str:
    signed_data = message.content
    kind, inner = message.content_type.dotted_string, signed_data.encap_content_info.content_type.dotted_string
    if kind != SIGNED_DATA:
        return f"its content type is {kind}, expected signed data"
    if inner != DATA:
        return f"what it signs is of type {inner}, expected data"
    if signed_data.version not in VERSIONS:
        return f"its version is {signed_data.version}"
    return ""


def _signer_info(part: SignedPart) -> SignerInfo:
    certificate = part.signer.certificate
    named = IssuerAndSerialNumber(
        issuer=to_tlv(certificate.issuer.public_bytes()), serial_number=certificate.serial_number
    )
    return SignerInfo(
        version=BY_ISSUER,
        sid=named,
        digest_algorithm=to_tlv(digest_identifier(content_hash(part.signer.row))),
        signed_attrs=decode_attributes(part.attributes),
        signature_algorithm=to_tlv(signature_identifier(part.signer.row, part.signer.key_spec)),
        signature=part.signature,
        unsigned_attrs=None,
    )


def _claim(info: SignerInfo, announced: frozenset[str]) -> SignerClaim:
    digest = read_digest(encode(info.digest_algorithm))
    signing_algorithm, key_spec = read_signature(encode(info.signature_algorithm), digest)
    attributes = info.signed_attrs.as_list() if info.signed_attrs is not None else []
    facts = read_attributes(attributes) if attributes else _NO_ATTRIBUTES
    unsigned = unsigned_problems(one.type.dotted_string for one in info.unsigned_attrs or [])
    return SignerClaim(
        signer=_signer_id(info),
        signing_algorithm=signing_algorithm,
        key_spec=key_spec,
        digest=digest,
        signature=info.signature,
        attributes=encode_set(attributes) if attributes else b"",
        attribute_types=facts.types,
        content_digest=facts.content_digest,
        signing_time=facts.signing_time,
        references=facts.references,
        problems=(*_algorithm_problems(digest, signing_algorithm, announced), *facts.problems, *unsigned),
    )


_NO_ATTRIBUTES = AttributeFacts(
    (), b"", None, (), ("has no signed attributes, so nothing tells what it is a signature of",)
)


def _algorithm_problems(digest: str, signing_algorithm: str, announced: frozenset[str]) -> list[str]:
    problems = digest_problems(digest, signing_algorithm)
    if digest and digest not in announced:
        problems.append(f"has a digest by {digest}, which the message does not list among its digests (RFC 5652 5.1)")
    return problems if signing_algorithm else [*problems, "has a signature algorithm that no key of KMS has"]


def _signer_id(info: SignerInfo) -> SignerId:
    if isinstance(info.sid, bytes):
        return SignerId(key_identifier=info.sid)
    return SignerId(issuer=encode(info.sid.issuer), serial_number=info.sid.serial_number)
