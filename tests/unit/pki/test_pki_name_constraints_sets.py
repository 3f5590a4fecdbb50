# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Name constraints that make no sense in themselves or below others (RFC 5280 4.2.1.10)."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.rootstock.pki.plugins.module_utils._pki.constraint_sets import check_constraints, covers
from ansible_collections.rootstock.pki.plugins.module_utils._pki.general_names import to_constraint, to_general_name
from ansible_collections.rootstock.pki.plugins.module_utils._pki.held_constraints import HeldConstraints
from ansible_collections.rootstock.pki.plugins.module_utils._pki.name_constraints import check_names, exclude_others

BASES = [
    "DNS:",
    "DNS:internal",
    "DNS:acme.internal",
    "DNS:web.acme.internal",
    "DNS:acme.example",
    "IP:0.0.0.0/0",
    "IP:10.0.0.0/8",
    "IP:10.1.0.0/16",
    "IP:::/0",
    "IP:2001:db8::/32",
    "email:acme.internal",
    "email:.acme.internal",
    "email:.internal",
    "email:ann@acme.internal",
    "URI:acme.internal",
    "URI:.internal",
    "URI:.acme.internal",
    "dirName:",
    "dirName:C=DE",
    "dirName:O=Acme,C=DE",
]
NAMES = [
    "DNS:acme.internal",
    "DNS:a.web.acme.internal",
    "DNS:web.acme.internal",
    "DNS:x.internal",
    "DNS:acme.example",
    "IP:10.1.2.3",
    "IP:10.2.0.1",
    "IP:192.0.2.1",
    "IP:2001:db8::1",
    "IP:fe80::1",
    "email:ann@acme.internal",
    "email:bob@acme.internal",
    "email:bob@mail.acme.internal",
    "email:bob@mail.internal",
    "URI:http://acme.internal/",
    "URI:http://www.acme.internal/",
    "URI:http://www.internal/",
    "dirName:CN=x,O=Acme,C=DE",
    "dirName:CN=x,C=DE",
    "dirName:CN=x",
]


def constraints(permitted: Sequence[str] = (), excluded: Sequence[str] = ()) -> x509.NameConstraints:
    return x509.NameConstraints(list(map(to_constraint, permitted)) or None, list(map(to_constraint, excluded)) or None)


@given(st.sampled_from(BASES), st.sampled_from(BASES))
def test_what_covers_another_permits_all_that_the_other_does(wide: str, narrow: str) -> None:
    outer, inner = constraints([wide]), constraints([narrow])
    if covers(to_constraint(wide), to_constraint(narrow)):
        for name in map(to_general_name, NAMES):
            inside = not check_names([name], x509.Name([]), [HeldConstraints(inner)])
            assert not inside or not check_names([name], x509.Name([]), [HeldConstraints(outer)])


@pytest.mark.parametrize(
    ("wide", "narrow", "expected"),
    [
        ("DNS:internal", "DNS:acme.internal", True),
        ("DNS:acme.internal", "DNS:internal", False),
        ("DNS:", "DNS:acme.internal", True),
        ("DNS:acme.internal", "DNS:", False),
        ("IP:10.0.0.0/8", "IP:10.1.0.0/16", True),
        ("IP:0.0.0.0/0", "IP:::/0", False),
        ("email:acme.internal", "email:ann@acme.internal", True),
        ("email:ann@acme.internal", "email:acme.internal", False),
        ("email:.internal", "email:.acme.internal", True),
        ("email:.acme.internal", "email:acme.internal", False),
        ("URI:.internal", "URI:acme.internal", True),
        ("URI:acme.internal", "URI:.acme.internal", False),
        ("dirName:C=DE", "dirName:O=Acme,C=DE", True),
        ("DNS:acme.internal", "URI:acme.internal", False),
    ],
)
def test_one_base_covers_another_or_not(wide: str, narrow: str, expected: bool) -> None:
    assert covers(to_constraint(wide), to_constraint(narrow)) is expected


def test_constraints_that_narrow_those_above_are_fine() -> None:
    uppers = [constraints(["DNS:internal", "email:internal"], ["DNS:hr.internal"]), constraints(["DNS:acme.internal"])]
    above = list(map(HeldConstraints, uppers))
    assert check_constraints(constraints(["DNS:web.acme.internal"], ["DNS:old.web.acme.internal"]), above) == []
    assert check_constraints(constraints(["DNS:internal", "IP:10.0.0.0/8"]), above) == []


def test_what_forbids_other_kinds_is_fine_below_an_authority_that_permits_them() -> None:
    closed = exclude_others([to_constraint("DNS:acme.internal")])
    own = x509.NameConstraints(closed.permitted, closed.excluded)
    upper = constraints(["DNS:internal", "email:acme.internal", "URI:acme.internal"])
    assert check_constraints(own, [HeldConstraints(upper)]) == []
    assert check_constraints(own, [HeldConstraints(own)]) == []


def test_every_constraint_without_an_effect_is_a_problem() -> None:
    own = constraints(
        ["DNS:web.acme.internal", "DNS:acme.example", "DNS:acme.example"], ["DNS:acme.internal", "DNS:a", "DNS:a"]
    )
    upper = HeldConstraints(constraints(["DNS:internal"], ["DNS:acme.internal"]), "CN=Root")
    problems = check_constraints(own, [upper])
    assert problems[:2] == [
        "the permitted DNS:acme.example is there more than once; write it once",
        "the excluded DNS:a is there more than once; write it once",
    ]
    assert "the permitted DNS:web.acme.internal lies within its own excluded DNS:acme.internal" in problems[2]
    assert "the permitted DNS:web.acme.internal lies within CN=Root's excluded DNS:acme.internal" in problems[3]
    outside = (
        "the permitted DNS:acme.example is outside of what CN=Root permits (DNS:internal), so that it permits nothing"
    )
    assert outside in problems[4]
