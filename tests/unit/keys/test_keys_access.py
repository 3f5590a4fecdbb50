# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may do what, as statements of a key policy."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.rootstock.pki.plugins.module_utils._keys.access import (
    ACTIONS,
    USAGES,
    Grantee,
    KeyAccess,
    demanded_window,
    generated_policy,
)
from ansible_collections.rootstock.pki.plugins.module_utils._keys.access_checks import (
    access_warnings,
    check_access,
    check_home,
    needed_elsewhere,
)
from ansible_collections.rootstock.pki.plugins.module_utils._keys.policy import normalised

ROOT = "arn:aws:iam::111122223333:root"
ADMIN = "arn:aws:iam::111122223333:role/Admin"
ISSUER = "arn:aws:iam::111122223333:role/path/Issuer"
GUEST = "arn:aws:iam::444455556666:role/Guest"
KEY = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
SUNDAY = {"DateLessThan": {"aws:CurrentTime": "2030-01-06T00:00:00Z"}}


def members(*principals: str) -> tuple[Grantee, ...]:
    return tuple(Grantee(principal, {}) for principal in principals)


def statements(access: KeyAccess) -> dict[str, dict[str, Any]]:
    """Return the statements of the policy by their Sids."""
    listed = generated_policy(access, ROOT)["Statement"]
    by_sid = {statement["Sid"]: statement for statement in listed}
    assert len(by_sid) == len(listed)
    return by_sid


def test_each_list_is_one_statement_with_a_name_that_people_can_read() -> None:
    access = KeyAccess(**{name: members(ADMIN) for name in ACTIONS})
    assert list(statements(access)) == [
        "Break glass root user",
        "Administrators",
        "Signers",
        "Verifiers",
        "Online verifiers",
        "Encrypters",
        "Decrypters",
        "Auditors",
        "No deletion within 30 days",
    ]


def test_administrators_have_neither_use_nor_grants_nor_wildcards() -> None:
    actions = statements(KeyAccess(administrators=members(ADMIN)))["Administrators"]["Action"]
    use = {"kms:Sign", "kms:Verify", "kms:Encrypt", "kms:Decrypt", "kms:CreateGrant", "kms:ReplicateKey"}
    assert not use & set(actions)
    assert not any("*" in action for action in actions)
    assert "kms:PutKeyPolicy" in actions


def test_signers_are_bound_to_their_accounts_algorithms_and_message_types() -> None:
    access = KeyAccess(signers=members(ISSUER, GUEST), signing_algorithms=("ECDSA_SHA_256",), message_types=("DIGEST",))
    assert statements(access)["Signers"] == {
        "Sid": "Signers",
        "Effect": "Allow",
        "Principal": {"AWS": [ISSUER, GUEST]},
        "Action": ["kms:Sign"],
        "Resource": "*",
        "Condition": {
            "StringEquals": {
                "kms:CallerAccount": ["111122223333", "444455556666"],
                "kms:MessageType": ["DIGEST"],
                "kms:SigningAlgorithm": ["ECDSA_SHA_256"],
            }
        },
    }


def test_members_with_conditions_get_a_statement_of_their_own_and_ours_are_added() -> None:
    equal = {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}
    access = KeyAccess(auditors=(Grantee(ADMIN, {}), Grantee(ISSUER, SUNDAY), Grantee(GUEST, equal)))
    found = statements(access)
    assert found["Auditors"]["Principal"] == {"AWS": [ADMIN]}
    assert found["Auditors under conditions 1"]["Condition"] == {
        **SUNDAY,
        "StringEquals": {"kms:CallerAccount": ["111122223333"]},
    }
    assert found["Auditors under conditions 2"]["Condition"] == {
        "StringEquals": {"aws:PrincipalOrgID": "o-1", "kms:CallerAccount": ["444455556666"]}
    }


def test_an_empty_access_still_lets_the_root_user_in() -> None:
    assert list(statements(KeyAccess())) == ["Break glass root user", "No deletion within 30 days"]


grantees = st.lists(
    st.builds(Grantee, st.sampled_from([ADMIN, ISSUER, GUEST, "444455556666"]), st.sampled_from([{}, SUNDAY])),
    max_size=5,
)


@given(grantees, grantees, st.randoms(use_true_random=False))
def test_the_order_in_which_people_are_listed_does_not_count(
    signers: list[Grantee], auditors: list[Grantee], chance: random.Random
) -> None:
    one = generated_policy(KeyAccess(signers=tuple(signers), auditors=tuple(auditors)), ROOT)
    chance.shuffle(signers)
    chance.shuffle(auditors)
    other = generated_policy(KeyAccess(signers=tuple(signers), auditors=tuple(auditors)), ROOT)
    assert normalised(one) == normalised(other)
    sids = [statement["Sid"] for statement in one["Statement"]]
    assert len(sids) == len(set(sids))


@pytest.mark.parametrize(
    ("access", "key_usage", "reason"),
    [
        (KeyAccess(decrypters=members(ADMIN)), "SIGN_VERIFY", "decrypters: nobody can do that"),
        (KeyAccess(signers=members(ADMIN)), "ENCRYPT_DECRYPT", "signers: nobody can do that"),
        (KeyAccess(signing_algorithms=("RSASSA_PSS_SHA_256",)), "SIGN_VERIFY", "none of this key's"),
        (KeyAccess(signers=members("*")), "SIGN_VERIFY", "'\\*' is neither the ARN"),
        (KeyAccess(signers=members("kms.amazonaws.com")), "SIGN_VERIFY", "is neither the ARN"),
        (KeyAccess(break_glass_principals=("me",)), "SIGN_VERIFY", "break_glass_principals: 'me' is neither"),
        (
            KeyAccess(account_root="full", break_glass_principals=(ADMIN,)),
            "SIGN_VERIFY",
            "go with account_root break_glass",
        ),
        (
            KeyAccess(signers=(Grantee(ADMIN, {"StringEquals": {"kms:MessageType": "RAW"}}),)),
            "SIGN_VERIFY",
            "which is set anyway",
        ),
        (KeyAccess(signers=(Grantee(ADMIN, {"StringEquals": "x"}),)), "SIGN_VERIFY", "no table of operators"),  # type: ignore[dict-item]
    ],
)
def test_what_makes_no_sense_is_refused_with_the_reason(access: KeyAccess, key_usage: str, reason: str) -> None:
    problems = check_access(access, key_usage, ["ECDSA_SHA_256"] if key_usage == "SIGN_VERIFY" else [])
    assert len(problems) == 1
    assert reason.replace("\\", "") in problems[0]


@pytest.mark.parametrize("name", [name for name in ACTIONS if name != "signers"])
def test_what_only_signers_have_set_anyway_others_may_have_as_a_condition_of_their_own(name: str) -> None:
    usage = USAGES.get(name, "SIGN_VERIFY")
    conditions = {"StringEquals": {"kms:MessageType": "DIGEST", "kms:SigningAlgorithm": "ECDSA_SHA_256"}}
    access = KeyAccess(**{name: (Grantee(ADMIN, conditions),)})
    assert check_access(access, usage, ["ECDSA_SHA_256"]) == []
    [statement] = [found for sid, found in statements(access).items() if sid.endswith("under conditions")]
    assert conditions["StringEquals"].items() <= statement["Condition"]["StringEquals"].items()


@pytest.mark.parametrize("name", ACTIONS)
def test_the_accounts_of_members_are_set_anyway_in_every_list(name: str) -> None:
    access = KeyAccess(**{name: (Grantee(ADMIN, {"StringEquals": {"kms:CallerAccount": "111122223333"}}),)})
    [problem] = check_access(access, USAGES.get(name, "SIGN_VERIFY"), ["ECDSA_SHA_256"])
    assert "kms:CallerAccount, which is set anyway" in problem


def test_those_of_another_account_who_cannot_administer_and_principals_of_another_partition_are_refused() -> None:
    china = "arn:aws-cn:iam::111122223333:role/x"
    access = KeyAccess(
        administrators=members(GUEST), signers=members(china), break_glass_principals=(china, GUEST, "444455556666")
    )
    problems = check_home(access, ROOT)
    assert [problem.split(" ")[:2] for problem in problems] == [
        ["signers:", china],
        ["break_glass_principals:", china],
        ["administrators:", GUEST],
        ["break_glass_principals:", GUEST],
        ["break_glass_principals:", "444455556666"],
    ]
    at_home = KeyAccess(administrators=members(ADMIN), signers=members(GUEST), break_glass_principals=(ADMIN,))
    assert check_home(at_home, ROOT) == []


def test_one_who_administers_and_signs_and_a_full_root_are_warned_of() -> None:
    access = KeyAccess(administrators=members(ADMIN, ISSUER), signers=members(ISSUER), account_root="full")
    warnings = access_warnings(access)
    assert len(warnings) == 2
    assert ISSUER in warnings[0]
    assert "account_root full" in warnings[1]
    assert access_warnings(KeyAccess(administrators=members(ADMIN), signers=members(ISSUER))) == []


def test_what_other_accounts_must_allow_is_told() -> None:
    access = KeyAccess(signers=members(ISSUER, GUEST), verifiers=members("777788889999"))
    assert needed_elsewhere(access, KEY) == [
        {"account": "444455556666", "principal": GUEST, "actions": ["kms:Sign"], "resource": KEY},
        {
            "account": "777788889999",
            "principal": "777788889999",
            "actions": ["kms:DescribeKey", "kms:GetPublicKey"],
            "resource": KEY,
        },
    ]


@pytest.mark.parametrize("days", [7, 14, 30])
def test_the_window_that_a_policy_demands_is_read_from_it_however_it_is_written(days: int) -> None:
    made = generated_policy(KeyAccess(minimum_pending_window=days), ROOT)
    [*others, window] = made["Statement"]
    listed = {**window, "Sid": "Mine", "Principal": "*", "Action": ["kms:ScheduleKeyDeletion", "kms:DisableKey"]}
    assert demanded_window(made) == demanded_window({**made, "Statement": [listed, *others]}) == days


@pytest.mark.parametrize(
    "change",
    [
        {"Effect": "Allow"},
        {"Principal": {"AWS": ADMIN}},
        {"Action": "kms:DisableKey"},
        {"Condition": {}},
        {"Condition": {"NumericLessThan": {"kms:ScheduleKeyDeletionPendingWindowInDays": "x"}}},
    ],
)
def test_what_is_not_said_to_everybody_of_every_deletion_demands_no_window(change: dict[str, Any]) -> None:
    [*others, window] = generated_policy(KeyAccess(), ROOT)["Statement"]
    assert demanded_window({"Statement": [*others, {**window, **change}]}) == 0
