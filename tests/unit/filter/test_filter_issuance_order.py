# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Issuers come first, and a tree whose entries do not fit together is refused with everything that is wrong."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.rootstock.pki.plugins.filter.issuance_order import FilterModule, issuance_order
from tests.unit.filter.inventories import (
    authority,
    certificate,
    names,
    refusal,
    root,
)


def test_the_filter_has_the_name_that_playbooks_use() -> None:
    assert FilterModule().filters() == {"issuance_order": issuance_order}


def test_issuers_come_first_and_the_rest_stays_as_written() -> None:
    tree = [authority("c", "b"), authority("b", "a"), root("z"), root("a"), authority("y", "z")]
    assert names(issuance_order(tree)) == ["a", "b", "c", "z", "y"]


def test_certificates_follow_the_authorities() -> None:
    order = issuance_order([authority("b", "a"), root("a")], [certificate("two", "b"), certificate("one", "a")])
    assert names(order) == ["a", "b", "two", "one"]


def test_entries_come_out_as_they_went_in() -> None:
    entry = root(not_after="+10d", renew_before=None)
    assert issuance_order([entry]) == [entry]


def test_a_tree_may_be_as_deep_as_you_like() -> None:
    depth = 300
    line = [authority(f"ca{n}", f"ca{n - 1}") for n in range(depth, 0, -1)]
    assert names(issuance_order([*line, root("ca0")])) == [f"ca{n}" for n in range(depth + 1)]


def test_mappings_and_sequences_of_any_kind_are_understood() -> None:
    entry = MappingProxyType({**root(), "subject": MappingProxyType({"CN": "Root"}), "key": MappingProxyType({})})
    assert names(issuance_order((entry,), ())) == ["root"]


@given(st.data())
def test_in_every_forest_all_come_after_their_issuers(data: st.DataObject) -> None:
    issuers = [data.draw(st.integers(-1, n - 1)) for n in range(data.draw(st.integers(1, 8)))]
    forest = [root(f"ca{n}") if i < 0 else authority(f"ca{n}", f"ca{i}") for n, i in enumerate(issuers)]
    ordered = names(issuance_order(data.draw(st.permutations(forest))))
    assert sorted(ordered) == sorted(names(forest))
    assert all(ordered.index(f"ca{n}") > ordered.index(f"ca{i}") for n, i in enumerate(issuers) if i >= 0)


# What makes an order impossible


def test_every_problem_is_in_one_message() -> None:
    problems = refusal(
        [root(key=None), authority("a", "b"), authority("b", "a"), authority("root", "rot")],
        [certificate("web", "services"), certificate("a", "root", not_after="tomorrow")],
    )
    assert len(problems) == 7


def test_an_unknown_issuer_is_refused_with_the_nearest_name() -> None:
    assert refusal([root("services")], [certificate("web", "service")]) == [
        "certificate web: issuer service is not in pki_authorities; did you mean services?"
    ]


def test_an_unknown_issuer_that_is_near_to_none_is_refused_with_all_names() -> None:
    problems = refusal([root("a"), root("b")], [certificate("web", "xyz")])
    assert problems == ["certificate web: issuer xyz is not in pki_authorities; there are a, b"]


@pytest.mark.parametrize("length", [1, 2, 5])
def test_a_circle_of_issuers_is_shown_once_from_end_to_end(length: int) -> None:
    circle = [authority(f"ca{n}", f"ca{(n + 1) % length}") for n in range(length)]
    line = " -> ".join([*(f"ca{n}" for n in range(length)), "ca0"])
    below = authority("below", "ca0")
    assert refusal([root(), below, *circle]) == [f"issuers go round in a circle: {line}"]


def test_a_certificate_cannot_be_an_issuer() -> None:
    problems = refusal([root()], [certificate("people"), certificate("alice", "people")])
    assert problems == ["certificate alice: issuer people is not in pki_authorities; there are root"]


@pytest.mark.parametrize("kind", [authority, certificate])
def test_a_name_that_is_given_twice_is_refused(kind: Any) -> None:
    authorities = [root(), kind("a", "root", subject={"CN": "b"}, key={"alias": "other"})]
    authorities, certificates = (authorities, []) if kind is authority else (authorities[:1], authorities[1:])
    problems = refusal([*authorities, authority("a", "root")], certificates)
    assert [problem.partition(" is given ")[0] for problem in problems] == ["name a"]


@pytest.mark.parametrize("alias", ["pki/pki/root", "alias/pki/pki/root"])
def test_an_alias_that_is_given_twice_is_refused(alias: str) -> None:
    assert refusal([root()], [certificate("web", key={"alias": alias})]) == [
        "alias pki/pki/root is the key of authority root and certificate web; each needs its own"
    ]


def test_one_alias_in_two_regions_is_two_keys() -> None:
    keys = [{"alias": "ca"}, {"alias": "ca", "region": "eu-west-1"}]
    assert len(issuance_order([root("a", key=keys[0]), root("b", key=keys[1])])) == 2


def test_a_key_id_that_is_given_twice_is_refused() -> None:
    key = {"key_id": "1234abcd-12ab-34cd-56ef-1234567890ab"}
    assert len(refusal([root("a", key=key), root("b", key=key)])) == 1


def test_two_authorities_of_one_subject_are_refused() -> None:
    problems = refusal([root("a", subject={"CN": "Acme"}), root("b", subject=None, subject_ordered=[{"CN": "Acme"}])])
    assert [problem.partition(";")[0] for problem in problems] == ["authority a and authority b have the same subject"]


@pytest.mark.parametrize(
    "subject",
    [
        {"CN": "Acme Root", "O": "Acme"},
        {"common_name": "Acme Root", "organizationName": "Acme"},
        {"2.5.4.3": "acme  root", "organization_name": "ACME"},
    ],
)
def test_one_subject_in_other_words_is_the_same(subject: dict[str, str]) -> None:
    tree = [root("a", subject={"commonName": "Acme Root", "O": "Acme"}), root("b", subject=subject)]
    assert [problem.partition(";")[0] for problem in refusal(tree)] == [
        "authority a and authority b have the same subject"
    ]


def test_subjects_that_differ_in_their_order_are_two() -> None:
    tree = [root("a", subject={"CN": "Acme", "O": "Acme"}), root("b", subject={"O": "Acme", "CN": "Acme"})]
    assert names(issuance_order(tree)) == ["a", "b"]
