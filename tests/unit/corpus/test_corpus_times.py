# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Times that do not exist, lie before or after what the issuer allows, or would renew for ever."""

from __future__ import annotations

from collections.abc import Iterator

from tests.unit.corpus.bad_requests import Bad, each, refused
from tests.unit.rfc5280.office import Office

NOT_UNDERSTOOD, NO_SUCH, PAST_ISSUER = "is not understood", "does not exist", "the latest possible is 20551225120000Z"
TIMES = {
    "word": ("tomorrow", NOT_UNDERSTOOD),
    "number": ("365", NOT_UNDERSTOOD),
    "no sign": ("365d", "a time from now starts with + or -"),
    "unit": ("+1y", NOT_UNDERSTOOD),
    "no number": ("+d", NOT_UNDERSTOOD),
    "sign alone": ("+", NOT_UNDERSTOOD),
    "fraction": ("+1.5d", NOT_UNDERSTOOD),
    "order": ("+1h2d", NOT_UNDERSTOOD),
    "two signs": ("+-1d", NOT_UNDERSTOOD),
    "other digits": ("+\u0661d", NOT_UNDERSTOOD),
    "span inside": ("+1 d", NOT_UNDERSTOOD),
    "never ends": ("+99999999999w", "than any calendar"),
    "after 9999": ("+3000000d", NO_SUCH),
    "february 30": ("20270230000000Z", NO_SUCH),
    "month 13": ("20271301000000Z", NO_SUCH),
    "month 0": ("20270001000000Z", NO_SUCH),
    "hour 24": ("20270101240000Z", NO_SUCH),
    "second 60": ("20270101000060Z", NO_SUCH),
    "no leap year": ("20270229000000Z", NO_SUCH),
    "year 0": ("00000101000000Z", NO_SUCH),
    "two digits of year": ("270101000000Z", NOT_UNDERSTOOD),
    "no seconds": ("202701010000Z", NOT_UNDERSTOOD),
    "no zone": ("20270101000000", NOT_UNDERSTOOD),
    "offset": ("20270101000000+0100", NOT_UNDERSTOOD),
    "fraction of a second": ("20270101000000.5Z", NOT_UNDERSTOOD),
    "iso date": ("2027-01-01", NOT_UNDERSTOOD),
    "iso without zone": ("2027-01-01T00:00:00", "it names no time zone"),
    "iso february 30": ("2027-02-30T00:00:00Z", NO_SUCH),
    "iso offset": ("2027-01-01T00:00:00+25:00", NO_SUCH),
    "iso fraction": ("2027-01-01T00:00:00.5Z", NOT_UNDERSTOOD),
    "before 1950": ("19491231235959Z", "is before 1950"),
    "null": ("+1d\x00", NOT_UNDERSTOOD),
    "surrogate": ("\ud800", NOT_UNDERSTOOD),
}
ENDS = {
    "at once": ("+0s", "is not later than"),
    "before the start": ("-1d", "is not later than"),
    "in the past": ("20200101000000Z", "is not later than"),
    "one second past the issuer": ("20551225120001Z", PAST_ISSUER),
    "long past the issuer": ("99991231235959Z", PAST_ISSUER),
    "too long for the profile": ("+826d", "longer than the 825d of certificate_profile tls_server"),
}
RENEWALS = {
    "word": ("soon", NOT_UNDERSTOOD),
    "percent alone": ("%", NOT_UNDERSTOOD),
    "whole life": ("100%", "is not shorter than the lifetime"),
    "more than life": ("101%", "is not shorter than the lifetime"),
    "longer span": ("398d", "is not shorter than the lifetime"),
    "negative": ("-30d", "is negative"),
    "negative share": ("-33%", NOT_UNDERSTOOD),
    "number": ("30", NOT_UNDERSTOOD),
    "time": ("20270101000000Z", NOT_UNDERSTOOD),
    "fraction": ("33.3333%", NOT_UNDERSTOOD),
    "for ever": ("99999999999w", "than any calendar"),
}


def bad_times() -> Iterator[Bad]:
    for option in ("not_before", "not_after"):
        for id_, (time, says) in TIMES.items():
            yield Bad(f"{option}: {id_}", says, {option: time})
    for id_, (time, says) in ENDS.items():
        yield Bad(f"not_after: {id_}", says, {"not_after": time})
    for id_, (time, says) in RENEWALS.items():
        yield Bad(f"renew_before: {id_}", says, {"renew_before": time})
    yield Bad("not_before: issuer is a word of not_after", NOT_UNDERSTOOD, {"not_before": "issuer"})
    yield Bad("not_before: before the issuer", "before the issuer CN=Root starts", {"not_before": "20250101000000Z"})
    yield Bad("not_before: after the end", "is not later than", {"not_before": "+2d", "not_after": "+1d"})


@each(bad_times())
def test_bad_times_are_refused_with_a_sentence(desk: Office, bad: Bad) -> None:
    assert refused(desk, bad)


def test_a_root_has_no_issuer_to_end_with(desk: Office) -> None:
    desk.keys.setdefault("web", desk.keys["root"])
    assert refused(desk, Bad("root", "not_after: issuer needs an issuer", {"not_after": "issuer"}, "root_ca", None))


def test_a_profile_may_not_outlive_itself(desk: Office) -> None:
    own = {"short": {"extends": "tls_server", "longest": "5d", "not_after": "6d"}}
    options = {"certificate_profiles": own, "subject_alt_name": ["DNS:web.acme.internal"], "not_after": "+7d"}
    assert refused(desk, Bad("own", "longer than the 5d of certificate_profile short", options, profile="short"))
