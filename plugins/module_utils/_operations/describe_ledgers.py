# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What several ledgers say together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._ledger.state import STATUSES
from .._pki.certificates import asn1_time
from .._pki.crl_task import part_of
from .ledger_facts import certificate_facts, intent_facts

if TYPE_CHECKING:
    from .._ledger.port import Ledger, LedgerState
    from .._ledger.state import CertificateRecord, Wanted


@dataclass(frozen=True)
class NamedLedger:
    """A ledger and where it is kept."""

    path: Path
    ledger: Ledger


def describe_ledgers(
    ledgers: Sequence[NamedLedger], wanted: Wanted, limit: int | None, now: datetime
) -> dict[str, Any]:
    """Return the certificates that are wanted, at most *limit*, and what is open, doubled and counted in all.

    Raises:
        LedgerError: one of them is damaged, or of another authority.
    """
    states = [(ledger.path, ledger.ledger.read()) for ledger in ledgers]
    found = _found(states, wanted, now)
    told = list(found if limit is None else islice(found, limit))
    return {
        "certificates": [certificate_facts(record, path, now) for path, record in told],
        "truncated": next(found, None) is not None,
        "open_intents": [intent_facts(intent, path) for path, state in states for intent in state.open_intents],
        "duplicates": [
            {"ledger_path": str(path), "name": name, "serial_numbers_hex": [record.serial for record in records]}
            for path, state in states
            for name, records in state.doubles(now).items()
        ],
        "duplicate_crl_numbers": [facts for path, state in states for facts in _doubled_numbers(path, state, now)],
        "counts": {key: sum(state.counts(now)[key] for _path, state in states) for key in (*STATUSES, "open_intents")},
        "ledgers": [_standing(path, state, now) for path, state in states],
    }


def _doubled_numbers(path: Path, state: LedgerState, now: datetime) -> Iterator[dict[str, Any]]:
    """Yield the CRL numbers that two different CRLs have, where more than one of these may be in use still."""
    found: defaultdict[tuple[str, int], set[str]] = defaultdict(set)
    for crl in state.crls:
        if crl.next_update >= now:
            found[part_of(crl.scope), crl.number].add(crl.crl_sha256)
    for (part, number), fingerprints in found.items():
        if len(fingerprints) > 1:
            yield {"ledger_path": str(path), "part": part, "crl_number": number, "fingerprints": sorted(fingerprints)}


def _found(
    states: Sequence[tuple[Path, LedgerState]], wanted: Wanted, now: datetime
) -> Iterator[tuple[Path, CertificateRecord]]:
    for path, state in states:
        for record in state.find(wanted, now):
            yield path, record


def _standing(path: Path, state: LedgerState, now: datetime) -> dict[str, Any]:
    return {
        "ledger_path": str(path),
        "authority": state.authority or None,
        "counts": dict(state.counts(now)),
        "latest": asn1_time(state.latest) if state.latest else None,
    }
