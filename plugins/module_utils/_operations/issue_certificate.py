# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Issue a certificate: record, sign, verify, store, record the outcome. This is where certificates are signed."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from .._ledger.entries import Intent, Issued, Superseded, new_id
from .._ledger.files import issued_path
from .._ledger.holders import is_gone, this_holder
from .._ledger.port import NameClaimed
from .._pki.certificate import SERIAL_BITS, certificate_builder, to_serial_number, validity
from .._pki.certificates import serial_hex, sha256_hex, to_der, to_pem
from .._pki.errors import IssuerError, LedgerError
from .._pki.names import name_text
from .._signer.session import SigningSession
from .certificate_place import place_of
from .certificate_plan import CertificatePlan, plan_certificate
from .compromised_keys import compromise_problems
from .crl_shards import objection_to, place
from .current_certificate import signed_for
from .issued_copy import discard, store, unfinished
from .recording import IntentRecorder, closed_if_refused
from .signing import sign_builder

if TYPE_CHECKING:
    from cryptography import x509

    from .._ledger.port import LedgerState
    from .._signer.ports import MessageSigner, SignReply
    from .certificate_inputs import CertificatePorts

WAIT_FOR_OTHERS = timedelta(seconds=60)


@dataclass(frozen=True)
class IssuingPorts:
    """What issuing needs beyond planning.

    Attributes:
        random_bits: fresh random bits for the serial number, at least 159.
        caller_arn: who signs, for the record.
    """

    signer: MessageSigner
    caller_arn: Callable[[], str]
    clock: Callable[[], datetime]
    random_bits: Callable[[], int] = field(default=lambda: secrets.randbits(SERIAL_BITS))
    sleep: Callable[[float], None] = field(default=time.sleep)


@dataclass(frozen=True)
class Issuance:
    """The certificate that is current after a run, and what it took.

    Attributes:
        bundle: the issuer and all above it on any path.
        by_another: another run issued it while this one was about to.
    """

    certificate: x509.Certificate
    bundle: tuple[x509.Certificate, ...]
    sign_calls: int = 0
    by_another: bool = False


def carry_out(planned: CertificatePlan, planning: CertificatePorts, issuing: IssuingPorts) -> Issuance:
    """Do what *planned* says; where another run has the name, wait for its outcome and take that if it fits.

    Raises:
        NameClaimed: the other run does not end.
        PkiError: as issue_certificate().
    """
    deadline, by_another = issuing.clock() + WAIT_FOR_OTHERS, False
    while planned.reissue:
        try:
            return issue_certificate(planned, issuing)
        except NameClaimed as claimed:
            _wait_for_other(planned, claimed, deadline, issuing)
        planned, by_another = plan_certificate(planned.task, planning), True
    return replace(complete(planned, issuing.clock()), by_another=by_another)


def issue_certificate(planned: CertificatePlan, ports: IssuingPorts) -> Issuance:
    """Sign what *planned* says and put it on record; on return it is in issued/ and in the ledger.

    Raises:
        NameClaimed: another run has the name; nothing was signed.
        AwsError: KMS refused or did not answer.
        SignerError: what came back is not the issuer's signature; nothing was stored.
        LedgerError: the ledger could not be written.
    """
    caller = ports.caller_arn()
    make_folder(issued_path(Path(planned.task.ledger_path), "").parent)
    _clear_copies(planned)
    serial_number = to_serial_number(ports.random_bits())
    spec, details = place(planned.spec, planned.task.crl_partitions, serial_number, planned.ledger)
    planned, details = replace(planned, spec=spec), {**details, **place_of(planned.task)}
    recorder = IntentRecorder(
        planned.ledger,
        ports.clock,
        lambda content_sha256: replace(_intent(planned, serial_number, content_sha256, ports.clock()), details=details),
        planned.expected_current,
        _objection(planned, details),
    )
    public_key = planned.spec.public_key if planned.issuer is None else planned.issuer.public_key()
    session = SigningSession(ports.signer, recorder, public_key)  # type: ignore[arg-type]
    with closed_if_refused(recorder):
        certificate = _sign(planned, session, serial_number)
    store(issued_path(Path(planned.task.ledger_path), serial_hex(serial_number)), to_pem([certificate]))
    reply = session.replies[-1]
    record_issued(planned, certificate, recorder.intent, reply, caller, ports.clock())
    return Issuance(certificate, planned.bundle, session.calls)


def _objection(planned: CertificatePlan, details: Mapping[str, str]) -> Callable[[LedgerState, Intent], str]:
    """Return what has to be asked once the intent is on record: what others wrote since the plan may forbid it."""
    no_room = objection_to(details)

    def objection(state: LedgerState, intent: Intent) -> str:
        if state.revocation_mark != planned.revocation_mark:
            for problem in compromise_problems(planned.spec, planned.task.ledger_path, state):
                return problem
        return no_room(state, intent) if no_room else ""

    return objection


def _clear_copies(planned: CertificatePlan) -> None:
    """Remove what runs for this name left of copies when they died; a whole certificate is kept in its place."""
    for intent in planned.left:
        if is_gone(intent.holder):
            path = issued_path(Path(planned.task.ledger_path), intent.serial)
            certificate = signed_for(planned.task, intent, planned.issuer)
            if certificate is not None:
                store(path, to_pem([certificate]))
            discard(unfinished(path))


def _sign(planned: CertificatePlan, session: SigningSession, serial_number: int) -> x509.Certificate:
    if planned.algorithm is None:
        raise IssuerError(f"{planned.spec.name}: there is no algorithm to sign with")
    period = validity(planned.spec.lifetime, planned.issuer, planned.now)
    builder = certificate_builder(planned.spec, planned.issuer, serial_number, period)
    certificate: x509.Certificate = sign_builder(builder, session, planned.algorithm)
    return certificate


def _intent(planned: CertificatePlan, serial_number: int, content_sha256: str, now: datetime) -> Intent:
    lifetime = planned.spec.lifetime
    return Intent(
        id=new_id(),
        time=now,
        purpose="certificate",
        name=planned.spec.name,
        serial=serial_hex(serial_number),
        subject=name_text(planned.spec.subject),
        content_sha256=content_sha256,
        key_arn=planned.task.issuer_key_id,
        profile=planned.spec.profile.name,
        holder=this_holder(),
        lifetime={"not_before": lifetime.not_before, "not_after": lifetime.not_after},
    )


def record_issued(
    planned: CertificatePlan,
    certificate: x509.Certificate,
    intent: Intent | None,
    reply: SignReply | None,
    caller_arn: str,
    now: datetime,
) -> None:
    """Write the outcome of *intent*; *reply* is None where the run that got it is gone."""
    if intent is None:
        raise LedgerError(f"{planned.task.ledger_path}: a certificate was signed without an intent")
    serial = serial_hex(certificate.serial_number)
    # After a merge a name may have had two; the intent names the newest, and takes the place of the other too.
    for other in planned.ledger.read().two_live(planned.spec.name, now):
        if other.serial not in (serial, intent.replaces, planned.expected_current):
            planned.ledger.append(Superseded(new_id(), now, other.serial, serial))
    planned.ledger.append(
        Issued(
            id=new_id(),
            time=now,
            intent=intent.id,
            serial=serial,
            certificate_sha256=sha256_hex(to_der(certificate)),
            request_id=reply.request_id if reply else "",
            caller_arn=caller_arn,
            not_before=certificate.not_valid_before_utc,
            not_after=certificate.not_valid_after_utc,
            key_arn=reply.key_arn if reply else "",
        )
    )


def complete(planned: CertificatePlan, now: datetime) -> Issuance:
    """Return the current certificate; record the outcome of a run that died after storing it.

    Nobody knows that run's request any more, so request and caller stay empty.
    """
    found = planned.found
    if found is None:
        raise LedgerError(f"{planned.spec.name}: there is no certificate to complete; run again")
    if found.unfinished is not None:
        store(issued_path(Path(planned.task.ledger_path), found.serial), to_pem([found.certificate]))
        record_issued(planned, found.certificate, found.unfinished, None, "", now)
    return Issuance(found.certificate, planned.bundle)


def _wait_for_other(planned: CertificatePlan, claimed: NameClaimed, deadline: datetime, ports: IssuingPorts) -> None:
    """Wait until the run that holds the name has an outcome, or gave up.

    Raises:
        NameClaimed: it is still at it at *deadline*.
    """
    while True:
        if ports.clock() > deadline:
            raise claimed
        ports.sleep(0.2)
        if claimed.intent is None or not planned.ledger.read().claim_on(planned.spec.name, ports.clock()):
            return


def make_folder(path: Path) -> None:
    """Make the folder *path* and those above it, before anything is signed that would have to go there.

    Raises:
        LedgerError: it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise LedgerError(f"{path}: the folder cannot be made ({exc.strerror})") from exc
