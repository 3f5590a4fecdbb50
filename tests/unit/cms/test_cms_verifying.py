# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Messages of others are judged as they deserve, and those that pretend are found out."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs7
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.rootstock.pki.plugins.module_utils._cms import structures
from ansible_collections.rootstock.pki.plugins.module_utils._cms.attributes import DATA
from ansible_collections.rootstock.pki.plugins.module_utils._cms.codec import DerCodec
from ansible_collections.rootstock.pki.plugins.module_utils._operations.cms_opening import CHUNK
from ansible_collections.rootstock.pki.plugins.module_utils._operations.verify_cms import CmsQuestion, verify_cms
from ansible_collections.rootstock.pki.plugins.module_utils._pki.certificates import serial_hex
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import SpecError
from ansible_collections.rootstock.pki.plugins.module_utils._signer.specs import Content
from tests.unit.cms.cms_desk import CONTENT, CmsDesk
from tests.unit.cms.cms_judges import openssl_verifies
from tests.unit.cms.cms_people import DAY, NOW, authority, certificate, certify, cms_signer, middle, put_pem, root
from tests.unit.rfc5280.foreign import restricted_to_pss
from tests.unit.signer.local_kms import local_key

TEXT = b"Dear all,\r\n\r\nwe agree.\r\n"
P256 = cms_signer("ECC_NIST_P256")
SPECS = {"rsa": "RSA_2048", "ec": "ECC_NIST_P256"}


def openssl_signs(folder: Path, key_spec: str, tool: str, *options: str, text: bytes = TEXT) -> Path:
    """Have OpenSSL sign *text* and return its message."""
    key = local_key(key_spec)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "key.pem").write_bytes(pem)
    (folder / "text").write_bytes(text)
    put_pem(folder / "signer.pem", certificate(key_spec))
    put_pem(folder / "middle.pem", middle())
    command = ["openssl", tool, "-sign", "-in", "text", "-out", "message", "-signer", "signer.pem"]
    command += ["-inkey", "key.pem", "-certfile", "middle.pem", *options]
    subprocess.run(command, cwd=folder, capture_output=True, check=True)
    return folder / "message"


def judge(message: Path, content: bytes | None = None, **changed: Any) -> str:
    given = {"certificates": (), "anchors": (root(),), "at": NOW, **changed}
    beside = None if content is None else Content("content", content)
    return verify_cms(CmsQuestion(str(message), beside, **given), DerCodec()).reason


FOREIGN = {
    "cms detached": ("cms", ("-outform", "DER", "-binary"), TEXT),
    "cms attached": ("cms", ("-outform", "DER", "-nodetach", "-binary"), None),
    "cms pem": ("cms", ("-outform", "PEM", "-nodetach", "-binary"), None),
    "cms by key identifier": ("cms", ("-outform", "DER", "-nodetach", "-keyid"), None),
    "cms cades": ("cms", ("-outform", "DER", "-nodetach", "-cades"), None),
    "cms mail": ("cms", (), None),
    "cms mail of text": ("cms", ("-text",), None),
    "cms opaque mail": ("cms", ("-nodetach",), None),
    "smime detached": ("smime", ("-outform", "DER", "-binary"), TEXT),
    "smime attached": ("smime", ("-outform", "PEM", "-nodetach"), None),
    "smime mail": ("smime", (), None),
    "smime opaque mail": ("smime", ("-nodetach",), None),
}


@pytest.mark.parametrize("kind", list(FOREIGN))
@pytest.mark.parametrize("key", list(SPECS))
def test_messages_that_openssl_made_are_right(key: str, kind: str, tmp_path: Path) -> None:
    tool, options, content = FOREIGN[kind]
    message = openssl_signs(tmp_path, SPECS[key], tool, *options)
    assert judge(message, content) == ""
    assert "was valid until" in judge(message, content, at=NOW + 100 * DAY)


@pytest.mark.parametrize("name", ["sha384", "sha512"])
def test_every_hash_of_rsa_is_taken(name: str, tmp_path: Path) -> None:
    options = ("-outform", "DER", "-nodetach", "-cades", "-md", name)
    assert judge(openssl_signs(tmp_path, "RSA_2048", "cms", *options)) == ""


def test_messages_with_pss_that_openssl_made_are_right_if_kms_could_have_made_them(tmp_path: Path) -> None:
    pss = ("-outform", "DER", "-nodetach", "-md", "sha256", "-keyopt", "rsa_padding_mode:pss")
    fits = openssl_signs(tmp_path, "RSA_2048", "cms", *pss, "-keyopt", "rsa_pss_saltlen:digest")
    assert judge(fits) == ""
    other = openssl_signs(tmp_path, "RSA_2048", "cms", *pss, "-keyopt", "rsa_pss_saltlen:20")
    assert "has a signature algorithm that no key of KMS has" in judge(other)


DETACHED = [pkcs7.PKCS7Options.DetachedSignature]
BY_PYCA = [(Encoding.DER, []), (Encoding.PEM, []), (Encoding.DER, DETACHED), (Encoding.SMIME, DETACHED)]


@pytest.mark.parametrize(("encoding", "options"), BY_PYCA)
def test_messages_that_pyca_made_are_right(encoding: Encoding, options: list[Any], tmp_path: Path) -> None:
    builder = pkcs7.PKCS7SignatureBuilder().set_data(TEXT)
    builder = builder.add_signer(certificate("RSA_2048"), local_key("RSA_2048"), hashes.SHA256())
    message = tmp_path / "message"
    message.write_bytes(builder.add_certificate(middle()).sign(encoding, options))
    assert judge(message, TEXT if options and encoding is not Encoding.SMIME else None) == ""


def test_a_hash_that_kms_does_not_tie_to_the_curve_is_told(tmp_path: Path) -> None:
    message = openssl_signs(tmp_path, "ECC_NIST_P384", "cms", "-outform", "DER", "-nodetach", "-md", "sha256")
    assert "signing_algorithm ECDSA_SHA_256 does not fit a key of spec ECC_NIST_P384" in judge(message)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("-noattr",), "has no signed attributes, so nothing tells what it is a signature of"),
        (("-md", "sha1"), "has a digest algorithm other than SHA-256, SHA-384 and SHA-512"),
    ],
)
def test_messages_that_prove_little_are_not_right(options: tuple[str, ...], problem: str, tmp_path: Path) -> None:
    message = openssl_signs(tmp_path, "RSA_2048", "cms", "-outform", "DER", "-nodetach", *options)
    assert problem in judge(message)


def test_ber_is_refused_with_the_way_to_make_der_of_it(tmp_path: Path) -> None:
    message = openssl_signs(tmp_path, "RSA_2048", "cms", "-outform", "DER", "-nodetach", "-binary", "-stream")
    assert "BER with lengths that are not told; `openssl cms -cmsout -outform DER` makes DER of it" in judge(message)
    command = ["openssl", "cms", "-cmsout", "-inform", "DER", "-outform", "DER", "-in", "message", "-out", "der"]
    subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
    assert judge(tmp_path / "der") == ""


def test_a_message_without_certificates_needs_them_from_the_task(tmp_path: Path) -> None:
    desk = CmsDesk(tmp_path)
    desk.sign(certificates=())
    serial = serial_hex(P256.certificate.serial_number)
    assert desk.verify().reason == f"the certificate of the signer with the serial number {serial} is not at hand"
    assert desk.verify(certificates=(P256.certificate, middle())).reason == ""
    assert desk.verify(certificates=(P256.certificate,), anchors=(P256.certificate,)).reason == ""


def test_nobody_is_trusted_because_the_message_says_so(tmp_path: Path) -> None:
    desk = CmsDesk(tmp_path)
    desk.sign(certificates=(P256.certificate, middle(), root()))
    foreign = authority("Foreign", "Foreign")
    assert "does not lead up to a trusted certificate" in desk.verify(anchors=(foreign,)).reason


def test_the_purpose_and_the_time_are_asked_for(tmp_path: Path) -> None:
    desk = CmsDesk(tmp_path)
    desk.sign()
    assert desk.verify(purpose="document_signing").reason == ""
    assert "not for code_signing" in desk.verify(purpose="code_signing").reason
    assert "was valid until" in desk.verify(at=NOW + 40 * DAY).reason


ALICE, BOB, CAROL = (cms_signer("ECC_NIST_P256", which=which) for which in (1, 2, 3))


def openssl_finds(desk: CmsDesk, only: x509.Certificate) -> bool:
    """Return whether OpenSSL finds the message right where it may take signers' certificates from the task alone."""
    certificate = put_pem(desk.folder / "only.pem", only)
    return openssl_verifies(desk.dest, "der", desk.content, "cms", "-nointern", "-certfile", certificate)[0]


def test_rfc5652_5_6_somebody_else_did_not_sign_for_the_signer_of_the_task(tmp_path: Path) -> None:
    desk = CmsDesk(tmp_path, (BOB,))
    desk.sign()
    reason = desk.verify(signer=ALICE.certificate).reason
    told = [
        f"CN=Signer ECC_NIST_P256 {n} ({serial_hex(one.certificate.serial_number)})"
        for n, one in ((1, ALICE), (2, BOB))
    ]
    assert reason == f"it is signed by {told[1]}, expected {told[0]}, whose certificate is given"
    assert not openssl_finds(desk, ALICE.certificate)


def test_a_signer_of_the_task_may_have_signed_alone_or_beside_others(tmp_path: Path) -> None:
    desk = CmsDesk(tmp_path, (BOB, ALICE))
    desk.sign()
    assert [desk.verify(signer=one.certificate).reason for one in (ALICE, BOB)] == ["", ""]
    assert "expected CN=Signer ECC_NIST_P256 3" in desk.verify(signer=CAROL.certificate).reason
    alone = CmsDesk(tmp_path, (ALICE,))
    alone.sign()
    assert alone.verify(signer=ALICE.certificate).reason == ""
    assert openssl_finds(alone, ALICE.certificate)


def test_the_others_beside_the_signer_of_the_task_have_to_be_right_too(tmp_path: Path) -> None:
    desk = CmsDesk(tmp_path, (BOB, ALICE))
    desk.sign()
    claims = {claim.signer.serial_number: claim for claim in desk.plan().claims}
    theirs = claims[BOB.certificate.serial_number].signature
    desk.dest.write_bytes(desk.dest.read_bytes().replace(theirs, theirs[:-4] + bytes(4)))
    assert "signature by the key of CN=Signer ECC_NIST_P256 2" in desk.verify(signer=ALICE.certificate).reason


def test_another_certificate_of_the_same_person_and_key_did_not_sign(tmp_path: Path) -> None:
    renewed = certify(ALICE.certificate.public_key(), name="Signer ECC_NIST_P256 1")
    desk = CmsDesk(tmp_path, (ALICE,))
    desk.sign()
    reason = desk.verify(signer=renewed).reason
    assert f"expected CN=Signer ECC_NIST_P256 1 ({serial_hex(renewed.serial_number)})" in reason
    assert not openssl_finds(desk, renewed)


def test_the_signer_of_the_task_is_found_in_a_message_without_certificates(tmp_path: Path) -> None:
    desk = CmsDesk(tmp_path, (ALICE,))
    desk.sign(certificates=())
    assert desk.verify(signer=ALICE.certificate, certificates=(middle(),)).reason == ""
    serial = serial_hex(ALICE.certificate.serial_number)
    reason = desk.verify(signer=BOB.certificate, certificates=(middle(),)).reason
    assert f"it is signed by the signer with the serial number {serial}, expected CN=Signer ECC_NIST_P256 2" in reason


def test_one_wrong_signature_makes_the_message_wrong_and_says_whose(tmp_path: Path) -> None:
    two = (P256, cms_signer("RSA_2048"))
    desk = CmsDesk(tmp_path, two)
    desk.sign()
    claims = desk.plan().claims
    octets = desk.dest.read_bytes()
    desk.dest.write_bytes(octets.replace(claims[1].signature, claims[1].signature[::-1]))
    verdict = desk.verify()
    told = {signer.facts()["subject"]: signer.facts()["valid"] for signer in verdict.signers}
    assert told == {"CN=Signer ECC_NIST_P256 0": True, "CN=Signer RSA_2048 0": False}
    assert verdict.reason == "this is no RSASSA_PKCS1_V1_5_SHA_512 signature by the key of CN=Signer RSA_2048 0"


def test_a_certificate_of_the_same_key_is_not_the_one_that_signed(tmp_path: Path) -> None:
    """RFC 5035: a certificate put in place of the signer's, with its issuer and serial number but other rights."""
    desk = CmsDesk(tmp_path)
    desk.sign(certificates=())
    twin = _twin(P256.certificate)
    reason = desk.verify(certificates=(twin, middle())).reason
    assert "was made with another certificate" in reason


def _twin(original: x509.Certificate) -> x509.Certificate:
    from tests.unit.cms.cms_people import authority_key, named

    builder = x509.CertificateBuilder(
        named("Middle"),
        original.subject,
        original.public_key(),
        original.serial_number,
        NOW - DAY,
        NOW + 300 * DAY,
    )
    return builder.sign(authority_key("Middle"), hashes.SHA256())


def test_a_message_that_nobody_signed_is_not_right(tmp_path: Path) -> None:
    codec = DerCodec()
    (tmp_path / "message").write_bytes(codec.skeleton([], [middle()], False))
    assert judge(tmp_path / "message", TEXT) == "nobody signed it"


def test_the_content_is_given_once(tmp_path: Path) -> None:
    desk = CmsDesk(tmp_path)
    desk.sign()
    with pytest.raises(SpecError, match="is detached; give the content that was signed, as src"):
        desk.verify(False)
    desk.sign(attached=True)
    with pytest.raises(SpecError, match=r"carries its content, so .* must not be given beside it"):
        desk.verify()


def test_attributes_of_another_message_do_not_sign_this_content(tmp_path: Path) -> None:
    desk = CmsDesk(tmp_path)
    desk.sign()
    assert judge(desk.dest, CONTENT + b"!") == "the content is not what CN=Signer ECC_NIST_P256 0 signed"


def test_an_ml_dsa_signature_that_names_another_set_is_not_right(tmp_path: Path) -> None:
    desk = CmsDesk(tmp_path, (cms_signer("ML_DSA_65"),))
    desk.sign()
    dotted = bytes.fromhex("0609608648016503040312")
    octets = desk.dest.read_bytes()
    at = octets.rindex(dotted)
    desk.dest.write_bytes(octets[:at] + dotted[:-1] + b"\x11" + octets[at + len(dotted) :])
    assert "this is no ML_DSA_SHAKE_256 signature" in desk.verify().reason


WRONG_KIND = [
    ({"content_type": "1.2.840.113549.1.7.3"}, "its content type is 1.2.840.113549.1.7.3"),
    ({"inner": "1.2.840.113549.1.9.16.1.4"}, "what it signs is of type 1.2.840.113549.1.9.16.1.4"),
    ({"version": 9}, "its version is 9"),
]


@pytest.mark.parametrize(("changed", "problem"), WRONG_KIND)
def test_other_kinds_of_messages_are_named(changed: dict[str, Any], problem: str, tmp_path: Path) -> None:
    desk = CmsDesk(tmp_path)
    desk.sign()
    found = structures.decode(structures.ContentInfo, desk.dest.read_bytes())
    found.content_type = structures.oid(changed.get("content_type", "1.2.840.113549.1.7.2"))
    found.content.version = changed.get("version", 1)
    found.content.encap_content_info.content_type = structures.oid(changed.get("inner", DATA))
    desk.dest.write_bytes(structures.encode(found))
    assert problem in desk.verify().reason


def test_a_signer_with_a_key_that_kms_has_not_is_told(tmp_path: Path) -> None:
    key = rsa.generate_private_key(65537, 1024)  # noqa: S505
    weak = certify(key.public_key())
    desk = CmsDesk(tmp_path)
    desk.sign()
    octets = desk.dest.read_bytes()
    message = structures.decode(structures.ContentInfo, octets)
    info = message.content.signer_infos.as_list()[0]
    info.sid = structures.IssuerAndSerialNumber(issuer=info.sid.issuer, serial_number=weak.serial_number)
    message.content.signer_infos = structures.set_of([info])
    desk.dest.write_bytes(structures.encode(message))
    assert "RSA with 1024 bits is no key that KMS can hold" in desk.verify(certificates=(weak,)).reason


def test_a_signer_whose_certificate_restricts_the_key_to_pss_is_told_and_signs_nothing(tmp_path: Path) -> None:
    """No key in KMS is restricted so, and OpenSSL takes no PKCS#1 v1.5 from such a key (RFC 4055 1.2)."""
    signer = cms_signer("RSA_2048")
    desk = CmsDesk(tmp_path, (signer,))
    desk.sign(certificates=())
    restricted = restricted_to_pss(signer.certificate)
    told = "CN=Signer RSA_2048 0: the key is restricted to RSASSA-PSS"
    assert told in desk.verify(certificates=(restricted, middle())).reason
    assert desk.verify(certificates=(signer.certificate, middle())).reason == ""
    with pytest.raises(SpecError, match=told):
        desk.plan(signers=(replace(signer, certificate=restricted),))


@cache
def mail() -> bytes:
    with TemporaryDirectory() as folder:
        return openssl_signs(Path(folder), "RSA_2048", "cms").read_bytes()


@given(st.binary(max_size=200), st.integers(0, 10_000))
def test_damage_is_told_or_does_not_touch_what_was_signed(junk: bytes, place: int) -> None:
    at = place % len(mail())
    with TemporaryDirectory() as folder:
        path = Path(folder) / "message"
        path.write_bytes(mail()[:at] + junk + mail()[at + len(junk) :])
        try:
            reason = judge(path)
        except SpecError as exc:
            reason = str(exc)  # as a message without its content that is DER by chance
        assert reason or TEXT in path.read_bytes()


@given(st.sampled_from(["der", "pem", "smime"]), st.booleans(), st.integers(0, 10_000))
def test_a_message_that_was_cut_off_is_not_right(form: str, attached: bool, length: int) -> None:
    whole = signed_as(form, attached)
    content = None if attached or form == "smime" else CONTENT
    with TemporaryDirectory() as folder:
        path = Path(folder) / "message"
        path.write_bytes(whole[: length % (len(whole) - 2)])  # the end of the last line is not missed
        assert judge(path, content) != ""


@cache
def signed_as(form: str, attached: bool) -> bytes:
    with TemporaryDirectory() as folder:
        desk = CmsDesk(Path(folder))
        desk.sign(form=form, attached=attached)
        return desk.dest.read_bytes()


@pytest.mark.parametrize("lead", [0, CHUNK - 40, CHUNK - 3, CHUNK - 2, CHUNK - 1, CHUNK, 3 * CHUNK])
def test_a_mail_is_taken_apart_wherever_its_pieces_are_cut(lead: int, tmp_path: Path) -> None:
    line = b"x" * 60 + b"\r\n"
    text = line * (lead // len(line)) + b"y" * (lead % len(line)) + b"\r\nend\r\n"
    assert judge(openssl_signs(tmp_path, "RSA_2048", "cms", text=text)) == ""
