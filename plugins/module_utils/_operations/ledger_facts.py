# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What modules tell of a ledger's certificates and intents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._ledger.entries import require_serial
from .._ledger.files import issued_path
from .._ledger.state import Revocation
from .._pki.certificates import asn1_time
from .._pki.times import EARLIEST, to_time
from .ledger_standing import revocation_facts

if TYPE_CHECKING:
    from .._ledger.entries import Intent
    from .._ledger.port import LedgerState
    from .._ledger.state import CertificateRecord


def certificate_facts(record: CertificateRecord, ledger_path: Path, now: datetime) -> dict[str, Any]:
    """Return what is known of a certificate."""
    return {
        "ledger_path": str(ledger_path),
        **serial_facts(record.serial),
        "name": record.name,
        "subject": record.subject,
        "certificate_profile": record.profile,
        "status": record.status(now),
        "not_before": asn1_time(record.not_before),
        "not_after": asn1_time(record.not_after),
        "days_left": (record.not_after - now) // timedelta(days=1),
        "recorded_at": asn1_time(record.recorded_at),
        "fingerprint": record.certificate_sha256,
        "issued_path": str(issued_path(ledger_path, record.serial)),
        "key_arn": record.key_arn or None,
        "adopted": record.adopted,
        "superseded_by": record.superseded_by or None,
        "revocation": revocation_facts(record.revocation) if record.revocation else None,
    }


def intent_facts(intent: Intent, ledger_path: Path) -> dict[str, Any]:
    """Return what is known of an intent without an outcome."""
    return {
        "ledger_path": str(ledger_path),
        **(serial_facts(intent.serial) if intent.serial else {"serial_number": None, "serial_number_hex": None}),
        "purpose": intent.purpose,
        "name": intent.name,
        "subject": intent.subject,
        "certificate_profile": intent.profile,
        "content_sha256": intent.content_sha256,
        "key_arn": intent.key_arn,
        "recorded_at": asn1_time(intent.time),
        "host": intent.holder.host,
        "pid": intent.holder.pid,
    }


def standing_facts(state: LedgerState, serial: str, now: datetime) -> dict[str, Any]:
    """Return how a serial stands, whether or not the ledger knows its certificate."""
    record, intent, revocation = state.by_serial(serial), state.intent_of(serial), state.revocation_of(serial)
    known = record or intent
    status = "on_hold" if revocation and revocation.hold else "revoked" if revocation else "open_intent"
    return {
        **serial_facts(serial),
        "name": known.name if known else None,
        "status": record.status(now) if record else status if known or revocation else None,
        "revocation": revocation_facts(revocation) if revocation else None,
    }


def planned_facts(revocations: Mapping[str, Revocation | None]) -> list[dict[str, Any]]:
    """Return what another task has to know of *revocations* that are not on record yet; see assumed_revocations()."""
    return [
        {
            "serial_number_hex": serial,
            "not_after": asn1_time(found.not_after) if found and found.not_after else None,
            **(dict.fromkeys(_OF_REVOCATION) if found is None else revocation_facts(found)),
        }
        for serial, found in revocations.items()
    ]


def assumed_revocations(facts: Sequence[Mapping[str, Any]]) -> dict[str, Revocation | None]:
    """Return the revocations that planned_facts() told.

    Raises:
        SpecError: a time is none.
        LedgerError: a serial number is none.
    """
    return {require_serial(one["serial_number_hex"]): _assumed(one) for one in facts}


def _assumed(facts: Mapping[str, Any]) -> Revocation | None:
    def time(option: str) -> datetime | None:
        return to_time(facts[option], EARLIEST) if facts.get(option) else None

    revoked_at = time("revoked_at")
    if not facts.get("reason") or revoked_at is None:
        return None
    serial = facts["serial_number_hex"]
    return Revocation(serial, facts["reason"], revoked_at, time("invalidity_date"), time("not_after"))


_OF_REVOCATION = ("reason", "revoked_at", "invalidity_date")


def serial_facts(serial: str) -> dict[str, Any]:
    return {"serial_number": int(serial, 16), "serial_number_hex": serial}
