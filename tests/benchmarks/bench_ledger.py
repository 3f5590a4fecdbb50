# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a ledger of a million certificates costs, each issued and revoked: its index, a look, one more line."""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from ansible_collections.rootstock.pki.plugins.module_utils._ledger.entries import Revoked, new_id
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.files import FileLedger
from tests.benchmarks.large_ledger import START, write_large_ledger
from tests.benchmarks.measure import Row

CERTIFICATES = 1_000_000
NOW = START + timedelta(days=100)


def now() -> datetime:
    return NOW


def rows() -> list[Row]:
    """Return the first reading, which makes the index, and what every later run does."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.jsonl"
        write_large_ledger(path, CERTIFICATES)
        ledger = FileLedger(path, now)
        found = [of("first reading, makes the index", ledger.read, "")]
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        state = ledger.read()
        serial = state.by_name("host-77")[0].serial
        found += [
            of("reading again", ledger.read, "under 1 s"),
            of("counts", lambda: state.counts(NOW), "under 1 s"),
            of("one certificate by name", lambda: state.by_name("host-4711"), "under 1 s"),
            of("names with two certificates", lambda: state.doubles(NOW), "under 1 s"),
            of("one revocation more", lambda: revoke(ledger, serial), "under 1 s"),
            of("every revocation", lambda: sum(1 for _revocation in state.revocations), ""),
        ]
    return [Row(f"ledger of {CERTIFICATES:,}: memory", None, None, f"{memory} MB", "at most 1000 MB"), *found]


def revoke(ledger: FileLedger, serial: str) -> None:
    """Do what x509_revocation does."""
    ledger.read().revocation_of(serial)
    ledger.append(Revoked(new_id(), NOW, serial, "key_compromise", NOW))


def of(what: str, work: Callable[[], object], wanted: str) -> Row:
    began = time.perf_counter()
    work()
    return Row(f"ledger of {CERTIFICATES:,}: {what}", time.perf_counter() - began, None, "", wanted)
