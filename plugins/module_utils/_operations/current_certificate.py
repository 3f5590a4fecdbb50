# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which certificate of a name is the current one, and where its bytes are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from .._ledger.files import issued_path
from .._ledger.holders import is_running
from .._pki.certificates import load_certificates, serial_hex, sha256_hex, to_der, to_pem
from .._pki.errors import LedgerError, SpecError
from .._pki.issuing import signed_by
from .issued_copy import read_issued, unfinished

if TYPE_CHECKING:
    from cryptography import x509

    from .._ledger.entries import Intent
    from .._ledger.port import Ledger, LedgerState
    from .._ledger.state import CertificateRecord
    from .._pki.task import CertificateTask

END_OF_PEM = b"-----END CERTIFICATE-----\n"


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


def why_none(task: CertificateTask, state: LedgerState, now: datetime) -> str:
    """Return why a name that had certificates has none that counts."""
    former = state.by_name(task.request.name)
    if not former:
        return ""
    status = former[0].status(now)
    return f"{former[0].serial} is {status}" if status != "valid" else f"the file of {former[0].serial} is missing"


def find_current(
    task: CertificateTask, state: LedgerState, issuer: x509.Certificate | None, now: datetime
) -> Found | None:
    """Return the newest certificate of the name whose bytes are at hand, recorded or stored by a run that then died.

    Args:
        issuer: None for a self-signed certificate.
    """
    record = state.current(task.request.name, now)
    running = state.claim_on(task.request.name, now, gone=lambda holder: not is_running(holder))
    for intent in reversed(intents_of(task, state)):
        if running is not None and intent.id == running.intent.id:
            continue  # its own run is about to record it
        certificate = signed_for(task, intent, issuer)
        if certificate is not None and (record is None or intent.time >= record.recorded_at):
            return Found(certificate, intent.lifetime, intent)
    if record is None:
        return _known_without_name(task, state, now)
    stored = issued_path(Path(task.ledger_path), record.serial)
    for certificate in (*_load(read_issued(stored), str(stored)), *_readable_at_path(task)):
        if serial_hex(certificate.serial_number) == record.serial:
            return Found(certificate, record.lifetime)
    return None


def intents_of(task: CertificateTask, state: LedgerState) -> tuple[Intent, ...]:
    """Return the intents for certificates of the name that have no outcome, oldest first."""
    return tuple(one for one in state.open_intents if (one.purpose, one.name) == ("certificate", task.request.name))


def _known_without_name(task: CertificateTask, state: LedgerState, now: datetime) -> Found | None:
    """Return the certificate at the path, where the ledger has it and lost, with its intent, what it was called."""
    for certificate in _readable_at_path(task)[:1]:
        record = state.by_serial(serial_hex(certificate.serial_number))
        if record and not record.name and record.status(now) == "valid" and _is(certificate, record):
            return Found(certificate, record.lifetime)
    return None


def is_known_at_path(task: CertificateTask, state: LedgerState) -> bool:
    """Tell whether the certificate at the path is one that the ledger has, under whatever name."""
    records = ((one, state.by_serial(serial_hex(one.serial_number))) for one in _readable_at_path(task)[:1])
    return any(record is not None and _is(certificate, record) for certificate, record in records)


def _is(certificate: x509.Certificate, record: CertificateRecord) -> bool:
    return record.certificate_sha256 == sha256_hex(to_der(certificate))


def _load(content: bytes | None, label: str) -> tuple[x509.Certificate, ...]:
    return load_certificates(content, label) if content and _is_pem(content) else ()


def _readable_at_path(task: CertificateTask) -> tuple[x509.Certificate, ...]:
    try:
        return _load(task.present, task.path)
    except SpecError:  # refuse_unknown_certificate() says so, unless it is to be replaced anyway
        return ()


def find_elsewhere(
    task: CertificateTask, state: LedgerState, former: Sequence[Ledger], issuer: x509.Certificate | None
) -> Found | None:
    """Return the certificate at the path where its issuer was another one, and the ledger of that one knows it.

    Args:
        former: ledgers of those who may have been its issuer.
        issuer: who is it now; None for a self-signed certificate, or while it is missing.
    """
    try:
        certificate = _at_path(task)
    except SpecError:  # refuse_unknown_certificate() says so, unless it is to be replaced anyway
        return None
    if certificate is None or state.by_serial(serial_hex(certificate.serial_number)) is not None:
        return None
    signer = certificate if task.issuer is None else issuer
    if signer is not None and signed_by(certificate, signer):
        return None
    for ledger in former:
        record = ledger.read().by_serial(serial_hex(certificate.serial_number))
        if record is not None and _is(certificate, record):
            return Found(certificate, record.lifetime)
    return None


def _at_path(task: CertificateTask) -> x509.Certificate | None:
    if task.present is None or not task.present.strip():
        return None
    return load_certificates(task.present, task.path or "content")[0]


def signed_for(task: CertificateTask, intent: Intent, issuer: x509.Certificate | None) -> x509.Certificate | None:
    """Return the certificate that was stored for *intent*, if its issuer's key signed just what the intent says."""
    path = issued_path(Path(task.ledger_path), intent.serial)
    for content in (read_issued(path), read_issued(unfinished(path))):
        if content is None or not content.endswith(END_OF_PEM):
            continue
        certificate = load_certificates(content, f"issued/{intent.serial}.pem")[0]
        right = sha256_hex(certificate.tbs_certificate_bytes) == intent.content_sha256
        if right and signed_by(certificate, issuer or certificate):
            return certificate
    return None


def _is_pem(content: bytes) -> bool:
    return b"-----BEGIN CERTIFICATE-----" in content


def refuse_unknown_certificate(task: CertificateTask, found: Found | None, state: LedgerState) -> None:
    """A certificate at the path that the ledger does not know would be lost without a trace.

    Raises:
        SpecError: what is there cannot be read, and is not the beginning of *found*.
        LedgerError: the ledger does not know it.
    """
    if task.force or (found is not None and to_pem([found.certificate]).startswith(task.present or b"")):
        return
    where = task.path or "content"
    try:
        certificate = _at_path(task)
    except SpecError as exc:
        moved = "move the file away" if task.path else "leave it out"
        raise SpecError(f"{exc}; {moved} and run again, or use force: true to replace it") from exc
    if certificate is None:
        return
    serial = serial_hex(certificate.serial_number)
    if state.by_serial(serial) is None and (found is None or found.serial != serial):
        raise LedgerError(
            f"{where}: holds the certificate {serial}, which the ledger {task.ledger_path} does not know; "
            "name the ledger that does in ledger_path, or in former_ledger_path where another authority issued it, "
            "move the file away, or use force: true to replace it"
        )
