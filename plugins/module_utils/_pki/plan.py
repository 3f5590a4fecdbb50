# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan, then apply: the difference between what is and what should be, as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Change:
    """One field that differs."""

    field: str
    before: object
    after: object


@dataclass(frozen=True)
class Plan:
    """What a run will change, and what is missing before it can.

    Args:
        changes: every difference; empty means nothing to do.
        pending: what must exist first (a key, an issuer's certificate), one phrase each.
            In check mode it is reported; outside check mode it is an error.
        reason: why a thing that exists is made again, for the diff; empty otherwise.
    """

    changes: tuple[Change, ...] = ()
    pending: tuple[str, ...] = ()
    reason: str = ""

    @property
    def changed(self) -> bool:
        return bool(self.changes)

    @property
    def diff(self) -> dict[str, object]:
        before = {change.field: change.before for change in self.changes if change.before is not None}
        after = {change.field: change.after for change in self.changes if change.after is not None}
        if self.reason:
            after["reason"] = self.reason
        return {"before": before, "after": after}


def compare(current: Mapping[str, object] | None, desired: Mapping[str, object]) -> tuple[Change, ...]:
    """Return the fields of *desired* that *current* lacks or holds otherwise, in the order of *desired*."""
    now = current or {}
    return tuple(Change(field, now.get(field), value) for field, value in desired.items() if now.get(field) != value)
