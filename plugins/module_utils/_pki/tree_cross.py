# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cross-certificates: one authority's name and key, certified by another authority as well (RFC 5280 3.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .request import NAME
from .tree_options import AUTHORITY

if TYPE_CHECKING:
    from .tree import Tree
    from .tree_entries import Entry


def cross_problems(tree: Tree) -> list[str]:
    """Return which cross-certificates cannot be, or lay claim to what belongs to another entry."""
    taken = {entry.name for entry in tree.entries}
    problems = []
    for cross in (one for one in tree.crosses if not one.external):
        label = f"authority {cross.of}: cross_signed_by {cross.issuer}"
        issuer = tree.by_name.get(cross.issuer)
        if issuer is None:
            problems.append(f"{label} is not in pki_authorities; there are {', '.join(tree.by_name)}")
        elif cross.issuer == cross.of:
            problems.append(f"{label} is the authority itself; leave it out")
        elif cross.issuer == tree.by_name[cross.of].issuer:
            problems.append(f"{label} is its issuer anyway; leave it out")
        elif any(above.name == cross.of for above in tree.upwards(issuer)):
            problems.append(f"{label} is below it, so no path would lead further up; leave it out")
        if cross.name in taken or not NAME.fullmatch(cross.name):
            problems.append(f"{label}: {cross.name} cannot be its name in the ledger; choose a shorter or another name")
    return problems


def reachable(tree: Tree, entry: Entry) -> tuple[tuple[Entry, ...], tuple[Entry, ...]]:
    """Return every authority that a path upwards from *entry* leads to, nearest first, and their cross-certificates.

    Cross-certificates that lead back to where another path has been already are left out.
    """
    line = list(tree.upwards(entry))
    crosses: list[Entry] = []
    for authority in line:  # grows
        for cross in tree.crosses_of(authority):
            issuer = tree.issuer_of(cross)
            if issuer is None or issuer in line or issuer.name in (entry.name, entry.of):
                continue
            crosses.append(cross)
            line += [above for above in (issuer, *tree.upwards(issuer)) if above not in line]
    return tuple(line), tuple(crosses)


def with_crosses(tree: Tree, order: Sequence[Entry]) -> tuple[Entry, ...]:
    """Return *order* with each cross-certificate after both of its authorities, and before what is below them.

    Where that cannot be, because two trees vouch for each other from below, what is below comes first.
    """
    placed: dict[str, Entry] = {}

    def place(authority: Entry) -> None:
        for entry in (*reversed(list(tree.upwards(authority))), authority):
            if entry.name not in placed:
                for cross in reachable(tree, entry)[1]:
                    place_cross(cross)
                placed.setdefault(entry.name, entry)

    started: set[str] = set()

    def place_cross(cross: Entry) -> None:
        issuer, of = tree.issuer_of(cross), tree.by_name[cross.of]
        if cross.name in started or issuer is None:
            return
        started.add(cross.name)
        place(of)
        place(issuer)
        placed[cross.name] = cross

    authorities = [entry for entry in order if entry.kind == AUTHORITY]
    for authority in authorities:
        place(authority)
    for cross in tree.crosses:
        place_cross(cross)
    return (*placed.values(), *(entry for entry in order if entry.kind != AUTHORITY))
