# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may do what with a key, and the key policy that says so."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from .desired import LONGEST_WINDOW
from .policy import normalised

Conditions = Mapping[str, Mapping[str, Any]]

PRINCIPAL = re.compile(r"arn:(?P<partition>aws[a-z-]*):(?:iam|sts)::(?P<account>\d{12}):(?P<name>.+)")
ACCOUNT = re.compile(r"\d{12}")

ADMINISTRATION = (
    "kms:CancelKeyDeletion",
    "kms:CreateAlias",
    "kms:DeleteAlias",
    "kms:DescribeKey",
    "kms:DisableKey",
    "kms:DisableKeyRotation",
    "kms:EnableKey",
    "kms:EnableKeyRotation",
    "kms:GetKeyLastUsage",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:GetPublicKey",
    "kms:ListGrants",
    "kms:ListKeyPolicies",
    "kms:ListKeyRotations",
    "kms:ListResourceTags",
    "kms:PutKeyPolicy",
    "kms:RevokeGrant",
    "kms:RotateKeyOnDemand",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateAlias",
    "kms:UpdateKeyDescription",
)
"""All but cryptographic use. Not CreateGrant either: who may grant may grant use."""

ACTIONS: dict[str, tuple[str, ...]] = {
    "administrators": ADMINISTRATION,
    "signers": ("kms:Sign",),
    "verifiers": ("kms:DescribeKey", "kms:GetPublicKey"),
    "online_verifiers": ("kms:DescribeKey", "kms:GetPublicKey", "kms:Verify"),
    "encrypters": ("kms:DescribeKey", "kms:Encrypt", "kms:GetPublicKey"),
    "decrypters": ("kms:Decrypt", "kms:DescribeKey"),
    "auditors": (
        "kms:DescribeKey",
        "kms:GetKeyLastUsage",
        "kms:GetKeyPolicy",
        "kms:GetKeyRotationStatus",
        "kms:GetPublicKey",
        "kms:ListGrants",
        "kms:ListKeyPolicies",
        "kms:ListKeyRotations",
        "kms:ListResourceTags",
    ),
}
"""What each list of principals may do."""

SIDS = {
    "administrators": "Administrators",
    "signers": "Signers",
    "verifiers": "Verifiers",
    "online_verifiers": "Online verifiers",
    "encrypters": "Encrypters",
    "decrypters": "Decrypters",
    "auditors": "Auditors",
}
USAGES = {
    "signers": "SIGN_VERIFY",
    "verifiers": "SIGN_VERIFY",
    "online_verifiers": "SIGN_VERIFY",
    "encrypters": "ENCRYPT_DECRYPT",
    "decrypters": "ENCRYPT_DECRYPT",
}
"""Lists that mean nothing for a key of another usage."""

RESCUE = ("kms:CancelKeyDeletion", "kms:DescribeKey", "kms:GetKeyPolicy", "kms:PutKeyPolicy")
ACCOUNT_ROOTS = ("break_glass", "administer", "full")
DELETION, WINDOW = "kms:ScheduleKeyDeletion", "kms:ScheduleKeyDeletionPendingWindowInDays"


@dataclass(frozen=True)
class Grantee:
    """Somebody who may do something, under conditions of their own or none.

    Attributes:
        principal: ARN of a role, user, session or account root, or an account's number.
        conditions: as in a policy, operator to key to value or values.
    """

    principal: str
    conditions: Conditions

    def account(self) -> str:
        """Return the number of the principal's account."""
        found = PRINCIPAL.fullmatch(self.principal)
        return found["account"] if found else self.principal


@dataclass(frozen=True)
class KeyAccess:
    """Who may do what with one key.

    Attributes:
        signing_algorithms: what signers may ask for; every one of the key's unless the user says fewer.
        message_types: as what they may ask for it.
        account_root: one of ACCOUNT_ROOTS.
        minimum_pending_window: days; nobody may have the key deleted sooner.
    """

    administrators: tuple[Grantee, ...] = ()
    signers: tuple[Grantee, ...] = ()
    verifiers: tuple[Grantee, ...] = ()
    online_verifiers: tuple[Grantee, ...] = ()
    encrypters: tuple[Grantee, ...] = ()
    decrypters: tuple[Grantee, ...] = ()
    auditors: tuple[Grantee, ...] = ()
    signing_algorithms: tuple[str, ...] = ()
    message_types: tuple[str, ...] = ()
    account_root: str = "break_glass"
    break_glass_principals: tuple[str, ...] = ()
    minimum_pending_window: int = LONGEST_WINDOW

    def lists(self) -> dict[str, tuple[Grantee, ...]]:
        """Return the lists of principals by their names, those with nobody in them left out."""
        listed = {each.name: getattr(self, each.name) for each in fields(self) if each.name in ACTIONS}
        return {name: grantees for name, grantees in listed.items() if grantees}


def generated_policy(access: KeyAccess, root: str) -> dict[str, Any]:
    """Return the key policy that allows *access* and nothing else.

    Args:
        root: ARN of the root of the key's account, arn:aws:iam::111122223333:root.
    """
    statements = [
        *_root_statements(access, root),
        *(statement for name, grantees in access.lists().items() for statement in _statements(access, name, grantees)),
        _window_statement(access.minimum_pending_window),
    ]
    return {"Version": "2012-10-17", "Id": "rootstock", "Statement": statements}


def _allow(sid: str, principals: Sequence[str], actions: Sequence[str], conditions: Conditions) -> dict[str, Any]:
    statement = {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"AWS": sorted(set(principals))},
        "Action": sorted(actions),
        "Resource": "*",
    }
    return {**statement, "Condition": conditions} if conditions else statement


def _root_statements(access: KeyAccess, root: str) -> list[dict[str, Any]]:
    """Return what the account itself may do. Its root ARN means everybody whom IAM allows, unless a condition says."""
    if access.account_root == "full":
        return [_allow("Enable IAM User Permissions", [root], ["kms:*"], {})]
    if access.account_root == "administer":
        return [_allow("IAM may let principals administer", [root], ADMINISTRATION, {})]
    if access.break_glass_principals:
        return [_allow("Break glass principals", access.break_glass_principals, RESCUE, {})]
    return [_allow("Break glass root user", [root], RESCUE, {"StringEquals": {"aws:PrincipalType": "Account"}})]


def _statements(access: KeyAccess, name: str, grantees: Sequence[Grantee]) -> list[dict[str, Any]]:
    """Return one statement for those without conditions and one for each set of conditions."""
    groups: dict[str, list[Grantee]] = {}
    for grantee in grantees:
        groups.setdefault(json.dumps(grantee.conditions, sort_keys=True), []).append(grantee)
    statements, numbered = [], len([text for text in groups if text != "{}"]) > 1
    for number, (_text, members) in enumerate(sorted(item for item in groups.items() if item[0] != "{}"), start=1):
        sid = f"{SIDS[name]} under conditions{f' {number}' if numbered else ''}"
        statements.append(_statement(access, name, sid, members))
    if "{}" in groups:
        statements.insert(0, _statement(access, name, SIDS[name], groups["{}"]))
    return statements


def _statement(access: KeyAccess, name: str, sid: str, members: Sequence[Grantee]) -> dict[str, Any]:
    ours = {"kms:CallerAccount": sorted({member.account() for member in members}), **own_conditions(access, name)}
    theirs = members[0].conditions
    equals = {"StringEquals": {**theirs.get("StringEquals", {}), **ours}}
    return _allow(sid, [member.principal for member in members], ACTIONS[name], {**theirs, **equals})


def own_conditions(access: KeyAccess, name: str) -> dict[str, list[str]]:
    """Return the StringEquals conditions that a list has by its nature, the accounts aside."""
    if name != "signers":
        return {}  # whoever verifies must be able to, however it was signed
    return {"kms:MessageType": list(access.message_types), "kms:SigningAlgorithm": list(access.signing_algorithms)}


def _window_statement(days: int) -> dict[str, Any]:
    return {
        "Sid": f"No deletion within {days} days",
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": DELETION,
        "Resource": "*",
        "Condition": {"NumericLessThan": {WINDOW: str(days)}},
    }


def demanded_window(policy: Mapping[str, Any]) -> int:
    """Return how many days, at least, *policy* has everybody keep a key that is to go; 0 where it demands none."""
    texts = [
        text
        for statement in normalised(policy)["Statement"]
        if statement["Effect"] == "Deny" and statement.get("Principal") == {"AWS": ["*"]}
        if DELETION in statement.get("Action", []) and list(statement.get("Condition", {})) == ["NumericLessThan"]
        for text in statement["Condition"]["NumericLessThan"].get(WINDOW, [])
    ]
    return max((int(text) for text in texts if text.isdecimal()), default=0)
