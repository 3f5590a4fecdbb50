# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A workshop that is asked as kms_x509_cert is: in options, through its argument spec; all else is in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ansible_collections.rootstock.pki.plugins.module_utils._module.certificates import to_task
from ansible_collections.rootstock.pki.plugins.module_utils._operations.certificate_plan import (
    CertificatePlan,
    plan_certificate,
)
from ansible_collections.rootstock.pki.plugins.module_utils._pki.certificates import to_pem
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import PkiError
from ansible_collections.rootstock.pki.plugins.module_utils._pki.task import CertificateTask
from ansible_collections.rootstock.pki.plugins.modules.kms_x509_cert import ARGUMENT_SPEC
from tests.unit.operations.workshop import Workshop
from tests.unit.signer.local_kms import local_key

NAMED = ("csr_content", "csr_path", "subject_certificate_content", "subject_certificate_path")
SUBJECT_KEYS = ("key_id", "public_key_content", "public_key_path", *NAMED)
_VALIDATOR = ArgumentSpecValidator(ARGUMENT_SPEC)


def public_pem(key: Any) -> str:
    pem: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem.decode()


def somebodys_key(key_spec: str = "ECC_NIST_P256") -> Any:
    """Return a private key that is not in KMS, the same one for the same spec."""
    return local_key(key_spec, 77)


def module_params(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return *options* as Ansible hands them to the module: converted, with defaults."""
    result = _VALIDATOR.validate(dict(options))
    assert not result.error_messages, result.error_messages
    return dict(result.validated_parameters)


def csr_pem(*extensions: tuple[x509.ExtensionType, bool], subject: x509.Name | None = None, key: Any = None) -> str:
    """Return a request made by somebody else."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "from the CSR")]) if subject is None else subject
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    for value, critical in extensions:
        builder = builder.add_extension(value, critical)
    signer = key or somebodys_key()
    hash_ = hashes.SHA256() if hasattr(signer, "key_size") else None  # the others hash inside the signature
    return builder.sign(signer, hash_).public_bytes(Encoding.PEM).decode()


@dataclass
class Office(Workshop):
    """Authorities stand in folders of their names; the subject key is somebody else's unless a KMS key is named so."""

    def ca_path(self, name: str) -> Path:
        return self.folder / name / "ca.pem"

    def path_of(self, name: str, profile: str, options: Mapping[str, Any]) -> Path:
        ca = profile in ("root_ca", "subordinate_ca") or "CA:TRUE" in (options.get("basic_constraints") or ())
        return self.ca_path(name) if ca else self.folder / "certificates" / f"{name}.pem"

    def asked(self, name: str, profile: str, issuer: str | None = None, /, **options: Any) -> CertificateTask:
        """Return the task that the module makes of these options."""
        path = self.path_of(name, profile, options)
        given: dict[str, Any] = {"path": str(path), "name": name, "certificate_profile": profile}
        if not any(key in options for key in SUBJECT_KEYS):
            key = {"key_id": name} if name in self.keys else {"public_key_content": public_pem(somebodys_key())}
            given |= key
        if not {"subject", "subject_ordered", *NAMED} & set(options):
            given["subject"] = {"common_name": name}
        if issuer is not None:
            given |= {"issuer_path": str(self.ca_path(issuer)), "issuer_key_id": issuer}
        present = path.read_bytes() if path.exists() else None
        return to_task(module_params({**given, **options}), str(path), present)

    def proposed(self, name: str, profile: str, issuer: str | None = None, /, **options: Any) -> CertificatePlan:
        task = self.asked(name, profile, issuer, **options)
        return plan_certificate(task, self.ports(task))

    def certify(self, name: str, profile: str, issuer: str | None = None, /, **options: Any) -> x509.Certificate:
        """Issue, keep the certificate where the task wants it, and see that asking again changes nothing."""
        planned = self.proposed(name, profile, issuer, **options)
        Path(planned.task.path).parent.mkdir(parents=True, exist_ok=True)
        certificate: x509.Certificate = self.carry_out(planned).certificate
        again = self.proposed(name, profile, issuer, **options)
        assert not again.plan.changed, again.plan
        return certificate

    def certify_authority(self, name: str, issuer: str | None = None, /, **options: Any) -> x509.Certificate:
        """Issue an authority whose key is in KMS; a root where it has no issuer."""
        if name not in self.keys:
            self.key(name, options.pop("key_spec", "ECC_NIST_P256"))
        return self.certify(name, "root_ca" if issuer is None else "subordinate_ca", issuer, **options)

    def outcome(
        self, name: str, profile: str, issuer: str | None = None, /, **options: Any
    ) -> CertificatePlan | PkiError:
        """Return the plan, or the refusal; any other exception is a failure."""
        try:
            return self.proposed(name, profile, issuer, **options)
        except PkiError as refused:
            return refused

    def refusal(self, name: str, profile: str, issuer: str | None = None, /, **options: Any) -> str:
        """Return the sentence of a refusal, and see that nothing was signed and nothing written."""
        before = self.traces()
        with pytest.raises(PkiError) as caught:
            self.proposed(name, profile, issuer, **options)
        assert self.traces() == before
        return str(caught.value)

    def traces(self) -> tuple[int, list[tuple[str, bytes]]]:
        """Return how often keys were asked to sign, and every file with its content."""
        files = [(str(path), path.read_bytes()) for path in sorted(self.folder.rglob("*")) if path.is_file()]
        return sum(len(signer.asked) for signer in self.signers.values()), files

    def put_authority(self, name: str, *certificates: x509.Certificate) -> None:
        """Put certificates of somebody else where the authority *name* would have its own."""
        self.ca_path(name).parent.mkdir(parents=True, exist_ok=True)
        self.ca_path(name).write_bytes(to_pem(certificates))
