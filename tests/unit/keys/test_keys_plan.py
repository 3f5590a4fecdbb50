# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a key should be, what it is, and the difference."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.rootstock.pki.plugins.module_utils._keys.access import Grantee, KeyAccess
from ansible_collections.rootstock.pki.plugins.module_utils._keys.adoption import obstacles_to_adoption
from ansible_collections.rootstock.pki.plugins.module_utils._keys.description import KeyDescription
from ansible_collections.rootstock.pki.plugins.module_utils._keys.desired import (
    DesiredKey,
    check_desired,
    check_window,
    new_key,
)
from ansible_collections.rootstock.pki.plugins.module_utils._keys.plan import (
    CurrentKey,
    check_existing,
    intended_policy,
    plan_key,
    state_after,
)
from ansible_collections.rootstock.pki.plugins.module_utils._keys.policy import default_policy
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import KeyStateError, SpecError
from ansible_collections.rootstock.pki.plugins.module_utils._pki.plan import Plan

ARN = "arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555"
KEY = KeyDescription(
    key_id=ARN.rpartition("/")[2],
    arn=ARN,
    account="111122223333",
    key_spec="ECC_NIST_P256",
    key_usage="SIGN_VERIFY",
    state="Enabled",
    description="",
    origin="AWS_KMS",
    multi_region=False,
)
WANTED = DesiredKey("alias/pki/root", "", "ECC_NIST_P256", "SIGN_VERIFY")
POLICY: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "kms:*", "Resource": "*"},
}
OURS = {"rootstock:alias": "alias/pki/root", "rootstock:use": "ca"}


def current(**facets: Any) -> CurrentKey:
    return CurrentKey(KEY, **facets)


def fields(plan: Plan) -> list[str]:
    return [change.field for change in plan.changes]


def test_a_key_that_is_to_be_made_is_planned_facet_by_facet() -> None:
    plan = plan_key(None, replace(WANTED, use="ca", tags={"team": "pki"}, description="Root"), None)
    assert plan.diff == {
        "before": {},
        "after": {
            "alias": "alias/pki/root",
            "key_spec": "ECC_NIST_P256",
            "key_usage": "SIGN_VERIFY",
            "use": "ca",
            "description": "Root",
            "tags": {"team": "pki"},
        },
    }


def test_a_key_named_by_its_id_that_does_not_exist_is_pending() -> None:
    plan = plan_key(None, replace(WANTED, alias="", key_id="1234"), None)
    assert not plan.changed
    assert plan.pending == ("1234 does not exist in this account and region",)


def test_what_the_task_does_not_name_is_left_as_it_is() -> None:
    found = CurrentKey(replace(KEY, description="by hand"), None, {"team": "x", **OURS}, POLICY)
    assert not plan_key(found, WANTED, None).changed


@pytest.mark.parametrize(
    ("wanted", "changed"),
    [
        ({"description": "Root"}, ["description"]),
        ({"description": ""}, []),
        ({"tags": {}}, ["tags"]),
        ({"tags": {"team": "x"}}, []),
        ({"tags": {}, "purge_tags": False}, []),
        ({"tags": {"team": "y"}, "purge_tags": False}, ["tags"]),
        ({"use": "ca"}, []),
        ({"policy": POLICY}, []),
        ({"policy": default_policy(ARN)}, ["policy"]),
    ],
)
def test_only_facets_that_differ_are_planned(wanted: dict[str, Any], changed: list[str]) -> None:
    found = current(tags={"team": "x", **OURS}, policy=POLICY)
    assert fields(plan_key(found, replace(WANTED, **wanted), wanted.get("policy"))) == changed


def test_a_key_without_a_use_gets_one_and_a_key_of_another_use_is_an_error() -> None:
    assert fields(plan_key(current(tags={}), replace(WANTED, use="sign"), None)) == ["use"]
    with pytest.raises(KeyStateError, match="tagged for use ca, and this task says sign"):
        plan_key(current(tags=OURS), replace(WANTED, use="sign"), None)


def test_an_alias_that_nobody_has_is_given_to_the_key_that_the_task_names() -> None:
    plan = plan_key(current(aliases=("alias/x",)), replace(WANTED, key_id=KEY.key_id), None)
    assert plan.diff == {"before": {"aliases": ["alias/x"]}, "after": {"aliases": ["alias/pki/root", "alias/x"]}}


def test_names_that_other_keys_lose_are_in_the_diff() -> None:
    found = current(aliases=("alias/pki/root",), elsewhere={"alias/x": "arn:other"})
    plan = plan_key(found, replace(WANTED, aliases=("alias/x",), move_alias=True), None)
    assert plan.diff == {
        "before": {"aliases": ["alias/pki/root"], "moved_aliases": {"alias/x": "arn:other"}},
        "after": {"aliases": ["alias/pki/root", "alias/x"], "moved_aliases": {"alias/x": ARN}},
    }


@pytest.mark.parametrize(
    ("state", "enabled", "cancel", "after"),
    [
        ("Enabled", None, False, "Enabled"),
        ("Enabled", False, False, "Disabled"),
        ("Disabled", None, False, "Disabled"),
        ("Disabled", True, False, "Enabled"),
        ("Enabled", True, True, "Enabled"),
        ("PendingDeletion", None, True, "Disabled"),
        ("PendingDeletion", True, True, "Enabled"),
        ("PendingDeletion", False, True, "Disabled"),
        ("PendingReplicaDeletion", True, True, "Enabled"),
        ("PendingDeletion", True, False, "PendingDeletion"),
        ("PendingImport", True, False, "PendingImport"),
        ("Unavailable", False, True, "Unavailable"),
    ],
)
def test_the_state_changes_only_where_the_task_says_so(
    state: str, enabled: bool | None, cancel: bool, after: str
) -> None:
    assert state_after(state, replace(WANTED, enabled=enabled, cancel_deletion=cancel)) == after


def test_a_deletion_is_cancelled_only_when_asked_for() -> None:
    going = replace(KEY, state="PendingDeletion")
    with pytest.raises(KeyStateError, match="set cancel_deletion"):
        check_existing(going, replace(WANTED, enabled=True))
    check_existing(going, replace(WANTED, cancel_deletion=True))


@pytest.mark.parametrize(
    ("days", "minimum", "reason"),
    [
        (6, 7, "pending_window 6: KMS takes 7 to 30"),
        (31, 30, "pending_window 31: KMS takes 7 to 30"),
        (30, 31, "minimum_pending_window 31: KMS takes 7 to 30"),
        (7, 30, "pending_window 7 is shorter than minimum_pending_window 30; wait longer, or set"),
        (6, None, "pending_window 6: KMS takes 7 to 30"),
    ],
)
def test_a_window_that_kms_or_the_task_forbids_is_refused(days: int, minimum: int | None, reason: str) -> None:
    assert any(reason in problem for problem in check_window(days, minimum))


def test_windows_that_are_allowed_are_taken() -> None:
    assert [check_window(*pair) for pair in ((30, 30), (7, 7), (30, 7), (7, None))] == [[], [], [], []]


def test_the_tags_of_this_collection_are_never_purged_or_shown() -> None:
    plan = plan_key(current(tags={"team": "x", **OURS}), replace(WANTED, tags={}), None)
    assert plan.diff == {"before": {"tags": {"team": "x"}}, "after": {"tags": {}}}


def test_a_new_key_is_tagged_with_its_alias_and_use_from_its_first_moment() -> None:
    asked = new_key(replace(WANTED, use="ca", tags={"team": "x"}), None)
    assert asked.tags == {"team": "x", **OURS}


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ({"key_spec": "RSA_2048"}, ["key_spec is RSA_2048", "ECC_NIST_P256", ARN, "alias/pki/root"]),
        ({"key_usage": "KEY_AGREEMENT"}, ["key_usage is KEY_AGREEMENT", "SIGN_VERIFY", ARN]),
        (
            {"state": "PendingDeletion", "deletion_date": "2030-01-01T00:00:00Z"},
            ["pending deletion on 2030-01-01", ARN],
        ),
        ({"state": "PendingReplicaDeletion"}, ["pending deletion"]),
        ({"manager": "AWS"}, ["belongs to AWS"]),
    ],
)
def test_what_cannot_change_is_an_error_that_names_both(found: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(KeyStateError) as refused:
        check_existing(replace(KEY, **found), WANTED)
    assert [word for word in words if word not in str(refused.value)] == []


@pytest.mark.parametrize("state", ["Enabled", "Disabled", "PendingImport"])
def test_a_key_that_is_there_is_present_in_any_other_state(state: str) -> None:
    found = CurrentKey(replace(KEY, state=state))
    check_existing(found.description, WANTED)
    assert not plan_key(found, WANTED, None).changed


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        ({"key_usage": "ENCRYPT_DECRYPT"}, "does not fit key_spec ECC_NIST_P256, use SIGN_VERIFY"),
        ({"use": "encrypt"}, "use encrypt needs key_usage ENCRYPT_DECRYPT"),
        ({"description": "x" * 8193}, "8192"),
        ({"tags": {"aws:x": ""}}, "belong to AWS"),
    ],
)
def test_a_key_that_kms_cannot_make_is_refused(wanted: dict[str, Any], reason: str) -> None:
    assert any(reason in problem for problem in check_desired(replace(WANTED, **wanted), ["SIGN_VERIFY"]))


def test_every_problem_is_told_at_once() -> None:
    wanted = replace(WANTED, key_usage="ENCRYPT_DECRYPT", use="ca", tags={"aws:x": ""}, description="x" * 9000)
    assert len(check_desired(wanted, ["SIGN_VERIFY"])) == 4


def orphan(**found: Any) -> CurrentKey:
    return CurrentKey(replace(KEY, **found), (), OURS, default_policy(ARN))


def obstacles(key: CurrentKey, policy: dict[str, Any] | None = None, **found: Any) -> list[str]:
    usual: dict[str, Any] = {"granted": False, "last_used": ""}
    return list(obstacles_to_adoption(key, WANTED, policy, **{**usual, **found}))


def test_what_a_dead_run_leaves_behind_may_be_adopted() -> None:
    assert obstacles(orphan()) == []
    assert obstacles(replace(orphan(), policy=POLICY), POLICY) == []


@pytest.mark.parametrize(
    ("key", "found", "reason"),
    [
        (orphan(origin="EXTERNAL"), {}, "EXTERNAL"),
        (orphan(state="Disabled"), {}, "Disabled"),
        (orphan(key_spec="RSA_2048"), {}, "RSA_2048"),
        (orphan(key_usage="KEY_AGREEMENT"), {}, "KEY_AGREEMENT"),
        (orphan(multi_region=True), {}, "multi-Region"),
        (replace(orphan(), aliases=("alias/other",)), {}, "alias/other"),
        (orphan(), {"granted": True}, "grants"),
        (orphan(), {"last_used": "2026-01-01T00:00:00Z"}, "2026-01-01"),
        (replace(orphan(), policy={**POLICY, "Id": "other"}), {}, "key policy"),
        (replace(orphan(), tags={}), {}, "rootstock:alias"),
    ],
)
def test_a_key_that_somebody_has_touched_is_not_adopted(key: CurrentKey, found: dict[str, Any], reason: str) -> None:
    problems = obstacles(key, **found)
    assert len(problems) == 1
    assert reason in problems[0]


def test_lists_that_make_a_policy_longer_than_kms_takes_are_refused_in_the_plan() -> None:
    many = tuple(Grantee(f"arn:aws:iam::111122223333:role/verifiers/{number:060}", {}) for number in range(400))
    desired = DesiredKey("alias/x", "", "ECC_NIST_P256", "SIGN_VERIFY", access=KeyAccess(verifiers=many))
    with pytest.raises(SpecError, match=r"made of the lists of principals: \d+ bytes, and KMS takes at most 32768"):
        intended_policy(desired, "arn:aws:iam::111122223333:root")
