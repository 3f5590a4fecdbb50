# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""RFC 5280 3.2: another organization's authority is certified again, so that what it issued is found below our root."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.x509.name import _ASN1Type

from ansible_collections.rootstock.pki.plugins.module_utils._pki.certificates import to_der, to_pem
from tests.unit.rfc5280.foreign import GOOD_CA, IDENTIFIED_CA
from tests.unit.rfc5280.office import Office, somebodys_key
from tests.unit.rfc5280.reading import shown

SKI = x509.SubjectKeyIdentifier(b"partner")
THEIRS = replace(GOOD_CA, extensions=(*GOOD_CA.extensions, (SKI, False)))
NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Partner", _type=_ASN1Type.PrintableString)])
LIMITS = {"path_length": 0, "name_constraints_permitted": ["DNS:partner.example"]}


def content(certificate: x509.Certificate) -> dict[str, object]:
    return {"subject_certificate_content": to_pem([certificate]).decode()}


def test_rfc5280_4_1_2_6_the_subject_is_encoded_as_in_what_the_authority_issued(office: Office) -> None:
    theirs = THEIRS.certificate(subject=NAME)
    certificate = office.certify("partner", "subordinate_ca", "root", **content(theirs), **LIMITS)
    assert certificate.subject.public_bytes() == theirs.subject.public_bytes()
    assert b"\x13\x07Partner" in certificate.subject.public_bytes()  # a PrintableString


def test_rfc5280_4_2_1_1_key_and_key_identifier_are_those_that_it_issued_with(office: Office) -> None:
    certificate = office.certify("partner", "subordinate_ca", "root", **content(THEIRS.certificate()))
    assert certificate.public_key() == somebodys_key().public_key()
    assert certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value == SKI


def test_without_a_key_identifier_it_has_the_hash_that_its_key_has_anyway(office: Office) -> None:
    certificate = office.certify("partner", "subordinate_ca", "root", **content(GOOD_CA.certificate()))
    own = IDENTIFIED_CA.certificate().extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    assert certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value == own.value


def test_its_limits_are_those_of_the_task_alone(office: Office) -> None:
    theirs = x509.NameConstraints([x509.DNSName("anything.example")], None)
    made = replace(THEIRS, extensions=(*THEIRS.extensions, (theirs, True))).certificate()
    certificate = office.certify("partner", "subordinate_ca", "root", **content(made), **LIMITS)
    found = shown(certificate)
    assert "pathlen:0" in found["X509v3 Basic Constraints"].text
    assert "partner.example" in found["X509v3 Name Constraints"].text
    assert "anything.example" not in found["X509v3 Name Constraints"].text


def test_a_file_may_be_der_and_have_more_certificates(office: Office) -> None:
    theirs = THEIRS.certificate(subject=NAME)
    path = office.folder / "theirs"
    for form in (to_der(theirs), to_pem([theirs, office.certify_authority("other", subject={"CN": "Other"})])):
        path.write_bytes(form)
        planned = office.proposed("partner", "subordinate_ca", "root", subject_certificate_path=str(path))
        assert planned.spec.subject == NAME


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (
            {"subject": {"CN": "Other"}},
            "are those of the subject's certificate, or nobody would find it; leave them out",
        ),
        ({"subject_key_identifier": "00:11"}, "are those of the subject's certificate"),
    ],
)
def test_what_would_keep_it_from_being_found_is_refused(
    office: Office, options: dict[str, object], problem: str
) -> None:
    assert problem in office.refusal("partner", "subordinate_ca", "root", **content(THEIRS.certificate()), **options)


def test_who_is_no_authority_does_not_become_one_nor_the_other_way_round(office: Office) -> None:
    leaf = replace(GOOD_CA, extensions=()).certificate()
    told = office.refusal("partner", "subordinate_ca", "root", **content(leaf))
    assert "is no authority's (CA:FALSE), and certificate_profile subordinate_ca is otherwise" in told
    told = office.refusal("partner", "tls_client", "root", **content(THEIRS.certificate()))
    assert "is an authority's (CA:TRUE), and certificate_profile tls_client is otherwise" in told


def test_what_is_no_certificate_is_refused(office: Office) -> None:
    told = office.refusal("partner", "subordinate_ca", "root", subject_certificate_content="MIIB")
    assert "subject_certificate_content: holds no certificate" in told
