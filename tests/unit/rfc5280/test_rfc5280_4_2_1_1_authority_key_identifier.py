# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""RFC 5280 4.2.1.1: the authority key identifier is the issuer's SKI, copied, and never critical."""

from __future__ import annotations

import hashlib

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.unit.rfc5280.foreign import GOOD_CA
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
