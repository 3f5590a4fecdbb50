# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Key spec by algorithm by form: right as it is made, wrong after one flipped bit, and others say the same."""

from __future__ import annotations

import hashlib
import subprocess
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.rootstock.pki.plugins.module_utils._cms.codec import DerCodec
from ansible_collections.rootstock.pki.plugins.module_utils._operations.verify_cms import CmsQuestion, verify_cms
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import SpecError
from ansible_collections.rootstock.pki.plugins.module_utils._signer.specs import Content
from tests.unit.cms.cms_desk import CONTENT, CmsDesk
from tests.unit.cms.cms_judges import NOT_FOR_OPENSSL, attachment, openssl_verifies, pyca_verifies
from tests.unit.cms.cms_people import NOW, cms_signer, root
from tests.unit.signer.local_kms import PAIRS

CONSTRUCTED = 5
"""The bit of a tag that OpenSSL passes over: it encodes the attributes anew before it verifies them."""

FORMS = ("der", "pem", "smime")


class Case(NamedTuple):
    key_spec: str
    algorithm: str
    form: str
    attached: bool

    @property
    def beside(self) -> bool:
        """Whether the content is in a file of its own."""
        return not self.attached and self.form != "smime"

    @property
    def for_openssl(self) -> bool:
        return self.algorithm not in NOT_FOR_OPENSSL


MATRIX = [Case(*pair, form, attached) for pair in PAIRS for form in FORMS for attached in (False, True)]


class Message(NamedTuple):
    """A message, its content, and its parts in which one flipped bit has to be found."""

    octets: bytes
    signature: bytes
    attributes: bytes


@cache
def message(case: Case) -> Message:
    """Return the message of one signer, made as the module makes it."""
    with TemporaryDirectory() as folder:
        desk = CmsDesk(Path(folder), (cms_signer(case.key_spec, case.algorithm),))
        desk.sign(form=case.form, attached=case.attached)
        found = desk.plan(form=case.form, attached=case.attached)
        assert not found.plan.changed
        (claim,) = found.claims
        return Message(desk.dest.read_bytes(), claim.signature, claim.attributes)


def put(folder: Path, octets: bytes, content: bytes = CONTENT) -> tuple[Path, Path]:
    made, beside = folder / "message", folder / "content"
    made.write_bytes(octets)
    beside.write_bytes(content)
    return made, beside


def is_valid(case: Case, made: Path, beside: Path) -> bool:
    content = Content(str(beside)) if case.beside else None
    try:
        return not verify_cms(CmsQuestion(str(made), content, (), [root()], NOW), DerCodec()).reason
    except SpecError:
        return False


def others_accept(case: Case, made: Path, beside: Path) -> bool:
    if case.for_openssl:
        return openssl_verifies(made, case.form, beside if case.beside else None)[0]
    return pyca_verifies(made.read_bytes(), case.form, beside.read_bytes() if case.beside else None)


def flip(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8 % len(data)] ^= 1 << bit % 8
    return bytes(changed)


@pytest.mark.parametrize("case", MATRIX, ids=str)
def test_what_is_made_is_right_and_others_say_so(case: Case, tmp_path: Path) -> None:
    made, beside = put(tmp_path, message(case).octets)
    assert is_valid(case, made, beside)
    assert others_accept(case, made, beside)


@pytest.mark.parametrize("case", [case for case in MATRIX if case.for_openssl and case.key_spec == "ECC_NIST_P256"])
@pytest.mark.parametrize("tool", ["cms", "smime"])
def test_openssl_takes_the_content_out_again(case: Case, tool: str, tmp_path: Path) -> None:
    made, beside = put(tmp_path, message(case).octets)
    if case.form == "pem" and tool == "smime":
        made.write_bytes(made.read_bytes().replace(b"CMS-----", b"PKCS7-----"))  # all that the older tool knows
    valid, content = openssl_verifies(made, case.form, beside if case.beside else None, tool)
    assert valid
    assert (attachment(content) if case.form == "smime" else content) == CONTENT


@pytest.mark.parametrize("case", [case for case in MATRIX if case.for_openssl and case.form == "der"], ids=str)
def test_openssl_finds_what_cades_wants(case: Case, tmp_path: Path) -> None:
    made, beside = put(tmp_path, message(case).octets)
    assert openssl_verifies(made, "der", beside if case.beside else None, "cms", "-cades")[0]


@given(st.sampled_from(MATRIX), st.integers(0, 10**6))
def test_one_flipped_bit_of_the_content_is_found(case: Case, bit: int) -> None:
    with TemporaryDirectory() as folder:
        octets = message(case).octets
        if case.beside:
            made, beside = put(Path(folder), octets, flip(CONTENT, bit))
        elif case.form == "der":
            made, beside = put(Path(folder), octets.replace(CONTENT, flip(CONTENT, bit)))
        else:
            return  # the content stands there in Base64, see below
        assert not is_valid(case, made, beside)
        assert not others_accept(case, made, beside)


@given(st.sampled_from([case for case in MATRIX if case.form == "der"]), st.integers(0, 10**6), st.booleans())
def test_one_flipped_bit_of_signature_or_attributes_is_found(case: Case, bit: int, of_signature: bool) -> None:
    found = message(case)
    inner = found.attributes[2:]  # the attributes stand there under another tag
    part = found.signature if of_signature else inner
    changed = found.octets.replace(part, flip(part, bit))
    assert found.octets.count(part) == 1
    with TemporaryDirectory() as folder:
        made, beside = put(Path(folder), changed)
        assert not is_valid(case, made, beside)
        if of_signature or bit % 8 != CONSTRUCTED:
            assert not others_accept(case, made, beside)


@given(st.sampled_from([case for case in MATRIX if case.form != "der"]), st.integers(0, 10**6))
def test_a_flipped_bit_anywhere_is_found_or_changes_nothing_that_is_signed(case: Case, bit: int) -> None:
    """Line ends and names of parts are not signed; whatever else changes has to be found."""
    found = message(case).octets
    with TemporaryDirectory() as folder:
        made, beside = put(Path(folder), flip(found, bit))
        if is_valid(case, made, beside):
            assert taken_out(case, made) == taken_out(case, put(Path(folder), found)[0])


def taken_out(case: Case, made: Path) -> list[object]:
    """Return what was found to be signed, by whom and how."""
    content = Content("content", CONTENT) if case.beside else None
    verdict = verify_cms(CmsQuestion(str(made), content, (), [root()], NOW), DerCodec())
    return [signer.claim.content_digest for signer in verdict.signers]


def test_two_signers_with_keys_of_different_kinds_sign_one_message(tmp_path: Path) -> None:
    signers = (cms_signer("RSA_2048", "RSASSA_PSS_SHA_256"), cms_signer("ECC_NIST_P384"), cms_signer("ML_DSA_65"))
    desk = CmsDesk(tmp_path, signers)
    assert desk.sign()["sign_calls"] == 3
    verdict = desk.verify()
    assert verdict.reason == ""
    assert sorted(signer.claim.digest for signer in verdict.signers) == ["sha256", "sha384", "sha512"]
    assert not desk.plan().plan.changed


def test_two_signers_are_accepted_by_openssl(tmp_path: Path) -> None:
    desk = CmsDesk(tmp_path, (cms_signer("RSA_2048", "RSASSA_PSS_SHA_256"), cms_signer("ECC_NIST_P384")))
    desk.sign(attached=True)
    assert openssl_verifies(desk.dest, "der", None) == (True, CONTENT)


def test_ed25519_signs_what_openssl_verifies_without_its_cms(tmp_path: Path) -> None:
    """The attributes and the signature, taken out, are a plain Ed25519 signature (RFC 8419 3.1)."""
    found = message(Case("ECC_NIST_EDWARDS25519", "ED25519_SHA_512", "der", False))
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    key = cms_signer("ECC_NIST_EDWARDS25519").certificate.public_key()
    (tmp_path / "key.pem").write_bytes(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    (tmp_path / "attributes").write_bytes(found.attributes)
    (tmp_path / "signature").write_bytes(found.signature)
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "key.pem", "-rawin", "-in", "attributes"]
    done = subprocess.run([*command, "-sigfile", "signature"], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0
    assert hashlib.sha512(CONTENT).digest() in found.attributes
