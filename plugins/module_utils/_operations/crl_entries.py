# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which certificates a CRL lists: a full one, a delta CRL, the one of a partition (RFC 5280 3.3, 5.2.4, 5.3)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .._ledger.files import CLOCK_TOLERANCE
from .._pki.certificates import serial_hex, sha256_hex
from .._pki.crl import REMOVE_FROM_CRL, CrlEntry, crl_der, crl_entries, crl_number_of, load_crl
from .._pki.crl_partitions import OPENED_AS_NEEDED, partition_of
from .._pki.errors import LedgerError, SpecError
from .crl_shards import check_partitions, partition_in, partitions_opened
from .crl_size import LEFT_OUT, TEMPORARY, shown

if TYPE_CHECKING:
    from datetime import datetime

    from cryptography import x509

    from .._ledger.port import LedgerState
    from .._ledger.state import Revocation
    from .._pki.crl_task import CrlTask

LOST_NAMED = 10


@dataclass(frozen=True)
class DeltaBase:
    """The full CRL that a delta CRL builds on.

    Attributes:
        left_out: what its entries leave out.
    """

    number: int
    crl: x509.CertificateRevocationList
    left_out: str = ""


def read_crl(path: str) -> bytes | None:
    """Return the DER of the CRL at *path*, None where there is none.

    Raises:
        SpecError: the file cannot be read.
    """
    try:
        return crl_der(Path(path).read_bytes())
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise SpecError(f"{path}: cannot be read ({exc.strerror})") from exc


def partitions_of(task: CrlTask, issuer: x509.Certificate, state: LedgerState) -> list[CrlTask]:
    """Return *task*, or that of each partition of the authority.

    Raises:
        SpecError: the ledger says that the authority has another number of partitions.
    """
    check_partitions(task.partitions, issuer, state)
    if task.partitions is None:
        return [task]
    count = task.partitions if task.partitions != OPENED_AS_NEEDED else max(1, partitions_opened(state))
    return [task.of_partition(partition) for partition in range(count)]


def delta_base(task: CrlTask, state: LedgerState) -> tuple[DeltaBase | None, tuple[str, ...]]:
    """Return the full CRL that is current, for a delta CRL; what is missing where it is not at hand."""
    if not task.is_delta:
        return None, ()
    last, der = state.last_crl(task.part), read_crl(task.base_path)
    if last is None or der is None or sha256_hex(der) != last.crl_sha256:
        found = "is not the last full CRL of the ledger" if der is not None else "does not exist yet"
        return None, (f"the base CRL {task.base_path} {found}; have it made first",)
    return DeltaBase(last.number, load_crl(der, task.base_path), last.details.get(LEFT_OUT, "")), ()


def entries_of(
    task: CrlTask, state: LedgerState, base: DeltaBase | None, revocations: Iterable[Revocation]
) -> Iterator[CrlEntry]:
    """Yield the entries of the CRL that *task* wants.

    Args:
        revocations: from revocations_of(), read through once.
    Raises:
        LedgerError: a delta CRL would take a revocation for good back.
    """
    settled = _settled(task, state)
    if base is None:
        return (_entry(found) for found in revocations if _is_listed(found, settled))
    return iter(_delta_entries(task, state, base, revocations, settled))


def revocations_of(task: CrlTask, state: LedgerState) -> Iterable[Revocation]:
    """Return the revocations that are the business of this CRL; of a partition as they are at this moment.

    A state may know more when it is asked again, so a partition's entries and its mark have to come from one answer.
    """
    if task.partition is None:
        return state.revocations
    return [found for found in state.revocations if _partition(task, state, found.serial) == task.partition]


def _partition(task: CrlTask, state: LedgerState, serial: str) -> int:
    if task.partitions:
        return partition_of(int(serial, 16), task.partitions)
    return partition_in(state, serial)


def revocations_mark(revocations: Iterable[Revocation]) -> str:
    """Return what differs when the revocations of one partition differ; what has expired since counts on."""
    digest = hashlib.sha256()
    for revocation in revocations:
        digest.update(repr(revocation[:4]).encode())
    return digest.hexdigest()


def _settled(task: CrlTask, state: LedgerState) -> datetime | None:
    """Return until when what expired stood in a CRL after that, so that it needs to be in none any more."""
    last = state.last_crl(task.part)
    return last.this_update if last else None


def _is_listed(found: Revocation, settled: datetime | None) -> bool:
    """Tell whether a CRL names a revocation: not once it has expired and stood in a CRL after that (RFC 5280 3.3).

    It stood there where it was on record by then, whatever its revocation date says; clocks may differ.
    """
    if found.not_after is None or settled is None or found.not_after >= settled:
        return True
    return found.recorded_at is None or found.recorded_at + CLOCK_TOLERANCE >= settled


def _entry(found: Revocation) -> CrlEntry:
    return CrlEntry(int(found.serial, 16), found.revoked_at, found.reason, found.invalidity_date)


def _delta_entries(
    task: CrlTask,
    state: LedgerState,
    base: DeltaBase,
    revocations: Iterable[Revocation],
    settled: datetime | None,
) -> list[CrlEntry]:
    """Return what changed since the base: new or other revocations, and the holds that ended.

    A hold that began and ended after the base is named too where the delta CRL before this one had it (5.3.1).
    """
    before = set(crl_entries(base.crl))
    gone = {entry.serial_number: entry for entry in (*before, *_former_delta(task, base))}
    changed = []
    for found in revocations:
        entry = _entry(found)
        gone.pop(entry.serial_number, None)
        if _is_listed(found, settled) and shown(entry, base.left_out) not in before:
            changed.append(entry)
    _check_holds(task, state, gone.values())
    ended = [CrlEntry(serial, gone[serial].revoked_at, REMOVE_FROM_CRL, None) for serial in sorted(gone)]
    return changed + ended


def _check_holds(task: CrlTask, state: LedgerState, gone: Iterable[CrlEntry]) -> None:
    """Refuse to take anything but holds off the base (RFC 5280 5.3.1).

    Raises:
        LedgerError: the ledger has lost a revocation.
    """
    final = [serial_hex(entry.serial_number) for entry in gone if entry.reason not in TEMPORARY]
    lost = sorted(serial for serial in final if state.revocation_of(serial) is None)
    if lost:
        raise LedgerError(
            f"{task.path}: the base CRL {task.base_path} or the last delta CRL lists {', '.join(lost[:LOST_NAMED])} as "
            f"revoked for good, and the ledger {task.ledger_path} does not ({len(lost)} in all); restore its lines "
            "from Git or a backup, or revoke them again, since only holds end (RFC 5280 5.3.1)"
        )


def _former_delta(task: CrlTask, base: DeltaBase) -> list[CrlEntry]:
    der = read_crl(task.path)
    try:
        crl = load_crl(der, task.path) if der is not None else None
    except SpecError:
        return []
    if crl is None or (crl_number_of(crl) or 0) <= base.number:
        return []
    return list(crl_entries(crl))
