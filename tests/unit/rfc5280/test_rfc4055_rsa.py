# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""RFC 4055 and RFC 8017: PKCS#1 v1.5 by default, PSS when asked, with one hash for all and a salt as long as it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import padding

from tests.unit.rfc5280.office import Office
from tests.unit.rfc5280.reading import openssl_refuses, pkilint_findings, text_of

DIGESTS = {"sha256": 32, "sha384": 48, "sha512": 64}


@pytest.fixture
def rsa(office: Office) -> Office:
    office.key("rsa", "RSA_2048")
    return office


@pytest.mark.parametrize(("digest", "octets"), DIGESTS.items())
def test_rfc4055_3_pss_says_one_hash_and_a_salt_as_long(rsa: Office, digest: str, octets: int) -> None:
    root = rsa.certify("rsa", "root_ca", digest=digest, signature_padding="pss")
    text = text_of(root)
    assert text.count("Signature Algorithm: rsassaPss") == 2
    for line in (f"Hash Algorithm: {digest}", f"Mask Algorithm: mgf1 with {digest}", f"Salt Length: 0x{octets:02X}"):
        assert text.count(line) == 2, line
    parameters = root.signature_algorithm_parameters
    assert isinstance(parameters, padding.PSS)
    assert parameters._salt_length == octets
    assert openssl_refuses(rsa.folder, [root], rsa.clock.now) == ""
    assert pkilint_findings(root) == []


@pytest.mark.parametrize("digest", DIGESTS)
def test_rfc4055_1_2_the_key_stays_for_every_padding(rsa: Office, digest: str) -> None:
    """A SubjectPublicKeyInfo of rsaEncryption: KMS signs with the same key in both ways."""
    root = rsa.certify("rsa", "root_ca", digest=digest, signature_padding="pss")
    assert root.public_key_algorithm_oid.dotted_string == "1.2.840.113549.1.1.1"


@pytest.mark.parametrize("digest", DIGESTS)
def test_rfc4055_5_pkcs1_v15_has_an_oid_for_each_hash(rsa: Office, digest: str) -> None:
    root = rsa.certify("rsa", "root_ca", digest=digest)
    assert text_of(root).count(f"Signature Algorithm: {digest}WithRSAEncryption") == 2
    assert openssl_refuses(rsa.folder, [root], rsa.clock.now) == ""


def test_rfc4055_the_default_is_pkcs1_v15_with_sha256(rsa: Office) -> None:
    assert "sha256WithRSAEncryption" in text_of(rsa.certify("rsa", "root_ca"))


def test_rfc4055_a_subject_key_of_another_kind_is_signed_with_pss(rsa: Office) -> None:
    root = rsa.certify("rsa", "root_ca")
    leaf = rsa.certify("web", "tls_client", "rsa", signature_padding="pss", digest="sha384")
    assert "Hash Algorithm: sha384" in text_of(leaf)
    assert openssl_refuses(rsa.folder, [root, leaf], rsa.clock.now, "-purpose", "sslclient") == ""


def test_rfc4055_pss_is_for_rsa_keys_alone(office: Office) -> None:
    told = office.refusal("web", "tls_client", "root", signature_padding="pss")
    assert "signature_padding pss is for RSA keys, and the issuer's key is ECC_NIST_P256" in told


@pytest.fixture(scope="module")
def restricted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a key that may sign with PSS alone, its request and its public key."""
    folder = tmp_path_factory.mktemp("pss")
    for command in (
        "genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_pss_keygen_md:sha256 -out key.pem",
        "req -new -key key.pem -subj /CN=web -out web.csr",
        "req -x509 -key key.pem -subj /CN=web -out web.pem",
        "pkey -in key.pem -pubout -out public.pem",
        "pkey -in key.pem -pubout -outform DER -out public.der",
    ):
        subprocess.run(["openssl", *command.split()], cwd=folder, capture_output=True, check=True)
    return folder


@pytest.mark.parametrize(
    ("option", "file"),
    [
        ("csr_path", "web.csr"),
        ("public_key_path", "public.pem"),
        ("public_key_path", "public.der"),
        ("subject_certificate_path", "web.pem"),
    ],
)
def test_rfc4055_1_2_a_key_restricted_to_pss_is_refused(rsa: Office, restricted: Path, option: str, file: str) -> None:
    """Its certificate would say rsaEncryption, and its owner's OpenSSL would say "key type mismatch"."""
    told = rsa.refusal("web", "tls_client", "root", **{option: str(restricted / file)})
    assert f"{restricted / file}: the key is restricted to RSASSA-PSS" in told
