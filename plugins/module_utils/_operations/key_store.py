# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The keys of an account, as the operations need them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from .._keys.description import KeyDescription, LastUse
from .._keys.desired import NewKey


class KeyStore(Protocol):
    """The keys of one account and region; each method asks AWS and may raise AwsError or KeyStateError."""

    def account_root(self) -> str:
        """Return the ARN of the root of the account."""

    def describe(self, key_id: str) -> KeyDescription | None:
        """Return what *key_id* (id, ARN, alias) is, or None where there is no such key."""

    def create(self, new: NewKey, about: str) -> KeyDescription:
        """Make one key, never two."""

    def create_alias(self, alias: str, key_id: str) -> bool:
        """Give *alias* to a key; False where the alias exists already."""

    def move_alias(self, alias: str, key_id: str) -> None:
        """Take *alias* from the key that has it and give it to another."""

    def aliases(self, key_id: str) -> list[str]:
        """Return the aliases of a key."""

    def has_grants(self, key_id: str) -> bool:
        """Return whether the key has grants."""

    def last_use(self, key_id: str) -> LastUse:
        """Return when the key was last used."""

    def all_aliases(self) -> dict[str, str]:
        """Return all aliases of the account and region that name a key, with the IDs of their keys."""

    def find_by_tag(self, name: str, value: str | None) -> Mapping[str, Mapping[str, str]]:
        """Return the keys of this account and region that carry a tag, with any value for None: tags by ARN."""

    def tags(self, key_id: str) -> dict[str, str]:
        """Return all tags of a key."""

    def set_tags(self, key_id: str, tags: Mapping[str, str]) -> None:
        """Set *tags*, leaving others as they are."""

    def remove_tags(self, key_id: str, names: Sequence[str]) -> None:
        """Remove the tags called *names*, where the key has them."""

    def policy(self, key_id: str) -> dict[str, Any]:
        """Return the key policy."""

    def put_policy(self, key_id: str, policy: Mapping[str, Any], bypass_lockout_check: bool) -> None:
        """Replace the key policy."""

    def set_description(self, key_id: str, description: str) -> None:
        """Set the description."""

    def enable(self, key_id: str) -> None:
        """Let the key be used."""

    def disable(self, key_id: str) -> None:
        """Let nobody use the key."""

    def cancel_deletion(self, key_id: str) -> None:
        """Keep a key that is pending deletion; it is disabled then."""

    def schedule_deletion(self, key_id: str, days: int) -> str:
        """Have the key deleted after *days* and return when that is."""

    def public_key(self, key_id: str) -> bytes:
        """Return the SubjectPublicKeyInfo of the key in DER."""
