# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A message is made once and left alone after that; what must not be signed is not."""

from __future__ import annotations

import email
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.rootstock.pki.plugins.module_utils._pki.certificates import serial_hex
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import (
    KeyStateError,
    SpecError,
)
from ansible_collections.rootstock.pki.plugins.module_utils._signer.cms import CmsSigner
from ansible_collections.rootstock.pki.plugins.module_utils._signer.specs import Content
from tests.unit.cms.cms_desk import CONTENT, CmsDesk
from tests.unit.cms.cms_judges import openssl_verifies
from tests.unit.cms.cms_people import (
    CLIENT,
    CODE,
    DAY,
    MAIL,
    NOW,
    OCSP,
    authority,
    certify,
    cms_signer,
    middle,
    purposes,
    root,
    usage,
)
from tests.unit.operations.signing_desk import KnownKey
from tests.unit.signer.local_kms import KEY_ARN, local_key
from tests.unit.signer.test_signer_structures import NAMES, to_be_signed

P256 = cms_signer("ECC_NIST_P256")
KEY = local_key("ECC_NIST_P256").public_key()
SIGNS = (usage("digital_signature"), True)
TWO = (P256, cms_signer("RSA_2048"))


def desk_of(folder: Path, certificate: Any) -> CmsDesk:
    return CmsDesk(folder, (replace(P256, certificate=certificate),))


@pytest.mark.parametrize("form", ["der", "pem", "smime"])
@pytest.mark.parametrize("attached", [False, True])
def test_a_message_is_made_once_and_left_alone_after_that(form: str, attached: bool, tmp_path: Path) -> None:
    desk = CmsDesk(tmp_path, TWO)
    first = desk.plan(form=form, attached=attached)
    told = desk.carry_out(first)
    again = desk.plan(form=form, attached=attached)
    assert (first.plan.changed, told["sign_calls"], again.plan.changed, desk.asked) == (True, 2, False, 2)
    assert again.known()["signers"] == told["signers"]
    assert told["signers"][1] == {
        "key_id": "alias/RSA_2048-0",
        "subject": "CN=Signer RSA_2048 0",
        "serial_number_hex": serial_hex(TWO[1].certificate.serial_number),
        "signing_algorithm": "RSASSA_PKCS1_V1_5_SHA_512",
        "digest_algorithm": "sha512",
        "signing_time": NOW.strftime("%Y%m%d%H%M%SZ"),
    }


def test_nobody_is_asked_about_a_message_that_is_right(tmp_path: Path) -> None:
    desk = CmsDesk(tmp_path)
    desk.sign()
    desk.keys.asked.clear()
    assert not desk.plan().plan.changed
    assert desk.keys.asked == []


def test_a_message_stays_when_its_certificate_expires(tmp_path: Path) -> None:
    desk = CmsDesk(tmp_path)
    desk.sign()
    desk.now = NOW + 80 * DAY
    assert not desk.plan().plan.changed


def test_a_plan_signs_and_writes_nothing(tmp_path: Path) -> None:
    desk = CmsDesk(tmp_path, recorded=True)
    work = desk.plan()
    assert work.plan.diff == {
        "before": {},
        "after": {
            str(desk.dest): f"detached CMS signature of {desk.content} by CN=Signer ECC_NIST_P256 0"
            " with ECDSA_SHA_256, der"
        },
    }
    assert (desk.asked, list(tmp_path.iterdir())) == (0, [desk.content])


RENEWED = replace(P256, certificate=certify(KEY))
ANEW: dict[str, tuple[dict[str, Any], str]] = {
    "attached": ({"attached": True}, "is detached"),
    "format": ({"form": "pem"}, "is in the format der"),
    "no time": ({"signing_time": False}, "has other signed attributes than wanted from CN=Signer ECC_NIST_P256 0"),
    "no certificates": ({"certificates": ()}, "carries other certificates"),
    "more certificates": ({"certificates": (P256.certificate, middle(), root())}, "carries other certificates"),
    "renewed certificate": ({"signers": (RENEWED,)}, "is not signed with the certificates of CN=Signer"),
    "one signer more": ({"signers": TWO}, "is not signed with the certificates of"),
}


@pytest.mark.parametrize("what", list(ANEW))
def test_what_is_wanted_otherwise_is_signed_anew_and_the_reason_told(what: str, tmp_path: Path) -> None:
    changed, reason = ANEW[what]
    desk = CmsDesk(tmp_path, TWO)
    desk.sign(signers=(P256,))
    work = desk.plan(**{"signers": (P256,), **changed})
    assert work.plan.changed
    assert f"{desk.dest} {reason}" in work.plan.reason
    desk.carry_out(work)
    assert not desk.plan(**{"signers": (P256,), **changed}).plan.changed


def test_another_algorithm_is_signed_anew(tmp_path: Path) -> None:
    signer = cms_signer("RSA_2048")
    desk = CmsDesk(tmp_path, (signer,))
    desk.sign()
    work = desk.plan(signers=(replace(signer, signing_algorithm="RSASSA_PSS_SHA_256"),))
    assert work.plan.reason == f"{desk.dest} is signed with RSASSA_PKCS1_V1_5_SHA_512"


@pytest.mark.parametrize(("form", "attached"), [("der", False), ("der", True), ("smime", False), ("smime", True)])
def test_other_content_is_signed_anew(form: str, attached: bool, tmp_path: Path) -> None:
    desk = CmsDesk(tmp_path)
    desk.sign(form=form, attached=attached)
    desk.content.write_bytes(CONTENT + b".")
    assert desk.plan(form=form, attached=attached).plan.reason == f"{desk.dest} is not a signature of this content"


@pytest.mark.parametrize("form", ["der", "smime"])
def test_a_content_that_was_changed_inside_the_message_is_found(form: str, tmp_path: Path) -> None:
    desk = CmsDesk(tmp_path)
    desk.sign(form=form, attached=form == "der")
    plain = desk.dest.read_bytes()
    old, new = (b"agree", b"argue") if form == "der" else (b"V2Ug", b"V2Uh")
    desk.dest.write_bytes(plain.replace(old, new))
    assert desk.plan(form=form, attached=form == "der").plan.reason == f"{desk.dest} carries another content"


@pytest.mark.parametrize(
    ("there", "reason"),
    [
        (b"", "is no CMS message"),
        (b"something else\n", "is no CMS message: neither DER, nor PEM, nor a signed S/MIME mail"),
        (b"\x30\x80\x06", "BER with lengths that are not told; `openssl cms -cmsout"),
        (b"\x30\x03\x02\x01\x05", "cannot be read as CMS signed data: it is no CMS signed data"),
        (b"-----BEGIN CERTIFICATE-----\n", "is no CMS message, it begins with BEGIN CERTIFICATE"),
        (b"-----BEGIN CMS-----\nMII?\n-----END CMS-----\n", "its Base64 is damaged"),
        (b"-----BEGIN CMS-----\n-----END CMS-----\n", "it ends too early"),
        (b"-----BEGIN CMS-----\nMIIB\n", "no line -----END CMS----- ends its Base64, as if it were cut off"),
        (b"Content-Type: multipart/signed; boundary=x\n\n--x\n", "without its two parts, as if it were cut off"),
        (b"Content-Type: multipart/signed; boundary=x\n\n--x\n\na\n--x\n\nb\n--x--\n", "second part is no CMS sig"),
    ],
)
def test_what_is_no_message_is_replaced(there: bytes, reason: str, tmp_path: Path) -> None:
    desk = CmsDesk(tmp_path)
    desk.dest.write_bytes(there)
    work = desk.plan()
    assert reason in work.plan.reason
    desk.carry_out(work)
    assert not desk.plan().plan.changed


BAD_CERTIFICATES: dict[str, tuple[Callable[[], Any], str]] = {
    "expired": (lambda: certify(KEY, end=NOW - timedelta(hours=1)), "CN=Signer: was valid until"),
    "not yet valid": (lambda: certify(KEY, start=NOW + DAY), "CN=Signer: is valid from"),
    "key usage": (lambda: certify(KEY, (usage("key_agreement"), True)), "CN=Signer: is not for signatures"),
    "purpose": (lambda: certify(KEY, SIGNS, (purposes(CLIENT), False)), "CN=Signer: is for client_auth; signing"),
    "responder": (
        lambda: certify(KEY, SIGNS, (purposes(OCSP, MAIL), False)),
        "CN=Signer: is the certificate of an OCSP responder",
    ),
    "authority": (lambda: authority("Other", "Middle"), "CN=Other: is the certificate of an authority"),
    "another root": (lambda: authority("Foreign", "Foreign"), "does not lead up to a trusted certificate"),
    "another key": (
        lambda: certify(local_key("ECC_NIST_P384").public_key()),
        "CN=Signer: its certificate is not of the key alias/ECC_NIST_P256-0",
    ),
}


@pytest.mark.parametrize("what", list(BAD_CERTIFICATES))
def test_a_certificate_that_does_not_fit_is_refused_before_anything_is_signed(what: str, tmp_path: Path) -> None:
    make, message = BAD_CERTIFICATES[what]
    desk = CmsDesk(tmp_path)
    algorithm = "ECDSA_SHA_384" if what == "another key" else "ECDSA_SHA_256"
    signer = CmsSigner(P256.key_id, make(), algorithm)
    with pytest.raises(SpecError, match=re.escape(message)):
        desk.plan(signers=(signer,))
    assert desk.asked == 0


@pytest.mark.parametrize("oids", [(CODE,), (MAIL,), ("1.3.6.1.5.5.7.3.36",), ("2.5.29.37.0",), ()])
def test_a_certificate_for_content_or_for_everything_will_do(oids: tuple[str, ...], tmp_path: Path) -> None:
    more = ((purposes(*oids), False),) if oids else ()
    desk = CmsDesk(tmp_path, (replace(P256, certificate=certify(KEY, (usage("content_commitment"), True), *more)),))
    assert desk.sign()["sign_calls"] == 1
    assert desk.verify().reason == ""


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    expired = certify(KEY, SIGNS, (purposes(CLIENT), False), end=NOW - DAY / 2)
    desk = CmsDesk(tmp_path, (replace(P256, certificate=expired), cms_signer("RSA_2048")))
    desk.content.write_bytes(b"")
    desk.keys.known["alias/RSA_2048-0"] = desk.keys.known["alias/ECC_NIST_P256-0"]
    with pytest.raises(SpecError) as refused:
        desk.plan()
    wanted = ["is empty", "was valid until", "is for client_auth", "its certificate is not of the key alias/RSA_2048-0"]
    assert [part for part in wanted if part not in str(refused.value)] == []


@pytest.mark.parametrize("use", ["ca", "ocsp"])
def test_the_key_of_an_authority_or_a_responder_is_refused(use: str, tmp_path: Path) -> None:
    desk = CmsDesk(tmp_path)
    desk.keys.uses[KEY_ARN] = use
    with pytest.raises(KeyStateError, match=f"is tagged rootstock:use={use}"):
        desk.plan()


@pytest.mark.parametrize("name", NAMES)
def test_a_content_that_is_a_certificate_or_crl_to_be_signed_is_refused(name: str, tmp_path: Path) -> None:
    desk = CmsDesk(tmp_path)
    desk.content.write_bytes(to_be_signed()[name])
    with pytest.raises(SpecError, match=f"is a {name}; signed as a file it would be a forged"):
        desk.plan()


def test_contents_that_are_empty_or_cannot_be_read_are_refused(tmp_path: Path) -> None:
    desk = CmsDesk(tmp_path)
    with pytest.raises(SpecError, match="content: is empty, there is nothing to sign"):
        desk.plan(content=Content("content", b""))
    with pytest.raises(SpecError, match=r"cannot be read \(Is a directory\)"):
        desk.plan(content=Content(str(tmp_path)))
    with pytest.raises(SpecError, match=r"cannot be read \(No such file or directory\)"):
        desk.plan(content=Content(str(tmp_path / "gone")))


@pytest.mark.parametrize("name", ['the "final" one;\n.pdf', "Vertrag für alle.pdf", "x" * 200])
@pytest.mark.parametrize("attached", [False, True])
def test_a_mail_holds_a_file_of_any_name(name: str, attached: bool, tmp_path: Path) -> None:
    desk = CmsDesk(tmp_path)
    (tmp_path / name).write_bytes(CONTENT)
    options = {"content": Content(str(tmp_path / name)), "form": "smime", "attached": attached}
    desk.sign(**options)
    assert not desk.plan(**options).plan.changed
    valid, entity = openssl_verifies(desk.dest, "smime", None)
    found = email.message_from_bytes(entity)
    assert valid
    assert (found.get_filename(), found.get_payload(decode=True)) == (name.replace("\n", "_"), CONTENT)


def test_a_text_is_signed_as_a_file_is(tmp_path: Path) -> None:
    desk = CmsDesk(tmp_path)
    desk.sign(content=Content("content", CONTENT), attached=True)
    assert desk.verify(False).reason == ""
    assert not desk.plan(attached=True).plan.changed


@pytest.mark.parametrize("attached", [False, True])
def test_a_file_that_changes_between_hashing_and_writing_is_not_written(attached: bool, tmp_path: Path) -> None:
    desk = CmsDesk(tmp_path, recorded=True)
    work = desk.plan(form="smime", attached=attached)
    desk.content.write_bytes(CONTENT[::-1])
    with pytest.raises(SpecError, match="changed after it was signed; run again when it is complete"):
        desk.carry_out(work)
    assert not desk.dest.exists()


def test_what_is_not_there_yet_is_pending(tmp_path: Path) -> None:
    desk = CmsDesk(tmp_path)
    desk.keys.known.clear()
    assert desk.plan().plan.pending == ("the KMS key alias/ECC_NIST_P256-0 does not exist yet; create it with kms_key",)
    assert desk.plan("src x does not exist yet").plan.pending[0] == "src x does not exist yet"
    assert desk.plan("certificate_path x does not exist yet", signers=()).known() == {"signers": []}


def test_a_key_whose_public_key_may_not_be_read_signs_all_the_same(tmp_path: Path) -> None:
    desk = CmsDesk(tmp_path)
    desk.keys.known[P256.key_id] = KnownKey(b"", "", "")
    desk.keys.uses[P256.key_id] = None
    assert desk.sign()["sign_calls"] == 1
    assert desk.verify().reason == ""
