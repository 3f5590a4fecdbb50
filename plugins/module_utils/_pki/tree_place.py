# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a tree lives: its folders and its URLs."""

from __future__ import annotations

from dataclasses import dataclass
from posixpath import isabs, join, normpath


@dataclass(frozen=True)
class Place:
    """Where a tree lives.

    Attributes:
        base_dir: folder that relative paths of the inventory start from.
        pki_dir: folder of the tree; relative to *base_dir* unless absolute.
        base_url: what the URLs in certificates begin with; empty puts none into them.
    """

    base_dir: str
    pki_dir: str
    base_url: str = ""

    def path(self, path: str) -> str:
        return path if isabs(path) or path.startswith("~") else normpath(join(self.base_dir, path))

    def of_authority(self, name: str, file: str = "") -> str:
        return normpath(join(self.path(self.pki_dir), name, file))

    def url(self, authority: str, file: str) -> str:
        return f"{self.base_url.rstrip('/')}/{authority}/{file}"


def place_problems(place: Place) -> list[str]:
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
