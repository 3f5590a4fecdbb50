# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What AWS KMS refuses: by the state or kind of a key, and in aliases and tags."""

from __future__ import annotations

from typing import Any

from ministack.services import kms

from localaws.keys import CRYPTOGRAPHIC, Amendment, Record, RefusedError, Request

DISABLED, DELETION, IMPORT = {"Disabled"}, {"PendingDeletion", "PendingReplicaDeletion"}, {"PendingImport"}
REFUSING_STATES = {
    **dict.fromkeys(
        (*CRYPTOGRAPHIC, "CreateGrant", "ReplicateKey", "UpdatePrimaryRegion"), DISABLED | DELETION | IMPORT
    ),
    **dict.fromkeys(("GetPublicKey", "EnableKey", "DisableKey"), DELETION | IMPORT),
    **dict.fromkeys(("CreateAlias", "UpdateAlias", "TagResource", "UntagResource"), DELETION),
    **dict.fromkeys(("UpdateKeyDescription", "ScheduleKeyDeletion"), DELETION),
}
ROTATING = {"EnableKeyRotation", "DisableKeyRotation", "RotateKeyOnDemand"}
IMPORTING = {"GetParametersForImport", "ImportKeyMaterial", "DeleteImportedKeyMaterial"}
ALIAS_PAGE = "https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html"
MOST_ALIASES, MOST_TAGS = 50, 50
WORDS = {
    "PendingDeletion": "pending deletion",
    "PendingReplicaDeletion": "pending replica deletion",
    "PendingImport": "pending import",
}


def check_state(request: Request) -> None:
    """Refuse what a key in its state does not do (the developer guide's table of key states)."""
    key, operation = request.key, request.operation
    if key is None:
        return
    state, arn = key["KeyState"], key["Arn"]
    if operation == "CancelKeyDeletion" and state not in DELETION:
        raise RefusedError("KMSInvalidStateException", f"{arn} is not pending deletion.")
    if state not in REFUSING_STATES.get(operation, ()):
        return
    if state in DISABLED:
        raise RefusedError("DisabledException", f"{arn} is disabled.")
    raise RefusedError("KMSInvalidStateException", f"{arn} is {WORDS[state]}.")


def check_kind(request: Request) -> None:
    """Refuse what a key of this kind does not do."""
    key, operation = request.key, request.operation
    if key is None:
        return
    arn, spec = key["Arn"], key["KeySpec"]
    if operation in ROTATING and spec != "SYMMETRIC_DEFAULT":
        raise RefusedError("UnsupportedOperationException")
    if operation in ("ReplicateKey", "UpdatePrimaryRegion") and key.get("_mrk_type") != "PRIMARY":
        raise RefusedError("UnsupportedOperationException", f"{arn} is not a multi-region primary key.")
    if operation in IMPORTING and key["Origin"] != "EXTERNAL":
        reason = f"{arn} origin is {key['Origin']} which is not valid for this operation."
        raise RefusedError("UnsupportedOperationException", reason)


def check_alias(request: Request) -> None:
    """Refuse alias names that are not the caller's to give, and targets that do not fit."""
    name, operation = request.data.get("AliasName"), request.operation
    if name is None:
        return
    if not name.startswith("alias/"):
        raise RefusedError("ValidationException", f'Alias must start with the prefix "alias/". Please see {ALIAS_PAGE}')
    if name.startswith("alias/aws/"):
        raise RefusedError("NotAuthorizedException")
    arn = kms._alias_arn(name)
    if operation == "CreateAlias":
        _check_new_alias(arn, request.known_key)
    elif arn not in kms._aliases:
        raise RefusedError("NotFoundException", f"Alias {arn} is not found.")
    elif operation == "UpdateAlias":
        _check_same_kind(request.known_key, request.aliased_key)


def _check_new_alias(arn: str, key: Record) -> None:
    if arn in kms._aliases:
        raise RefusedError("AlreadyExistsException", f"An alias with the name {arn} already exists")
    if list(kms._aliases.values()).count(key["KeyId"]) >= MOST_ALIASES:
        raise RefusedError("LimitExceededException", f"A key has at most {MOST_ALIASES} aliases.")


def _check_same_kind(new: Record, old: Record | None) -> None:
    def kind(key: Record) -> tuple[str, str]:
        return key["KeyUsage"], key["KeySpec"] if key["KeySpec"] == "SYMMETRIC_DEFAULT" else "asymmetric or HMAC"

    if old and kind(new) != kind(old):
        reason = f"Alias cannot be changed from {old['Arn']} to {new['Arn']}: type or usage differ."
        raise RefusedError("ValidationException", reason)


def check_tags(request: Request) -> None:
    """Refuse tags that AWS does not take."""
    names = [tag["TagKey"] for tag in request.data.get("Tags", ())]
    if len(set(names)) < len(names):
        raise RefusedError("TagException", "Duplicate tag keys")
    if any(name.lower().startswith("aws:") for name in names):
        raise RefusedError("TagException", "Tags beginning with aws: are reserved")
    present = (
        {tag["TagKey"] for tag in (request.key or {}).get("Tags", ())} if request.operation == "TagResource" else set()
    )
    if len(present | set(names)) > MOST_TAGS:
        raise RefusedError("TagException", "Too many tags")


def tell_window(request: Request, answer: dict[str, Any]) -> dict[str, Any]:
    return {**answer, "PendingWindowInDays": request.data.get("PendingWindowInDays", 30)}


def tell_rotation(request: Request, answer: dict[str, Any]) -> dict[str, Any]:
    """Say only whether, where a key is not rotated."""
    if answer["KeyRotationEnabled"]:
        return {"KeyId": request.known_key["Arn"], **answer}
    return {"KeyId": request.known_key["Arn"], "KeyRotationEnabled": False}


def tell_creating(_request: Request, answer: dict[str, Any]) -> dict[str, Any]:
    """Say of a replica that it is only being made."""
    return {**answer, "ReplicaKeyMetadata": {**answer["ReplicaKeyMetadata"], "KeyState": "Creating", "Enabled": False}}


AMENDMENTS: dict[str, Amendment] = {
    "GetKeyRotationStatus": tell_rotation,
    "ReplicateKey": tell_creating,
    "ScheduleKeyDeletion": tell_window,
}
