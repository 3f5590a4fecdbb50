# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The variables that an inventory may set, and others whose names look like one of them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

PREFIX = "pki_"
# Twin of the argument specs of the roles, and of the playbooks; a test compares them.
INVENTORY_VARIABLES = (
    "pki_name",
    "pki_authorities",
    "pki_certificates",
    "pki_certificate_profiles",
    "pki_revocations",
    "pki_dir",
    "pki_base_dir",
    "pki_base_url",
    "pki_host",
)
_OF_ROLES = ("pki_tree_", "pki_revocation_")


def variable_warnings(defined: Iterable[str]) -> list[str]:
    """Return which of the variables of a host seem to be misspelt.

    Users have variables of their own that begin with `pki_`, so only those are told that are like one that is not set.
    """
    names = set(defined)
    absent = {name.removeprefix(PREFIX): name for name in INVENTORY_VARIABLES if name not in names}
    warnings = []
    for name in sorted(names.difference(INVENTORY_VARIABLES)):
        near = difflib.get_close_matches(name.removeprefix(PREFIX), absent, n=1)
        if near and name.startswith(PREFIX) and not name.startswith(_OF_ROLES):
            told = f"did you mean {absent[near[0]]}, which is not set?"
            warnings.append(f"{name} is no variable of rootstock.pki; {told}")
    return warnings
