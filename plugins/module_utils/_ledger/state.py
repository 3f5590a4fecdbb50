# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a ledger says: certificates, revocations, open intents; immutable values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from .entries import CERTIFICATE_HOLD, Attempt, Intent

CLAIM_LAPSES_AFTER = timedelta(minutes=10)

STATUSES = ("valid", "expired", "on_hold", "revoked", "superseded", "retired")


class Revocation(NamedTuple):
    """The revocation in force for one serial.

    Attributes:
        not_after: end of the certificate's life, None where the ledger does not know the certificate.
        recorded_at: time of its line, None where it is not on record yet.
        holds: for a hold, the ids of its lines that nobody released.
    """

    serial: str
    reason: str
    revoked_at: datetime
    invalidity_date: datetime | None
    not_after: datetime | None
    recorded_at: datetime | None = None
    holds: tuple[str, ...] = ()

    @property
    def hold(self) -> bool:
        return self.reason == CERTIFICATE_HOLD

    @property
    def said(self) -> tuple[object, ...]:
        """What it says of the certificate, whichever lines say so."""
        return self[:5]


def differing(
    revocations: Mapping[str, Revocation | None], present: Callable[[str], Revocation | None]
) -> dict[str, Revocation | None]:
    """Return those of *revocations*, by serial, that say something else than the present ones."""

    def said(revocation: Revocation | None) -> tuple[object, ...]:
        return () if revocation is None else revocation.said

    return {serial: other for serial, other in revocations.items() if said(other) != said(present(serial))}


def assumed_mark(mark: str, revocations: Mapping[str, Revocation | None]) -> str:
    """Return the mark of a ledger whose own is *mark*, if it had *revocations* too."""
    return f"{mark} and {len(revocations)} more" if revocations else mark


@dataclass(frozen=True)
class CertificateRecord:
    """One certificate that exists: issued here or adopted.

    Attributes:
        recorded_at: time of its issued or adopted line.
        key_arn: the key that signed it, as far as it was told.
        intent: None for adopted ones, and where a damaged history lost it.
        superseded_by: serial of the certificate that replaced it, empty where none did.
    """

    serial: str
    name: str
    subject: str
    profile: str
    certificate_sha256: str
    not_before: datetime
    not_after: datetime
    recorded_at: datetime
    key_arn: str
    intent: Intent | None
    adopted: bool
    revocation: Revocation | None
    superseded_by: str
    retired: bool

    @property
    def lifetime(self) -> Mapping[str, str]:
        """The option texts that it was issued with; empty where nobody knows."""
        return self.intent.lifetime if self.intent else {}

    def status(self, now: datetime) -> str:
        """Return one of STATUSES; a revocation outlasts expiry, expiry outlasts the rest."""
        if self.revocation and not self.revocation.hold:
            return "revoked"
        if now > self.not_after:
            return "expired"
        if self.revocation:
            return "on_hold"
        if self.retired:
            return "retired"
        return "superseded" if self.superseded_by else "valid"

    def is_live(self, now: datetime) -> bool:
        """Tell whether it can be the current one of its name. A hold is no end: it may be released."""
        return self.status(now) in {"valid", "on_hold"}


@dataclass(frozen=True)
class Wanted:
    """Which certificates are asked for; an empty field wants every one.

    Attributes:
        statuses: of STATUSES.
        expires_before: wants those whose not_after is earlier.
    """

    names: frozenset[str] = frozenset()
    profiles: frozenset[str] = frozenset()
    statuses: frozenset[str] = frozenset()
    expires_before: datetime | None = None

    def matches(self, record: CertificateRecord, now: datetime) -> bool:
        return (
            (not self.names or record.name in self.names)
            and (not self.profiles or record.profile in self.profiles)
            and (not self.statuses or record.status(now) in self.statuses)
            and (self.expires_before is None or record.not_after < self.expires_before)
        )


@dataclass(frozen=True)
class OpenIntent:
    """An intent without an outcome."""

    intent: Intent
    attempts: tuple[Attempt, ...] = ()

    def lapses_at(self) -> datetime:
        """Return when it stops being a claim on its name: 10 minutes after its last attempt."""
        return max([self.intent.time, *(attempt.time for attempt in self.attempts)]) + CLAIM_LAPSES_AFTER
