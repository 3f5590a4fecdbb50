# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""RFC 5280 4.1.2.4 and 6.1.3 a 4: the issuer's name is there, and is the issuer's subject octet by octet."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.x509.name import _ASN1Type

from tests.unit.rfc5280.foreign import GOOD_CA, IDENTIFIED_CA
from tests.unit.rfc5280.office import Office, somebodys_key
from tests.unit.rfc5280.reading import openssl_refuses, text_of
from tests.unit.signer.local_kms import LocalSigner

NAME = {"country_name": "DE", "organization_name": ["Acme", "Acme Europe"], "+OU": "PKI", "common_name": "Root \u00fc"}


def test_rfc5280_4_1_2_4_the_issuer_is_the_subject_of_the_issuer_in_order_and_encoding(office: Office) -> None:
    root = office.certify_authority("named", subject=NAME)
    leaf = office.certify("web", "tls_client", "named")
    assert leaf.issuer.public_bytes() == root.subject.public_bytes()
    assert openssl_refuses(office.folder, [root, leaf], office.clock.now) == ""


def test_rfc5280_4_1_2_4_a_foreign_issuer_keeps_its_string_types(office: Office) -> None:
    """Names are compared by most relying parties as octets, so those are copied."""
    attributes = [
        x509.NameAttribute(x509.NameOID.COUNTRY_NAME, "DE"),
        x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Acme", _ASN1Type.PrintableString),
        x509.NameAttribute(x509.NameOID.COMMON_NAME, "Old Root", _ASN1Type.T61String),
    ]
    office.keys["foreign"] = somebodys_key()
    office.signers["foreign"] = LocalSigner(somebodys_key())
    foreign = IDENTIFIED_CA.certificate(subject=x509.Name(attributes))
    office.put_authority("foreign", foreign)
    leaf = office.certify("web", "tls_client", "foreign")
    assert leaf.issuer.public_bytes() == foreign.subject.public_bytes()
    assert "CN=T61STRING:Old Root" in text_of(leaf)
    assert openssl_refuses(office.folder, [foreign, leaf], office.clock.now) == ""


def test_rfc5280_4_1_2_4_a_self_signed_certificate_names_itself(office: Office) -> None:
    root = office.certify_authority("named", subject=NAME)
    assert root.issuer.public_bytes() == root.subject.public_bytes()


@pytest.mark.parametrize("issuer", ["root_ca", "subordinate_ca"])
def test_rfc5280_4_1_2_4_nobody_without_a_name_becomes_an_issuer(office: Office, issuer: str) -> None:
    office.key("nameless")
    above = None if issuer == "root_ca" else "root"
    options = {"subject": {}, "subject_alt_name": ["dirName:CN=Acme"]}
    assert "needs a subject (RFC 5280 4.1.2.6)" in office.refusal("nameless", issuer, above, **options)


def test_rfc5280_4_1_2_4_an_issuer_without_a_name_issues_nothing(office: Office) -> None:
    office.put_authority("foreign", GOOD_CA.certificate(subject=x509.Name([])))
    assert "the issuer has no subject" in office.refusal("web", "tls_client", "foreign")
