# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a tree is to revoke: in which ledger, and which file says which certificate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .tree_entries import option_problems
from .tree_options import REVOCATION_OPTIONS, SELECTORS, found, is_list

if TYPE_CHECKING:
    from .tree import Tree
    from .tree_place import Place

LEDGER = "ledger.jsonl"
VARIABLE = "pki_revocations"
EXAMPLE = '[{"authority": "services", "name": "web", "reason": "key_compromise"}]'


def load_revocations(given: object) -> tuple[Sequence[Mapping[str, Any]], list[str]]:
    """Return the entries of pki_revocations, and what is wrong with them by themselves."""
    if given is None:
        return (), [f"{VARIABLE} is missing; say what is to be revoked, such as {VARIABLE}: {EXAMPLE}"]
    if not is_list(given):
        return (), [f"{VARIABLE} is {found(given)}; expected a list, such as {EXAMPLE}"]
    problems = [problem for place, entry in enumerate(given) for problem in _shape_problems(place, entry)]
    return [entry for entry in given if isinstance(entry, Mapping)], problems


def _shape_problems(place: int, entry: object) -> list[str]:
    label = f"{VARIABLE}[{place}]"
    if not isinstance(entry, Mapping):
        return [f"{label}: is {found(entry)}; expected a mapping with an authority, a name and so on"]
    problems = option_problems(label, entry, REVOCATION_OPTIONS)
    if entry.get("authority") is None:
        problems.append(f"{label}: has no authority; name the one that issued the certificate")
    chosen = [option for option in SELECTORS if entry.get(option) is not None]
    if len(chosen) != 1:
        told = f"has {' and '.join(chosen)}" if chosen else "does not say which certificate is meant"
        problems.append(f"{label}: {told}; expected exactly one of {', '.join(SELECTORS)}")
    return problems


def revocation_problems(tree: Tree, entries: Sequence[Mapping[str, object]]) -> list[str]:
    """Return which authorities are to revoke that the inventory does not have."""
    named = dict.fromkeys(str(entry["authority"]) for entry in entries if entry.get("authority") is not None)
    return [
        f"{VARIABLE} names the authority {name}, which pki_authorities does not have"
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
