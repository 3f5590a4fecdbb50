# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""In how many CRLs an authority lists what it revokes, and in which one a certificate will be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._pki.crl_partitions import OPENED_AS_NEEDED
from .._pki.errors import SpecError
from .._pki.extensions import key_type_of
from .._pki.profiles import ED25519

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cryptography import x509

    from .._ledger.entries import Intent
    from .._ledger.port import LedgerState

PARTITION, PARTITIONS = "crl_partition", "crl_partitions"
"""Details of an intent: the certificate's partition, and how many its authority has."""


def partition_details(partitions: int | None, partition: int | None) -> dict[str, str]:
    """Return what the intent of a certificate says of its partition."""
    return {} if partition is None else {PARTITIONS: str(partitions or OPENED_AS_NEEDED), PARTITION: str(partition)}


def recorded_partition(intent: Intent | None) -> int | None:
    """Return the partition that a certificate was issued into."""
    text = intent.details.get(PARTITION) if intent is not None else None
    return None if text is None else int(text)


def recorded_partitions(state: LedgerState) -> int | None:
    """Return in how many partitions the first certificate found was issued; None where without."""
    intent = next(_issuances(state), None)
    text = intent.details.get(PARTITIONS) if intent is not None else None
    return None if text is None else int(text)


def _issuances(state: LedgerState) -> Iterator[Intent]:
    """Yield the intents of what was issued here to others: a root is on no CRL."""
    return (record.intent for record in state.certificates if record.intent is not None and record.profile != "root_ca")


def partition_in(state: LedgerState, serial: str) -> int:
    """Return the partition of *serial* as recorded; what was issued elsewhere is in the first."""
    return recorded_partition(state.intent_of(serial)) or 0


def partitions_opened(state: LedgerState) -> int:
    """Return how many partitions have been opened so far."""
    return max((recorded_partition(intent) or 0 for intent in _issuances(state)), default=-1) + 1


def check_partitions(partitions: int | None, issuer: x509.Certificate, state: LedgerState) -> None:
    """Refuse another number of partitions than certificates were issued with.

    Raises:
        SpecError: it differs, or does not fit the issuer's key.
    """
    opened = partitions == OPENED_AS_NEEDED
    if opened and key_type_of(issuer.public_key()) != ED25519:
        raise SpecError("crl_partitions is missing: {partition} in a path or URL needs to know how many there are")
    if partitions and key_type_of(issuer.public_key()) == ED25519:
        raise SpecError("crl_partitions: an Ed25519 authority opens partitions as needed; leave it out")
    if next(_issuances(state), None) is None:
        return
    recorded = recorded_partitions(state)
    if recorded != partitions:
        raise SpecError(
            f"crl_partitions: this authority has issued certificates {_said(recorded)}, and now it would be "
            f"{_said(partitions)}; that is fixed before its first certificate, make a new authority beside it instead"
        )


def _said(partitions: int | None) -> str:
    if partitions is None:
        return "without partitions"
    return "with partitions opened as needed" if partitions == OPENED_AS_NEEDED else f"with {partitions} partitions"
