# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When authorities renew: early enough that whatever they issue ends before they do, year after year."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from .certificate import ISSUER_END
from .errors import SpecError
from .request import RENEW_BEFORE
from .times import EARLIEST, days_text, is_relative, renew_time, to_duration
from .tree import in_order

if TYPE_CHECKING:
    from .tree import Tree
    from .tree_entries import Entry

# A run takes a while, and the next one is a day later.
_SPARE = timedelta(days=1)


@dataclass(frozen=True)
class _Longest:
    """The longest time for which an authority has to be able to certify something."""

    span: timedelta
    entry: Entry


def renewals(tree: Tree) -> dict[str, str]:
    """Return by name the renew_before of authorities that leave it out and would renew too late by its default."""
    leads = {}
    for name, longest in _longest_below(tree).items():
        authority, needed = tree.by_name[name], longest.span + _SPARE
        default = _lead(authority, RENEW_BEFORE)
        too_late = default < needed if default is not None else _ends_with_one_that_renews(tree, authority)
        if too_late and not authority.text("renew_before"):
            leads[name] = _days(needed)
    return leads


def lifetime_problems(tree: Tree) -> list[str]:
    """Return which authorities would at some time be too old for what they have to issue, and too young to renew."""
    problems = []
    for name, longest in _longest_below(tree).items():
        authority = tree.by_name[name]
        lifetime, needed = _lifetime(authority), longest.span + _SPARE
        given = authority.text("renew_before")
        lead = _lead(authority, given) if given else None
        below = f"{longest.entry.label} below it lives {days_text(longest.span)}"
        if lifetime is not None and longest.span < lifetime <= needed:
            problems.append(f"{authority.label}: lives {days_text(lifetime)}, and {below}; give it a day more at least")
        elif lead is not None and lead < needed:
            problems.append(
                f"{authority.label}: renew_before {given} is too late, because {below}, which no longer fits when it "
                f"has less left; leave renew_before out, or write {_days(needed)}"
            )
    return problems


def _days(span: timedelta) -> str:
    return f"{-(-span // timedelta(days=1))}d"


def _longest_below(tree: Tree) -> Mapping[str, _Longest]:
    """Return what has to fit into each authority; left out is what somebody else issues, or ends on a fixed day."""
    found: dict[str, _Longest] = {}
    for entry in reversed(in_order(tree)):
        span = _needed_span(entry, found)
        issuer = tree.issuer_of(entry)
        if span is None or issuer is None or issuer.external or entry.name in tree.misshapen:
            continue
        if issuer.name not in found or span > found[issuer.name].span:
            found[issuer.name] = _Longest(span, entry)
    return found


def _needed_span(entry: Entry, found: Mapping[str, _Longest]) -> timedelta | None:
    """Return how long *entry* has to live when it is issued."""
    if entry.text("not_after") != ISSUER_END:
        return _lifetime(entry)
    return found[entry.name].span + _SPARE if entry.name in found else None


def _ends_with_one_that_renews(tree: Tree, authority: Entry) -> bool:
    """Tell whether *authority* ends with its issuer, and lives longer once that is renewed."""
    if authority.text("not_after") != ISSUER_END:
        return False
    above = next((one for one in tree.upwards(authority) if one.text("not_after") != ISSUER_END), None)
    if above is None or above.external or _lifetime(above) is None:
        return False
    return bool(above.issuer or above.options.get("reissue_root"))


def _lifetime(entry: Entry) -> timedelta | None:
    """Return how long *entry* lives from its issue; None where that depends on its issuer or on the day."""
    written = entry.text("not_after") or ("" if entry.profile is None else entry.profile.not_after)
    if not is_relative(written):
        return None
    try:
        return to_duration(written)
    except SpecError:
        return None  # the gate says so


def _lead(authority: Entry, renew_before: str) -> timedelta | None:
    """Return how long before its end *authority* is renewed; None where that is not known."""
    lifetime = _lifetime(authority)
    try:
        if lifetime is None:
            return to_duration(renew_before)
        end = EARLIEST + lifetime
        return end - renew_time(EARLIEST, end, renew_before)
    except (SpecError, OverflowError):
        return None  # the gate says what is wrong with these words
