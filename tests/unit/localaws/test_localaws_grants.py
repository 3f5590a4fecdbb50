# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Grants: what they allow, to whom, and how they end."""

from __future__ import annotations

import re
from typing import Any

import pytest

from localaws.server import Server
from localaws.testing import Account, Principal, new_account, new_key, policy, refused

SIGN = {"SigningAlgorithm": "ECDSA_SHA_256", "Message": b"x"}


@pytest.fixture
def kms(admin: Principal) -> Any:
    return admin.client("kms")


@pytest.fixture
def key(kms: Any, admin: Principal) -> str:
    """A key whose policy lets in nobody but its administrator."""
    arn = new_key(kms)
    kms.put_key_policy(KeyId=arn, Policy=policy({"Principal": {"AWS": admin.arn}, "Action": "kms:*", "Resource": "*"}))
    return arn


def test_a_grant_allows_what_no_policy_does_and_nothing_more(kms: Any, key: str, account: Account) -> None:
    role = account.role("signer")
    client = role.client("kms")
    assert refused(client.sign, KeyId=key, **SIGN)[0] == "AccessDeniedException"
    made = kms.create_grant(KeyId=key, GranteePrincipal=role.arn, Operations=["Sign"])
    assert re.fullmatch("[0-9a-f]{64}", made["GrantId"])
    assert client.sign(KeyId=key, **SIGN)["Signature"]
    assert client.sign(KeyId=key, GrantTokens=[made["GrantToken"]], **SIGN)["Signature"]
    assert refused(client.get_public_key, KeyId=key)[0] == "AccessDeniedException"
    assert refused(client.sign, KeyId=new_key(kms), **SIGN)[0] == "AccessDeniedException"
    assert refused(account.role("other").client("kms").sign, KeyId=key, **SIGN)[0] == "AccessDeniedException"


def test_an_explicit_deny_is_stronger_than_a_grant(kms: Any, key: str, account: Account, admin: Principal) -> None:
    by_iam = account.role("by-iam", {"Effect": "Deny", "Action": "kms:Sign"})
    by_key = account.role("by-key")
    deny = {"Effect": "Deny", "Principal": {"AWS": by_key.arn}, "Action": "kms:Sign", "Resource": "*"}
    keep = {"Principal": {"AWS": admin.arn}, "Action": "kms:*", "Resource": "*"}
    kms.put_key_policy(KeyId=key, Policy=policy(keep, deny))
    for role in (by_iam, by_key):
        kms.create_grant(KeyId=key, GranteePrincipal=role.arn, Operations=["Sign"])
        assert refused(role.client("kms").sign, KeyId=key, **SIGN)[0] == "AccessDeniedException"


def test_a_grant_reaches_another_account(kms: Any, key: str, local_aws: Server) -> None:
    role = new_account(local_aws).role("signer")
    kms.create_grant(KeyId=key, GranteePrincipal=role.arn, Operations=["Sign", "GetPublicKey"])
    assert role.client("kms").sign(KeyId=key, **SIGN)["KeyId"] == key
    assert role.client("kms").get_public_key(KeyId=key)["KeyId"] == key


def test_a_revoked_grant_allows_nothing(kms: Any, key: str, account: Account) -> None:
    role = account.role("signer")
    made = kms.create_grant(KeyId=key, GranteePrincipal=role.arn, Operations=["Sign"])
    kms.revoke_grant(KeyId=key, GrantId=made["GrantId"])
    assert refused(role.client("kms").sign, KeyId=key, **SIGN)[0] == "AccessDeniedException"
    assert kms.list_grants(KeyId=key)["Grants"] == []


def test_a_grant_is_retired_by_the_retiring_principal_or_a_grantee_that_may(
    kms: Any, key: str, account: Account
) -> None:
    grantee, retiring, other = (account.role(name) for name in ("grantee", "retiring", "other"))
    named = {"KeyId": key, "GranteePrincipal": grantee.arn, "RetiringPrincipal": retiring.arn}
    for operations, who in ((["Sign"], retiring), (["Sign", "RetireGrant"], grantee)):
        made = kms.create_grant(Operations=operations, **named)
        for nobody in [other, *([grantee] if who is retiring else [])]:
            said = refused(nobody.client("kms").retire_grant, GrantToken=made["GrantToken"])
            assert said[0] == "AccessDeniedException"
        who.client("kms").retire_grant(GrantToken=made["GrantToken"])
    made = kms.create_grant(Operations=["Sign"], **named)
    retiring.client("kms").retire_grant(KeyId=key, GrantId=made["GrantId"])
    assert kms.list_grants(KeyId=key)["Grants"] == []


def test_a_grantee_passes_on_at_most_what_it_has(kms: Any, key: str, account: Account) -> None:
    first, second = account.role("first"), account.role("second")
    kms.create_grant(KeyId=key, GranteePrincipal=first.arn, Operations=["Sign", "CreateGrant"])
    client = first.client("kms")
    client.create_grant(KeyId=key, GranteePrincipal=second.arn, Operations=["Sign"])
    assert second.client("kms").sign(KeyId=key, **SIGN)["Signature"]
    more = {"KeyId": key, "GranteePrincipal": second.arn, "Operations": ["Sign", "GetPublicKey"]}
    assert refused(client.create_grant, **more)[0] == "AccessDeniedException"


def test_grantees_must_exist_and_operations_must_fit(kms: Any, key: str, account: Account) -> None:
    nobody = f"arn:aws:iam::{account.account_id}:role/nobody"
    said = f"ARN does not refer to a valid principal: {nobody}"
    made = refused(kms.create_grant, KeyId=key, GranteePrincipal=nobody, Operations=["Sign"])
    assert made == ("InvalidArnException", said, 400)
    role = account.role("signer")
    made = refused(kms.create_grant, KeyId=key, GranteePrincipal=role.arn, Operations=["GenerateDataKey"])
    assert made[0] == "ValidationException"


def test_the_same_grant_by_name_keeps_its_id(kms: Any, key: str, account: Account) -> None:
    named = {"KeyId": key, "GranteePrincipal": account.role("signer").arn, "Operations": ["Sign"], "Name": "one"}
    first, second = kms.create_grant(**named), kms.create_grant(**named)
    assert first["GrantId"] == second["GrantId"]
    assert first["GrantToken"] != second["GrantToken"]
    unnamed = {**named, "Name": ""}
    del unnamed["Name"]
    assert kms.create_grant(**unnamed)["GrantId"] != kms.create_grant(**unnamed)["GrantId"]


def test_a_token_that_is_none_is_refused(kms: Any, key: str) -> None:
    assert refused(kms.sign, KeyId=key, GrantTokens=["none"], **SIGN)[0] == "InvalidGrantTokenException"


def test_a_deleted_grantee_is_shown_by_its_id_and_a_namesake_inherits_nothing(
    kms: Any, key: str, account: Account
) -> None:
    role, iam = account.role("signer"), account.root.client("iam")
    role_id = iam.get_role(RoleName="signer")["Role"]["RoleId"]
    kms.create_grant(KeyId=key, GranteePrincipal=role.arn, Operations=["Sign"])
    iam.delete_role(RoleName="signer")
    assert kms.list_grants(KeyId=key)["Grants"][0]["GranteePrincipal"] == role_id
    assert refused(account.role("signer").client("kms").sign, KeyId=key, **SIGN)[0] == "AccessDeniedException"


def test_conditions_can_limit_who_grants_what(kms: Any, key: str, account: Account, admin: Principal) -> None:
    manager, role = account.role("manager"), account.role("signer")
    condition = {"ForAllValues:StringEquals": {"kms:GrantOperations": "Sign"}}
    allow = {"Principal": {"AWS": manager.arn}, "Action": "kms:CreateGrant", "Resource": "*", "Condition": condition}
    keep = {"Principal": {"AWS": admin.arn}, "Action": "kms:*", "Resource": "*"}
    kms.put_key_policy(KeyId=key, Policy=policy(keep, allow))
    client = manager.client("kms")
    named = {"KeyId": key, "GranteePrincipal": role.arn}
    assert refused(client.create_grant, Operations=["Sign", "Verify"], **named)[0] == "AccessDeniedException"
    client.create_grant(Operations=["Sign"], **named)
