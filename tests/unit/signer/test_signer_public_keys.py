# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Public keys from bytes, in the forms that people have them in."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path
from typing import Any

import cryptography
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import SpecError
from ansible_collections.rootstock.pki.plugins.module_utils._signer.public_keys import load_public_key
from tests.unit.signer.local_kms import SIGNING_SPECS, local_key
from tests.unit.signer.test_signer_builders import Authority

try:
    from cryptography.hazmat.primitives.asymmetric import mldsa
except ImportError:
    mldsa = None  # type: ignore[assignment]


def ml_dsa_44_spki() -> bytes:
    """Return a SubjectPublicKeyInfo of ML-DSA-44 made by hand (RFC 9881 4), so that any cryptography can be asked."""
    algorithm = bytes.fromhex("300b0609608648016503040311")
    bits = b"\x03\x82\x05\x21\x00" + bytes(range(256)) * 5 + bytes(32)
    return b"\x30\x82\x05\x32" + algorithm + bits


@pytest.mark.parametrize("key_spec", SIGNING_SPECS)
@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
def test_a_public_key_and_a_certificate_give_the_same_key(key_spec: str, encoding: Encoding) -> None:
    authority = Authority(key_spec)
    public_key = authority.key.public_key()
    bare = public_key.public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)
    certified = authority.certificate.public_bytes(encoding)
    assert load_public_key(bare, "bare") == load_public_key(certified, "certified") == public_key


def test_text_before_the_pem_is_passed_over() -> None:
    authority = Authority("ECC_NIST_P256")
    pem = authority.certificate.public_bytes(Encoding.PEM)
    text = subprocess.run(["openssl", "x509", "-text"], input=pem, capture_output=True, check=True).stdout
    assert load_public_key(text, "ca.pem") == authority.key.public_key()


@given(junk=st.binary(max_size=200))
@pytest.mark.parametrize("head", [b"", b"-----BEGIN PUBLIC KEY-----\n", b"-----BEGIN CERTIFICATE-----\n"])
def test_junk_is_refused_in_a_sentence(head: bytes, junk: bytes) -> None:
    with pytest.raises(SpecError, match=r"signer\.pem: neither a public key nor a certificate"):
        load_public_key(head + junk, "signer.pem")


def test_a_private_key_is_no_public_key() -> None:
    pem = local_key("ECC_NIST_P256").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(SpecError, match="neither a public key nor a certificate"):
        load_public_key(pem, "signer.pem")


def test_a_key_that_kms_cannot_hold_is_refused_with_its_path() -> None:
    public_key = ec.generate_private_key(ec.BrainpoolP256R1()).public_key()
    pem = public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(SpecError, match=r"signer\.pem: .* brainpoolP256r1 is no key that KMS can hold"):
        load_public_key(pem, "signer.pem")


def test_ml_dsa_is_loaded_or_the_sentence_says_which_cryptography_it_needs() -> None:
    der = ml_dsa_44_spki()
    pem = b"-----BEGIN PUBLIC KEY-----\n" + base64.encodebytes(der) + b"-----END PUBLIC KEY-----\n"
    for data in (der, pem):
        if mldsa is None:
            with pytest.raises(SpecError, match=rf"key.der: ML-DSA needs cryptography 50.*{cryptography.__version__}"):
                load_public_key(data, "key.der")
        else:
            assert isinstance(load_public_key(data, "key.der"), mldsa.MLDSA44PublicKey)


@pytest.mark.parametrize("form", ["PEM", "DER"])
def test_an_rsa_key_that_is_restricted_to_pss_is_refused_since_none_in_kms_is(form: str, tmp_path: Path) -> None:
    """OpenSSL verifies nothing in PKCS#1 v1.5 with it either, as most signatures by RSA keys are (RFC 4055)."""
    for command in (
        "genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -out key.pem",
        f"pkey -in key.pem -pubout -outform {form} -out public",
        f"req -x509 -key key.pem -subj /CN=Signer -outform {form} -out certificate",
    ):
        subprocess.run(["openssl", *command.split()], cwd=tmp_path, capture_output=True, check=True)
    private: Any = load_pem_private_key((tmp_path / "key.pem").read_bytes(), None)
    (tmp_path / "signature").write_bytes(private.sign(b"content", padding.PKCS1v15(), hashes.SHA256()))
    (tmp_path / "content").write_bytes(b"content")
    verify = ["openssl", "dgst", "-sha256", "-verify", "public", "-signature", "signature", "content"]
    assert subprocess.run(verify, cwd=tmp_path, capture_output=True, check=False).returncode != 0
    for file in ("public", "certificate"):
        with pytest.raises(SpecError, match=rf"{file}: the key is restricted to RSASSA-PSS"):
            load_public_key((tmp_path / file).read_bytes(), file)
