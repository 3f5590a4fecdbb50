# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""RFC 5280 4.2.1.3: key usage fits the key (RFC 3279, 8410, 9881), is critical, and authorities always have it."""

from __future__ import annotations

import pytest
from cryptography import x509

from ansible_collections.rootstock.pki.plugins.module_utils._pki.profiles import PROFILES
from ansible_collections.rootstock.pki.plugins.module_utils._pki.usages import KEY_USAGES
from tests.unit.rfc5280.office import Office, public_pem, somebodys_key
from tests.unit.rfc5280.reading import Shown, pkilint_findings, shown

KU = "X509v3 Key Usage"
TITLES = {
    "digital_signature": "Digital Signature",
    "content_commitment": "Non Repudiation",
    "key_encipherment": "Key Encipherment",
    "data_encipherment": "Data Encipherment",
    "key_agreement": "Key Agreement",
    "crl_sign": "CRL Sign",
    "encipher_only": "Encipher Only",
    "decipher_only": "Decipher Only",
}
KEYS = {"RSA": "RSA_2048", "EC": "ECC_NIST_P256", "Ed25519": "ECC_NIST_EDWARDS25519", "ML-DSA": "ML_DSA_44"}
FIT = {
    "RSA": ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "crl_sign"),
    "EC": ("digital_signature", "content_commitment", "key_agreement", "crl_sign"),
    "Ed25519": ("digital_signature", "content_commitment", "crl_sign"),
    "ML-DSA": ("digital_signature", "content_commitment", "crl_sign"),
}
"""RFC 3279 2.3.1 and 2.3.5, RFC 8410 5, RFC 9881 5, but for key_cert_sign, which is for authorities."""


@pytest.mark.parametrize("kind", KEYS)
@pytest.mark.parametrize("usage", TITLES)
def test_rfc5280_4_2_1_3_a_usage_is_shown_or_refused_as_the_key_has_it(office: Office, kind: str, usage: str) -> None:
    wanted = ["key_agreement", usage] if usage.endswith("only") else [usage]
    options = {"public_key_content": public_pem(somebodys_key(KEYS[kind])), "key_usage": wanted}
    if set(wanted) - {"encipher_only", "decipher_only"} <= set(FIT[kind]):
        titles = ", ".join(TITLES[one] for one in TITLES if one in wanted)
        certificate = office.certify("key", "custom", "root", **options)
        assert shown(certificate)[KU] == Shown(critical=True, text=titles)
    else:
        assert f"does not fit a {kind} key" in office.refusal("key", "custom", "root", **options)


def test_rfc5280_4_2_1_3_every_usage_has_a_word() -> None:
    assert {*TITLES, "key_cert_sign"} == set(KEY_USAGES)


@pytest.mark.parametrize(
    ("words", "titles"),
    [
        (["digitalSignature", "nonRepudiation"], "Digital Signature, Non Repudiation"),
        (["Digital Signature", "Non Repudiation"], "Digital Signature, Non Repudiation"),
        (["content_commitment", "contentCommitment"], "Non Repudiation"),
        (["CRL Sign"], "CRL Sign"),
    ],
)
def test_rfc5280_4_2_1_3_words_of_openssl_and_of_the_rfc_mean_the_same(
    office: Office, words: list[str], titles: str
) -> None:
    assert shown(office.certify("key", "custom", "root", key_usage=words))[KU].text == titles


@pytest.mark.parametrize("profile", [name for name in PROFILES if name != "custom"])
def test_rfc5280_4_2_1_3_every_profile_says_it_and_critical(office: Office, profile: str) -> None:
    office.key("new")
    names = {} if PROFILES[profile].ca else {"subject_alt_name": ["DNS:a.acme.internal", "email:a@acme.internal"]}
    issuer = None if PROFILES[profile].self_signed else "root"
    found = shown(office.certify("new", profile, issuer, **names))[KU]
    assert found.critical
    assert ("Certificate Sign" in found.text) == PROFILES[profile].ca


def test_rfc5280_4_2_1_3_authorities_sign_certificates_and_crls(office: Office) -> None:
    assert shown(office.certify_authority("services", "root"))[KU] == Shown(True, "Certificate Sign, CRL Sign")
    online = office.certify_authority("online", "root", key_usage=["key_cert_sign", "crl_sign", "digital_signature"])
    assert shown(online)[KU].text == "Digital Signature, Certificate Sign, CRL Sign"
    assert pkilint_findings(online) == []


def test_rfc5280_4_2_1_3_it_may_be_said_not_to_be_critical(office: Office) -> None:
    assert not shown(office.certify("web", "tls_client", "root", key_usage_critical=False))[KU].critical


def test_rfc5280_4_2_1_3_no_extension_without_a_bit(office: Office) -> None:
    """At least one of the bits must be set: none means no extension, which an end entity may lack."""
    certificate = office.certify("web", "tls_client", "root", key_usage=[])
    with pytest.raises(x509.ExtensionNotFound):
        certificate.extensions.get_extension_for_class(x509.KeyUsage)
    assert "an authority needs a key_usage" in office.refusal("web2", "subordinate_ca", "root", key_usage=[])


@pytest.mark.parametrize(
    ("profile", "usages", "says"),
    [
        ("tls_client", ["key_cert_sign"], "is for authorities alone"),
        ("subordinate_ca", ["crl_sign"], "an authority needs key_usage key_cert_sign"),
        ("tls_client", ["encipher_only"], "mean something with key_agreement alone"),
        ("tls_client", ["sign"], "key_usage: sign is unknown; there are digital_signature"),
    ],
)
def test_rfc5280_4_2_1_3_usages_without_sense_are_refused(
    office: Office, profile: str, usages: list[str], says: str
) -> None:
    assert says in office.refusal("key", profile, "root", key_usage=usages)
