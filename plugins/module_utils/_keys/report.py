# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can be known of keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .description import KeyDescription, LastUse
from .names import ALIAS_TAG
from .plan import GOING

MONTHLY_COST = 1.0
"""US dollars for a key of one's own, of any spec, disabled or not, in every region (AWS KMS pricing)."""


@dataclass(frozen=True)
class Selection:
    """Which keys are looked at; one of these is given.

    Attributes:
        key_id: one key by id, ARN, alias or alias ARN.
        prefix: keys with an alias that begins so, alias/ included.
        tags: keys that carry all of these.
    """

    key_id: str = ""
    prefix: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class FoundKey:
    """One key that is meant.

    Attributes:
        name: its ARN, or its ID where it was found by an alias.
        description: None where it may not be read.
        refusal: why it may not be read.
    """

    name: str
    description: KeyDescription | None
    refusal: str = ""

    @property
    def key_id(self) -> str:
        return id_of(self.name)


@dataclass(frozen=True)
class KeyReport:
    """Everything that can be known of one key; None where it could not be read.

    Attributes:
        unreadable: facet to the sentence that says why it could not be read.
    """

    key: FoundKey
    aliases: tuple[str, ...] | None
    tags: Mapping[str, str] | None
    policy: Mapping[str, Any] | None
    last_use: LastUse | None
    unreadable: Mapping[str, str]

    @property
    def made_for(self) -> str:
        """The alias that the key was made for and does not have; empty where it has it, or was made for none."""
        wanted = (self.tags or {}).get(ALIAS_TAG, "")
        return "" if self.aliases is None or wanted in self.aliases else wanted

    @property
    def monthly_cost(self) -> float | None:
        """What the key costs a month in US dollars, its use apart; nothing while it is pending deletion."""
        found = self.key.description
        return None if found is None else 0.0 if found.state in GOING else MONTHLY_COST


def id_of(name: str) -> str:
    """Return the ID of a key that is named by its ARN or its ID."""
    return name.rpartition("/")[2]
