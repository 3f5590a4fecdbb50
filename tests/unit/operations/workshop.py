# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small PKI on disk whose keys are in memory: what issuing needs, without Ansible and without AWS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ansible_collections.rootstock.pki.plugins.module_utils._operations.certificate_inputs import (
    CertificatePorts,
    file_ports,
)
from ansible_collections.rootstock.pki.plugins.module_utils._operations.certificate_plan import (
    CertificatePlan,
    plan_certificate,
)
from ansible_collections.rootstock.pki.plugins.module_utils._operations.issue_certificate import (
    Issuance,
    IssuingPorts,
    carry_out,
)
from ansible_collections.rootstock.pki.plugins.module_utils._pki.certificate import CertificateRequest, Lifetime
from ansible_collections.rootstock.pki.plugins.module_utils._pki.certificates import to_pem
from ansible_collections.rootstock.pki.plugins.module_utils._pki.extensions import ExtensionOptions
from ansible_collections.rootstock.pki.plugins.module_utils._pki.general_names import to_general_names
from ansible_collections.rootstock.pki.plugins.module_utils._pki.names import to_name
from ansible_collections.rootstock.pki.plugins.module_utils._pki.profiles import profile_named
from ansible_collections.rootstock.pki.plugins.module_utils._pki.task import (
    CSR,
    KMS,
    PUBLIC_KEY,
    CertificateTask,
    Source,
)
from tests.unit.signer.local_kms import LocalSigner, local_key

START = datetime(2026, 1, 1, 12, 0, 0, tzinfo=timezone.utc)
CALLER = "arn:aws:sts::111122223333:assumed-role/Issuer/test"


@dataclass
class Clock:
    """A clock that tests set."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **span: float) -> None:
        self.now += timedelta(**span)


def spki_of(key: Any) -> bytes:
    der: bytes = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return der


@dataclass
class Workshop:
    """Keys by alias, a folder for the files, a clock, and the issuing flow over them."""

    folder: Path
    keys: dict[str, Any] = field(default_factory=dict)
    clock: Clock = field(default_factory=Clock)
    signers: dict[str, LocalSigner] = field(default_factory=dict)
    serial: int = 0x5A00

    def key(self, alias: str, key_spec: str = "ECC_NIST_P256") -> str:
        other_tests = () if key_spec.startswith("RSA") else (hash(str(self.folder)),)  # RSA keys take long to make
        self.keys[alias] = local_key(key_spec, len(self.keys), *other_tests)
        self.signers[alias] = LocalSigner(self.keys[alias])
        return alias

    def public_key(self, key_id: str) -> bytes | None:
        key = self.keys.get(key_id)
        return None if key is None else spki_of(key)

    def task(self, name: str, profile: str, issuer: str | None = None, **options: Any) -> CertificateTask:
        """Return the task that keeps certificate *name*, an authority's in its folder, others beside its issuer's."""
        is_authority = profile_named(profile).ca
        path = self.folder / name / "ca.pem" if is_authority else self.folder / "certificates" / f"{name}.pem"
        path.parent.mkdir(parents=True, exist_ok=True)
        issuer_path = None if issuer is None else self.folder / issuer / "ca.pem"
        subject_kind, subject = _subject_source(name, options)
        return CertificateTask(
            request=_request(name, profile, options),
            path=str(path),
            present=path.read_bytes() if path.exists() else None,
            subject_kind=subject_kind,
            subject=subject,
            issuer=None if issuer_path is None else _source(issuer_path),
            chain=tuple(_source(self.folder / above / "ca.pem") for above in options.pop("above", ())),
            issuer_key_id=options.pop("issuer_key_id", issuer or name),
            ledger_path=str((issuer_path or path).parent / "ledger.jsonl"),
            **options,
        )

    def ports(self, task: CertificateTask) -> CertificatePorts:
        return file_ports(task, self, self.clock)

    def plan(self, name: str, profile: str, issuer: str | None = None, **options: Any) -> CertificatePlan:
        task = self.task(name, profile, issuer, **options)
        return plan_certificate(task, self.ports(task))

    def issuing(self, key_id: str) -> IssuingPorts:
        def random_bits() -> int:
            self.serial += 1
            return self.serial

        return IssuingPorts(
            self.signers[key_id], lambda: CALLER, self.clock, random_bits, lambda s: self.clock.forward(seconds=s)
        )

    def carry_out(self, planned: CertificatePlan) -> Issuance:
        """Do what is planned, and keep the certificate where the task wants it."""
        done = carry_out(planned, self.ports(planned.task), self.issuing(planned.task.issuer_key_id))
        Path(planned.task.path).write_bytes(to_pem([done.certificate]))
        return done

    def issue(self, name: str, profile: str, issuer: str | None = None, **options: Any) -> x509.Certificate:
        certificate: x509.Certificate = self.carry_out(self.plan(name, profile, issuer, **options)).certificate
        return certificate

    def root(self, name: str = "root", key_spec: str = "ECC_NIST_P256", **options: Any) -> x509.Certificate:
        if name not in self.keys:
            self.key(name, key_spec)
        return self.issue(name, "root_ca", **options)

    def authority(self, name: str, issuer: str, key_spec: str = "ECC_NIST_P256", **options: Any) -> x509.Certificate:
        if name not in self.keys:
            self.key(name, key_spec)
        return self.issue(name, "subordinate_ca", issuer, **options)

    def ledger_lines(self, authority: str) -> list[str]:
        path = self.folder / authority / "ledger.jsonl"
        return path.read_text().splitlines() if path.exists() else []


def _source(path: Path) -> Source:
    return Source(str(path), path.read_bytes() if path.exists() else None)


def _subject_source(name: str, options: dict[str, Any]) -> tuple[str, Source]:
    if "csr" in options:
        return CSR, Source("web.csr", options.pop("csr"))
    if "public_key" in options:
        return PUBLIC_KEY, Source("public_key.pem", options.pop("public_key"))
    return KMS, Source(options.pop("key_id", name), None)


def _request(name: str, profile: str, options: dict[str, Any]) -> CertificateRequest:
    names: Sequence[str] | None = options.pop("subject_alt_name", None)
    subject = options.pop("subject", {"organization_name": "Acme", "common_name": name})
    extensions = ExtensionOptions(subject_alt_name=None if names is None else tuple(to_general_names(names)))
    known = {key: options.pop(key) for key in list(options) if key in ExtensionOptions.__dataclass_fields__}
    chosen = profile_named(profile)
    lifetime = Lifetime(
        options.pop("not_before", "-10m"),
        options.pop("not_after", chosen.not_after),
        options.pop("renew_before", "33%"),
    )
    return CertificateRequest(
        name, chosen, None if subject is None else to_name(subject), replace(extensions, **known), lifetime
    )
