# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the message that is there is the one that is wanted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from .._pki.certificates import serial_hex
from .._pki.errors import SpecError
from .._pki.names import name_text
from .._pki.pss_keys import refuse_pss_key
from .._signer.cms import SMIME, CmsMessage, CmsSigner, CmsSpec, SignedPart, SignerClaim, SignerId, content_hash
from .._signer.verify import message_verifies, prepare
from .cms_content import ContentFacts, digests_of
from .cms_opening import MessageReader, OpenMessage, open_message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography import x509


class MessageCodec(MessageReader, Protocol):
    """Somebody who knows the ASN.1 of CMS, to read and to write."""

    def attributes(self, signer: CmsSigner, content_digest: bytes, signing_time: datetime | None) -> bytes:
        """Return what *signer* signs, the DER of the signed attributes as a SET OF."""

    def skeleton(self, parts: Sequence[SignedPart], certificates: Sequence[x509.Certificate], attached: bool) -> bytes:
        """Return the DER of a message without content: detached, or with an empty one where it is to be *attached*."""

    def around(self, skeleton: bytes, size: int) -> tuple[bytes, bytes]:
        """Return what stands before and behind a content of *size* octets, in a message made as *attached*."""


@dataclass(frozen=True)
class Judgement:
    """What was found at dest: the reason why it is not what is wanted, or else its signatures."""

    reason: str
    claims: tuple[SignerClaim, ...] = ()


def judge_file(spec: CmsSpec, facts: ContentFacts, codec: MessageCodec) -> Judgement:
    """Compare the file at dest with what it should be."""
    try:
        with open_message(spec.dest, codec) as found:
            return _judge_open(found, spec, facts, codec)
    except SpecError as exc:
        return Judgement(str(exc))


def _judge_open(found: OpenMessage, spec: CmsSpec, facts: ContentFacts, codec: MessageCodec) -> Judgement:
    attached = found.message.content is not None
    if found.form != spec.form:
        return Judgement(f"{spec.dest} is in the format {found.form}")
    if attached != spec.attached or found.in_clear != (spec.form == SMIME and not spec.attached):
        return Judgement(f"{spec.dest} is {'attached' if attached else 'detached'}")
    verdict = judge_message(found.message, spec, facts, codec)
    if not verdict.reason and found.content is not None:
        name = spec.hash_names[0]
        if digests_of(found.content(), [name])[name] != facts.digests[name]:
            return Judgement(f"{spec.dest} carries another content")
    return verdict


def judge_message(message: CmsMessage, spec: CmsSpec, facts: ContentFacts, codec: MessageCodec) -> Judgement:
    """Compare a message without its content with what it should be.

    At the end it is made anew, with the times and signatures that are in it, and has to be the same to the last octet.
    """
    claims = {claim.signer: claim for claim in message.signers}
    if len(message.signers) != len(spec.signers) or set(claims) != {_id_of(one) for one in spec.signers}:
        told = ", ".join(_told(signer) for signer in spec.signers)
        return Judgement(f"{spec.dest} is not signed with the certificates of {told}, or not with these alone")
    parts = []
    for signer in spec.signers:
        claim = claims[_id_of(signer)]
        reason = _judge_signature(claim, signer, spec, facts, codec)
        if reason:
            return Judgement(f"{spec.dest} {reason}")
        parts.append(SignedPart(signer, claim.attributes, claim.signature))
    if codec.skeleton(parts, spec.certificates, spec.attached) != message.skeleton:
        return Judgement(f"{spec.dest} carries other certificates, or is written in another way")
    return Judgement("", tuple(claims[_id_of(signer)] for signer in spec.signers))


def _judge_signature(
    claim: SignerClaim, signer: CmsSigner, spec: CmsSpec, facts: ContentFacts, codec: MessageCodec
) -> str:
    if claim.signing_algorithm != signer.signing_algorithm:
        return f"is signed with {claim.signing_algorithm or 'another algorithm'}"
    digest = facts.digests[content_hash(signer.row)]
    if claim.content_digest != digest:
        return "is not a signature of this content"
    timed = claim.signing_time is not None
    if timed != spec.signing_time or codec.attributes(signer, digest, claim.signing_time) != claim.attributes:
        return f"has other signed attributes than wanted from {_told(signer)}"
    return "" if claim_verifies(claim, signer.certificate) else f"is no {claim.signing_algorithm} signature by this key"


def claim_verifies(claim: SignerClaim, certificate: x509.Certificate) -> bool:
    """Return whether the key of *certificate* signed the attributes.

    Raises:
        SpecError: the algorithm does not fit the key, or the key is none that KMS can have.
    """
    refuse_pss_key(certificate, name_text(certificate.subject))
    public_key = certificate.public_key()
    row = CmsSigner("", certificate, claim.signing_algorithm).row
    message = prepare(claim.attributes, row, public_key=public_key)  # type: ignore[arg-type]  # the rows check it
    return message_verifies(public_key, claim.signature, message, row)  # type: ignore[arg-type]


def _id_of(signer: CmsSigner) -> SignerId:
    certificate = signer.certificate
    return SignerId(certificate.issuer.public_bytes(), certificate.serial_number)


def _told(signer: CmsSigner) -> str:
    return f"{name_text(signer.certificate.subject)} ({serial_hex(signer.certificate.serial_number)})"
