# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cross-certificates with the trees of others: what they issued to our authorities, and what theirs get from us."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .request import NAME
from .tree_entries import NAME_WORDS, SUBORDINATE, Entry, in_shape, option_problems
from .tree_external import answer_files, depth_below, trusted
from .tree_options import CROSS, CROSS_OPTIONS, EXTERNAL_FILES, SOURCE_FILES, is_list

if TYPE_CHECKING:
    from .tree import Tree
    from .tree_place import Place


def to_partner_crosses(authority: Entry) -> tuple[Entry, ...]:
    """Return the cross-certificates of *authority* that somebody outside of the tree issued."""
    listed = authority.options.get("cross_certificates")
    given = [in_shape(one, CROSS_OPTIONS) for one in (listed if is_list(listed) else ()) if isinstance(one, Mapping)]
    return tuple(
        Entry(
            CROSS,
            f"{authority.name}-by-{said['name']}",
            {**said, "certificate_profile": SUBORDINATE, "issuer": said["name"], "external": True},
            None,
            "",
            authority.written,
            of=authority.name,
        )
        for said in given
        if said.get("name")
    )


def partner_problems(tree: Tree) -> list[str]:
    """Return what is wrong with cross_certificates."""
    problems = []
    for authority in tree.authorities:
        listed = authority.options.get("cross_certificates")
        for position, given in enumerate(listed if is_list(listed) else ()):
            label = f"{authority.label}: cross_certificates[{position}]"
            if not isinstance(given, Mapping):
                problems.append(f"{label}: is {given!r}; expected a mapping with {', '.join(CROSS_OPTIONS)}")
                continue
            problems += option_problems(label, given, CROSS_OPTIONS)
            problems += [f"{label}: has no {option}" for option in ("name", *EXTERNAL_FILES) if not given.get(option)]
        problems += _name_problems(authority, tree)
    return problems


def _name_problems(authority: Entry, tree: Tree) -> list[str]:
    """Return which names of cross-certificates cannot be, or are those of others."""
    problems = []
    crosses = [cross for cross in tree.crosses_of(authority) if cross.external]
    for cross in crosses:
        label = f"{authority.label}: cross_certificates: name {cross.issuer}"
        if not NAME.fullmatch(cross.issuer):
            problems.append(f"{label} does not fit: {NAME_WORDS}")
        elif cross.issuer in tree.by_name:
            problems.append(f"{label} is an authority of this tree; use cross_signed_by, or another name for theirs")
        elif [one.name for one in crosses].count(cross.name) > 1 or cross.name in {one.name for one in tree.entries}:
            problems.append(f"{label}: {cross.name} is the name of another one; choose another name")
    return list(dict.fromkeys(problems))


def partner_imports(tree: Tree, order: Sequence[Entry], place: Place) -> list[dict[str, object]]:
    """Return the options of one x509_cert_import task per cross-certificate that somebody else issued.

    It need not reach to the authorities of yet others that ours certify: whom a partner trusts is the partner's to say.
    """
    return [
        {
            "name": cross.name,
            "src": _source(cross, place),
            "path": place.of_authority(cross.of, f"cross/{cross.issuer}.pem"),
            "public_key_path": place.of_authority(cross.of, "public_key.pem"),
            "cross_certificate_of": place.of_authority(cross.of, "ca.pem"),
            "trusted_certificate_path": trusted(cross, place),
            "path_length": cross.options.get("path_length", depth_below(authority, tree.authorities, tree)),
            "certificate_profile": cross.options["certificate_profile"],
        }
        for authority in order
        for cross in tree.crosses_of(authority)
        if cross.external
    ]


def _source(cross: Entry, place: Place) -> str:
    return place.path(cross.text("certificate_path"))


def partner_chains(tree: Tree, line: Sequence[Entry], place: Place) -> list[str]:
    """Return the files with what others issued to the authorities in *line*.

    They are the files as they came, which have been checked when they are read, so that check mode knows them too.
    """
    return [_source(cross, place) for one in line for cross in tree.crosses_of(one) if cross.external]


def partner_answers(tree: Tree, order: Sequence[Entry], place: Place) -> list[dict[str, object]]:
    """Return the files that have to come from partners, and what has to be there before they can be checked."""
    found: list[dict[str, object]] = []
    for entry in order:
        for cross in filter(lambda one: one.external, tree.crosses_of(entry)):
            own = place.of_authority(entry.name, "ca.pem")
            way = f"have {own} certified, and the next run takes it"
            found += [_answer(cross, option, path, (), way) for path, option in answer_files(cross, place).items()]
            found.append(_answer(cross, "authority", own, (), "the next run takes the cross-certificate"))
        if entry.is_foreign_ca:
            paths = [(option, place.path(entry.text(option))) for option in SOURCE_FILES if entry.text(option)]
            way = "get it, and the next run certifies it"
            found += [_answer(entry, option, path, (entry.name,), way) for option, path in paths]
    return found


def _answer(entry: Entry, option: str, path: str, below: Sequence[str], way: str) -> dict[str, object]:
    return {
        "name": entry.name,
        "path": path,
        "needed_by": f"{entry.label}: {option}",
        "below": list(below),
        "pending": f"{entry.label}: {path} does not exist yet; {way}",
    }
