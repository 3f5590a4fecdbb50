# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""As whom, and in whose account, a key of a tree is made and used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from .tree_options import ADMINISTRATOR_ROLE, AUTHORITY, SIGNER_ROLE

if TYPE_CHECKING:
    from .tree import Tree
    from .tree_entries import Entry


def role_arn(entry: Entry, option: str) -> str:
    """Return the ARN of a role of the entry's key; empty where it has none."""
    role = (entry.key or {}).get(option)
    return str(role.get("role_arn") or "") if isinstance(role, Mapping) else ""


def made_with(entry: Entry) -> dict[str, object]:
    """Return the options of AWS, as far as the entry's key has its own, of the task that makes the key."""
    return _aws(entry, ADMINISTRATOR_ROLE)


def used_with(entry: Entry) -> dict[str, object]:
    """Return those of tasks that sign with the key, or read its public key."""
    return _aws(entry, _user(entry))


def _aws(entry: Entry, role: str) -> dict[str, object]:
    """Options are kept apart because a task that omits one would hide the default that the play gives it."""
    key = entry.key or {}
    given = {"region": key.get("region"), "assume_role": key.get(role)}
    return {"aws": {name: value for name, value in given.items() if value is not None}}


def _user(entry: Entry) -> str:
    """A certificate's key signs nothing of the tree; who makes it may read its public key."""
    return SIGNER_ROLE if entry.kind == AUTHORITY else ADMINISTRATOR_ROLE


def key_id(entry: Entry) -> str:
    """Return what the KMS API knows the entry's key by in the account of the key."""
    return f"alias/{entry.alias}" if entry.alias else str((entry.key or {}).get("key_id") or "")


def used_key_id(entry: Entry) -> str:
    """Return what the KMS API knows the entry's key by where it is used: from elsewhere an alias needs its ARN."""
    maker = role_arn(entry, ADMINISTRATOR_ROLE)
    made, used = account_of(maker), account_of(role_arn(entry, _user(entry)))
    if not entry.alias or not made or made == used:
        return key_id(entry)
    return f"arn:{maker.split(':')[1]}:kms:{entry.region}:{made}:{key_id(entry)}"


def made_in(entry: Entry) -> dict[str, object]:
    """Return the account that the key has to be in, where only those who make it know whether it is."""
    used = account_of(role_arn(entry, _user(entry)))
    unknown = used and entry.alias and not role_arn(entry, ADMINISTRATOR_ROLE)
    return {"account_id": used} if unknown else {}


def account_problems(tree: Tree) -> list[str]:
    """Return which keys cannot be reached in the account where they are made or used."""
    entries = (entry for entry in tree.well_shaped if entry.key is not None)
    return [problem for entry in entries for problem in _problems(entry)]


def _problems(entry: Entry) -> Iterator[str]:
    made, used = (account_of(role_arn(entry, role)) for role in (ADMINISTRATOR_ROLE, _user(entry)))
    named = str((entry.key or {}).get("key_id") or "")
    owner = account_of(named)
    if made and owner and made != owner:
        yield (
            f"{entry.label}: key_id {named} is in account {owner}, and {ADMINISTRATOR_ROLE} in account {made} cannot "
            f"manage it; name a role of account {owner}"
        )
    elif made and made != used and entry.alias and not entry.region:
        yield (
            f"{entry.label}: its key is made in account {made} and {_signs_in(used)}, where its alias is not known; "
            f"give key the region, for the ARN of the alias, or an {SIGNER_ROLE} of account {made}"
        )
    elif made and made != used and not entry.alias and not owner:
        yield (
            f"{entry.label}: key_id {named} is in account {made} and {_signs_in(used)}, which knows it by its ARN "
            f"alone; write that, or give key an {SIGNER_ROLE} of account {made}"
        )


def _signs_in(account: str) -> str:
    return f"signs in account {account}" if account else "signs with the credentials of the play"


def account_of(arn: str) -> str:
    """Return the account of an ARN; empty for what is none."""
    parts = arn.split(":")
    return parts[4] if len(parts) > 5 else ""
