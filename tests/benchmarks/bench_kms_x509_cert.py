# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a certificate costs: AWS calls of a first issue and a no-op, CPU of building and gating unsigned."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from ansible_collections.rootstock.pki.plugins.module_utils._pki.certificate import certificate_builder, validity
from localaws.server import running
from localaws.testing import new_account
from tests.benchmarks.measure import Row, measure, play_seconds
from tests.unit.operations.workshop import Workshop, spki_of
from tests.unit.signer.local_kms import local_key

ROUNDS = 200


def task(folder: Path) -> Mapping[str, object]:
    return {
        "rootstock.pki.kms_x509_cert": {
            "path": str(folder / "root" / "ca.pem"),
            "name": "root",
            "certificate_profile": "root_ca",
            "key_id": "alias/bench/root",
            "subject": {"common_name": "Bench Root"},
        }
    }


def cpu_milliseconds(work: Callable[[], object]) -> float:
    """Return the CPU time of *work*, the mean of many rounds."""
    start = time.process_time()
    for _unused in range(ROUNDS):
        work()
    return (time.process_time() - start) / ROUNDS * 1000


def alone() -> float:
    """Return the CPU time in which pyca makes a plain certificate with a P-256 key in memory."""
    key, start = local_key("ECC_NIST_P256", 90), datetime(2026, 1, 1, tzinfo=timezone.utc)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "web")])
    alternative = x509.SubjectAlternativeName([x509.DNSName("web.acme.internal")])

    def work() -> None:
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        builder = builder.serial_number(1).not_valid_before(start).not_valid_after(start + timedelta(days=90))
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder.add_extension(alternative, critical=False).sign(key, hashes.SHA256())

    return cpu_milliseconds(work)


def build_and_gate(folder: Path) -> float:
    """Return the CPU time of planning a P-256 certificate, which reads, gates, and building its TBS; unsigned."""
    workshop = Workshop(folder)
    workshop.root()
    workshop.authority("services", "root", path_length=0)
    key = spki_of(local_key("ECC_NIST_P256", 90))

    def work() -> None:
        plan = workshop.plan(
            "web", "tls_server", "services", above=["root"], public_key=key, subject_alt_name=["DNS:web.acme.internal"]
        )
        certificate_builder(plan.spec, plan.issuer, 1, validity(plan.spec.lifetime, plan.issuer, plan.now))

    return cpu_milliseconds(work)


def rows() -> list[Row]:
    """Return the first issue, the no-op, and the CPU time without KMS."""
    with tempfile.TemporaryDirectory() as name, running() as server:
        folder = Path(name)
        who = new_account(server).administrator()
        play_seconds([{"rootstock.pki.kms_key": {"alias": "bench/root", "use": "ca"}}], who)
        first = measure(server, lambda: play_seconds([task(folder)], who))
        again = measure(server, lambda: play_seconds([task(folder)], who))
        cpu, bare = build_and_gate(folder / "cpu"), alone()
    return [
        Row("kms_x509_cert: self-signed, first issue", None, first[1], "", "1 Sign, 1 GetPublicKey"),
        Row("kms_x509_cert: self-signed, no-op", None, again[1], "", "0 Sign, 1 GetPublicKey"),
        Row("kms_x509_cert: plan, gate and build, CPU", cpu / 1000, None, f"{cpu:.2f} ms", "at most 2 ms"),
        Row("pyca alone, with a key in memory, CPU", bare / 1000, None, f"{bare:.2f} ms", "0.2 ms, beside 2"),
    ]
