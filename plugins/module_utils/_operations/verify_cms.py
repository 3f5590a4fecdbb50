# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a CMS message is right: its content, each of its signatures, and the certificates behind them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from .._pki.certificates import asn1_time, load_name, load_usable_certificates, serial_hex, to_der
from .._pki.errors import SpecError
from .._pki.name_matching import is_same_name
from .._pki.names import name_text
from .._pki.path_validation import ANY_PURPOSE, PathQuestion, validate_path
from .._pki.problems import try_all
from .._signer.algorithms import spec_of_public_key
from .._signer.cms import HASH_NAMES
from .cms_content import digests_of, open_content, pieces_of
from .cms_judging import claim_verifies
from .cms_opening import MessageReader, NoMessageError, OpenMessage, open_message

try:
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
except ImportError:
    UnsupportedAlgorithm = ValueError  # type: ignore[assignment,misc]  # require_cryptography() in the module says so

if TYPE_CHECKING:
    from .._signer.cms import CertificateReference, SignerClaim, SignerId
    from .._signer.specs import Content


@dataclass(frozen=True)
class CmsQuestion:
    """Is this message right, and did somebody sign it who is trusted?

    Attributes:
        message: path of the file.
        content: what was signed; None where the message carries it.
        certificates: signers' and intermediate ones, besides those in the message.
        anchors: are trusted.
        purpose: name or OID of an extended key usage that each signer needs.
        signer: certificate of somebody who has to be among the signers; None where anybody will do.
    """

    message: str
    content: Content | None
    certificates: Sequence[x509.Certificate]
    anchors: Sequence[x509.Certificate]
    at: datetime
    purpose: str = ANY_PURPOSE
    signer: x509.Certificate | None = None


@dataclass(frozen=True)
class SignerVerdict:
    """What was found of one signer; with no problem it is valid.

    Attributes:
        path: from the signer's certificate up to a trusted one, or as far as it leads; empty where there is none.
    """

    claim: SignerClaim
    path: tuple[x509.Certificate, ...]
    problems: tuple[str, ...]

    @property
    def name(self) -> str:
        """Whom the signature is by, as far as that is known."""
        return _named(self.path[0]) if self.path else _told(self.claim.signer)

    def facts(self) -> dict[str, Any]:
        """Return what a module tells of it."""
        told: dict[str, Any] = {
            "valid": not self.problems,
            "reason": "; ".join(self.problems),
            "signing_algorithm": self.claim.signing_algorithm,
            "digest_algorithm": self.claim.digest,
            "chain": [name_text(certificate.subject) for certificate in self.path],
        }
        if self.path:
            told["subject"] = name_text(self.path[0].subject)
            told["serial_number_hex"] = serial_hex(self.path[0].serial_number)
        if self.claim.signing_time:
            told["signing_time"] = asn1_time(self.claim.signing_time)
        return told


@dataclass(frozen=True)
class CmsVerdict:
    """The answer: valid where somebody signed, and nobody's signature has a problem.

    Attributes:
        unreadable: why the file is no message; empty where it is one.
        absent: the signer that was asked for, where others signed; None where there is no such problem.
    """

    signers: tuple[SignerVerdict, ...]
    unreadable: str = ""
    absent: x509.Certificate | None = None

    @property
    def reason(self) -> str:
        """Why it is not valid; empty where it is."""
        if self.unreadable:
            return f"the message {self.unreadable}"
        if not self.signers:
            return "nobody signed it"
        problems = [problem for signer in self.signers for problem in signer.problems]
        if self.absent is not None:
            others = ", ".join(signer.name for signer in self.signers)
            problems.insert(0, f"it is signed by {others}, expected {_named(self.absent)}, whose certificate is given")
        return "; ".join(dict.fromkeys(problems))


def verify_cms(question: CmsQuestion, reader: MessageReader) -> CmsVerdict:
    """Judge the message; the content is read once, in flat memory.

    Certificates in it that cannot be read, or are of another kind than X.509, are passed over.

    Raises:
        SpecError: a file cannot be read, or the content is there twice or not at all.
    """
    try:
        with open_message(question.message, reader) as opened:
            claims = opened.message.signers
            wanted = [name for name in HASH_NAMES if any(claim.digest == name for claim in claims)]
            digests = _digests(question, opened, wanted)
    except NoMessageError as exc:
        return CmsVerdict((), exc.problem)
    carried, _unusable = try_all(_load, opened.message.certificates)
    given = [question.signer] if question.signer else []
    known = tuple(dict.fromkeys([*given, *question.certificates, *carried]))
    signers = tuple(_judge(claim, digests, known, question) for claim in claims)
    there = not given or any(signer.path[:1] == (question.signer,) for signer in signers)
    return CmsVerdict(signers, absent=None if there else question.signer)


def _load(der: bytes) -> x509.Certificate:
    return load_usable_certificates(der, "certificate")[0]


def _digests(question: CmsQuestion, opened: OpenMessage, wanted: Sequence[str]) -> dict[str, bytes]:
    content = question.content
    if opened.content is not None:
        if content is not None:
            raise SpecError(f"{question.message}: carries its content, so {content.name} must not be given beside it")
        return digests_of(opened.content(), wanted)
    if content is None:
        raise SpecError(f"{question.message}: is detached; give the content that was signed, as src")
    with open_content(content) as (file, _size):
        return digests_of(pieces_of(file), wanted)


def _judge(
    claim: SignerClaim, digests: Mapping[str, bytes], known: Sequence[x509.Certificate], question: CmsQuestion
) -> SignerVerdict:
    certificate = next((one for one in known if _is_named(claim.signer, one)), None)
    if certificate is None:
        return SignerVerdict(claim, (), (*claim.problems, f"the certificate of {_told(claim.signer)} is not at hand"))
    pool = [one for one in known if _may_lead_up(one, claim)]
    path = validate_path(PathQuestion(certificate, pool, question.anchors, question.at, question.purpose))
    problems = [*_signature_problems(claim, certificate, digests), *path.problems]
    if path.problems and len(pool) < len(known):
        problems.append(f"the signature of {name_text(certificate.subject)} {_LIMITED}")
    return SignerVerdict(claim, path.path, tuple(problems))


def _signature_problems(
    claim: SignerClaim, certificate: x509.Certificate, digests: Mapping[str, bytes]
) -> Iterator[str]:
    who = name_text(certificate.subject)
    if claim.problems:
        yield from (f"the signature of {who} {problem}" for problem in claim.problems)
        return
    if claim.content_digest != digests[claim.digest]:
        yield f"the content is not what {who} signed"
    for first, *_more in claim.references:
        if not _has_hash(certificate, first):
            yield f"the signature of {who} was made with another certificate"
        elif not _has_issuer_and_serial(certificate, first):
            yield f"the signature of {who} names another issuer or serial number of its certificate (RFC 5035 4)"
    try:
        key_spec = spec_of_public_key(certificate.public_key())
        fits = claim.key_spec in ("", key_spec)
        if not fits or not claim_verifies(claim, certificate):
            yield f"this is no {claim.signing_algorithm} signature by the key of {who}"
    except (SpecError, ValueError, UnsupportedAlgorithm) as exc:
        yield f"the signature of {who} cannot be verified: {exc}"


_LIMITED = "allows no certificates between its own and a trusted one but those that it refers to (RFC 5035 3)"


def _may_lead_up(certificate: x509.Certificate, claim: SignerClaim) -> bool:
    """Return whether *claim* lets *certificate* be on the way from its own: who refers to more allows no others."""
    limits = [references for references in claim.references if len(references) > 1]
    return all(any(_has_hash(certificate, one) for one in references) for references in limits)


def _has_hash(certificate: x509.Certificate, reference: CertificateReference) -> bool:
    if not reference.hash_name:
        return False
    return hashlib.new(reference.hash_name, to_der(certificate), usedforsecurity=False).digest() == reference.hash


def _has_issuer_and_serial(certificate: x509.Certificate, reference: CertificateReference) -> bool:
    """Return whether they are those of *certificate*, or not told."""
    if not reference.issuer:
        return True
    try:
        same = is_same_name(load_name(reference.issuer), certificate.issuer)
    except ValueError:
        same = False
    return same and certificate.serial_number == reference.serial_number


def _is_named(signer: SignerId, certificate: x509.Certificate) -> bool:
    """Return whether *signer* names *certificate* (RFC 5652 5.3)."""
    if signer.key_identifier:
        return _key_identifier(certificate) == signer.key_identifier
    return certificate.serial_number == signer.serial_number and certificate.issuer.public_bytes() == signer.issuer


def _key_identifier(certificate: x509.Certificate) -> bytes:
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except (x509.ExtensionNotFound, ValueError):
        return b""


def _named(certificate: x509.Certificate) -> str:
    return f"{name_text(certificate.subject)} ({serial_hex(certificate.serial_number)})"


def _told(signer: SignerId) -> str:
    if signer.key_identifier:
        return f"the signer with the key identifier {signer.key_identifier.hex()}"
    return f"the signer with the serial number {serial_hex(signer.serial_number)}"
