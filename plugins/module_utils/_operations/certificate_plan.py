# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan a certificate: what is there, what is wanted, what is missing, and whether it may be signed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from .._ledger.files import issued_path
from .._pki.certificate import CertificateSpec, describe_spec, ignored_csr_extensions, specify, validity
from .._pki.certificates import asn1_time, load_certificates, serial_hex, sha256_hex, signed_by, spki
from .._pki.current import differences, lifetime_changes, renewal_due, signature_of
from .._pki.errors import IssuerError, LedgerError, SpecError
from .._pki.gate import Proposal, gate
from .._pki.names import name_text
from .._pki.plan import Change, Plan, compare
from .._pki.times import renew_time
from .certificate_inputs import check_key_spec, choose_algorithm, read_issuer, read_subject_key
from .lint_certificate import ERROR, OFF, finding_text, lint_certificate

try:
    from cryptography import x509
except ImportError:
    x509 = None  # type: ignore[assignment]  # require_cryptography() in the module says so

if TYPE_CHECKING:
    from .._ledger.entries import Intent
    from .._ledger.port import Ledger, LedgerState
    from .._pki.task import CertificateTask
    from .._signer.algorithms import AlgorithmRow
    from .certificate_inputs import CertificatePorts, IssuerPath, SubjectKey
    from .lint_certificate import Finding, Linter

# What an authority may still change under its name and key while certificates it issued live: dates and URLs.
HARMLESS = ("not_before", "not_after", "authority_information_access", "crl_distribution_points", "freshest_crl")


@dataclass(frozen=True)
class Found:
    """The certificate that is current now.

    Attributes:
        lifetime: the option texts it was issued with.
        unfinished: the open intent it belongs to, where a run ended before it could record the outcome.
    """

    certificate: x509.Certificate
    lifetime: Mapping[str, str]
    unfinished: Intent | None = None

    @property
    def serial(self) -> str:
        return serial_hex(self.certificate.serial_number)


@dataclass(frozen=True)
class CertificatePlan:
    """What is to be done, and all that doing it needs.

    Attributes:
        algorithm: None while the signing key is missing.
        chain: the issuer and what is known above it; empty for a self-signed certificate.
        bundle: the issuer and all above it on any path, cross-certificates too.
        ledger: of the issuer.
        found: the certificate that is current now, and stays so unless `reissue`.
        expected_current: serial that the ledger calls current.
        plan: what changes in the certificate; files are planned by whoever writes them.
        findings: a linter's, of the certificate that is to be issued.
    """

    task: CertificateTask
    spec: CertificateSpec
    algorithm: AlgorithmRow | None
    chain: tuple[x509.Certificate, ...]
    bundle: tuple[x509.Certificate, ...]
    ledger: Ledger
    found: Found | None
    expected_current: str | None
    plan: Plan
    now: datetime
    ignored_csr_extensions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def issuer(self) -> x509.Certificate | None:
        return self.chain[0] if self.chain else None

    @property
    def reissue(self) -> bool:
        return self.plan.changed

    @property
    def certificate(self) -> x509.Certificate | None:
        """The certificate that stays; None where one is to be issued."""
        return self.found.certificate if self.found is not None and not self.reissue else None

    @property
    def completion(self) -> tuple[Change, ...]:
        """The outcome that a run which died did not record."""
        if self.found is None or self.found.unfinished is None or self.reissue:
            return ()
        return (Change("ledger", f"intent {self.found.serial}", f"issued {self.found.serial}"),)


def plan_certificate(task: CertificateTask, ports: CertificatePorts) -> CertificatePlan:
    """Compare what is with what *task* wants, and gate what would be signed.

    Raises:
        SpecError: the certificate must not be signed; every reason in one message.
        IssuerError: the issuer, or the identity of an authority, stands in the way.
        LedgerError: the ledger cannot be used, or does not know the certificate at the path.
    """
    now = ports.clock()
    subject, issuer = read_subject_key(task, ports.keys), read_issuer(task)
    spec = specify(task.request, subject.public_key, subject.csr)
    facts = _Facts(task, spec, subject, issuer, now)
    algorithm, problems = facts.algorithm()
    ledger = ports.ledger(facts.authority)
    state = ledger.read()
    record = state.current(task.request.name, now)
    found = _find_current(facts, state)
    _refuse_unknown_certificate(task, found, state)
    changes, reason = facts.changes(found, algorithm, state)
    warnings = _root_warnings(facts, found, reason)
    if warnings:
        changes, reason = (), ""
    if changes or problems:
        _refuse_root_changes(facts, found, changes)
        gate(facts.proposal(), problems)
        _refuse_identity_drift(facts, found, changes, ports.children)
    findings = _lint(facts, algorithm, ports.lint) if changes else ()
    return CertificatePlan(
        task=task,
        spec=spec,
        algorithm=algorithm,
        chain=issuer.chain,
        bundle=issuer.bundle,
        ledger=ledger,
        found=found,
        expected_current=None if record is None else record.serial,
        plan=Plan(changes, (*subject.missing, *issuer.missing), reason),
        now=now,
        ignored_csr_extensions=tuple(ignored_csr_extensions(task.request, subject.csr) if subject.csr else ()),
        warnings=(*warnings, *(f"{spec.name}: {finding_text(finding)}" for finding in findings)),
        findings=findings,
    )


@dataclass(frozen=True)
class _Facts:
    """What planning knows of a task before it looks at what exists."""

    task: CertificateTask
    spec: CertificateSpec
    subject: SubjectKey
    path: IssuerPath
    now: datetime

    @property
    def issuer(self) -> x509.Certificate | None:
        return self.path.chain[0] if self.path.chain else None

    @property
    def self_signed(self) -> bool:
        return self.task.issuer is None

    @property
    def missing(self) -> bool:
        return bool(self.subject.missing or self.path.missing)

    @property
    def signing_key(self) -> object:
        """The public key of the issuer; None while it is missing."""
        if self.self_signed:
            return self.subject.public_key
        return None if self.issuer is None else self.issuer.public_key()

    @property
    def authority(self) -> bytes:
        key = self.signing_key
        return b"" if key is None else spki(key)  # type: ignore[arg-type]

    def algorithm(self) -> tuple[AlgorithmRow | None, list[str]]:
        """Return the signing algorithm, and what is wrong with it or with the kind of the subject key."""
        problems = check_key_spec(self.spec)
        if self.signing_key is None:
            return None, problems
        try:
            return choose_algorithm(self.task.digest, self.task.padding, self.signing_key), problems  # type: ignore[arg-type]
        except SpecError as exc:
            return None, [*problems, str(exc)]

    def proposal(self) -> Proposal:
        period = None if self.path.missing else validity(self.spec.lifetime, self.issuer, self.now)
        if period is not None and period.not_after > period.not_before:
            renew_time(period.not_before, period.not_after, self.spec.lifetime.renew_before)
        return Proposal(self.spec, self.path.chain, period, self.now, issuer_pending=bool(self.path.missing))

    def changes(
        self, found: Found | None, algorithm: AlgorithmRow | None, state: LedgerState
    ) -> tuple[tuple[Change, ...], str]:
        """Return what differs, and in words why a certificate that exists is made again."""
        if found is None or self.missing or algorithm is None:
            period = None if self.path.missing else validity(self.spec.lifetime, self.issuer, self.now)
            reason = "" if found is not None or self.missing else _why_none(self.task, state, self.now)
            return compare(None, describe_spec(self.spec, self.issuer, period)), reason
        wanted = signature_of(algorithm.hash, algorithm.padding)
        changed = [
            *differences(found.certificate, self.spec, self.issuer, wanted),
            *lifetime_changes(found.lifetime, self.spec.lifetime),
        ]
        reasons = [f"changed: {', '.join(change.field for change in changed)}"] if changed else []
        due = renewal_due(found.certificate, self.spec.lifetime.renew_before, self.now)
        reasons += [due] if due else ["force"] if self.task.force else []
        if reasons and not changed:
            period = validity(self.spec.lifetime, self.issuer, self.now)
            end = found.certificate.not_valid_after_utc
            changed = [Change("not_after", asn1_time(end), asn1_time(period.not_after))]
        return tuple(changed), "; ".join(reasons)


def _why_none(task: CertificateTask, state: LedgerState, now: datetime) -> str:
    """Return why a name that had certificates has none that counts."""
    former = state.by_name(task.request.name)
    if not former:
        return ""
    status = former[0].status(now)
    return f"{former[0].serial} is {status}" if status != "valid" else f"the file of {former[0].serial} is missing"


def _find_current(facts: _Facts, state: LedgerState) -> Found | None:
    """Return the newest certificate of the name whose bytes are at hand, recorded or stored by a run that then died."""
    task = facts.task
    record = state.current(task.request.name, facts.now)
    for intent in reversed(state.open_intents):
        if (intent.purpose, intent.name) == ("certificate", task.request.name):
            certificate = _signed_for(facts, intent)
            if certificate is not None and (record is None or intent.time >= record.recorded_at):
                return Found(certificate, intent.lifetime, intent)
    if record is None:
        return None
    copies = (_read(issued_path(Path(task.ledger_path), record.serial)), task.present)
    for content in copies:
        for certificate in load_certificates(content, task.path) if content and _is_pem(content) else ():
            if serial_hex(certificate.serial_number) == record.serial:
                return Found(certificate, record.lifetime)
    return None


def _signed_for(facts: _Facts, intent: Intent) -> x509.Certificate | None:
    """Return the certificate that was stored for *intent*, if its issuer's key signed just what the intent says."""
    content = _read(issued_path(Path(facts.task.ledger_path), intent.serial))
    if content is None or not _is_pem(content):
        return None
    certificate = load_certificates(content, f"issued/{intent.serial}.pem")[0]
    right = sha256_hex(certificate.tbs_certificate_bytes) == intent.content_sha256
    return certificate if right and signed_by(certificate, facts.issuer or certificate) else None


def _is_pem(content: bytes) -> bool:
    return b"-----BEGIN CERTIFICATE-----" in content


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise LedgerError(f"{path}: cannot be read ({exc.strerror}); it is the ledger's copy of a certificate") from exc


def _refuse_unknown_certificate(task: CertificateTask, found: Found | None, state: LedgerState) -> None:
    """A certificate at the path that the ledger does not know would be lost without a trace."""
    if task.present is None or task.force or not task.present.strip():
        return
    serial = serial_hex(load_certificates(task.present, task.path or "content")[0].serial_number)
    if state.by_serial(serial) is None and (found is None or found.serial != serial):
        where = task.path or "content"
        raise LedgerError(
            f"{where}: holds the certificate {serial}, which the ledger {task.ledger_path} does not know; "
            "name the ledger that does, move the file away, or use force: true to replace it"
        )


def _root_warnings(facts: _Facts, found: Found | None, reason: str) -> tuple[str, ...]:
    """A root that only comes into renewal is left as it is: exchanging trust anchors is a decision of people."""
    due = facts.self_signed and not facts.task.reissue_root and found is not None and reason.startswith("renewal")
    if not due:
        return ()
    return (f"{facts.task.path}: {reason}; a root is issued again only with reissue_root: true",)


def _refuse_root_changes(facts: _Facts, found: Found | None, changes: tuple[Change, ...]) -> None:
    if not facts.self_signed or facts.task.reissue_root or found is None or not changes:
        return
    raise IssuerError(
        f"{name_text(found.certificate.subject)}: {_fields(changes)} of a root would change, and every relying party "
        "holds the present certificate; use reissue_root: true, or a new root beside it"
    )


def _refuse_identity_drift(
    facts: _Facts, found: Found | None, changes: tuple[Change, ...], children: Ledger | None
) -> None:
    """An authority with certificates that still live keeps its name, key and constraints."""
    if found is None or children is None or not facts.spec.is_authority or facts.missing:
        return
    drift = [change for change in changes if change.field not in HARMLESS and not _widens(change, found, facts.spec)]
    living = [
        record.serial
        for record in children.read().certificates
        if record.status(facts.now) in ("valid", "on_hold", "superseded", "retired") and record.serial != found.serial
    ]
    if drift and living:
        raise IssuerError(
            f"{name_text(found.certificate.subject)}: {_fields(drift)} would change while {len(living)} certificates "
            "it issued are valid; make a new authority beside it instead"
        )


def _widens(change: Change, found: Found, spec: CertificateSpec) -> bool:
    """A longer path length takes nothing away from the certificates below."""
    if change.field != "basic_constraints":
        return False
    before = found.certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length
    after = getattr(spec.extension(x509.BasicConstraints), "path_length", None)
    return after is None or (before is not None and after > before)


def _lint(facts: _Facts, algorithm: AlgorithmRow | None, linter: Linter) -> tuple[Finding, ...]:
    """Return what *linter* says of the certificate to be signed, as soon as all of it is known."""
    if facts.task.lint == OFF or facts.missing or algorithm is None:
        return ()
    period = validity(facts.spec.lifetime, facts.issuer, facts.now)
    findings = lint_certificate(facts.spec, facts.issuer, algorithm, period, linter)
    if findings and facts.task.lint == ERROR:
        told = "; ".join(finding_text(finding) for finding in findings)
        raise SpecError(f"{facts.spec.name}: {told}; change the task, or use lint: warn")
    return findings


def _fields(changes: tuple[Change, ...] | list[Change]) -> str:
    return ", ".join(change.field for change in changes)
