# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Simulating access: what is never tried is judged by the policies, as AWS KMS judges it when somebody does try."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.rootstock.pki.plugins.module_utils._aws.iam import IamPolicies
from ansible_collections.rootstock.pki.plugins.module_utils._aws.kms import describe_key, get_key_policy
from ansible_collections.rootstock.pki.plugins.module_utils._aws.probes import KmsProber
from ansible_collections.rootstock.pki.plugins.module_utils._keys.access import ACTIONS
from ansible_collections.rootstock.pki.plugins.module_utils._keys.access_probes import (
    ALLOWED,
    DENIED,
    PROBES,
    UNTESTED,
    Expectation,
    Finding,
)
from ansible_collections.rootstock.pki.plugins.module_utils._operations.prove_access import prepare_trial, prove_access
from ansible_collections.rootstock.pki.plugins.module_utils._operations.simulate_access import Simulator
from localaws.server import Server
from localaws.testing import Principal, new_account, policy
from tests.unit.aws.test_aws_key_policies import Cast, is_allowed, table

NEVER_TRIED = [action for action, probe in PROBES.items() if probe.how == UNTESTED]
JUDGING = (
    *("iam:SimulateCustomPolicy", "iam:GetRole", "iam:ListRolePolicies", "iam:GetRolePolicy"),
    *("iam:ListAttachedRolePolicies", "iam:GetPolicy", "iam:GetPolicyVersion"),
)
PUT, DISABLE, WINDOW = "kms:PutKeyPolicy", "kms:DisableKey", "kms:ScheduleKeyDeletion"


@pytest.fixture(scope="module")
def cast(local_aws: Server) -> Cast:
    made = Cast(local_aws)
    made.roles["judge"] = made.account.role("judge", {"Action": list(JUDGING)})
    return made


def judged(
    cast: Cast, who: str, key: str, *actions: str, expected: str = ALLOWED, judge: Principal | None = None
) -> list[Finding]:
    """Return what a simulation says of actions of one role, which nobody assumes."""
    auditor = cast.maker if "full" in key else cast.roles["auditors"]
    kms = auditor.client("kms")
    described = describe_key(kms, key)
    assert described
    declared = Expectation(
        who, "test", None, actions if expected == ALLOWED else (), actions if expected == DENIED else ()
    )
    simulator = Simulator(IamPolicies((judge or cast.roles["judge"]).client("iam")), lambda: get_key_policy(kms, key))

    def nobody(_each: Expectation) -> KmsProber:
        raise AssertionError("a simulation assumes no role")

    return prove_access(prepare_trial(described, None, None, None), [declared], nobody, simulator)


def found(cast: Cast, who: str, key: str, *actions: str) -> list[str]:
    return [each.verdict.found for each in judged(cast, who, key, *actions)]


@pytest.mark.parametrize("column", [*ACTIONS, "anybody else"])
def test_every_cell_of_the_guides_table_that_is_never_tried_is_simulated(cast: Cast, column: str) -> None:
    wanted = {action: row[column] == "yes" for action, row in table().items() if action in NEVER_TRIED}
    findings = judged(cast, cast.roles[column].arn, cast.key(column), *wanted)
    assert {each.action: each.verdict.found == ALLOWED for each in findings} == wanted
    assert {each.how for each in findings} == {"simulated"}


def test_a_simulation_changes_nothing_and_asks_kms_for_the_key_policy_alone(cast: Cast, local_aws: Server) -> None:
    key = cast.key("signers")
    local_aws.reset_calls()
    findings = judged(cast, cast.roles["administrators"].arn, key, PUT, DISABLE, WINDOW)
    asked = {name: sum(who.values()) for name, who in local_aws.calls().items()}
    assert {name: count for name, count in asked.items() if name.startswith("kms:")} == {
        "kms:DescribeKey": 1,
        "kms:GetKeyPolicy": 1,
    }
    assert asked["iam:SimulateCustomPolicy"] <= 3
    assert [each.difference() for each in findings] == [""] * 3


def test_what_is_simulated_otherwise_than_declared_is_told(cast: Cast) -> None:
    [finding] = judged(cast, cast.roles["administrators"].arn, cast.key("signers"), PUT, expected=DENIED)
    assert finding.difference() == f"{cast.roles['administrators'].arn} may kms:PutKeyPolicy and should not"


IAM_CASES: dict[str, tuple[list[dict[str, Any]], dict[str, Any] | None]] = {
    "allowed by iam": ([{"Action": "kms:*"}], None),
    "not by iam": ([{"Action": "kms:Describe*"}], None),
    "denied by iam": ([{"Action": "*"}, {"Effect": "Deny", "Action": "kms:Put*"}], None),
    "within a boundary": ([{"Action": "*"}], {"Action": "kms:*", "Resource": "*"}),
    "beyond a boundary": ([{"Action": "*"}], {"Action": "s3:*", "Resource": "*"}),
}


@pytest.mark.parametrize("case", IAM_CASES)
@pytest.mark.parametrize("named", [True, False], ids=["named", "by its account"])
def test_iam_and_boundaries_count_as_they_do_when_somebody_tries(cast: Cast, case: str, named: bool) -> None:
    statements, boundary = IAM_CASES[case]
    name = f"{case}-{named}".replace(" ", "-")
    who = cast.account.role(name, *statements)
    iam = cast.account.root.client("iam")
    if boundary:
        made = iam.create_policy(PolicyName=name, PolicyDocument=policy(boundary))["Policy"]["Arn"]
        iam.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=made)
    more = {"administrators": [cast.roles["administrators"].arn, who.arn]} if named else {"account_root": "administer"}
    key = cast.key("signers", **more)
    simulated = found(cast, who.arn, key, PUT)
    assert simulated == [ALLOWED if is_allowed(who, PUT, key) else DENIED]


def test_attached_policies_count(cast: Cast) -> None:
    iam = cast.account.root.client("iam")
    who = cast.account.role("attached")
    made = iam.create_policy(PolicyName="attached", PolicyDocument=policy({"Action": "kms:Put*", "Resource": "*"}))
    iam.attach_role_policy(RoleName="attached", PolicyArn=made["Policy"]["Arn"])
    assert found(cast, who.arn, cast.key("signers", account_root="administer"), PUT, DISABLE) == [ALLOWED, DENIED]


def test_conditions_that_nobody_can_know_before_leave_it_open_and_that_is_a_difference(cast: Cast) -> None:
    bound = {"principal": cast.roles["auditors"].arn, "conditions": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}}
    key = cast.key("signers", administrators=[cast.roles["administrators"].arn, bound])
    [finding] = judged(cast, cast.roles["auditors"].arn, key, PUT)
    assert finding.verdict.found == UNTESTED
    assert "could not be found out: the policies have conditions on aws:SourceIp" in finding.difference()
    assert found(cast, cast.roles["administrators"].arn, key, PUT) == [ALLOWED]


@pytest.mark.parametrize("lacking", JUDGING[:4])
def test_who_may_not_ask_iam_is_told_so(cast: Cast, lacking: str) -> None:
    judge = cast.account.role(
        f"lacks-{lacking.rpartition(':')[2]}", {"Action": [each for each in JUDGING if each != lacking]}
    )
    who = cast.account.role(f"for-{lacking.rpartition(':')[2]}", {"Action": "kms:*"})
    [finding] = judged(cast, who.arn, cast.key("signers"), PUT, judge=judge)
    assert finding.verdict.found == UNTESTED
    assert lacking in finding.difference()
    assert "key policy" not in finding.difference()


def test_roles_of_other_accounts_stay_untested(cast: Cast, local_aws: Server) -> None:
    guest = new_account(local_aws).role("guest", {"Action": "*"})
    [finding] = judged(cast, guest.arn, cast.key("signers", verifiers=[guest.arn]), PUT)
    assert (finding.how, finding.verdict.found, finding.difference()) == (UNTESTED, UNTESTED, "")


def test_the_policies_that_are_sent_are_ones_that_iam_takes(cast: Cast) -> None:
    key = cast.key("signers", account_root="full")
    stored = json.dumps(get_key_policy(cast.maker.client("kms"), key))
    assert '"Principal"' in stored  # of which IAM takes none
    possible = [action for action in NEVER_TRIED if "ReEncrypt" not in action]
    assert found(cast, cast.maker.arn, key, *possible) == [ALLOWED] * len(possible)
