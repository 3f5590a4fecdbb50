# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may use a key: IAM policies, key policies and their conditions, in one account and across two."""

from __future__ import annotations

from typing import Any

import pytest

from localaws.server import Server
from localaws.testing import Account, Principal, new_account, new_key, policy, refused

SIGN = {"SigningAlgorithm": "ECDSA_SHA_256", "Message": b"x"}
DIGEST = {"SigningAlgorithm": "ECDSA_SHA_256", "Message": bytes(32), "MessageType": "DIGEST"}


class Company:
    """An account with an administrator, a key, and roles as a test wants them."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.admin = account.administrator()
        self.kms = self.admin.client("kms")
        self.key = new_key(self.kms)

    def write_policy(self, *statements: dict[str, object]) -> None:
        """Put a key policy: the administrator keeps everything but the use of the key."""
        keeps = {"Principal": {"AWS": self.admin.arn}, "NotAction": ["kms:Sign", "kms:Verify", "kms:GetPublicKey"]}
        full = [{"Resource": "*", **statement} for statement in (keeps, *statements)]
        self.kms.put_key_policy(KeyId=self.key, Policy=policy(*full))

    def allow(self, role: Principal, action: str = "kms:Sign", **more: object) -> None:
        self.write_policy({"Principal": {"AWS": role.arn}, "Action": action, **more})


@pytest.fixture
def company(account: Account) -> Company:
    return Company(account)


def may_sign(role: Principal, key: str, **arguments: Any) -> bool:
    client = role.client("kms")
    try:
        client.sign(KeyId=key, **(arguments or SIGN))
    except client.exceptions.ClientError as exc:
        if exc.response["Error"]["Code"] != "AccessDeniedException":
            raise
        return False
    return True


def message_of(role: Principal, key: str, **arguments: Any) -> str:
    code, message, status = refused(role.client("kms").sign, KeyId=key, **(arguments or SIGN))
    assert (code, status) == ("AccessDeniedException", 400)
    return message


def test_default_policy_leaves_it_to_iam(company: Company) -> None:
    document = company.kms.get_key_policy(KeyId=company.key)["Policy"]
    for said in ('"key-default-1"', '"Enable IAM User Permissions"', f'"{company.account.root.arn}"', '"kms:*"'):
        assert said in document
    assert may_sign(company.account.role("allowed", {"Action": "kms:Sign"}), company.key)
    stranger = company.account.role("stranger", {"Action": "kms:DescribeKey"})
    session = stranger.arn.replace("iam", "sts").replace("role", "assumed-role") + "/test"
    said = f"User: {session} is not authorized to perform: kms:Sign on resource: {company.key} "
    assert message_of(stranger, company.key) == f"{said}because no identity-based policy allows the kms:Sign action"


def test_iam_alone_never_suffices(company: Company) -> None:
    role = company.account.role("signer", {"Action": "kms:*"})
    company.write_policy()
    assert message_of(role, company.key).endswith("because no resource-based policy allows the kms:Sign action")


def test_key_policy_that_names_the_role_suffices(company: Company) -> None:
    role = company.account.role("signer")
    company.allow(role)
    assert may_sign(role, company.key)
    assert message_of(company.account.role("other"), company.key).endswith(
        "no resource-based policy allows the kms:Sign action"
    )


def test_key_policy_may_name_a_session_and_everybody(company: Company) -> None:
    role = company.account.role("signer")
    session = role.arn.replace("iam", "sts").replace(":role/", ":assumed-role/") + "/test"
    company.write_policy({"Principal": {"AWS": session}, "Action": "kms:Sign"})
    assert may_sign(role, company.key)
    assert not may_sign(company.account.assume(role.arn, "another"), company.key)
    ours = {"StringEquals": {"kms:CallerAccount": company.account.account_id}}
    company.write_policy({"Principal": {"AWS": "*"}, "Action": "kms:Sign", "Condition": ours})
    assert may_sign(company.account.role("anybody"), company.key)


def test_explicit_deny_wins_wherever_it_stands(company: Company) -> None:
    role = company.account.role("signer", {"Action": "kms:Sign"}, {"Effect": "Deny", "Action": "kms:Verify"})
    company.allow(role, "kms:*")
    assert may_sign(role, company.key)
    code, message, _unused = refused(role.client("kms").verify, KeyId=company.key, Signature=b"x", **SIGN)
    assert code == "AccessDeniedException"
    assert message.endswith(f"{company.key} with an explicit deny in an identity-based policy")
    deny = {"Effect": "Deny", "Principal": {"AWS": company.account.root.arn}, "Action": "kms:Sign"}
    company.write_policy({"Principal": {"AWS": role.arn}, "Action": "kms:Sign"}, deny)
    assert message_of(role, company.key).endswith("with an explicit deny in a resource-based policy")


def test_root_obeys_the_key_policy(company: Company) -> None:
    root = company.account.root
    assert may_sign(root, company.key)
    company.write_policy()
    assert not may_sign(root, company.key)
    assert refused(root.client("kms").describe_key, KeyId=company.key)[0] == "AccessDeniedException"


def test_only_root_can_be_let_in_and_no_role_with_it(company: Company) -> None:
    root = company.account.root
    who = {"Principal": {"AWS": root.arn}, "Action": "kms:Sign"}
    company.write_policy({**who, "Condition": {"StringEquals": {"aws:PrincipalArn": root.arn}}})
    assert may_sign(root, company.key)
    assert not may_sign(company.admin, company.key)
    company.write_policy({**who, "Condition": {"StringEquals": {"aws:PrincipalType": "Account"}}})
    assert may_sign(root, company.key)
    assert not may_sign(company.admin, company.key)


def test_principal_arn_is_the_role_and_not_the_session(company: Company) -> None:
    role = company.account.role("signer", {"Action": "kms:*"})
    who = {"Principal": {"AWS": company.account.root.arn}, "Action": "kms:Sign"}
    company.write_policy({**who, "Condition": {"ArnEquals": {"aws:PrincipalArn": role.arn}}})
    assert may_sign(role, company.key)
    company.write_policy({**who, "Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:sts::*:assumed-role/*"}}})
    assert not may_sign(role, company.key)


@pytest.mark.parametrize(
    ("condition", "allowed", "denied"),
    [
        ({"StringEquals": {"kms:MessageType": "DIGEST"}}, DIGEST, SIGN),
        ({"StringEquals": {"kms:MessageType": "RAW"}}, SIGN, DIGEST),
        ({"StringEquals": {"kms:SigningAlgorithm": "ECDSA_SHA_256"}}, SIGN, None),
        ({"StringEquals": {"kms:SigningAlgorithm": "ECDSA_SHA_384"}}, None, SIGN),
        ({"StringEquals": {"kms:KeySpec": "ECC_NIST_P256"}}, SIGN, None),
        ({"StringEquals": {"kms:KeySpec": "RSA_2048"}}, None, SIGN),
        ({"StringEquals": {"kms:KeyUsage": "SIGN_VERIFY"}}, SIGN, None),
        ({"StringEquals": {"kms:KeyOrigin": "EXTERNAL"}}, None, SIGN),
        ({"Bool": {"kms:MultiRegion": "false"}}, SIGN, None),
        ({"Bool": {"kms:MultiRegion": "true"}}, None, SIGN),
        ({"StringEquals": {"aws:ResourceTag/team": "pki"}}, SIGN, None),
        ({"StringEquals": {"aws:ResourceTag/team": "web"}}, None, SIGN),
    ],
)
def test_conditions_hold_in_allow_and_in_deny_in_both_kinds_of_policy(
    company: Company, condition: dict[str, object], allowed: dict[str, Any] | None, denied: dict[str, Any] | None
) -> None:
    company.kms.tag_resource(KeyId=company.key, Tags=[{"TagKey": "team", "TagValue": "pki"}])
    by_key = company.account.role("by-key")
    by_iam = company.account.role("by-iam", {"Action": "kms:Sign", "Condition": condition})
    forbidden = company.account.role("forbidden", {"Effect": "Deny", "Action": "kms:Sign", "Condition": condition})
    company.write_policy(
        {"Principal": {"AWS": by_key.arn}, "Action": "kms:Sign", "Condition": condition},
        {"Principal": {"AWS": company.account.root.arn}, "Action": "kms:Sign"},
        {"Principal": {"AWS": forbidden.arn}, "Action": "kms:Sign"},
    )
    for arguments, holds in ((allowed, True), (denied, False)):
        if arguments:
            assert may_sign(by_key, company.key, **arguments) is holds
            assert may_sign(by_iam, company.key, **arguments) is holds
            assert may_sign(forbidden, company.key, **arguments) is not holds


def test_request_alias_holds_only_for_calls_by_alias(company: Company) -> None:
    role = company.account.role("signer")
    company.kms.create_alias(AliasName="alias/pki/issuing", TargetKeyId=company.key)
    company.allow(role, Condition={"StringLike": {"kms:RequestAlias": "alias/pki/*"}})
    arn = f"arn:aws:kms:eu-central-1:{company.account.account_id}:alias/pki/issuing"
    assert may_sign(role, "alias/pki/issuing")
    assert may_sign(role, arn)
    assert not may_sign(role, company.key)


def test_resource_aliases_hold_by_whatever_name_and_in_iam_only(company: Company) -> None:
    condition = {"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/issuing"}}
    by_iam = company.account.role("by-iam", {"Action": "kms:Sign", "Condition": condition})
    by_key = company.account.role("by-key")
    company.write_policy(
        {"Principal": {"AWS": by_key.arn}, "Action": "kms:Sign", "Condition": condition},
        {"Principal": {"AWS": company.account.root.arn}, "Action": "kms:Sign"},
    )
    assert not may_sign(by_iam, company.key)
    company.kms.create_alias(AliasName="alias/other", TargetKeyId=company.key)
    company.kms.create_alias(AliasName="alias/issuing", TargetKeyId=company.key)
    assert may_sign(by_iam, company.key)
    assert may_sign(by_iam, "alias/other")
    assert not may_sign(by_key, company.key)


def test_alias_arn_in_an_iam_resource_authorises_nothing(company: Company) -> None:
    arn = f"arn:aws:kms:eu-central-1:{company.account.account_id}:alias/issuing"
    company.kms.create_alias(AliasName="alias/issuing", TargetKeyId=company.key)
    role = company.account.role("signer", {"Action": "kms:Sign", "Resource": arn})
    assert not may_sign(role, "alias/issuing")
    assert not may_sign(role, arn)
    by_key_arn = company.account.role("right", {"Action": "kms:Sign", "Resource": company.key})
    assert may_sign(by_key_arn, "alias/issuing")


def test_alias_changes_need_permission_on_the_alias_and_on_the_keys(company: Company) -> None:
    alias = f"arn:aws:kms:eu-central-1:{company.account.account_id}:alias/a"
    second, actions = new_key(company.kms), ["kms:CreateAlias", "kms:UpdateAlias", "kms:DeleteAlias"]

    def client_with(name: str, *resources: str) -> Any:
        return company.account.role(name, {"Action": actions, "Resource": list(resources)}).client("kms")

    only_alias, only_key = client_with("only-alias", alias), client_with("only-key", company.key)
    both, all_three = client_with("both", alias, company.key), client_with("all", alias, company.key, second)
    for client in (only_alias, only_key):
        assert refused(client.create_alias, AliasName="alias/a", TargetKeyId=company.key)[0] == "AccessDeniedException"
    both.create_alias(AliasName="alias/a", TargetKeyId=company.key)
    assert refused(both.update_alias, AliasName="alias/a", TargetKeyId=second)[0] == "AccessDeniedException"
    new_only = client_with("new-only", alias, second)
    assert refused(new_only.update_alias, AliasName="alias/a", TargetKeyId=second)[0] == "AccessDeniedException"
    all_three.update_alias(AliasName="alias/a", TargetKeyId=second)
    assert refused(both.delete_alias, AliasName="alias/a")[0] == "AccessDeniedException"
    all_three.delete_alias(AliasName="alias/a")


def test_aliases_of_a_key_are_listed_by_leave_of_iam_alone(company: Company) -> None:
    company.write_policy()
    lister = company.account.role("lister", {"Action": "kms:ListAliases"}).client("kms")
    assert lister.list_aliases(KeyId=company.key)["Aliases"] == []
    narrow = company.account.role("narrow", {"Action": "kms:ListAliases", "Resource": company.key}).client("kms")
    assert refused(narrow.list_aliases, KeyId=company.key)[0] == "AccessDeniedException"


def test_create_key_needs_tagging_too_where_it_tags(company: Company) -> None:
    creator = company.account.role("creator", {"Action": "kms:CreateKey"}).client("kms")
    tags = [{"TagKey": "a", "TagValue": "b"}]
    new_key(creator)
    assert "kms:TagResource" in refused(new_key, kms=creator, Tags=tags)[1]
    both = company.account.role("both", {"Action": ["kms:CreateKey", "kms:TagResource"]}).client("kms")
    new_key(both, Tags=tags)
    assert "iam:CreateServiceLinkedRole" in refused(new_key, kms=both, MultiRegion=True)[1]
    one = company.account.role("one", {"Action": "kms:CreateKey", "Resource": "arn:aws:kms:*:*:key/*"}).client("kms")
    assert refused(new_key, kms=one)[0] == "AccessDeniedException"


def test_create_key_knows_spec_usage_and_tags_as_conditions(company: Company) -> None:
    wanted = {"kms:KeySpec": "ECC_NIST_P384", "kms:KeyUsage": "SIGN_VERIFY", "aws:RequestTag/a": "b"}
    creating = {"Action": "kms:CreateKey", "Condition": {"StringEquals": wanted}}
    role = company.account.role("creator", creating, {"Action": "kms:TagResource"}).client("kms")
    tags = [{"TagKey": "a", "TagValue": "b"}]
    assert refused(new_key, kms=role, spec="ECC_NIST_P256", Tags=tags)[0] == "AccessDeniedException"
    assert refused(new_key, kms=role, spec="ECC_NIST_P384")[0] == "AccessDeniedException"
    new_key(role, "ECC_NIST_P384", Tags=tags)


def test_pending_window_and_lockout_bypass_can_be_forbidden(company: Company) -> None:
    window = {"NumericLessThan": {"kms:ScheduleKeyDeletionPendingWindowInDays": "30"}}
    bypass = {"Bool": {"kms:BypassPolicyLockoutSafetyCheck": "true"}}
    everybody = {"Effect": "Deny", "Principal": {"AWS": "*"}}
    company.write_policy(
        {**everybody, "Action": "kms:ScheduleKeyDeletion", "Condition": window},
        {**everybody, "Action": "kms:PutKeyPolicy", "Condition": bypass},
    )
    kms, key = company.kms, company.key
    assert refused(kms.schedule_key_deletion, KeyId=key, PendingWindowInDays=29)[0] == "AccessDeniedException"
    document = kms.get_key_policy(KeyId=key)["Policy"]
    bypassed = refused(kms.put_key_policy, KeyId=key, Policy=document, BypassPolicyLockoutSafetyCheck=True)
    assert bypassed[0] == "AccessDeniedException"
    kms.put_key_policy(KeyId=key, Policy=document)
    assert kms.schedule_key_deletion(KeyId=key)["PendingWindowInDays"] == 30


def test_permissions_come_before_the_state_and_after_the_model(company: Company) -> None:
    company.kms.disable_key(KeyId=company.key)
    stranger = company.account.role("stranger")
    assert not may_sign(stranger, company.key)
    said = refused(stranger.client("kms").sign, KeyId=company.key, Message=b"x", SigningAlgorithm="NONE")
    assert said[0] == "ValidationException"


def test_a_dry_run_without_permission_is_denied(company: Company) -> None:
    stranger = company.account.role("stranger")
    assert not may_sign(stranger, company.key, DryRun=True, **SIGN)


def test_credentials_that_are_not_known_or_not_right(company: Company) -> None:
    known = dict(company.admin.credentials)
    unknown = Principal(company.admin.endpoint, {**known, "access_key_id": "ASIANOBODYNOBODYNOBO"}, "")
    said = "The security token included in the request is invalid."
    assert refused(unknown.client("kms").list_keys) == ("UnrecognizedClientException", said, 400)
    wrong = Principal(company.admin.endpoint, {**known, "secret_access_key": "wrong"}, "")
    assert refused(wrong.client("kms").list_keys)[0] == "InvalidSignatureException"


class Partner(Company):
    """A second account."""


@pytest.fixture
def partner(local_aws: Server) -> Partner:
    return Partner(new_account(local_aws))


def test_across_accounts_both_must_allow(company: Company, partner: Partner) -> None:
    allowed = partner.account.role("allowed", {"Action": "kms:Sign", "Resource": company.key})
    not_allowed = partner.account.role("not-allowed")
    elsewhere = "because the resource does not exist in this Region, no resource-based policies allow access, or a "
    assert elsewhere in message_of(allowed, company.key)
    company.write_policy({"Principal": {"AWS": partner.account.root.arn}, "Action": "kms:Sign"})
    assert may_sign(allowed, company.key)
    assert not may_sign(not_allowed, company.key)
    company.write_policy({"Principal": {"AWS": [allowed.arn, not_allowed.arn]}, "Action": "kms:Sign"})
    assert may_sign(allowed, company.key)
    assert not may_sign(not_allowed, company.key)


def test_across_accounts_by_key_arn_and_alias_arn_but_not_by_id_or_name(company: Company, partner: Partner) -> None:
    company.kms.create_alias(AliasName="alias/shared", TargetKeyId=company.key)
    alias = f"arn:aws:kms:eu-central-1:{company.account.account_id}:alias/shared"
    role = partner.account.role("signer", {"Action": "kms:*"})
    company.write_policy(
        {"Principal": {"AWS": role.arn}, "Action": ["kms:Sign", "kms:GetPublicKey", "kms:DescribeKey"]}
    )
    kms = role.client("kms")
    for name in (company.key, alias):
        assert kms.sign(KeyId=name, **SIGN)["KeyId"] == company.key
        assert kms.get_public_key(KeyId=name)["KeyId"] == company.key
        assert kms.describe_key(KeyId=name)["KeyMetadata"]["Arn"] == company.key
    bare = company.key.rpartition("/")[2]
    assert refused(kms.sign, KeyId=bare, **SIGN)[0] == "NotFoundException"
    assert refused(kms.sign, KeyId="alias/shared", **SIGN)[0] == "NotFoundException"


def test_across_accounts_management_stays_refused(company: Company, partner: Partner) -> None:
    role = partner.account.role("manager", {"Action": "kms:*"})
    company.write_policy({"Principal": {"AWS": role.arn}, "Action": "kms:*"})
    kms = role.client("kms")
    assert kms.list_grants(KeyId=company.key)["Grants"] == []
    for call, more in (
        (kms.get_key_policy, {}),
        (kms.disable_key, {}),
        (kms.schedule_key_deletion, {}),
        (kms.list_resource_tags, {}),
        (kms.get_key_last_usage, {}),
        (kms.put_key_policy, {"Policy": "{}"}),
        (kms.tag_resource, {"Tags": []}),
    ):
        assert refused(call, KeyId=company.key, **more)[0] == "AccessDeniedException"


def test_caller_account_is_the_callers(company: Company, partner: Partner) -> None:
    role = partner.account.role("signer", {"Action": "kms:Sign"})
    condition = {"StringEquals": {"kms:CallerAccount": partner.account.account_id}}
    company.write_policy({"Principal": {"AWS": "*"}, "Action": "kms:Sign", "Condition": condition})
    assert may_sign(role, company.key)
    assert not may_sign(company.account.role("ours", {"Action": "kms:Sign"}), company.key)
