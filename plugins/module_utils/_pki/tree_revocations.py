# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a tree is to revoke: in which ledger, and which file says which certificate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .tree import Tree
    from .tree_place import Place

LEDGER = "ledger.jsonl"


def revocation_problems(tree: Tree, given: Sequence[Mapping[str, object]]) -> list[str]:
    """Return which authorities are to revoke that the inventory does not have."""
    named = dict.fromkeys(str(entry.get("authority")) for entry in given)
    return [
        f"pki_revocations names the authority {name}, which pki_authorities does not have"
        for name in named
        if name not in tree.by_name
    ]


def plan_revocations(given: Sequence[Mapping[str, object]], place: Place) -> list[dict[str, object]]:
    """Return the options of one x509_revocation task per entry."""
    return [
        {
            **entry,
            "ledger_path": place.of_authority(str(entry["authority"]), LEDGER),
            "issuer_path": place.of_authority(str(entry["authority"]), "ca.pem"),
            **({"path": place.path(str(entry["path"]))} if entry.get("path") else {}),
        }
        for entry in given
    ]
