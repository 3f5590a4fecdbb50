# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may do what with a key is tried, or simulated where trying would change something, and differences are told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from localaws.testing import Account
from tests.unit.module.controller import Controller

LOOKS = [
    "DescribeKey",
    "GetPublicKey",
    "GetKeyPolicy",
    "ListGrants",
    "ListResourceTags",
    "ListKeyPolicies",
    "GetKeyRotationStatus",
]
KEY = "alias/access/ca"


@pytest.fixture
def declared(controller: Controller, account: Account) -> list[dict[str, Any]]:
    """What a signer, whom only those become who know the external ID, and an auditor may do and may not."""
    signer, auditor = make_signer(account), account.role("auditor").arn
    key = {"administrators": [controller.principal.arn], "signers": [signer], "auditors": [auditor]}
    assert controller.run("kms_key", {"alias": "access/ca", "use": "ca", **key})["changed"]
    never = ["kms:Verify", "kms:GetPublicKey", "kms:DescribeKey", "kms:CreateGrant", "kms:PutKeyPolicy"]
    return [
        {"role_arn": signer, "external_id": "acme", "allowed": ["kms:Sign"], "denied": never},
        {"role_arn": auditor, "allowed": LOOKS, "denied": ["Sign", "Verify", "CreateGrant"]},
    ]


def make_signer(account: Account) -> str:
    arn = account.role("signer").arn
    trusted = {"Effect": "Allow", "Principal": {"AWS": account.root.arn}, "Action": "sts:AssumeRole"}
    condition = {"StringEquals": {"sts:ExternalId": "acme"}}
    document = json.dumps({"Version": "2012-10-17", "Statement": [{**trusted, "Condition": condition}]})
    account.root.client("iam").update_assume_role_policy(RoleName="signer", PolicyDocument=document)
    return arn


def test_everything_is_as_declared_and_what_is_never_tried_is_simulated_when_that_is_asked_for(
    controller: Controller, declared: list[dict[str, Any]]
) -> None:
    proved = controller.run("kms_access_test", {"key_id": KEY, "expected": declared})
    found = ["allowed", *["denied"] * 4, "untested", *["allowed"] * len(LOOKS), *["denied"] * 3]
    assert (proved["changed"], proved["mismatches"]) == (False, [])
    assert [result["found"] for result in proved["results"]] == found
    assert {result["how"] for result in proved["results"]} == {"call", "dry_run", "untested"}
    assert proved["results"][0]["error"] == ""
    assert "may not kms:Verify" in proved["results"][1]["error"]
    assert json.dumps(proved["warnings"]).count("nothing is proved of kms:PutKeyPolicy,") == 1
    simulated = controller.run("kms_access_test", {"key_id": KEY, "simulate": True, "expected": declared}, check=True)
    found[5] = "denied"
    assert [result["found"] for result in simulated["results"]] == found
    told = simulated["results"][5]
    assert (told["how"], told["error"]) == ("simulated", "the key policy does not allow it")
    assert (simulated["changed"], "warnings" in simulated) == (False, False)
    raw = [{"role_arn": declared[0]["role_arn"], "external_id": "acme", "denied": ["kms:Sign"]}]
    assert (
        controller.run("kms_access_test", {"key_id": KEY, "message_type": "raw", "expected": raw})["mismatches"] == []
    )


def test_decrypting_is_proved_without_anything_to_decrypt(controller: Controller, account: Account) -> None:
    decrypter = account.role("decrypter").arn
    box = {"alias": "access/box", "key_spec": "RSA_2048", "key_usage": "ENCRYPT_DECRYPT"}
    lists = {"administrators": [controller.principal.arn], "decrypters": [decrypter]}
    assert controller.run("kms_key", {**box, **lists})["changed"]
    expected = {"allowed": ["kms:Decrypt", "kms:DescribeKey"], "denied": ["kms:Encrypt", "kms:GetPublicKey"]}
    task = {"key_id": "alias/access/box", "expected": [{"role_arn": decrypter, **expected}]}
    told = controller.run("kms_access_test", task)
    assert [result["how"] for result in told["results"]] == ["dry_run", "call", "dry_run", "call"]
    signing = {**task, "expected": [{"role_arn": decrypter, "allowed": ["kms:Sign"]}]}
    refused = controller.run("kms_access_test", signing)
    assert (refused["failed"], refused["mismatches"][0]["how"]) == (True, "unsupported")
    assert "key_usage ENCRYPT_DECRYPT and key_spec RSA_2048 cannot kms:Sign" in refused["msg"]


def test_a_declaration_that_does_not_hold_is_refused_with_every_difference(
    controller: Controller, declared: list[dict[str, Any]]
) -> None:
    signer, auditor = (one["role_arn"] for one in declared)
    wrong = [
        {"role_arn": signer, "external_id": "acme", "allowed": ["kms:Verify"], "denied": ["kms:Sign"]},
        {"role_arn": auditor, "denied": ["kms:Sign"]},
    ]
    told = controller.run("kms_access_test", {"key_id": KEY, "expected": wrong})
    assert (told["failed"], len(told["results"])) == (True, 3)
    assert told["msg"] == f"{KEY}: {signer} may not kms:Verify and should; {signer} may kms:Sign and should not"
    assert [result["action"] for result in told["mismatches"]] == ["kms:Verify", "kms:Sign"]
    unassumed = controller.run(
        "kms_access_test", {"key_id": KEY, "expected": [{"role_arn": signer, "denied": ["kms:Verify"]}]}
    )
    assert "could not be found out" in unassumed["msg"]
    assert "sts:AssumeRole" in unassumed["msg"]
    mistaken = [{"role_arn": signer, "allowed": ["kms:Sing", "kms:Verify"], "denied": ["kms:Verify"]}]
    message = controller.run("kms_access_test", {"key_id": KEY, "expected": mistaken})["msg"]
    assert "kms:Verify is both in allowed and in denied" in message
    assert "kms:Sing is no action on a key" in message
    assert "expected is empty" in controller.run("kms_access_test", {"key_id": KEY, "expected": []})["msg"]


def test_a_key_that_is_missing_is_pending_in_check_mode(controller: Controller, account: Account) -> None:
    expected = [{"role_arn": account.role("auditor").arn, "denied": ["kms:Sign"]}]
    told = controller.run("kms_access_test", {"key_id": KEY, "expected": expected}, check=True)
    assert len(told["pending"]) == 1
