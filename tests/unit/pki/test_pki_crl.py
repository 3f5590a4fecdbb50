# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""CRLs as values: numbers, entries in and out, PEM and DER, and which partition a certificate is in."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.rootstock.pki.plugins.module_utils._ledger.entries import REASONS
from ansible_collections.rootstock.pki.plugins.module_utils._pki.crl import (
    REMOVE_FROM_CRL,
    CrlEntry,
    crl_der,
    crl_entries,
    crl_pem,
    crl_period,
    crl_to_der,
    load_crl,
    next_number,
    to_revoked,
)
from ansible_collections.rootstock.pki.plugins.module_utils._pki.crl_partitions import (
    are_partitioned,
    fill_in,
    for_url,
    in_partition,
    partition_of,
)
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import SpecError
from ansible_collections.rootstock.pki.plugins.module_utils._pki.extension_words import said_extensions

START = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Acme")])
TIMES = st.datetimes(datetime(1950, 1, 1), datetime(9999, 12, 31)).map(  # noqa: DTZ001  # made aware below
    lambda moment: moment.replace(microsecond=0, tzinfo=timezone.utc)
)
SERIALS = st.integers(1, (1 << 159) - 1)
ENTRIES = st.lists(
    st.builds(CrlEntry, SERIALS, TIMES, st.sampled_from([*REASONS, REMOVE_FROM_CRL]), st.none() | TIMES), max_size=9
)


@cache
def key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def signed(entries: list[CrlEntry]) -> x509.CertificateRevocationList:
    builder = x509.CertificateRevocationListBuilder(NAME, revoked_certificates=to_revoked(entries))
    return builder.last_update(START).next_update(START + timedelta(days=7)).sign(key(), hashes.SHA256())


@given(ENTRIES)
def test_what_goes_in_comes_out(entries: list[CrlEntry]) -> None:
    assert list(crl_entries(load_crl(crl_to_der(signed(entries)), "here"))) == entries


def test_entries_are_those_of_the_builders_own_way() -> None:
    entry = CrlEntry(0x0A17, START, "key_compromise", START - timedelta(days=1))
    builder = x509.RevokedCertificateBuilder().serial_number(0x0A17).revocation_date(START)
    builder = builder.add_extension(x509.CRLReason(x509.ReasonFlags.key_compromise), critical=False)
    builder = builder.add_extension(x509.InvalidityDate(START - timedelta(days=1)), critical=False)
    theirs = x509.CertificateRevocationListBuilder(NAME, revoked_certificates=[builder.build()])
    theirs = theirs.last_update(START).next_update(START + timedelta(days=7))
    assert signed([entry]).tbs_certlist_bytes == theirs.sign(key(), hashes.SHA256()).tbs_certlist_bytes


@given(st.binary(max_size=400))
def test_pem_is_undone(content: bytes) -> None:
    assert crl_der(crl_pem(b"\x30" + content)) == b"\x30" + content


def test_pem_is_that_of_the_library() -> None:
    crl = signed([CrlEntry(serial, START, "superseded", None) for serial in range(1, 40)])
    assert crl_pem(crl_to_der(crl)) == crl.public_bytes(Encoding.PEM)


@given(st.binary(max_size=300))
def test_whatever_is_no_crl_is_refused_with_a_sentence(content: bytes) -> None:
    with pytest.raises(SpecError, match="here: "):
        load_crl(content, "here")


@given(st.integers(0, 1 << 100), st.integers(0, 1 << 45))
def test_numbers_rise_and_follow_the_clock(last: int, milliseconds: int) -> None:
    number = next_number(last, milliseconds)
    assert number > last
    assert number >= milliseconds


@pytest.mark.parametrize(("next_update", "renew_before"), [("+7d", "33%"), ("+1h", "10m"), ("20260102000000Z", "1h")])
def test_a_period_starts_now(next_update: str, renew_before: str) -> None:
    this_update, end = crl_period(next_update, renew_before, START.replace(microsecond=7))
    assert this_update == START < end


@pytest.mark.parametrize(
    ("next_update", "renew_before", "message"),
    [
        ("+0s", "33%", "not later"),
        ("20250101000000Z", "33%", "not later"),
        ("+7d", "7d", "not shorter"),
        ("soon", "33%", "not understood"),
    ],
)
def test_a_period_that_never_rests_is_refused(next_update: str, renew_before: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        crl_period(next_update, renew_before, START)


@given(SERIALS, st.integers(2, 1000))
def test_every_serial_has_its_partition(serial: int, partitions: int) -> None:
    assert 0 <= partition_of(serial, partitions) < partitions


@given(st.integers(0, 10**6))
def test_the_number_takes_the_place_of_the_placeholder(partition: int) -> None:
    url = "http://acme.example/crl-{partition}.der"
    assert fill_in(for_url(url), partition) == fill_in(url, partition) == f"http://acme.example/crl-{partition}.der"


def test_urls_of_full_and_delta_crls_are_filled_in() -> None:
    point = [{"full_name": ["http://acme.example/{partition}.der", "dirName:CN=Acme"], "reasons": []}]
    made, problems = said_extensions({"crl_distribution_points": point, "freshest_crl": point})
    assert problems == []
    assert are_partitioned(made)
    filled = in_partition(made, 7)
    assert not are_partitioned(filled)
    assert [one.value[0].full_name[0].value for one in filled] == ["http://acme.example/7.der"] * 2
    assert [type(one.value) for one in filled] == [x509.CRLDistributionPoints, x509.FreshestCRL]
