# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the operations need from a ledger, wherever it is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from .._pki.errors import LedgerError
from .entries import Crl, Entry, Holder, Intent
from .holders import is_gone
from .state import CertificateRecord, OpenIntent, Revocation, Wanted


class NameClaimed(LedgerError):  # noqa: N818
    """Somebody else was first: the claim was not recorded.

    Attributes:
        intent: the other's open intent, where that is what stands in the way.
        certificate: the certificate that is current now, where it is not the expected one.
    """

    def __init__(
        self, message: str, *, intent: Intent | None = None, certificate: CertificateRecord | None = None
    ) -> None:
        super().__init__(message)
        self.intent = intent
        self.certificate = certificate


class LedgerState(Protocol):
    """A ledger as it was when it was read; of a large one, answers may know what others wrote since.

    Each answer is of one moment. What has to agree must come from one answer; `authority`, `latest` and
    `revocation_mark` are of the reading, so whatever the mark covers is in every answer.

    The state does not depend on the order of the lines, nor on how often one stands there: a Git union merge of two
    branches is a valid ledger.
    """

    @property
    def authority(self) -> str:
        """Whose ledger it is, as authority_of() writes it; empty where no line says so."""

    @property
    def latest(self) -> datetime | None:
        """The largest time of any line, None for an empty ledger."""

    @property
    def certificates(self) -> Iterable[CertificateRecord]:
        """Every certificate, by name, the newest of a name first."""

    @property
    def open_intents(self) -> tuple[Intent, ...]:
        """Intents without an outcome and not revoked, oldest first, lapsed or not."""

    @property
    def revocations(self) -> Iterable[Revocation]:
        """Every revocation in force, holds too, by serial; also of serials that the ledger does not know otherwise."""

    @property
    def crls(self) -> tuple[Crl, ...]:
        """Every CRL signed, by number."""

    @property
    def revocation_mark(self) -> str:
        """A text that differs exactly when another set of revoked and released lines is known."""

    def assuming(self, revocations: Mapping[str, Revocation | None]) -> LedgerState:
        """Return this state with other *revocations*, by serial; None for none. What is told of certificates stays."""

    def find(self, wanted: Wanted, now: datetime) -> Iterable[CertificateRecord]:
        """Return those of the certificates that are wanted, in the same order."""

    def current(self, name: str, now: datetime) -> CertificateRecord | None:
        """Return the newest live certificate of *name*."""

    def by_name(self, name: str) -> tuple[CertificateRecord, ...]:
        """Return all certificates of *name*, newest first."""

    def two_live(self, name: str, now: datetime) -> tuple[CertificateRecord, ...]:
        """Return the live certificates of *name*, newest first, where there is more than one; else nothing."""

    def doubles(self, now: datetime) -> Mapping[str, tuple[CertificateRecord, ...]]:
        """Return two_live() of every name that has two, by name."""

    def by_serial(self, serial: str) -> CertificateRecord | None:
        """Return the certificate with this serial, in upper-case hex."""

    def revocation_of(self, serial: str) -> Revocation | None:
        """Return the revocation in force for this serial."""

    def intent_of(self, serial: str) -> Intent | None:
        """Return the intent that used this serial, with or without an outcome."""

    def claim_on(
        self, name: str, now: datetime, purpose: str = "certificate", gone: Callable[[Holder], bool] = is_gone
    ) -> OpenIntent | None:
        """Return the open intent that still claims *name*: not lapsed, and its process not surely ended."""

    def last_crl(self, scope: str) -> Crl | None:
        """Return the CRL of *scope* with the highest number."""

    def counts(self, now: datetime) -> Mapping[str, int]:
        """Return how many certificates are in each of STATUSES, and `open_intents`."""


class Ledger(Protocol):
    """The record of one authority: append-only."""

    def exists(self) -> bool:
        """Return whether anybody ever wrote to it; the first line makes it."""

    def read(self) -> LedgerState:
        """Return the present state.

        Raises:
            LedgerError: it is damaged, foreign, from a newer version or cannot be read.
        """

    def claim(self, intent: Intent, expected_current: str | None) -> None:
        """Record *intent*, and so its name, unless somebody else has; on return it is safe to sign.

        Args:
            intent: for purpose "certificate" it is written with `replaces` set to *expected_current*.
            expected_current: serial that the caller saw as current, None where it saw none. Certificates only.
        Raises:
            NameClaimed: an open intent holds the name, or another certificate became current.
            LedgerError: nothing was recorded, for the reason given.
        """

    def claim_all(self, intents: Sequence[Intent]) -> Mapping[str, NameClaimed]:
        """Record those of *intents* whose names nobody else has; on return it is safe to sign these.

        Args:
            intents: all but those of certificates, which claim() takes one by one.
        Returns:
            By its id each intent that was not recorded, and who was first.
        Raises:
            LedgerError: nothing was recorded, for the reason given.
        """

    def append(self, entry: Entry) -> None:
        """Record *entry*; on return it is safe on disk.

        Raises:
            LedgerError: nothing was recorded, for the reason given.
        """

    def append_all(self, entries: Sequence[Entry]) -> None:
        """Record all of *entries* in one go; on return they are safe on disk.

        Raises:
            LedgerError: nothing was recorded, for the reason given.
        """
