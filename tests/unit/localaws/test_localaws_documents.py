# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Key policies as AWS takes, keeps and shows them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from localaws.testing import Account, Principal, new_key, policy, refused

INVALID = "Policy contains a statement with one or more invalid principals."
LOCKED_OUT = "The new key policy will not allow you to update the key policy in the future."


@pytest.fixture
def kms(admin: Principal) -> Any:
    return admin.client("kms")


def allows(*principals: str, **more: object) -> dict[str, object]:
    named = principals[0] if len(principals) == 1 else list(principals)
    return {"Principal": {"AWS": named}, "Action": "kms:*", "Resource": "*", **more}


def shown(kms: Any, key: str) -> Any:
    return json.loads(kms.get_key_policy(KeyId=key)["Policy"])["Statement"]


@pytest.mark.parametrize(
    "document",
    [
        "not JSON",
        "[]",
        "{}",
        json.dumps({"Version": "2012-10-17", "Statement": []}),
        policy({"Action": "kms:*", "Resource": "*"}),
        policy({"Effect": "Maybe", "Principal": "*", "Action": "kms:*", "Resource": "*"}),
        policy({"Principal": "*", "Action": "kms:*", "Resource": "*"}, {"Principal": "*", "Action": "kms:Sign"}),
        policy({"Principal": "*", "Action": "kms:*", "Resource": "*"}, {"Principal": "*", "Resource": "*"}),
    ],
)
def test_a_malformed_policy_is_refused_and_nothing_changes(kms: Any, document: str) -> None:
    key = new_key(kms)
    before = shown(kms, key)
    code = "MalformedPolicyDocumentException"
    assert refused(kms.put_key_policy, KeyId=key, Policy=document)[0] == code
    assert refused(kms.create_key, Policy=document)[0] == code
    assert shown(kms, key) == before
    assert len(kms.list_keys()["Keys"]) == 1


def test_a_policy_over_32_kib_is_refused(kms: Any, admin: Principal) -> None:
    key = new_key(kms)
    large = policy(allows(admin.arn), allows(admin.arn, Sid="x" * 32_768))
    assert refused(kms.put_key_policy, KeyId=key, Policy=large)[0] == "LimitExceededException"


@pytest.mark.parametrize(
    "principal",
    [
        "arn:aws:iam::{account}:role/nobody",
        "arn:aws:iam::{account}:user/nobody",
        "arn:aws:iam::111122223333:role/elsewhere",
        "arn:aws:iam::{account}:role/path/administrator",
        "arn:aws:iam::{account}:role/*",
        "arn:aws-cn:iam::{account}:role/administrator",
        "arn:aws:sts::{account}:assumed-role/nobody/session",
        "AROAEXAMPLEEXAMPLEEXA",
        "somebody",
    ],
)
def test_principals_must_exist(kms: Any, admin: Principal, account: Account, principal: str) -> None:
    key, named = new_key(kms), principal.format(account=account.account_id)
    document = policy(allows(admin.arn), allows(named))
    assert refused(kms.put_key_policy, KeyId=key, Policy=document) == ("MalformedPolicyDocumentException", INVALID, 400)
    assert refused(kms.create_key, Policy=document)[1] == INVALID


def test_every_form_of_a_principal_that_exists_is_taken(kms: Any, admin: Principal, account: Account) -> None:
    account.root.client("iam").create_user(UserName="somebody", Path="/staff/")
    key, session = new_key(kms), f"arn:aws:sts::{account.account_id}:assumed-role/administrator/test"
    user = f"arn:aws:iam::{account.account_id}:user/staff/somebody"
    services = {"Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": "kms:Decrypt", "Resource": "*"}
    for named in (account.account_id, account.root.arn, "111122223333", user, session, "*"):
        kms.put_key_policy(KeyId=key, Policy=policy(allows(admin.arn), allows(named), services))
        assert shown(kms, key)[1]["Principal"]["AWS"] == named


def test_a_policy_that_locks_its_writer_out_is_refused(kms: Any, account: Account, admin: Principal) -> None:
    key, other = new_key(kms), account.role("other")
    said = ("MalformedPolicyDocumentException", LOCKED_OUT, 400)
    assert refused(kms.put_key_policy, KeyId=key, Policy=policy(allows(other.arn))) == said
    assert refused(kms.create_key, Policy=policy(allows(other.arn))) == said
    assert refused(kms.put_key_policy, KeyId=key, Policy=policy(allows(admin.arn, Action="kms:Sign"))) == said
    deny = allows(admin.arn, Effect="Deny", Action="kms:PutKeyPolicy")
    assert refused(kms.put_key_policy, KeyId=key, Policy=policy(allows(admin.arn), deny)) == said
    kms.put_key_policy(KeyId=key, Policy=policy(allows(other.arn)), BypassPolicyLockoutSafetyCheck=True)
    assert refused(kms.get_key_policy, KeyId=key)[0] == "AccessDeniedException"
    kms.create_key(Policy=policy(allows(other.arn)), BypassPolicyLockoutSafetyCheck=True)


def test_the_account_in_the_policy_is_enough_not_to_be_locked_out(kms: Any, account: Account) -> None:
    key = new_key(kms)
    kms.put_key_policy(KeyId=key, Policy=policy(allows(account.root.arn)))
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["Enabled"]


def test_principals_come_back_in_an_order_of_aws_own(kms: Any, account: Account, admin: Principal) -> None:
    key, others = new_key(kms), [account.role(name).arn for name in ("c", "b")]
    kms.put_key_policy(KeyId=key, Policy=policy(allows(*others, admin.arn)))
    found = shown(kms, key)[0]["Principal"]["AWS"]
    assert found != [*others, admin.arn]
    assert sorted(found) == sorted([*others, admin.arn])


def test_a_deleted_role_is_shown_by_its_id_and_a_namesake_inherits_nothing(
    kms: Any, account: Account, admin: Principal
) -> None:
    role, iam = account.role("signer"), account.root.client("iam")
    role_id = iam.get_role(RoleName="signer")["Role"]["RoleId"]
    key = new_key(kms)
    kms.put_key_policy(KeyId=key, Policy=policy(allows(admin.arn), allows(role.arn, Action="kms:Sign")))
    use = {"KeyId": key, "Message": b"x", "SigningAlgorithm": "ECDSA_SHA_256"}
    assert role.client("kms").sign(**use)["Signature"]
    iam.delete_role(RoleName="signer")
    assert shown(kms, key)[1]["Principal"]["AWS"] == role_id
    namesake = account.role("signer")
    assert refused(namesake.client("kms").sign, **use)[0] == "AccessDeniedException"
    assert shown(kms, key)[1]["Principal"]["AWS"] == role_id
    document = kms.get_key_policy(KeyId=key)["Policy"]
    assert refused(kms.put_key_policy, KeyId=key, Policy=document)[1] == INVALID
