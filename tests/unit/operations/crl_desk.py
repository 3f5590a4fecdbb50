# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small PKI that revokes and makes CRLs, without Ansible and without AWS."""

from __future__ import annotations

import copy
import subprocess
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from ansible_collections.rootstock.pki.plugins.module_utils._ledger.entries import Released, Revoked, new_id
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.files import FileLedger
from ansible_collections.rootstock.pki.plugins.module_utils._operations.crl_plan import (
    CrlPlan,
    file_crl_ports,
    plan_crls,
)
from ansible_collections.rootstock.pki.plugins.module_utils._operations.make_crl import (
    CrlSigning,
    MadeCrl,
    carry_out_crl,
)
from ansible_collections.rootstock.pki.plugins.module_utils._pki.certificates import serial_hex
from ansible_collections.rootstock.pki.plugins.module_utils._pki.crl import crl_pem, crl_to_der, load_crl
from ansible_collections.rootstock.pki.plugins.module_utils._pki.crl_task import DER, CrlTask
from ansible_collections.rootstock.pki.plugins.module_utils._pki.task import Source
from tests.unit.operations.workshop import CALLER, Workshop, spki_of
from tests.unit.signer.local_kms import local_key


def store(planned: CrlPlan, der: bytes) -> None:
    Path(planned.task.path).write_bytes(der if planned.task.form == DER else crl_pem(der))


@dataclass
class CrlDesk:
    """One authority, what it issued, and its CRLs.

    Args:
        above: the root that certified it; empty where it is one itself.
        millisecond: of the second that it is.
    """

    folder: Path
    name: str = "root"
    key_spec: str = "ECC_NIST_P256"
    above: str = ""
    millisecond: int = 0
    shop: Workshop = field(init=False)

    def __post_init__(self) -> None:
        self.shop = Workshop(self.folder)
        self.shop.root(self.above or self.name, self.key_spec)
        if self.above:
            self.shop.authority(self.name, self.above, self.key_spec)

    @property
    def ledger(self) -> FileLedger:
        return FileLedger(self.folder / self.name / "ledger.jsonl", self.shop.clock)

    @property
    def sign_calls(self) -> int:
        return len(self.shop.signers[self.name].asked)

    def issue(self, name: str, **options: Any) -> x509.Certificate:
        """Issue a certificate for a client and return it."""
        key = spki_of(local_key("ECC_NIST_P256", 93))
        return self.shop.issue(name, "tls_client", self.name, public_key=key, **options)

    def revoke(self, certificate: x509.Certificate | str, reason: str = "key_compromise", **dates: datetime) -> Revoked:
        serial = certificate if isinstance(certificate, str) else serial_hex(certificate.serial_number)
        now = self.shop.clock()
        line = Revoked(new_id(), now, serial, reason, dates.pop("revoked_at", now), **dates)
        self.ledger.append(line)
        return line

    def release(self, line: Revoked) -> None:
        self.ledger.append(Released(new_id(), self.shop.clock(), line.serial, line.id))

    def path(self, file: str = "crl.pem") -> Path:
        return self.folder / self.name / file

    def task(self, file: str = "crl.pem", **options: Any) -> CrlTask:
        issuer = self.path("ca.pem")
        base = options.pop("base", "")
        return CrlTask(
            issuer=Source(str(issuer), issuer.read_bytes()),
            issuer_key_id=self.name,
            ledger_path=str(self.path("ledger.jsonl")),
            path=str(self.path(file)),
            base_path=str(self.path(base)) if base else "",
            **options,
        )

    def plan(self, file: str = "crl.pem", **options: Any) -> CrlPlan:
        return self.plans(file, **options)[0]

    def plans(self, file: str = "crl.pem", **options: Any) -> list[CrlPlan]:
        task = self.task(file, **options)
        return plan_crls(task, file_crl_ports(task, self.shop.clock))

    def signing(self) -> CrlSigning:
        clock = self.shop.clock
        return CrlSigning(
            signer=self.shop.signers[self.name],
            caller_arn=lambda: CALLER,
            clock=clock,
            store=store,
            milliseconds=lambda: int(clock().timestamp() * 1000) + self.millisecond,
            sleep=lambda seconds: clock.forward(seconds=seconds),
        )

    def make_all(self, file: str = "crl.pem", **options: Any) -> list[MadeCrl]:
        """Do what a run of the module does, for each partition where there are any."""
        task = self.task(file, **options)
        ports = file_crl_ports(task, self.shop.clock)
        return [
            carry_out_crl(planned, ports, self.signing()) for planned in plan_crls(task, ports) if not planned.refusal
        ]

    def make(self, file: str = "crl.pem", **options: Any) -> x509.CertificateRevocationList:
        self.make_all(file, **options)
        return self.crl(file)

    def crl(self, file: str = "crl.pem") -> x509.CertificateRevocationList:
        return load_crl(self.path(file).read_bytes(), file)

    def desk_above(self) -> CrlDesk:
        """Return the desk of the authority above, over the same keys and the same clock."""
        above = copy.copy(self)
        above.name, above.above = self.above, ""
        return above

    def verdict(self, certificate: x509.Certificate, crls: list[x509.CertificateRevocationList], *flags: str) -> str:
        """Return what openssl verify says of *certificate*."""
        at = int(self.shop.clock().timestamp())
        leaf, pool = self.path("leaf.pem"), self.path("crls.pem")
        leaf.write_bytes(certificate.public_bytes(Encoding.PEM))
        pool.write_bytes(b"".join(crl_pem(crl_to_der(crl)) for crl in crls))
        command = ["openssl", "verify", "-crl_check_all", "-attime", str(at), "-CRLfile", str(pool), *flags]
        anchor = self.folder / (self.above or self.name) / "ca.pem"
        command += ["-CAfile", str(anchor), "-untrusted", str(self.path("ca.pem")), str(leaf)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.stdout + done.stderr


def serials(crl: x509.CertificateRevocationList) -> set[int]:
    return {entry.serial_number for entry in crl}


def number(crl: x509.CertificateRevocationList) -> int:
    return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
