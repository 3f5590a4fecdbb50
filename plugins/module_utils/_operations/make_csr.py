# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make a PKCS#10 request for a key in KMS, to be signed by somebody else: recorded, signed, verified."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from .._ledger.entries import Intent, Signed, new_id
from .._ledger.holders import this_holder
from .._pki.certificate import CertificateSpec, specify
from .._pki.certificates import load_csr, load_public_key
from .._pki.csr import csr_builder, csr_differences, describe_csr
from .._pki.current import signature_of
from .._pki.errors import SpecError
from .._pki.gate import gate_request
from .._pki.names import name_text
from .._pki.plan import Change, Plan, compare
from .._signer.session import SigningSession
from .certificate_inputs import check_key_spec, try_algorithm
from .issue_certificate import make_folder
from .known_public_key import public_key_of, spki_of_csr
from .recording import IntentRecorder, closed_if_refused, closing
from .signing import sign_builder

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

    from .._ledger.port import Ledger
    from .._pki.task import CsrTask
    from .._signer.algorithms import AlgorithmRow
    from .._signer.ports import MessageSigner
    from .certificate_inputs import PublicKeys


@dataclass(frozen=True)
class CsrPlan:
    """What is to be done, and all that doing it needs.

    Attributes:
        public_key, algorithm: None while the key does not exist.
        csr: the request that stays; None where one is to be made.
    """

    task: CsrTask
    spec: CertificateSpec
    public_key: CertificatePublicKeyTypes | None
    algorithm: AlgorithmRow | None
    csr: x509.CertificateSigningRequest | None
    plan: Plan


@dataclass(frozen=True)
class CsrPorts:
    """What making a request needs; *caller_arn* says who signs, for the record."""

    signer: MessageSigner
    ledger: Ledger
    caller_arn: Callable[[], str]
    clock: Callable[[], datetime]


@dataclass(frozen=True)
class MadeCsr:
    """The request that is there after a run, and what it took."""

    csr: x509.CertificateSigningRequest
    sign_calls: int = 0


def plan_csr(task: CsrTask, keys: PublicKeys) -> CsrPlan:
    """Compare the request that is there with the one that *task* wants, and gate what would be signed.

    Raises:
        SpecError: options contradict each other, the key cannot sign so, or nobody may issue what is asked for.
    """
    der = public_key_of(keys, task.key_id, lambda: spki_of_csr(task.present, task.path))
    if der is None:
        spec = specify(task.request, None, None)
        gate_request(spec)
        missing = f"the KMS key {task.key_id} does not exist yet; create it with kms_key"
        return CsrPlan(task, spec, None, None, None, Plan(compare(None, describe_csr(spec)), (missing,)))
    public_key = load_public_key(der, task.key_id)
    spec = specify(task.request, public_key, None)
    algorithm, problems = try_algorithm(task.digest, task.padding, public_key)
    problems += check_key_spec(spec)
    present = _present(task)
    changes, reason = _changes(task, spec, present, algorithm)
    if changes or problems:
        gate_request(spec, problems)
    return CsrPlan(task, spec, public_key, algorithm, None if changes else present, Plan(changes, (), reason))


def _changes(
    task: CsrTask,
    spec: CertificateSpec,
    present: x509.CertificateSigningRequest | None,
    algorithm: AlgorithmRow | None,
) -> tuple[tuple[Change, ...], str]:
    """Return what differs, and in words why a request that is there is made again."""
    if present is None or algorithm is None or spec.public_key is None:
        return compare(None, describe_csr(spec)), ""
    changes = csr_differences(present, spec, spec.public_key, signature_of(algorithm.hash, algorithm.padding))
    if task.force and not changes:
        return compare(None, describe_csr(spec)), "force"
    return changes, f"changed: {', '.join(change.field for change in changes)}" if changes else ""


def _present(task: CsrTask) -> x509.CertificateSigningRequest | None:
    """Return the request that is there; one that cannot be read, or whose signature is wrong, is made again."""
    if not task.present:
        return None
    try:
        return load_csr(task.present, task.path)
    except SpecError:
        return None


def make_csr(planned: CsrPlan, ports: CsrPorts) -> MadeCsr:
    """Sign what *planned* says; its intent is on record before, the outcome after.

    Raises:
        AwsError: KMS refused or did not answer.
        SignerError: what came back is not the key's signature.
        LedgerError: the ledger cannot be used.
    """
    if planned.csr is not None:
        return MadeCsr(planned.csr)
    if planned.algorithm is None or planned.public_key is None:
        raise SpecError("; ".join(planned.plan.pending))
    make_folder(Path(planned.task.ledger_path).parent)
    caller = ports.caller_arn()
    recorder = IntentRecorder(ports.ledger, ports.clock, lambda sha256: _intent(planned, sha256, ports.clock()))
    session = SigningSession(ports.signer, recorder, planned.public_key)  # type: ignore[arg-type]
    with closed_if_refused(recorder):
        csr = sign_builder(csr_builder(planned.spec), session, planned.algorithm)
    if recorder.intent is not None:
        reply, now = session.replies[-1], ports.clock()
        signed = Signed(new_id(), now, recorder.intent.id, reply.request_id, caller)
        ports.ledger.append_all([signed, *closing(ports.ledger.read(), recorder.intent, now)])
    return MadeCsr(csr, session.calls)


def _intent(planned: CsrPlan, content_sha256: str, now: datetime) -> Intent:
    return Intent(
        id=new_id(),
        time=now,
        purpose="csr",
        name=planned.spec.name,
        serial="",
        subject=name_text(planned.spec.subject),
        content_sha256=content_sha256,
        key_arn=planned.task.key_id,
        profile=planned.spec.profile.name,
        holder=this_holder(),
    )
