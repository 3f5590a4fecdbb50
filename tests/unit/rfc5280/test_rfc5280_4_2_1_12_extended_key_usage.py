# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""RFC 5280 4.2.1.12: purposes by word and OID, critical where a standard wants it, nested below authorities."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.rootstock.pki.plugins.module_utils._pki.usages import EXTENDED_KEY_USAGES
from tests.unit.rfc5280.office import Office
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
