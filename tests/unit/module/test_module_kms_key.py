# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keys in an account that is not as the task expects: principals come late or are gone, calls are not to be had."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from botocore import xform_name

from ansible_collections.rootstock.pki.plugins.module_utils._aws import errors, key_store
from localaws.server import Server
from localaws.testing import Account, new_account, policy, refused
from tests.unit.module.controller import Controller

INVALID = "Policy contains a statement with one or more invalid principals."
USE = {"SigningAlgorithm": "ECDSA_SHA_256", "Message": bytes(32), "MessageType": "DIGEST"}


@pytest.fixture
def faulty(local_aws: Server, controller: Controller, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """The local AWS, which goes back to work after the test, and runs that do not wait before they ask again."""
    monkeypatch.setattr(key_store, "WAITS", {code: (0.0,) * len(waits) for code, waits in key_store.WAITS.items()})
    assert controller.principal.client("sts").get_caller_identity()
    yield local_aws
    local_aws.faults()


def keys(controller: Controller) -> list[str]:
    return [key["KeyArn"] for key in controller.principal.client("kms").list_keys()["Keys"]]


def roles(account: Account, *names: str) -> list[str]:
    return [account.role(name).arn for name in names]


def test_a_principal_that_is_not_visible_yet_is_waited_for(
    controller: Controller, account: Account, faulty: Server
) -> None:
    [issuer] = roles(account, "Issuer")
    late = {"status": 400, "code": "MalformedPolicyDocumentException", "message": INVALID, "times": 2}
    task = {"alias": "late", "administrators": [controller.principal.arn], "signers": [issuer]}
    faulty.faults({"action": "error", "operation": "kms:CreateKey", **late})
    assert controller.run("kms_key", task)["changed"]
    faulty.faults({"action": "error", "operation": "kms:PutKeyPolicy", **late})
    assert controller.run("kms_key", {**task, "verifiers": [issuer]})["changed"]
    assert not controller.run("kms_key", {**task, "verifiers": [issuer]})["changed"]
    assert len(keys(controller)) == 1


def test_a_principal_that_never_comes_is_told_after_a_while_and_no_key_is_left(
    controller: Controller, faulty: Server
) -> None:
    task = {"alias": "never", "administrators": [controller.principal.arn], "signers": [f"{controller.principal.arn}x"]}
    faulty.reset_calls()
    told = controller.run("kms_key", task)
    assert "names a principal that does not exist, or not yet everywhere" in told["msg"]
    assert faulty.count("kms:CreateKey") == len(key_store.WAITS["InvalidPrincipals"]) + 1
    assert keys(controller) == []


def test_a_policy_that_locks_its_author_out_is_taken_only_when_that_is_said(controller: Controller) -> None:
    all_but_one = {"NotAction": "kms:PutKeyPolicy", "Resource": "*"}
    task = {"alias": "locked", "policy": policy({"Principal": {"AWS": controller.principal.arn}, **all_but_one})}
    told = controller.run("kms_key", task)
    assert "the caller could not change it any more" in told["msg"]
    assert keys(controller) == []
    assert controller.run("kms_key", {**task, "bypass_policy_lockout_safety_check": True})["changed"]


def test_a_principal_that_was_deleted_is_named_as_such_in_the_diff_and_its_namesake_gets_in(
    controller: Controller, account: Account
) -> None:
    [issuer] = roles(account, "Issuer")
    task = {"alias": "heir", "administrators": [controller.principal.arn], "signers": [issuer]}
    assert controller.run("kms_key", task)["changed"]
    iam = account.root.client("iam")
    iam.delete_role(RoleName="Issuer")
    namesake = account.role("Issuer")
    kms = namesake.client("kms")
    assert refused(kms.sign, KeyId="alias/heir", **USE)[0] == "AccessDeniedException"
    planned = controller.run("kms_key", task, check=True)
    before, after = (
        {s["Sid"]: s for s in planned["diff"][when]["policy"]["Statement"]} for when in ("before", "after")
    )
    [gone] = before["Signers"]["Principal"]["AWS"]
    assert gone.startswith("AROA")
    assert gone.endswith(" (a deleted role)")
    assert after["Signers"]["Principal"]["AWS"] == [issuer]
    assert controller.run("kms_key", task)["changed"]
    assert kms.sign(KeyId="alias/heir", **USE)["Signature"]
    assert not controller.run("kms_key", task)["changed"]


def test_what_another_account_must_allow_is_just_enough(controller: Controller, local_aws: Server) -> None:
    other = new_account(local_aws)
    guest = other.role("guest")
    task = {"alias": "shared", "administrators": [controller.principal.arn], "signers": [guest.arn]}
    told = controller.run("kms_key", task)
    assert refused(guest.client("kms").sign, KeyId=told["key_arn"], **USE)[0] == "AccessDeniedException"
    [needed] = told["needed_elsewhere"]
    assert (needed["account"], needed["principal"]) == (other.account_id, guest.arn)
    allowed = policy({"Action": needed["actions"], "Resource": needed["resource"]})
    other.root.client("iam").put_role_policy(RoleName="guest", PolicyName="kms", PolicyDocument=allowed)
    assert guest.client("kms").sign(KeyId=told["key_arn"], **USE)["Signature"]


def test_one_who_administers_and_signs_is_allowed_with_a_warning(controller: Controller) -> None:
    me = controller.principal.arn
    told = controller.run("kms_key", {"alias": "both", "administrators": [me], "signers": [me]})
    assert told["changed"]
    assert f"{me} is in administrators and in signers" in json.dumps(told["warnings"])


@pytest.mark.parametrize("missing", ["in boto3", "in AWS"])
def test_where_the_last_use_is_not_to_be_had_a_deletion_is_refused_in_one_sentence(
    controller: Controller, faulty: Server, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    made = controller.run("kms_key", {"alias": "unused"})
    if missing == "in boto3":
        monkeypatch.setattr(
            errors, "xform_name", lambda name: f"no_{name}" if "LastUsage" in name else xform_name(name)
        )
    else:
        gone = {"status": 400, "code": "UnknownOperationException", "message": ""}
        faulty.faults({"action": "error", "operation": "kms:GetKeyLastUsage", "times": 0, **gone})
    told = controller.run("kms_key", {"alias": "unused", "state": "absent"})
    assert told["failed"]
    assert f"{made['key_arn']} is not deleted: whether it is still used cannot be known" in told["msg"]
    assert "kms:GetKeyLastUsage" in told["msg"]
    assert "set force" in told["msg"]
    assert controller.run("kms_key", {"alias": "unused"})["key_state"] == "Enabled"
    assert controller.run("kms_key", {"alias": "unused", "state": "absent", "force": True})["changed"]


def test_a_key_that_could_not_be_named_is_used_by_the_next_run(controller: Controller, account: Account) -> None:
    deny = {"Effect": "Deny", "Action": "kms:CreateAlias"}
    maker = Controller(account.role("maker", {"Action": "*"}, deny))
    told = maker.run("kms_key", {"alias": "orphan", "use": "ca"})
    assert "may not kms:CreateAlias" in told["msg"]
    [left] = keys(controller)
    adopted = controller.run("kms_key", {"alias": "orphan", "use": "ca"})
    assert (adopted["changed"], adopted["key_arn"], keys(controller)) == (True, left, [left])


def test_a_key_that_is_pending_deletion_is_not_scheduled_again(controller: Controller) -> None:
    controller.run("kms_key", {"alias": "going"})
    gone = controller.run("kms_key", {"alias": "going", "state": "absent"})
    again = controller.run("kms_key", {"alias": "going", "state": "absent", "pending_window": 30})
    assert (gone["changed"], again["changed"]) == (True, False)
    assert gone["deletion_date"] == again["deletion_date"]
