# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What may be declared of a key, and how each action is tried."""

from __future__ import annotations

import pytest

from ansible_collections.rootstock.pki.plugins.module_utils._keys.access import ACTIONS
from ansible_collections.rootstock.pki.plugins.module_utils._keys.access_probes import (
    PROBES,
    UNSUPPORTED,
    UNTESTED,
    Expectation,
    Finding,
    Verdict,
    check_expectations,
    differences,
    how_to_try,
    to_action,
)

ROLE = "arn:aws:iam::111122223333:role/Issuer"
CHANGING = ("Put", "Schedule", "Disable", "Enable", "Tag", "Untag", "Update", "Delete", "Cancel", "Rotate", "Import")


def expectation(role: str = ROLE, allowed: tuple[str, ...] = (), denied: tuple[str, ...] = ()) -> Expectation:
    return Expectation(role, "rootstock", None, allowed, denied)


def test_every_action_of_a_generated_policy_can_be_declared() -> None:
    assert {action for actions in ACTIONS.values() for action in actions} <= PROBES.keys()


def test_what_changes_a_key_is_never_tried() -> None:
    changing = {action for action in PROBES if action.partition(":")[2].startswith(CHANGING)}
    assert {PROBES[action].how for action in changing} == {UNTESTED}


@pytest.mark.parametrize(
    ("action", "key_usage", "key_spec", "how"),
    [
        ("kms:Sign", "SIGN_VERIFY", "RSA_2048", "dry_run"),
        ("kms:Sign", "ENCRYPT_DECRYPT", "RSA_2048", UNSUPPORTED),
        ("kms:Decrypt", "ENCRYPT_DECRYPT", "RSA_2048", "dry_run"),
        ("kms:Decrypt", "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT", UNTESTED),
        ("kms:GenerateDataKey", "ENCRYPT_DECRYPT", "RSA_2048", UNSUPPORTED),
        ("kms:GetPublicKey", "SIGN_VERIFY", "ECC_NIST_P256", "call"),
        ("kms:GetPublicKey", "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT", UNSUPPORTED),
        ("kms:ListKeyRotations", "SIGN_VERIFY", "RSA_2048", UNSUPPORTED),
        ("kms:CreateGrant", "KEY_AGREEMENT", "ECC_NIST_P256", "dry_run"),
        ("kms:GetPublicKey", "GENERATE_VERIFY_MAC", "HMAC_256", UNSUPPORTED),
        ("kms:ListKeyRotations", "GENERATE_VERIFY_MAC", "HMAC_256", UNSUPPORTED),
        ("kms:GenerateMac", "GENERATE_VERIFY_MAC", "HMAC_256", "dry_run"),
        ("kms:ReEncryptFrom", "ENCRYPT_DECRYPT", "RSA_2048", UNTESTED),
        ("kms:ReEncryptFrom", "SIGN_VERIFY", "RSA_2048", UNSUPPORTED),
        ("kms:PutKeyPolicy", "SIGN_VERIFY", "RSA_2048", UNTESTED),
    ],
)
def test_an_action_is_tried_where_the_key_can_do_it(action: str, key_usage: str, key_spec: str, how: str) -> None:
    assert how_to_try(action, key_usage, key_spec) == how


def test_the_prefix_of_an_action_may_be_left_out() -> None:
    assert [to_action("Sign"), to_action("kms:Sign")] == ["kms:Sign", "kms:Sign"]


@pytest.mark.parametrize(
    ("declared", "says"),
    [
        ([], "expected is empty"),
        ([expectation(allowed=("kms:Sing",))], "kms:Sing is no action on a key"),
        ([expectation(allowed=("kms:Sign",), denied=("kms:Sign",))], "kms:Sign is both in allowed and in denied"),
        ([expectation()], "neither allowed nor denied names an action"),
        ([expectation("arn:aws:iam::111122223333:user/x", ("kms:Sign",))], "is not the ARN of a role"),
        ([expectation(allowed=("kms:Sign",)), expectation(denied=("kms:Verify",))], "is listed twice"),
    ],
)
def test_a_declaration_that_makes_no_sense_is_refused(declared: list[Expectation], says: str) -> None:
    [problem] = check_expectations(declared)
    assert says in problem


def test_all_mistakes_are_told_at_once() -> None:
    assert len(check_expectations([expectation("x", ("kms:Sing", "kms:*"), ("kms:Sing",))])) == 4


@pytest.mark.parametrize(
    ("expected", "verdict", "difference"),
    [
        ("allowed", Verdict("allowed"), ""),
        ("denied", Verdict("denied", "no"), ""),
        ("allowed", Verdict("denied", "no"), f"{ROLE} may not kms:Sign and should"),
        ("denied", Verdict("allowed"), f"{ROLE} may kms:Sign and should not"),
        ("denied", Verdict("untested"), ""),
        ("denied", Verdict("untested", "no answer"), f"whether {ROLE} may kms:Sign could not be found out: no answer"),
    ],
)
def test_a_difference_is_one_phrase(expected: str, verdict: Verdict, difference: str) -> None:
    assert Finding(ROLE, "kms:Sign", expected, "dry_run", verdict).difference() == difference


def test_what_could_not_be_found_out_for_one_reason_is_told_once() -> None:
    lost, other = Verdict("untested", "no session"), Verdict("denied", "no")
    findings = [
        Finding(ROLE, "kms:Sign", "allowed", UNTESTED, lost),
        Finding(ROLE, "kms:Verify", "denied", UNTESTED, lost),
        Finding(f"{ROLE}2", "kms:Sign", "allowed", "dry_run", other),
        Finding(f"{ROLE}2", "kms:PutKeyPolicy", "allowed", UNTESTED, Verdict("untested")),
    ]
    assert differences(findings) == [
        f"{ROLE}2 may not kms:Sign and should",
        f"whether {ROLE} may kms:Sign, kms:Verify could not be found out: no session",
    ]
