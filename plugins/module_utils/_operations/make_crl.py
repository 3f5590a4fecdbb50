# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make a CRL: record, sign, verify, store, record the outcome. This is where CRLs are signed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from .._ledger.entries import Crl, Intent, new_id
from .._ledger.holders import this_holder
from .._ledger.port import NameClaimed
from .._pki.certificates import sha256_hex
from .._pki.crl import (
    CrlSpec,
    crl_builder,
    crl_number_of,
    crl_signed_by,
    crl_to_der,
    load_crl,
    next_number,
)
from .._pki.crl_task import delta_scope
from .._pki.errors import IssuerError, LedgerError, SpecError
from .._signer.session import SigningSession
from .crl_entries import delta_base, entries_of, revocations_mark, revocations_of
from .crl_plan import PURPOSE, REVOCATIONS, CrlPlan, CrlPorts, crl_line, crl_spec, plan_crl, standing, this_update_after
from .crl_size import LEFT_OUT, signable
from .issue_certificate import make_folder
from .recording import IntentRecorder, closed_if_refused, closing
from .signing import sign_builder

if TYPE_CHECKING:
    from cryptography import x509

    from .._ledger.port import LedgerState
    from .._signer.algorithms import AlgorithmRow
    from .._signer.ports import MessageSigner

WAIT_FOR_OTHERS = timedelta(seconds=60)
ENTRIES = "entries"


@dataclass(frozen=True)
class CrlSigning:
    """What signing needs beyond planning.

    Attributes:
        caller_arn: who signs, for the record.
        store: puts the CRL, given in DER, where the task wants it, in full or not at all.
        milliseconds: the present since 1970, finer than *clock*, for CRL numbers.
    """

    signer: MessageSigner
    caller_arn: Callable[[], str]
    clock: Callable[[], datetime]
    store: Callable[[CrlPlan, bytes], None]
    milliseconds: Callable[[], int]
    sleep: Callable[[float], None] = field(default=time.sleep)


@dataclass(frozen=True)
class MadeCrl:
    """The CRL that is current after a run, and what it took.

    Attributes:
        der: the CRL itself; None where its file is not at hand.
        by_another: another run made it while this one was about to.
    """

    line: Crl
    der: bytes | None
    sign_calls: int = 0
    by_another: bool = False


def _number_taken(state: LedgerState, intent: Intent, part: str) -> str:
    """Return why the number of *intent* must not be used: another run has used it, or a higher one, meanwhile."""
    number = int(intent.details["number"])
    if highest_number(state, part, intent.id) < number:
        return ""
    return f"another run has made a CRL number {number} or higher meanwhile; run again"


def highest_number(state: LedgerState, part: str, but: str = "") -> int:
    """Return the highest CRL number that full and delta CRLs of *part* have used, signed or about to be; 0 for none.

    Args:
        but: id of an intent that does not count.
    """
    signed = [crl.number for crl in (state.last_crl(part), state.last_crl(delta_scope(part))) if crl is not None]
    begun = [
        int(intent.details.get("number", 0))
        for intent in state.open_intents
        if (intent.purpose, intent.name) == (PURPOSE, claim_name(part)) and intent.id != but
    ]
    return max([*signed, *begun], default=0)


def claim_name(part: str) -> str:
    """Return the name that a run claims while it makes a CRL."""
    return f"crl {part}"


def carry_out_crl(planned: CrlPlan, planning: CrlPorts, signing: CrlSigning) -> MadeCrl:
    """Do what *planned* says; where another run is at it, wait for its outcome and take that if it fits.

    Raises:
        NameClaimed: the other run does not end.
        PkiError: as make_crl().
    """
    deadline, by_another = signing.clock() + WAIT_FOR_OTHERS, False
    while True:
        try:
            made = make_crl(planned, signing)
            return replace(made, by_another=by_another and not planned.remake)
        except NameClaimed as claimed:
            _wait_for_other(planned, claimed, deadline, signing)
        if planned.issuer is None:
            raise IssuerError(f"{planned.task.path}: the issuer is missing")
        task, by_another = replace(planned.task, force=False), True
        planned = plan_crl(task, planned.issuer, planned.ledger, planned.ledger.read(), planning.clock())


def _wait_for_other(planned: CrlPlan, claimed: NameClaimed, deadline: datetime, signing: CrlSigning) -> None:
    """Wait until nobody makes a CRL of the same certificates.

    Raises:
        NameClaimed: somebody still does at *deadline*.
    """
    while True:
        if signing.clock() > deadline:
            raise claimed
        signing.sleep(0.2)
        if planned.ledger.read().claim_on(claim_name(planned.task.part), signing.clock(), PURPOSE) is None:
            return


def make_crl(planned: CrlPlan, signing: CrlSigning) -> MadeCrl:
    """Sign what *planned* says; its intent is on record before, the outcome after.

    Raises:
        NameClaimed: another run is making a CRL of the same certificates; nothing was signed.
        AwsError: KMS refused or did not answer.
        SignerError: what came back is not the issuer's signature; nothing was stored.
        LedgerError: the ledger cannot be used.
    """
    if planned.unfinished is not None and planned.last is not None:
        planned.ledger.append(replace(planned.last, time=signing.clock()))
    if not planned.remake:
        if planned.last is None:
            raise LedgerError(f"{planned.task.path}: there is no CRL to complete; run again")
        return MadeCrl(planned.last, planned.present)
    if planned.issuer is None or planned.algorithm is None:
        raise SpecError("; ".join(planned.plan.pending))
    caller = signing.caller_arn()
    make_folder(Path(planned.task.path).parent)
    make_folder(Path(planned.task.ledger_path).parent)
    spec, revoked, details = _compose(planned, planned.issuer, planned.algorithm, signing)
    recorder = IntentRecorder(
        planned.ledger,
        signing.clock,
        lambda content_sha256: _intent(planned, details, content_sha256, signing.clock()),
        objection=lambda state, intent: _number_taken(state, intent, planned.task.part),
    )
    session = SigningSession(signing.signer, recorder, spec.issuer.public_key(), signing.sleep)  # type: ignore[arg-type]
    with closed_if_refused(recorder):
        crl: x509.CertificateRevocationList = sign_builder(crl_builder(spec, revoked), session, planned.algorithm)
    if recorder.intent is None:
        raise LedgerError(f"{planned.task.ledger_path}: a CRL was signed without an intent")
    der = crl_to_der(crl)
    signing.store(planned, der)
    times, request_id = (spec.this_update, spec.next_update), session.replies[-1].request_id
    line = crl_line(recorder.intent, planned.task.scope, *times, sha256_hex(der), request_id, caller)
    now = signing.clock()
    planned.ledger.append_all([replace(line, time=now), *closing(planned.ledger.read(), recorder.intent, now)])
    return MadeCrl(line, der, session.calls)


def _compose(
    planned: CrlPlan, issuer: x509.Certificate, algorithm: AlgorithmRow, signing: CrlSigning
) -> tuple[CrlSpec, list[x509.RevokedCertificate], dict[str, str]]:
    """Return the CRL by what the ledger says at this moment, and the details of its intent.

    All that was recorded before its thisUpdate is in it: the next CRL leaves out what expired on that account.
    """
    task, now, state = planned.task, signing.clock(), planned.ledger.read()
    standing(task, issuer, state, planned.present)  # the ledger may be another one by now
    base, missing = delta_base(task, state)
    if missing:
        raise SpecError("; ".join(missing))
    if base is not None:
        task = task.of_base(base.crl)
    this_update = this_update_after(state.last_crl(task.scope), now)
    highest = max(highest_number(state, task.part), _number_at_path(planned, issuer))
    spec = crl_spec(task, issuer, base, next_number(highest, signing.milliseconds()), this_update)
    revocations = revocations_of(task, state)
    try:
        revoked, left_out = signable(algorithm, spec, entries_of(task, state, base, revocations))
    except SpecError as exc:
        raise SpecError(f"{task.path}: {exc}") from exc
    details = {
        **planned.words,
        "scope": task.scope,
        "number": str(spec.number),
        "mark": state.revocation_mark,
        ENTRIES: str(len(revoked)),
        **({LEFT_OUT: left_out} if left_out else {}),
        **({} if spec.base_number is None else {"base_number": str(spec.base_number)}),
        **({} if task.partition is None else {REVOCATIONS: revocations_mark(revocations)}),
    }
    return spec, revoked, details


def _number_at_path(planned: CrlPlan, issuer: x509.Certificate) -> int:
    """Return the number of the issuer's CRL that is replaced, which an older ledger does not know; 0 for none."""
    if planned.present is None or (planned.last is not None and planned.last.crl_sha256 == sha256_hex(planned.present)):
        return 0
    try:
        crl = load_crl(planned.present, planned.task.path)
    except SpecError:
        return 0
    return (crl_number_of(crl) or 0) if crl_signed_by(crl, issuer) else 0


def _intent(planned: CrlPlan, details: dict[str, str], content_sha256: str, now: datetime) -> Intent:
    return Intent(
        id=new_id(),
        time=now,
        purpose=PURPOSE,
        name=claim_name(planned.task.part),
        serial="",
        subject=planned.words["issuer"],
        content_sha256=content_sha256,
        key_arn=planned.task.issuer_key_id,
        profile="",
        holder=this_holder(),
        details=details,
    )
