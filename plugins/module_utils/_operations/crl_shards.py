# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""In how many CRLs an authority lists what it revokes, and in which one a certificate will be."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .._pki.certificates import is_self_signed
from .._pki.crl_partitions import (
    NO_ROOT,
    OPENED_AS_NEEDED,
    PARTITION_RESERVE,
    PARTITION_SIZE,
    PLACEHOLDER,
    certificate_partitions,
    in_partition,
    partition_of,
    partitions_text,
)
from .._pki.errors import SpecError
from .._pki.extensions import key_type_of
from .._pki.names import name_text
from .._pki.profiles import ED25519

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

    from cryptography import x509

    from .._ledger.entries import Intent
    from .._ledger.port import Ledger, LedgerState
    from .._pki.certificate import CertificateSpec
    from .._pki.extensions import WantedExtension

PARTITION, PARTITIONS = "crl_partition", "crl_partitions"
"""Details of an intent: the certificate's partition, and how many its authority has."""


def partition_problems(
    given: int | None,
    extensions: Iterable[WantedExtension],
    issuer: x509.Certificate,
    state: LedgerState,
    now: datetime,
    issuing: bool,
) -> list[str]:
    """Return why no certificate may be issued by what the issuer's CRLs hold.

    Args:
        given: the task's crl_partitions.
        issuing: one more certificate is about to be issued.
    """
    try:
        partitions = certificate_partitions(given, extensions)
        check_partitions(partitions, issuer, state)
    except SpecError as exc:
        return [str(exc)]
    if not issuing or partitions is not None or key_type_of(issuer.public_key()) != ED25519:
        return []
    living = sum(record.profile != "root_ca" and record.not_after >= now for record in state.certificates)
    if living < PARTITION_SIZE:
        return []
    below = "issue from an authority below it" if is_self_signed(issuer) else "make a new authority"
    told = (
        f"the issuer has {living} certificates that have not expired, and its Ed25519 key cannot sign the CRL that "
        f"revokes more; let some expire, or {below} with {PLACEHOLDER} in crl_distribution_points"
    )
    return [told]


def placed(spec: CertificateSpec, partition: int | None) -> CertificateSpec:
    """Return *spec* with its URLs of CRLs as they are in a partition."""
    return spec if partition is None else replace(spec, extensions=in_partition(spec.extensions, partition))


def place(
    spec: CertificateSpec, given: int | None, serial_number: int, ledger: Ledger
) -> tuple[CertificateSpec, dict[str, str]]:
    """Choose the partition of a certificate that is issued now; return its spec, and what the intent says of it."""
    partitions = certificate_partitions(given, spec.extensions)
    if partitions is None:
        return spec, {}
    opened = partitions == OPENED_AS_NEEDED
    partition = _open_partition(ledger.read()) if opened else partition_of(serial_number, partitions)
    return placed(spec, partition), {PARTITIONS: str(partitions), PARTITION: str(partition)}


def _open_partition(state: LedgerState) -> int:
    """Return the newest partition, a new one where that is full."""
    found = [recorded_partition(intent) or 0 for intent in _issuances_and_begun(state)]
    newest = max(found, default=0)
    return newest + (found.count(newest) >= PARTITION_SIZE)


def objection_to(details: Mapping[str, str]) -> Callable[[LedgerState, Intent], str] | None:
    """Return what has to be asked once an intent with *details* is on record: its partition may be full by then."""
    return _overfull if details.get(PARTITIONS) == str(OPENED_AS_NEEDED) else None


def _overfull(state: LedgerState, intent: Intent) -> str:
    partition = recorded_partition(intent)
    others = sum(recorded_partition(one) == partition for one in _issuances_and_begun(state) if one.id != intent.id)
    if others < PARTITION_SIZE + PARTITION_RESERVE:
        return ""
    return f"other runs have put {others} certificates into partition {partition} meanwhile; run again"


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
    return max((recorded_partition(intent) or 0 for intent in _issuances_and_begun(state)), default=-1) + 1


def _issuances_and_begun(state: LedgerState) -> Iterator[Intent]:
    """Yield the intents of all that was issued to others, and those without an outcome: what they began may exist."""
    yield from _issuances(state)
    yield from (intent for intent in state.open_intents if intent.purpose == "certificate")


def check_partitions(partitions: int | None, issuer: x509.Certificate, state: LedgerState) -> None:
    """Refuse another number of partitions than certificates were issued with.

    Raises:
        SpecError: it differs, or does not fit the issuer or its key.
    """
    if partitions is not None and is_self_signed(issuer):
        raise SpecError(f"{name_text(issuer.subject)} signs itself and has one CRL; {NO_ROOT}")
    opened = partitions == OPENED_AS_NEEDED
    if opened and key_type_of(issuer.public_key()) != ED25519:
        raise SpecError("crl_partitions is missing; {partition} in a path or URL needs to know how many there are")
    if partitions and key_type_of(issuer.public_key()) == ED25519:
        raise SpecError("crl_partitions: an Ed25519 authority opens partitions as needed; leave it out")
    if next(_issuances(state), None) is None:
        return
    recorded = recorded_partitions(state)
    if recorded != partitions:
        raise SpecError(
            f"crl_partitions: this authority has issued certificates {partitions_text(recorded)}, and now it would be "
            f"{partitions_text(partitions)}; that is fixed before its first certificate: {_kept(recorded)}, or make a "
            "new authority beside it"
        )


def _kept(partitions: int | None) -> str:
    """Return how a task says what was recorded."""
    if partitions is None:
        return f"leave {PLACEHOLDER} out of its URLs and paths (crl.partitions: 1 in an inventory)"
    return "leave crl_partitions out" if partitions == OPENED_AS_NEEDED else f"give {partitions}"
