# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A key exists once under its alias, whoever dies or races."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.rootstock.pki.plugins.module_utils._keys.access import Grantee, KeyAccess
from ansible_collections.rootstock.pki.plugins.module_utils._keys.desired import DesiredKey, new_key
from ansible_collections.rootstock.pki.plugins.module_utils._keys.plan import CurrentKey, plan_key
from ansible_collections.rootstock.pki.plugins.module_utils._operations.ensure_key import (
    TIMES_SEEN,
    EnsuredKey,
    ensure_key,
)
from ansible_collections.rootstock.pki.plugins.module_utils._operations.read_key import read_key, read_policy
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import AwsError, KeyStateError
from tests.unit.operations.memory_keys import Keys, MemoryKeyStore

WANTED = DesiredKey("alias/pki/root", "", "ECC_NIST_P256", "SIGN_VERIFY", use="ca", tags={"team": "pki"})
BARE = replace(WANTED, use=None, tags=None)
POLICY: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "kms:*", "Resource": "*"}],
}
SEEN = ["describe"] * TIMES_SEEN
CREATION = ["describe", "find_by_tag", "create for alias/pki/root", "create_alias", *SEEN]


class DiedError(Exception):
    """The process was killed here."""


def converge(store: MemoryKeyStore, desired: DesiredKey = WANTED) -> EnsuredKey:
    """Do what the module does outside check mode."""
    current = read_key(store, desired)
    return ensure_key(store, desired, current, read_policy(store, desired, current), sleep=bool)


def is_as_wanted(current: CurrentKey | None, desired: DesiredKey = WANTED) -> bool:
    return not plan_key(current, desired, desired.policy).changed


def die_at(count: int) -> Callable[[str], None]:
    """Die at the given moment, counted from 0: before or after some call."""
    moments = iter(range(10_000))

    def step(moment: str) -> None:
        if next(moments) == count:
            raise DiedError(moment)

    return step


def test_a_key_is_made_tagged_named_and_seen_under_its_alias() -> None:
    store = MemoryKeyStore(Keys())
    made = converge(store)
    assert store.calls == CREATION
    assert store.account.aliases == {"alias/pki/root": made.key.description.key_id}
    assert store.account.keys["key-1"].tags == {
        "team": "pki",
        "rootstock:alias": "alias/pki/root",
        "rootstock:use": "ca",
    }


@pytest.mark.parametrize(
    ("desired", "calls"),
    [
        (BARE, ["describe"]),
        (replace(BARE, description=""), ["describe"]),
        (replace(BARE, tags={}), ["describe", "tags"]),
        (WANTED, ["describe", "tags"]),
        (replace(WANTED, policy=POLICY), ["describe", "tags", "policy"]),
    ],
)
def test_a_run_that_changes_nothing_asks_once_and_once_for_each_managed_facet(
    desired: DesiredKey, calls: list[str]
) -> None:
    account = Keys()
    converge(MemoryKeyStore(account), desired)
    store = MemoryKeyStore(account)
    assert is_as_wanted(read_key(store, desired), desired)
    assert store.calls == calls


def test_each_facet_that_differs_is_changed_by_one_call_and_nothing_is_read_again() -> None:
    account = Keys()
    converge(MemoryKeyStore(account))
    store = MemoryKeyStore(account)
    wanted = replace(WANTED, description="Root", tags={"cost": "1"}, policy=POLICY)
    ensured = converge(store, wanted)
    assert store.calls == ["describe", "tags", "policy", "set_description", "remove_tags", "set_tags", "put_policy"]
    assert is_as_wanted(ensured.key, wanted)
    assert ensured.key == read_key(MemoryKeyStore(account), wanted)


def test_without_purge_tags_other_tags_stay() -> None:
    account = Keys()
    converge(MemoryKeyStore(account))
    ensured = converge(MemoryKeyStore(account), replace(WANTED, tags={"cost": "1"}, purge_tags=False))
    assert ensured.key.tags == account.keys["key-1"].tags
    assert {"team": "pki", "cost": "1"}.items() <= account.keys["key-1"].tags.items()


def test_an_alias_that_points_to_another_key_is_an_error_that_names_both() -> None:
    account = Keys()
    for alias in ("alias/one", "alias/two"):
        converge(MemoryKeyStore(account), replace(WANTED, alias=alias))
    with pytest.raises(KeyStateError) as refused:
        read_key(MemoryKeyStore(account), replace(WANTED, alias="alias/one", key_id="key-2"))
    assert [name for name in ("alias/one", "key-1", "key-2") if name not in str(refused.value)] == []


def test_an_alias_and_the_key_that_has_it_are_read_by_one_call() -> None:
    account = Keys()
    converge(MemoryKeyStore(account))
    for name in ("key-1", account.keys["key-1"].description.arn):
        store = MemoryKeyStore(account)
        assert is_as_wanted(read_key(store, replace(BARE, key_id=name)), BARE)
        assert store.calls == ["describe"]


def test_an_alias_that_nobody_has_is_given_to_the_key_that_the_task_names() -> None:
    account = Keys()
    converge(MemoryKeyStore(account), replace(WANTED, alias="alias/one"))
    converge(MemoryKeyStore(account), replace(BARE, alias="alias/two", key_id="key-1"))
    assert account.aliases == {"alias/one": "key-1", "alias/two": "key-1"}


def test_a_key_that_another_run_names_while_this_one_looks_on_is_not_renamed() -> None:
    account = Keys()
    converge(MemoryKeyStore(account), replace(WANTED, alias="alias/one"))
    desired = replace(BARE, alias="alias/two", key_id="key-1")
    current = read_key(MemoryKeyStore(account), desired)
    converge(MemoryKeyStore(account), replace(WANTED, alias="alias/two"))
    with pytest.raises(KeyStateError, match=r"another key than .*key-1"):
        ensure_key(MemoryKeyStore(account), desired, current, None)


@pytest.mark.parametrize("count", range(2 * len(CREATION)))
def test_killed_anywhere_and_run_again_there_is_one_key(count: int) -> None:
    account = Keys()
    with pytest.raises(DiedError):
        converge(MemoryKeyStore(account, die_at(count)))
    ensured = converge(MemoryKeyStore(account))
    assert [key.description for key in account.in_use()] == [ensured.key.description]
    assert account.aliases == {"alias/pki/root": ensured.key.description.key_id}
    assert is_as_wanted(read_key(MemoryKeyStore(account), WANTED))


@given(st.lists(st.integers(0, 25), max_size=6))
def test_killed_again_and_again_there_is_one_key_in_the_end(deaths: list[int]) -> None:
    account = Keys()
    for count in deaths:
        with suppress(DiedError):
            converge(MemoryKeyStore(account, die_at(count)))
    converge(MemoryKeyStore(account))
    assert len(account.in_use()) == len(account.keys) == 1


def test_a_key_that_a_killed_run_left_behind_is_used_and_that_is_told() -> None:
    account = Keys()
    with pytest.raises(DiedError):
        converge(MemoryKeyStore(account, die_at(5)))
    ensured = converge(MemoryKeyStore(account), replace(WANTED, tags={"team": "other"}, description="Root"))
    assert ensured.key.description.key_id == "key-1"
    assert "key-1 was made for alias/pki/root by a run that did not end" in ensured.notes[0]
    assert (account.keys["key-1"].tags["team"], account.keys["key-1"].description.description) == ("other", "Root")


def test_the_oldest_of_several_leftovers_is_used() -> None:
    account = Keys()
    store = MemoryKeyStore(account, denied=frozenset({"find_by_tag", "create_alias"}))
    blind = MemoryKeyStore(Keys(), denied=frozenset({"create_alias"}))
    for _number in range(3):
        blind.account = Keys(keys={}, aliases={})
        with suppress(AwsError):
            converge(blind)
        left = blind.account.keys["key-1"]
        number = len(account.keys) + 1
        left.description = replace(
            left.description,
            key_id=f"key-{number}",
            arn=left.description.arn.replace("key-1", f"key-{number}"),
            created=f"2026-01-0{9 - number}T00:00:00Z",
        )
        account.keys[f"key-{number}"] = left
    assert converge(replace(store, denied=frozenset())).key.description.key_id == "key-3"


@pytest.mark.parametrize(
    ("touch", "reason"),
    [
        (lambda key: setattr(key, "last_used", "2026-05-05T00:00:00Z"), "it was used at 2026-05-05T00:00:00Z"),
        (lambda key: setattr(key, "granted", True), "it has grants"),
        (lambda key: setattr(key, "policy", POLICY), "its key policy is another"),
        (lambda key: setattr(key, "description", replace(key.description, key_spec="RSA_2048")), "RSA_2048"),
    ],
)
def test_a_leftover_that_somebody_has_touched_is_an_error_that_names_it(
    touch: Callable[[Any], None], reason: str
) -> None:
    account = Keys()
    with pytest.raises(DiedError):
        converge(MemoryKeyStore(account, die_at(5)))
    touch(account.keys["key-1"])
    with pytest.raises(KeyStateError) as refused:
        converge(MemoryKeyStore(account))
    assert reason in str(refused.value)
    assert "key-1" in str(refused.value)
    assert len(account.keys) == 1


def test_a_leftover_whose_last_use_cannot_be_known_is_not_used() -> None:
    account = Keys()
    with pytest.raises(DiedError):
        converge(MemoryKeyStore(account, die_at(5)))
    with pytest.raises(KeyStateError, match="whether it was ever used cannot be known: somebody may not last_use"):
        converge(MemoryKeyStore(account, denied=frozenset({"last_use"})))


def test_a_leftover_that_is_pending_deletion_is_passed_over() -> None:
    account = Keys()
    with pytest.raises(DiedError):
        converge(MemoryKeyStore(account, die_at(5)))
    MemoryKeyStore(account).schedule_deletion("key-1", 7)
    assert converge(MemoryKeyStore(account)).key.description.key_id == "key-2"


def race(moment: str, rival: DesiredKey = WANTED, denied: str = "") -> tuple[Keys, EnsuredKey, EnsuredKey]:
    """Run the whole of another run at *moment* of this one; return the account, this run's and the other's result."""
    account = Keys()
    others: list[EnsuredKey] = []

    def step(now: str) -> None:
        if now == moment and not others:
            others.append(converge(MemoryKeyStore(account), rival))

    ours = converge(MemoryKeyStore(account, step, denied=frozenset({denied})))
    return account, ours, others[0]


@pytest.mark.parametrize("moment", [f"{when} {call}" for call in CREATION for when in ("before", "after")])
def test_whoever_wins_the_race_both_use_one_key_and_no_other_is_left(moment: str) -> None:
    account, ours, theirs = race(moment)
    assert ours.key.description.arn == theirs.key.description.arn
    assert [key.description.arn for key in account.in_use()] == [ours.key.description.arn]


def test_a_loser_of_the_race_schedules_its_own_key_for_deletion_and_says_so() -> None:
    account, ours, theirs = race("after find_by_tag")
    assert theirs.key.description.key_id == ours.key.description.key_id == "key-1"
    assert account.keys["key-2"].description.state == "PendingDeletion"
    assert "key-2 is not needed and will be deleted on in 30 days" in ours.notes[0]


def test_a_loser_that_may_not_delete_reports_its_key() -> None:
    account, ours, _theirs = race("after find_by_tag", denied="schedule_deletion")
    assert account.keys["key-2"].description.state == "Enabled"
    assert "key-2 is not needed and remains: somebody may not schedule_deletion" in ours.notes[0]


def test_a_loser_whose_own_key_is_not_visible_yet_uses_the_winners_and_reports_its_own() -> None:
    account = Keys()

    def step(now: str) -> None:
        if now == "after find_by_tag" and not account.keys:
            converge(MemoryKeyStore(account))
        if now == "before schedule_deletion":
            raise KeyStateError("key-2 does not exist")

    ours = converge(MemoryKeyStore(account, step))
    assert ours.key.description.key_id == "key-1"
    assert "key-2 is not needed and remains: key-2 does not exist" in ours.notes[0]


def test_a_winner_of_another_spec_is_an_error_that_names_it() -> None:
    with pytest.raises(KeyStateError, match=r"alias/pki/root .*key_spec is RSA_2048, and this task says ECC_NIST_P256"):
        race("after find_by_tag", replace(WANTED, key_spec="RSA_2048"))


def test_a_winner_of_another_use_is_an_error_that_names_it() -> None:
    with pytest.raises(KeyStateError, match="tagged for use sign, and this task says ca"):
        race("after find_by_tag", replace(WANTED, use="sign"))


def test_facets_that_the_winner_left_otherwise_are_set() -> None:
    account, ours, _theirs = race("after find_by_tag", replace(WANTED, tags={"team": "rival"}))
    assert account.keys["key-1"].tags["team"] == "pki"
    assert is_as_wanted(ours.key)


@given(st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=1, max_size=4))
def test_runs_nested_in_runs_and_killed_there_leave_one_key(moments: list[tuple[int, bool]]) -> None:
    account = Keys()

    def run(rest: list[tuple[int, bool]]) -> None:
        counter = iter(range(10_000))

        def step(moment: str) -> None:
            if rest and next(counter) == rest[0][0]:
                run(rest[1:])
                if rest[0][1]:
                    raise DiedError(moment)

        with suppress(DiedError):
            converge(MemoryKeyStore(account, step))

    run(moments)
    final = converge(MemoryKeyStore(account))
    named = account.keys[account.aliases["alias/pki/root"]]
    assert named.description == final.key.description
    left = [key for key in account.in_use() if key is not named]
    killed = sum(moment[1] for moment in moments)
    assert len(left) <= killed


def test_a_leftover_that_goes_to_deletion_while_it_is_taken_up_gives_way_to_the_winner() -> None:
    account = Keys()
    with pytest.raises(DiedError):
        converge(MemoryKeyStore(account, die_at(5)))

    def step(moment: str) -> None:
        if moment == "before create_alias" and len(account.keys) == 1:
            winner = MemoryKeyStore(account).create(new_key(WANTED, None), "alias/pki/root")
            MemoryKeyStore(account).create_alias("alias/pki/root", winner.key_id)
            MemoryKeyStore(account).schedule_deletion("key-1", 30)

    assert converge(MemoryKeyStore(account, step)).key.description.key_id == "key-2"


def test_more_names_are_given_and_then_cost_one_call() -> None:
    account = Keys()
    desired = replace(BARE, aliases=("alias/two", "alias/three"))
    made = converge(MemoryKeyStore(account), desired)
    assert account.aliases == {"alias/pki/root": "key-1", "alias/two": "key-1", "alias/three": "key-1"}
    assert sorted(made.key.aliases or ()) == ["alias/pki/root", "alias/three", "alias/two"]
    store = MemoryKeyStore(account)
    assert is_as_wanted(read_key(store, desired), desired)
    assert store.calls == ["describe", "aliases"]


@pytest.mark.parametrize("exists", [True, False])
def test_a_name_of_another_key_is_an_error_before_anything_is_done(exists: bool) -> None:
    account = Keys()
    converge(MemoryKeyStore(account), replace(BARE, alias="alias/two"))
    if exists:
        converge(MemoryKeyStore(account), BARE)
    count = len(account.keys)
    with pytest.raises(KeyStateError, match=r"alias/two points to .*key-1.*set move_alias"):
        converge(MemoryKeyStore(account), replace(BARE, aliases=("alias/two",)))
    assert len(account.keys) == count


@pytest.mark.parametrize("exists", [True, False])
def test_with_move_alias_a_name_is_taken_from_the_other_key_which_then_does_not_look_like_a_leftover(
    exists: bool,
) -> None:
    account = Keys()
    converge(MemoryKeyStore(account), replace(BARE, alias="alias/two"))
    if exists:
        converge(MemoryKeyStore(account), BARE)
    desired = replace(BARE, aliases=("alias/two",), move_alias=True)
    converge(MemoryKeyStore(account), desired)
    assert account.aliases == {"alias/pki/root": "key-2", "alias/two": "key-2"}
    assert "rootstock:alias" not in account.keys["key-1"].tags
    assert is_as_wanted(read_key(MemoryKeyStore(account), desired), desired)


def test_with_move_alias_the_other_key_still_says_that_it_was_made_for_a_name_that_it_keeps() -> None:
    account = Keys()
    converge(MemoryKeyStore(account), replace(BARE, alias="alias/one", aliases=("alias/two",)))
    converge(MemoryKeyStore(account), replace(BARE, aliases=("alias/two",), move_alias=True))
    assert account.keys["key-1"].tags["rootstock:alias"] == "alias/one"
    assert account.aliases == {"alias/one": "key-1", "alias/two": "key-2", "alias/pki/root": "key-2"}


def test_with_move_alias_the_keys_own_name_follows_key_id() -> None:
    account = Keys()
    for alias in ("alias/one", "alias/two"):
        converge(MemoryKeyStore(account), replace(BARE, alias=alias))
    desired = replace(BARE, alias="alias/one", key_id="key-2", move_alias=True)
    converge(MemoryKeyStore(account), desired)
    assert account.aliases == {"alias/one": "key-2", "alias/two": "key-2"}


def test_a_name_is_not_moved_between_keys_of_different_kinds() -> None:
    account = Keys()
    converge(MemoryKeyStore(account), replace(BARE, alias="alias/two", key_usage="ENCRYPT_DECRYPT"))
    with pytest.raises(KeyStateError, match="only between keys of one kind"):
        converge(MemoryKeyStore(account), replace(BARE, aliases=("alias/two",), move_alias=True))


def test_a_key_is_disabled_and_enabled_by_one_call_each() -> None:
    account = Keys()
    for enabled, state in ((False, "Disabled"), (True, "Enabled")):
        desired = replace(BARE, enabled=enabled)
        ensured = converge(MemoryKeyStore(account), desired)
        assert ensured.key.description.state == account.keys["key-1"].description.state == state
        assert is_as_wanted(read_key(MemoryKeyStore(account), desired), desired)


def test_a_deletion_is_cancelled_before_anything_else_is_changed() -> None:
    account = Keys()
    converge(MemoryKeyStore(account))
    MemoryKeyStore(account).schedule_deletion("key-1", 7)
    store = MemoryKeyStore(account)
    desired = replace(WANTED, cancel_deletion=True, enabled=True, description="Back")
    ensured = converge(store, desired)
    assert store.calls == ["describe", "tags", "cancel_deletion", *SEEN, "enable", "set_description"]
    assert (ensured.key.description.state, ensured.key.description.deletion_date) == ("Enabled", "")
    assert is_as_wanted(read_key(MemoryKeyStore(account), desired), desired)


def test_a_deletion_is_not_cancelled_by_present() -> None:
    account = Keys()
    converge(MemoryKeyStore(account))
    MemoryKeyStore(account).schedule_deletion("key-1", 7)
    with pytest.raises(KeyStateError, match="pending deletion on in 7 days"):
        converge(MemoryKeyStore(account), replace(WANTED, enabled=True))


def test_the_lockout_check_is_bypassed_only_when_asked_for() -> None:
    account = Keys()
    converge(MemoryKeyStore(account))
    for bypass in (True, False):
        store = MemoryKeyStore(account)
        converge(store, replace(WANTED, policy={**POLICY, "Id": str(bypass)}, bypass_lockout_check=bypass))
        assert store.bypassed is bypass


def test_a_policy_made_of_lists_is_written_with_the_key_and_asks_for_the_account_only_then() -> None:
    account = Keys()
    access = KeyAccess(administrators=(Grantee("arn:aws:iam::111122223333:role/Admin", {}),))
    desired = replace(BARE, access=access)
    store = MemoryKeyStore(account)
    converge(store, desired)
    assert store.calls == ["describe", "account_root", *CREATION[1:]]
    assert account.keys["key-1"].policy["Statement"][1]["Principal"] == {
        "AWS": ["arn:aws:iam::111122223333:role/Admin"]
    }
    store = MemoryKeyStore(account)
    current = read_key(store, desired)
    assert not plan_key(current, desired, read_policy(store, desired, current)).changed
    assert store.calls == ["describe", "policy"]
