# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a key should be, what it is, and the difference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._pki.errors import KeyStateError
from .._pki.plan import Change, Plan, compare
from .description import KeyDescription
from .names import ALIAS_TAG, USAGE_OF_USE, USE_TAG, check_tags, own_tags, visible_tags
from .policy import default_policy, normalised, partition_of

GOING = ("PendingDeletion", "PendingReplicaDeletion")
DESCRIPTION_LENGTH = 8192


@dataclass(frozen=True)
class DesiredKey:
    """What the task says of a key. None means: not managed, left as it is.

    Attributes:
        alias: with alias/ before it; empty where the key is named by *key_id* alone.
        key_id: id, ARN, alias or alias ARN of a key that exists; empty where *alias* names it.
        purge_tags: remove the tags that *tags* does not name.
        policy: the whole key policy.
    """

    alias: str
    key_id: str
    key_spec: str
    key_usage: str
    use: str | None = None
    description: str | None = None
    tags: Mapping[str, str] | None = None
    purge_tags: bool = True
    policy: Mapping[str, Any] | None = None

    @property
    def manages_tags(self) -> bool:
        return self.tags is not None or self.use is not None


@dataclass(frozen=True)
class CurrentKey:
    """A key that exists, and those of its facets that were read.

    Attributes:
        alias: the alias that the task asks for, or empty while the key does not have it.
        tags: all tags, ours included; None where nobody asked.
    """

    description: KeyDescription
    alias: str = ""
    tags: Mapping[str, str] | None = None
    policy: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class NewKey:
    """Everything that CreateKey is told at once."""

    key_spec: str
    key_usage: str
    description: str
    tags: Mapping[str, str]
    policy: Mapping[str, Any] | None


def check_desired(desired: DesiredKey, usages: Sequence[str]) -> list[str]:
    """Return what KMS, or this collection, would refuse in *desired*.

    Args:
        usages: the key usages that its key spec allows.
    """
    problems = check_tags(desired.tags or {})
    if desired.key_usage not in usages:
        fitting = " or ".join(usages) or "none"
        problems.append(f"key_usage {desired.key_usage} does not fit key_spec {desired.key_spec}, use {fitting}")
    if desired.use and USAGE_OF_USE[desired.use] != desired.key_usage:
        problems.append(f"use {desired.use} needs key_usage {USAGE_OF_USE[desired.use]}, not {desired.key_usage}")
    if len(desired.description or "") > DESCRIPTION_LENGTH:
        problems.append(f"description: longer than the {DESCRIPTION_LENGTH} characters that KMS takes")
    return problems


def new_key(desired: DesiredKey) -> NewKey:
    """Return what to ask CreateKey for."""
    tags = {**(desired.tags or {}), **own_tags(desired.alias, desired.use)}
    return NewKey(desired.key_spec, desired.key_usage, desired.description or "", tags, desired.policy)


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
    if key.manager != "CUSTOMER":
        raise KeyStateError(
            f"{name} belongs to AWS (key manager {key.manager}) and cannot be managed; use a key of your own"
        )
    if key.state in GOING:
        raise KeyStateError(
            f"{name} is pending deletion{f' on {key.deletion_date}' if key.deletion_date else ''}, and state present "
            "does not bring keys back: cancel the deletion, or use another alias"
        )


def plan_key(current: CurrentKey | None, desired: DesiredKey) -> Plan:
    """Return what is to change for *desired* to be so.

    Raises:
        KeyStateError: the key is tagged for another use.
    """
    if current is None and desired.key_id:
        return Plan(pending=(f"{desired.key_id} does not exist in this account and region",))
    if current is None:
        return Plan(tuple(Change(facet, None, value) for facet, value in _new_facets(desired).items()))
    check_use(current, desired)
    return Plan(compare(current_facets(current), desired_facets(current, desired)))


def check_use(current: CurrentKey, desired: DesiredKey) -> None:
    """Refuse to turn a key to another use: what a CA key has signed must stay what a CA key may sign."""
    found = (current.tags or {}).get(USE_TAG)
    if desired.use and found and found != desired.use:
        raise KeyStateError(
            f"{current.description.arn} is tagged for use {found}, and this task says {desired.use}; "
            f"use another key, or change its tag {USE_TAG} by hand if that is meant"
        )


def current_facets(current: CurrentKey) -> dict[str, object]:
    """Return what is known of a key that could change."""
    tags = current.tags or {}
    policy = normalised(current.policy, partition_of(current.description.arn)) if current.policy is not None else None
    return {
        "alias": current.alias or None,
        "description": current.description.description,
        "use": tags.get(USE_TAG),
        "tags": visible_tags(tags),
        "policy": policy,
    }


def desired_facets(current: CurrentKey, desired: DesiredKey) -> dict[str, object]:
    """Return the facets that the task manages, as they should be."""
    partition = partition_of(current.description.arn)
    facets = {
        "alias": desired.alias or None,
        "use": desired.use,
        "description": desired.description,
        "tags": tags_after(current, desired),
        "policy": normalised(desired.policy, partition) if desired.policy is not None else None,
    }
    return {facet: value for facet, value in facets.items() if value is not None}


def tags_after(current: CurrentKey, desired: DesiredKey) -> dict[str, str] | None:
    """Return the user's tags as they should be, or None where the task says nothing of them."""
    if desired.tags is None:
        return None
    kept = {} if desired.purge_tags else visible_tags(current.tags or {})
    return {**kept, **desired.tags}


def obstacles_to_adoption(
    key: CurrentKey, desired: DesiredKey, *, other_aliases: Sequence[str], granted: bool, last_used: str
) -> list[str]:
    """Return why a key tagged for an alias must not get it; empty where it is what a dead run left behind."""
    found, partition = key.description, partition_of(key.description.arn)
    intended = desired.policy if desired.policy is not None else default_policy(found.arn)
    tests = (
        (found.origin == "AWS_KMS", f"its key material is {found.origin}, not AWS_KMS"),
        (found.state == "Enabled", f"it is {found.state}"),
        (found.key_spec == desired.key_spec, f"its key_spec is {found.key_spec}, not {desired.key_spec}"),
        (found.key_usage == desired.key_usage, f"its key_usage is {found.key_usage}, not {desired.key_usage}"),
        (not found.multi_region, "it is a multi-Region key"),
        (not other_aliases, f"it has {', '.join(other_aliases)}"),
        (not granted, "it has grants"),
        (not last_used, f"it was used at {last_used}"),
        ((key.tags or {}).get(ALIAS_TAG) == desired.alias, f"its tag {ALIAS_TAG} has changed"),
        (normalised(key.policy or {}, partition) == normalised(intended, partition), "its key policy is another"),
    )
    return [problem for fine, problem in tests if not fine]


def _new_facets(desired: DesiredKey) -> dict[str, object]:
    facets = {
        "alias": desired.alias,
        "key_spec": desired.key_spec,
        "key_usage": desired.key_usage,
        "use": desired.use,
        "description": desired.description,
        "tags": dict(desired.tags) if desired.tags is not None else None,
        "policy": normalised(desired.policy) if desired.policy is not None else None,
    }
    return {facet: value for facet, value in facets.items() if value is not None}
