# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""RFC 5280 5.1: the fields of a CRL."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from pyasn1.codec.der.decoder import decode as decode_der
from pyasn1_alt_modules import rfc5280

from ansible_collections.rootstock.pki.plugins.module_utils._pki.certificates import load_certificates
from ansible_collections.rootstock.pki.plugins.module_utils._pki.crl import crl_to_der
from tests.unit.operations.crl_desk import CrlDesk, serials


@pytest.fixture
def desk(tmp_path: Path) -> CrlDesk:
    return CrlDesk(tmp_path)


def parts(crl: x509.CertificateRevocationList) -> rfc5280.CertificateList:
    return decode_der(crl_to_der(crl), asn1Spec=rfc5280.CertificateList())[0]


def test_rfc5280_5_1_1_2_both_algorithm_identifiers_are_the_same(desk: CrlDesk) -> None:
    found = parts(desk.make())
    assert found["signatureAlgorithm"] == found["tbsCertList"]["signature"]


@pytest.mark.parametrize("key_spec", ["RSA_2048", "ECC_NIST_P384"])
def test_rfc5280_5_1_1_3_the_signature_covers_the_tbscertlist(tmp_path: Path, key_spec: str) -> None:
    desk = CrlDesk(tmp_path, key_spec=key_spec)
    crl = desk.make()
    key = load_certificates(desk.path("ca.pem").read_bytes(), "ca.pem")[0].public_key()
    algorithm = crl.signature_hash_algorithm
    assert algorithm is not None
    if isinstance(key, rsa.RSAPublicKey):
        key.verify(crl.signature, crl.tbs_certlist_bytes, padding.PKCS1v15(), algorithm)
    else:
        assert isinstance(key, ec.EllipticCurvePublicKey)
        key.verify(crl.signature, crl.tbs_certlist_bytes, ec.ECDSA(algorithm))
    asked = desk.shop.signers["root"].asked[-1]
    assert asked[0] == hashlib.new(algorithm.name, crl.tbs_certlist_bytes).digest()


def test_rfc5280_5_1_2_1_the_version_is_2(desk: CrlDesk) -> None:
    assert int(parts(desk.make())["tbsCertList"]["version"]) == 1


def test_rfc5280_5_1_2_3_the_issuer_is_the_subject_of_its_certificate_byte_by_byte(desk: CrlDesk) -> None:
    issuer = load_certificates(desk.path("ca.pem").read_bytes(), "ca.pem")[0]
    assert desk.make().issuer.public_bytes() == issuer.subject.public_bytes()


def test_rfc5280_5_1_2_4_this_update_is_the_present_in_utctime(desk: CrlDesk) -> None:
    crl = desk.make()
    assert crl.last_update_utc == desk.shop.clock()
    assert parts(crl)["tbsCertList"]["thisUpdate"].getName() == "utcTime"


@pytest.mark.parametrize("minutes", [-3, 3])
def test_rfc5280_5_1_2_4_openssl_takes_the_new_crl_though_the_clock_went_back(desk: CrlDesk, minutes: int) -> None:
    bad = desk.issue("bad")
    first = desk.make()
    desk.shop.clock.forward(minutes=minutes)
    desk.revoke(bad)
    assert desk.plan().plan.diff["after"]["this_update"] > f"{first.last_update_utc:%Y%m%d%H%M%SZ}"
    second = desk.make()
    assert second.last_update_utc == max(desk.shop.clock(), first.last_update_utc + timedelta(seconds=1))
    desk.shop.clock.forward(minutes=5)
    for crls in ([first, second], [second, first]):
        assert "certificate revoked" in desk.verdict(bad, crls)


def test_rfc5280_5_1_2_5_next_update_is_there_and_from_2050_on_a_generalizedtime(tmp_path: Path) -> None:
    desk = CrlDesk(tmp_path)
    crl = desk.make(next_update="20500101000000Z", renew_before="1d")
    assert crl.next_update_utc is not None
    assert parts(crl)["tbsCertList"]["nextUpdate"].getName() == "generalTime"


def test_rfc5280_5_1_2_6_without_revocations_the_list_is_absent(desk: CrlDesk) -> None:
    assert not parts(desk.make())["tbsCertList"]["revokedCertificates"].hasValue()


def test_rfc5280_5_1_2_6_each_serial_stands_there_once_with_its_date(desk: CrlDesk) -> None:
    yesterday = desk.shop.clock() - timedelta(days=1)
    desk.revoke("0A17", "superseded", revoked_at=yesterday)
    desk.revoke("0A17", "key_compromise")
    desk.revoke("0A18", revoked_at=yesterday)
    crl = desk.make()
    assert serials(crl) == {0x0A17, 0x0A18}
    assert len(crl) == 2
    found = crl.get_revoked_certificate_by_serial_number(0x0A18)
    assert found is not None
    assert found.revocation_date_utc == yesterday
