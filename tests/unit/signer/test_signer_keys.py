# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The key objects: what they refuse, and that they change nothing they are given."""

from __future__ import annotations

import copy
import hashlib
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import SignerError, SpecError
from ansible_collections.rootstock.pki.plugins.module_utils._signer.algorithms import KEY_SPECS
from ansible_collections.rootstock.pki.plugins.module_utils._signer.keys import private_key_for
from tests.unit.signer.local_kms import SIGNING_SPECS, local_key, session_for

try:
    from cryptography.hazmat.primitives.asymmetric import mldsa
except ImportError:
    mldsa = None  # type: ignore[assignment]

DATA = b"to be signed"
SHA256, SHA512 = hashes.SHA256(), hashes.SHA512()
MGF1 = padding.MGF1(SHA256)
ML_DSA_SPECS = [spec for spec in SIGNING_SPECS if spec.startswith("ML_DSA")]


def kms_key(key_spec: str) -> Any:
    session = session_for(local_key(key_spec))
    return private_key_for(session.public_key, session)


def asked(key: Any) -> list[tuple[bytes, str, str]]:
    found: list[tuple[bytes, str, str]] = key._session.signer.asked
    return found


class WrittenDown:
    """A recorder that keeps what it was told."""

    def __init__(self) -> None:
        self.hashes: list[str] = []

    def attempt(self, content_sha256: str) -> None:
        self.hashes.append(content_sha256)


@pytest.mark.parametrize("key_spec", SIGNING_SPECS)
def test_it_is_a_private_key_of_pyca_with_the_public_key_given(key_spec: str) -> None:
    key = kms_key(key_spec)
    kinds = {"RSA": rsa.RSAPrivateKey, "EC": ec.EllipticCurvePrivateKey, "ED25519": ed25519.Ed25519PrivateKey}
    family = KEY_SPECS[key_spec].family
    kind = getattr(mldsa, f"MLDSA{key_spec[-2:]}PrivateKey") if family == "ML_DSA" else kinds[family]
    assert isinstance(key, kind)
    assert key.public_key() == local_key(key_spec).public_key()
    assert getattr(key, "key_size", None) == getattr(key.public_key(), "key_size", None)


@pytest.mark.parametrize("key_spec", SIGNING_SPECS)
def test_a_copy_is_the_same_key_over_the_same_session(key_spec: str) -> None:
    key = kms_key(key_spec)
    assert copy.copy(key) is key
    assert copy.deepcopy({"issuer": key})["issuer"] is key


@pytest.mark.parametrize("key_spec", SIGNING_SPECS)
@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("private_bytes", (None, None, None)),
        ("private_bytes_raw", ()),
        ("private_numbers", ()),
        ("decrypt", (b"", None)),
        ("exchange", (None, None)),
    ],
)
def test_nothing_gives_the_private_half_away(key_spec: str, method: str, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(SignerError, match="the private key never leaves KMS"):
        getattr(kms_key(key_spec), method)(*arguments)


def test_the_session_must_verify_under_the_same_public_key() -> None:
    mine, other = local_key("ECC_NIST_P256"), local_key("ECC_NIST_P256", 1)
    for session in (session_for(other), session_for(mine, public_key=None)):
        with pytest.raises(SignerError, match="not the one that the signing session verifies under"):
            private_key_for(mine.public_key(), session)


@pytest.mark.parametrize("salt", [padding.PSS.DIGEST_LENGTH, 32])
def test_pss_with_the_salt_of_kms_is_signed_and_verifies(salt: Any) -> None:
    key = kms_key("RSA_2048")
    signature = key.sign(DATA, padding.PSS(MGF1, salt), SHA256)
    key.public_key().verify(signature, DATA, padding.PSS(MGF1, 32), SHA256)
    assert asked(key) == [(hashlib.sha256(DATA).digest(), "DIGEST", "RSASSA_PSS_SHA_256")]


@pytest.mark.parametrize(
    ("scheme", "sentence"),
    [
        (padding.PSS(MGF1, padding.PSS.MAX_LENGTH), "a salt as long as the digest; use PSS.DIGEST_LENGTH or 32"),
        (padding.PSS(MGF1, padding.PSS.AUTO), "a salt as long as the digest"),
        (padding.PSS(MGF1, 20), "a salt as long as the digest"),
        (padding.PSS(padding.MGF1(SHA512), 32), "MGF1 with the hash of the message, sha256"),
        (padding.OAEP(MGF1, SHA256, None), "KMS signs with PKCS1v15 or PSS"),
    ],
)
def test_a_padding_that_kms_would_not_make_is_refused(scheme: Any, sentence: str) -> None:
    key = kms_key("RSA_2048")
    with pytest.raises(SignerError, match=sentence):
        key.sign(DATA, scheme, SHA256)
    assert asked(key) == []


@pytest.mark.parametrize("hash_", [hashes.SHA1(), hashes.SHA224(), hashes.SHA3_256(), hashes.SHA512_256()])  # noqa: S303
def test_a_hash_that_kms_does_not_sign_with_is_refused(hash_: Any) -> None:
    for algorithm in (hash_, Prehashed(hash_)):
        with pytest.raises(SignerError, match=f"PKCS1_V1_5 with {hash_.name}: .* does not fit a key of spec RSA_2048"):
            kms_key("RSA_2048").sign(DATA, padding.PKCS1v15(), algorithm)
        with pytest.raises(SignerError, match="does not fit a key of spec ECC_NIST_P256"):
            kms_key("ECC_NIST_P256").sign(DATA, ec.ECDSA(algorithm))


def test_what_is_no_hash_is_refused() -> None:
    no_digest_info: Any = getattr(utils, "NoDigestInfo", object)
    with pytest.raises(SignerError, match="KMS signs a named hash only"):
        kms_key("RSA_2048").sign(DATA, padding.PKCS1v15(), no_digest_info())


@pytest.mark.parametrize("key_spec", ["ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521", "ECC_SECG_P256K1"])
def test_ecdsa_takes_the_hash_of_the_curve_alone(key_spec: str) -> None:
    key = kms_key(key_spec)
    right = KEY_SPECS[key_spec].x509_default.replace("ECDSA_SHA_", "sha")
    for hash_ in (hashes.SHA256(), hashes.SHA384(), hashes.SHA512()):
        if hash_.name == right:
            key.public_key().verify(key.sign(DATA, ec.ECDSA(hash_)), DATA, ec.ECDSA(hash_))
        else:
            with pytest.raises(SignerError, match=f"ECDSA with {hash_.name} on {key.curve.name}"):
                key.sign(DATA, ec.ECDSA(hash_))
    assert len(asked(key)) == 1


def test_prehashed_signs_the_digest_given() -> None:
    digest = hashlib.sha384(DATA).digest()
    key = kms_key("ECC_NIST_P384")
    signature = key.sign(digest, ec.ECDSA(Prehashed(hashes.SHA384())))
    key.public_key().verify(signature, DATA, ec.ECDSA(hashes.SHA384()))
    rsa_key = kms_key("RSA_2048")
    signature = rsa_key.sign(digest, padding.PKCS1v15(), Prehashed(hashes.SHA384()))
    rsa_key.public_key().verify(signature, DATA, padding.PKCS1v15(), hashes.SHA384())


def test_a_digest_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(SignerError, match="digest: 12 bytes; ECDSA_SHA_256 takes 32"):
        kms_key("ECC_NIST_P256").sign(DATA, ec.ECDSA(Prehashed(SHA256)))


def test_the_record_holds_the_hash_of_the_content() -> None:
    written = WrittenDown()
    session = session_for(local_key("ECC_NIST_P384"), recorder=written)
    private_key_for(session.public_key, session).sign(DATA, ec.ECDSA(hashes.SHA384()))
    assert written.hashes == [hashlib.sha256(DATA).hexdigest()]


def test_the_record_of_a_prehashed_sha256_is_that_digest() -> None:
    written = WrittenDown()
    session = session_for(local_key("ECC_NIST_P256"), recorder=written)
    digest = hashlib.sha256(DATA).digest()
    private_key_for(session.public_key, session).sign(digest, ec.ECDSA(Prehashed(SHA256)))
    assert written.hashes == [digest.hex()]


def test_ed25519_takes_4096_bytes_and_refuses_one_more_without_asking() -> None:
    key = kms_key("ECC_NIST_EDWARDS25519")
    key.public_key().verify(key.sign(bytes(4096)), bytes(4096))
    with pytest.raises(SpecError, match="longer than 4096 bytes, the most that kms:Sign takes as a whole message"):
        key.sign(bytes(4097))
    assert len(asked(key)) == 1


@pytest.mark.parametrize("key_spec", ML_DSA_SPECS)
def test_ml_dsa_sends_mu_of_content_of_any_size_with_or_without_context(key_spec: str) -> None:
    key = kms_key(key_spec)
    large = bytes(100_000)
    key.public_key().verify(key.sign(large), large)
    key.public_key().verify(key.sign(large, b"rootstock"), large, b"rootstock")
    assert [(len(message), kind) for message, kind, _name in asked(key)] == [(64, "EXTERNAL_MU")] * 2


@pytest.mark.parametrize("key_spec", ML_DSA_SPECS)
def test_ml_dsa_signs_a_mu_given_and_refuses_another_length(key_spec: str) -> None:
    key = kms_key(key_spec)
    hasher = mldsa.MLDSAMuHasher(key.public_key())
    hasher.update(DATA)
    key.public_key().verify(key.sign_mu(hasher.finalize()), DATA)
    with pytest.raises(SignerError, match="mu: 12 bytes; it has 64"):
        key.sign_mu(DATA)


def test_deterministic_ecdsa_cannot_be_had() -> None:
    with pytest.raises(SignerError, match="KMS chooses the nonce"):
        kms_key("ECC_NIST_P256").sign(DATA, ec.ECDSA(SHA256, deterministic_signing=True))


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_buffers_of_every_kind_are_signed_and_left_alone(kind: Any) -> None:
    data = kind(DATA)
    key = kms_key("ECC_NIST_P256")
    key.public_key().verify(key.sign(data, ec.ECDSA(SHA256)), DATA, ec.ECDSA(SHA256))
    assert bytes(data) == DATA
