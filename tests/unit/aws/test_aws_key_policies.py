# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Key policies made of lists: every cell of the guide's table is tried as the principal that it is about."""

from __future__ import annotations

import json
import secrets
from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from ansible_collections.rootstock.pki.plugins.module_utils._keys.access import ACTIONS
from ansible_collections.rootstock.pki.plugins.module_utils._keys.plan import intended_policy
from ansible_collections.rootstock.pki.plugins.module_utils._module.key_options import KEY_OPTIONS, to_desired_key
from docs.tables import BEGIN, END, GUIDES
from localaws.server import Server
from localaws.testing import Principal, new_account

ENCRYPTION = ("encrypters", "decrypters")
DIGEST = {"Message": bytes(32), "MessageType": "DIGEST", "SigningAlgorithm": "ECDSA_SHA_256"}
PUBLIC = {"KeyAgreementAlgorithm": "ECDH", "PublicKey": bytes(91)}
ALIASES = {"Action": ["kms:CreateAlias", "kms:UpdateAlias", "kms:DeleteAlias"], "Resource": "arn:aws:kms:*:*:alias/*"}
"""IAM must allow the alias itself; whether it may be given to the key is for the key policy to say."""

ARGUMENTS: dict[str, dict[str, Any]] = {
    "kms:CreateGrant": {"Operations": ["DescribeKey"], "GranteePrincipal": ""},
    "kms:Decrypt": {"CiphertextBlob": bytes(100)},
    "kms:DeriveSharedSecret": PUBLIC,
    "kms:Encrypt": {"Plaintext": b"x"},
    "kms:GenerateDataKey": {"KeySpec": "AES_256"},
    "kms:PutKeyPolicy": {"Policy": '{"Statement": []}', "BypassPolicyLockoutSafetyCheck": True},
    "kms:ReplicateKey": {"ReplicaRegion": "eu-west-1"},
    "kms:ScheduleKeyDeletion": {"PendingWindowInDays": 30},
    "kms:Sign": DIGEST,
    "kms:TagResource": {"Tags": [{"TagKey": "a", "TagValue": "b"}]},
    "kms:UntagResource": {"TagKeys": ["a"]},
    "kms:UpdateKeyDescription": {"Description": "x"},
    "kms:Verify": {**DIGEST, "Signature": bytes(70)},
}


def table() -> dict[str, dict[str, str]]:
    """Return the guide's table: action to column to yes or no."""
    text = (GUIDES / "guide_key_policies.rst").read_text().partition(BEGIN)[2].partition(END)[0]
    rows: list[list[str]] = []
    for line in text.splitlines():
        mark, _unused, cell = line.strip().partition("- ")
        if mark.strip() == "*":
            rows.append([])
        if line.strip().startswith(("*", "-")):
            rows[-1].append(cell.strip())
    return {row[0]: dict(zip(rows[0][1:], row[1:], strict=True)) for row in rows[1:]}


class Cast:
    """An account with one role for each list, who may nothing by IAM but name keys."""

    def __init__(self, server: Server) -> None:
        self.account = new_account(server)
        self.maker = self.account.role("maker", {"Action": "*"})
        self.roles = {name: self.account.role(name.replace("_", "-"), ALIASES) for name in ACTIONS}
        self.roles["anybody else"] = self.maker
        self.roles["root user"] = self.account.root

    def key(self, column: str, **options: Any) -> str:
        """Make a key under the policy of all lists that fit, and return its ARN."""
        encryption = column in ENCRYPTION
        lists = [
            name for name in ACTIONS if name in ("administrators", "auditors") or (name in ENCRYPTION) == encryption
        ]
        kind = {"key_spec": "SYMMETRIC_DEFAULT", "key_usage": "ENCRYPT_DECRYPT"} if encryption else {"use": "ca"}
        given = {name: [self.roles[name].arn] for name in lists}
        desired = to_desired_key(params(**{**given, **kind, **options}))
        return self.make(desired.key_spec, desired.key_usage, intended_policy(desired, self.account.root.arn))

    def make(self, key_spec: str, key_usage: str, policy: Any) -> str:
        made = self.maker.client("kms").create_key(
            KeySpec=key_spec, KeyUsage=key_usage, Policy=json.dumps(policy), BypassPolicyLockoutSafetyCheck=True
        )
        return str(made["KeyMetadata"]["Arn"])


def params(**given: Any) -> dict[str, Any]:
    """Return the parameters of a task."""
    defaults = {name: option.get("default") for name, option in KEY_OPTIONS.items()}
    return {**defaults, "alias": "x", **given}


@pytest.fixture(scope="module")
def cast(local_aws: Server) -> Cast:
    return Cast(local_aws)


def is_allowed(who: Principal, action: str, key: str, **arguments: Any) -> bool:
    """Return whether KMS lets somebody do it; any other refusal than AccessDenied comes after that question."""
    client = who.client("kms")
    name, arguments = action.partition(":")[2], {**ARGUMENTS.get(action, {}), **arguments}
    try:
        getattr(client, xform_name(name))(**subject(name, key), **arguments)
    except ClientError as exc:
        return exc.response["Error"]["Code"] not in ("AccessDeniedException", "AccessDenied")
    return True


def subject(name: str, key: str) -> dict[str, str]:
    """Return how an operation names its key."""
    if name in ("CreateAlias", "UpdateAlias"):
        return {"AliasName": f"alias/{secrets.token_hex(8)}", "TargetKeyId": key}
    if name in ("GetKeyPolicy", "PutKeyPolicy"):
        return {"KeyId": key, "PolicyName": "default"}
    return {"KeyId": key}


def tried(cast: Cast, column: str, action: str) -> bool:
    """Return whether the principal of a column may do an action on a fresh key."""
    key, who = cast.key(column), cast.roles[column]
    arguments: dict[str, Any] = {}
    if action == "kms:CreateGrant":
        arguments["GranteePrincipal"] = cast.maker.arn
    if action == "kms:RevokeGrant":
        arguments["GrantId"] = "0" * 64
    if action == "kms:DeleteAlias":
        return may_delete_alias(cast, key, who)
    return is_allowed(who, action, key, **arguments)


def may_delete_alias(cast: Cast, key: str, who: Principal) -> bool:
    """Return whether somebody may take a name from a key, which names the alias and not the key."""
    alias = f"alias/{secrets.token_hex(8)}"
    cast.roles["administrators"].client("kms").create_alias(AliasName=alias, TargetKeyId=key)
    client = who.client("kms")
    try:
        client.delete_alias(AliasName=alias)
    except client.exceptions.ClientError as exc:
        return bool(exc.response["Error"]["Code"] != "AccessDeniedException")
    return True


def test_the_table_has_every_list() -> None:
    assert all([*ACTIONS, "root user", "anybody else"] == list(row) for row in table().values())


@pytest.mark.parametrize("column", [*ACTIONS, "root user", "anybody else"])
def test_each_cell_of_the_guides_table_is_what_kms_does(cast: Cast, column: str) -> None:
    wanted = {action: row[column] == "yes" for action, row in table().items()}
    assert {action: tried(cast, column, action) for action in wanted} == wanted


@pytest.mark.parametrize(
    ("options", "sign", "allowed"),
    [
        ({"use": "ca"}, {}, True),
        ({"use": "ca"}, {"Message": b"x", "MessageType": "RAW"}, False),
        ({"use": "ocsp"}, {"Message": b"x", "MessageType": "RAW"}, False),
        ({"use": "sign"}, {"Message": b"x", "MessageType": "RAW"}, True),
        ({"use": None}, {"Message": b"x", "MessageType": "RAW"}, True),
        (
            {"use": "ca", "key_spec": "ECC_NIST_EDWARDS25519"},
            {"SigningAlgorithm": "ED25519_SHA_512", "MessageType": "RAW"},
            True,
        ),
        ({"use": "ca", "key_spec": "ML_DSA_44"}, {"SigningAlgorithm": "ML_DSA_SHAKE_256", "MessageType": "RAW"}, False),
        (
            {"use": "ca", "key_spec": "ML_DSA_44"},
            {"Message": bytes(64), "SigningAlgorithm": "ML_DSA_SHAKE_256", "MessageType": "EXTERNAL_MU"},
            True,
        ),
        ({"use": "ca", "key_spec": "RSA_2048"}, {"SigningAlgorithm": "RSASSA_PSS_SHA_256"}, True),
        (
            {"use": "ca", "key_spec": "RSA_2048", "signing_algorithms": ["RSASSA_PKCS1_V1_5_SHA_256"]},
            {"SigningAlgorithm": "RSASSA_PSS_SHA_256"},
            False,
        ),
        (
            {"use": "ca", "key_spec": "RSA_2048", "signing_algorithms": ["RSASSA_PKCS1_V1_5_SHA_256"]},
            {"SigningAlgorithm": "RSASSA_PKCS1_V1_5_SHA_256"},
            True,
        ),
    ],
)
def test_signers_can_send_only_what_the_use_of_the_key_needs(
    cast: Cast, options: dict[str, Any], sign: dict[str, Any], allowed: bool
) -> None:
    key = cast.key("signers", **options)
    assert is_allowed(cast.roles["signers"], "kms:Sign", key, **{**DIGEST, **sign}) is allowed


@pytest.mark.parametrize(
    ("account_root", "who", "action", "allowed"),
    [
        ("break_glass", "root user", "kms:PutKeyPolicy", True),
        ("break_glass", "root user", "kms:ScheduleKeyDeletion", False),
        ("break_glass", "anybody else", "kms:PutKeyPolicy", False),
        ("administer", "anybody else", "kms:ScheduleKeyDeletion", True),
        ("administer", "anybody else", "kms:Sign", False),
        ("administer", "anybody else", "kms:Verify", False),
        ("administer", "root user", "kms:Sign", False),
        ("full", "anybody else", "kms:Sign", True),
        ("full", "root user", "kms:Sign", True),
    ],
)
def test_the_account_may_what_account_root_says(
    cast: Cast, account_root: str, who: str, action: str, allowed: bool
) -> None:
    key = cast.key("signers", account_root=account_root)
    assert is_allowed(cast.roles[who], action, key) is allowed


def test_break_glass_principals_take_the_place_of_the_root_user(cast: Cast) -> None:
    rescuer = cast.roles["verifiers"]
    key = cast.key("signers", break_glass_principals=[rescuer.arn])
    may = {name: is_allowed(rescuer, name, key) for name in ("kms:GetKeyPolicy", "kms:CancelKeyDeletion", "kms:Sign")}
    assert may == {"kms:GetKeyPolicy": True, "kms:CancelKeyDeletion": True, "kms:Sign": False}
    assert not is_allowed(cast.roles["root user"], "kms:GetKeyPolicy", key)


@pytest.mark.parametrize(
    ("minimum", "days", "allowed"), [(30, 7, False), (30, 30, True), (7, 7, True), (14, 13, False)]
)
def test_nobody_can_have_the_key_deleted_sooner_than_the_minimum(
    cast: Cast, minimum: int, days: int, allowed: bool
) -> None:
    key = cast.key("signers", minimum_pending_window=minimum, account_root="full")
    for name in ("administrators", "root user"):
        found = is_allowed(cast.roles[name], "kms:ScheduleKeyDeletion", cast_copy(cast, key), PendingWindowInDays=days)
        assert found is allowed


def cast_copy(cast: Cast, key: str) -> str:
    """Make another key under the policy of *key*."""
    policy = json.loads(cast.maker.client("kms").get_key_policy(KeyId=key, PolicyName="default")["Policy"])
    return cast.make("ECC_NIST_P256", "SIGN_VERIFY", policy)


@pytest.mark.parametrize("iam_allows", [True, False])
def test_another_account_needs_both_the_list_and_its_own_iam(cast: Cast, local_aws: Server, iam_allows: bool) -> None:
    other = new_account(local_aws)
    statements = [{"Action": ["kms:GetPublicKey", "kms:Sign"]}] if iam_allows else []
    guest = other.role("guest", *statements)
    key = cast.key("signers", verifiers=[guest.arn])
    assert is_allowed(guest, "kms:GetPublicKey", key) is iam_allows
    assert not is_allowed(guest, "kms:Sign", key)


def test_a_whole_account_may_be_on_a_list_and_then_its_iam_decides(cast: Cast, local_aws: Server) -> None:
    other = new_account(local_aws)
    key = cast.key("signers", verifiers=[other.account_id])
    for number, actions in enumerate((["kms:GetPublicKey"], ["kms:Sign"])):
        guest = other.role(f"guest{number}", {"Action": actions})
        assert is_allowed(guest, "kms:GetPublicKey", key) is ("kms:GetPublicKey" in actions)


def test_conditions_of_a_member_hold_for_it_alone(cast: Cast) -> None:
    bound = {"principal": cast.roles["auditors"].arn, "conditions": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}}
    key = cast.key("signers", signers=[cast.roles["signers"].arn, bound])
    assert is_allowed(cast.roles["signers"], "kms:Sign", key)
    assert not is_allowed(cast.roles["auditors"], "kms:Sign", key)
    local = {**bound, "conditions": {"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}}
    assert is_allowed(cast.roles["auditors"], "kms:Sign", cast.key("signers", signers=[local]))
