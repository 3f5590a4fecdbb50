# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Signatures judged as OpenSSL judges them: right ones are, and one flipped bit anywhere makes them wrong."""

from __future__ import annotations

import base64
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.rootstock.pki.plugins.module_utils._operations.manifest import check_manifest, make_manifest
from ansible_collections.rootstock.pki.plugins.module_utils._operations.signing_key import SigningKey, given_key
from ansible_collections.rootstock.pki.plugins.module_utils._operations.verify_file import (
    SignatureQuestion,
    listed_problems,
    verify_signed,
)
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import SpecError
from ansible_collections.rootstock.pki.plugins.module_utils._signer.algorithms import ALGORITHMS, KEY_SPECS
from ansible_collections.rootstock.pki.plugins.module_utils._signer.formats import FORMATS, encode_signature
from ansible_collections.rootstock.pki.plugins.module_utils._signer.specs import Content
from ansible_collections.rootstock.pki.plugins.module_utils._signer.verify import prepare
from tests.unit.operations.test_operations_sign_file_manifest import FILE_NAMES, fill
from tests.unit.signer.local_kms import PAIRS, local_key, session_for
from tests.unit.signer.test_signer_structures import NAMES, to_be_signed

CONTENT = b"a release, a document, a piece of firmware"
MATRIX = [(s, n, f) for s, n in PAIRS for f in FORMATS if f != "p1363" or KEY_SPECS[s].family == "EC"]
OPENSSL = [case for case in MATRIX if KEY_SPECS[case[0]].family != "ML_DSA"]


@cache
def signed(key_spec: str, name: str, signature_format: str) -> tuple[SigningKey, bytes]:
    session = session_for(local_key(key_spec))
    signature = session.sign_content(CONTENT, ALGORITHMS[name])
    public_key: Any = session.public_key
    der = public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return given_key(der, "key.der"), encode_signature(signature, signature_format, ALGORITHMS[name])


def reason(case: tuple[str, str, str], signature: bytes, content: bytes = CONTENT) -> str:
    key, _signature = signed(*case)
    question = SignatureQuestion(Content("content", content), signature, case[2], case[1])
    return verify_signed(question, key).reason


def flip(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8 % len(data)] ^= 1 << bit % 8
    return bytes(changed)


def openssl_accepts(case: tuple[str, str, str], signature: bytes, content: bytes, folder: Path) -> bool:
    """Have OpenSSL judge, in the way a user would: base64 -d first, DER made of the two numbers."""
    key_spec, name, signature_format = case
    row, public_key = ALGORITHMS[name], local_key(key_spec).public_key()
    if signature_format == "base64":
        decode = ["openssl", "base64", "-d", "-A"]
        signature = subprocess.run(decode, input=signature.strip(), capture_output=True, check=True).stdout
    if signature_format == "p1363":
        half = len(signature) // 2
        signature = encode_dss_signature(*(int.from_bytes(one, "big") for one in (signature[:half], signature[half:])))
    (folder / "key.pem").write_bytes(public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    (folder / "signature").write_bytes(signature)
    (folder / "content").write_bytes(content)
    command = ["pkeyutl", "-verify", "-pubin", "-inkey", "key.pem", "-rawin", "-in", "content", "-sigfile", "signature"]
    if row.hash:
        pss = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"] if row.padding == "PSS" else []
        command = ["dgst", f"-{row.hash}", *pss, "-verify", "key.pem", "-signature", "signature", "content"]
    return subprocess.run(["openssl", *command], cwd=folder, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("case", OPENSSL, ids="-".join)
def test_openssl_has_the_same_opinion(case: tuple[str, str, str], tmp_path: Path) -> None:
    _key, signature = signed(*case)
    assert reason(case, signature) == ""
    assert openssl_accepts(case, signature, CONTENT, tmp_path)
    assert not openssl_accepts(case, signature, flip(CONTENT, 3), tmp_path)


@pytest.mark.parametrize("case", MATRIX, ids="-".join)
@given(bit=st.integers(0, 40_000))
def test_one_flipped_bit_anywhere_is_told(case: tuple[str, str, str], bit: int) -> None:
    _key, signature = signed(*case)
    told = f"this is no {case[1]} signature of content by this key"
    assert reason(case, signature) == ""
    assert reason(case, signature, flip(CONTENT, bit)) == told
    broken = flip(signature.rstrip(b"\n"), bit)
    if case[2] != "base64" or same_octets(broken) != same_octets(signature):
        assert reason(case, broken) in (told, f"the signature is not in the format {case[2]}")


def same_octets(text: bytes) -> bytes:
    """Return what lenient Base64 makes of *text*: its last character has bits that mean nothing."""
    try:
        return base64.b64decode(b"".join(text.split()), validate=True)
    except ValueError:
        return b""


@given(junk=st.binary(max_size=300))
@pytest.mark.parametrize("case", MATRIX, ids="-".join)
def test_junk_and_truncated_signatures_are_told_without_an_error(case: tuple[str, str, str], junk: bytes) -> None:
    _key, signature = signed(*case)
    assert reason(case, junk)
    assert reason(case, signature[: len(junk) % (len(signature) - 5)])


def test_a_digest_is_enough() -> None:
    for key_spec, name in PAIRS:
        row = ALGORITHMS[name]
        if KEY_SPECS[key_spec].family != "ED25519":
            key, signature = signed(key_spec, name, "raw")
            digest = prepare(CONTENT, row, public_key=local_key(key_spec).public_key())
            content = Content("digest_value", digest=digest, digest_algorithm=row.hash or "mu")
            wanted = name if row.padding == "PSS" else ""
            assert verify_signed(SignatureQuestion(content, signature, "raw", wanted), key).reason == ""


@pytest.mark.parametrize("structure", NAMES)
def test_what_must_not_be_signed_as_a_file_may_be_verified(structure: str) -> None:
    key, signature = signed("ECC_NIST_P256", "ECDSA_SHA_256", "raw")
    question = SignatureQuestion(Content("tbs", to_be_signed()[structure]), signature)
    assert verify_signed(question, key).reason == "this is no ECDSA_SHA_256 signature of tbs by this key"


def test_an_algorithm_of_another_key_is_an_error() -> None:
    with pytest.raises(SpecError, match="ECDSA_SHA_384 does not fit a key of spec ECC_NIST_P256"):
        verify_signed(
            SignatureQuestion(Content("c", CONTENT), b"", "raw", "ECDSA_SHA_384"),
            signed("ECC_NIST_P256", "ECDSA_SHA_256", "raw")[0],
        )


class KmsThatSaysNo:
    """KMS, asked what it thinks."""

    def __init__(self) -> None:
        self.asked: list[tuple[object, ...]] = []

    def verify(self, *arguments: object) -> bool:
        self.asked.append(arguments)
        return False


def test_kms_is_asked_with_a_digest_and_its_word_counts() -> None:
    key, signature = signed("ECC_NIST_P256", "ECDSA_SHA_256", "raw")
    kms = KmsThatSaysNo()
    verdict = verify_signed(SignatureQuestion(Content("content", CONTENT), signature), key, kms)
    digest = prepare(CONTENT, ALGORITHMS["ECDSA_SHA_256"])
    assert kms.asked == [("key.der", digest, "DIGEST", signature, "ECDSA_SHA_256")]
    assert verdict.reason


def test_the_files_of_a_manifest_are_checked(tmp_path: Path) -> None:
    paths = fill(tmp_path, "a", "b", "c/d")
    where = str(tmp_path / "SUMS")
    manifest = make_manifest(paths, where, "sha512")
    assert check_manifest(manifest, where) == []
    (tmp_path / "b").write_bytes(b"tampered")
    (tmp_path / "c/d").unlink()
    told = listed_problems(manifest, where)
    assert told == f"b: is not the file that was listed; {tmp_path}/c/d: cannot be read (No such file or directory)"


@given(names=st.sets(FILE_NAMES, min_size=1, max_size=5))
def test_every_name_of_a_manifest_is_read_back(names: set[bytes], tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("names")
    paths = []
    for name in names:
        path = folder / name.decode("utf-8", "surrogateescape")
        path.write_bytes(name)
        paths.append(str(path))
    assert check_manifest(make_manifest(paths, str(folder / "SUMS"), "sha256"), str(folder / "SUMS")) == []


def test_manifests_of_the_tool_are_read(tmp_path: Path) -> None:
    fill(tmp_path, "a", "b\nc")
    for mode in ("--binary", "--text"):
        made = subprocess.run(["sha384sum", mode, "a", "b\nc"], cwd=tmp_path, capture_output=True, check=True).stdout
        assert check_manifest(made, str(tmp_path / "SUMS")) == []


@pytest.mark.parametrize("junk", [b"", b"\n", b"nothing", b"ab  c", b"00" * 32, b"\x00\xff"])
def test_what_is_no_manifest_is_refused(junk: bytes, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"SUMS: (is no manifest|lists no file)"):
        check_manifest(junk, str(tmp_path / "SUMS"))
