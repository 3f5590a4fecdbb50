# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""RFC 5280 5.3: the extensions of an entry, and when an entry may leave (3.3)."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from ansible_collections.rootstock.pki.plugins.module_utils._ledger.entries import REASONS
from ansible_collections.rootstock.pki.plugins.module_utils._operations.crl_entries import entries_of
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import LedgerError
from tests.unit.operations.crl_desk import CrlDesk, serials
from tests.unit.operations.workshop import START


@pytest.fixture
def desk(tmp_path: Path) -> CrlDesk:
    return CrlDesk(tmp_path)


@pytest.mark.parametrize("reason", [reason for reason in REASONS if reason != "unspecified"])
def test_rfc5280_5_3_1_every_reason_is_told_and_is_not_critical(desk: CrlDesk, reason: str) -> None:
    desk.revoke("0A17", reason)
    found = desk.make()[0].extensions.get_extension_for_class(x509.CRLReason)
    assert (found.value.reason.name, found.critical) == (reason, False)


def test_rfc5280_5_3_1_unspecified_is_left_out(desk: CrlDesk) -> None:
    desk.revoke("0A17", "unspecified")
    assert list(desk.make()[0].extensions) == []


def test_rfc5280_5_3_1_remove_from_crl_stands_in_delta_crls_alone(desk: CrlDesk) -> None:
    hold = desk.revoke("0A17", "certificate_hold")
    desk.make(at_once=False)
    desk.release(hold)
    entry = desk.make("delta.pem", base="crl.pem")[0]
    reason = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    assert reason == x509.ReasonFlags.remove_from_crl
    assert list(desk.make()) == []


@pytest.mark.parametrize("file", ["crl.pem", "delta.pem"])
def test_rfc5280_5_3_1_what_is_revoked_for_good_is_not_removed_where_the_ledger_lost_it(
    desk: CrlDesk, file: str
) -> None:
    desk.make(at_once=False)
    line = desk.revoke("0A17", "superseded")
    desk.make(file, **({"force": True} if file == "crl.pem" else {"base": "crl.pem"}))
    lines = desk.path("ledger.jsonl").read_bytes().splitlines(keepends=True)
    desk.path("ledger.jsonl").write_bytes(b"".join(one for one in lines if b'"kind":"revoked"' not in one))
    calls = desk.sign_calls
    with pytest.raises(LedgerError, match=r"0A17 as revoked for good, and the ledger .* does not \(1 in all\)"):
        desk.make("delta.pem", base="crl.pem", force=True)
    assert desk.sign_calls == calls
    desk.revoke("0A17", "superseded", revoked_at=line.revoked_at)
    listed = {"crl.pem": set(), "delta.pem": {0x0A17}}
    assert serials(desk.make("delta.pem", base="crl.pem")) == listed[file]


def test_rfc5280_5_3_2_the_invalidity_date_is_told_and_is_not_critical(desk: CrlDesk) -> None:
    since = desk.shop.clock() - timedelta(days=30)
    desk.revoke("0A17", invalidity_date=since)
    found = desk.make()[0].extensions.get_extension_for_class(x509.InvalidityDate)
    assert (found.value.invalidity_date_utc, found.critical) == (since, False)


def test_rfc5280_5_3_3_no_entry_names_another_issuer(desk: CrlDesk) -> None:
    desk.revoke("0A17")
    with pytest.raises(x509.ExtensionNotFound):
        desk.make()[0].extensions.get_extension_for_class(x509.CertificateIssuer)


def test_rfc5280_3_3_an_entry_stays_until_one_crl_after_the_end_of_the_certificate_listed_it(desk: CrlDesk) -> None:
    desk.revoke(desk.issue("short", not_after="+1d"))
    sizes = [len(desk.make())]
    for _round in range(3):
        desk.shop.clock.forward(days=5)
        sizes.append(len(desk.make()))
    assert sizes == [1, 1, 0, 0]


def revoked_after_its_end(desk: CrlDesk, **dates: datetime) -> int:
    """Revoke a certificate after its end, and after a CRL that was made since; return its serial number."""
    short = desk.issue("short", not_after="+1d")
    desk.make()
    desk.shop.clock.forward(days=5)
    desk.make()
    desk.shop.clock.forward(days=1)
    desk.revoke(short, **dates)
    return short.serial_number


@pytest.mark.parametrize("dates", [{}, {"revoked_at": START + timedelta(hours=5)}])
def test_rfc5280_3_3_what_is_revoked_after_its_end_is_listed_once(desk: CrlDesk, dates: dict[str, datetime]) -> None:
    revoked_after_its_end(desk, **dates)
    desk.shop.clock.forward(minutes=6)
    assert len(desk.make()) == 1
    desk.shop.clock.forward(days=5)
    assert len(desk.make()) == 0


def test_rfc5280_3_3_a_delta_crl_lists_it_and_the_next_full_one_too(desk: CrlDesk) -> None:
    serial_number = revoked_after_its_end(desk, revoked_at=START + timedelta(hours=5))
    desk.shop.clock.forward(minutes=6)
    assert serials(desk.make("delta.pem", base="crl.pem")) == {serial_number}
    desk.shop.clock.forward(days=5)
    assert serials(desk.make()) == {serial_number}
    assert serials(desk.make("delta.pem", base="crl.pem")) == set()


def test_rfc5280_3_3_what_may_have_been_recorded_after_a_crl_by_another_clock_is_in_the_next_one(
    desk: CrlDesk,
) -> None:
    short = desk.issue("short", not_after="+1d")
    desk.shop.clock.forward(days=5)
    desk.make()
    desk.shop.clock.forward(minutes=-4)
    desk.revoke(short)
    assert serials(desk.make()) == {short.serial_number}


def test_rfc5280_3_3_a_reason_that_changes_after_the_end_is_listed_once_more(desk: CrlDesk) -> None:
    short = desk.issue("short", not_after="+1d")
    desk.revoke(short, "superseded")
    sizes = [len(desk.make())]
    for _round in range(2):
        desk.shop.clock.forward(days=5)
        sizes.append(len(desk.make()))
    desk.revoke(short, "key_compromise", revoked_at=START)
    desk.shop.clock.forward(minutes=6)
    sizes.append(len(desk.make()))
    desk.shop.clock.forward(days=5)
    assert [*sizes, len(desk.make())] == [1, 1, 0, 1, 0]


def test_rfc5280_3_3_a_revocation_that_is_only_planned_is_listed_after_its_end(desk: CrlDesk) -> None:
    serial = f"{revoked_after_its_end(desk, revoked_at=START + timedelta(hours=5)):X}"
    state = desk.ledger.read()
    planned = [found._replace(serial="0A17", recorded_at=None) for found in state.revocations]
    shown = state.assuming({"0A17": planned[0], serial: None})
    entries = entries_of(desk.task(), shown, None, shown.revocations)
    assert [entry.serial_number for entry in entries] == [0x0A17]
