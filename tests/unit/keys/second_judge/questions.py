# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the second judge is asked: requests under generated key policies, and what the guide says of each."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.rootstock.pki.plugins.module_utils._keys.access import ACTIONS
from ansible_collections.rootstock.pki.plugins.module_utils._keys.plan import intended_policy
from ansible_collections.rootstock.pki.plugins.module_utils._module.key_options import KEY_OPTIONS, to_desired_key
from docs.tables import access_rows

HOME, ABROAD = "111122223333", "444455556666"
KEY = f"arn:aws:kms:eu-central-1:{HOME}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ROOT = f"arn:aws:iam::{HOME}:root"
GUEST = f"arn:aws:iam::{ABROAD}:role/guest"
ENCRYPTION = ("encrypters", "decrypters")
DIGEST = {"kms:MessageType": "DIGEST", "kms:SigningAlgorithm": "ECDSA_SHA_256"}
OF_ACTIONS = {
    "kms:Sign": DIGEST,
    "kms:Verify": DIGEST,
    "kms:ScheduleKeyDeletion": {"kms:ScheduleKeyDeletionPendingWindowInDays": "30"},
    "kms:PutKeyPolicy": {"kms:BypassPolicyLockoutSafetyCheck": "false"},
}
"""The condition keys that AWS KMS adds to those of every request on a key."""


@dataclass(frozen=True)
class Question:
    """One request, the policies that decide on it, and whether it should be allowed."""

    name: str
    simulation: Mapping[str, Any]
    allowed: bool

    def digest(self) -> str:
        """Return what tells this request under these policies from every other."""
        return hashlib.sha256(json.dumps(self.simulation, sort_keys=True).encode()).hexdigest()


def role(name: str) -> str:
    """Return the principal of a column of the guide's table."""
    return ROOT if name == "root user" else f"arn:aws:iam::{HOME}:role/{name.replace(' ', '-').replace('_', '-')}"


def key_policy(column: str, **options: Any) -> dict[str, Any]:
    """Return the policy of a key on which every list that fits has its role."""
    encryption = column in ENCRYPTION
    lists = [name for name in ACTIONS if name in ("administrators", "auditors") or (name in ENCRYPTION) == encryption]
    kind = {"key_spec": "SYMMETRIC_DEFAULT", "key_usage": "ENCRYPT_DECRYPT"} if encryption else {"use": "ca"}
    defaults = {name: option.get("default") for name, option in KEY_OPTIONS.items()}
    given = {name: [role(name)] for name in lists}
    desired = to_desired_key({**defaults, "alias": "x", **given, **kind, **options})
    return dict(intended_policy(desired, ROOT) or {})


def simulation(
    who: str, action: str, policy: Mapping[str, Any], *iam: Mapping[str, Any], **context: str
) -> dict[str, Any]:
    """Return a request in the judge's words.

    Args:
        iam: statements of the caller's own policy; an account's root user needs none, as IAM allows it everything.
    """
    account = who.split(":")[4]
    known = {
        "aws:PrincipalArn": who,
        "aws:PrincipalAccount": account,
        "aws:PrincipalType": "Account" if who.endswith(":root") else "AssumedRole",
        "kms:CallerAccount": account,
        **OF_ACTIONS.get(action, {}),
        **context,
    }
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    statements = [everything] if who.endswith(":root") else list(iam)
    own = {"name": "own", "policy": {"Version": "2012-10-17", "Statement": statements}}
    return {
        "request": {
            "action": action,
            "principal": who,
            "resource": {"resource": KEY, "accountId": HOME},
            "contextVariables": known,
        },
        "identityPolicies": [own] if statements else [],
        "serviceControlPolicies": [],
        "resourceControlPolicies": [],
        "resourcePolicy": policy,
    }


def questions() -> list[Question]:
    return [*_cells(), *_signatures(), *_account(), *_windows(), *_abroad()]


def _cells() -> Iterator[Question]:
    """Ask about every cell of the guide's table; who is on no list may by IAM do everything."""
    header, *rows = access_rows()
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    for place, column in enumerate(header[1:], start=1):
        iam = [everything] if column == "anybody else" else []
        for row in rows:
            asked = simulation(role(column), row[0], key_policy(column), *iam)
            yield Question(f"{column} {row[0]}", asked, row[place] == "yes")


def _signatures() -> Iterator[Question]:
    """Ask what signers may send."""
    rsa = {"key_spec": "RSA_2048", "signing_algorithms": ["RSASSA_PKCS1_V1_5_SHA_256"]}
    cases: list[tuple[dict[str, Any], str, str, bool]] = [
        ({"use": "ca"}, "DIGEST", "ECDSA_SHA_256", True),
        ({"use": "ca"}, "RAW", "ECDSA_SHA_256", False),
        ({"use": "ca"}, "DIGEST", "ECDSA_SHA_384", False),
        ({"use": "ocsp"}, "RAW", "ECDSA_SHA_256", False),
        ({"use": "sign"}, "RAW", "ECDSA_SHA_256", True),
        ({"use": None}, "RAW", "ECDSA_SHA_256", True),
        ({"use": "ca", "key_spec": "ECC_NIST_EDWARDS25519"}, "RAW", "ED25519_SHA_512", True),
        ({"use": "ca", "key_spec": "ML_DSA_44"}, "EXTERNAL_MU", "ML_DSA_SHAKE_256", True),
        ({"use": "ca", "key_spec": "ML_DSA_44"}, "RAW", "ML_DSA_SHAKE_256", False),
        ({"use": "ca", **rsa}, "DIGEST", "RSASSA_PKCS1_V1_5_SHA_256", True),
        ({"use": "ca", **rsa}, "DIGEST", "RSASSA_PSS_SHA_256", False),
    ]
    for options, kind, algorithm, allowed in cases:
        sent = {"kms:MessageType": kind, "kms:SigningAlgorithm": algorithm}
        asked = simulation(role("signers"), "kms:Sign", key_policy("signers", **options), **sent)
        yield Question(f"signers {options} {kind} {algorithm}", asked, allowed)


def _account() -> Iterator[Question]:
    """Ask what the account may, by account_root; IAM allows everybody everything."""
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    cases = [
        ("break_glass", "root user", "kms:PutKeyPolicy", True),
        ("break_glass", "root user", "kms:ScheduleKeyDeletion", False),
        ("break_glass", "anybody else", "kms:PutKeyPolicy", False),
        ("administer", "anybody else", "kms:ScheduleKeyDeletion", True),
        ("administer", "anybody else", "kms:Sign", False),
        ("administer", "anybody else", "kms:Verify", False),
        ("administer", "root user", "kms:Sign", False),
        ("full", "anybody else", "kms:Sign", True),
        ("full", "root user", "kms:Sign", True),
    ]
    for account_root, who, action, allowed in cases:
        asked = simulation(role(who), action, key_policy("signers", account_root=account_root), everything)
        yield Question(f"{account_root} {who} {action}", asked, allowed)
    rescued = key_policy("signers", break_glass_principals=[role("verifiers")])
    for who, action, allowed in (
        ("verifiers", "kms:PutKeyPolicy", True),
        ("verifiers", "kms:Sign", False),
        ("root user", "kms:PutKeyPolicy", False),
    ):
        yield Question(f"rescuer {who} {action}", simulation(role(who), action, rescued), allowed)


def _windows() -> Iterator[Question]:
    """Ask who may have a key deleted how soon."""
    for minimum, days, allowed in ((30, 7, False), (30, 30, True), (7, 7, True), (14, 13, False)):
        policy = key_policy("signers", minimum_pending_window=minimum, account_root="full")
        for who in ("administrators", "root user"):
            window = {"kms:ScheduleKeyDeletionPendingWindowInDays": str(days)}
            asked = simulation(role(who), "kms:ScheduleKeyDeletion", policy, **window)
            yield Question(f"{who} {days} of {minimum} days", asked, allowed)


def _abroad() -> Iterator[Question]:
    """Ask what somebody of another account may: what the list and the own IAM both allow."""
    fetch = {"Effect": "Allow", "Action": ["kms:GetPublicKey", "kms:Sign"], "Resource": "*"}
    for listed in (GUEST, ABROAD):
        policy = key_policy("signers", verifiers=[listed])
        for action, iam, allowed in (
            ("kms:GetPublicKey", [fetch], True),
            ("kms:GetPublicKey", [], False),
            ("kms:Sign", [fetch], False),
        ):
            name = f"guest {listed} {action} {'with' if iam else 'without'} iam"
            yield Question(name, simulation(GUEST, action, policy, *iam), allowed)
    bound = {"principal": role("auditors"), "conditions": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}}
    policy = key_policy("signers", signers=[role("signers"), bound])
    for address, allowed in (("192.0.2.7", True), ("198.51.100.7", False)):
        asked = simulation(role("auditors"), "kms:Sign", policy, **{"aws:SourceIp": address})
        yield Question(f"signer from {address}", asked, allowed)
