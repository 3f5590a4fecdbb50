# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""RFC 9336: documents are signed under a purpose of their own."""

from __future__ import annotations

from cryptography import x509

from tests.unit.rfc5280.office import Office
from tests.unit.rfc5280.reading import Shown, openssl_refuses, pkilint_findings, shown

PURPOSE = "1.3.6.1.5.5.7.3.36"


def test_rfc9336_3_1_the_profile_has_the_purpose_and_the_usages(office: Office) -> None:
    signer = office.certify("signer", "document_signing", "root")
    found = shown(signer)
    assert found["X509v3 Extended Key Usage"] == Shown(critical=False, text=PURPOSE)
    assert found["X509v3 Key Usage"] == Shown(critical=True, text="Digital Signature, Non Repudiation")
    assert pkilint_findings(signer) == []


def test_rfc9336_3_1_word_and_oid_are_the_same(office: Office) -> None:
    for word in ("document_signing", "documentSigning", PURPOSE):
        certificate = office.certify(f"own-{len(word)}", "custom", "root", extended_key_usage=[word])
        value = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        assert [oid.dotted_string for oid in value] == [PURPOSE]


def test_rfc9336_4_an_authority_may_be_for_documents_alone(office: Office) -> None:
    documents = office.certify_authority("documents", "root", extended_key_usage=["document_signing"])
    signer = office.certify("signer", "document_signing", "documents")
    root = office.certify_authority("root", subject={"common_name": "Root"})
    assert openssl_refuses(office.folder, [root, documents, signer], office.clock.now) == ""
    assert "does not allow the extended key usage code_signing" in office.refusal("code", "code_signing", "documents")
