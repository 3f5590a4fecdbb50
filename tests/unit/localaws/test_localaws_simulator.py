# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""iam:SimulateCustomPolicy: policies, context, a resource's policy and boundaries count, and nothing else does."""

from __future__ import annotations

import json
from typing import Any

import pytest

from localaws.testing import Account, policy, refused

KEY = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
USER = "arn:aws:iam::111122223333:user/stand-in"
SIGN = {"Action": "kms:Sign", "Resource": KEY}
DIGEST = {"Condition": {"StringEquals": {"kms:MessageType": "DIGEST"}}}


@pytest.fixture(scope="module")
def iam(shared_account: Account) -> Any:
    return shared_account.role("simulator", {"Action": "iam:SimulateCustomPolicy"}).client("iam")


def asked(*statements: dict[str, object], **more: Any) -> dict[str, Any]:
    """Return the parameters of a simulation of these statements."""
    full = policy(*(statements or ({"Effect": "Deny", "Action": "s3:*", "Resource": "*"},)))
    return {"PolicyInputList": [full], "ActionNames": ["kms:Sign"], "ResourceArns": [KEY], **more}


def context(**values: str) -> list[dict[str, Any]]:
    return [
        {"ContextKeyName": name.replace("_", ":"), "ContextKeyValues": [value], "ContextKeyType": "string"}
        for name, value in values.items()
    ]


def decided(iam: Any, *statements: dict[str, object], **more: Any) -> list[str]:
    answer = iam.simulate_custom_policy(**asked(*statements, **more))
    return [result["EvalDecision"] for result in answer["EvaluationResults"]]


def test_each_action_is_decided_by_the_policies_alone(iam: Any) -> None:
    deny = {"Effect": "Deny", "Action": "kms:Verify", "Resource": "*"}
    actions = ["kms:Sign", "kms:Verify", "kms:Decrypt"]
    assert decided(iam, {**SIGN, "Action": "kms:*"}, deny, ActionNames=actions[:2]) == ["allowed", "explicitDeny"]
    assert decided(iam, SIGN, ActionNames=["kms:Sign", "kms:Decrypt"]) == ["allowed", "implicitDeny"]
    assert decided(iam, SIGN, ResourceArns=[KEY.replace("1234", "9999")]) == ["implicitDeny"]


def test_each_resource_is_decided_by_itself(iam: Any) -> None:
    other = KEY.replace("1234", "9999")
    [result] = iam.simulate_custom_policy(**asked(SIGN, ResourceArns=[KEY, other]))["EvaluationResults"]
    specific = {each["EvalResourceName"]: each["EvalResourceDecision"] for each in result["ResourceSpecificResults"]}
    assert specific == {KEY: "allowed", other: "implicitDeny"}


@pytest.mark.parametrize(
    ("entries", "decision", "missing"),
    [
        ({"kms_MessageType": "DIGEST"}, "allowed", []),
        ({"kms_messagetype": "DIGEST"}, "allowed", []),
        ({"kms_MessageType": "RAW"}, "implicitDeny", []),
        ({}, "implicitDeny", ["kms:MessageType"]),
    ],
)
def test_conditions_are_held_against_what_is_told_and_what_is_missing_is_named(
    iam: Any, entries: dict[str, str], decision: str, missing: list[str]
) -> None:
    answer = iam.simulate_custom_policy(**asked({**SIGN, **DIGEST}, ContextEntries=context(**entries)))
    [result] = answer["EvaluationResults"]
    assert (result["EvalDecision"], result["MissingContextValues"]) == (decision, missing)


def test_the_request_that_asks_is_not_the_one_that_is_simulated(iam: Any) -> None:
    local = {"Condition": {"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}}
    assert decided(iam, {**SIGN, **local}) == ["implicitDeny"]
    assert decided(iam, {**SIGN, **local}, ContextEntries=context(aws_SourceIp="127.0.0.1")) == ["allowed"]


def test_a_boundary_limits_what_policies_allow(iam: Any) -> None:
    for action, decision in (("kms:Sign", "allowed"), ("kms:Verify", "implicitDeny")):
        boundary = policy({"Action": action, "Resource": "*"})
        assert decided(iam, SIGN, PermissionsBoundaryPolicyInputList=[boundary]) == [decision]


@pytest.mark.parametrize(
    ("statement", "decision"),
    [
        ({"Principal": {"AWS": USER}}, "allowed"),
        ({"Principal": {"AWS": USER.replace("stand-in", "other")}}, "implicitDeny"),
        ({"Principal": {"AWS": USER}, "Effect": "Deny"}, "explicitDeny"),
        ({"Principal": "*"}, "allowed"),
    ],
)
def test_the_policy_of_the_resource_counts_for_the_user_who_calls(
    iam: Any, statement: dict[str, object], decision: str
) -> None:
    own = policy({"Action": "kms:Sign", "Resource": "*", **statement})
    assert decided(iam, ResourcePolicy=own, CallerArn=USER) == [decision]


def test_another_account_needs_both_policies(iam: Any) -> None:
    stranger = USER.replace("1111", "9999")
    own = policy({"Action": "kms:Sign", "Resource": "*", "Principal": {"AWS": stranger}})
    assert decided(iam, ResourcePolicy=own, CallerArn=stranger) == ["implicitDeny"]
    assert decided(iam, SIGN, ResourcePolicy=own, CallerArn=stranger) == ["allowed"]


PRINCIPAL = {"Principal": {"AWS": USER}}


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (
            {"ResourcePolicy": policy({**SIGN, **PRINCIPAL}), "CallerArn": USER.replace("user", "role")},
            "Invalid caller - Caller must be an IAM user in this context.",
        ),
        ({"ResourcePolicy": policy({**SIGN, **PRINCIPAL})}, "Invalid caller"),
        ({"ResourcePolicy": policy(SIGN), "CallerArn": USER}, "must name principals"),
        ({"PolicyInputList": [policy({**SIGN, **PRINCIPAL})]}, "must not name principals"),
        ({"PolicyInputList": ["{"]}, "not valid JSON"),
        ({"PolicyInputList": [policy({**SIGN, "Sid": "Allow use of the key"})]}, "alpha-numeric"),
        ({"PolicyInputList": [policy({**SIGN, "Sid": "A"}, {**SIGN, "Sid": "A"})]}, "unique"),
        ({"ActionNames": ["kms:*"]}, "Invalid Entity Action"),
        ({"ResourceArns": [KEY.rpartition("/")[2]]}, "ResourceNames are not in a valid ARN format"),
        ({"CallerArn": "arn:aws:sts::111122223333:assumed-role/a/b"}, "Invalid Entity Arn"),
    ],
)
def test_what_aws_does_not_simulate_is_refused(iam: Any, more: dict[str, Any], says: str) -> None:
    code, message, status = refused(iam.simulate_custom_policy, **asked(SIGN, **more))
    assert (code, status) == ("InvalidInput", 400)
    assert says in message


def test_who_may_not_simulate_is_refused(shared_account: Account) -> None:
    stranger = shared_account.role("stranger", {"Action": "iam:GetRole"}).client("iam")
    assert refused(stranger.simulate_custom_policy, **asked(SIGN))[0] == "AccessDenied"


def test_real_requests_go_on_being_judged_by_what_they_are(iam: Any, shared_account: Account) -> None:
    local = {"Condition": {"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}}
    caller = shared_account.role("local", {"Action": "kms:ListKeys", **local})
    decided(iam, SIGN, ContextEntries=context(aws_SourceIp="192.0.2.1"))
    assert json.dumps(caller.client("kms").list_keys()["Keys"]) == "[]"
