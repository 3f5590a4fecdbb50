# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""RFC 5280 4.2.1.12: purposes by word and OID, critical where a standard wants it, nested below authorities."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from ansible_collections.rootstock.pki.plugins.module_utils._operations.certificate_plan import CertificatePlan
from ansible_collections.rootstock.pki.plugins.module_utils._pki.extensions import authority_key_identifier
from ansible_collections.rootstock.pki.plugins.module_utils._pki.usages import (
    EXTENDED_KEY_USAGES,
    to_extended_key_usage,
    to_key_usage,
)
from tests.unit.rfc5280.office import Office, public_pem, somebodys_key
from tests.unit.rfc5280.reading import Shown, openssl_refuses, pkilint_findings, shown

EKU = "X509v3 Extended Key Usage"
PROFILES = {
    "tls_server": Shown(False, "TLS Web Server Authentication"),
    "tls_client": Shown(False, "TLS Web Client Authentication"),
    "tls_peer": Shown(False, "TLS Web Server Authentication, TLS Web Client Authentication"),
    "code_signing": Shown(False, "Code Signing"),
    "email_protection": Shown(False, "E-mail Protection"),
    "timestamping": Shown(True, "Time Stamping"),
    "ocsp_signing": Shown(False, "OCSP Signing"),
    "iam_roles_anywhere": Shown(False, "TLS Web Client Authentication"),
}
WORDS = {
    "server_auth": "TLS Web Server Authentication",
    "serverAuth": "TLS Web Server Authentication",
    "TLS Web Server Authentication": "TLS Web Server Authentication",
    "clientAuth": "TLS Web Client Authentication",
    "codeSigning": "Code Signing",
    "emailProtection": "E-mail Protection",
    "OCSPSigning": "OCSP Signing",
    "ipsec_ike": "ipsec Internet Key Exchange",
    "smartcard_logon": "Microsoft Smartcard Login",
    "kerberos_pkinit_kdc": "Signing KDC Response",
    "certificate_transparency": "CT Precertificate Signer",
    "any_extended_key_usage": "Any Extended Key Usage",
    "2.5.29.37.0": "Any Extended Key Usage",
    "1.3.6.1.5.5.7.3.1": "TLS Web Server Authentication",
    "1.3.6.1.4.1.99999.7": "1.3.6.1.4.1.99999.7",
}


@pytest.mark.parametrize(("profile", "wanted"), PROFILES.items(), ids=PROFILES)
def test_rfc5280_4_2_1_12_profiles_say_their_purpose(office: Office, profile: str, wanted: Shown) -> None:
    names = ["DNS:web.acme.internal", "email:web@acme.internal"]
    certificate = office.certify("web", profile, "root", subject_alt_name=names)
    assert shown(certificate)[EKU] == wanted


@pytest.mark.parametrize(("word", "title"), WORDS.items(), ids=WORDS)
def test_rfc5280_4_2_1_12_words_and_oids_are_shown(office: Office, word: str, title: str) -> None:
    certificate = office.certify("web", "custom", "root", extended_key_usage=[word])
    assert shown(certificate)[EKU] == Shown(critical=False, text=title)


def test_rfc5280_4_2_1_12_every_known_purpose_is_what_its_word_says(office: Office) -> None:
    known = [word for word in EXTENDED_KEY_USAGES if word != "time_stamping"]
    by_word = office.certify("web", "custom", "root", extended_key_usage=known)
    by_oid = office.certify("web", "custom", "root", extended_key_usage=[EXTENDED_KEY_USAGES[word] for word in known])
    assert by_word == by_oid


def test_rfc5280_4_2_1_12_a_purpose_given_twice_stands_once(office: Office) -> None:
    words = ["server_auth", "serverAuth", "1.3.6.1.5.5.7.3.1"]
    assert shown(office.certify("web", "custom", "root", extended_key_usage=words))[EKU].text == WORDS["server_auth"]


def test_rfc5280_4_2_1_12_it_is_critical_when_asked_and_gone_when_empty(office: Office) -> None:
    critical = office.certify("web", "tls_client", "root", extended_key_usage_critical=True)
    assert shown(critical)[EKU].critical
    assert pkilint_findings(critical) == []
    assert EKU not in shown(office.certify("web2", "tls_client", "root", extended_key_usage=[]))


def test_rfc3161_2_3_time_stamping_stands_alone_and_critical(office: Office) -> None:
    tsa = office.certify("tsa", "timestamping", "root")
    root = office.certify_authority("root", subject={"common_name": "Root"})
    assert openssl_refuses(office.folder, [root, tsa], office.clock.now, "-purpose", "timestampsign") == ""
    wrong: list[dict[str, Any]] = [
        {"extended_key_usage_critical": False},
        {"extended_key_usage": ["time_stamping", "code_signing"]},
    ]
    for options in wrong:
        assert "stands alone and is critical (RFC 3161 2.3)" in office.refusal(
            "tsa2", "timestamping", "root", **options
        )


def test_rfc5280_4_2_1_12_purposes_of_an_authority_limit_those_below(office: Office) -> None:
    clients = office.certify_authority("clients", "root", extended_key_usage=["client_auth"], subject={"CN": "Clients"})
    assert shown(clients)[EKU].text == "TLS Web Client Authentication"
    told = office.refusal("web", "tls_server", "clients", subject_alt_name=["DNS:web.acme.internal"])
    assert "CN=Clients does not allow the extended key usage server_auth" in told
    leaf = office.certify("client", "tls_client", "clients")
    root = office.certify_authority("root", subject={"common_name": "Root"})
    assert openssl_refuses(office.folder, [root, clients, leaf], office.clock.now, "-purpose", "sslclient") == ""


@pytest.mark.parametrize("word", ["web", "", "digital_signature", "1", "1.02", "3.1", "1.2.", "1..2"])
def test_rfc5280_4_2_1_12_purposes_that_are_none_are_refused(office: Office, word: str) -> None:
    told = office.refusal("web", "custom", "root", extended_key_usage=[word])
    assert f"extended_key_usage: {word} is unknown; give an OID, or one of server_auth" in told


SIGNS, COMMITS, ENCIPHERS, AGREES = "digital_signature", "content_commitment", "key_encipherment", "key_agreement"
CONSISTENT = {
    "server_auth": {SIGNS, ENCIPHERS, AGREES},
    "client_auth": {SIGNS, AGREES},
    "code_signing": {SIGNS},
    "email_protection": {SIGNS, COMMITS, ENCIPHERS, AGREES},
    "time_stamping": {SIGNS, COMMITS},
    "ocsp_signing": {SIGNS, COMMITS},
}
"""RFC 5280 4.2.1.12, "Key usage bits that may be consistent"."""
JUDGED = {"server_auth": ["sslserver"], "client_auth": ["sslclient"], "email_protection": ["smimesign", "smimeencrypt"]}
USAGES = (SIGNS, COMMITS, ENCIPHERS, "data_encipherment", AGREES, "crl_sign")


def openssl_uses(office: Office, purpose: str, *usages: str) -> bool:
    """Tell whether OpenSSL takes what an authority that asks nobody would issue for these."""
    root = x509.load_pem_x509_certificate(office.ca_path("root").read_bytes())
    start, name = root.not_valid_before_utc, x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "web")])
    public = somebodys_key().public_key()
    builder = x509.CertificateBuilder(root.subject, name, public, 8, start, start + timedelta(days=30))
    for value in (authority_key_identifier(root), to_key_usage(usages), to_extended_key_usage([purpose])):
        builder = builder.add_extension(value, critical=isinstance(value, x509.KeyUsage))
    leaf = builder.sign(office.keys["root"], hashes.SHA256())
    verdicts = [openssl_refuses(office.folder, [root, leaf], start, "-purpose", one) for one in JUDGED[purpose]]
    return "" in verdicts


@pytest.mark.parametrize("usage", USAGES)
@pytest.mark.parametrize("purpose", CONSISTENT)
def test_rfc5280_4_2_1_12_a_usage_fits_its_purpose(office: Office, purpose: str, usage: str) -> None:
    key = {"public_key_content": public_pem(somebodys_key("ECC_NIST_P256" if usage == AGREES else "RSA_2048"))}
    options = {"extended_key_usage": [purpose], "extended_key_usage_critical": True, "key_usage": [usage], **key}
    fits = usage in CONSISTENT[purpose]
    outcome = office.outcome("web", "custom", "root", **options)
    assert (f"extended_key_usage {purpose} needs a key_usage of" in str(outcome)) != fits
    assert isinstance(outcome, CertificatePlan) == fits
    assert isinstance(office.outcome("web", "custom", "root", **{**options, "key_usage": []}), CertificatePlan)
    if purpose in JUDGED and (purpose, usage) != ("email_protection", AGREES):  # for which OpenSSL has no purpose
        assert openssl_uses(office, purpose, usage) == fits


def test_rfc5280_4_2_1_12_every_purpose_needs_a_usage_of_its_own_and_more_may_stand_beside(office: Office) -> None:
    agreeing = {"extended_key_usage": ["client_auth", "code_signing"], "key_usage": [AGREES]}
    told = office.refusal("web", "custom", "root", **agreeing)
    assert "extended_key_usage code_signing needs a key_usage of digital_signature (RFC 5280 4.2.1.12); add one" in told
    assert "client_auth needs" not in told
    for usages in ([AGREES, SIGNS], ["crl_sign", SIGNS], [COMMITS, SIGNS]):
        assert office.proposed("web", "custom", "root", **{**agreeing, "key_usage": usages}).plan.changed


@pytest.mark.parametrize("purpose", ["any_extended_key_usage", "1.3.6.1.4.1.99999.7", "document_signing", "ipsec_ike"])
def test_rfc5280_4_2_1_12_other_purposes_leave_the_usage_open(office: Office, purpose: str) -> None:
    asked = {"extended_key_usage": [purpose], "key_usage": ["crl_sign"]}
    assert office.proposed("web", "custom", "root", **asked).plan.changed


def test_rfc5280_4_2_1_12_the_purposes_of_an_authority_are_those_of_others(office: Office) -> None:
    made = office.certify_authority("servers", "root", extended_key_usage=["server_auth"])
    assert shown(made)[EKU].text == "TLS Web Server Authentication"
