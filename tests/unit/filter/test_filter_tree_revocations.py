# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a tree is to revoke: the ledgers, and the files that say which certificate."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.rootstock.pki.plugins.filter.tree_plan import tree_plan

ROOT = {"name": "root", "certificate_profile": "root_ca", "subject": {"CN": "Root"}, "key": {}}


def plan(*revocations: dict[str, Any]) -> dict[str, Any]:
    return tree_plan([ROOT], pki_name="acme", pki_dir="pki", base_dir="/srv/acme", revocations=revocations)


def test_an_entry_becomes_a_task_with_the_ledger_and_the_issuer_of_its_authority() -> None:
    entry = {"authority": "root", "name": "web", "reason": "superseded"}
    files = {"ledger_path": "/srv/acme/pki/root/ledger.jsonl", "issuer_path": "/srv/acme/pki/root/ca.pem"}
    assert plan(entry)["revocations"] == [{**entry, **files}]


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("badges/4711.pem", "/srv/acme/badges/4711.pem"),
        ("../4711.pem", "/srv/4711.pem"),
        ("/tmp/4711.pem", "/tmp/4711.pem"),
        ("~/4711.pem", "~/4711.pem"),
    ],
)
def test_the_path_of_a_certificate_starts_from_the_folder_of_the_inventory(given: str, used: str) -> None:
    [task] = plan({"authority": "root", "path": given})["revocations"]
    assert task["path"] == used


def test_an_authority_that_is_not_there_is_named_once_and_nothing_is_planned() -> None:
    planned = plan(*({"authority": "nobody", "name": name} for name in ("web", "db")), {"authority": "root"})
    assert planned["problems"] == ["pki_revocations names the authority nobody, which pki_authorities does not have"]
    assert (planned["revocations"], planned["crls"]) == ([], [])
