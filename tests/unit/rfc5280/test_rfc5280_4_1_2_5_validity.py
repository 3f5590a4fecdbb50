# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""RFC 5280 4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050 on, in UTC and whole seconds."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from tests.unit.rfc5280.office import Office
from tests.unit.rfc5280.reading import asn1_of, openssl_refuses, pkilint_findings

FOR_EVER = "99991231235959Z"


def times_of(lines: list[str]) -> list[str]:
    """Return type and value of both times, as OpenSSL parses them."""
    return [line.split("prim: ")[1].replace(" ", "") for line in lines if "TIME" in line]


@pytest.mark.parametrize(
    ("not_after", "encoded"),
    [
        ("20491231235959Z", "UTCTIME:491231235959Z"),
        ("20500101000000Z", "GENERALIZEDTIME:20500101000000Z"),
        (FOR_EVER, f"GENERALIZEDTIME:{FOR_EVER}"),
        ("2049-12-31T23:59:59-01:00", "GENERALIZEDTIME:20500101005959Z"),
        ("2050-01-01T00:59:59+01:00", "UTCTIME:491231235959Z"),
    ],
)
def test_rfc5280_4_1_2_5_the_year_2050_divides_the_two_forms_of_time(
    office: Office, not_after: str, encoded: str
) -> None:
    root = office.certify_authority("long", not_after=not_after)
    assert times_of(asn1_of(root)) == ["UTCTIME:260101115000Z", encoded]
    assert pkilint_findings(root) == []
    assert openssl_refuses(office.folder, [root], office.clock.now) == ""


def test_rfc5280_4_1_2_5_both_times_may_lie_beyond_2050(office: Office) -> None:
    office.clock.now = datetime(2055, 5, 5, 5, 5, 5, tzinfo=timezone.utc)
    root = office.certify_authority("late", not_after="+1d")
    assert times_of(asn1_of(root)) == ["GENERALIZEDTIME:20550505045505Z", "GENERALIZEDTIME:20550506050505Z"]


def test_rfc5280_4_1_2_5_the_first_time_is_1950(office: Office) -> None:
    root = office.certify_authority("early", not_before="19500101000000Z")
    assert times_of(asn1_of(root))[0] == "UTCTIME:500101000000Z"
    office.key("earlier")
    assert "is before 1950" in office.refusal("earlier", "root_ca", not_before="19491231235959Z")


def test_rfc5280_4_1_2_5_times_are_whole_seconds_whatever_the_clock_says(office: Office) -> None:
    office.clock.now = office.clock.now.replace(microsecond=987_654)
    certificate = office.certify("web", "tls_client", "root", not_after="+1d")
    assert times_of(asn1_of(certificate)) == ["UTCTIME:260101115000Z", "UTCTIME:260102120000Z"]


def test_rfc5280_4_1_2_5_a_certificate_ends_with_its_issuer_at_the_latest(office: Office) -> None:
    root = office.certify_authority("short", not_after="20270101000000Z", subject={"CN": "Short"})
    told = office.refusal("web", "tls_client", "short", not_after="20270101000001Z")
    assert "the latest possible is 20270101000000Z, or not_after: issuer" in told
    leaf = office.certify("web", "tls_client", "short", not_after="issuer")
    assert leaf.not_valid_after_utc == root.not_valid_after_utc


def test_rfc5280_4_1_2_5_a_relative_start_is_clipped_to_the_issuers_and_an_absolute_one_is_refused(
    office: Office,
) -> None:
    leaf = office.certify("web", "tls_client", "root", not_before="-1d")
    assert times_of(asn1_of(leaf))[0] == "UTCTIME:260101115000Z"
    told = office.refusal("web2", "tls_client", "root", not_before="20251231000000Z")
    assert "not_before 20251231000000Z is before the issuer CN=Root starts at 20260101115000Z" in told


@pytest.mark.parametrize("not_after", ["20270229000000Z", "270101000000Z", "20270101000000.5Z", "99991231235960Z"])
def test_rfc5280_4_1_2_5_times_that_do_not_exist_are_refused(office: Office, not_after: str) -> None:
    assert f"time {not_after!r}" in office.refusal("web", "tls_client", "root", not_after=not_after)
