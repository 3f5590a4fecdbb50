# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finding the key that a task means, and reading what the task manages of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._keys.description import KeyDescription
from .._keys.desired import DesiredKey
from .._keys.plan import CurrentKey, check_existing, intended_policy, root_of
from .._pki.errors import KeyStateError
from .key_store import KeyStore


def read_key(store: KeyStore, desired: DesiredKey, known: KeyDescription | None = None) -> CurrentKey | None:
    """Return the key that the task means with the facets that it manages, or None where there is none.

    Args:
        known: the key that key_id names, where somebody has asked already.
    Raises:
        KeyStateError: a name points to another key, or the key cannot be what the task says.
    """
    found, named = find_key(store, desired, known)
    if found is None:
        names_elsewhere(store, desired, desired.aliases or (), None)
        return None
    return read_facets(store, desired, found, named=named)


def read_facets(store: KeyStore, desired: DesiredKey, found: KeyDescription, *, named: bool) -> CurrentKey:
    """Read the managed facets of a key, one call each, and one for each name that it does not have yet.

    Args:
        named: whether the key is known to have the task's own alias.
    """
    check_existing(found, desired)
    aliases = None
    if desired.aliases is not None or (desired.alias and not named):
        aliases = tuple(store.aliases(found.key_id))
    key = CurrentKey(
        found,
        aliases,
        store.tags(found.key_id) if desired.manages_tags else None,
        store.policy(found.key_id) if desired.manages_policy else None,
    )
    elsewhere = names_elsewhere(store, desired, key.missing_names(desired), found)
    return CurrentKey(found, aliases, key.tags, key.policy, elsewhere)


def read_policy(store: KeyStore, desired: DesiredKey, current: CurrentKey | None) -> Mapping[str, Any] | None:
    """Return the key policy that the task asks for, None where it asks for none."""
    if desired.access is None:
        return desired.policy
    return intended_policy(desired, root_of(current.description.arn) if current else store.account_root())


def find_key(
    store: KeyStore, desired: DesiredKey, known: KeyDescription | None = None
) -> tuple[KeyDescription | None, bool]:
    """Return the key, and whether it is known to have the task's own alias."""
    aliased = store.describe(desired.alias) if desired.alias else None
    if not desired.key_id or (aliased and desired.key_id in (aliased.key_id, aliased.arn, desired.alias)):
        return aliased, aliased is not None
    named = known or store.describe(desired.key_id)
    if aliased and named and aliased.arn == named.arn:
        return named, True
    if aliased and (named is None or not desired.move_alias):
        raise _points_elsewhere(desired.alias, aliased.arn, named.arn if named else desired.key_id)
    return named, False


def names_elsewhere(
    store: KeyStore, desired: DesiredKey, names: tuple[str, ...], key: KeyDescription | None
) -> dict[str, str]:
    """Return which of *names* other keys have, with the ARNs of those keys, where they may be taken from them.

    Args:
        key: the one that is to get them.
    Raises:
        KeyStateError: a name may not, or cannot, be taken from the key that has it.
    """
    found = {name: other for name in names if (other := store.describe(name))}
    for name, other in found.items():
        if not desired.move_alias:
            raise _points_elsewhere(name, other.arn, key.arn if key else desired.alias)
        kind = (other.key_usage, other.key_spec == "SYMMETRIC_DEFAULT")
        if kind != (desired.key_usage, desired.key_spec == "SYMMETRIC_DEFAULT"):
            raise KeyStateError(
                f"{name} points to {other.arn}, a key of {other.key_spec} for {other.key_usage}, and AWS moves a name "
                f"only between keys of one kind; this task says {desired.key_spec} for {desired.key_usage}"
            )
    return {name: other.arn for name, other in found.items()}


def _points_elsewhere(alias: str, found: str, wanted: str) -> KeyStateError:
    return KeyStateError(
        f"{alias} points to {found}, and this task says {wanted}; "
        "use another alias or the key that has this one, or set move_alias"
    )
