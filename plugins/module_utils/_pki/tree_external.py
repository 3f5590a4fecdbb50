# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Authorities of a tree that somebody else issues: what is sent to them, what comes back, and what waits for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .tree_options import AUTHORITY, EXTERNAL_FILES

if TYPE_CHECKING:
    from .tree import Tree
    from .tree_entries import Entry
    from .tree_place import Place


def requests(
    order: Sequence[Entry], place: Place, options: Mapping[str, Mapping[str, object]]
) -> list[dict[str, object]]:
    """Return the options of one kms_x509_csr task per external authority.

    Args:
        options: by name, what a request has in common with a certificate.
    """
    return [
        {**options[entry.name], "path": place.of_authority(entry.name, "ca.csr")} for entry in order if entry.external
    ]


def imports(tree: Tree, order: Sequence[Entry], place: Place) -> list[dict[str, object]]:
    """Return the options of one x509_cert_import task per external authority."""
    return [
        {
            "name": entry.name,
            "src": place.path(entry.text("certificate_path")),
            "path": place.of_authority(entry.name, "ca.pem"),
            "der_path": place.of_authority(entry.name, "ca.der"),
            "fullchain_path": place.of_authority(entry.name, "chain.pem"),
            "public_key_path": place.of_authority(entry.name, "public_key.pem"),
            "trusted_certificate_path": trusted(entry, place),
            "path_length": depth_below(entry, tree.entries, tree),
            **{
                option: entry.options[option]
                for option in ("certificate_profile", "certificate_profiles")
                if option in entry.options
            },
        }
        for entry in order
        if entry.external
    ]


def trusted(entry: Entry, place: Place) -> list[str]:
    return [place.path(path) for path in entry.texts("trusted_certificate_path")]


def their_roots(order: Sequence[Entry], place: Place) -> list[dict[str, object]]:
    """Return the roots that external authorities end at, each with the name of its file in trust/ and its path."""
    found: list[dict[str, object]] = []
    for entry in filter(lambda one: one.external, order):
        paths = trusted(entry, place)
        names = [entry.name] if len(paths) == 1 else [f"{entry.name}-{n}" for n in range(1, len(paths) + 1)]
        named = zip(names, paths, strict=True)
        found += [
            {"name": name, "authority": entry.name, "path": path, "kept": place.of_authority("trust", f"{name}.pem")}
            for name, path in named
        ]
    return found


def answers(tree: Tree, order: Sequence[Entry], place: Place) -> list[dict[str, object]]:
    """Return the files that have to come from somebody else, and the names of all entries that wait for them."""
    return [
        {
            "name": entry.name,
            "path": path,
            "needed_by": f"{entry.label}: {option}",
            "below": [one.name for one in (*order, *tree.crosses) if _waits(one, entry, tree)],
            "pending": f"{entry.label}: {path} does not exist yet; have {place.of_authority(entry.name, 'ca.csr')} "
            "signed, and what is below it is built",
        }
        for entry in order
        if entry.external
        for path, option in answer_files(entry, place).items()
    ]


def answer_files(entry: Entry, place: Place) -> dict[str, str]:
    """Return the files that whoever issues *entry* sends, each with the option that names it."""
    certificate, roots = EXTERNAL_FILES
    return {place.path(entry.text(certificate)): certificate} | dict.fromkeys(trusted(entry, place), roots)


def _waits(one: Entry, external: Entry, tree: Tree) -> bool:
    """True where *one*, or a cross-certificate's subject, is below *external*."""
    of = tree.by_name.get(one.of)
    return external in tree.upwards(one) or (of is not None and external in tree.upwards(of))


def depth_below(entry: Entry, entries: Sequence[Entry], tree: Tree) -> int:
    """Return how many authorities among *entries* follow below *entry* on the longest path of the tree."""
    lines = (list(tree.upwards(one)) for one in entries if one.kind == AUTHORITY or one.is_foreign_ca)
    return max((line.index(entry) + 1 for line in lines if entry in line), default=0)
