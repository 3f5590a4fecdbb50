# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hashing in pieces, and signatures that are right, against OpenSSL; one flipped bit is always found."""

from __future__ import annotations

import hashlib
import subprocess
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import SignerError, SpecError
from ansible_collections.rootstock.pki.plugins.module_utils._signer.algorithms import ALGORITHMS, KEY_SPECS
from ansible_collections.rootstock.pki.plugins.module_utils._signer.verify import (
    Hasher,
    message_verifies,
    prepare,
    verify_signature,
)
from tests.unit.signer.local_kms import PAIRS, SIGNING_SPECS, local_key, session_for

CONTENT = b"a release, a document, a piece of firmware"
BY_OPENSSL = [(spec, name) for spec, name in PAIRS if KEY_SPECS[spec].family in ("RSA", "EC")]
ED25519 = "ECC_NIST_EDWARDS25519"


@cache
def signed(key_spec: str, name: str) -> tuple[Any, bytes]:
    session = session_for(local_key(key_spec))
    return session.public_key, session.sign_content(CONTENT, ALGORITHMS[name])


def flip(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8 % len(data)] ^= 1 << bit % 8
    return bytes(changed)


def openssl_accepts(key_spec: str, name: str, content: bytes, folder: Path) -> bool:
    public_key, signature = signed(key_spec, name)
    (folder / "key.pem").write_bytes(public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    (folder / "signature").write_bytes(signature)
    (folder / "content").write_bytes(content)
    if key_spec == ED25519:
        command = [
            "pkeyutl",
            "-verify",
            "-pubin",
            "-inkey",
            "key.pem",
            "-rawin",
            "-in",
            "content",
            "-sigfile",
            "signature",
        ]
    else:
        row = ALGORITHMS[name]
        pss = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"] if row.padding == "PSS" else []
        command = ["dgst", f"-{row.hash}", *pss, "-verify", "key.pem", "-signature", "signature", "content"]
    return subprocess.run(["openssl", *command], cwd=folder, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize(("key_spec", "name"), [*BY_OPENSSL, (ED25519, "ED25519_SHA_512")])
def test_openssl_accepts_the_content_and_refuses_another(key_spec: str, name: str, tmp_path: Path) -> None:
    assert openssl_accepts(key_spec, name, CONTENT, tmp_path)
    assert not openssl_accepts(key_spec, name, flip(CONTENT, 7), tmp_path)


@pytest.mark.parametrize("key_spec", SIGNING_SPECS)
@given(cuts=st.lists(st.integers(0, 3000), max_size=6), content=st.binary(max_size=3000))
def test_content_in_pieces_gives_the_same_message(key_spec: str, cuts: list[int], content: bytes) -> None:
    public_key = local_key(key_spec).public_key()
    row = ALGORITHMS[KEY_SPECS[key_spec].bare_default]
    hasher = Hasher(row, public_key=public_key)
    places = [0, *sorted(cuts), len(content)]
    for start, end in pairwise(places):
        hasher.update(content[start:end])
    assert hasher.finish() == prepare(content, row, public_key=public_key)


@pytest.mark.parametrize(("key_spec", "name"), PAIRS)
@given(bit=st.integers(0, 40_000))
def test_one_flipped_bit_in_signature_or_content_is_found(key_spec: str, name: str, bit: int) -> None:
    public_key, signature = signed(key_spec, name)
    row = ALGORITHMS[name]
    verify_signature(public_key, signature, CONTENT, row)
    for broken in ((flip(signature, bit), CONTENT), (signature, flip(CONTENT, bit))):
        with pytest.raises(SignerError, match=f"not a {name} signature of this content"):
            verify_signature(public_key, *broken, row)


@pytest.mark.parametrize(("key_spec", "name"), PAIRS)
@given(data=st.data())
def test_a_truncated_or_padded_signature_is_not_right(key_spec: str, name: str, data: st.DataObject) -> None:
    public_key, signature = signed(key_spec, name)
    message = prepare(CONTENT, ALGORITHMS[name], public_key=public_key)
    shorter = signature[: data.draw(st.integers(0, len(signature) - 1))]
    for broken in (shorter, signature + data.draw(st.binary(min_size=1, max_size=4))):
        assert not message_verifies(public_key, broken, message, ALGORITHMS[name])


@given(junk=st.binary(max_size=5000))
def test_junk_is_no_signature_and_no_error(junk: bytes) -> None:
    for key_spec in SIGNING_SPECS:
        row = ALGORITHMS[KEY_SPECS[key_spec].bare_default]
        public_key = local_key(key_spec).public_key()
        assert not message_verifies(public_key, junk, prepare(CONTENT, row, public_key=public_key), row)


def test_a_message_type_that_does_not_fit_is_refused_with_those_that_do() -> None:
    with pytest.raises(SpecError, match="message_type EXTERNAL_MU does not fit ECDSA_SHA_256; it takes DIGEST or RAW"):
        Hasher(ALGORITHMS["ECDSA_SHA_256"], "EXTERNAL_MU")
    with pytest.raises(SpecError, match="message_type DIGEST does not fit ED25519_SHA_512; it takes RAW"):
        Hasher(ALGORITHMS["ED25519_SHA_512"], "DIGEST")


def test_a_whole_message_may_have_4096_bytes_in_all() -> None:
    hasher = Hasher(ALGORITHMS["RSASSA_PSS_SHA_256"], "RAW")
    hasher.update(bytes(4000))
    hasher.update(bytes(96))
    assert hasher.finish() == bytes(4096)
    with pytest.raises(SpecError, match=r"longer than 4096 bytes.*RSASSA_PSS_SHA_256"):
        hasher.update(b"x")


def test_mu_without_the_public_key_is_refused() -> None:
    with pytest.raises(SpecError, match="hashing locally needs the public key"):
        Hasher(ALGORITHMS["ML_DSA_SHAKE_256"])


@pytest.mark.parametrize("key_spec", [spec for spec in SIGNING_SPECS if spec.startswith("ML_DSA")])
def test_mu_is_made_as_fips_204_6_2_writes_it(key_spec: str) -> None:
    public_key = local_key(key_spec).public_key()
    tr = hashlib.shake_256(public_key.public_bytes_raw()).digest(64)
    expected = hashlib.shake_256(tr + b"\x00\x00" + CONTENT).digest(64)
    assert prepare(CONTENT, ALGORITHMS["ML_DSA_SHAKE_256"], public_key=public_key) == expected
