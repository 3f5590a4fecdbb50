# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""RFC 4055 and RFC 8017: PKCS#1 v1.5 by default, PSS when asked, with one hash for all and a salt as long as it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from ansible_collections.rootstock.pki.plugins.module_utils._pki.certificate_fields import SPKI, with_field
from ansible_collections.rootstock.pki.plugins.module_utils._pki.certificates import to_pem
from ansible_collections.rootstock.pki.plugins.module_utils._pki.crl import crl_signed_by
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import SpecError
from ansible_collections.rootstock.pki.plugins.module_utils._pki.path_validation import PathQuestion, validate_path
from tests.unit.operations.crl_desk import CrlDesk
from tests.unit.operations.workshop import START
from tests.unit.rfc5280.foreign import AUTHORITY, END_ENTITY, issued, name, restricted_to_pss
from tests.unit.rfc5280.office import Office, somebodys_key
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
        (
            "genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_pss_keygen_md:sha256 "
            "-pkeyopt rsa_pss_keygen_mgf1_md:sha256 -pkeyopt rsa_pss_keygen_saltlen:32 -out key.pem"
        ),
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


SHA256 = hashes.SHA256()
SIGNATURES: dict[str, tuple[Any, bool]] = {
    "PKCS#1 v1.5": (None, False),
    "PSS": (padding.PSS(padding.MGF1(SHA256), 32), True),
    "a longer salt": (padding.PSS(padding.MGF1(SHA256), 48), True),
    "a shorter salt": (padding.PSS(padding.MGF1(SHA256), 20), False),
}


@pytest.fixture(scope="module")
def pss_root(restricted: Path) -> tuple[Any, x509.Certificate]:
    """A key that may sign with PSS, SHA-256 and 32 octets of salt or more, and the root of it."""
    key = load_pem_private_key((restricted / "key.pem").read_bytes(), None)
    names, pad = (name("Root"), name("Root")), SIGNATURES["PSS"][0]
    root = issued(key, key.public_key(), names, *AUTHORITY, padding=pad)
    return key, with_field(root, SPKI, (restricted / "public.der").read_bytes())


@pytest.mark.parametrize("signature", SIGNATURES)
@pytest.mark.parametrize("limited", [True, False])
def test_rfc4055_3_3_a_restricted_authority_signs_as_its_key_says(
    tmp_path: Path, pss_root: tuple[Any, x509.Certificate], signature: str, limited: bool
) -> None:
    key, root = pss_root
    pad, right = SIGNATURES[signature]
    root = root if limited else restricted_to_pss(root)
    leaf = issued(key, somebodys_key().public_key(), (name("Root"), name("Leaf")), *END_ENTITY, padding=pad)
    found = validate_path(PathQuestion(leaf, [], [root], START)).problems == ()
    assert found is (openssl_refuses(tmp_path, [root, leaf], START) == "")
    assert found is (right or (not limited and pad is not None))


def test_rfc4055_1_2_an_issuer_whose_certificate_restricts_it_to_pss_issues_nothing(rsa: Office) -> None:
    """Its key in KMS would sign all the same, and relying parties would refuse PKCS#1 v1.5 at least."""
    rsa.put_authority("foreign", restricted_to_pss(rsa.certify("rsa", "root_ca")))
    told = rsa.refusal("web", "tls_client", "foreign")
    assert f"{rsa.ca_path('foreign')}: the key is restricted to RSASSA-PSS" in told


def test_rfc4055_1_2_such_an_issuer_makes_no_crls(tmp_path: Path) -> None:
    desk = CrlDesk(tmp_path, key_spec="RSA_2048")
    crl = desk.make()
    (authority,) = x509.load_pem_x509_certificates(desk.path("ca.pem").read_bytes())
    restricted = restricted_to_pss(authority)
    assert (crl_signed_by(crl, authority), crl_signed_by(crl, restricted)) == (True, False)
    desk.path("ca.pem").write_bytes(to_pem([restricted]))
    with pytest.raises(SpecError, match=r"ca\.pem: the key is restricted to RSASSA-PSS"):
        desk.plan()
