# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""RFC 5280 4.2.1.2: the subject key identifier is the SHA-1 of the key bits unless given, and never critical."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.unit.rfc5280.office import Office, public_pem, somebodys_key
from tests.unit.rfc5280.reading import Shown, pkilint_findings, shown
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
