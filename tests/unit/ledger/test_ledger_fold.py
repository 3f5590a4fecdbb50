# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What lines add up to does not depend on their order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.rootstock.pki.plugins.module_utils._ledger.entries import (
    Entry,
    Holder,
    Issued,
    Released,
    Revoked,
    new_id,
)
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.fold import fold, revocation_mark
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import LedgerError
from tests.unit.ledger.entry_makers import AUTHORITY, NOW, a_crl, an_intent, histories, issued_for, revoked, serial


@st.composite
def shuffled(draw: st.DrawFn) -> tuple[list[Entry], list[Entry]]:
    lines = draw(histories())
    return lines, draw(st.permutations(lines))


@given(shuffled())
def test_the_order_of_lines_does_not_matter(both: tuple[list[Entry], list[Entry]]) -> None:
    lines, permuted = both
    assert fold(permuted) == fold(lines)


@given(histories(), st.data())
def test_lines_that_stand_twice_count_once(lines: list[Entry], data: st.DataObject) -> None:
    again = data.draw(st.lists(st.sampled_from(lines), max_size=9)) if lines else []
    assert fold([*again, *lines]) == fold(lines) == fold([*lines, *again])


@given(histories(), st.data())
def test_a_union_of_two_branches_has_the_certificates_and_revocations_of_both(
    lines: list[Entry], data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(lines)))
    base, ours, theirs = lines[: at // 2], lines[at // 2 : at], lines[at:]
    merged = fold([*base, *ours, *theirs])
    for branch in (fold([*base, *ours]), fold([*base, *theirs])):
        assert branch.records.keys() <= merged.records.keys()
        for revocation in branch.revocations:
            if not revocation.hold:
                in_force = merged.revocation_of(revocation.serial)
                assert in_force is not None
                assert not in_force.hold


@given(histories())
def test_a_revocation_for_good_outlasts_every_other_line(lines: list[Entry]) -> None:
    state = fold(lines)
    for line in lines:
        if isinstance(line, Revoked) and line.reason != "certificate_hold":
            in_force = state.revocation_of(line.serial)
            assert in_force is not None
            assert not in_force.hold
            record = state.by_serial(line.serial)
            assert record is None or record.status(NOW) == "revoked"


@given(histories())
def test_counts_add_up_to_all_certificates(lines: list[Entry]) -> None:
    state = fold(lines)
    counts = dict(state.counts(NOW + timedelta(days=3)))
    assert counts.pop("open_intents") == len(state.open_intents)
    assert sum(counts.values()) == len(list(state.certificates))
    assert len(list(state.certificates)) == len(
        {line.serial for line in lines if isinstance(line, Issued) or type(line).__name__ == "Adopted"}
    )


def _only(lines: Sequence[Entry]) -> Revoked:
    return next(line for line in lines if isinstance(line, Revoked))


def test_a_release_ends_the_hold_that_it_names_and_no_other() -> None:
    here, there = revoked(1, "certificate_hold"), revoked(1, "certificate_hold")
    release = Released(new_id(), NOW, serial(1), here.id)
    assert fold([here, release]).revocation_of(serial(1)) is None
    merged = fold([here, release, there]).revocation_of(serial(1))
    assert merged is not None
    assert merged.holds == (there.id,)


def test_a_compromise_is_told_before_other_reasons_and_the_earliest_before_later_ones() -> None:
    late = revoked(1, "key_compromise", NOW + timedelta(days=1))
    state = fold([revoked(1, "superseded"), late, revoked(1, "affiliation_changed", NOW - timedelta(days=1))])
    revocation = state.revocation_of(serial(1))
    assert revocation is not None
    assert (revocation.reason, revocation.revoked_at) == ("key_compromise", late.revoked_at)
    state = fold([revoked(1, "superseded"), revoked(1, "affiliation_changed", NOW - timedelta(days=1))])
    revocation = state.revocation_of(serial(1))
    assert revocation is not None
    assert revocation.reason == "affiliation_changed"


def test_the_end_of_a_foreign_certificate_is_taken_from_its_revocation() -> None:
    end = NOW + timedelta(days=30)
    revocation = fold([replace(revoked(1), not_after=end)]).revocation_of(serial(1))
    assert revocation is not None
    assert revocation.not_after == end


def test_lines_that_share_an_id_and_differ_are_refused() -> None:
    line = revoked(1)
    with pytest.raises(LedgerError, match=f"two lines with the id {line.id} differ"):
        fold([line, replace(line, reason="key_compromise")])


def test_lines_of_two_authorities_are_refused() -> None:
    with pytest.raises(LedgerError, match="two authorities"):
        fold([replace(revoked(1), authority=AUTHORITY), replace(revoked(2), authority="another")])


def test_a_certificate_whose_intent_was_lost_is_still_known_by_its_serial() -> None:
    record = fold([issued_for(an_intent())]).by_serial(serial(1))
    assert record is not None
    assert (record.name, record.intent) == ("", None)


def test_who_asked_kms_tells_more_of_a_certificate_and_a_crl_than_who_found_it_stored() -> None:
    intent, crl_intent = an_intent(), an_intent("crl full", purpose="crl")
    asked = replace(issued_for(intent), time=NOW + timedelta(seconds=2), key_arn="arn")
    found = replace(asked, id=new_id(), time=NOW, request_id="", key_arn="")
    made = a_crl(crl_intent, 5)
    taken_up = replace(made, id=new_id(), time=made.time + timedelta(seconds=2), request_id="")
    state = fold([intent, found, asked, crl_intent, made, taken_up])
    record = state.by_serial(serial(1))
    assert record is not None
    assert (record.key_arn, record.recorded_at) == ("arn", asked.time)
    assert state.last_crl("full") == made


def test_an_outcome_of_another_serial_than_its_intent_is_none() -> None:
    intent = an_intent()
    state = fold([intent, replace(issued_for(intent), serial=serial(2))])
    assert state.open_intents == (intent,)
    assert state.current("web", NOW) is None


def test_a_claim_ends_when_its_process_is_gone() -> None:
    intent = an_intent(holder=Holder("here", 1))
    state = fold([intent])
    assert state.claim_on("web", NOW, gone=lambda _: True) is None
    claim = state.claim_on("web", NOW, gone=lambda _: False)
    assert claim is not None
    assert claim.intent == intent


@given(st.lists(st.integers(0, 2**128 - 1), unique=True), st.integers(0, 20))
def test_a_mark_can_be_built_in_parts(numbers: list[int], at: int) -> None:
    ids = [f"{number:032x}" for number in numbers]
    assert revocation_mark(ids[at:], revocation_mark(ids[:at])) == revocation_mark(reversed(ids))
