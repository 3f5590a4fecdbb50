# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""RFC 5280 4.1.2.4 and 6.1.3 a 4: the issuer's name is there, octet by octet; others are matched as 7.1 says."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.x509.name import _ASN1Type

from ansible_collections.rootstock.pki.plugins.module_utils._pki.crl import crl_signed_by
from ansible_collections.rootstock.pki.plugins.module_utils._pki.issuing import signed_by
from ansible_collections.rootstock.pki.plugins.module_utils._pki.path_validation import PathQuestion, validate_path
from tests.unit.operations.workshop import START
from tests.unit.rfc5280.foreign import AUTHORITY, END_ENTITY, GOOD_CA, IDENTIFIED_CA, issued, name
from tests.unit.rfc5280.office import Office, somebodys_key
from tests.unit.rfc5280.reading import openssl_refuses, text_of
from tests.unit.signer.local_kms import SIGNING_SPECS, LocalSigner, local_key

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


def spelled(text: str, kind: _ASN1Type) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text, kind)])


SAME = {
    "another string type": spelled("Their Root", _ASN1Type.PrintableString),
    "two octets a letter": spelled("Their Root", _ASN1Type.BMPString),
    "capitals": spelled("THEIR ROOT", _ASN1Type.UTF8String),
    "spaces": spelled(" Their  Root ", _ASN1Type.PrintableString),
}
OTHER = {"a space more": spelled("Their Ro ot", _ASN1Type.UTF8String), "another": name("Root"), "none": name("")}
INSIDE = (x509.NameConstraints([x509.DNSName("acme.internal")], None), True)


@pytest.fixture
def their_root() -> tuple[Any, x509.Certificate]:
    key = local_key("ECC_NIST_P256", 700)
    return key, issued(key, key.public_key(), (name("Their Root"), name("Their Root")), *AUTHORITY, INSIDE)


@pytest.mark.parametrize("called", SAME.values(), ids=SAME)
def test_rfc5280_6_1_3_constraints_hold_however_the_name_of_their_authority_is_written(
    office: Office, their_root: tuple[Any, x509.Certificate], called: x509.Name
) -> None:
    key, root = their_root
    office.key("below")
    below = issued(key, office.keys["below"].public_key(), (called, name("Below")), *AUTHORITY)
    office.put_authority("below", below, root)
    told = office.refusal("web", "tls_server", "below", subject_alt_name=["DNS:evil.example"])
    assert "DNS:evil.example is outside of what CN=Their Root permits" in told
    leaf = office.certify("web", "tls_server", "below", subject_alt_name=["DNS:web.acme.internal"])
    assert openssl_refuses(office.folder, [root, below, leaf], office.clock.now) == ""
    verdict = validate_path(PathQuestion(leaf, [below], [root], office.clock.now))
    assert (verdict.problems, verdict.path) == ((), (leaf, below, root))


@pytest.mark.parametrize("called", [*SAME.values(), *OTHER.values()], ids=[*SAME, *OTHER])
def test_rfc5280_7_1_openssl_finds_the_same_issuers(
    office: Office, their_root: tuple[Any, x509.Certificate], called: x509.Name
) -> None:
    key, root = their_root
    leaf = issued(key, somebodys_key().public_key(), (called, name("Leaf")), *END_ENTITY)
    problems = validate_path(PathQuestion(leaf, [], [root], office.clock.now)).problems
    assert bool(problems) == bool(openssl_refuses(office.folder, [root, leaf], office.clock.now))
    assert bool(problems) == (called in OTHER.values())


def test_rfc5280_6_1_3_an_issuer_of_another_name_than_was_meant_ends_no_path_in_silence(
    office: Office, their_root: tuple[Any, x509.Certificate]
) -> None:
    key, root = their_root
    office.key("below")
    below = issued(key, office.keys["below"].public_key(), (OTHER["another"], name("Below")), *AUTHORITY)
    office.put_authority("below", below, root)
    told = office.refusal("web", "tls_server", "below", subject_alt_name=["DNS:evil.example"])
    assert "CN=Below means CN=Their Root by its authority key identifier" in told
    assert "it calls its issuer CN=Root" in told
    office.put_authority("below", below)  # nothing is known above it, and nobody says otherwise
    office.certify("web", "tls_server", "below", subject_alt_name=["DNS:evil.example"])


PSS = padding.PSS(padding.MGF1(hashes.SHA256()), 32)


@pytest.mark.parametrize(
    ("key_spec", "pad"),
    [("RSA_2048", PSS), *((spec, None) for spec in SIGNING_SPECS if spec not in ("RSA_3072", "RSA_4096"))],
)
def test_rfc5280_6_1_3_signatures_of_every_kind_count_under_another_spelling(key_spec: str, pad: Any) -> None:
    key, other = local_key(key_spec, 701), local_key(key_spec, 702)
    root = issued(key, key.public_key(), (name("Root"), name("Root")), *AUTHORITY, padding=pad)
    for signer, right in ((key, True), (other, False)):
        leaf = issued(signer, somebodys_key().public_key(), (name("ROOT"), name("Leaf")), *END_ENTITY, padding=pad)
        assert signed_by(leaf, root) is right


def test_rfc5280_3_2_a_name_in_another_spelling_makes_self_issued_as_openssl_has_it(office: Office) -> None:
    """Neither the path length counts such an authority, nor do the constraints on names (6.1.3 b, 6.1.4 l)."""
    office.certify_authority("top", subject={"common_name": "Acme Top"}, path_length=0)
    again = office.certify_authority("again", "top", subject={"common_name": "ACME top"}, path_length=0)
    leaf = office.certify("web", "tls_client", "again", issuer_chain_path=[str(office.ca_path("top"))])
    (top,) = x509.load_pem_x509_certificates(office.ca_path("top").read_bytes())
    assert openssl_refuses(office.folder, [top, again, leaf], office.clock.now) == ""
    assert validate_path(PathQuestion(leaf, [again], [top], office.clock.now)).problems == ()


@pytest.mark.parametrize("called", [*SAME.values(), *OTHER.values()], ids=[*SAME, *OTHER])
def test_rfc5280_6_3_3_a_crl_is_of_the_issuer_that_it_names_in_any_spelling(
    their_root: tuple[Any, x509.Certificate], called: x509.Name
) -> None:
    key, root = their_root
    builder = x509.CertificateRevocationListBuilder(called, START, START + timedelta(days=9))
    assert crl_signed_by(builder.sign(key, hashes.SHA256()), root) is (called in SAME.values())
