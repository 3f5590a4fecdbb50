# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A key exists once, under its alias, as the task says."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .._keys.adoption import obstacles_to_adoption
from .._keys.description import KeyDescription
from .._keys.desired import DesiredKey, new_key
from .._keys.names import ALIAS_TAG, USE_TAG, visible_tags
from .._keys.plan import GOING, CurrentKey, check_use, plan_key, state_after, tags_after
from .._pki.errors import AwsError, KeyStateError
from .key_store import KeyStore
from .read_key import names_elsewhere, read_facets

LOSERS_WINDOW = 30
"""Days until a key that lost the race for its alias is deleted; no policy forbids the longest window."""

DELAYS = (0.2, 0.5, 1.0, 2.0, 4.0)
"""Seconds to wait for a change that KMS does not show yet."""

TIMES_SEEN = 3
"""How often in a row KMS has to show a change: not all of its servers learn of one at the same moment."""


@dataclass(frozen=True)
class EnsuredKey:
    """The key as it is now, and what somebody should know about how it came to be."""

    key: CurrentKey
    notes: tuple[str, ...] = ()


def ensure_key(
    store: KeyStore,
    desired: DesiredKey,
    current: CurrentKey | None,
    policy: Mapping[str, Any] | None,
    sleep: Callable[[float], None] = time.sleep,
) -> EnsuredKey:
    """Make the key what the task says, making it first where there is none.

    Args:
        current: what read_key() found.
        policy: what read_policy() said.
    Raises:
        KeyStateError: a key stands in the way.
        AwsError: AWS refused; what was done so far is found again by the next run.
    """
    if current is not None:
        return EnsuredKey(apply_changes(store, desired, current, policy, sleep))
    obtained = _obtain_key(store, desired, policy, sleep)
    return replace(obtained, key=apply_changes(store, desired, obtained.key, policy, sleep))


def apply_changes(
    store: KeyStore,
    desired: DesiredKey,
    current: CurrentKey,
    policy: Mapping[str, Any] | None,
    sleep: Callable[[float], None] = time.sleep,
) -> CurrentKey:
    """Change the facets that differ and return the key as it is then; the policy last, it may end our rights."""
    changed = {change.field for change in plan_key(current, desired, policy).changes}
    key_id = current.description.key_id
    if "key_state" in changed:
        current = _apply_state(store, desired, current, sleep)
    for name in current.missing_names(desired):
        _give_name(store, name, current, sleep)
    if "description" in changed and desired.description is not None:
        store.set_description(key_id, desired.description)
        current = replace(current, description=replace(current.description, description=desired.description))
    if changed & {"tags", "use"}:
        current = _apply_tags(store, desired, current)
    if "policy" in changed and policy is not None:
        store.put_policy(key_id, policy, desired.bypass_lockout_check)
        current = replace(current, policy=policy)
    names = (
        None if current.aliases is None else tuple({**dict.fromkeys(current.aliases), **dict.fromkeys(desired.names)})
    )
    return replace(current, aliases=names, elsewhere={})


def _apply_state(
    store: KeyStore, desired: DesiredKey, current: CurrentKey, sleep: Callable[[float], None]
) -> CurrentKey:
    found = current.description
    wanted = state_after(found.state, desired)
    if found.state in GOING:
        store.cancel_deletion(found.key_id)
        _await(store, found.key_id, lambda key: key.state not in GOING, "its deletion was cancelled", sleep)
    if wanted == "Enabled":
        store.enable(found.key_id)
    elif found.state == "Enabled":
        store.disable(found.key_id)
    return replace(current, description=replace(found, state=wanted, deletion_date=""))


def _give_name(store: KeyStore, name: str, current: CurrentKey, sleep: Callable[[float], None]) -> None:
    """Give the key one more alias, taking it from the key that has it only where the plan said so."""
    key, other = current.description, current.elsewhere.get(name)
    if other is None:
        if not store.create_alias(name, key.key_id):
            raise KeyStateError(f"{name} was given to another key than {key.arn} a moment ago; run again")
        _await_name(store, name, key, sleep)
        return
    if store.tags(other).get(ALIAS_TAG) == name:  # or it would look as if a run had died before it could name that key
        store.remove_tags(other, [ALIAS_TAG])
    store.move_alias(name, key.key_id)
    _await_name(store, name, key, sleep)


def _apply_tags(store: KeyStore, desired: DesiredKey, current: CurrentKey) -> CurrentKey:
    now = dict(current.tags or {})
    wanted = {**(tags_after(current, desired) or {}), **({USE_TAG: desired.use} if desired.use else {})}
    gone = [name for name in visible_tags(now) if name not in wanted] if desired.tags is not None else []
    fresh = {name: value for name, value in wanted.items() if now.get(name) != value}
    if gone:
        store.remove_tags(current.description.key_id, gone)
    if fresh:
        store.set_tags(current.description.key_id, fresh)
    return replace(current, tags={name: value for name, value in {**now, **fresh}.items() if name not in gone})


def _obtain_key(
    store: KeyStore, desired: DesiredKey, policy: Mapping[str, Any] | None, sleep: Callable[[float], None]
) -> EnsuredKey:
    """Adopt what a dead run left behind or make a key, and be content with the winner of a race."""
    orphan = find_orphan(store, desired, policy)
    own = orphan or store.create(new_key(desired, policy), desired.alias)
    if _give_alias(store, desired.alias, own.key_id):
        _await_name(store, desired.alias, own, sleep)
        found = f"{own.arn} was made for {desired.alias} by a run that did not end, and is used now"
        return EnsuredKey(_fresh(store, desired, own, policy, made=not orphan), (found,) if orphan else ())
    winner = _await(store, desired.alias, lambda _key: True, "it was given to a key", sleep)
    if winner.arn == own.arn:
        return EnsuredKey(_fresh(store, desired, own, policy, made=not orphan))
    notes = () if orphan else (_discard(store, own, winner, desired.alias),)
    return EnsuredKey(_fresh(store, desired, winner, policy, made=False), notes)


def _give_alias(store: KeyStore, alias: str, key_id: str) -> bool:
    """Return whether the key has got the alias; a leftover may go to deletion meanwhile, once another has the alias."""
    try:
        return store.create_alias(alias, key_id)
    except KeyStateError:
        if store.describe(alias) is None:
            raise
        return False


def _fresh(
    store: KeyStore, desired: DesiredKey, key: KeyDescription, policy: Mapping[str, Any] | None, *, made: bool
) -> CurrentKey:
    """Return what is known of a key that has just got the alias; one of our own making is not read again."""
    if made:
        named = None if desired.aliases is None else (desired.alias,)
        new = CurrentKey(key, named, new_key(desired, policy).tags, policy)
        return replace(new, elsewhere=names_elsewhere(store, desired, new.missing_names(desired), key))
    current = read_facets(store, desired, key, named=True)
    check_use(current, desired)
    return current


def _await_name(store: KeyStore, name: str, key: KeyDescription, sleep: Callable[[float], None]) -> None:
    """Wait until the tasks that follow can name *key* so, and do not reach another that had the name."""
    _await(store, name, lambda found: found.arn == key.arn, f"it was given to {key.arn}", sleep)


def _await(
    store: KeyStore, name: str, is_seen: Callable[[KeyDescription], bool], change: str, sleep: Callable[[float], None]
) -> KeyDescription:
    """Return the key *name* once KMS has shown *change* TIMES_SEEN times in a row.

    Raises:
        KeyStateError: it still does not.
    """
    for delay in (*DELAYS, 0.0):
        seen = [found for _time in range(TIMES_SEEN) if (found := store.describe(name)) and is_seen(found)]
        if len(seen) == TIMES_SEEN:
            return seen[-1]
        sleep(delay)
    raise KeyStateError(f"{name}: {change}, and DescribeKey does not show it yet; run again in a minute")


def _discard(store: KeyStore, own: KeyDescription, winner: KeyDescription, alias: str) -> str:
    """Schedule the deletion of a key that lost the race for its alias, and return what to tell the user."""
    lost = f"another run gave {alias} to {winner.arn} first"
    try:
        date = store.schedule_deletion(own.key_id, LOSERS_WINDOW)
    except (AwsError, KeyStateError) as exc:
        return f"{lost}; {own.arn} is not needed and remains: {exc}"
    return f"{lost}; {own.arn} is not needed and will be deleted on {date}"


def find_orphan(store: KeyStore, desired: DesiredKey, policy: Mapping[str, Any] | None) -> KeyDescription | None:
    """Return the oldest key that was made for this alias by a run that died before it could name it.

    Only keys of this account and region are looked at.

    Raises:
        KeyStateError: a key is tagged for the alias and is not what such a run leaves behind.
    """
    found = [store.describe(arn) for arn in store.find_by_tag(ALIAS_TAG, desired.alias)]
    candidates = [key for key in found if key and key.state not in GOING]
    if not candidates:
        return None
    oldest = min(candidates, key=lambda key: (key.created, key.key_id))
    _check_orphan(store, desired, policy, oldest)
    return oldest


def _check_orphan(store: KeyStore, desired: DesiredKey, policy: Mapping[str, Any] | None, key: KeyDescription) -> None:
    aliases = tuple(store.aliases(key.key_id))
    if desired.alias in aliases:
        return  # another run has just named it: CreateAlias will tell
    obstacles = obstacles_to_adoption(
        CurrentKey(key, aliases, store.tags(key.key_id), store.policy(key.key_id)),
        desired,
        policy,
        granted=store.has_grants(key.key_id),
        last_used=_last_use(store, key, desired.alias),
    )
    if obstacles:
        raise KeyStateError(
            f"{key.arn} is tagged for {desired.alias} and does not have it, but it cannot be taken into use: "
            f"{'; '.join(obstacles)}. Give it the alias yourself, or remove its tag {ALIAS_TAG}, and run again"
        )


def _last_use(store: KeyStore, key: KeyDescription, alias: str) -> str:
    try:
        return store.last_use(key.key_id).at
    except AwsError as exc:
        raise KeyStateError(
            f"{key.arn} is tagged for {alias} and does not have it; whether it was ever used cannot be known: {exc}. "
            f"Give it the alias yourself, or remove its tag {ALIAS_TAG}, and run again"
        ) from exc
