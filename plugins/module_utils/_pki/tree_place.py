# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a tree lives: its folders and its URLs."""

from __future__ import annotations

from dataclasses import dataclass
from posixpath import isabs, join, normpath

from .tree_options import text_problems


@dataclass(frozen=True)
class Place:
    """Where a tree lives.

    Attributes:
        base_dir: folder that relative paths of the inventory start from.
        pki_dir: folder of the tree; relative to *base_dir* unless absolute.
        base_url: what the URLs in certificates begin with; empty puts none into them.
        problems: what is wrong with the words that said so.
    """

    base_dir: str
    pki_dir: str
    base_url: str = ""
    problems: tuple[str, ...] = ()

    def path(self, path: str) -> str:
        return path if isabs(path) or path.startswith("~") else normpath(join(self.base_dir, path))

    def of_authority(self, name: str, file: str = "") -> str:
        return normpath(join(self.path(self.pki_dir), name, file))

    def url(self, authority: str, file: str) -> str:
        return f"{self.base_url.rstrip('/')}/{authority}/{file}"


def to_place(base_dir: object, pki_dir: object, base_url: object) -> Place:
    """Return where a tree lives, however wrong that is told; `place_problems` says how."""
    problems = text_problems({"pki_base_dir": base_dir, "pki_dir": pki_dir, "pki_base_url": base_url})
    return Place(str(base_dir), str(pki_dir), str(base_url), tuple(problems))


def place_problems(place: Place) -> list[str]:
    if place.problems:
        return [*place.problems]
    problems = []
    if not place.base_dir:
        problems.append(
            "the folder that relative paths start from is not known, since localhost is in no inventory file; "
            "declare it there or set pki_base_dir"
        )
    if place.base_url and not place.base_url.startswith("http://"):
        problems.append(
            f"pki_base_url {place.base_url} does not begin with http://; CRLs and issuers' certificates are fetched to "
            "check certificates, so they cannot come through a connection that needs one"
        )
    return problems
