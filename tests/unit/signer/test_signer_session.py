# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Record, ask, ask again, verify: in this order, and nothing is handed over that does not verify."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, utils

from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import AwsError, SignerError, SpecError
from ansible_collections.rootstock.pki.plugins.module_utils._signer.algorithms import (
    ALGORITHMS,
    KEY_SPECS,
    AlgorithmRow,
)
from ansible_collections.rootstock.pki.plugins.module_utils._signer.session import ATTEMPTS
from ansible_collections.rootstock.pki.plugins.module_utils._signer.verify import to_hash, verify_signature
from tests.unit.signer.local_kms import (
    PAIRS,
    SIGNING_SPECS,
    LocalSigner,
    Sign,
    denied,
    kms_signature,
    local_key,
    pss,
    session_for,
    throttled,
)

CONTENT = b"what is signed"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
P256 = ALGORITHMS["ECDSA_SHA_256"]


class Diary:
    """A recorder that knows how often the key had been asked when it wrote."""

    def __init__(self, signer: LocalSigner) -> None:
        self.signer = signer
        self.lines: list[tuple[int, str]] = []

    def attempt(self, content_sha256: str) -> None:
        self.lines.append((len(self.signer.asked), content_sha256))


def signed_by(sign: Sign, key_spec: str = "RSA_2048") -> Any:
    key = local_key(key_spec)
    return session_for(key, signer=LocalSigner(key, sign))


@pytest.mark.parametrize(("key_spec", "name"), PAIRS)
def test_a_signature_verifies_over_the_content(key_spec: str, name: str) -> None:
    session = session_for(local_key(key_spec))
    signature = session.sign_content(CONTENT, ALGORITHMS[name])
    verify_signature(session.public_key, signature, CONTENT, ALGORITHMS[name])
    assert (session.calls, [reply.signature for reply in session.replies]) == (1, [signature])


@pytest.mark.parametrize(("key_spec", "name"), PAIRS)
def test_every_message_type_that_fits_gives_a_signature_of_the_same_content(key_spec: str, name: str) -> None:
    for message_type in ALGORITHMS[name].message_types:
        session = session_for(local_key(key_spec))
        signature = session.sign_content(CONTENT, ALGORITHMS[name], message_type)
        verify_signature(session.public_key, signature, CONTENT, ALGORITHMS[name])
        assert session.signer.asked[0][1] == message_type


def test_the_content_does_not_leave_where_a_digest_will_do() -> None:
    session = session_for(local_key("ECC_NIST_P384"))
    session.sign_content(CONTENT, ALGORITHMS["ECDSA_SHA_384"])
    assert session.signer.asked == [(hashlib.sha384(CONTENT).digest(), "DIGEST", "ECDSA_SHA_384")]


def test_every_attempt_is_recorded_before_the_key_is_asked() -> None:
    key = local_key("ECC_NIST_P256")
    signer = LocalSigner(key, failures=[throttled(), throttled()])
    session = session_for(key, signer=signer, recorder=Diary(signer))
    session.sign_content(CONTENT, P256)
    assert session.recorder.lines == [(0, SHA256), (1, SHA256), (2, SHA256)]
    assert session.calls == 3


def test_a_recorder_that_fails_keeps_the_key_from_being_asked() -> None:
    class Full:
        def attempt(self, content_sha256: str) -> None:
            raise OSError(28, f"no space left for {content_sha256}")

    session = session_for(local_key("ECC_NIST_P256"), recorder=Full())
    with pytest.raises(OSError, match="no space left"):
        session.sign_content(CONTENT, P256)
    assert (session.signer.asked, session.calls) == ([], 0)


def test_asking_again_is_bounded_and_waits_longer_each_time() -> None:
    waits: list[float] = []
    key = local_key("ECC_NIST_P256")
    signer = LocalSigner(key, failures=[throttled() for _unused in range(ATTEMPTS)])
    session = session_for(key, signer=signer, sleep=waits.append, jitter=lambda: 1.0)
    with pytest.raises(AwsError, match="kms:Sign is throttled; asked 5 times, give it some time and run again"):
        session.sign_content(CONTENT, P256)
    assert (len(signer.asked), session.calls, session.replies) == (ATTEMPTS, ATTEMPTS, [])
    assert waits == pytest.approx([0.2, 0.4, 0.8, 1.6])


def test_waits_are_spread_by_chance_between_half_and_whole() -> None:
    waits: list[float] = []
    key = local_key("ECC_NIST_P256")
    signer = LocalSigner(key, failures=[throttled()])
    session_for(key, signer=signer, sleep=waits.append, jitter=lambda: 0.0).sign_content(CONTENT, P256)
    assert waits == pytest.approx([0.1])


def test_a_refusal_is_not_asked_again() -> None:
    key = local_key("ECC_NIST_P256")
    session = session_for(key, signer=LocalSigner(key, failures=[denied()]))
    with pytest.raises(AwsError, match="not allowed"):
        session.sign_content(CONTENT, P256)
    assert session.calls == 1


def wrong_hash(key: Any, message: bytes, _message_type: str, row: AlgorithmRow) -> bytes:
    """Hash the digest again, as stand-ins that do not know DIGEST do."""
    return kms_signature(key, message, "RAW", row)


def wrong_key(_key: Any, message: bytes, message_type: str, row: AlgorithmRow) -> bytes:
    return kms_signature(local_key("RSA_2048", 1), message, message_type, row)


def truncated(key: Any, message: bytes, message_type: str, row: AlgorithmRow) -> bytes:
    return kms_signature(key, message, message_type, row)[:-1]


def another_message(key: Any, message: bytes, message_type: str, row: AlgorithmRow) -> bytes:
    return kms_signature(key, message[::-1], message_type, row)


def nothing(_key: Any, _message: bytes, _message_type: str, _row: AlgorithmRow) -> bytes:
    return b""


def salt_of(length: int) -> Sign:
    def sign(key: Any, message: bytes, _message_type: str, row: AlgorithmRow) -> bytes:
        signature: bytes = key.sign(message, pss(row, length), utils.Prehashed(to_hash(row.hash)))
        return signature

    return sign


def pkcs1(key: Any, message: bytes, _message_type: str, row: AlgorithmRow) -> bytes:
    signature: bytes = key.sign(message, padding.PKCS1v15(), utils.Prehashed(to_hash(row.hash)))
    return signature


@pytest.mark.parametrize("name", KEY_SPECS["RSA_2048"].signing_algorithms)
@pytest.mark.parametrize("liar", [wrong_hash, wrong_key, truncated, another_message, nothing])
def test_a_signature_that_does_not_verify_is_thrown_away(liar: Sign, name: str) -> None:
    session = signed_by(liar)
    with pytest.raises(SignerError, match=r"1234abcd.*request request-1.*thrown away"):
        session.sign_content(CONTENT, ALGORITHMS[name])
    assert (session.replies, session.calls) == ([], 1)


@pytest.mark.parametrize("liar", [salt_of(222), salt_of(0), salt_of(31), pkcs1])
def test_a_pss_signature_with_another_salt_or_padding_is_thrown_away(liar: Sign) -> None:
    with pytest.raises(SignerError, match="thrown away"):
        signed_by(liar).sign_content(CONTENT, ALGORITHMS["RSASSA_PSS_SHA_256"])


@pytest.mark.parametrize("key_spec", [spec for spec in SIGNING_SPECS if not spec.startswith("RSA")])
@pytest.mark.parametrize("liar", [truncated, another_message, nothing])
def test_other_kinds_of_keys_do_not_get_away_with_a_lie(liar: Sign, key_spec: str) -> None:
    session = signed_by(liar, key_spec)
    with pytest.raises(SignerError, match="thrown away"):
        session.sign_content(CONTENT, ALGORITHMS[KEY_SPECS[key_spec].bare_default])
    assert session.replies == []


@pytest.mark.parametrize("key_spec", [spec for spec in SIGNING_SPECS if not spec.startswith("RSA")])
def test_another_key_of_the_same_spec_is_found_out(key_spec: str) -> None:
    session = session_for(local_key(key_spec), signer=LocalSigner(local_key(key_spec, 1)))
    with pytest.raises(SignerError, match="name the same key"):
        session.sign_content(CONTENT, ALGORITHMS[KEY_SPECS[key_spec].bare_default])


def test_an_algorithm_of_another_key_is_refused_before_anything_is_handed_over() -> None:
    session = session_for(
        local_key("ECC_NIST_P256"), signer=LocalSigner(local_key("ECC_NIST_P384"), lambda *_unused: b"x")
    )
    with pytest.raises(SpecError, match="ECDSA_SHA_384 does not fit"):
        session.sign_content(CONTENT, ALGORITHMS["ECDSA_SHA_384"])
    assert session.replies == []


def test_ed25519ph_is_refused_before_asking_since_nothing_here_verifies_it() -> None:
    session = session_for(local_key("ECC_NIST_EDWARDS25519"))
    with pytest.raises(SpecError, match="ED25519_PH_SHA_512: its signatures cannot be verified here"):
        session.sign_content(CONTENT, ALGORITHMS["ED25519_PH_SHA_512"])
    assert session.calls == 0


def test_without_a_public_key_the_signature_goes_out_as_it_came() -> None:
    key = local_key("ECC_NIST_P256")
    signature = session_for(key, public_key=None).sign_content(CONTENT, P256)
    key.public_key().verify(signature, CONTENT, ec.ECDSA(to_hash("sha256")))
