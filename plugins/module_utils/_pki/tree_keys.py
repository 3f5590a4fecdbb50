# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The keys of a tree as the role takes them that makes their policies and the roles that use them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from .tree_options import ADMINISTRATOR_ROLE, PRINCIPALS, SIGNER_ROLE
from .tree_plan import kms_keys

if TYPE_CHECKING:
    from .tree import Tree
    from .tree_entries import Entry

OF_THE_TREE = ("name", "aws", "account_id", "tags", "purge_tags")
"""What pki_tree alone manages, or says of a key in another form."""

POLICY_OPTIONS = ("policy", *PRINCIPALS, "break_glass_principals", "account_root", "minimum_pending_window")
"""Options with which pki_tree makes a policy of its own."""


def access_keys(order: Sequence[Entry], pki_name: str) -> list[dict[str, object]]:
    """Return signing_access_keys of all that have a key in KMS."""
    return [access_key(options) for options in kms_keys(order, pki_name)]


def access_key(options: Mapping[str, object]) -> dict[str, object]:
    """Return the options of a kms_key task as one of signing_access_keys."""
    said = {name: value for name, value in options.items() if name not in OF_THE_TREE}
    aws = options["aws"] if isinstance(options["aws"], Mapping) else {}
    made = {ADMINISTRATOR_ROLE if name == SIGNER_ROLE else name: value for name, value in aws.items()}
    return {**said, "alias": str(said["alias"]).removeprefix("alias/"), **made}


def access_key_problems(tree: Tree) -> list[str]:
    """Return which keys of *tree* cannot have their policies made by a role of its own."""
    return [problem for entry in tree.entries if entry.key is not None for problem in _problems(entry, entry.key)]


def _problems(entry: Entry, key: Mapping[str, object]) -> Iterator[str]:
    if not entry.alias:
        yield f"{entry.label}: its key has no alias for signing_access to know it by; give key an alias"
    said = [option for option in POLICY_OPTIONS if key.get(option) is not None]
    if said:
        yield (
            f"{entry.label}: its key has {', '.join(said)}, of which pki_tree makes its policy, and only one role can; "
            "leave that out of the inventory, or list the keys that signing_access is for as signing_access_keys"
        )
