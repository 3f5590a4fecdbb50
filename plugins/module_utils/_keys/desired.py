# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task says of a key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .names import USAGE_OF_USE, check_tags, own_tags

if TYPE_CHECKING:
    from .access import KeyAccess

DESCRIPTION_LENGTH = 8192
SHORTEST_WINDOW, LONGEST_WINDOW = 7, 30


@dataclass(frozen=True)
class DesiredKey:
    """A key as it should be. None means: not managed, left as it is.

    Attributes:
        alias: with alias/ before it; empty where the key is named by *key_id* alone.
        key_id: id, ARN, alias or alias ARN of a key that exists; empty where *alias* names it.
        purge_tags: remove the tags that *tags* does not name.
        policy: the whole key policy as the user wrote it.
        access: who may do what, of which the key policy is made; never together with *policy*.
        aliases: more names that the key must have.
        move_alias: names that other keys have are taken from them.
        cancel_deletion: a key that is pending deletion is kept.
        bypass_lockout_check: KMS takes a policy that locks its author out.
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
    access: KeyAccess | None = None
    aliases: tuple[str, ...] | None = None
    move_alias: bool = False
    enabled: bool | None = None
    cancel_deletion: bool = False
    bypass_lockout_check: bool = False

    @property
    def manages_tags(self) -> bool:
        return self.tags is not None or self.use is not None

    @property
    def manages_policy(self) -> bool:
        return self.policy is not None or self.access is not None

    @property
    def names(self) -> tuple[str, ...]:
        """Every alias that the key must have."""
        return tuple(dict.fromkeys(name for name in (self.alias, *(self.aliases or ())) if name))


@dataclass(frozen=True)
class NewKey:
    """Everything that CreateKey is told at once."""

    key_spec: str
    key_usage: str
    description: str
    tags: Mapping[str, str]
    policy: Mapping[str, Any] | None
    bypass_lockout_check: bool = False


def new_key(desired: DesiredKey, policy: Mapping[str, Any] | None) -> NewKey:
    """Return what to ask CreateKey for, the tag that says whose key it is included."""
    tags = {**(desired.tags or {}), **own_tags(desired.alias, desired.use)}
    return NewKey(
        desired.key_spec, desired.key_usage, desired.description or "", tags, policy, desired.bypass_lockout_check
    )


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
    if desired.policy is not None and desired.access is not None:
        problems.append("policy is the whole key policy: leave it out, or the lists of principals and account_root")
    return problems


def check_window(days: int, minimum: int | None) -> list[str]:
    """Return what is wrong with a pending window of *days* where the task forbids less than *minimum*."""
    problems = [
        f"{option} {value}: KMS takes {SHORTEST_WINDOW} to {LONGEST_WINDOW} days"
        for option, value in (("pending_window", days), ("minimum_pending_window", minimum))
        if value is not None and not SHORTEST_WINDOW <= value <= LONGEST_WINDOW
    ]
    if not problems and minimum is not None and days < minimum:
        problems.append(
            f"pending_window {days} is shorter than minimum_pending_window {minimum}; wait longer, or set "
            f"minimum_pending_window to {days} too. Where the key's policy was made of lists, apply it there first"
        )
    return problems
