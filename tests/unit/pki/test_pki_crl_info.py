# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""CRLs in words: what stands in them, as community.crypto tells it, and what it leaves out."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta, timezone
from functools import cache
from typing import Any

import pytest
from ansible_collections.community.crypto.plugins.module_utils._crypto.module_backends.crl_info import get_crl_info
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from ansible_collections.rootstock.pki.plugins.module_utils._pki.crl import crl_to_der
from ansible_collections.rootstock.pki.plugins.module_utils._pki.crl_info import describe_crl, read_crl_text
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import SpecError

START = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
NAME = x509.Name(
    [x509.NameAttribute(x509.NameOID.COUNTRY_NAME, "DE"), x509.NameAttribute(x509.NameOID.COMMON_NAME, "Acme")]
)


@cache
def key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def made(*extensions: tuple[x509.ExtensionType, bool]) -> x509.CertificateRevocationList:
    entry = (
        x509.RevokedCertificateBuilder()
        .serial_number(0x0A17)
        .revocation_date(START - timedelta(days=1))
        .add_extension(x509.CRLReason(x509.ReasonFlags.key_compromise), critical=False)
        .add_extension(x509.InvalidityDate(datetime(2025, 12, 1)), critical=False)  # noqa: DTZ001
        .build()
    )
    builder = x509.CertificateRevocationListBuilder(NAME, revoked_certificates=[entry])
    builder = builder.last_update(START).next_update(START + timedelta(days=7))
    for value, critical in extensions:
        builder = builder.add_extension(value, critical)
    return builder.sign(key(), hashes.SHA256())


class Module:
    """What community.crypto asks of its module."""

    params: dict[str, Any] = {}  # noqa: RUF012

    def fail_json(self, **told: Any) -> None:
        raise AssertionError(told)


def test_it_says_what_community_crypto_says() -> None:
    crl = made((x509.CRLNumber(7), False))
    ours = describe_crl(crl, crl.public_bytes(Encoding.PEM), START, list_revoked=True)
    theirs = get_crl_info(module=Module(), content=crl.public_bytes(Encoding.PEM))
    del theirs["changed"]
    theirs["issuer_ordered"] = [list(pair) for pair in theirs["issuer_ordered"]]
    for entry in ours["revoked_certificates"]:
        assert entry.pop("serial_number_hex") == "0A17"
    assert {field: ours[field] for field in theirs} == theirs


def test_it_says_what_a_delta_crl_builds_on() -> None:
    point = x509.IssuingDistributionPoint(
        full_name=[x509.UniformResourceIdentifier("http://acme.example/crl-0.der")],
        relative_name=None,
        only_contains_user_certs=True,
        only_contains_ca_certs=False,
        only_some_reasons=None,
        indirect_crl=False,
        only_contains_attribute_certs=False,
    )
    identifier = x509.AuthorityKeyIdentifier(b"\x53\xe1", None, None)
    crl = made((x509.CRLNumber(9), False), (x509.DeltaCRLIndicator(7), True), (point, True), (identifier, False))
    facts = describe_crl(crl, crl_to_der(crl), START + timedelta(hours=1), list_revoked=False)
    assert (facts["crl_number"], facts["base_crl_number"]) == (9, 7)
    assert facts["authority_key_identifier"] == "53:e1"
    assert facts["issuing_distribution_point"]["full_name"] == ["URI:http://acme.example/crl-0.der"]
    assert facts["issuing_distribution_point"]["only_contains_user_certs"]
    assert (facts["format"], facts["days_left"], facts["expired"], facts["revoked_count"]) == ("der", 6, False, 1)
    assert "revoked_certificates" not in facts


def test_it_says_where_the_delta_crl_is() -> None:
    uri = x509.UniformResourceIdentifier("http://acme.example/delta.der")
    crl = made((x509.FreshestCRL([x509.DistributionPoint([uri], None, None, None)]), False))
    facts = describe_crl(crl, b"", START + timedelta(days=9), list_revoked=False)
    assert facts["delta_crl_uris"] == ["http://acme.example/delta.der"]
    assert (facts["days_left"], facts["expired"], facts["crl_number"]) == (-2, True, None)


@pytest.mark.parametrize(
    "encode", [lambda crl: crl.public_bytes(Encoding.PEM), crl_to_der, lambda crl: base64.b64encode(crl_to_der(crl))]
)
def test_every_form_is_read(encode: Any) -> None:
    crl = made()
    assert read_crl_text(encode(crl), "here").fingerprint(hashes.SHA256()) == crl.fingerprint(hashes.SHA256())


@pytest.mark.parametrize("content", [b"", b"nothing", b"\x30\x03\x02\x01\x01", b"-----BEGIN X509 CRL-----\nAA==\n"])
def test_what_is_no_crl_is_refused(content: bytes) -> None:
    with pytest.raises(SpecError, match="here: "):
        read_crl_text(content, "here")


def test_two_crls_in_one_file_are_refused() -> None:
    pem = made().public_bytes(Encoding.PEM)
    with pytest.raises(SpecError, match="holds no CRL"):
        read_crl_text(pem + pem, "here")


def test_an_issuer_of_an_unknown_type_of_string_is_refused_with_a_sentence() -> None:
    der = crl_to_der(made()).replace(b"\x0c\x04Acme", b"\x15\x04Acme")  # VideotexString
    with pytest.raises(SpecError, match=r"the CRL cannot be described: .*have it made again"):
        describe_crl(read_crl_text(der, "here"), der, START, list_revoked=False)
