# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Times as users write them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import SpecError
from ansible_collections.rootstock.pki.plugins.module_utils._pki.times import (
    is_relative,
    renew_time,
    to_duration,
    to_time,
)
from ansible_collections.rootstock.pki.tests.unit.pki.texts import NASTY, outcome

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=timezone.utc)
MOMENTS = st.datetimes(datetime(1950, 1, 1), datetime(9999, 12, 31, 23, 59, 59)).map(  # noqa: DTZ001
    lambda moment: moment.replace(microsecond=0, tzinfo=timezone.utc)
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("+3650d", NOW + timedelta(days=3650)),
        ("-1h", NOW - timedelta(hours=1)),
        ("+32w1d2h", NOW + timedelta(weeks=32, days=1, hours=2)),
        ("+1W2D3H4M5S", NOW + timedelta(weeks=1, days=2, hours=3, minutes=4, seconds=5)),
        ("+0s", NOW),
        ("+0000000000000001d", NOW + timedelta(days=1)),
        (" +1d ", NOW + timedelta(days=1)),
        ("20301231235959Z", datetime(2030, 12, 31, 23, 59, 59, tzinfo=timezone.utc)),
        ("2030-12-31T23:59:59Z", datetime(2030, 12, 31, 23, 59, 59, tzinfo=timezone.utc)),
        ("2030-12-31 23:59:59Z", datetime(2030, 12, 31, 23, 59, 59, tzinfo=timezone.utc)),
        ("2030-12-31T23:59:59+02:00", datetime(2030, 12, 31, 21, 59, 59, tzinfo=timezone.utc)),
        ("99991231235959Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone.utc)),
    ],
)
def test_a_time_is_read_in_every_form(text: str, expected: datetime) -> None:
    assert to_time(text, NOW) == expected
    assert to_time(text, NOW).tzinfo == timezone.utc


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "not understood"),
        ("tomorrow", "not understood"),
        ("30d", "a time from now starts with + or -"),
        ("+", "not understood"),
        ("+10", "not understood"),
        ("+1d1w", "not understood"),
        ("+1.5d", "not understood"),
        ("301231235959Z", "not understood"),
        ("20301231235959", "not understood"),
        ("20301331235959Z", "does not exist"),
        ("20300229000000Z", "does not exist"),
        ("20301231236060Z", "does not exist"),
        ("2030-12-31T23:59:59", "names no time zone"),
        ("2030-12-31T23:59:59.5Z", "not understood"),
        ("2030-12-31T23:59:59+25:00", "does not exist"),
        ("2030-12-31", "not understood"),
        ("19491231235959Z", "before 1950"),
        ("-90000d", "before 1950"),
        ("+" + "9" * 10_000 + "d", "... (10002 characters) is longer than any calendar"),
        ("+9999999999d", "longer than any calendar"),
        ("+3000000d", "does not exist"),
        ("0001-01-01T00:00:00+23:00", "does not exist"),
        ("+٣d", "not understood"),
    ],
)
def test_what_is_no_time_is_refused_with_the_way_out(text: str, sentence: str) -> None:
    with pytest.raises(SpecError, match=r"; write "):
        to_time(text, NOW)
    with pytest.raises(SpecError) as refusal:
        to_time(text, NOW)
    assert sentence in str(refusal.value)
    assert repr(text)[:80] in str(refusal.value)


def test_the_clock_is_cut_to_whole_seconds() -> None:
    assert to_time("+1s", NOW.replace(microsecond=999_999)) == NOW + timedelta(seconds=1)


def test_only_a_signed_span_is_relative() -> None:
    assert is_relative("+1d")
    assert is_relative("-1h30m")
    assert not any(map(is_relative, ["1d", "", "+", "20301231235959Z", "2030-12-31T23:59:59Z", "33%"]))


def test_a_span_needs_no_sign() -> None:
    assert to_duration("30d") == to_duration("+30d") == timedelta(days=30)
    assert to_duration("-90m") == timedelta(minutes=-90)


@given(MOMENTS)
def test_every_moment_of_x509_survives_both_absolute_forms(moment: datetime) -> None:
    year = f"{moment.year:04d}"
    assert to_time(f"{year}{moment:%m%d%H%M%S}Z", NOW) == moment
    assert to_time(f"{year}{moment:-%m-%dT%H:%M:%SZ}", NOW) == moment


@given(st.integers(0, 99), st.integers(0, 99), st.integers(0, 99), st.integers(0, 99), st.integers(0, 99))
def test_a_span_is_the_sum_of_its_units(weeks: int, days: int, hours: int, minutes: int, seconds: int) -> None:
    expected = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    text = f"{weeks}w{days}d{hours}h{minutes}m{seconds}s"
    assert to_duration(f"+{text}") == expected
    assert to_duration(f"-{text}") == -expected
    assert to_time(f"+{text}", NOW) == NOW + expected


@given(st.one_of(NASTY, st.from_regex(r"[+-]?[0-9]*[wdhmsWZT:%-]*[0-9]*[dhZ]?", fullmatch=True)))
def test_any_text_is_a_time_or_a_spec_error(text: str) -> None:
    moment, span = outcome(lambda: to_time(text, NOW)), outcome(lambda: to_duration(text))
    assert isinstance(moment, datetime) or "write" in str(moment)
    assert isinstance(span, timedelta) or "write" in str(span)
    assert is_relative(text) in (True, False)


@pytest.mark.parametrize(
    ("renew_before", "lead"),
    [
        ("33%", timedelta(hours=24 * 300 * 0.33)),
        ("33.5%", timedelta(hours=24 * 300 * 0.335)),
        ("30d", timedelta(days=30)),
        ("+30d", timedelta(days=30)),
        ("0%", timedelta(0)),
        ("0d", timedelta(0)),
        ("99.999%", timedelta(seconds=300 * 86400 * 99_999 // 100_000)),
    ],
)
def test_a_certificate_is_due_before_its_end(renew_before: str, lead: timedelta) -> None:
    end = NOW + timedelta(days=300)
    assert renew_time(NOW, end, renew_before) == end - lead


@pytest.mark.parametrize(
    ("renew_before", "sentence"),
    [
        ("100%", "not shorter than the lifetime of 300 days"),
        ("999%", "not shorter"),
        ("300d", "not shorter"),
        ("+43w", "not shorter"),
        ("-1d", "is negative"),
        ("33", "not understood"),
        ("%", "not understood"),
        ("-33%", "not understood"),
        ("1000%", "not understood"),
        ("20301231235959Z", "not understood"),
        ("", "not understood"),
    ],
)
def test_a_renewal_that_could_not_work_is_refused(renew_before: str, sentence: str) -> None:
    with pytest.raises(SpecError) as refusal:
        renew_time(NOW, NOW + timedelta(days=300), renew_before)
    assert sentence in str(refusal.value)
    assert "write" in str(refusal.value)


@pytest.mark.parametrize("span", [timedelta(0), timedelta(days=-1)])
def test_a_lifetime_that_is_none_is_refused(span: timedelta) -> None:
    with pytest.raises(SpecError, match="is not later than not_before 20260301120000Z; write a later not_after"):
        renew_time(NOW, NOW + span, "33%")


def test_a_short_lifetime_is_told_in_seconds() -> None:
    with pytest.raises(SpecError, match="lifetime of 90 seconds"):
        renew_time(NOW, NOW + timedelta(seconds=90), "1d")


@pytest.mark.parametrize(
    ("renew_before", "taken"), [("2d", False), ("48h", False), ("47h", True), ("99.9%", False), ("99%", True)]
)
def test_what_a_new_certificate_was_valid_before_its_issue_is_no_time_to_renew_in(
    renew_before: str, taken: bool
) -> None:
    start, end = NOW - timedelta(minutes=10), NOW + timedelta(days=2)
    renew_time(start, end, renew_before, issued=end)
    assert renew_time(start, end, renew_before, issued=NOW, fixed_end=True) >= start
    if taken:
        assert renew_time(start, end, renew_before, issued=NOW) > NOW
        return
    with pytest.raises(SpecError, match="not shorter than the lifetime of 2 days: every run would renew"):
        renew_time(start, end, renew_before, issued=NOW)


@given(MOMENTS, MOMENTS, st.one_of(NASTY, st.from_regex(r"[0-9]{1,3}%", fullmatch=True)))
def test_a_renewal_lies_within_the_lifetime_or_is_refused(start: datetime, end: datetime, text: str) -> None:
    due = outcome(lambda: renew_time(start, end, text))
    assert start < due <= end if isinstance(due, datetime) else "write" in str(due)
