# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tree of authorities and certificates: who issues whom, and in which order that can be done."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from .name_matching import comparable
from .problems import try_all
from .request import NAME
from .tree_accounts import account_of, role_arn
from .tree_cross import cross_problems
from .tree_entries import NAME_WORDS, Entry, shape_problems, to_crosses, to_entry, to_profiles
from .tree_options import ADMINISTRATOR_ROLE, AUTHORITY, CERTIFICATE, VARIABLES, is_list, listed, text_problems
from .tree_partners import partner_problems, to_partner_crosses

Claim = TypeVar("Claim")
_GENERATION = re.compile(r"-r[0-9]+$")


@dataclass(frozen=True)
class Tree:
    """The entries of one inventory that have a name, in the order written.

    Attributes:
        problems: what is wrong with entries by themselves.
        misshapen: names of those entries.
    """

    authorities: tuple[Entry, ...]
    certificates: tuple[Entry, ...]
    problems: tuple[str, ...] = ()
    misshapen: frozenset[str] = frozenset()
    by_name: Mapping[str, Entry] = field(init=False, repr=False, compare=False)
    crosses: tuple[Entry, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        names = dict.fromkeys(entry.name for entry in self.authorities)
        first = {entry.name: entry for entry in reversed(self.authorities)}  # the others of a name are reported
        by_name = {name: first[name] for name in names}
        object.__setattr__(self, "by_name", by_name)
        crosses = [cross for one in by_name.values() for cross in to_crosses(one, by_name)]
        partners = [cross for one in by_name.values() for cross in to_partner_crosses(one)]
        object.__setattr__(self, "crosses", (*crosses, *partners))

    @property
    def named(self) -> tuple[Entry, ...]:
        """The entries that have the name by which others are to know them."""
        return tuple(entry for entry in self.entries if not entry.of_no_generation)

    @property
    def entries(self) -> tuple[Entry, ...]:
        return (*self.authorities, *self.certificates)

    @property
    def well_shaped(self) -> tuple[Entry, ...]:
        """The entries with nothing wrong by themselves."""
        return tuple(entry for entry in self.entries if entry.name not in self.misshapen)

    def issuer_of(self, entry: Entry) -> Entry | None:
        return self.by_name.get(entry.issuer) if entry.issuer else None

    def crosses_of(self, authority: Entry) -> Iterator[Entry]:
        return (cross for cross in self.crosses if cross.of == authority.name)

    def upwards(self, entry: Entry) -> Iterator[Entry]:
        """Yield the authorities above *entry*, nearest first, each once even where they go round in a circle."""
        seen = {entry.name}
        above = self.issuer_of(entry)
        while above is not None and above.name not in seen:
            seen.add(above.name)
            yield above
            above = self.issuer_of(above)

    def is_rooted(self, entry: Entry) -> bool:
        """True where the issuers of *entry* lead up to one that has none."""
        return not [entry, *self.upwards(entry)][-1].issuer


def load_tree(authorities: object, certificates: object, pki_name: object, certificate_profiles: object = None) -> Tree:
    """Return the tree of an inventory, however wrong it is; `Tree.problems` and `structure_problems` say how."""
    profiles = to_profiles(certificate_profiles)
    problems = [*_name_problems(pki_name), *profiles.problems]
    misshapen: set[str] = set()
    loaded: dict[str, list[Entry]] = {AUTHORITY: [], CERTIFICATE: []}
    for kind, given in ((AUTHORITY, authorities), (CERTIFICATE, certificates)):
        entries, refused = _listed(kind, given)
        problems += refused
        for position, options in enumerate(entries):
            found = shape_problems(kind, position, options, profiles)
            problems += found
            if isinstance(options, Mapping) and options.get("name"):
                entry = to_entry(kind, options, str(pki_name), profiles)
                loaded[kind].append(entry)
                misshapen.update([entry.name] if found else [])
    return Tree(tuple(loaded[AUTHORITY]), tuple(loaded[CERTIFICATE]), tuple(problems), frozenset(misshapen))


def _name_problems(pki_name: object) -> list[str]:
    if not isinstance(pki_name, str):
        return text_problems({"pki_name": pki_name})
    return [] if NAME.fullmatch(pki_name) else [f"pki_name {pki_name!r} does not fit: {NAME_WORDS}"]


def _listed(kind: str, given: object) -> tuple[Sequence[object], list[str]]:
    if kind == AUTHORITY and (given is None or (is_list(given) and not given)):
        return (), [f"{VARIABLES[kind]} is empty; a tree begins with a root"]
    return ((), []) if given is None else listed(VARIABLES[kind], given)


def structure_problems(tree: Tree) -> list[str]:
    """Return what makes the order of issue impossible or two entries lay claim to one thing."""
    return [
        *_repeated_names(tree),
        *_repeated_keys(tree),
        *_repeated_subjects(tree),
        *_unknown_issuers(tree),
        *cross_problems(tree),
        *partner_problems(tree),
        *(f"issuers go round in a circle: {' -> '.join((*circle, circle[0]))}" for circle in _circles(tree)),
    ]


def _shared(claims: Iterable[tuple[Claim, Entry]]) -> Iterator[tuple[Claim, list[Entry]]]:
    claimants: dict[Claim, list[Entry]] = {}
    for claim, entry in claims:
        claimants.setdefault(claim, []).append(entry)
    return ((claim, entries) for claim, entries in claimants.items() if len(entries) > 1)


def _labels(entries: Sequence[Entry]) -> str:
    return " and ".join(entry.label for entry in entries)


def _repeated_names(tree: Tree) -> list[str]:
    shared = _shared((entry.name, entry) for entry in tree.named)
    return [
        f"name {name} is given {len(entries)} times ({_labels(entries)}); one name, one file and one line in the ledger"
        for name, entries in shared
    ]


def _repeated_keys(tree: Tree) -> list[str]:
    claims = []
    for entry in tree.named:
        if entry.key is not None:
            name = f"alias {entry.alias}" if entry.alias else f"key_id {entry.key.get('key_id')}"
            where = (entry.region, account_of(role_arn(entry, ADMINISTRATOR_ROLE)))
            claims.append((" in ".join((name, *filter(None, where))), entry))
    return [f"{claim} is the key of {_labels(entries)}; each needs its own" for claim, entries in _shared(claims)]


def _repeated_subjects(tree: Tree) -> list[str]:
    """Authorities are found by their names, so two cannot share one (RFC 5280 4.1.2.4, 4.1.2.6)."""
    named, _refused = try_all(lambda entry: (comparable(entry.subject_name()), entry), tree.authorities)
    claims = ((name, entry) for name, entry in named if name)
    return [
        f"{_labels(entries)} have the same subject; whoever looks for an issuer finds it by its subject"
        for _claim, entries in _shared(claims)
        if len({entry.name for entry in entries}) > 1
    ]


def _unknown_issuers(tree: Tree) -> list[str]:
    problems = []
    unnamed = {authority.name for authority in tree.authorities if authority.of_no_generation}
    for entry in tree.entries:
        if entry.issuer and tree.issuer_of(entry) is None and _GENERATION.sub("", entry.issuer) not in unnamed:
            near = difflib.get_close_matches(entry.issuer, tree.by_name, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(tree.by_name) or 'no authorities'}"
            problems.append(f"{entry.label}: issuer {entry.issuer} is not in pki_authorities; {hint}")
    return problems


def _circles(tree: Tree) -> list[tuple[str, ...]]:
    """Return each circle of issuers once, beginning with the name that the inventory has first."""
    circles = []
    seen: set[str] = set()
    for entry in tree.authorities:
        line: list[str] = []
        at: Entry | None = entry
        while at is not None and at.name not in seen:
            seen.add(at.name)
            line.append(at.name)
            at = tree.issuer_of(at)
        if at is not None and at.name in line:
            circles.append(tuple(line[line.index(at.name) :]))
    return circles


def in_order(tree: Tree) -> tuple[Entry, ...]:
    """Return the authorities, issuers first and otherwise as written, then the certificates.

    Left out are entries whose issuers do not lead up to a root; `structure_problems` names them.
    """
    placed: dict[str, Entry] = {}
    for authority in filter(tree.is_rooted, tree.authorities):
        line = [authority, *tree.upwards(authority)]
        placed.update({entry.name: entry for entry in reversed(line) if entry.name not in placed})
    return (*placed.values(), *filter(tree.is_rooted, tree.certificates))


def refusal(problems: Sequence[str]) -> str:
    """Return every problem in one message; empty where there is none."""
    if not problems:
        return ""
    count = "one problem" if len(problems) == 1 else f"{len(problems)} problems"
    return "\n".join([f"The inventory has {count}:", *(f"- {problem}" for problem in problems)])
