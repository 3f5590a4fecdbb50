# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a CRL of a million entries costs beside pyca's builder alone, and a run that has nothing to do."""

from __future__ import annotations

import multiprocessing
import random
import resource
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from ansible_collections.rootstock.pki.plugins.module_utils._ledger.codec import encode
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.entries import (
    Entry,
    Intent,
    Issued,
    Revoked,
    authority_of,
    serial_text,
)
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.holders import this_holder
from tests.benchmarks.measure import Row
from tests.unit.operations.crl_desk import CrlDesk
from tests.unit.operations.workshop import START, spki_of
from tests.unit.signer.local_kms import local_key

ENTRIES = 1_000_000
REASONS = ("key_compromise", "superseded", "cessation_of_operation", "affiliation_changed")


class Cost(NamedTuple):
    """What something took: seconds of CPU, seconds on the clock, peak memory in megabytes."""

    cpu: float
    wall: float
    megabytes: float

    def beside(self, base: Cost) -> str:
        return f"{self.cpu / base.cpu:.2f} x, {self}"

    def __str__(self) -> str:
        return f"{self.wall:.1f} s on the clock, {self.megabytes:.0f} MB"


def serial_numbers() -> list[int]:
    source = random.Random(ENTRIES)  # noqa: S311  # the same ones for both, no secret
    return [source.getrandbits(159) | 1 << 158 for _entry in range(ENTRIES)]


def alone() -> object:
    """Make the same CRL with pyca's builder, its list handed over at once."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "root")])
    values = [x509.CRLReason(x509.ReasonFlags[reason]) for reason in REASONS]
    revoked = [
        x509.RevokedCertificateBuilder()
        .serial_number(serial_number)
        .revocation_date(START)
        .add_extension(values[count % len(values)], critical=False)
        .build()
        for count, serial_number in enumerate(serial_numbers())
    ]
    builder = x509.CertificateRevocationListBuilder(revoked_certificates=revoked).issuer_name(name)
    builder = builder.last_update(START).next_update(START + timedelta(days=7))
    return builder.sign(local_key("ECC_NIST_P256"), hashes.SHA256())


def entries_of(authority: str, reason: str) -> list[Entry]:
    """Return what the ledger says of one certificate that was issued and revoked; see many() for what looks odd."""
    intent, issued, revoked = ("a" * 32, "b" * 32, "c" * 32)
    common = (START, "certificate", "device", "AB" * 20, "CN=device", "d" * 64, "root", "tls_client")
    lifetime = {"not_before": "-10m", "not_after": "+397d"}
    end = START + timedelta(days=397)
    return [
        Intent(intent, *common, this_holder(), lifetime, authority=authority),
        Issued(issued, START, intent, "AB" * 20, "d" * 64, "request", "caller", START, end, "root", authority),
        Revoked(revoked, START, "AB" * 20, reason, START, authority=authority),
    ]


def many(desk: CrlDesk) -> None:
    """Fill the ledger with certificates that were issued and revoked: the same lines with other ids, names, serials."""
    authority = authority_of(spki_of(desk.shop.keys["root"]))
    models = [b"".join(map(encode, entries_of(authority, reason))).decode() for reason in REASONS]
    with desk.path("ledger.jsonl").open("a") as ledger:
        for count, serial_number in enumerate(serial_numbers()):
            lines = models[count % len(models)].replace("AB" * 20, serial_text(serial_number))
            for letter in "abc":
                lines = lines.replace(letter * 32, f"{letter}{count:031x}")
            ledger.write(lines.replace("device", f"device-{count}"))


def in_a_process(work: Callable[..., object], *arguments: Any) -> Cost:
    """Return what *work* costs in a process of its own."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=lambda: sender.send(_measured(work, arguments)))
    process.start()
    sender.close()
    result: Cost = receiver.recv()
    process.join()
    return result


def _measured(work: Callable[..., object], arguments: tuple[Any, ...]) -> Cost:
    began, began_cpu = time.perf_counter(), time.process_time()
    kept = work(*arguments)
    cpu, wall = time.process_time() - began_cpu, time.perf_counter() - began
    del kept
    return Cost(cpu, wall, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def make(desk: CrlDesk) -> None:
    desk.make_all(compare_entries=False)


def make_again(desk: CrlDesk, diff: bool) -> None:
    desk.make_all(compare_entries=diff, force=True)


def revoke(desk: CrlDesk, serial: str) -> None:
    desk.revoke(serial)


def rows() -> list[Row]:
    """Return pyca alone, the CRL with a cold and a warm index and with its diff, the no-op and one more revocation."""
    with tempfile.TemporaryDirectory() as folder:
        desk = CrlDesk(Path(folder))
        in_a_process(many, desk)
        base = in_a_process(alone)
        cold = in_a_process(make, desk)  # Git ignores the index, so a fresh checkout has none
        warm = in_a_process(make_again, desk, False)
        shown = in_a_process(make_again, desk, True)
        nothing = in_a_process(make, desk)
        one_more = in_a_process(revoke, desk, serial_text(serial_numbers()[0]))
    of = f"CRL of {ENTRIES:,} entries"
    return [
        Row(f"{of}: pyca's builder alone, CPU", base.cpu, None, str(base)),
        Row(f"{of}: from a ledger without an index, CPU", cold.cpu, None, cold.beside(base), "1 GB"),
        Row(f"{of}: from a ledger with one, CPU", warm.cpu, None, warm.beside(base), "1.6 x, 1 GB"),
        Row(f"{of}: that with --diff, CPU", shown.cpu, None, shown.beside(base), "1 GB"),
        Row(f"{of}: no-op", nothing.wall, None, "0 Sign", "under 1 s, 0 Sign"),
        Row(f"ledger of {ENTRIES:,} entries: one more revocation", one_more.wall, None, "", "under 1 s"),
    ]
