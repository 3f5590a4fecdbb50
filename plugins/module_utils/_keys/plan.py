# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a key is, what it should be, and the difference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .._pki.errors import KeyStateError, SpecError
from .._pki.plan import Change, Plan, compare
from .description import KeyDescription
from .desired import DesiredKey
from .names import USE_TAG, visible_tags
from .policy import check_size, normalised, partition_of

GOING = ("PendingDeletion", "PendingReplicaDeletion")


@dataclass(frozen=True)
class CurrentKey:
    """A key that exists, and those of its facets that were read.

    Attributes:
        tags: all tags, ours included; None where nobody asked.
        policy: as KMS returns it; None where nobody asked.
        aliases: all names of the key; None where nobody asked and the task's own alias is known to be one.
        elsewhere: ARNs of the keys that have names which the task wants for this one.
    """

    description: KeyDescription
    aliases: tuple[str, ...] | None = None
    tags: Mapping[str, str] | None = None
    policy: Mapping[str, Any] | None = None
    elsewhere: Mapping[str, str] = field(default_factory=dict)

    def missing_names(self, desired: DesiredKey) -> tuple[str, ...]:
        """Return the names that the key is to get."""
        return () if self.aliases is None else tuple(name for name in desired.names if name not in self.aliases)


def intended_policy(desired: DesiredKey, root: str) -> Mapping[str, Any] | None:
    """Return the key policy that the task asks for in the account whose root has the ARN *root*.

    Raises:
        SpecError: a principal cannot be there, or there are too many.
    """
    if desired.access is None:
        return desired.policy
    from .access import generated_policy  # most tasks never need these
    from .access_checks import check_home

    if problems := check_home(desired.access, root):
        raise SpecError("; ".join(problems))
    policy = generated_policy(desired.access, root)
    check_size(policy, "the key policy made of the lists of principals")
    return policy


def root_of(arn: str) -> str:
    """Return the ARN of the root of the account that *arn* belongs to."""
    return f"arn:{partition_of(arn)}:iam::{arn.split(':')[4]}:root"


def check_existing(key: KeyDescription, desired: DesiredKey) -> None:
    """Refuse a key that is not what the task says and cannot be made so.

    Raises:
        KeyStateError: other spec or usage, pending deletion, or a key of AWS's own.
    """
    name = f"{desired.alias} ({key.arn})" if desired.alias else key.arn
    problems = [
        f"{word} is {found}, and this task says {wanted}"
        for word, found, wanted in (
            ("key_spec", key.key_spec, desired.key_spec),
            ("key_usage", key.key_usage, desired.key_usage),
        )
        if found != wanted
    ]
    if problems:
        raise KeyStateError(
            f"{name}: {'; '.join(problems)}. Neither can change: say what the key is, or use another alias"
        )
    check_manager(key, name)
    if key.state in GOING and not desired.cancel_deletion:
        raise KeyStateError(
            f"{name} is pending deletion{f' on {key.deletion_date}' if key.deletion_date else ''}, and state present "
            "does not bring keys back: set cancel_deletion, or use another alias"
        )


def check_manager(key: KeyDescription, name: str) -> None:
    """Refuse a key of AWS's own."""
    if key.manager != "CUSTOMER":
        raise KeyStateError(
            f"{name} belongs to AWS (key manager {key.manager}) and cannot be managed; use a key of your own"
        )


def plan_key(current: CurrentKey | None, desired: DesiredKey, policy: Mapping[str, Any] | None) -> Plan:
    """Return what is to change for *desired* to be so.

    Args:
        policy: what intended_policy() says; None leaves the policy as it is.
    Raises:
        KeyStateError: the key is tagged for another use.
    """
    if current is None and desired.key_id:
        return Plan(pending=(f"{desired.key_id} does not exist in this account and region",))
    if current is None:
        return Plan(tuple(Change(facet, None, value) for facet, value in _new_facets(desired, policy).items()))
    check_use(current, desired)
    return Plan((*compare(current_facets(current), desired_facets(current, desired, policy)), *_moves(current)))


def check_use(current: CurrentKey, desired: DesiredKey) -> None:
    """Refuse to turn a key to another use: what a CA key has signed must stay what a CA key may sign."""
    found = (current.tags or {}).get(USE_TAG)
    if desired.use and found and found != desired.use:
        raise KeyStateError(
            f"{current.description.arn} is tagged for use {found}, and this task says {desired.use}; "
            f"use another key, or change its tag {USE_TAG} by hand if that is meant"
        )


def state_after(state: str, desired: DesiredKey) -> str:
    """Return the state that a key in *state* is to be in."""
    if state in GOING and desired.cancel_deletion:
        state = "Disabled"
    if desired.enabled is not None and state in ("Enabled", "Disabled"):
        return "Enabled" if desired.enabled else "Disabled"
    return state


def current_facets(current: CurrentKey) -> dict[str, object]:
    """Return what is known of a key that could change."""
    tags, found = current.tags or {}, current.description
    return {
        "key_state": found.state,
        "aliases": sorted(current.aliases or ()),
        "description": found.description,
        "use": tags.get(USE_TAG),
        "tags": visible_tags(tags),
        "policy": normalised(current.policy, partition_of(found.arn)) if current.policy is not None else None,
    }


def desired_facets(current: CurrentKey, desired: DesiredKey, policy: Mapping[str, Any] | None) -> dict[str, object]:
    """Return the facets that the task manages, as they should be."""
    found = current.description
    names = sorted({*current.aliases, *desired.names}) if current.aliases is not None else None
    facets = {
        "key_state": state_after(found.state, desired),
        "aliases": names,
        "use": desired.use,
        "description": desired.description,
        "tags": tags_after(current, desired),
        "policy": normalised(policy, partition_of(found.arn)) if policy is not None else None,
    }
    return {facet: value for facet, value in facets.items() if value is not None}


def tags_after(current: CurrentKey, desired: DesiredKey) -> dict[str, str] | None:
    """Return the user's tags as they should be, or None where the task says nothing of them."""
    if desired.tags is None:
        return None
    kept = {} if desired.purge_tags else visible_tags(current.tags or {})
    return {**kept, **desired.tags}


def _moves(current: CurrentKey) -> tuple[Change, ...]:
    """Return a change for the names that other keys lose."""
    if not current.elsewhere:
        return ()
    after = dict.fromkeys(current.elsewhere, current.description.arn)
    return (Change("moved_aliases", dict(current.elsewhere), after),)


def _new_facets(desired: DesiredKey, policy: Mapping[str, Any] | None) -> dict[str, object]:
    facets = {
        "alias": desired.alias,
        "aliases": sorted(desired.names) if desired.aliases else None,
        "key_spec": desired.key_spec,
        "key_usage": desired.key_usage,
        "key_state": "Disabled" if desired.enabled is False else None,
        "use": desired.use,
        "description": desired.description,
        "tags": dict(desired.tags) if desired.tags is not None else None,
        "policy": normalised(policy) if policy is not None else None,
    }
    return {facet: value for facet, value in facets.items() if value is not None}
