# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A certificate is described as community.crypto describes it, and where that falls silent, rightly."""

from __future__ import annotations

import base64
import ipaddress
import subprocess
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.community.crypto.plugins.filter.x509_certificate_info import x509_certificate_info_filter
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, x448, x25519
from cryptography.x509.oid import AuthorityInformationAccessOID as Access
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.rootstock.pki.plugins.module_utils._pki.certificate_info import (
    describe_certificate,
    issuer_match,
    valid_at,
)
from ansible_collections.rootstock.pki.plugins.module_utils._pki.certificates import load_certificates, to_der, to_pem
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import SpecError
from ansible_collections.rootstock.pki.plugins.module_utils._pki.general_names import to_constraint, to_general_names
from ansible_collections.rootstock.pki.plugins.module_utils._pki.names import to_name
from ansible_collections.rootstock.pki.plugins.module_utils._pki.openssl_names import (
    EXTENDED_KEY_USAGES,
    SIGNATURE_ALGORITHMS,
)
from ansible_collections.rootstock.pki.plugins.module_utils._pki.usages import (
    EXTENDED_KEY_USAGES as KNOWN_USAGES,
)
from ansible_collections.rootstock.pki.plugins.module_utils._signer.algorithms import ALGORITHMS, KEY_SPECS
from ansible_collections.rootstock.pki.plugins.module_utils._signer.verify import to_hash, to_padding
from tests.unit.signer.local_kms import PAIRS, local_key

NOW = datetime.now(timezone.utc).replace(microsecond=0)
DAY = timedelta(days=1)
Extensions = Sequence[tuple[x509.ExtensionType, bool]]

NAME = to_name(
    [
        {"C": "DE"},
        {"O": 'Müller, "Söhne" + Co'},
        {"OU": "first"},
        {"OU": "second"},
        {"serialNumber": "17"},
        {"DC": "acme"},
        {"emailAddress": "pki@acme.example"},
        {"1.2.3.4.5": "something"},
        {"CN": "Acme Root R1"},
    ]
)
GENERAL_NAMES = to_general_names(
    [
        "DNS:*.acme.internal",
        "DNS:bücher.example",
        "IP:192.0.2.1",
        "IP:2001:db8:0:0::1",
        "email:pki@acme.example",
        "URI:https://acme.example/a?b=c",
        "RID:1.2.3.4",
        "dirName:CN=Acme,OU=a,O=x\\, y,ST=Hessen,C=DE",
        "otherName:1.3.6.1.4.1.311.20.2.3;UTF8:user@acme.internal",
        "otherName:1.2.3;0c:02:68:69",
    ]
)
URL = x509.UniformResourceIdentifier("http://pki.acme.example/ca.crl")


def usage(*names: str) -> x509.KeyUsage:
    every = (
        "digital_signature content_commitment key_encipherment data_encipherment key_agreement key_cert_sign crl_sign "
        "encipher_only decipher_only"
    )
    return x509.KeyUsage(**{name: name in names for name in every.split()})


def point(*names: x509.GeneralName) -> x509.DistributionPoint:
    return x509.DistributionPoint(list(names) or None, None, None, None if names else [x509.DirectoryName(NAME)])


EVERY_EXTENSION: Extensions = (
    (x509.BasicConstraints(ca=True, path_length=3), True),
    (usage("key_cert_sign", "crl_sign", "content_commitment"), True),
    (x509.ExtendedKeyUsage([x509.ObjectIdentifier(oid) for oid in (*EXTENDED_KEY_USAGES, "1.2.3.4")]), False),
    (x509.SubjectAlternativeName(GENERAL_NAMES), False),
    (x509.SubjectKeyIdentifier(bytes(range(20))), False),
    (x509.AuthorityKeyIdentifier(b"\x01\xff", GENERAL_NAMES, 4711), False),
    (x509.NameConstraints([to_constraint("DNS:acme.internal"), to_constraint("IP:10.0.0.0/8")], None), True),
    (
        x509.AuthorityInformationAccess(
            [
                x509.AccessDescription(Access.OCSP, x509.DNSName("not-a-uri.example")),
                x509.AccessDescription(Access.CA_ISSUERS, x509.UniformResourceIdentifier("http://a.example/ca.cer")),
                x509.AccessDescription(Access.OCSP, x509.UniformResourceIdentifier("http://a.example/ocsp")),
                x509.AccessDescription(Access.OCSP, x509.UniformResourceIdentifier("http://b.example/ocsp")),
            ]
        ),
        False,
    ),
    (x509.CRLDistributionPoints([point(URL, x509.DNSName("crl.acme.example")), point()]), False),
    (x509.TLSFeature([x509.TLSFeatureType.status_request]), True),
    (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5.6"), b"\x0c\x02hi"), False),
    (x509.OCSPNoCheck(), False),
    (x509.InhibitAnyPolicy(2), True),
    (x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier("2.5.29.32.0"), ["http://cps"])]), False),
)


def builder(public_key: Any, extensions: Extensions = (), name: x509.Name = NAME) -> x509.CertificateBuilder:
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public_key)
        .serial_number(0x0A17)
        .not_valid_before(NOW - DAY)
        .not_valid_after(NOW + 90 * DAY)
    )
    for value, critical in extensions:
        made = made.add_extension(value, critical)
    return made


def certificate(extensions: Extensions = (), public_key: Any = None, name: x509.Name = NAME) -> x509.Certificate:
    """Return a certificate with an ECDSA signature."""
    key = local_key("ECC_NIST_P256")
    return builder(public_key or key.public_key(), extensions, name).sign(key, hashes.SHA256())


def signed_with(key_spec: str, algorithm: str) -> x509.Certificate:
    """Return a self-signed certificate."""
    key, row = local_key(key_spec), ALGORITHMS[algorithm]
    made = builder(key.public_key(), EVERY_EXTENSION)
    if not row.hash:
        return made.sign(key, None)
    rsa_padding: Any = to_padding(row) if row.family == "RSA" else None
    return made.sign(key, to_hash(row.hash), rsa_padding=rsa_padding)  # type: ignore[arg-type]


def community(subject: x509.Certificate) -> dict[str, Any]:
    """Return what community.crypto says of *subject*."""
    facts: dict[str, Any] = x509_certificate_info_filter(to_pem([subject]))
    return facts


def same(subject: x509.Certificate, *but: str) -> bool:
    """Compare every field that community.crypto has with ours, *but* some."""
    theirs, ours = community(subject), describe_certificate(subject, NOW)
    wanted = {field: value for field, value in theirs.items() if field not in but}
    assert {field: ours.get(field, "is missing") for field in wanted} == wanted
    return True


@pytest.mark.parametrize(("key_spec", "algorithm"), PAIRS)
def test_every_key_and_signature_is_described_as_community_crypto_does(key_spec: str, algorithm: str) -> None:
    unknown_there = ("public_key_type",) if KEY_SPECS[key_spec].family == "ML_DSA" else ()
    assert same(signed_with(key_spec, algorithm), *unknown_there)


@pytest.mark.parametrize(("key_spec", "algorithm"), PAIRS)
def test_every_key_type_has_a_name(key_spec: str, algorithm: str) -> None:
    names = {"RSA": "RSA", "EC": "ECC", "ED25519": "Ed25519", "ML_DSA": key_spec.replace("_", "-")}
    facts = describe_certificate(signed_with(key_spec, algorithm), NOW)
    assert facts["public_key_type"] == names[KEY_SPECS[key_spec].family]
    assert facts["signature_hash"] == (ALGORITHMS[algorithm].hash or None)


def test_the_curve_of_bitcoin_is_named() -> None:
    facts = describe_certificate(signed_with("ECC_SECG_P256K1", "ECDSA_SHA_256"), NOW)
    assert facts["public_key_data"]["curve"] == "secp256k1"


@pytest.mark.parametrize(
    "make",
    [
        lambda: dsa.generate_private_key(2048),
        ed448.Ed448PrivateKey.generate,
        x448.X448PrivateKey.generate,
        x25519.X25519PrivateKey.generate,
        lambda: ec.generate_private_key(ec.BrainpoolP256R1()),
    ],
)
def test_keys_that_are_none_of_kms_are_described_too(make: Callable[[], Any]) -> None:
    assert same(certificate(public_key=make().public_key()))


def test_a_certificate_without_extensions_has_none_and_nothing_critical() -> None:
    plain = certificate()
    assert same(plain)
    facts = describe_certificate(plain, NOW)
    assert facts["extensions_by_oid"] == {}
    assert facts["crl_uris"] is None
    assert not any(value for field, value in facts.items() if field.endswith("_critical"))


def test_a_version_1_certificate_is_described(tmp_path: Path) -> None:
    request = "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k -subj /CN=old -out r"
    for command in (request, "x509 -req -in r -signkey k -days 9 -out c"):
        subprocess.run(["openssl", *command.split()], check=True, capture_output=True, cwd=tmp_path)
    old = load_certificates((tmp_path / "c").read_bytes(), "c")[0]
    assert same(old)
    assert describe_certificate(old, NOW)["version"] == 1


@pytest.mark.parametrize("oid", [*EXTENDED_KEY_USAGES, *KNOWN_USAGES.values()])
def test_extended_key_usages_are_called_what_community_crypto_calls_them(oid: str) -> None:
    assert same(certificate([(x509.ExtendedKeyUsage([x509.ObjectIdentifier(oid)]), False)]))


def test_signature_algorithms_are_called_what_openssl_calls_them() -> None:
    listed = subprocess.run(["openssl", "list", "-objects"], capture_output=True, text=True, check=True).stdout
    words = [line.replace(" = ", ", ").split(", ") for line in listed.splitlines()]
    theirs = {line[-1]: line[-2] for line in words if line[-1] in SIGNATURE_ALGORITHMS}
    assert len(theirs) >= 15
    assert {oid: SIGNATURE_ALGORITHMS[oid] for oid in theirs} == theirs


@given(
    st.sets(st.sampled_from(range(len(EVERY_EXTENSION)))),
    st.sets(st.sampled_from(["digital_signature", "key_agreement", "key_encipherment", "crl_sign"])),
    st.booleans(),
)
def test_any_set_of_extensions_is_described_as_community_crypto_does(
    chosen: set[int], usages: set[str], critical: bool
) -> None:
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (found[0], critical) for number, found in enumerate(EVERY_EXTENSION) if number in chosen and number != 1
    ]
    assert same(certificate([*extensions, (usage("data_encipherment", *usages), critical)]))


@given(st.lists(st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), min_size=1, max_size=20)))
def test_any_subject_is_described_as_community_crypto_does(units: list[str]) -> None:
    name = x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATIONAL_UNIT_NAME, unit) for unit in units])
    assert same(certificate(name=name))


def test_the_bits_that_only_key_agreement_has_are_shown_with_it_alone() -> None:
    assert same(certificate([(usage("key_agreement", "encipher_only"), True)]))


def test_name_constraints_are_told_in_the_words_of_the_options() -> None:
    permitted = [to_constraint(text) for text in ("DNS:acme.internal", "IP:10.0.0.0/8", "email:.acme.example")]
    excluded = [to_constraint(text) for text in ("IP:::/0", "dirName:O=Other")]
    facts = describe_certificate(certificate([(x509.NameConstraints(permitted, excluded), True)]), NOW)
    assert facts["name_constraints_permitted"] == ["DNS:acme.internal", "IP:10.0.0.0/8", "email:.acme.example"]
    assert facts["name_constraints_excluded"] == ["IP:::/0", "dirName:O=Other"]
    assert facts["name_constraints_critical"]


def test_crl_uris_are_all_the_uris_of_all_distribution_points() -> None:
    second = x509.UniformResourceIdentifier("http://b.example/ca.crl")
    points = x509.CRLDistributionPoints([point(URL, x509.DNSName("a.example")), point(), point(second)])
    facts = describe_certificate(certificate([(points, False)]), NOW)
    assert facts["crl_uris"] == ["http://pki.acme.example/ca.crl", "http://b.example/ca.crl"]


def test_an_unknown_extension_is_given_into_der() -> None:
    value = describe_certificate(certificate(EVERY_EXTENSION), NOW)["extensions_by_oid"]["1.2.3.4.5.6"]["value"]
    assert base64.b64decode(value) == b"\x0c\x02hi"


@pytest.mark.parametrize(
    ("later", "days", "expired"),
    [
        (timedelta(0), 90, False),
        (timedelta(seconds=1), 89, False),
        (90 * DAY, 0, False),
        (90 * DAY + timedelta(seconds=1), -1, True),
        (100 * DAY, -10, True),
    ],
)
def test_days_left_are_whole_days_and_fall_below_nought_after_the_end(
    later: timedelta, days: int, expired: bool
) -> None:
    facts = describe_certificate(certificate(), NOW + later)
    assert (facts["days_left"], facts["expired"]) == (days, expired)


def test_a_certificate_is_valid_from_its_first_to_its_last_second() -> None:
    second = timedelta(seconds=1)
    moments = {"early": NOW - DAY - second, "first": NOW - DAY, "last": NOW + 90 * DAY, "late": NOW + 90 * DAY + second}
    assert valid_at(certificate(), moments) == {"early": False, "first": True, "last": True, "late": False}


def test_the_serial_number_is_told_as_files_are_named() -> None:
    assert describe_certificate(certificate(), NOW)["serial_number_hex"] == "0A17"


def test_a_malformed_extension_is_refused_with_a_sentence() -> None:
    broken = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.19"), b"\x01\x02\x03")
    with pytest.raises(SpecError, match=r"cannot be described: .*have it made again"):
        describe_certificate(certificate([(broken, True)]), NOW)


def test_a_tls_feature_that_nobody_knows_is_refused_with_a_sentence() -> None:
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.5.5.7.1.24"), bytes.fromhex("3003020163"))
    with pytest.raises(SpecError, match=r"cannot be described: it has the unknown value 99; have it made again"):
        describe_certificate(certificate([(unknown, False)]), NOW)


def test_an_extension_that_is_there_twice_is_refused_with_a_sentence() -> None:
    twice = certificate(
        [(x509.UnrecognizedExtension(x509.ObjectIdentifier(f"1.2.3.{last}"), b"\x05\x00"), False) for last in (4, 5)]
    )
    der = to_der(twice).replace(bytes.fromhex("06032a0305"), bytes.fromhex("06032a0304"))
    with pytest.raises(SpecError, match=r"Duplicate 1\.2\.3\.4 extension"):
        describe_certificate(load_certificates(der, "twice")[0], NOW)


def test_a_key_that_cannot_be_loaded_leaves_its_name_and_everything_else() -> None:
    der = to_der(certificate(EVERY_EXTENSION)).replace(bytes.fromhex("06082a8648ce3d030107"), b"\x06\x08" + b"\x2a" * 8)
    facts = describe_certificate(load_certificates(der, "odd")[0], NOW)
    assert (facts["public_key_type"], facts["public_key"]) == ("ECC", None)
    assert facts["subject"]["commonName"] == "Acme Root R1"


def test_a_key_of_an_unknown_kind_is_called_by_its_object_identifier() -> None:
    der = to_der(certificate()).replace(bytes.fromhex("06072a8648ce3d0201"), bytes.fromhex("06072a8648ce3d0209"))
    assert (
        describe_certificate(load_certificates(der, "odd")[0], NOW)["public_key_type"] == "unknown (1.2.840.10045.2.9)"
    )


def test_an_address_is_told_in_its_shortest_form() -> None:
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("2001:0db8::0001"))])
    assert describe_certificate(certificate([(names, False)]), NOW)["subject_alt_name"] == ["IP:2001:db8::1"]


@pytest.mark.parametrize(("key_spec", "algorithm"), PAIRS)
def test_a_certificate_matches_the_issuer_whose_key_signed_it(key_spec: str, algorithm: str) -> None:
    one, other = signed_with(key_spec, algorithm), certificate()
    assert issuer_match(one, one)
    assert issuer_match(one, other) == (key_spec == "ECC_NIST_P256")


def test_an_issuer_of_another_name_does_not_match_though_it_has_the_key() -> None:
    assert not issuer_match(certificate(), certificate(name=to_name({"CN": "Other"})))


def test_an_issuer_whose_key_cannot_be_loaded_is_refused_with_a_sentence() -> None:
    der = to_der(certificate()).replace(bytes.fromhex("06082a8648ce3d030107"), b"\x06\x08" + b"\x2a" * 8)
    with pytest.raises(SpecError, match="the issuer's ECC key is of no kind that the installed cryptography knows"):
        issuer_match(certificate(), load_certificates(der, "odd")[0])
