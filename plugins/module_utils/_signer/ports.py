# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a signer needs from the outside: somebody who signs, and somebody who writes it down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class SignReply:
    """One answer of kms:Sign.

    Attributes:
        signature: as KMS returns it: DER for ECDSA (RFC 3279 2.2.3), raw octets for everything else.
        request_id: the x-amzn-RequestId of the call that made it.
        key_arn: ARN of the key that signed.
    """

    signature: bytes
    request_id: str
    key_arn: str


class MessageSigner(Protocol):
    """One key in KMS, asked once: no retries behind this port."""

    def sign(self, message: bytes, message_type: str, signing_algorithm: str) -> SignReply:
        """Return the signature over *message*.

        Args:
            message: digest, 64-byte mu or whole message, as *message_type* says; at most 4,096 bytes.
            message_type: DIGEST, EXTERNAL_MU or RAW.
            signing_algorithm: name in the KMS API, such as ECDSA_SHA_256.
        Raises:
            AwsError: KMS refused or did not answer; `retryable` says whether to ask again.
        """


class Recorder(Protocol):
    """Writes down every attempt before KMS is asked."""

    def attempt(self, content_sha256: str) -> None:
        """Put the attempt on disk; returns only when it is safe to sign. *content_sha256* is lower-case hex."""


class NoRecorder:
    """For signatures without a ledger."""

    def attempt(self, content_sha256: str) -> None:
        """Record nothing."""
