# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a ledger says of one certificate."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from .._ledger.entries import authority_of
from .._pki.certificates import asn1_time, serial_hex, sha256_hex, spki, to_der
from .._pki.errors import LedgerError

if TYPE_CHECKING:
    from cryptography import x509

    from .._ledger.port import LedgerState
    from .._ledger.state import Revocation

OPEN_INTENT = "open_intent"


def ledger_standing(
    state: LedgerState, certificate: x509.Certificate, issuer: x509.Certificate | None, now: datetime
) -> tuple[str | None, dict[str, Any] | None]:
    """Return the profile of *certificate*, and name, status, revocation and successor, as far as *state* knows them.

    Args:
        issuer: whose key signed the certificate, where that is known. Without it a ledger that has the serial alone,
            of something it did not record, says nothing: serials are unique within one authority only.
    Raises:
        LedgerError: the ledger of the issuer has the serial for another certificate.
    """
    serial = serial_hex(certificate.serial_number)
    record = state.by_serial(serial)
    same_authority = issuer is not None and state.authority == authority_of(spki(issuer.public_key()))
    if record is not None and record.certificate_sha256 == sha256_hex(to_der(certificate)):
        return record.profile, _facts(record.status(now), record.name, record.revocation, record.superseded_by)
    if record is not None and same_authority:
        raise LedgerError(
            f"the ledger knows {serial} as another certificate, {record.name}, than this one of the same issuer; "
            "one of the two was signed without being recorded, so revoke the serial and find out who signed"
        )
    intent = state.intent_of(serial)
    revocation = state.revocation_of(serial) if same_authority or intent is not None else None
    if intent is not None and intent.content_sha256 == sha256_hex(certificate.tbs_certificate_bytes):
        return intent.profile, _facts(_status(revocation) or OPEN_INTENT, intent.name, revocation, "")
    if revocation is not None and same_authority:
        return None, _facts(_status(revocation), None, revocation, "")
    return None, None


def _status(revocation: Revocation | None) -> str:
    if revocation is None:
        return ""
    return "on_hold" if revocation.hold else "revoked"


def _facts(status: str, name: str | None, revocation: Revocation | None, superseded_by: str) -> dict[str, Any]:
    return {
        "status": status,
        "name": name,
        "revocation": None if revocation is None else revocation_facts(revocation),
        "superseded_by": superseded_by or None,
    }


def revocation_facts(revocation: Revocation) -> dict[str, Any]:
    """Return what modules tell of a revocation."""
    since = revocation.invalidity_date
    return {
        "reason": revocation.reason,
        "revoked_at": asn1_time(revocation.revoked_at),
        "invalidity_date": None if since is None else asn1_time(since),
    }
