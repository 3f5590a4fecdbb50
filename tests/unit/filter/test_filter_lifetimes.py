# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Authorities are renewed in time for what they issue, and an inventory in which they would not be is refused."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.rootstock.pki.plugins.filter.issuance_order import issuance_order
from ansible_collections.rootstock.pki.plugins.filter.tree_plan import tree_plan
from tests.unit.filter.inventories import Options, authority, certificate, refusal, root, without


def issuing(**more: Any) -> dict[str, Any]:
    return authority("issuing", "root", not_after="+1000d", **more)


def leads(authorities: list[Options], *certificates: Options) -> dict[str, str]:
    """Return the renew_before of the tasks that have one."""
    plan = tree_plan(authorities, certificates, pki_name="x", pki_dir="pki", base_dir="/srv")
    assert plan["problems"] == []
    tasks: Any = plan["certificates"]
    return {task["name"]: task["renew_before"] for task in tasks if "renew_before" in task}


def test_an_authority_is_renewed_a_day_before_the_longest_below_it_no_longer_fits() -> None:
    short, long = (certificate(name, "issuing", not_after=span) for name, span in (("a", "+90d"), ("b", "+400d1h")))
    assert leads([root(), issuing()], short) == {}
    assert leads([root(), issuing()], short, long) == {"issuing": "402d"}


def test_renew_before_of_the_inventory_stays() -> None:
    assert leads([root(), issuing(renew_before="50%")], certificate("a", "issuing", not_after="+400d")) == {
        "issuing": "50%"
    }


def test_an_authority_that_ends_with_its_issuer_leaves_time_for_both() -> None:
    tree = [root(), issuing(), authority("last", "issuing"), authority("idle", "issuing")]
    assert leads(tree, certificate("a", "last", not_after="+400d")) == {"issuing": "402d", "last": "401d"}


@pytest.mark.parametrize("end", ["20500101000000Z", "issuer"])
def test_an_authority_is_not_renewed_earlier_where_that_would_not_lengthen_its_life(end: str) -> None:
    tree = [root(), authority("issuing", "root", not_after=end), authority("last", "issuing")]
    assert {"issuing", "last"}.isdisjoint(leads(tree, certificate("a", "last", not_after="+400d")))


def test_a_root_warns_once_its_authorities_no_longer_fit() -> None:
    assert leads([root(not_after="+3000d"), issuing()]) == {"root": "1001d"}


def test_a_renew_before_too_late_for_what_is_below_is_refused() -> None:
    below = certificate("a", "issuing", not_after="+400d")
    (problem,) = refusal([root(), issuing(renew_before="30d")], [below])
    assert problem == (
        "authority issuing: renew_before 30d is too late, because certificate a below it lives 400 days, which no "
        "longer fits when it has less left; leave renew_before out, or write 401d"
    )
    assert len(refusal([root(), issuing(renew_before="40%")], [below])) == 1
    assert issuance_order([root(), issuing(renew_before="401d")], [below])


def test_an_authority_that_lives_hardly_longer_than_what_it_issues_is_refused() -> None:
    (problem,) = refusal([root(), issuing()], [certificate("a", "issuing", not_after="+999d12h")])
    assert problem == (
        "authority issuing: lives 1000 days, and certificate a below it lives 999 days; give it a day more at least"
    )


def test_an_authority_that_somebody_else_issues_is_renewed_when_they_do() -> None:
    files = {"external": True, "certificate_path": "a.pem", "trusted_certificate_path": ["r.pem"]}
    theirs = {**without(authority("issuing", ""), "issuer", "not_after"), **files}
    assert leads([theirs], certificate("a", "issuing", not_after="+4000d")) == {}


def dated_problems(authorities: list[Options]) -> list[dict[str, str]]:
    plan: Any = tree_plan(authorities, pki_name="x", pki_dir="pki", base_dir="/srv")
    assert plan["problems"] == []
    found: list[dict[str, str]] = plan["dated_problems"]
    return found


@pytest.mark.parametrize(
    ("above", "below", "problem"),
    [
        ({}, {"not_before": "20200101000000Z"}, "is before the issuer CN=Root root starts"),
        ({}, {"not_after": "20990101000000Z"}, "is past the end of the issuer CN=Root root"),
        ({}, {"not_after": "20200101000000Z"}, "is not later than"),
        ({"not_after": "20400101000000Z"}, {"not_after": "+9000d"}, "is past the end of the issuer CN=Root root"),
        ({"not_before": "20200101000000Z"}, {"not_after": "+20000d"}, "is past the end of the issuer CN=Root root"),
    ],
)
def test_fixed_times_are_judged_only_until_the_issuer_exists(above: Options, below: Options, problem: str) -> None:
    tree = [root(**above), authority("a", "root", **below)]
    [found] = dated_problems(tree)
    assert found["path"] == "/srv/pki/root/ca.pem"
    assert found["problem"].startswith("authority a: not_")
    assert problem in found["problem"]
    assert len(issuance_order(tree)) == 2


def test_fixed_times_of_a_root_are_judged_until_it_exists() -> None:
    [found] = dated_problems([root(not_after="20200101000000Z")])
    assert found["path"] == "/srv/pki/root/ca.pem"
