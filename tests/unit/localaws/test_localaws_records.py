# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What AWS tells afterwards: CloudTrail, the last use of a key, Regions."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from localaws.server import Server
from localaws.testing import Account, Principal, new_account, new_key, policy, refused

SIGN = {"SigningAlgorithm": "ECDSA_SHA_256", "Message": b"x"}


@pytest.fixture
def kms(admin: Principal) -> Any:
    return admin.client("kms")


def events(account: Account, name: str) -> list[dict[str, Any]]:
    wanted = [{"AttributeKey": "EventName", "AttributeValue": name}]
    found = account.root.client("cloudtrail").lookup_events(LookupAttributes=wanted)["Events"]
    return [json.loads(event["CloudTrailEvent"]) for event in found]


def test_sign_is_recorded_with_the_session_and_without_the_message(
    kms: Any, account: Account, admin: Principal
) -> None:
    key = new_key(kms)
    kms.create_alias(AliasName="alias/a", TargetKeyId=key)
    signed = kms.sign(KeyId="alias/a", MessageType="RAW", **SIGN)
    [event] = events(account, "Sign")
    session = f"arn:aws:sts::{account.account_id}:assumed-role/administrator/test"
    expected = {
        "eventSource": "kms.amazonaws.com",
        "eventName": "Sign",
        "awsRegion": "eu-central-1",
        "readOnly": True,
        "managementEvent": True,
        "eventCategory": "Management",
        "requestParameters": {"keyId": "alias/a", "messageType": "RAW", "signingAlgorithm": "ECDSA_SHA_256"},
        "responseElements": None,
        "resources": [{"accountId": account.account_id, "type": "AWS::KMS::Key", "ARN": key}],
        "requestID": signed["ResponseMetadata"]["RequestId"],
    }
    assert {name: event[name] for name in expected} == expected
    identity = event["userIdentity"]
    assert (identity["type"], identity["arn"], identity["accountId"]) == ("AssumedRole", session, account.account_id)
    assert identity["accessKeyId"] == admin.credentials["access_key_id"]
    issuer = identity["sessionContext"]["sessionIssuer"]
    assert (issuer["type"], issuer["arn"], issuer["userName"]) == ("Role", admin.arn, "administrator")
    assert "errorCode" not in event


def test_refused_and_dry_runs_are_recorded_too(kms: Any, account: Account) -> None:
    key = new_key(kms)
    stranger = account.role("stranger").client("kms")
    said = refused(stranger.sign, KeyId=key, **SIGN)[1]
    refused(kms.sign, KeyId=key, DryRun=True, **SIGN)
    kms.disable_key(KeyId=key)
    refused(kms.sign, KeyId=key, **SIGN)
    found = [(event["errorCode"], event["errorMessage"]) for event in events(account, "Sign")]
    assert found == [
        ("DisabledException", f"{key} is disabled."),
        ("DryRunOperationException", "The request would have succeeded, but the DryRun option is set."),
        ("AccessDenied", said),
    ]


def test_events_are_found_by_the_key(kms: Any, account: Account) -> None:
    key = new_key(kms)
    new_key(kms)
    kms.sign(KeyId=key, **SIGN)
    wanted = [{"AttributeKey": "ResourceName", "AttributeValue": key}]
    found = account.root.client("cloudtrail").lookup_events(LookupAttributes=wanted)["Events"]
    assert [event["EventName"] for event in found] == ["Sign"]


def test_what_writes_is_recorded_as_such(kms: Any, account: Account) -> None:
    key = new_key(kms)
    [event] = events(account, "CreateKey")
    assert event["readOnly"] is False
    assert event["responseElements"]["KeyMetadata"]["Arn"] == key
    kms.describe_key(KeyId=key)
    assert events(account, "DescribeKey")[0]["readOnly"] is True


def test_use_across_accounts_is_recorded_in_both(
    kms: Any, admin: Principal, account: Account, local_aws: Server
) -> None:
    partner = new_account(local_aws)
    role = partner.role("signer", {"Action": "kms:Sign"})
    key = new_key(kms)
    keep = {"Principal": {"AWS": [admin.arn, role.arn]}, "Action": "kms:*", "Resource": "*"}
    kms.put_key_policy(KeyId=key, Policy=policy(keep))
    role.client("kms").sign(KeyId=key, **SIGN)
    for place in (account, partner):
        [event] = events(place, "Sign")
        assert event["userIdentity"]["accountId"] == partner.account_id
        assert event["recipientAccountId"] == place.account_id


def test_last_use_is_the_last_successful_use(kms: Any, account: Account) -> None:
    key = new_key(kms)
    found = kms.get_key_last_usage(KeyId=key)
    assert found["KeyLastUsage"] == {}
    assert found["TrackingStartDate"] <= datetime.now(timezone.utc)
    assert found["KeyCreationDate"] == kms.describe_key(KeyId=key)["KeyMetadata"]["CreationDate"]
    kms.get_public_key(KeyId=key)
    refused(kms.sign, KeyId=key, DryRun=True, **SIGN)
    refused(kms.sign, KeyId=key, Message=b"x", SigningAlgorithm="ECDSA_SHA_384")
    assert kms.get_key_last_usage(KeyId=key)["KeyLastUsage"] == {}
    kms.create_alias(AliasName="alias/a", TargetKeyId=key)
    signed = kms.sign(KeyId="alias/a", **SIGN)
    used = kms.get_key_last_usage(KeyId=key)["KeyLastUsage"]
    assert used["Operation"] == "Sign"
    assert used["KmsRequestId"] == signed["ResponseMetadata"]["RequestId"]
    assert used["CloudTrailEventId"] == events(account, "Sign")[0]["eventID"]
    assert datetime.now(timezone.utc) - used["Timestamp"] < timedelta(minutes=1)
    kms.verify(KeyId=key, Signature=signed["Signature"], **SIGN)
    assert kms.get_key_last_usage(KeyId=key)["KeyLastUsage"]["Operation"] == "Verify"


def test_time_can_be_made_to_pass(local_aws: Server, kms: Any) -> None:
    key = new_key(kms)
    kms.sign(KeyId=key, **SIGN)
    before = kms.get_key_last_usage(KeyId=key)
    local_aws.age(key, 31)
    after = kms.get_key_last_usage(KeyId=key)
    assert before["KeyLastUsage"]["Timestamp"] - after["KeyLastUsage"]["Timestamp"] == timedelta(days=31)
    assert before["KeyCreationDate"] - after["KeyCreationDate"] == timedelta(days=31)


def test_a_replica_is_told_while_it_is_made_and_has_a_policy_of_its_own(
    kms: Any, account: Account, admin: Principal
) -> None:
    key, role = new_key(kms, MultiRegion=True), account.role("signer")
    iam = account.root.client("iam")
    role_id = iam.get_role(RoleName="signer")["Role"]["RoleId"]
    keep = {"Principal": {"AWS": admin.arn}, "Action": "kms:*", "Resource": "*"}
    document = policy(keep, {"Principal": {"AWS": role.arn}, "Action": "kms:Sign", "Resource": "*"})
    replica = kms.replicate_key(KeyId=key, ReplicaRegion="eu-west-1", Policy=document)["ReplicaKeyMetadata"]
    assert (replica["KeyState"], replica["Enabled"]) == ("Creating", False)
    elsewhere = admin.client("kms", region="eu-west-1")
    assert elsewhere.describe_key(KeyId=replica["Arn"])["KeyMetadata"]["KeyState"] == "Enabled"
    iam.delete_role(RoleName="signer")
    assert role_id in elsewhere.get_key_policy(KeyId=replica["Arn"])["Policy"]


def test_the_primary_region_moves_to_a_replica(kms: Any, admin: Principal) -> None:
    key = new_key(kms, MultiRegion=True)
    elsewhere = admin.client("kms", region="eu-west-1")
    assert refused(kms.update_primary_region, KeyId=key, PrimaryRegion="eu-west-1")[0] == "NotFoundException"
    replica = kms.replicate_key(KeyId=key, ReplicaRegion="eu-west-1")["ReplicaKeyMetadata"]["Arn"]
    said = f"{replica} is not a multi-region primary key."
    found = refused(elsewhere.replicate_key, KeyId=replica, ReplicaRegion="eu-west-2")
    assert found == ("UnsupportedOperationException", said, 400)
    kms.update_primary_region(KeyId=key, PrimaryRegion="eu-west-1")
    for client in (kms, elsewhere):
        configuration = client.describe_key(KeyId=key.rpartition("/")[2])["KeyMetadata"]["MultiRegionConfiguration"]
        assert configuration["PrimaryKey"] == {"Arn": replica, "Region": "eu-west-1"}
        assert configuration["ReplicaKeys"] == [{"Arn": key, "Region": "eu-central-1"}]
    assert (
        refused(kms.update_primary_region, KeyId=key, PrimaryRegion="eu-west-1")[0] == "UnsupportedOperationException"
    )
