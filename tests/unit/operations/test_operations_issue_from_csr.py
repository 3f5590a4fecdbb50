# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Issuing from a request: its key, its subject, and no more than the profile copies."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import SpecError
from tests.unit.operations.workshop import Workshop
from tests.unit.signer.local_kms import local_key


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


def test_a_csr_gives_its_key_its_subject_and_the_names_its_profile_copies(workshop: Workshop) -> None:
    workshop.root()
    csr = _csr(x509.SubjectAlternativeName([x509.DNSName("web.acme.internal")]))
    certificate = workshop.carry_out(workshop.plan("web", "tls_server", "root", csr=csr, subject=None)).certificate
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["web.acme.internal"]
    assert certificate.subject.rfc4514_string() == "CN=from the CSR"


def test_a_csr_may_not_ask_for_an_authority(workshop: Workshop) -> None:
    workshop.root()
    with pytest.raises(SpecError, match="CA:TRUE"):
        workshop.plan("web", "tls_client", "root", csr=_csr(x509.BasicConstraints(ca=True, path_length=None)))


def test_extensions_that_the_profile_does_not_copy_are_named(workshop: Workshop) -> None:
    workshop.root()
    csr = _csr(x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.CODE_SIGNING]))
    planned = workshop.plan("web", "tls_client", "root", csr=csr)
    assert planned.ignored_csr_extensions == ("extended_key_usage",)


def _csr(*extensions: x509.ExtensionType) -> bytes:
    builder = x509.CertificateSigningRequestBuilder().subject_name(
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "from the CSR")])
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    key = local_key("ECC_NIST_P256", 94)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
