# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Generations of one name stand beside each other, and count from 1."""

from __future__ import annotations

import pytest

from ansible_collections.rootstock.pki.plugins.filter.issuance_order import issuance_order
from tests.unit.filter.inventories import authority, certificate, names, refusal, root


def test_generations_of_one_name_are_two_authorities() -> None:
    tree = [authority("a", "root-r2"), root(generation="2", subject={"CN": "R2"}), root(), authority("b", "root")]
    assert [(entry["name"], entry.get("generation")) for entry in issuance_order(tree)] == [
        ("root", "2"),
        ("a", None),
        ("root", None),
        ("b", None),
    ]


def test_a_generation_that_is_given_twice_is_refused() -> None:
    (problem, *_others) = refusal([root(generation=2), root(generation="2")])
    assert problem.startswith("name root-r2 is given 2 times")


def test_an_issuer_without_its_generation_is_refused_with_the_name_to_write() -> None:
    (problem,) = refusal([root(generation=2)], [certificate("web")])
    assert problem.endswith("issuer root is not in pki_authorities; did you mean root-r2?")


@pytest.mark.parametrize("generation", [0, "0", -1, "two", "r2"])
@pytest.mark.parametrize("issuer", ["a", "a-r0", "a-r2"])
def test_a_generation_that_is_none_is_told_once(generation: object, issuer: str) -> None:
    wrong = authority("a", "root", generation=generation)
    [problem] = refusal([root(), wrong], [certificate("web", issuer)])
    assert problem == f"authority a: generation is {generation!r}; expected a whole number, 1 or more"


def test_an_issuer_that_is_no_generation_of_another_is_told_beside_a_wrong_one() -> None:
    problems = refusal([root(), authority("a", "root", generation=0)], [certificate("web", "b-r2")])
    assert [problem.partition(":")[0] for problem in problems] == ["authority a", "certificate web"]


@pytest.mark.parametrize("generation", [1, "2", 12])
def test_a_generation_counts_from_one(generation: object) -> None:
    tree = [root(), authority("a", "root", generation=generation)]
    assert names(issuance_order(tree, [certificate("web", f"a-r{generation}")])) == ["root", "a", "web"]


def test_a_successor_whose_generation_is_wrong_is_not_taken_for_its_predecessor() -> None:
    successor = root(generation="two", subject={"CN": "R2"})
    [problem] = refusal([root(), successor], [certificate("a"), certificate("b", "root-r2")])
    assert problem == "authority root: generation is 'two'; expected a whole number, 1 or more"
