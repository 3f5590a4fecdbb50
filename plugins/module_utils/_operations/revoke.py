# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Revoke certificates, put them on hold, release and retire them: lines in the ledger, which CRLs tell the world."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from .._ledger.entries import CERTIFICATE_HOLD, COMPROMISES, UNSPECIFIED, Released, Retired, Revoked, new_id
from .._ledger.state import Revocation
from .._pki.certificates import asn1_time, serial_hex, sha256_hex, to_der
from .._pki.errors import LedgerError, SpecError
from .._pki.issuing import signed_by
from .._pki.plan import Change, Plan

if TYPE_CHECKING:
    from cryptography import x509

    from .._ledger.port import Ledger, LedgerState


@dataclass(frozen=True)
class RevocationSpec:
    """How the certificates shall stand.

    Attributes:
        released: not on hold; all else is for those that shall be revoked.
        retired: out of use; they stay valid.
        reason: one of REASONS; None takes the one that is there, else unspecified.
        revoked_at: for those that are revoked now.
        invalidity_date: since when the key is suspected.
        invalidity_date_fixed: it was given as a date, so that it can be compared with what is there.
        issued_before: of a name, takes what is older only.
        foreign: takes serials that the ledger does not know.
    """

    released: bool = False
    retired: bool = False
    reason: str | None = None
    revoked_at: datetime | None = None
    invalidity_date: datetime | None = None
    invalidity_date_fixed: bool = False
    issued_before: datetime | None = None
    foreign: bool = False


@dataclass(frozen=True)
class Target:
    """One certificate, perhaps unknown to the ledger.

    Attributes:
        not_after: where only the certificate itself tells it.
        of_name: it was named together with the others of its name.
    """

    serial: str
    not_after: datetime | None = None
    of_name: bool = False


@dataclass(frozen=True)
class RevocationPlan:
    """The lines to add to the ledger, and what they change."""

    targets: tuple[Target, ...]
    lines: tuple[Revoked | Released | Retired, ...]
    plan: Plan


def check_spec(spec: RevocationSpec, now: datetime) -> list[str]:
    """Return what is wrong with the wish itself."""
    problems = []
    if (spec.released or spec.retired) and (spec.reason or spec.revoked_at or spec.invalidity_date):
        problems.append("reason, revocation_date and invalidity_date go with state: revoked only")
    for option, time in (("revocation_date", spec.revoked_at), ("invalidity_date", spec.invalidity_date)):
        if time and time > now:
            problems.append(f"{option} {asn1_time(time)} is in the future; it is {asn1_time(now)}")
    return problems


def target_of_serial(state: LedgerState, serial: str, spec: RevocationSpec, label: str) -> Target:
    """Return the certificate with this serial.

    Raises:
        LedgerError: the ledger does not know it, and the wish does not say that it is foreign.
    """
    known = state.by_serial(serial) or state.intent_of(serial) or state.revocation_of(serial)
    if not known and not spec.foreign:
        raise LedgerError(
            f"{label}: the serial number {serial} is not in this ledger; name its issuer's ledger, or set "
            "foreign: true for a certificate of this authority that was never recorded here"
        )
    return Target(serial)


def target_of_certificate(
    state: LedgerState,
    certificate: x509.Certificate,
    issuer: x509.Certificate | None,
    spec: RevocationSpec,
    label: str,
) -> Target:
    """Return a certificate that is at hand.

    Args:
        issuer: the ledger's authority, where it is known.
    Raises:
        LedgerError: the ledger does not know it, or has its serial for another one.
        SpecError: nobody can tell whether the ledger's authority issued it.
    """
    serial = serial_hex(certificate.serial_number)
    record, intent = state.by_serial(serial), state.intent_of(serial)
    if record and record.certificate_sha256 == sha256_hex(to_der(certificate)):
        return Target(serial)
    if intent and intent.content_sha256 == sha256_hex(certificate.tbs_certificate_bytes):
        return Target(serial, certificate.not_valid_after_utc)
    if issuer and not signed_by(certificate, issuer):
        raise SpecError(f"{label}: the certificate {serial} was not signed by the issuer given; name its own issuer")
    if record or intent:
        raise LedgerError(
            f"{label}: the ledger knows {serial} as another certificate than this one; name the ledger of its issuer"
        )
    if spec.foreign and not issuer:
        raise SpecError(
            f"{label}: whether this authority issued the certificate {serial} cannot be told; name the authority's own "
            "certificate with issuer_path"
        )
    return Target(target_of_serial(state, serial, spec, label).serial, certificate.not_valid_after_utc)


def targets_of_name(state: LedgerState, name: str, spec: RevocationSpec, now: datetime, label: str) -> list[Target]:
    """Return the certificates of *name* that have not expired, and its intents that nobody finished.

    Raises:
        LedgerError: the ledger does not know the name, or it is being issued right now.
    """
    records = state.by_name(name)
    intents = [intent for intent in state.open_intents if (intent.purpose, intent.name) == ("certificate", name)]
    if not records and not intents:
        raise LedgerError(f"{label}: no certificate is named {name} in this ledger; x509_ledger_info lists the names")
    if not (spec.released or spec.retired) and state.claim_on(name, now):
        raise LedgerError(f"{label}: {name} is being issued by another run; run again when that has ended")
    end = spec.issued_before
    serials = [
        *(record.serial for record in records if record.not_after >= now and (end is None or record.recorded_at < end)),
        *(intent.serial for intent in intents if not spec.retired and (end is None or intent.time < end)),
    ]
    return [Target(serial, of_name=True) for serial in serials]


def plan_revocation(
    state: LedgerState, targets: Sequence[Target], spec: RevocationSpec, now: datetime, label: str
) -> RevocationPlan:
    """Return what has to be recorded so that *targets* stand as *spec* says.

    Those of a name that are revoked for good may stay as they are.

    Raises:
        SpecError: a revocation for good would have to be taken back or weakened; every problem in one message.
    """
    problems = check_spec(spec, now)
    refusals: list[str] = []
    lines: list[Revoked | Released | Retired] = []
    changes: list[Change] = []
    for target in targets:
        present = state.revocation_of(target.serial)
        try:
            found = _retirements(target, state, now) if spec.retired else _changes_to(target, present, spec, now)
        except SpecError as exc:
            refusals.append(str(exc))
            continue
        lines += found
        before = "in use" if spec.retired else _text(present)
        changes += [Change(target.serial, before, _text_of_line(found[0]))] if found else []
    problems += [] if _may_stay(refusals, targets, spec) else refusals
    if problems:
        raise SpecError("; ".join(f"{label}: {problem}" for problem in problems))
    return RevocationPlan(tuple(targets), tuple(lines), Plan(tuple(changes)))


def standing_after(planned: RevocationPlan, state: LedgerState) -> dict[str, Revocation | None]:
    """Return the revocations that *planned* makes, by serial; None where a hold ends."""
    ends = {target.serial: target.not_after for target in planned.targets}
    after: dict[str, Revocation | None] = {}
    for line in planned.lines:
        record, serial = state.by_serial(line.serial), line.serial
        if isinstance(line, Released):
            after[serial] = None
        elif isinstance(line, Revoked):
            not_after = record.not_after if record else ends[serial]
            dates = (line.revoked_at, line.invalidity_date, not_after, line.time)
            after[serial] = Revocation(serial, line.reason, *dates)
    return after


def record(planned: RevocationPlan, ledger: Ledger) -> None:
    """Write the lines of *planned*.

    Raises:
        LedgerError: one could not be written; those before it are, and a second run adds the rest.
    """
    for line in planned.lines:
        ledger.append(line)


def _may_stay(refusals: Sequence[str], targets: Sequence[Target], spec: RevocationSpec) -> bool:
    """True for those of a name: what is revoked for good is revoked, and need not keep others on hold."""
    return all(target.of_name for target in targets) and (not spec.released or len(refusals) < len(targets))


def _retirements(target: Target, state: LedgerState, now: datetime) -> Sequence[Retired]:
    record = state.by_serial(target.serial)
    if record is None:
        raise SpecError(f"{target.serial} is no certificate of this ledger, so it cannot be retired; revoke it")
    ended = record.retired or (record.revocation is not None and not record.revocation.hold)
    return [] if ended else [Retired(new_id(), now, target.serial)]


def _changes_to(
    target: Target, present: Revocation | None, spec: RevocationSpec, now: datetime
) -> Sequence[Revoked | Released]:
    return _releases(target, present, now) if spec.released else _revocations(target, present, spec, now)


def _releases(target: Target, present: Revocation | None, now: datetime) -> list[Released]:
    if present is None:
        return []
    if not present.hold:
        raise SpecError(f"{target.serial} is {_text(present)}; that is for good, only a hold can be released")
    return [Released(new_id(), now, target.serial, hold) for hold in present.holds]


def _revocations(target: Target, present: Revocation | None, spec: RevocationSpec, now: datetime) -> list[Revoked]:
    if present is None:
        return [_line(target, spec.reason or UNSPECIFIED, spec.revoked_at or now, spec.invalidity_date, now)]
    reason = _reason_after(target, present, spec)
    invalid_since = _invalid_since(target, present, spec, reason)
    if (reason, invalid_since) == (present.reason, present.invalidity_date):
        return []
    ends_hold = present.hold and reason != CERTIFICATE_HOLD
    revoked_at = spec.revoked_at if ends_hold and spec.revoked_at else present.revoked_at
    return [_line(target, reason, revoked_at, invalid_since, now)]


def _reason_after(target: Target, present: Revocation, spec: RevocationSpec) -> str:
    """Return the reason that the wish leaves: of one for good only a compromise changes it."""
    if present.hold:
        return spec.reason or UNSPECIFIED
    reason = spec.reason or present.reason
    if reason != present.reason and (reason not in COMPROMISES or present.reason in COMPROMISES):
        raise SpecError(
            f"{target.serial} is {_text(present)}; that reason stays, it cannot become {reason} (only a compromise "
            "outranks the other reasons)"
        )
    return reason


def _invalid_since(target: Target, present: Revocation, spec: RevocationSpec, reason: str) -> datetime | None:
    """Return since when the key is suspected: what is recorded, unless the wish moves it back."""
    known, wanted = present.invalidity_date, spec.invalidity_date
    if wanted is None or (reason == present.reason and not spec.invalidity_date_fixed):
        return known
    latest = known or (present.revoked_at if reason == present.reason else wanted)
    if wanted <= latest:
        return wanted
    if not spec.invalidity_date_fixed:
        return known
    raise SpecError(f"{target.serial} is {_text(present)}; invalidity_date can be moved back only")


def _line(
    target: Target, reason: str, revoked_at: datetime, invalidity_date: datetime | None, now: datetime
) -> Revoked:
    return Revoked(new_id(), now, target.serial, reason, revoked_at, invalidity_date, target.not_after)


def _text(present: Revocation | None) -> str:
    if present is None:
        return "not revoked"
    return _said(present.reason, present.revoked_at, present.invalidity_date)


def _text_of_line(line: Revoked | Released | Retired) -> str:
    if isinstance(line, Retired):
        return "retired"
    return "not revoked" if isinstance(line, Released) else _said(line.reason, line.revoked_at, line.invalidity_date)


def _said(reason: str, revoked_at: datetime, invalidity_date: datetime | None) -> str:
    how = "on hold" if reason == CERTIFICATE_HOLD else f"revoked for {reason}"
    since = f", invalid since {asn1_time(invalidity_date)}" if invalidity_date else ""
    return f"{how} since {asn1_time(revoked_at)}{since}"
