# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Calls of AWS KMS: one small function each, the boto3 client first."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from .._keys.description import KeyDescription, LastUse
from .._keys.desired import NewKey
from .._keys.pem import to_pem
from .._keys.policy import policy_text
from .._pki.errors import AwsError, KeyStateError, PkiError
from .errors import ask, ask_pages, code_of


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

    @property
    def pem(self) -> str:
        return to_pem(self.der).decode("ascii")


@dataclass(frozen=True)
class KmsSigner:
    """One key that signs, asked once (needs kms:Sign); give it a client without botocore's retries."""

    client: Any
    key_id: str

    def sign(self, message: bytes, message_type: str, signing_algorithm: str) -> Reply:
        """Return the signature over *message*, a digest, a mu or up to 4,096 bytes as *message_type* says."""
        return sign(self.client, self.key_id, message, message_type, signing_algorithm)


@dataclass(frozen=True)
class KmsPublicKeys:
    """The public halves of the keys of one account and region (needs kms:GetPublicKey)."""

    client: Any

    def public_key(self, key_id: str) -> bytes | None:
        """Return the SubjectPublicKeyInfo in DER, or None where there is no such key."""
        found = find_public_key(self.client, key_id)
        return found.der if found else None


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
    try:
        answer = ask(client, "GetPublicKey", key_id, KeyId=key_id)
    except AwsError as exc:
        if exc.code == "UnsupportedOperationException":  # comes without a word of explanation
            raise KeyStateError(f"{key_id} is a symmetric key and has no public key; name an asymmetric one") from exc
        raise
    return PublicKeyReply(
        bytes(answer["PublicKey"]),
        str(answer["KeyId"]),
        str(answer["KeySpec"]),
        str(answer["KeyUsage"]),
        tuple(answer.get("SigningAlgorithms", ())),
    )


def find_public_key(client: Any, key_id: str) -> PublicKeyReply | None:
    """Return the public key, or None where there is no such key."""
    try:
        return get_public_key(client, key_id)
    except KeyStateError as exc:
        if code_of(exc) == "NotFoundException":
            return None
        raise


def public_key_of_disabled(client: Any, key_id: str, der: bytes) -> PublicKeyReply | None:
    """Return what GetPublicKey would of *der*, all else from kms:DescribeKey; None where there is no such key."""
    found = describe_key(client, key_id)
    if found is None:
        return None
    return PublicKeyReply(der, found.arn, found.key_spec, found.key_usage, found.signing_algorithms)


def describe_key(client: Any, key_id: str) -> KeyDescription | None:
    """Return what *key_id* (id, ARN, alias name or alias ARN) is, or None where there is no such key."""
    try:
        return to_description(ask(client, "DescribeKey", key_id, KeyId=key_id)["KeyMetadata"])
    except KeyStateError as exc:
        if code_of(exc) == "NotFoundException":
            return None
        raise


def create_key(client: Any, new: NewKey, about: str = "") -> KeyDescription:
    """Make a key (kms:CreateKey, kms:TagResource); every call that succeeds makes another one."""
    policy = {"Policy": policy_text(new.policy)} if new.policy is not None else {}
    answer = ask(
        client,
        "CreateKey",
        about,
        KeySpec=new.key_spec,
        KeyUsage=new.key_usage,
        Description=new.description,
        Tags=_tag_list(new.tags),
        BypassPolicyLockoutSafetyCheck=new.bypass_lockout_check,
        **policy,
    )
    return to_description(answer["KeyMetadata"])


def create_alias(client: Any, alias: str, key_id: str) -> bool:
    """Give *alias* to a key (kms:CreateAlias on both); False where another call was first."""
    try:
        ask(client, "CreateAlias", f"{alias} for key {key_id}", AliasName=alias, TargetKeyId=key_id)
    except PkiError as exc:
        if code_of(exc) == "AlreadyExistsException":
            return False
        raise
    return True


def update_alias(client: Any, alias: str, key_id: str) -> None:
    """Take *alias* from the key that has it and give it to another (kms:UpdateAlias on all three)."""
    ask(client, "UpdateAlias", f"{alias} for key {key_id}", AliasName=alias, TargetKeyId=key_id)


def list_aliases(client: Any, key_id: str) -> list[str]:
    """Return the names of the aliases of one key (kms:ListAliases)."""
    pages = ask_pages(client, "ListAliases", key_id, KeyId=key_id)
    return [str(alias["AliasName"]) for page in pages for alias in page["Aliases"]]


def all_aliases(client: Any) -> dict[str, str]:
    """Return all aliases that name a key, with the IDs of their keys (kms:ListAliases)."""
    pages = ask_pages(client, "ListAliases", "the account")
    named = (alias for page in pages for alias in page["Aliases"] if "TargetKeyId" in alias)
    return {str(alias["AliasName"]): str(alias["TargetKeyId"]) for alias in named}


def list_keys(client: Any) -> list[str]:
    """Return the ARNs of all keys of the account and region (kms:ListKeys)."""
    return [str(key["KeyArn"]) for page in ask_pages(client, "ListKeys", "the account") for key in page["Keys"]]


def has_grants(client: Any, key_id: str) -> bool:
    """Return whether anybody was granted anything on the key (kms:ListGrants)."""
    return bool(ask(client, "ListGrants", key_id, KeyId=key_id, Limit=1).get("Grants"))


def last_use(client: Any, key_id: str) -> LastUse:
    """Return when the key last did cryptographic work (kms:GetKeyLastUsage).

    Raises:
        AwsError: this boto3 or this AWS does not have the call.
    """
    answer = ask(client, "GetKeyLastUsage", key_id, KeyId=key_id)
    usage = answer.get("KeyLastUsage") or {}
    return LastUse(time_text(usage.get("Timestamp")), time_text(answer.get("TrackingStartDate")))


def list_resource_tags(client: Any, key_id: str) -> dict[str, str]:
    """Return all tags of a key, ours and AWS's included (kms:ListResourceTags)."""
    pages = ask_pages(client, "ListResourceTags", key_id, KeyId=key_id)
    return {str(tag["TagKey"]): str(tag["TagValue"]) for page in pages for tag in page["Tags"]}


def tag_resource(client: Any, key_id: str, tags: Mapping[str, str]) -> None:
    """Set *tags*, leaving others as they are (kms:TagResource)."""
    ask(client, "TagResource", key_id, KeyId=key_id, Tags=_tag_list(tags))


def untag_resource(client: Any, key_id: str, names: Sequence[str]) -> None:
    """Remove the tags called *names* (kms:UntagResource)."""
    ask(client, "UntagResource", key_id, KeyId=key_id, TagKeys=list(names))


def get_key_policy(client: Any, key_id: str) -> dict[str, Any]:
    """Return the key policy (kms:GetKeyPolicy)."""
    document: dict[str, Any] = json.loads(
        ask(client, "GetKeyPolicy", key_id, KeyId=key_id, PolicyName="default")["Policy"]
    )
    return document


def put_key_policy(client: Any, key_id: str, policy: Mapping[str, Any], bypass_lockout_check: bool = False) -> None:
    """Replace the key policy (kms:PutKeyPolicy)."""
    ask(
        client,
        "PutKeyPolicy",
        key_id,
        KeyId=key_id,
        PolicyName="default",
        Policy=policy_text(policy),
        BypassPolicyLockoutSafetyCheck=bypass_lockout_check,
    )


def update_key_description(client: Any, key_id: str, description: str) -> None:
    """Set the description (kms:UpdateKeyDescription)."""
    ask(client, "UpdateKeyDescription", key_id, KeyId=key_id, Description=description)


def enable_key(client: Any, key_id: str) -> None:
    """Let the key be used (kms:EnableKey)."""
    ask(client, "EnableKey", key_id, KeyId=key_id)


def disable_key(client: Any, key_id: str) -> None:
    """Let nobody use the key (kms:DisableKey)."""
    ask(client, "DisableKey", key_id, KeyId=key_id)


def cancel_key_deletion(client: Any, key_id: str) -> None:
    """Keep a key that is pending deletion; it is disabled then (kms:CancelKeyDeletion)."""
    ask(client, "CancelKeyDeletion", key_id, KeyId=key_id)


def schedule_key_deletion(client: Any, key_id: str, days: int) -> str:
    """Have the key deleted after *days* and return when that is (kms:ScheduleKeyDeletion)."""
    answer = ask(client, "ScheduleKeyDeletion", key_id, KeyId=key_id, PendingWindowInDays=days)
    return time_text(answer.get("DeletionDate"))


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
        created=time_text(metadata.get("CreationDate")),
        deletion_date=time_text(metadata.get("DeletionDate")),
        manager=str(metadata.get("KeyManager", "CUSTOMER")),
    )


def time_text(moment: datetime | None) -> str:
    """Return *moment* as 2030-12-31T23:59:59Z, or nothing for nothing."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else ""


def _tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"TagKey": key, "TagValue": value} for key, value in tags.items()]
