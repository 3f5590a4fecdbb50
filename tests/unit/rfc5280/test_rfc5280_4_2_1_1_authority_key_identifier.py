# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""RFC 5280 4.2.1.1: the authority key identifier is the issuer's SKI, copied, and never critical."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ansible_collections.rootstock.pki.plugins.module_utils._pki.path_validation import PathQuestion, validate_path
from tests.unit.rfc5280.foreign import AUTHORITY, END_ENTITY, GOOD_CA, IDENTIFIED_CA, aki_of, issued, name
from tests.unit.rfc5280.office import Office, somebodys_key
from tests.unit.rfc5280.reading import Shown, openssl_refuses, shown
from tests.unit.signer.local_kms import LocalSigner

AKI, SKI = "X509v3 Authority Key Identifier", "X509v3 Subject Key Identifier"


def test_rfc5280_4_2_1_1_the_identifier_is_that_of_the_issuer_and_not_critical(office: Office) -> None:
    root = office.certify_authority("given", subject_key_identifier="00:1A:2B")
    leaf = office.certify("web", "tls_client", "given")
    assert shown(leaf)[AKI] == Shown(critical=False, text="00:1A:2B")
    assert openssl_refuses(office.folder, [root, leaf], office.clock.now) == ""


def test_rfc5280_4_2_1_1_a_root_points_to_itself(office: Office) -> None:
    found = shown(office.certify_authority("self"))
    assert found[AKI] == found[SKI]


def test_rfc5280_4_2_1_1_it_holds_the_key_identifier_alone(office: Office) -> None:
    """Issuer and serial number would tie the certificate to one of several certificates of the same authority."""
    leaf = office.certify("web", "tls_client", "root")
    value = leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    assert value.key_identifier
    assert (value.authority_cert_issuer, value.authority_cert_serial_number) == (None, None)


def test_rfc5280_4_2_1_1_of_an_issuer_without_one_it_is_computed(office: Office) -> None:
    office.keys["foreign"], office.signers["foreign"] = somebodys_key(), LocalSigner(somebodys_key())
    office.put_authority("foreign", GOOD_CA.certificate())
    leaf = office.certify("web", "tls_client", "foreign")
    bits = somebodys_key().public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    assert shown(leaf)[AKI].text.replace(":", "") == hashlib.sha1(bits, usedforsecurity=False).hexdigest().upper()


def test_rfc5280_4_2_1_1_it_is_not_for_a_task_to_say(office: Office) -> None:
    other = [{"oid": "2.5.29.35", "value": "MAA="}]
    told = office.refusal("web", "tls_client", "root", other_extensions=other)
    assert "2.5.29.35 is authority_key_identifier, which other options say" in told


SUBJECT, SERIAL = name("Foreign"), 7  # of Foreign.certificate()
KEY = x509.SubjectKeyIdentifier.from_public_key(somebodys_key().public_key()).digest
DNS_NAME = [x509.DNSName("foreign.example")]
NO_ISSUER = "unable to get local issuer certificate"
TWO = [x509.DirectoryName(SUBJECT), x509.DirectoryName(name("Other"))]
IDENTIFIERS = {
    "key": (aki_of(KEY), True),
    "another key": (aki_of(b"x" * 20), False),
    "nothing": (aki_of(None), True),
    "key and serial": (aki_of(KEY, SUBJECT, SERIAL), True),
    "key and serial, in another spelling": (aki_of(KEY, name("FOREIGN"), SERIAL), True),
    "serial alone": (aki_of(None, SUBJECT, SERIAL), True),
    "another serial": (aki_of(KEY, SUBJECT, SERIAL + 1), False),
    "another serial alone": (aki_of(None, SUBJECT, SERIAL + 1), False),
    "serial of another issuer": (aki_of(KEY, name("Other"), SERIAL), False),
    "another key and the serial": (aki_of(b"x" * 20, SUBJECT, SERIAL), False),
    "an issuer without a directory name": (x509.AuthorityKeyIdentifier(KEY, DNS_NAME, SERIAL), True),
    "the first of two issuers": (x509.AuthorityKeyIdentifier(KEY, TWO, SERIAL), True),
    "the second of two issuers": (x509.AuthorityKeyIdentifier(KEY, TWO[::-1], SERIAL), False),
}


@pytest.mark.parametrize("case", IDENTIFIERS)
def test_rfc5280_4_2_1_1_paths_lead_where_openssl_finds_them(office: Office, case: str) -> None:
    root, (aki, found) = IDENTIFIED_CA.certificate(), IDENTIFIERS[case]
    leaf = issued(somebodys_key(), office.keys["root"].public_key(), (SUBJECT, name("Leaf")), *END_ENTITY, aki=aki)
    assert (NO_ISSUER not in openssl_refuses(office.folder, [root, leaf], office.clock.now)) is found
    assert (validate_path(PathQuestion(leaf, [], [root], office.clock.now)).problems == ()) is found


def test_rfc5280_4_2_1_1_where_the_issuer_has_no_identifier_there_is_nothing_to_compare(office: Office) -> None:
    root = GOOD_CA.certificate()
    aki = aki_of(b"x" * 20)
    leaf = issued(somebodys_key(), office.keys["root"].public_key(), (SUBJECT, name("Leaf")), *END_ENTITY, aki=aki)
    assert NO_ISSUER not in openssl_refuses(office.folder, [root, leaf], office.clock.now)
    assert validate_path(PathQuestion(leaf, [], [root], office.clock.now)).problems == ()


@pytest.mark.parametrize("case", IDENTIFIERS)
def test_rfc5280_4_2_1_1_nothing_is_issued_below_an_authority_whose_identifier_leads_elsewhere(
    office: Office, case: str
) -> None:
    root, (aki, found) = IDENTIFIED_CA.certificate(), IDENTIFIERS[case]
    office.key("below")
    below = issued(somebodys_key(), office.keys["below"].public_key(), (SUBJECT, name("Below")), *AUTHORITY, aki=aki)
    office.put_authority("below", below, root)
    if found:
        leaf = office.certify("web", "tls_client", "below")
        assert NO_ISSUER not in openssl_refuses(office.folder, [root, below, leaf], office.clock.now)
    else:
        told = office.refusal("web", "tls_client", "below")
        assert "CN=Below was signed by the key of CN=Foreign, but its authority key identifier means another" in told


def test_rfc5280_4_2_1_1_of_two_certificates_of_an_authority_the_one_is_taken_that_is_meant(office: Office) -> None:
    old = IDENTIFIED_CA.certificate()
    key, there = somebodys_key(), (SUBJECT, SUBJECT)
    new = issued(key, key.public_key(), there, *AUTHORITY)
    leaf = issued(
        key, office.keys["root"].public_key(), (SUBJECT, name("Leaf")), *END_ENTITY, aki=aki_of(KEY, SUBJECT, 7)
    )
    for anchors in ([old, new], [new, old]):
        verdict = validate_path(PathQuestion(leaf, [], anchors, office.clock.now))
        assert (verdict.problems, verdict.path) == ((), (leaf, old))
    assert "does not lead up" in validate_path(PathQuestion(leaf, [], [new], office.clock.now)).problems[0]


def test_rfc5280_4_2_1_1_a_root_that_means_another_one_issues_nothing_though_it_can_be_trusted(office: Office) -> None:
    """OpenSSL takes it for no root; who trusts it as it is, with -partial_chain, gets what it issued long ago."""
    office.keys["foreign"], office.signers["foreign"] = somebodys_key(), LocalSigner(somebodys_key())
    made = replace(IDENTIFIED_CA, extensions=(*IDENTIFIED_CA.extensions, (aki_of(b"x" * 20), False)))
    root = made.certificate()
    office.put_authority("foreign", root)
    assert "CN=Foreign was signed by the key of CN=Foreign, but" in office.refusal("web", "tls_client", "foreign")
    leaf = issued(somebodys_key(), office.keys["root"].public_key(), (SUBJECT, name("Leaf")), *END_ENTITY)
    assert "unable to get issuer certificate" in openssl_refuses(office.folder, [root, leaf], office.clock.now)
    assert openssl_refuses(office.folder, [root, leaf], office.clock.now, "-partial_chain") == ""
    assert validate_path(PathQuestion(leaf, [], [root], office.clock.now)).problems == ()
