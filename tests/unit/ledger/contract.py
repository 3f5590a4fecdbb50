# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every ledger has to do, wherever it is kept.

A subclass gives the fixture `ledger`; its clock stands at Clock.now and can be moved.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

from ansible_collections.rootstock.pki.plugins.module_utils._ledger.entries import (
    Attempt,
    Refused,
    Released,
    Retired,
    Signed,
    Superseded,
    new_id,
)
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.holders import this_holder
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.port import Ledger, NameClaimed
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.state import Wanted
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import LedgerError
from tests.unit.ledger.entry_makers import (
    AUTHORITY,
    NOW,
    a_crl,
    an_adopted,
    an_intent,
    issued_for,
    revoked,
    serial,
)


@dataclass
class Clock:
    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **parts: float) -> None:
        self.now += timedelta(**parts)


class LedgerContract:
    """The tests; `ledger` and `clock` are fixtures."""

    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    def issue(self, ledger: Ledger, clock: Clock, name: str, number: int, days: int = 90) -> None:
        """Issue as an operation does: claim, then record the outcome."""
        current = ledger.read().current(name, clock())
        intent = an_intent(name, number, clock())
        ledger.claim(intent, current.serial if current else None)
        ledger.append(issued_for(intent, clock(), days))

    def test_a_ledger_exists_from_its_first_line_on(self, ledger: Ledger, clock: Clock) -> None:
        assert not ledger.exists()
        self.issue(ledger, clock, "web", 1)
        assert ledger.exists()

    def test_an_empty_ledger_knows_nothing(self, ledger: Ledger, clock: Clock) -> None:
        state = ledger.read()
        assert state.latest is None
        assert state.current("web", clock()) is None
        assert list(state.certificates) == []
        assert state.open_intents == ()
        assert set(state.counts(clock()).values()) == {0}

    def test_what_was_issued_is_current_under_its_name_and_found_by_its_serial(
        self, ledger: Ledger, clock: Clock
    ) -> None:
        self.issue(ledger, clock, "web", 1)
        state = ledger.read()
        record = state.current("web", clock())
        assert record is not None
        assert (record.serial, record.name, record.status(clock())) == (serial(1), "web", "valid")
        assert record.lifetime == {"not_before": "-1h", "not_after": "+90d"}
        assert state.by_serial(serial(1)) == record
        assert state.by_name("web") == (record,)
        assert state.intent_of(serial(1)) == record.intent
        assert state.by_serial(serial(2)) is None
        assert state.current("db", clock()) is None

    def test_every_line_carries_the_authority(self, ledger: Ledger, clock: Clock) -> None:
        self.issue(ledger, clock, "web", 1)
        assert ledger.read().authority == AUTHORITY
        intent = ledger.read().intent_of(serial(1))
        assert intent is not None
        assert intent.authority == AUTHORITY

    def test_a_state_does_not_change_when_the_ledger_grows(self, ledger: Ledger, clock: Clock) -> None:
        before = ledger.read()
        latest, mark = before.latest, before.revocation_mark
        self.issue(ledger, clock, "web", 1)
        ledger.append(revoked(1))
        assert (before.latest, before.revocation_mark) == (latest, mark)

    def test_a_name_that_is_being_issued_cannot_be_claimed(self, ledger: Ledger) -> None:
        first = an_intent("web", 1)
        ledger.claim(first, None)
        with pytest.raises(NameClaimed, match="web is being issued by process 4711 on another-host") as caught:
            ledger.claim(an_intent("web", 2), None)
        assert caught.value.intent is not None
        assert caught.value.intent.id == first.id
        assert [intent.id for intent in ledger.read().open_intents] == [first.id]

    def test_other_names_and_other_purposes_can_be_claimed_meanwhile(self, ledger: Ledger) -> None:
        ledger.claim(an_intent("web", 1), None)
        ledger.claim(an_intent("db", 2), None)
        ledger.claim(an_intent("web", purpose="crl"), None)
        assert len(ledger.read().open_intents) == 3

    def test_a_claim_lapses_after_ten_minutes(self, ledger: Ledger, clock: Clock) -> None:
        ledger.claim(an_intent("web", 1), None)
        clock.forward(minutes=9, seconds=59)
        with pytest.raises(NameClaimed):
            ledger.claim(an_intent("web", 2, clock()), None)
        clock.forward(seconds=1)
        ledger.claim(an_intent("web", 2, clock()), None)
        assert len(ledger.read().open_intents) == 2

    def test_an_attempt_prolongs_the_claim(self, ledger: Ledger, clock: Clock) -> None:
        intent = an_intent("web", 1)
        ledger.claim(intent, None)
        clock.forward(minutes=5)
        ledger.append(Attempt(new_id(), clock(), intent.id, 2))
        clock.forward(minutes=6)
        with pytest.raises(NameClaimed):
            ledger.claim(an_intent("web", 2, clock()), None)

    def test_a_claim_counts_from_when_it_is_recorded(self, ledger: Ledger, clock: Clock) -> None:
        clock.forward(minutes=30)
        ledger.claim(an_intent("web", 1, NOW), None)
        with pytest.raises(NameClaimed):
            ledger.claim(an_intent("web", 2, NOW), None)

    def test_the_claim_of_a_process_that_ended_lapses_at_once(self, ledger: Ledger) -> None:
        gone = replace(this_holder(), started="1")
        ledger.claim(an_intent("web", 1, holder=gone), None)
        ledger.claim(an_intent("web", 2), None)
        assert len(ledger.read().open_intents) == 2

    def test_the_claim_of_a_living_process_holds(self, ledger: Ledger) -> None:
        ledger.claim(an_intent("web", 1, holder=this_holder()), None)
        with pytest.raises(NameClaimed):
            ledger.claim(an_intent("web", 2), None)

    def test_a_refused_intent_claims_nothing(self, ledger: Ledger, clock: Clock) -> None:
        intent = an_intent("web", 1)
        ledger.claim(intent, None)
        ledger.append(Refused(new_id(), clock(), intent.id, "kms:Sign was denied"))
        assert ledger.read().open_intents == ()
        ledger.claim(an_intent("web", 2), None)

    def test_a_claim_loses_against_a_certificate_that_came_since(self, ledger: Ledger, clock: Clock) -> None:
        self.issue(ledger, clock, "web", 1)
        with pytest.raises(NameClaimed, match=f"web has the certificate {serial(1)} now, and had none") as caught:
            ledger.claim(an_intent("web", 2), None)
        assert caught.value.certificate is not None
        assert caught.value.certificate.serial == serial(1)

    def test_a_claim_loses_where_the_expected_certificate_is_not_current(self, ledger: Ledger, clock: Clock) -> None:
        self.issue(ledger, clock, "web", 1)
        ledger.append(revoked(1))
        with pytest.raises(NameClaimed, match=f"web has no certificate now, and had {serial(1)}"):
            ledger.claim(an_intent("web", 2), serial(1))

    def test_many_names_are_claimed_at_once(self, ledger: Ledger, clock: Clock) -> None:
        clock.forward(minutes=3)
        intents = [an_intent(f"file {number}", purpose="file") for number in range(300)]
        assert ledger.claim_all(intents) == {}
        found = ledger.read().open_intents
        assert {intent.id for intent in found} == {intent.id for intent in intents}
        assert {(intent.time, intent.authority) for intent in found} == {(clock(), AUTHORITY)}

    def test_of_many_names_those_are_lost_that_somebody_else_has(self, ledger: Ledger, clock: Clock) -> None:
        first = an_intent("second", purpose="file")
        ledger.claim(first, None)
        ledger.claim(an_intent("third", purpose="cms"), None)
        intents = [an_intent(name, purpose="file") for name in ("first", "second", "third")]
        lost = ledger.claim_all(intents)
        assert list(lost) == [intents[1].id]
        assert lost[intents[1].id].intent == replace(first, authority=AUTHORITY)
        assert "second is being issued by process 4711 on another-host" in str(lost[intents[1].id])
        assert [intent.name for intent in ledger.read().open_intents if intent.purpose == "file"].count("second") == 1
        clock.forward(minutes=10)
        assert ledger.claim_all([an_intent("second", purpose="file")]) == {}

    def test_a_name_that_stands_twice_among_many_is_lost_the_second_time(self, ledger: Ledger) -> None:
        intents = [an_intent(name, purpose="file") for name in ("one", "two", "one", "", "")]
        assert list(ledger.claim_all(intents)) == [intents[2].id]
        assert len(ledger.read().open_intents) == 4

    def test_many_claims_at_once_are_not_for_certificates(self, ledger: Ledger) -> None:
        with pytest.raises(LedgerError, match="certificates are claimed one by one"):
            ledger.claim_all([an_intent("release", purpose="file"), an_intent("web", 1)])
        assert ledger.read().latest is None

    def test_many_outcomes_are_recorded_at_once(self, ledger: Ledger, clock: Clock) -> None:
        intents = [an_intent(f"file {number}", purpose="file") for number in range(300)]
        ledger.claim_all(intents)
        ledger.append_all([Signed(new_id(), clock(), intent.id, "request", "caller") for intent in intents[1:]])
        assert [intent.id for intent in ledger.read().open_intents] == [intents[0].id]

    def test_of_many_lines_all_or_none_are_recorded(self, ledger: Ledger, clock: Clock) -> None:
        with pytest.raises(LedgerError, match="the new line is of"):
            ledger.append_all([revoked(1), revoked(2, time=clock() + timedelta(minutes=6))])
        with pytest.raises(LedgerError, match="does not belong into the ledger of"):
            ledger.append_all([revoked(1), replace(revoked(2), authority="another")])
        assert ledger.read().latest is None

    def test_nothing_at_all_is_recorded_as_nothing(self, ledger: Ledger) -> None:
        ledger.append_all([])
        assert ledger.claim_all([]) == {}
        assert ledger.read().latest is None

    def test_lines_about_intents_take_their_serials(self, ledger: Ledger, clock: Clock) -> None:
        intents = [an_intent("web", 1), an_intent("db", 2)]
        for intent in intents:
            ledger.claim(intent, None)
        ledger.append_all([Refused(new_id(), clock(), intent.id, "denied") for intent in intents])
        assert ledger.read().open_intents == ()

    def test_a_serial_is_used_once(self, ledger: Ledger, clock: Clock) -> None:
        ledger.claim(an_intent("web", 1), None)
        with pytest.raises(LedgerError, match="was used before"):
            ledger.claim(an_intent("db", 1), None)
        ledger.append(an_adopted("mail", 2, clock()))
        with pytest.raises(LedgerError, match="was used before"):
            ledger.claim(an_intent("db", 2), None)

    def test_a_renewal_supersedes_the_certificate_that_it_replaces(self, ledger: Ledger, clock: Clock) -> None:
        self.issue(ledger, clock, "web", 1)
        clock.forward(days=60)
        self.issue(ledger, clock, "web", 2)
        state = ledger.read()
        assert [record.serial for record in state.by_name("web")] == [serial(2), serial(1)]
        former = state.by_serial(serial(1))
        assert former is not None
        assert (former.status(clock()), former.superseded_by) == ("superseded", serial(2))
        assert state.two_live("web", clock()) == ()
        assert state.doubles(clock()) == {}

    def test_of_two_live_certificates_the_newest_is_current_and_both_are_told(
        self, ledger: Ledger, clock: Clock
    ) -> None:
        first, second = an_intent("web", 1), an_intent("web", 2)
        ledger.append(first)
        ledger.append(second)
        ledger.append(issued_for(first, clock()))
        clock.forward(minutes=1)
        ledger.append(issued_for(second, clock()))
        state = ledger.read()
        current = state.current("web", clock())
        assert current is not None
        assert current.serial == serial(2)
        assert [record.serial for record in state.two_live("web", clock())] == [serial(2), serial(1)]
        assert list(state.doubles(clock())) == ["web"]
        ledger.append(Superseded(new_id(), clock(), serial(1), serial(2)))
        assert ledger.read().doubles(clock()) == {}

    def test_an_expired_certificate_is_not_current(self, ledger: Ledger, clock: Clock) -> None:
        self.issue(ledger, clock, "web", 1, days=1)
        clock.forward(days=1, seconds=1)
        state = ledger.read()
        assert state.current("web", clock()) is None
        assert state.counts(clock())["expired"] == 1
        ledger.claim(an_intent("web", 2, clock()), None)

    def test_a_retired_certificate_is_not_current(self, ledger: Ledger, clock: Clock) -> None:
        self.issue(ledger, clock, "web", 1)
        ledger.append(Retired(new_id(), clock(), serial(1)))
        state = ledger.read()
        assert state.current("web", clock()) is None
        assert state.counts(clock())["retired"] == 1

    def test_an_adopted_certificate_counts_as_issued_ones_do(self, ledger: Ledger, clock: Clock) -> None:
        ledger.append(an_adopted("old", 7, clock()))
        record = ledger.read().current("old", clock())
        assert record is not None
        assert (record.adopted, record.intent, dict(record.lifetime)) == (True, None, {})

    def test_a_revoked_certificate_is_not_current_and_stays_revoked(self, ledger: Ledger, clock: Clock) -> None:
        self.issue(ledger, clock, "web", 1)
        line = revoked(1, "key_compromise")
        ledger.append(line)
        ledger.append(Released(new_id(), clock(), serial(1), line.id))
        state = ledger.read()
        assert state.current("web", clock()) is None
        revocation = state.revocation_of(serial(1))
        assert revocation is not None
        assert (revocation.reason, revocation.hold) == ("key_compromise", False)
        assert revocation.not_after == NOW + timedelta(days=90)
        assert list(state.revocations) == [revocation]

    def test_a_hold_keeps_the_name_and_ends_when_released(self, ledger: Ledger, clock: Clock) -> None:
        self.issue(ledger, clock, "web", 1)
        hold = revoked(1, "certificate_hold")
        ledger.append(hold)
        state = ledger.read()
        current = state.current("web", clock())
        assert current is not None
        assert current.status(clock()) == "on_hold"
        assert state.counts(clock())["on_hold"] == 1
        ledger.append(Released(new_id(), clock(), serial(1), hold.id))
        state = ledger.read()
        assert state.revocation_of(serial(1)) is None
        assert state.counts(clock())["valid"] == 1

    def test_an_open_intent_can_be_revoked_and_is_open_no_more(self, ledger: Ledger) -> None:
        ledger.claim(an_intent("web", 1), None)
        ledger.append(revoked(1))
        state = ledger.read()
        assert state.open_intents == ()
        assert [revocation.serial for revocation in state.revocations] == [serial(1)]
        ledger.claim(an_intent("web", 2), None)

    def test_revocations_can_be_assumed_that_nobody_recorded(self, ledger: Ledger, clock: Clock) -> None:
        self.issue(ledger, clock, "web", 1)
        ledger.append(revoked(1, "certificate_hold"))
        ledger.append(revoked(3))
        state = ledger.read()
        stays = state.revocation_of(serial(3))
        assert stays is not None
        assumed = state.assuming({serial(1): None, serial(2): stays._replace(serial=serial(2))})
        assert [found.serial for found in assumed.revocations] == sorted([serial(2), serial(3)])
        assert (assumed.revocation_of(serial(1)), assumed.revocation_of(serial(3))) == (None, stays)
        assert assumed.revocation_mark != state.revocation_mark

    def test_what_is_assumed_and_recorded_changes_nothing(self, ledger: Ledger) -> None:
        ledger.append(revoked(1))
        state = ledger.read()
        assumed = state.assuming({serial(1): state.revocation_of(serial(1)), serial(2): None})
        assert list(assumed.revocations) == list(state.revocations)
        assert assumed.revocation_mark == state.revocation_mark

    def test_the_mark_tells_whether_revocations_are_new(self, ledger: Ledger, clock: Clock) -> None:
        marks = [ledger.read().revocation_mark]
        self.issue(ledger, clock, "web", 1)
        assert ledger.read().revocation_mark == marks[0]
        hold = revoked(1, "certificate_hold")
        for line in (hold, Released(new_id(), clock(), serial(1), hold.id), revoked(2)):
            ledger.append(line)
            marks.append(ledger.read().revocation_mark)
        assert len(set(marks)) == 4

    def test_a_state_knows_all_that_its_mark_covers(self, ledger: Ledger) -> None:
        ledger.append(revoked(1))
        state = ledger.read()
        told, mark = list(state.revocations), state.revocation_mark
        ledger.append(revoked(2))
        assert [found.serial for found in told] == [serial(1)]
        assert told[0] in list(state.revocations)
        assert state.revocation_mark == mark != ledger.read().revocation_mark

    def test_crls_are_told_by_number_and_scope(self, ledger: Ledger) -> None:
        for number, scope in ((5, "full"), (9, "delta"), (7, "full")):
            intent = an_intent(scope, purpose="crl")
            ledger.claim(intent, None)
            ledger.append(a_crl(intent, number, scope))
        state = ledger.read()
        assert [crl.number for crl in state.crls] == [5, 7, 9]
        last = state.last_crl("full")
        assert last is not None
        assert last.number == 7
        assert state.last_crl("partition 1") is None
        assert state.open_intents == ()

    def test_an_intent_of_a_file_is_closed_by_its_signature(self, ledger: Ledger, clock: Clock) -> None:
        intent = an_intent("release.tar.gz", purpose="file")
        ledger.append(intent)
        assert [found.id for found in ledger.read().open_intents] == [intent.id]
        ledger.append(Signed(new_id(), clock(), intent.id, "request", "caller"))
        assert ledger.read().open_intents == ()

    def test_certificates_are_found_by_what_is_wanted(self, ledger: Ledger, clock: Clock) -> None:
        for name, number, days in (("web", 1, 10), ("db", 2, 90), ("mail", 3, 1)):
            self.issue(ledger, clock, name, number, days)
        ledger.append(revoked(2))
        clock.forward(days=2)
        state = ledger.read()

        def names(wanted: Wanted) -> list[str]:
            return [record.name for record in state.find(wanted, clock())]

        assert names(Wanted()) == ["db", "mail", "web"]
        assert names(Wanted(names=frozenset({"web", "mail"}))) == ["mail", "web"]
        assert names(Wanted(statuses=frozenset({"valid"}))) == ["web"]
        assert names(Wanted(statuses=frozenset({"revoked", "expired"}))) == ["db", "mail"]
        assert names(Wanted(expires_before=clock() + timedelta(days=30))) == ["mail", "web"]
        assert names(Wanted(profiles=frozenset({"root_ca"}))) == []
        assert names(Wanted(profiles=frozenset({"tls_server"}), statuses=frozenset({"valid"}))) == ["web"]

    def test_a_clock_far_behind_the_ledger_is_refused(self, ledger: Ledger, clock: Clock) -> None:
        self.issue(ledger, clock, "web", 1)
        clock.forward(minutes=-5)
        ledger.append(revoked(1, time=clock()))
        clock.forward(seconds=-1)
        with pytest.raises(LedgerError, match="it is 2026-03-01T11:54:59Z here, but the ledger has a line of"):
            ledger.append(revoked(1, time=clock()))
        with pytest.raises(LedgerError, match="set the clock"):
            ledger.claim(an_intent("db", 2), None)

    def test_a_line_from_the_future_is_refused(self, ledger: Ledger, clock: Clock) -> None:
        with pytest.raises(LedgerError, match="the new line is of"):
            ledger.append(revoked(1, time=clock() + timedelta(minutes=6)))
        assert ledger.read().latest is None

    def test_a_line_of_another_authority_is_refused(self, ledger: Ledger) -> None:
        with pytest.raises(LedgerError, match="does not belong into the ledger of"):
            ledger.append(replace(revoked(1), authority="another"))
        assert ledger.read().latest is None
