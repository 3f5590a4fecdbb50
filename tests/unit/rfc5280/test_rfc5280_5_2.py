# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""RFC 5280 5.2: the extensions of a CRL."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from ansible_collections.rootstock.pki.plugins.module_utils._ledger.indexed import read_indexed
from ansible_collections.rootstock.pki.plugins.module_utils._pki.certificates import load_certificates
from ansible_collections.rootstock.pki.plugins.module_utils._pki.crl import CrlSpec, crl_builder, crl_to_der
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import SpecError
from tests.unit.operations.crl_desk import CrlDesk, number

URL = "http://pki.acme.example/root/crl.der"


@pytest.fixture
def desk(tmp_path: Path) -> CrlDesk:
    return CrlDesk(tmp_path)


def extension(
    crl: x509.CertificateRevocationList, kind: type[x509.ExtensionType]
) -> x509.Extension[x509.ExtensionType]:
    return crl.extensions.get_extension_for_class(kind)


def test_rfc5280_5_2_1_the_authority_key_identifier_is_the_issuers_subject_key_identifier(desk: CrlDesk) -> None:
    issuer = load_certificates(desk.path("ca.pem").read_bytes(), "ca.pem")[0]
    found = extension(desk.make(), x509.AuthorityKeyIdentifier)
    assert not found.critical
    assert isinstance(found.value, x509.AuthorityKeyIdentifier)
    subject = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    assert found.value.key_identifier == subject.digest


def test_rfc5280_5_2_3_the_number_is_there_not_critical_and_at_most_20_octets(desk: CrlDesk) -> None:
    crl = desk.make()
    assert not extension(crl, x509.CRLNumber).critical
    assert 0 < number(crl) < 1 << 159


def test_rfc5280_5_2_3_numbers_rise(desk: CrlDesk) -> None:
    numbers = [number(desk.make(force=True)) for _round in range(5)]
    assert numbers == sorted(set(numbers))


def made_elsewhere(desk: CrlDesk, crl_number: int) -> None:
    """Put a CRL of the authority at the path that the ledger does not know."""
    issuer = load_certificates(desk.path("ca.pem").read_bytes(), "ca.pem")[0]
    spec = CrlSpec(issuer, crl_number, desk.shop.clock(), desk.shop.clock() + timedelta(days=7))
    crl = crl_builder(spec, []).sign(desk.shop.keys["root"], hashes.SHA256())
    desk.path().write_bytes(crl_to_der(crl))


@pytest.mark.parametrize("last", [1 << 63, (1 << 159) - 2])
def test_rfc5280_5_2_3_numbers_go_up_to_20_octets_in_a_large_ledger_too(desk: CrlDesk, last: int) -> None:
    made_elsewhere(desk, last)
    assert number(desk.make(force=True)) == last + 1
    found = read_indexed(desk.path("ledger.jsonl")).last_crl("full")
    assert found is not None
    assert found.number == last + 1


def test_rfc5280_5_2_3_a_number_of_21_octets_is_refused(desk: CrlDesk) -> None:
    made_elsewhere(desk, (1 << 159) - 1)
    calls = desk.sign_calls
    with pytest.raises(SpecError, match=r"more than the 20 octets that RFC 5280 5\.2\.3 allows; move the file away"):
        desk.make(force=True)
    assert desk.sign_calls == calls


def test_rfc5280_5_2_3_full_and_delta_crls_share_one_sequence(desk: CrlDesk) -> None:
    full = number(desk.make())
    delta = number(desk.make("delta.pem", base="crl.pem"))
    assert full < delta < number(desk.make(force=True))


def test_rfc5280_5_2_4_the_delta_crl_indicator_is_critical_and_names_the_base(desk: CrlDesk) -> None:
    full = desk.make()
    found = extension(desk.make("delta.pem", base="crl.pem"), x509.DeltaCRLIndicator)
    assert found.critical
    assert isinstance(found.value, x509.DeltaCRLIndicator)
    assert found.value.crl_number == number(full)


def test_rfc5280_5_2_4_a_delta_crl_has_the_scope_of_its_base(desk: CrlDesk) -> None:
    full = desk.make(distribution_point=(URL,))
    delta = desk.make("delta.pem", base="crl.pem", distribution_point=(URL,))
    assert extension(full, x509.IssuingDistributionPoint) == extension(delta, x509.IssuingDistributionPoint)


def test_rfc5280_5_2_5_the_issuing_distribution_point_is_critical_and_covers_all(desk: CrlDesk) -> None:
    found = extension(desk.make(distribution_point=(URL,)), x509.IssuingDistributionPoint)
    assert found.critical
    point = found.value
    assert isinstance(point, x509.IssuingDistributionPoint)
    assert [name.value for name in point.full_name or ()] == [URL]
    assert (point.only_contains_user_certs, point.only_contains_ca_certs, point.indirect_crl) == (False, False, False)


def test_rfc5280_5_2_5_without_a_url_there_is_none(desk: CrlDesk) -> None:
    with pytest.raises(x509.ExtensionNotFound):
        extension(desk.make(), x509.IssuingDistributionPoint)


def test_rfc5280_5_2_6_the_freshest_crl_is_in_full_crls_and_not_critical(desk: CrlDesk) -> None:
    found = extension(desk.make(freshest_crl=(URL,)), x509.FreshestCRL)
    assert not found.critical
    assert isinstance(found.value, x509.FreshestCRL)
    assert [name.value for point in found.value for name in point.full_name or ()] == [URL]
    with pytest.raises(x509.ExtensionNotFound):
        extension(desk.make("delta.pem", base="crl.pem"), x509.FreshestCRL)
