# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A key exists once, under its alias, as the task says."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from .._keys.description import KeyDescription
from .._keys.names import ALIAS_TAG, USE_TAG, visible_tags
from .._keys.plan import (
    GOING,
    CurrentKey,
    DesiredKey,
    NewKey,
    check_existing,
    check_use,
    new_key,
    obstacles_to_adoption,
    plan_key,
    tags_after,
)
from .._pki.errors import AwsError, KeyStateError

LOSERS_WINDOW = 30
"""Days until a key that lost the race for its alias is deleted; no policy forbids the longest window."""

DELAYS = (0.2, 0.5, 1.0, 2.0, 4.0)
"""Seconds to wait for an alias that another run has just made."""


class KeyStore(Protocol):
    """The keys of one account and region; each method asks AWS and may raise AwsError or KeyStateError."""

    def describe(self, key_id: str) -> KeyDescription | None:
        """Return what *key_id* (id, ARN, alias) is, or None where there is no such key."""

    def create(self, new: NewKey, about: str) -> KeyDescription:
        """Make one key, never two."""

    def create_alias(self, alias: str, key_id: str) -> bool:
        """Give *alias* to a key; False where the alias exists already."""

    def aliases(self, key_id: str) -> list[str]:
        """Return the aliases of a key."""

    def has_grants(self, key_id: str) -> bool:
        """Return whether the key has grants."""

    def last_used(self, key_id: str) -> str:
        """Return when the key was last used, empty for never."""

    def find_by_tag(self, name: str, value: str) -> list[str]:
        """Return the ARNs of the keys of this account and region that carry a tag."""

    def tags(self, key_id: str) -> dict[str, str]:
        """Return all tags of a key."""

    def set_tags(self, key_id: str, tags: Mapping[str, str]) -> None:
        """Set *tags*, leaving others as they are."""

    def remove_tags(self, key_id: str, names: Sequence[str]) -> None:
        """Remove the tags called *names*."""

    def policy(self, key_id: str) -> dict[str, Any]:
        """Return the key policy."""

    def put_policy(self, key_id: str, policy: Mapping[str, Any]) -> None:
        """Replace the key policy."""

    def set_description(self, key_id: str, description: str) -> None:
        """Set the description."""

    def schedule_deletion(self, key_id: str, days: int) -> str:
        """Have the key deleted after *days* and return when that is."""


@dataclass(frozen=True)
class EnsuredKey:
    """The key as it is now, and what somebody should know about how it came to be."""

    key: CurrentKey
    notes: tuple[str, ...] = ()


def read_key(store: KeyStore, desired: DesiredKey) -> CurrentKey | None:
    """Return the key that the task means with the facets that it manages, or None where there is none.

    Raises:
        KeyStateError: the alias points to another key than key_id, or the key cannot be what the task says.
    """
    found, alias = _find_key(store, desired)
    return read_facets(store, desired, found, alias) if found else None


def read_facets(store: KeyStore, desired: DesiredKey, found: KeyDescription, alias: str) -> CurrentKey:
    """Read the managed facets of a key, one call each."""
    check_existing(found, desired)
    return CurrentKey(
        found,
        alias,
        store.tags(found.key_id) if desired.manages_tags else None,
        store.policy(found.key_id) if desired.policy is not None else None,
    )


def ensure_key(
    store: KeyStore, desired: DesiredKey, current: CurrentKey | None, sleep: Callable[[float], None] = time.sleep
) -> EnsuredKey:
    """Make the key what the task says, making it first where there is none.

    Args:
        current: what read_key() found.
    Raises:
        KeyStateError: a key stands in the way.
        AwsError: AWS refused; what was done so far is found again by the next run.
    """
    if current is not None:
        return EnsuredKey(apply_changes(store, desired, current))
    obtained = _obtain_key(store, desired, sleep)
    return replace(obtained, key=apply_changes(store, desired, obtained.key))


def apply_changes(store: KeyStore, desired: DesiredKey, current: CurrentKey) -> CurrentKey:
    """Change the facets that differ and return the key as it is then; the policy last, it may end our rights."""
    changed = {change.field for change in plan_key(current, desired).changes}
    key_id = current.description.key_id
    if "alias" in changed and not store.create_alias(desired.alias, key_id):
        raise KeyStateError(f"{desired.alias} was given to another key than {current.description.arn} a moment ago")
    if "description" in changed and desired.description is not None:
        store.set_description(key_id, desired.description)
    if changed & {"tags", "use"}:
        current = _apply_tags(store, desired, current)
    if "policy" in changed and desired.policy is not None:
        store.put_policy(key_id, desired.policy)
    return replace(
        current,
        alias=desired.alias,
        description=replace(
            current.description, description=_either(desired.description, current.description.description)
        ),
        policy=_either(desired.policy, current.policy),
    )


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


def _find_key(store: KeyStore, desired: DesiredKey) -> tuple[KeyDescription | None, str]:
    """Return the key and the wanted alias where it has it already."""
    aliased = store.describe(desired.alias) if desired.alias else None
    if not desired.key_id or (aliased and desired.key_id in (aliased.key_id, aliased.arn, desired.alias)):
        return aliased, desired.alias
    named = store.describe(desired.key_id)
    if aliased and (named is None or named.arn != aliased.arn):
        raise KeyStateError(
            f"{desired.alias} points to {aliased.arn}, and this task says {named.arn if named else desired.key_id}; "
            "use another alias, or the key that has this one"
        )
    return named, desired.alias if aliased else ""


def _obtain_key(store: KeyStore, desired: DesiredKey, sleep: Callable[[float], None]) -> EnsuredKey:
    """Adopt what a dead run left behind or make a key, and be content with the winner of a race."""
    orphan = find_orphan(store, desired)
    own = orphan or store.create(new_key(desired), desired.alias)
    if _give_alias(store, desired.alias, own.key_id):
        found = f"{own.arn} was made for {desired.alias} by a run that did not end, and is used now"
        return EnsuredKey(_fresh(store, desired, own, made=not orphan), (found,) if orphan else ())
    winner = _await_alias(store, desired.alias, sleep)
    if winner.arn == own.arn:
        return EnsuredKey(_fresh(store, desired, own, made=not orphan))
    notes = () if orphan else (_discard(store, own, winner, desired.alias),)
    return EnsuredKey(_fresh(store, desired, winner, made=False), notes)


def _give_alias(store: KeyStore, alias: str, key_id: str) -> bool:
    """Return whether the key has got the alias; a leftover may go to deletion meanwhile, once another has the alias."""
    try:
        return store.create_alias(alias, key_id)
    except KeyStateError:
        if store.describe(alias) is None:
            raise
        return False


def _fresh(store: KeyStore, desired: DesiredKey, key: KeyDescription, *, made: bool) -> CurrentKey:
    """Return what is known of a key that has just got the alias; one of our own making is not read again."""
    if made:
        return CurrentKey(key, desired.alias, new_key(desired).tags, desired.policy)
    current = read_facets(store, desired, key, desired.alias)
    check_use(current, desired)
    return current


def _await_alias(store: KeyStore, alias: str, sleep: Callable[[float], None]) -> KeyDescription:
    for delay in DELAYS:
        found = store.describe(alias)
        if found:
            return found
        sleep(delay)
    raise KeyStateError(f"{alias} exists, says CreateAlias, and DescribeKey does not find it; run again in a minute")


def _discard(store: KeyStore, own: KeyDescription, winner: KeyDescription, alias: str) -> str:
    """Schedule the deletion of a key that lost the race for its alias, and return what to tell the user."""
    lost = f"another run gave {alias} to {winner.arn} first"
    try:
        date = store.schedule_deletion(own.key_id, LOSERS_WINDOW)
    except AwsError as exc:
        return f"{lost}; {own.arn} is not needed and remains: {exc}"
    return f"{lost}; {own.arn} is not needed and will be deleted on {date}"


def find_orphan(store: KeyStore, desired: DesiredKey) -> KeyDescription | None:
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
    _check_orphan(store, desired, oldest)
    return oldest


def _check_orphan(store: KeyStore, desired: DesiredKey, key: KeyDescription) -> None:
    aliases = store.aliases(key.key_id)
    if desired.alias in aliases:
        return  # another run has just named it: CreateAlias will tell
    obstacles = obstacles_to_adoption(
        CurrentKey(key, "", store.tags(key.key_id), store.policy(key.key_id)),
        desired,
        other_aliases=aliases,
        granted=store.has_grants(key.key_id),
        last_used=_last_used(store, key, desired.alias),
    )
    if obstacles:
        raise KeyStateError(
            f"{key.arn} is tagged for {desired.alias} and does not have it, but it cannot be taken into use: "
            f"{'; '.join(obstacles)}. Give it the alias yourself, or remove its tag {ALIAS_TAG}, and run again"
        )


def _last_used(store: KeyStore, key: KeyDescription, alias: str) -> str:
    try:
        return store.last_used(key.key_id)
    except AwsError as exc:
        raise KeyStateError(
            f"{key.arn} is tagged for {alias} and does not have it; whether it was ever used cannot be known: {exc}. "
            f"Give it the alias yourself, or remove its tag {ALIAS_TAG}, and run again"
        ) from exc


def _either(wanted: Any, found: Any) -> Any:
    return found if wanted is None else wanted
