# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a tree is to revoke: the ledgers, and the files that say which certificate."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.rootstock.pki.plugins.filter.tree_plan import tree_plan

ROOT = {"name": "root", "certificate_profile": "root_ca", "subject": {"CN": "Root"}, "key": {}}


def plan(*revocations: Any) -> dict[str, Any]:
    return planned(revocations)


def planned(revocations: object) -> dict[str, Any]:
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
    known = {"authority": "root", "name": "web"}
    told = plan(*({"authority": "nobody", "name": name} for name in ("web", "db")), known)
    assert told["problems"] == ["pki_revocations names the authority nobody, which pki_authorities does not have"]
    assert (told["revocations"], told["crls"]) == ([], [])


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (None, 'pki_revocations is missing; say what is to be revoked, such as pki_revocations: [{"authority": "'),
        ({"authority": "root", "name": "web"}, "; expected a list, such as [{"),
        ("web", "pki_revocations is 'web'; expected a list"),
        (["web"], "pki_revocations[0]: is 'web'; expected a mapping with an authority, a name and so on"),
        ([{"name": "web"}], "pki_revocations[0]: has no authority; name the one that issued the certificate"),
        ([{"authority": "root"}], "does not say which certificate is meant; expected exactly one of name, "),
        ([{"authority": "root", "name": "web", "path": "w"}], "pki_revocations[0]: has name and path; expected "),
        ([{"authority": "root", "nam": "web"}], "pki_revocations[0]: unknown option nam; did you mean name?"),
        (
            [{"authority": "root", "name": "web", "state": "gone"}],
            "pki_revocations[0]: state is 'gone'; expected revoked, released or retired",
        ),
        ([{"authority": "root", "serial_number": "0A"}], "serial_number is '0A'; expected a whole number"),
    ],
)
def test_what_is_no_list_of_entries_is_told_in_a_sentence_and_nothing_is_planned(given: object, told: str) -> None:
    found = planned(given)
    assert [problem for problem in found["problems"] if told in problem] != [], found["problems"]
    assert found["revocations"] == []


def test_everything_that_is_wrong_with_all_entries_is_told_at_once() -> None:
    assert len(plan({"authority": "nobody", "name": "web"}, "web", {"authority": "root"})["problems"]) == 3


def test_an_empty_list_and_all_that_an_entry_can_say_are_taken() -> None:
    full = {"authority": "root", "serial_number": "4711", "state": "revoked", "reason": "superseded", "foreign": "yes"}
    times = {"revocation_date": "-1d", "invalidity_date": "-2d"}
    assert plan()["problems"] == []
    assert plan({**full, **times}, {"authority": "root", "name": "web", "issued_before": None})["problems"] == []
