# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An account's keys in memory, with a place to step in before and after each call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from ansible_collections.rootstock.pki.plugins.module_utils._keys.description import KeyDescription, LastUse
from ansible_collections.rootstock.pki.plugins.module_utils._keys.desired import NewKey
from ansible_collections.rootstock.pki.plugins.module_utils._keys.policy import default_policy
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import AwsError, KeyStateError

T = TypeVar("T")
ACCOUNT = "arn:aws:kms:eu-central-1:111122223333:key/"


@dataclass
class StoredKey:
    """One key and all there is to know of it."""

    description: KeyDescription
    tags: dict[str, str]
    policy: dict[str, Any]
    granted: bool = False
    last_used: str = ""
    tracked_since: str = ""


@dataclass
class Keys:
    """What the account holds; shared by all who work in it."""

    keys: dict[str, StoredKey] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)

    def in_use(self) -> list[StoredKey]:
        """Return the keys that nobody has scheduled for deletion."""
        return [key for key in self.keys.values() if key.description.state != "PendingDeletion"]


@dataclass
class MemoryKeyStore:
    """Fits KeyStore. *step* is called with the method's name before and after each call; it may raise.

    *denied* methods are refused, and the keys in *secret* may not be described.
    """

    account: Keys
    step: Callable[[str], object] = str
    denied: frozenset[str] = frozenset()
    secret: frozenset[str] = frozenset()
    calls: list[str] = field(default_factory=list)
    bypassed: bool = False

    def describe(self, key_id: str) -> KeyDescription | None:
        return self._do("describe", lambda: self._describe(key_id))

    def create(self, new: NewKey, about: str) -> KeyDescription:
        return self._do(f"create for {about}", lambda: self._create(new))

    def create_alias(self, alias: str, key_id: str) -> bool:
        return self._do("create_alias", lambda: self._name(alias, key_id))

    def aliases(self, key_id: str) -> list[str]:
        return self._do("aliases", lambda: [name for name, key in self.account.aliases.items() if key == key_id])

    def has_grants(self, key_id: str) -> bool:
        return self._do("has_grants", lambda: self.account.keys[key_id].granted)

    def last_use(self, key_id: str) -> LastUse:
        key = self.account.keys[key_id]
        return self._do("last_use", lambda: LastUse(key.last_used, key.tracked_since))

    def account_root(self) -> str:
        return self._do("account_root", lambda: "arn:aws:iam::111122223333:root")

    def public_key(self, key_id: str) -> bytes:
        return self._do("public_key", key_id.encode)

    def move_alias(self, alias: str, key_id: str) -> None:
        self._do("move_alias", lambda: self.account.aliases.update({alias: key_id}))

    def enable(self, key_id: str) -> None:
        self._do("enable", lambda: self._amend(key_id, state="Enabled"))

    def disable(self, key_id: str) -> None:
        self._do("disable", lambda: self._amend(key_id, state="Disabled"))

    def cancel_deletion(self, key_id: str) -> None:
        self._do("cancel_deletion", lambda: self._amend(key_id, state="Disabled", deletion_date=""))

    def all_aliases(self) -> dict[str, str]:
        return self._do("all_aliases", lambda: dict(self.account.aliases))

    def find_by_tag(self, name: str, value: str | None) -> dict[str, dict[str, str]]:
        return self._do("find_by_tag", lambda: self._tagged(name, value))

    def tags(self, key_id: str) -> dict[str, str]:
        return self._do("tags", lambda: dict(self._stored(key_id).tags))

    def set_tags(self, key_id: str, tags: Mapping[str, str]) -> None:
        self._do("set_tags", lambda: self.account.keys[key_id].tags.update(tags))

    def remove_tags(self, key_id: str, names: Sequence[str]) -> None:
        tags = self.account.keys[key_id.removeprefix(ACCOUNT)].tags
        self._do("remove_tags", lambda: [tags.pop(name, "") for name in names])

    def policy(self, key_id: str) -> dict[str, Any]:
        return self._do("policy", lambda: dict(self.account.keys[key_id].policy))

    def put_policy(self, key_id: str, policy: Mapping[str, Any], bypass_lockout_check: bool) -> None:
        self.bypassed = bypass_lockout_check
        self._do("put_policy", lambda: setattr(self.account.keys[key_id], "policy", dict(policy)))

    def set_description(self, key_id: str, description: str) -> None:
        self._do("set_description", lambda: self._amend(key_id, description=description))

    def schedule_deletion(self, key_id: str, days: int) -> str:
        date = f"in {days} days"
        self._do("schedule_deletion", lambda: self._amend(key_id, state="PendingDeletion", deletion_date=date))
        return date

    def _do(self, name: str, work: Callable[[], T]) -> T:
        self.calls.append(name)
        self.step(f"before {name}")
        if name in self.denied:
            raise AwsError(f"somebody may not {name}", operation=name, code="AccessDeniedException")
        result = work()
        self.step(f"after {name}")
        return result

    def _describe(self, key_id: str) -> KeyDescription | None:
        name = self.account.aliases.get(key_id, key_id).removeprefix(ACCOUNT)
        if name in self.secret:
            raise AwsError(f"somebody may not describe {name}", operation="describe", code="AccessDeniedException")
        return self.account.keys[name].description if name in self.account.keys else None

    def _name(self, alias: str, key_id: str) -> bool:
        if self.account.keys[key_id].description.state == "PendingDeletion":
            raise KeyStateError(f"{key_id} is pending deletion")
        taken = alias in self.account.aliases
        self.account.aliases.setdefault(alias, key_id)
        return not taken

    def _create(self, new: NewKey) -> KeyDescription:
        number = len(self.account.keys) + 1
        made = KeyDescription(
            key_id=f"key-{number}",
            arn=f"{ACCOUNT}key-{number}",
            account="111122223333",
            key_spec=new.key_spec,
            key_usage=new.key_usage,
            state="Enabled",
            description=new.description,
            origin="AWS_KMS",
            multi_region=False,
            created=f"2026-01-01T00:00:{number:02}Z",
        )
        policy = dict(new.policy) if new.policy is not None else default_policy(made.arn)
        self.account.keys[made.key_id] = StoredKey(made, dict(new.tags), policy)
        return made

    def _stored(self, key_id: str) -> StoredKey:
        return self.account.keys[key_id.removeprefix(ACCOUNT)]

    def _tagged(self, name: str, value: str | None) -> dict[str, dict[str, str]]:
        tagged = (key for key in self.account.keys.values() if name in key.tags)
        return {key.description.arn: dict(key.tags) for key in tagged if value in (None, key.tags[name])}

    def _amend(self, key_id: str, **changes: Any) -> None:
        key = self.account.keys[key_id]
        key.description = replace(key.description, **changes)
