# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A key is made, changed, named, disabled, deleted and brought back, each time as planned and once."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.rootstock.pki.plugins.module_utils._module.key_options import KEY_OPTIONS
from ansible_collections.rootstock.pki.plugins.module_utils._signer.algorithms import KEY_SPECS
from localaws.server import Server
from localaws.testing import Account
from tests.harness.operators import statements
from tests.unit.module.controller import Controller

USAGES = KEY_OPTIONS["key_usage"]["choices"]
USES = {"ECC_NIST_P256": "ocsp", "ECC_NIST_P384": "ca", "ML_DSA_87": "ca"}
ROOT = {"alias": "life/root", "key_spec": "ECC_NIST_P384"}


@pytest.fixture
def operator(controller: Controller, account: Account) -> Controller:
    """Who has the permissions that the readme asks for, and no more."""
    return replace(controller, principal=account.role("operator", *statements()))


def account_policy(account_id: str) -> dict[str, Any]:
    statement = {
        "Sid": "Account",
        "Effect": "Allow",
        "Principal": {"AWS": account_id},
        "Action": ["kms:*"],
        "Resource": "*",
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def the_same_written_otherwise(account_id: str) -> dict[str, Any]:
    statement = {
        "Action": "kms:*",
        "Effect": "Allow",
        "Principal": {"AWS": [f"arn:aws:iam::{account_id}:root"]},
        "Resource": ["*"],
        "Sid": "Account",
    }
    return {"Statement": statement, "Version": "2012-10-17"}


@pytest.mark.parametrize(
    ("key_spec", "key_usage"),
    [(name, usage) for name, row in KEY_SPECS.items() for usage in row.usages if usage in USAGES],
)
def test_a_key_of_every_spec_and_usage_is_made_once(operator: Controller, key_spec: str, key_usage: str) -> None:
    use = USES.get(key_spec, "sign") if key_usage == "SIGN_VERIFY" else "encrypt"
    task = {"alias": "life/key", "key_spec": key_spec, "key_usage": key_usage, "use": use}
    made, again = operator.run("kms_key", task), operator.run("kms_key", task)
    assert (made["changed"], again["changed"], again["key_id"]) == (True, False, made["key_id"])
    assert (made["key_spec"], made["key_usage"], made["key_state"]) == (key_spec, key_usage, "Enabled")
    assert bool(made["signing_algorithms"]) == (key_usage == "SIGN_VERIFY")


def test_a_key_is_planned_whole_and_made_with_all_that_is_told_of_it(operator: Controller, account: Account) -> None:
    task = {**ROOT, "use": "ca", "description": "Acme Root R1", "tags": {"team": "pki", "cost_centre": 4711}}
    planned = operator.run("kms_key", task, check=True)
    assert (planned["changed"], "key_id" in planned, planned["diff"]["before"]) == (True, False, {})
    wanted = {"alias": "alias/life/root", "key_spec": "ECC_NIST_P384", "use": "ca"}
    tags = {"team": "pki", "cost_centre": "4711"}
    assert {**wanted, "tags": tags}.items() <= planned["diff"]["after"].items()
    made = operator.run("kms_key", task)
    assert made["key_arn"].endswith(f":{account.account_id}:key/{made['key_id']}")
    assert (made["alias"], made["signing_algorithms"], made["tags"]) == ("alias/life/root", ["ECDSA_SHA_384"], tags)
    assert ("policy" in made, made["sign_calls"]) == (False, 0)
    kms = account.root.client("kms")
    shown = {tag["TagKey"]: tag["TagValue"] for tag in kms.list_resource_tags(KeyId=made["key_id"])["Tags"]}
    assert shown == {**tags, "rootstock:alias": "alias/life/root", "rootstock:use": "ca"}
    assert kms.describe_key(KeyId="alias/life/root")["KeyMetadata"]["Description"] == "Acme Root R1"


def test_every_facet_that_changes_is_in_the_diff_and_a_policy_may_be_written_otherwise(
    operator: Controller, account: Account
) -> None:
    made = operator.run("kms_key", {**ROOT, "description": "Acme Root R1", "tags": {"team": "pki"}})
    changed = {**ROOT, "description": "Acme Root", "tags": {"team": "security"}}
    with_policy = {**changed, "policy": json.dumps(account_policy(account.account_id))}
    planned, done = operator.run("kms_key", with_policy, check=True), operator.run("kms_key", with_policy)
    assert planned["changed"]
    assert planned["diff"] == done["diff"]
    before, after = done["diff"]["before"], done["diff"]["after"]
    assert (before["description"], after["description"]) == ("Acme Root R1", "Acme Root")
    assert (before["tags"], after["tags"], done["tags"]) == (
        {"team": "pki"},
        {"team": "security"},
        {"team": "security"},
    )
    sids = [policy["Statement"][0]["Sid"] for policy in (before["policy"], after["policy"], done["policy"])]
    assert sids == ["Enable IAM User Permissions", "Account", "Account"]
    otherwise = json.dumps(the_same_written_otherwise(account.account_id))
    assert not operator.run("kms_key", {**changed, "policy": otherwise})["changed"]
    added = operator.run("kms_key", {**ROOT, "tags": {"stage": "test"}, "purge_tags": False})
    assert added["tags"] == {"team": "security", "stage": "test"}
    bare = operator.run("kms_key", {**ROOT, "key_id": made["key_arn"]})
    assert (bare["changed"], "tags" in bare) == (False, False)


def test_a_second_alias_is_given_to_the_key_that_the_task_names(operator: Controller) -> None:
    made = operator.run("kms_key", ROOT)
    other = {**ROOT, "alias": "life/other"}
    named = operator.run("kms_key", {**other, "key_id": made["key_id"]})
    assert (named["changed"], named["alias"]) == (True, "alias/life/other")
    again = operator.run("kms_key", other)
    assert (again["changed"], again["key_id"]) == (False, made["key_id"])


def test_a_key_that_is_named_by_its_id_is_taken_as_it_is_and_described_once(
    controller: Controller, local_aws: Server
) -> None:
    box = {"alias": "life/box", "key_spec": "RSA_2048", "key_usage": "ENCRYPT_DECRYPT"}
    made = controller.run("kms_key", box)
    local_aws.reset_calls()
    disabled = controller.run("kms_key", {"key_id": made["key_id"], "enabled": False})
    assert (disabled["changed"], disabled["key_state"]) == (True, "Disabled")
    assert [disabled[kind] for kind in ("key_spec", "key_usage")] == ["RSA_2048", "ENCRYPT_DECRYPT"]
    assert local_aws.count("kms:DescribeKey") == 1
    other = controller.run("kms_key", {"key_id": made["key_id"], "key_spec": "RSA_4096"})
    assert "key_spec is RSA_2048, and this task says RSA_4096. Neither" in other["msg"]


def test_the_policy_of_a_key_that_is_named_by_its_id_is_made_for_what_the_key_is(controller: Controller) -> None:
    me = controller.principal.arn
    made = controller.run("kms_key", {"alias": "life/ml", "key_spec": "ML_DSA_44"})
    listed = {"key_id": made["key_arn"], "use": "ca", "administrators": [me], "signers": [me]}
    policy = controller.run("kms_key", listed)["policy"]
    [conditions] = [each["Condition"]["StringEquals"] for each in policy["Statement"] if each["Sid"] == "Signers"]
    assert (conditions["kms:MessageType"], conditions["kms:SigningAlgorithm"]) == (
        ["EXTERNAL_MU"],
        ["ML_DSA_SHAKE_256"],
    )


def test_names_stay_with_their_key_until_a_task_may_move_them(controller: Controller) -> None:
    key = {"alias": "life/first", "aliases": ["life/second", "alias/life/third"]}
    made = controller.run("kms_key", key)
    assert made["aliases"] == ["alias/life/first", "alias/life/second", "alias/life/third"]
    assert not controller.run("kms_key", key)["changed"]
    other = {"alias": "life/other", "aliases": ["life/third"]}
    for check in (False, True):
        assert "set move_alias" in controller.run("kms_key", other, check=check)["msg"]
    assert len(controller.principal.client("kms").list_keys()["Keys"]) == 1
    moved = controller.run("kms_key", {**other, "move_alias": True})
    assert (moved["changed"], moved["aliases"]) == (True, ["alias/life/other", "alias/life/third"])
    assert not controller.run("kms_key", {**other, "move_alias": True})["changed"]


def test_a_key_is_made_disabled_and_enabled_later(controller: Controller) -> None:
    key = {"alias": "life/key", "use": "sign"}
    assert controller.run("kms_key", {**key, "enabled": False})["key_state"] == "Disabled"
    assert not controller.run("kms_key", {**key, "enabled": False})["changed"]
    planned = controller.run("kms_key", {**key, "enabled": True}, check=True)
    assert (planned["changed"], planned["key_state"]) == (True, "Disabled")
    enabled = controller.run("kms_key", {**key, "enabled": True})
    assert (enabled["changed"], enabled["key_state"]) == (True, "Enabled")


def test_a_key_goes_as_planned_and_comes_back_only_when_that_is_said(controller: Controller) -> None:
    key = {"alias": "life/key"}
    absent = {**key, "state": "absent"}
    made = controller.run("kms_key", key)
    planned = controller.run("kms_key", absent, check=True)
    assert (planned["changed"], planned["key_state"]) == (True, "Enabled")
    assert planned["diff"]["after"] == {"key_state": "PendingDeletion", "pending_window": 30}
    deleted, again = controller.run("kms_key", absent), controller.run("kms_key", absent)
    assert (deleted["changed"], deleted["key_state"]) == (True, "PendingDeletion")
    assert re.fullmatch(r"20..-..-..T..:..:..Z", deleted["deletion_date"])
    assert (again["changed"], again["deletion_date"]) == (False, deleted["deletion_date"])
    assert not controller.run("kms_key", {"alias": "life/never", "state": "absent"})["changed"]
    assert "set cancel_deletion" in controller.run("kms_key", key)["msg"]
    back = {**key, "enabled": True, "cancel_deletion": True}
    cancelled = controller.run("kms_key", back)
    assert (cancelled["changed"], cancelled["key_state"], cancelled["key_id"]) == (True, "Enabled", made["key_id"])
    assert cancelled["deletion_date"] == ""
    assert not controller.run("kms_key", back)["changed"]


def test_a_key_that_was_used_lately_goes_with_force_alone_and_then_sooner(
    controller: Controller, tmp_path: Path
) -> None:
    controller.run("kms_key", {"alias": "life/key", "use": "sign"})
    controller.run("kms_sign", {"key_id": "alias/life/key", "content": "x", "dest": str(tmp_path / "x.sig")})
    absent = {"alias": "life/key", "state": "absent"}
    kept = controller.run("kms_key", absent)
    assert re.search(r"it was used at .*, and unused_for asks for none since", kept["msg"])
    forced = controller.run("kms_key", {**absent, "force": True, "minimum_pending_window": 7, "pending_window": 7})
    assert (forced["changed"], forced["key_state"]) == (True, "PendingDeletion")


def test_under_a_policy_that_says_nothing_of_it_a_key_goes_within_seven_days(operator: Controller) -> None:
    assert operator.run("kms_key", {"alias": "life/default"})["changed"]
    soon = {"alias": "life/default", "state": "absent", "pending_window": 7}
    planned, deleted = operator.run("kms_key", soon, check=True), operator.run("kms_key", soon)
    assert (planned["changed"], deleted["key_state"]) == (True, "PendingDeletion")


def test_a_key_whose_policy_was_made_of_lists_goes_sooner_once_they_are_applied_so(operator: Controller) -> None:
    listed = {"alias": "life/windows", "administrators": [operator.principal.arn]}
    soon = {"alias": "life/windows", "state": "absent", "pending_window": 7}
    made = operator.run("kms_key", listed)
    for check in (True, False):
        told = operator.run("kms_key", soon, check=check)["msg"]
        assert f"shorter than the 30 days that the policy of {made['key_arn']} demands" in told
        assert "apply the lists that the policy was made of with minimum_pending_window 7 first" in told
    assert operator.run("kms_key", {**listed, "minimum_pending_window": 7})["changed"]
    assert operator.run("kms_key", soon)["key_state"] == "PendingDeletion"


def test_where_the_policy_may_not_be_read_the_way_out_is_to_say_the_minimum(
    controller: Controller, account: Account
) -> None:
    actions = ["kms:DescribeKey", "kms:ScheduleKeyDeletion", "kms:GetKeyLastUsage", "kms:ListResourceTags"]
    keeper = Controller(account.role("keeper", {"Action": actions}))
    assert controller.run("kms_key", {"alias": "life/unread"})["changed"]
    soon = {"alias": "life/unread", "state": "absent", "pending_window": 7}
    told = keeper.run("kms_key", soon)["msg"]
    assert "may not kms:GetKeyPolicy" in told
    assert "say minimum_pending_window as in the policy, which is not read then" in told
    assert keeper.run("kms_key", {**soon, "minimum_pending_window": 7})["key_state"] == "PendingDeletion"


def test_lists_of_principals_become_the_whole_policy(operator: Controller, account: Account) -> None:
    me, issuer, auditor = operator.principal.arn, account.role("issuer").arn, account.role("auditor").arn
    secure = {"Bool": {"aws:SecureTransport": True}}
    listed = {
        "alias": "life/listed",
        "use": "ca",
        "administrators": [me],
        "signers": [issuer],
        "verifiers": [issuer],
        "auditors": [{"principal": auditor, "conditions": secure}],
    }
    planned, made = operator.run("kms_key", listed, check=True), operator.run("kms_key", listed)
    assert planned["diff"]["after"]["policy"] == made["diff"]["after"]["policy"]
    statements = made["policy"]["Statement"]
    assert [statement["Sid"] for statement in statements] == [
        "Break glass root user",
        "Administrators",
        "Signers",
        "Verifiers",
        "Auditors under conditions",
        "No deletion within 30 days",
    ]
    assert statements[2]["Condition"]["StringEquals"]["kms:MessageType"] == ["DIGEST"]
    assert made["needed_elsewhere"] == []
    assert not operator.run("kms_key", listed)["changed"]
    more = {"signers": [issuer, me], "verifiers": ["444455556666"], "account_root": "administer", "auditors": None}
    changed = operator.run("kms_key", {name: value for name, value in {**listed, **more}.items() if value})
    assert changed["diff"]["before"]["policy"] == made["diff"]["after"]["policy"]
    assert [needed["account"] for needed in changed["needed_elsewhere"]] == ["444455556666"]
    assert "in administrators and in signers" in json.dumps(changed["warnings"])
