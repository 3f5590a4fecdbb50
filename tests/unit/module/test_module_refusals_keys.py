# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What kms_key refuses, each in one sentence."""

from __future__ import annotations

import pytest

from tests.unit.module.controller import Controller
from tests.unit.module.refusals import Refusal, not_told

NEW = "refusals/new"
NOBODY = "1234abcd-12ab-34cd-56ef-1234567890ab"
INVENTORY: list[Refusal] = [
    ("belong to AWS", {"alias": "aws/ebs"}),
    ("letters, digits", {"alias": "with space"}),
    ("key_id takes ARNs", {"alias": "arn:aws:kms:eu-central-1:111122223333:alias/x"}),
    ("belong to this collection", {"alias": NEW, "tags": {"rootstock:use": "ca"}}),
    ("belong to AWS", {"alias": NEW, "tags": {"aws:cloudformation:stack-name": "x"}}),
    ("not valid JSON", {"alias": NEW, "policy": "{"}),
    ("with a Statement", {"alias": NEW, "policy": "[]"}),
    ("does not fit key_spec ECC_NIST_P256", {"alias": NEW, "key_usage": "ENCRYPT_DECRYPT"}),
    ("use encrypt needs key_usage ENCRYPT_DECRYPT", {"alias": NEW, "use": "encrypt"}),
    ("one of the following is required", {"description": "nameless"}),
    ("alias: is empty; give one of alias and key_id", {"alias": ""}),
    ("key_id: is empty; give one of alias and key_id", {"alias": "", "key_id": "", "state": "absent"}),
]
CONFLICTS: list[Refusal] = [
    ("key_spec is ECC_NIST_P384, and this task says RSA_4096", {"alias": "refusals/root", "key_spec": "RSA_4096"}),
    ("key_usage is SIGN_VERIFY", {"alias": "refusals/rsa", "key_spec": "RSA_2048", "key_usage": "ENCRYPT_DECRYPT"}),
    (
        "tagged for use ca, and this task says sign",
        {"alias": "refusals/root", "key_spec": "ECC_NIST_P384", "use": "sign"},
    ),
    ("points to", {"alias": "refusals/root", "key_id": "alias/refusals/rsa"}),
    ("does not exist in this account and region", {"key_id": NOBODY}),
    ("pending deletion on", {"alias": "refusals/going"}),
]
NEEDED: list[Refusal] = [
    ("and unused_for asks for none since", {"alias": "refusals/used"}),
    ("name its ledger_path", {"alias": "refusals/authority"}),
    ("ledger_path /nonexistent does not exist", {"alias": "refusals/authority", "ledger_path": "/nonexistent"}),
    ("to 7 too", {"alias": "refusals/idle", "pending_window": 7, "minimum_pending_window": 30}),
    ("KMS takes 7 to 30", {"alias": "refusals/idle", "pending_window": 31}),
    ("is not understood", {"alias": "refusals/idle", "unused_for": "soon"}),
    ("points to", {"alias": "refusals/authority", "key_id": "alias/refusals/used"}),
]
AWS: list[Refusal] = [
    (
        "AWS refuses kms:CreateKey",
        {"policy": '{"Statement": {"Effect": "Perhaps", "Action": "kms:*", "Resource": "*"}}'},
    ),
    ("AWS cannot be reached", {"endpoint_url": "http://127.0.0.1:1"}),
    ("AWS does not know these credentials", {"access_key": "AKIA0000000000000000", "session_token": ""}),
]


def test_an_inventory_that_cannot_be(controller: Controller) -> None:
    assert not_told(controller, "kms_key", {}, INVENTORY) == []
    assert controller.principal.client("kms").list_keys()["Keys"] == []


def test_keys_that_are_there_and_are_others(controller: Controller) -> None:
    assert controller.run("kms_key", {"alias": "refusals/root", "key_spec": "ECC_NIST_P384", "use": "ca"})["changed"]
    assert controller.run("kms_key", {"alias": "refusals/rsa", "key_spec": "RSA_2048", "use": "sign"})["changed"]
    assert controller.run("kms_key", {"alias": "refusals/going"})["changed"]
    kms = controller.principal.client("kms")
    going = kms.describe_key(KeyId="alias/refusals/going")["KeyMetadata"]["KeyId"]
    kms.schedule_key_deletion(KeyId=going, PendingWindowInDays=7)
    assert not_told(controller, "kms_key", {}, CONFLICTS) == []


@pytest.mark.usefixtures("impatient")
def test_policies_that_cannot_be(controller: Controller) -> None:
    assert not_told(controller, "kms_key", {"alias": NEW}, policies(controller.principal.arn)) == []
    assert controller.principal.client("kms").list_keys()["Keys"] == []


def policies(caller: str) -> list[Refusal]:
    elsewhere = "arn:aws:iam::444455556666:role/x"
    return [
        ("the caller could not change it any more", {"administrators": []}),
        (
            "policy is the whole key policy",
            {"administrators": [], "policy": '{"Statement": {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}}'},
        ),
        ("of partition aws-cn", {"administrators": [caller], "signers": [elsewhere.replace("aws", "aws-cn")]}),
        ("lets no other account administer", {"administrators": [elsewhere]}),
        ("lets no other account administer", {"administrators": [caller], "break_glass_principals": [elsewhere]}),
        ("decrypters: nobody can do that", {"decrypters": [caller]}),
        ("is neither the ARN of", {"signers": ["*"]}),
    ]


def test_keys_that_are_needed_and_windows_that_are_not_allowed(controller: Controller) -> None:
    for name, use in (("used", "sign"), ("idle", "sign"), ("authority", "ca")):
        assert controller.run("kms_key", {"alias": f"refusals/{name}", "use": use})["changed"]
    assert controller.run("kms_sign", {"key_id": "alias/refusals/used", "content": "something"})["changed"]
    assert not_told(controller, "kms_key", {"state": "absent"}, NEEDED) == []


@pytest.mark.usefixtures("impatient")
def test_aws_does_not_do_it_and_no_key_is_left(controller: Controller) -> None:
    assert not_told(controller, "kms_key", {"alias": NEW}, AWS) == []
    assert controller.principal.client("kms").list_keys()["Keys"] == []


def test_a_key_that_is_disabled_stays_so(controller: Controller) -> None:
    made = controller.run("kms_key", {"alias": "refusals/disabled"})
    controller.principal.client("kms").disable_key(KeyId=made["key_id"])
    kept = controller.run("kms_key", {"alias": "refusals/disabled"})
    assert (kept["changed"], kept["key_state"]) == (False, "Disabled")


def test_what_is_not_there_is_pending_in_check_mode(controller: Controller) -> None:
    planned = controller.run("kms_key", {"key_id": NOBODY}, check=True)
    assert planned["pending"] == [f"{NOBODY} does not exist in this account and region"]
