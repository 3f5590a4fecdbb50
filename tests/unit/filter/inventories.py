# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Inventories for the filters, and what they are refused for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.rootstock.pki.plugins.filter.issuance_order import issuance_order

Options = Mapping[str, Any]


def root(name: str = "root", **more: object) -> dict[str, Any]:
    entry = {"name": name, "certificate_profile": "root_ca", "subject": {"CN": f"Root {name}"}, "key": {}}
    return {**entry, **more}


def authority(name: str, issuer: str, **more: object) -> dict[str, Any]:
    profile = {"issuer": issuer, "certificate_profile": "subordinate_ca", "not_after": "issuer"}
    return {**root(name), **profile, **more}


def certificate(name: str, issuer: str = "root", **more: object) -> dict[str, Any]:
    entry = {
        "name": name,
        "issuer": issuer,
        "certificate_profile": "document_signing",
        "subject": {"CN": name},
        "key": {},
    }
    return {**entry, **more}


def without(entry: Options, *options: str) -> dict[str, Any]:
    return {option: value for option, value in entry.items() if option not in options}


def names(entries: Sequence[Options]) -> list[str]:
    return [entry["name"] for entry in entries]


def refusal(authorities: object, certificates: object = (), **more: Any) -> list[str]:
    """Return the problems that an inventory is refused for, one each."""
    with pytest.raises(AnsibleFilterError) as refused:
        issuance_order(authorities, certificates, **more)
    heading, *problems = str(refused.value).split("\n- ")
    assert heading == f"The inventory has {len(problems)} problems:" if len(problems) > 1 else "one problem" in heading
    return problems
