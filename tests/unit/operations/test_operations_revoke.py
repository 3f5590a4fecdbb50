# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Revoking: what is recorded, what stays as it is, what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from ansible_collections.rootstock.pki.plugins.module_utils._ledger.entries import REASONS, Intent, Revoked, new_id
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.files import FileLedger
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.holders import this_holder
from ansible_collections.rootstock.pki.plugins.module_utils._operations.revoke import (
    RevocationSpec,
    Target,
    plan_revocation,
    record,
    standing_after,
    target_of_certificate,
    target_of_serial,
    targets_of_name,
)
from ansible_collections.rootstock.pki.plugins.module_utils._pki.certificates import serial_hex, sha256_hex
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import LedgerError, SpecError
from tests.unit.operations.workshop import START, Workshop, spki_of
from tests.unit.signer.local_kms import local_key

REVOKED = RevocationSpec()
HELD = RevocationSpec(reason="certificate_hold")
RELEASED = RevocationSpec(released=True)
RETIRED = RevocationSpec(retired=True)
UNKNOWN = "0A17"


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    made = Workshop(tmp_path)
    made.root()
    return made


def web(workshop: Workshop, issuer: str = "root", **options: Any) -> x509.Certificate:
    key = spki_of(local_key("ECC_NIST_P256", 99))
    return workshop.issue(
        "web", "tls_server", issuer, public_key=key, subject_alt_name=["DNS:web.acme.internal"], **options
    )


def serial_of(certificate: x509.Certificate) -> str:
    return serial_hex(certificate.serial_number)


def ledger(workshop: Workshop) -> FileLedger:
    return FileLedger(workshop.folder / "root" / "ledger.jsonl", workshop.clock)


def root_of(workshop: Workshop) -> x509.Certificate:
    return x509.load_pem_x509_certificate((workshop.folder / "root" / "ca.pem").read_bytes())


def revoke(workshop: Workshop, serial: str, spec: RevocationSpec = REVOKED) -> dict[str, object]:
    """Carry out and return the difference, empty where nothing changed; see that what was planned is what was done."""
    state = ledger(workshop).read()
    planned = plan_revocation(state, [Target(serial)], spec, workshop.clock(), "services")
    record(planned, ledger(workshop))
    for changed, revocation in standing_after(planned, state).items():
        recorded = ledger(workshop).read().revocation_of(changed)
        assert recorded == (revocation and revocation._replace(holds=recorded.holds if recorded else ()))
    after = planned.plan.diff["after"]
    return after if isinstance(after, dict) else {}


def in_force(workshop: Workshop, serial: str) -> tuple[str, datetime, datetime | None]:
    revocation = ledger(workshop).read().revocation_of(serial)
    assert revocation is not None
    return revocation.reason, revocation.revoked_at, revocation.invalidity_date


@pytest.mark.parametrize("reason", REASONS)
def test_a_certificate_is_revoked_once_for_every_reason(workshop: Workshop, reason: str) -> None:
    serial = serial_of(web(workshop))
    spec = RevocationSpec(reason=reason)
    how = "on hold" if reason == "certificate_hold" else f"revoked for {reason}"
    assert revoke(workshop, serial, spec) == {serial: f"{how} since 20260101120000Z"}
    assert in_force(workshop, serial) == (reason, START, None)
    lines = ledger(workshop).path.read_bytes()
    workshop.clock.forward(hours=1)
    assert revoke(workshop, serial, spec) == {}
    assert ledger(workshop).path.read_bytes() == lines


def test_without_a_reason_it_is_unspecified_and_any_recorded_one_will_do(workshop: Workshop) -> None:
    serial = serial_of(web(workshop))
    revoke(workshop, serial)
    assert in_force(workshop, serial)[0] == "unspecified"
    other = serial_of(web(workshop))
    revoke(workshop, other, RevocationSpec(reason="superseded"))
    assert revoke(workshop, other) == {}


def test_a_certificate_is_retired_once_and_stays_valid(workshop: Workshop) -> None:
    serial = serial_of(web(workshop))
    assert revoke(workshop, serial, RETIRED) == {serial: "retired"}
    assert revoke(workshop, serial, RETIRED) == {}
    state = ledger(workshop).read()
    record = state.by_serial(serial)
    assert record is not None
    assert (record.status(workshop.clock()), list(state.revocations)) == ("retired", [])
    assert serial_of(web(workshop)) != serial


def test_what_is_retired_can_be_revoked_and_not_the_other_way_round(workshop: Workshop) -> None:
    serial = serial_of(web(workshop))
    revoke(workshop, serial, RETIRED)
    revoke(workshop, serial)
    assert revoke(workshop, serial, RETIRED) == {}
    assert in_force(workshop, serial)[0] == "unspecified"


def test_only_a_certificate_of_the_ledger_can_be_retired(workshop: Workshop) -> None:
    with pytest.raises(SpecError, match="0A17 is no certificate of this ledger, so it cannot be retired"):
        revoke(workshop, UNKNOWN, RETIRED)
    with pytest.raises(SpecError, match="go with state: revoked only"):
        revoke(workshop, UNKNOWN, replace(RETIRED, reason="superseded"))


def test_dates_are_recorded_as_given(workshop: Workshop) -> None:
    serial = serial_of(web(workshop))
    workshop.clock.forward(days=3)
    dates = START + timedelta(days=2), START + timedelta(days=1)
    revoke(workshop, serial, RevocationSpec(reason="key_compromise", revoked_at=dates[0], invalidity_date=dates[1]))
    assert in_force(workshop, serial) == ("key_compromise", *dates)


def test_a_hold_ends_and_begins_again(workshop: Workshop) -> None:
    serial = serial_of(web(workshop))
    for _time in range(2):
        revoke(workshop, serial, HELD)
        assert in_force(workshop, serial)[0] == "certificate_hold"
        assert revoke(workshop, serial, RELEASED) == {serial: "not revoked"}
        assert ledger(workshop).read().revocation_of(serial) is None
        assert revoke(workshop, serial, RELEASED) == {}
        workshop.clock.forward(hours=1)


def test_every_hold_of_a_merged_ledger_is_released(workshop: Workshop) -> None:
    serial = serial_of(web(workshop))
    for _time in range(2):
        ledger(workshop).append(Revoked(new_id(), START, serial, "certificate_hold", START))
    revoke(workshop, serial, RELEASED)
    assert ledger(workshop).read().revocation_of(serial) is None


def test_a_hold_becomes_a_revocation_for_good_as_of_the_hold(workshop: Workshop) -> None:
    serial = serial_of(web(workshop))
    revoke(workshop, serial, HELD)
    workshop.clock.forward(days=1)
    revoke(workshop, serial, RevocationSpec(reason="privilege_withdrawn"))
    assert in_force(workshop, serial) == ("privilege_withdrawn", START, None)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("superseded", "affiliation_changed"),
        ("superseded", "certificate_hold"),
        ("superseded", "unspecified"),
        ("key_compromise", "superseded"),
        ("key_compromise", "ca_compromise"),
    ],
)
def test_a_recorded_reason_stays(workshop: Workshop, first: str, second: str) -> None:
    serial = serial_of(web(workshop))
    revoke(workshop, serial, RevocationSpec(reason=first))
    with pytest.raises(SpecError, match=f"revoked for {first} .*; that reason stays, it cannot become {second}"):
        revoke(workshop, serial, RevocationSpec(reason=second))


def test_a_compromise_outranks_another_reason_and_keeps_the_date(workshop: Workshop) -> None:
    serial = serial_of(web(workshop))
    revoke(workshop, serial, RevocationSpec(reason="superseded"))
    workshop.clock.forward(days=1)
    invalid = START - timedelta(days=1)
    worse = RevocationSpec(reason="key_compromise", invalidity_date=invalid, invalidity_date_fixed=True)
    revoke(workshop, serial, worse)
    assert in_force(workshop, serial) == ("key_compromise", START, invalid)
    assert revoke(workshop, serial, worse) == {}


def test_the_date_of_invalidity_moves_back_only(workshop: Workshop) -> None:
    serial = serial_of(web(workshop))
    dates = [START - timedelta(days=days) for days in (1, 2)]
    later, earlier = (
        RevocationSpec(reason="key_compromise", invalidity_date=date, invalidity_date_fixed=True) for date in dates
    )
    for spec, date in ((later, dates[0]), (earlier, dates[1])):
        assert revoke(workshop, serial, spec) != {}
        assert in_force(workshop, serial)[2] == date
    with pytest.raises(SpecError, match="invalidity_date can be moved back only"):
        revoke(workshop, serial, later)


def invalid_since(date: datetime, reason: str = "certificate_hold", fixed: bool = True) -> RevocationSpec:
    return RevocationSpec(reason=reason, invalidity_date=date, invalidity_date_fixed=fixed)


def test_the_date_of_invalidity_of_a_hold_can_be_told_later_and_moves_back_only(workshop: Workshop) -> None:
    serial = serial_of(web(workshop))
    dates = [START - timedelta(days=days) for days in (1, 2)]
    revoke(workshop, serial, HELD)
    for date in dates:
        assert revoke(workshop, serial, invalid_since(date)) != {}
        assert in_force(workshop, serial) == ("certificate_hold", START, date)
        assert revoke(workshop, serial, invalid_since(date)) == {}
    with pytest.raises(SpecError, match=r"on hold since .*; invalidity_date can be moved back only"):
        revoke(workshop, serial, invalid_since(dates[0]))
    revoke(workshop, serial, RELEASED)
    assert ledger(workshop).read().revocation_of(serial) is None


@pytest.mark.parametrize("days", [None, 1, 9])
def test_a_hold_that_becomes_a_revocation_for_good_keeps_its_date_of_invalidity(
    workshop: Workshop, days: int | None
) -> None:
    serial, recorded = serial_of(web(workshop)), START - timedelta(days=5)
    revoke(workshop, serial, invalid_since(recorded))
    given = None if days is None else START - timedelta(days=days)
    revoke(workshop, serial, RevocationSpec(reason="key_compromise", invalidity_date=given))
    assert in_force(workshop, serial) == ("key_compromise", START, min(given or recorded, recorded))


def test_a_key_can_be_lost_during_a_hold(workshop: Workshop) -> None:
    serial = serial_of(web(workshop))
    revoke(workshop, serial, HELD)
    workshop.clock.forward(days=2)
    lost = START + timedelta(days=1)
    revoke(workshop, serial, invalid_since(lost, "key_compromise"))
    assert in_force(workshop, serial) == ("key_compromise", START, lost)


@pytest.mark.parametrize("reason", ["certificate_hold", "key_compromise"])
def test_what_is_revoked_is_not_said_to_be_invalid_only_later(workshop: Workshop, reason: str) -> None:
    serial = serial_of(web(workshop))
    revoke(workshop, serial, RevocationSpec(reason=reason))
    workshop.clock.forward(days=2)
    with pytest.raises(SpecError, match="invalidity_date can be moved back only"):
        revoke(workshop, serial, invalid_since(START + timedelta(days=1), reason))
    revoke(workshop, serial, invalid_since(START, reason))
    assert in_force(workshop, serial) == (reason, START, START)


def test_a_relative_date_of_invalidity_is_not_compared(workshop: Workshop) -> None:
    serial = serial_of(web(workshop))
    revoke(workshop, serial, RevocationSpec(invalidity_date=START - timedelta(hours=1)))
    assert revoke(workshop, serial, RevocationSpec(invalidity_date=START - timedelta(hours=9))) == {}


def test_a_revocation_for_good_is_not_released(workshop: Workshop) -> None:
    serial = serial_of(web(workshop))
    revoke(workshop, serial)
    with pytest.raises(SpecError, match="that is for good, only a hold can be released"):
        revoke(workshop, serial, RELEASED)


def test_all_mistakes_are_told_at_once(workshop: Workshop) -> None:
    later = START + timedelta(seconds=1)
    with pytest.raises(SpecError) as caught:
        revoke(workshop, UNKNOWN, RevocationSpec(revoked_at=later, invalidity_date=later))
    assert "revocation_date 20260101120001Z is in the future; it is 20260101120000Z" in str(caught.value)
    assert "invalidity_date 20260101120001Z is in the future" in str(caught.value)
    with pytest.raises(SpecError, match="go with state: revoked only"):
        revoke(workshop, UNKNOWN, replace(RELEASED, reason="superseded"))


def test_an_unknown_serial_is_refused_unless_it_is_foreign(workshop: Workshop) -> None:
    state = ledger(workshop).read()
    with pytest.raises(LedgerError, match=r"services: the serial number 0A17 is not in this ledger; .* foreign: true"):
        target_of_serial(state, UNKNOWN, REVOKED, "services")
    assert target_of_serial(state, UNKNOWN, RevocationSpec(foreign=True), "services").serial == UNKNOWN
    revoke(workshop, UNKNOWN)
    assert target_of_serial(ledger(workshop).read(), UNKNOWN, REVOKED, "services").serial == UNKNOWN


def test_a_certificate_of_the_ledger_needs_no_issuer(workshop: Workshop) -> None:
    certificate = web(workshop)
    target = target_of_certificate(ledger(workshop).read(), certificate, None, REVOKED, "services")
    assert target == Target(serial_of(certificate))


def test_a_certificate_that_was_signed_and_never_recorded_can_be_revoked(workshop: Workshop) -> None:
    certificate = web(workshop)
    path = ledger(workshop).path
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    target = target_of_certificate(ledger(workshop).read(), certificate, None, REVOKED, "services")
    assert target == Target(serial_of(certificate), certificate.not_valid_after_utc)
    record(plan_revocation(ledger(workshop).read(), [target], REVOKED, START, "services"), ledger(workshop))
    assert ledger(workshop).read().open_intents == ()


def test_a_foreign_certificate_has_to_be_the_authoritys_own(workshop: Workshop) -> None:
    certificate = web(workshop)
    elsewhere = Workshop(workshop.folder / "elsewhere")
    elsewhere.serial = 0x7000
    elsewhere.root()
    theirs = web(elsewhere)
    root = root_of(workshop)
    ledger(workshop).path.write_bytes(b"")
    state, foreign = ledger(workshop).read(), RevocationSpec(foreign=True)
    with pytest.raises(LedgerError, match="is not in this ledger"):
        target_of_certificate(state, certificate, root, REVOKED, "services")
    with pytest.raises(SpecError, match="cannot be told; name the authority's own certificate with issuer_path"):
        target_of_certificate(state, certificate, None, foreign, "services")
    with pytest.raises(SpecError, match="was not signed by the issuer given"):
        target_of_certificate(state, theirs, root, foreign, "services")
    target = target_of_certificate(state, certificate, root, foreign, "services")
    assert target == Target(serial_of(certificate), certificate.not_valid_after_utc)
    planned = plan_revocation(state, [target], foreign, START, "services")
    record(planned, ledger(workshop))
    revocation = ledger(workshop).read().revocation_of(target.serial)
    assert revocation is not None
    assert revocation.not_after == certificate.not_valid_after_utc


def test_the_certificate_of_another_issuer_with_a_serial_of_ours_is_refused(workshop: Workshop) -> None:
    web(workshop)
    elsewhere = Workshop(workshop.folder / "elsewhere")
    elsewhere.root()
    theirs = web(elsewhere)
    state = ledger(workshop).read()
    assert state.by_serial(serial_of(theirs)) is not None
    with pytest.raises(LedgerError, match=r"knows .* as another certificate than this one"):
        target_of_certificate(state, theirs, None, RevocationSpec(foreign=True), "services")


def test_a_name_stands_for_all_its_certificates_that_have_not_expired(workshop: Workshop) -> None:
    old = web(workshop, not_after="+10d")
    workshop.clock.forward(days=11)
    former = web(workshop)
    current = web(workshop, force=True)
    targets = targets_of_name(ledger(workshop).read(), "web", REVOKED, workshop.clock(), "services")
    assert [target.serial for target in targets] == [serial_of(current), serial_of(former)]
    assert serial_of(old) not in {target.serial for target in targets}


def test_a_name_stands_for_what_is_older_where_the_task_says_so(workshop: Workshop) -> None:
    lost = web(workshop)
    workshop.clock.forward(hours=1)
    spec = RevocationSpec(issued_before=workshop.clock())
    web(workshop, force=True)
    targets = targets_of_name(ledger(workshop).read(), "web", spec, workshop.clock(), "services")
    assert [target.serial for target in targets] == [serial_of(lost)]


def revoke_web(workshop: Workshop, spec: RevocationSpec) -> list[str]:
    """Carry out for all certificates of the name, and return the serials that changed."""
    state, now = ledger(workshop).read(), workshop.clock()
    planned = plan_revocation(state, targets_of_name(state, "web", spec, now, "services"), spec, now, "services")
    record(planned, ledger(workshop))
    return [line.serial for line in planned.lines]


@pytest.mark.parametrize("reason", ["cessation_of_operation", "certificate_hold"])
def test_of_a_name_what_is_revoked_for_good_keeps_its_reason(workshop: Workshop, reason: str) -> None:
    former = serial_of(web(workshop))
    revoke(workshop, former, RevocationSpec(reason="superseded"))
    current = serial_of(web(workshop))
    spec = RevocationSpec(reason=reason)
    assert revoke_web(workshop, spec) == [current]
    assert (in_force(workshop, former)[0], in_force(workshop, current)[0]) == ("superseded", reason)
    assert revoke_web(workshop, spec) == []


def test_of_a_name_a_compromise_outranks_what_is_recorded(workshop: Workshop) -> None:
    former = serial_of(web(workshop))
    revoke(workshop, former, RevocationSpec(reason="superseded"))
    current = serial_of(web(workshop))
    assert set(revoke_web(workshop, RevocationSpec(reason="key_compromise"))) == {former, current}
    assert in_force(workshop, former)[0] == "key_compromise"


def test_of_a_name_holds_end_beside_what_is_revoked_for_good(workshop: Workshop) -> None:
    former = serial_of(web(workshop))
    revoke(workshop, former)
    with pytest.raises(SpecError, match="that is for good, only a hold can be released"):
        revoke_web(workshop, RELEASED)
    current = serial_of(web(workshop))
    revoke(workshop, current, HELD)
    assert revoke_web(workshop, RELEASED) == [current]
    assert in_force(workshop, former)[0] == "unspecified"


def _intent(workshop: Workshop, **changes: Any) -> Intent:
    known = ledger(workshop).read().open_intents
    assert known == ()
    holder = changes.pop("holder", replace(this_holder(), host="another-host"))
    return Intent(
        id=new_id(),
        time=workshop.clock(),
        purpose="certificate",
        name="web",
        serial=UNKNOWN,
        subject="CN=web",
        content_sha256=sha256_hex(b""),
        key_arn="alias/root",
        profile="tls_server",
        holder=holder,
    )


def test_a_name_stands_for_what_was_begun_and_never_ended(workshop: Workshop) -> None:
    ledger(workshop).claim(_intent(workshop), None)
    workshop.clock.forward(minutes=10)
    targets = targets_of_name(ledger(workshop).read(), "web", REVOKED, workshop.clock(), "services")
    assert targets == [Target(UNKNOWN, of_name=True)]
    before = RevocationSpec(issued_before=START)
    assert targets_of_name(ledger(workshop).read(), "web", before, workshop.clock(), "services") == []


def test_a_name_that_is_being_issued_is_not_revoked_halfway(workshop: Workshop) -> None:
    ledger(workshop).claim(_intent(workshop), None)
    with pytest.raises(LedgerError, match="web is being issued by another run"):
        targets_of_name(ledger(workshop).read(), "web", REVOKED, workshop.clock(), "services")


def test_an_unknown_name_is_refused(workshop: Workshop) -> None:
    with pytest.raises(LedgerError, match="no certificate is named nobody in this ledger"):
        targets_of_name(ledger(workshop).read(), "nobody", REVOKED, workshop.clock(), "services")
