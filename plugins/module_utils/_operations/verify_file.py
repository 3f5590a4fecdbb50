# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a signature over a file or text is right: with the public key alone, or in KMS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from .._pki.errors import SpecError
from .._signer.formats import decode_signature
from .._signer.verify import message_verifies
from .content import prepare_content
from .manifest import check_manifest
from .signing_key import SigningKey, choose_algorithm

if TYPE_CHECKING:
    from .._signer.algorithms import AlgorithmRow
    from .._signer.specs import Content

PROBLEMS_TOLD = 10


class VerifyingKeys(Protocol):
    """Keys that verify."""

    def verify(self, key_id: str, message: bytes, message_type: str, signature: bytes, signing_algorithm: str) -> bool:
        """Return whether KMS finds a signature right."""


@dataclass(frozen=True)
class SignatureQuestion:
    """Is this a signature over that?

    Attributes:
        signature: as it is written.
        format: one of formats.FORMATS.
        signing_algorithm: empty for the key's default.
    """

    content: Content
    signature: bytes
    format: str = "raw"
    signing_algorithm: str = ""


@dataclass(frozen=True)
class SignatureVerdict:
    """The answer, and why not."""

    signing_algorithm: str
    reason: str = ""


def verify_signed(
    question: SignatureQuestion, key: SigningKey, in_kms: VerifyingKeys | None = None
) -> SignatureVerdict:
    """Judge the signature; the content is read once, in flat memory.

    Args:
        key: whose signature it should be.
        in_kms: asked instead of verifying here.
    Raises:
        SpecError: the content cannot be read, or the algorithm does not fit the key.
        AwsError, KeyStateError: KMS refused or did not answer.
    """
    content = question.content
    row = choose_algorithm(key, question.signing_algorithm, content.digest_algorithm)
    signature = decode_signature(question.signature, question.format, row)
    if signature is None:
        return SignatureVerdict(row.name, f"the signature is not in the format {question.format}")
    prepared = prepare_content(content, row, "", key.public_key, record=False, to_sign=False)
    if in_kms is not None:
        valid = in_kms.verify(key.key_id, prepared.message, prepared.message_type, signature, row.name)
    else:
        valid = _verifies(key, signature, prepared.message, row)
    return SignatureVerdict(row.name, "" if valid else f"this is no {row.name} signature of {content.name} by this key")


def _verifies(key: SigningKey, signature: bytes, message: bytes, row: AlgorithmRow) -> bool:
    if key.public_key is None:
        raise SpecError(f"{key.key_id}: verifying here needs the public key")
    return message_verifies(key.public_key, signature, message, row)


def listed_problems(manifest: bytes, manifest_path: str) -> str:
    """Return what is wrong with the files that a manifest lists, or nothing."""
    problems = check_manifest(manifest, manifest_path)
    more = [f"and {len(problems) - PROBLEMS_TOLD} more"] if len(problems) > PROBLEMS_TOLD else []
    return "; ".join([*problems[:PROBLEMS_TOLD], *more])
