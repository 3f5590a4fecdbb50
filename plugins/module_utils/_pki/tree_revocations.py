# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a tree is to revoke: in which ledger, and which file says which certificate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .tree_options import found, listed

if TYPE_CHECKING:
    from .tree import Tree
    from .tree_place import Place

LEDGER = "ledger.jsonl"


VARIABLE = "pki_revocations"


def revocation_problems(tree: Tree, given: object) -> list[str]:
    """Return what is no entry, and which authorities are to revoke that the inventory does not have."""
    entries, problems = listed(VARIABLE, given)
    named: dict[str, None] = {}
    for position, entry in enumerate(entries):
        if not isinstance(entry, Mapping):
            problems.append(f"{VARIABLE}[{position}]: is {found(entry)}; expected a mapping with authority and so on")
        elif not entry.get("authority"):
            problems.append(f"{VARIABLE}[{position}]: has no authority; name the one that issued the certificate")
        else:
            named[str(entry["authority"])] = None
    unknown = (name for name in named if name not in tree.by_name)
    told = "which pki_authorities does not have"
    return problems + [f"{VARIABLE} names the authority {name}, {told}" for name in unknown]


def plan_revocations(given: object, place: Place) -> list[dict[str, object]]:
    """Return the options of one x509_revocation task per entry."""
    return [
        {
            **entry,
            "ledger_path": place.of_authority(str(entry["authority"]), LEDGER),
            "issuer_path": place.of_authority(str(entry["authority"]), "ca.pem"),
            **({"path": place.path(str(entry["path"]))} if entry.get("path") else {}),
        }
        for entry in listed(VARIABLE, given)[0]
        if isinstance(entry, Mapping)
    ]
