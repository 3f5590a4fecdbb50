# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""RFC 5280 4.2.1.2: the subject key identifier is the SHA-1 of the key bits unless given, and never critical."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.unit.rfc5280.office import Office, public_pem, somebodys_key
from tests.unit.rfc5280.reading import Shown, openssl_refuses, pkilint_findings, shown
from tests.unit.signer.local_kms import SIGNING_SPECS

SKI = "X509v3 Subject Key Identifier"
RAW = (Encoding.Raw, PublicFormat.Raw)
BITS = {
    "RSA": (Encoding.DER, PublicFormat.PKCS1),
    "ECC_NIST_P": (Encoding.X962, PublicFormat.UncompressedPoint),
    "ECC_SECG": (Encoding.X962, PublicFormat.UncompressedPoint),
    "ECC_NIST_EDWARDS": RAW,
    "ML_DSA": RAW,
}


def bits_of(key_spec: str, key: Any) -> bytes:
    """Return the content of the BIT STRING subjectPublicKey."""
    form = next(form for prefix, form in BITS.items() if key_spec.startswith(prefix))
    bits: bytes = key.public_key().public_bytes(*form)
    return bits


@pytest.mark.parametrize("key_spec", [spec for spec in SIGNING_SPECS if spec not in ("RSA_3072", "RSA_4096")])
def test_rfc5280_4_2_1_2_method_1_hashes_the_bits_of_every_kind_of_key(office: Office, key_spec: str) -> None:
    key = somebodys_key(key_spec)
    certificate = office.certify("web", "code_signing", "root", public_key_content=public_pem(key))
    digest = hashlib.sha1(bits_of(key_spec, key), usedforsecurity=False).hexdigest().upper()
    found = shown(certificate)[SKI]
    assert (found.critical, found.text.replace(":", "")) == (False, digest)


@pytest.mark.parametrize("given", ["001A2B", "00:1a:2b", "001a:2B"])
def test_rfc5280_4_2_1_2_an_identifier_may_be_given(office: Office, given: str) -> None:
    certificate = office.certify("web", "tls_client", "root", subject_key_identifier=given)
    assert shown(certificate)[SKI] == Shown(critical=False, text="00:1A:2B")
    assert pkilint_findings(certificate) == []


def test_rfc5280_4_2_1_2_every_authority_has_one(office: Office) -> None:
    assert SKI in shown(office.certify_authority("services", "root"))


@pytest.mark.parametrize("bad", ["xyz", "1", "00::1A", "0x00", "00 1A", ":"])
def test_rfc5280_4_2_1_2_what_is_not_hexadecimal_is_refused(office: Office, bad: str) -> None:
    told = office.refusal("web", "tls_client", "root", subject_key_identifier=bad)
    assert f"subject_key_identifier {bad!r} is not hexadecimal" in told


def authority(office: Office, name: str) -> tuple[x509.Certificate, x509.SubjectKeyIdentifier]:
    """Return a certificate and its key identifier."""
    certificate = x509.load_pem_x509_certificate(office.ca_path(name).read_bytes())
    return certificate, certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value


@pytest.mark.parametrize(("above", "called"), [("services", "CN=services"), ("root", "CN=Root")])
@pytest.mark.parametrize("subject", ["services", "Root", "web"])
def test_rfc5280_4_2_1_2_the_identifier_of_another_key_above_is_refused(
    office: Office, subject: str, above: str, called: str
) -> None:
    office.certify_authority("services", "root")
    digest = authority(office, above)[1].digest
    asked = {"subject": {"common_name": subject}, "issuer_chain_path": [str(office.ca_path("root"))]}
    told = office.refusal("web", "tls_client", "services", subject_key_identifier=digest.hex(), **asked)
    assert f"subject_key_identifier {digest.hex(':')} is that of another key, the one of {called} above" in told


def test_rfc5280_4_2_1_2_openssl_takes_such_a_certificate_for_self_signed(office: Office) -> None:
    root, found = authority(office, "root")
    for identifier, says in ((found, "self-signed certificate"), (x509.SubjectKeyIdentifier(b"its own"), "")):
        public, start = somebodys_key().public_key(), root.not_valid_before_utc
        builder = x509.CertificateBuilder(root.subject, root.subject, public, 8, start, root.not_valid_after_utc)
        builder = builder.add_extension(identifier, critical=False)
        builder = builder.add_extension(x509.AuthorityKeyIdentifier(found.digest, None, None), critical=False)
        leaf = builder.sign(office.keys["root"], hashes.SHA256())
        told = openssl_refuses(office.folder, [root, leaf], office.clock.now)
        assert bool(told) == bool(says)
        assert says in told
        outcome = office.outcome("web", "tls_client", "root", subject_key_identifier=identifier.digest.hex())
        assert ("is that of another key" in str(outcome)) == bool(says)


def test_rfc5280_4_2_1_2_an_authority_keeps_the_identifier_of_its_key(office: Office) -> None:
    """Self-issued, with the key of the one above and so with its identifier."""
    digest = authority(office, "root")[1].digest
    given = {"subject": {"common_name": "Root"}, "key_id": "root", "subject_key_identifier": digest.hex()}
    assert office.proposed("again", "subordinate_ca", "root", **given).plan.changed
