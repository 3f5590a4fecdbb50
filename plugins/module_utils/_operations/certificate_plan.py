# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan a certificate: what is there, what is wanted, what is missing, and whether it may be signed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from .._pki.certificate import (
    ISSUER_END,
    CertificateSpec,
    certified_again,
    describe_spec,
    specify,
    try_validity,
    validity,
)
from .._pki.certificates import asn1_time, spki
from .._pki.csr_copies import ignored_extensions
from .._pki.current import differences, lifetime_changes, renewal_due, signature_of
from .._pki.errors import SpecError
from .._pki.gate import Proposal, gate
from .._pki.plan import Change, Plan, compare
from .authority_identity import refuse_identity_drift, refuse_root_changes, root_warnings
from .certificate_inputs import check_key_spec, read_issuer, read_subject_key, try_algorithm
from .certificate_place import kept_elsewhere
from .compromised_keys import compromise_problems
from .crl_shards import partition_problems, placed, recorded_partition
from .current_certificate import (
    Found,
    find_current,
    find_elsewhere,
    intents_of,
    refuse_unknown_certificate,
    why_none,
)
from .lint_certificate import ERROR, OFF, finding_text, lint_certificate

if TYPE_CHECKING:
    from cryptography import x509

    from .._ledger.entries import Intent
    from .._ledger.port import Ledger, LedgerState
    from .._pki.certificate import Validity
    from .._pki.task import CertificateTask
    from .._signer.algorithms import AlgorithmRow
    from .certificate_inputs import CertificatePorts, IssuerPath, SubjectKey
    from .lint_certificate import Finding, Linter


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
        revocation_mark: of the revocations that the ledger had.
        left: open intents of the name, whose runs may have left copies half-made.
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
    revocation_mark: str
    plan: Plan
    now: datetime
    left: tuple[Intent, ...] = ()
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
    subject, issuer = read_subject_key(task, ports.keys), read_issuer(task, now)
    request = certified_again(task.request, subject.certificate) if subject.certificate else task.request
    spec = specify(request, subject.public_key, subject.csr)
    facts = _Facts(task, spec, subject, issuer, now)
    algorithm, problems = facts.algorithm()
    ledger = ports.ledger(facts.authority)
    state = ledger.read()
    record = state.current(task.request.name, now)
    elsewhere = find_elsewhere(task, state, ports.former, facts.issuer)
    found = find_current(task, state, facts.issuer, now) or elsewhere
    refuse_unknown_certificate(task, elsewhere or found, state)
    different = facts.differences(found, algorithm, state)
    changes, reason = different.changes, different.reason
    problems += different.problems
    if facts.issuer is not None:
        problems += partition_problems(task.crl_partitions, spec.extensions, facts.issuer, state, now, bool(changes))
    kept = root_warnings(task, found, reason)
    if kept:
        changes, reason = (), ""
    if changes or problems:
        refuse_root_changes(task, spec.subject, changes, state, subject.missing)
        problems += [*facts.times[1], *compromise_problems(spec, task.ledger_path, state)]
        gate(facts.proposal(), problems)
        refuse_identity_drift(spec, found, () if facts.missing else changes, ports.children, now)
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
        revocation_mark=state.revocation_mark,
        plan=Plan(changes, (*subject.missing, *issuer.missing, *issuer.missing_above), reason),
        now=now,
        left=intents_of(task, state),
        ignored_csr_extensions=tuple(ignored_extensions(subject.csr, spec.profile) if subject.csr else ()),
        warnings=(*different.warnings, *kept, *(f"{spec.name}: {finding_text(finding)}" for finding in findings)),
        findings=findings,
    )


@dataclass(frozen=True)
class _Differences:
    """How a certificate is not as it should be.

    Attributes:
        reason: why one that exists is made again, in words.
        problems: why nobody can tell, or why it must not be made again.
        warnings: of a renewal that would be of no use.
    """

    changes: tuple[Change, ...]
    reason: str = ""
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


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
        algorithm, refused = try_algorithm(self.task.digest, self.task.padding, self.signing_key)  # type: ignore[arg-type]
        return algorithm, [*problems, *refused]

    @cached_property
    def times(self) -> tuple[Validity | None, list[str]]:
        """When it would be valid, None while that is not known, and what is wrong with the words that say so."""
        lifetime = self.spec.lifetime
        if not self.path.missing:
            return try_validity(lifetime, self.issuer, self.now)
        return None, [] if lifetime.not_after == ISSUER_END else try_validity(lifetime, None, self.now)[1]

    def proposal(self) -> Proposal:
        return Proposal(self.spec, self.path.chain, self.times[0], self.now, issuer_pending=bool(self.path.missing))

    def differences(self, found: Found | None, algorithm: AlgorithmRow | None, state: LedgerState) -> _Differences:
        """Return how *found* is not as it should be; all of it where there is none."""
        if found is None or self.missing or algorithm is None:
            reason = "" if found is not None or self.missing else why_none(self.task, state, self.now)
            return _Differences(compare(None, describe_spec(self.spec, self.issuer, self.times[0])), reason)
        wanted = signature_of(algorithm.hash, algorithm.padding)
        changed = [
            *differences(found.certificate, self._spec_for(found, state), self.issuer, wanted),
            *lifetime_changes(found.lifetime, self.spec.lifetime),
        ]
        refused = kept_elsewhere(self.task, found.serial, changed, state)
        reasons = [f"changed: {', '.join(change.field for change in changed)}"] if changed else []
        try:
            due = renewal_due(found.certificate, self.spec.lifetime, self.now)
        except SpecError as exc:
            return _Differences(tuple(changed), problems=(*refused, str(exc)))
        futile = self._futile(found.certificate, due) if due else ()
        reasons += [due] if due and not futile else ["force"] if self.task.force else []
        if reasons and not changed:
            end = found.certificate.not_valid_after_utc
            changed = [Change("not_after", asn1_time(end), self.times[0] and asn1_time(self.times[0].not_after))]
        return _Differences(tuple(changed), "; ".join(reasons), refused, () if changed else futile)

    def _futile(self, certificate: x509.Certificate, due: str) -> tuple[str, ...]:
        """Return a warning where *certificate* is due for renewal, and a new one would not live longer."""
        end, period = self.spec.lifetime.not_after, self.times[0]
        if period is None or period.not_after > certificate.not_valid_after_utc:
            return ()
        way = "issue the issuer again first" if end == ISSUER_END else "give a later one"
        return (f"{self.spec.name}: {due}, but not_after {end} is no later; {way}",)

    def _spec_for(self, found: Found, state: LedgerState) -> CertificateSpec:
        """Return the spec with the partition of its issuer's CRLs that *found* was issued into."""
        intent = found.unfinished or state.intent_of(found.serial)
        return placed(self.spec, recorded_partition(intent))


def _lint(facts: _Facts, algorithm: AlgorithmRow | None, linter: Linter) -> tuple[Finding, ...]:
    """Return what *linter* says of the certificate to be signed, as soon as all of it is known."""
    if facts.task.lint == OFF or facts.missing or algorithm is None:
        return ()
    period = validity(facts.spec.lifetime, facts.issuer, facts.now)
    findings = lint_certificate(placed(facts.spec, 0), facts.issuer, algorithm, period, linter)
    if findings and facts.task.lint == ERROR:
        told = "; ".join(finding_text(finding) for finding in findings)
        raise SpecError(f"{facts.spec.name}: {told}; change the task, or use lint: warn")
    return findings
