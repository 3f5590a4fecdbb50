# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan a CRL: what is there, what the ledger says by now, whether a new one is due and may be signed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from .._ledger.entries import Crl, authority_of, new_id
from .._ledger.opening import open_ledger
from .._pki.certificates import asn1_time, load_certificates, serial_hex, sha256_hex, spki
from .._pki.crl import (
    CrlEntry,
    CrlSpec,
    check_crl_issuer,
    crl_entries,
    crl_number_of,
    crl_period,
    crl_signed_by,
    crl_times,
    load_crl,
    next_number,
)
from .._pki.current import signature_of
from .._pki.errors import LedgerError, SpecError
from .._pki.extensions import authority_key_identifier
from .._pki.names import name_text
from .._pki.plan import Change, Plan, compare
from .._pki.pss_keys import refuse_pss_key
from .._pki.times import renew_time
from .certificate_inputs import choose_algorithm
from .crl_entries import DeltaBase, delta_base, entries_of, partitions_of, read_crl, revocations_mark, revocations_of
from .crl_size import LEFT_OUT, is_limited, shown, signable

if TYPE_CHECKING:
    from cryptography import x509

    from .._ledger.entries import Intent
    from .._ledger.port import Ledger, LedgerState
    from .._ledger.state import Revocation
    from .._pki.crl_task import CrlTask
    from .._signer.algorithms import AlgorithmRow

ENTRIES_TOLD = 100
PURPOSE = "crl"
REVOCATIONS = "revocations"


@dataclass(frozen=True)
class CrlPorts:
    """What planning needs from the outside.

    Attributes:
        ledger: opens that of the authority whose key is given in DER.
        assumed: what other tasks plan to record, and cannot in check mode; None for what would be released.
    """

    ledger: Callable[[bytes], Ledger]
    clock: Callable[[], datetime]
    assumed: Mapping[str, Revocation | None] = field(default_factory=dict)


@dataclass(frozen=True)
class CrlPlan:
    """What is to be done for one CRL, and all that doing it needs.

    Attributes:
        issuer, algorithm: None while the issuer does not exist yet.
        last: the CRL that is current now, perhaps not recorded yet.
        unfinished: the intent of a run that died before it could record *last*.
        present: what is at the path now, in DER.
        base: what a delta CRL builds on.
        plan: what changes in the CRL; files are planned by whoever writes them.
        refusal: why it cannot be signed; those of other partitions are none the worse for it.
    """

    task: CrlTask
    issuer: x509.Certificate | None
    algorithm: AlgorithmRow | None
    ledger: Ledger
    last: Crl | None
    unfinished: Intent | None
    words: Mapping[str, str]
    plan: Plan
    base: DeltaBase | None = None
    present: bytes | None = None
    refusal: str = ""

    @property
    def remake(self) -> bool:
        return self.plan.changed

    @property
    def completion(self) -> tuple[Change, ...]:
        """The outcome that a run which died did not record."""
        if self.unfinished is None or self.last is None:
            return ()
        return (Change(f"ledger {self.task.scope}", "intent", f"crl {self.last.number}"),)


def file_crl_ports(
    task: CrlTask, clock: Callable[[], datetime], assumed: Mapping[str, Revocation | None] | None = None
) -> CrlPorts:
    """Return ports over the ledger file of *task*."""

    def ledger(public_key: bytes) -> Ledger:
        return open_ledger(task.ledger_path, clock, authority_of(public_key) if public_key else "")

    return CrlPorts(ledger, clock, assumed or {})


def plan_crls(task: CrlTask, ports: CrlPorts) -> list[CrlPlan]:
    """Plan the CRL of *task*, or one for each partition.

    Raises:
        SpecError: a CRL must not be signed; every reason in one message.
        LedgerError: the ledger cannot be used, or does not know the CRL at the path.
    """
    if task.issuer.content is None:
        missing = f"the issuer's certificate {task.issuer.label} does not exist yet; issue it first"
        plan = Plan(compare(None, task.words()), (missing,))
        return [CrlPlan(task, None, None, ports.ledger(b""), None, None, {}, plan)]
    issuer = load_certificates(task.issuer.content, task.issuer.label)[0]
    refuse_pss_key(issuer, task.issuer.label)
    ledger = ports.ledger(spki(issuer.public_key()))
    state = ledger.read().assuming(ports.assumed)
    return [plan_crl(one, issuer, ledger, state, ports.clock()) for one in partitions_of(task, issuer, state)]


def plan_crl(task: CrlTask, issuer: x509.Certificate, ledger: Ledger, state: LedgerState, now: datetime) -> CrlPlan:
    """Compare the CRL of one scope with what *state* says, and gate the one that would be signed."""
    present = read_crl(task.path)
    last, unfinished = standing(task, issuer, state, present)
    base, missing = delta_base(task, state)
    if base is not None:
        task = task.of_base(base.crl)
    algorithm, words, problems = _wanted(task, issuer, now)
    reasons = _reasons(task, last, base, state, words, now, present)
    changes: tuple[Change, ...] = ()
    if reasons or problems or missing:
        problems += check_crl_issuer(issuer, now)
        if problems:
            raise SpecError(f"{task.path}: " + "; ".join(problems))
        changes = _changes(task, last, base, state, words, now, present)
    told = "; ".join(reasons) if last is not None else ""
    planned = CrlPlan(
        task, issuer, algorithm, ledger, last, unfinished, words, Plan(changes, missing, told), base, present
    )
    return replace(planned, refusal=_refusal(planned, state, now)) if reasons and not missing else planned


def this_update_after(last: Crl | None, now: datetime) -> datetime:
    """Return thisUpdate of a CRL made at *now*: later than that of *last* where its clock was ahead of this one.

    OpenSSL and others take of two CRLs the one with the later thisUpdate, whatever their numbers.
    """
    if last is None or now >= last.this_update:
        return now
    return last.this_update + timedelta(seconds=1)


def crl_spec(task: CrlTask, issuer: x509.Certificate, base: DeltaBase | None, number: int, now: datetime) -> CrlSpec:
    """Return what the CRL of *task* is when it is made at *now*; see this_update_after()."""
    period = crl_period(task.next_update, task.renew_before, now)
    return CrlSpec(issuer, number, *period, None if base is None else base.number, task.extensions())


def _refusal(planned: CrlPlan, state: LedgerState, now: datetime) -> str:
    """Return why the issuer's key cannot sign this CRL, though it may sign those of other partitions."""
    task, issuer, algorithm, base = planned.task, planned.issuer, planned.algorithm, planned.base
    if issuer is None or algorithm is None or not is_limited(issuer):
        return ""
    number = next_number(0 if planned.last is None else planned.last.number, int(now.timestamp()) * 1000)
    spec = crl_spec(task, issuer, base, number, now)
    try:
        signable(algorithm, spec, entries_of(task, state, base, revocations_of(task, state)))
    except SpecError as exc:
        return f"{task.path}: {exc}"
    return ""


def _wanted(
    task: CrlTask, issuer: x509.Certificate, now: datetime
) -> tuple[AlgorithmRow | None, dict[str, str], list[str]]:
    """Return the algorithm, what the CRL shall be in words, and what is wrong with it."""
    problems: list[str] = []
    algorithm = None
    try:
        algorithm = choose_algorithm(task.digest, task.padding, issuer.public_key())
    except SpecError as exc:
        problems.append(str(exc))
    for check in (lambda: crl_period(task.next_update, task.renew_before, now), task.extensions):
        try:
            check()
        except SpecError as exc:  # noqa: PERF203
            problems.append(str(exc))
    words = {
        "issuer": name_text(issuer.subject),
        "authority_key_identifier": (authority_key_identifier(issuer).key_identifier or b"").hex(),
        "signature": signature_of(algorithm.hash, algorithm.padding) if algorithm else "",
        **task.words(),
    }
    return algorithm, words, problems


def standing(
    task: CrlTask, issuer: x509.Certificate, state: LedgerState, der: bytes | None
) -> tuple[Crl | None, Intent | None]:
    """Return the newest CRL of the scope whose file is at hand, and its intent where its outcome is not recorded.

    Raises:
        LedgerError: the file holds a CRL that the ledger does not know.
    """
    last = state.last_crl(task.scope)
    if der is None:
        return last, None
    sha256 = sha256_hex(der)
    if last is not None and last.crl_sha256 == sha256:
        return last, None
    known = any(crl.crl_sha256 == sha256 for crl in state.crls)
    intents = [intent for intent in state.open_intents if _is_of(intent, task)]
    if known or not (intents or not task.force):
        return last, None
    try:
        crl = load_crl(der, task.path)
    except SpecError:
        return last, None
    content = sha256_hex(crl.tbs_certlist_bytes)
    intent = next((found for found in intents if found.content_sha256 == content), None)
    if intent is not None and crl_signed_by(crl, issuer):
        return _unrecorded(task, crl, intent, sha256), intent
    if task.force:
        return last, None
    raise LedgerError(
        f"{task.path}: holds the CRL number {crl_number_of(crl)} of {name_text(crl.issuer)}, which the ledger "
        f"{task.ledger_path} does not know; an older ledger would take revocations back, so restore the newer one, "
        "move the file away, or use force: true to replace it"
    )


def _is_of(intent: Intent, task: CrlTask) -> bool:
    return (intent.purpose, intent.details.get("scope")) == (PURPOSE, task.scope)


def _unrecorded(task: CrlTask, crl: x509.CertificateRevocationList, intent: Intent, sha256: str) -> Crl:
    """Return the line of a CRL that was stored; nobody knows its request any more."""
    this_update, next_update = crl_times(crl)
    return crl_line(intent, task.scope, this_update, next_update, sha256)


def crl_line(
    intent: Intent,
    scope: str,
    this_update: datetime,
    next_update: datetime,
    sha256: str,
    request_id: str = "",
    caller_arn: str = "",
) -> Crl:
    """Return the outcome of *intent*; its time is for whoever writes it."""
    details = dict(intent.details)
    number, mark, base = details.pop("number"), details.pop("mark"), details.pop("base_number", None)
    del details["scope"]
    return Crl(
        id=new_id(),
        time=intent.time,
        intent=intent.id,
        scope=scope,
        number=int(number),
        this_update=this_update,
        next_update=next_update,
        crl_sha256=sha256,
        mark=mark,
        request_id=request_id,
        caller_arn=caller_arn,
        base_number=None if base is None else int(base),
        details=details,
    )


def _reasons(
    task: CrlTask,
    last: Crl | None,
    base: DeltaBase | None,
    state: LedgerState,
    words: Mapping[str, str],
    now: datetime,
    der: bytes | None,
) -> list[str]:
    """Return why a CRL is to be made; none where the present one will do."""
    if last is None:
        return ["there is none"]
    reasons = []
    if der is None or sha256_hex(der) != last.crl_sha256:
        reasons.append(f"the file of number {last.number} is missing" if der is None else "the file is an older one")
    changed = [change.field for change in compare(_words_of(last), words)]
    if base is not None and last.base_number != base.number:
        changed.append("base_number")
    if changed:
        reasons.append(f"changed: {', '.join(changed)}")
    if (task.at_once or task.is_delta) and _is_news(task, last, state):
        reasons.append("revocations changed")
    due = renew_time(last.this_update, last.next_update, task.renew_before)
    if now >= due:
        reasons.append(f"renewal: good until {asn1_time(last.next_update)}, renewed from {asn1_time(due)} on")
    return reasons or (["force"] if task.force else [])


def _words_of(last: Crl) -> dict[str, str]:
    return {field: last.details.get(field, "") for field in _WORDS}


_WORDS = ("issuer", "authority_key_identifier", "signature", "next_update", "distribution_point", "freshest_crl")


def _is_news(task: CrlTask, last: Crl, state: LedgerState) -> bool:
    """Tell whether the ledger has revocations or releases that the last CRL does not know."""
    if last.mark == state.revocation_mark:
        return False
    if task.partition is None:
        return True
    return last.details.get(REVOCATIONS) != revocations_mark(revocations_of(task, state))


def _changes(
    task: CrlTask,
    last: Crl | None,
    base: DeltaBase | None,
    state: LedgerState,
    words: Mapping[str, str],
    now: datetime,
    der: bytes | None,
) -> tuple[Change, ...]:
    """Return what a new CRL would say otherwise."""
    this_update, next_update = crl_period(task.next_update, task.renew_before, this_update_after(last, now))
    said = {word: text for word, text in words.items() if text and word != "next_update"}
    changes = compare(None if last is None else _words_of(last), said)
    if task.compare_entries:
        changes += _entry_changes(task, last, base, state, der)
    before = None if last is None else (last.number, asn1_time(last.this_update), asn1_time(last.next_update))
    number, start, end = before or (None, None, None)
    return (
        *changes,
        Change("crl_number", number, "a higher one"),
        Change("this_update", start, asn1_time(this_update)),
        Change("next_update", end, asn1_time(next_update)),
    )


def _entry_changes(
    task: CrlTask, last: Crl | None, base: DeltaBase | None, state: LedgerState, der: bytes | None
) -> tuple[Change, ...]:
    """Return which certificates the new CRL lists no more, and which it lists first or otherwise."""
    try:
        former = set(crl_entries(load_crl(der, task.path))) if der is not None else set()
    except SpecError:
        former = set()
    left_out = "" if last is None else last.details.get(LEFT_OUT, "")
    wanted = {shown(entry, left_out): entry for entry in entries_of(task, state, base, revocations_of(task, state))}
    removed, added = _told(former - wanted.keys()), _told({wanted[one] for one in wanted.keys() - former})
    return (Change("revoked_certificates", removed or None, added or None),) if removed or added else ()


def _told(entries: set[CrlEntry]) -> list[str]:
    """Return *entries* in words, of many the first."""
    told = [
        f"{serial_hex(entry.serial_number)} {entry.reason} {asn1_time(entry.revoked_at)}"
        for entry in sorted(entries, key=lambda entry: (entry.revoked_at, entry.serial_number))[:ENTRIES_TOLD]
    ]
    return told + ([f"and {len(entries) - ENTRIES_TOLD} more"] if len(entries) > ENTRIES_TOLD else [])
