# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Calls of AWS KMS: one small function each, the boto3 client first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from .._keys.description import KeyDescription
from .._pki.errors import KeyStateError
from .errors import ask, code_of


@dataclass(frozen=True)
class Reply:
    """One answer of Sign; fits the signer's SignReply by shape."""

    signature: bytes
    request_id: str
    key_arn: str


@dataclass(frozen=True)
class PublicKeyReply:
    """One answer of GetPublicKey. *der* is a SubjectPublicKeyInfo (RFC 5280 4.1)."""

    der: bytes
    key_arn: str
    key_spec: str
    key_usage: str
    signing_algorithms: tuple[str, ...]


@dataclass(frozen=True)
class KmsSigner:
    """One key that signs, asked once (needs kms:Sign); give it a client without botocore's retries."""

    client: Any
    key_id: str

    def sign(self, message: bytes, message_type: str, signing_algorithm: str) -> Reply:
        """Return the signature over *message*, a digest, a mu or up to 4,096 bytes as *message_type* says."""
        return sign(self.client, self.key_id, message, message_type, signing_algorithm)


def sign(client: Any, key_id: str, message: bytes, message_type: str, signing_algorithm: str) -> Reply:
    """Ask KMS once for a signature (kms:Sign)."""
    answer = ask(
        client,
        "Sign",
        key_id,
        KeyId=key_id,
        Message=message,
        MessageType=message_type,
        SigningAlgorithm=signing_algorithm,
    )
    request_id = str(answer.get("ResponseMetadata", {}).get("RequestId", ""))
    return Reply(bytes(answer["Signature"]), request_id, str(answer["KeyId"]))


def get_public_key(client: Any, key_id: str) -> PublicKeyReply:
    """Return the public key of an asymmetric key (kms:GetPublicKey)."""
    answer = ask(client, "GetPublicKey", key_id, KeyId=key_id)
    return PublicKeyReply(
        bytes(answer["PublicKey"]),
        str(answer["KeyId"]),
        str(answer["KeySpec"]),
        str(answer["KeyUsage"]),
        tuple(answer.get("SigningAlgorithms", ())),
    )


def describe_key(client: Any, key_id: str) -> KeyDescription | None:
    """Return what *key_id* (id, ARN, alias name or alias ARN) is, or None where there is no such key."""
    try:
        return to_description(ask(client, "DescribeKey", key_id, KeyId=key_id)["KeyMetadata"])
    except KeyStateError as exc:
        if code_of(exc) == "NotFoundException":
            return None
        raise


def to_description(metadata: Mapping[str, Any]) -> KeyDescription:
    """Convert KMS's KeyMetadata."""
    return KeyDescription(
        key_id=str(metadata["KeyId"]),
        arn=str(metadata["Arn"]),
        account=str(metadata.get("AWSAccountId", "")),
        key_spec=str(metadata.get("KeySpec", "")),
        key_usage=str(metadata.get("KeyUsage", "")),
        state=str(metadata.get("KeyState", "")),
        description=str(metadata.get("Description", "")),
        origin=str(metadata.get("Origin", "")),
        multi_region=bool(metadata.get("MultiRegion", False)),
        signing_algorithms=tuple(metadata.get("SigningAlgorithms", ())),
        encryption_algorithms=tuple(metadata.get("EncryptionAlgorithms", ())),
        created=_time_text(metadata.get("CreationDate")),
        deletion_date=_time_text(metadata.get("DeletionDate")),
        manager=str(metadata.get("KeyManager", "CUSTOMER")),
    )


def _time_text(moment: datetime | None) -> str:
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else ""
