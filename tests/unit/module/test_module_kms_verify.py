# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a signature is right is told with the reason, whoever made it and whatever it is verified with."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.rootstock.pki.plugins.module_utils._operations.manifest import make_manifest
from tests.unit.cms.cms_desk import CmsDesk
from tests.unit.cms.cms_people import put_pem
from tests.unit.cms.cms_people import root as cms_root
from tests.unit.module.authorities import below, make_key, make_root, openssl
from tests.unit.module.controller import Controller, module_named


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("contract", "tampered"):
        (tmp_path / name).write_text(f"{name}\n")
    return tmp_path


def test_what_openssl_signed_is_verified_without_aws(controller: Controller, folder: Path) -> None:
    openssl(folder, "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384", "-out", "other.key")
    openssl(folder, "pkey", "-in", "other.key", "-pubout", "-out", "other.pem")
    openssl(folder, "dgst", "-sha384", "-sign", "other.key", "-out", "other.sig", "contract")
    task = {
        "src": str(folder / "contract"),
        "signature_path": str(folder / "other.sig"),
        "public_key_path": str(folder / "other.pem"),
        "endpoint_url": "http://127.0.0.1:9",
    }
    told = controller.run("kms_verify", task)
    assert (told["changed"], told["valid"], told["reason"]) == (False, True, "")
    assert told["signing_algorithm"] == "ECDSA_SHA_384"
    tampered = {**task, "src": str(folder / "tampered")}
    other = controller.run("kms_verify", {**tampered, "fail_on_invalid": False})
    reason = f"this is no ECDSA_SHA_384 signature of {folder}/tampered by this key"
    assert ("failed" in other, other["valid"], other["reason"]) == (False, False, reason)
    refused = controller.run("kms_verify", tampered)
    assert (refused["failed"], refused["valid"], reason in refused["msg"]) == (True, False, True)


def test_a_certificate_leads_to_its_root_for_its_purpose_and_time_and_kms_is_asked_about_a_key(
    controller: Controller, folder: Path
) -> None:
    usual = signed(controller, folder)
    signer, root = str(folder / "signer.pem"), str(folder / "root" / "ca.pem")
    chained = {"certificate_path": signer, "root_certificates": [root]}
    online = {"key_id": "alias/module/signer"}
    nobody = controller.run("kms_verify", {**usual, **chained, "root_certificates": []})
    assert ("valid" in nobody, "root_certificates: is empty" in nobody["msg"]) == (False, True)
    assert controller.run("kms_verify", {**usual, "certificate_path": signer})["valid"]
    good = controller.run("kms_verify", {**usual, **chained, "purpose": "document_signing"})
    assert (good["valid"], good["chain"]) == (True, ["CN=signer", "CN=Acme root,O=Acme"])
    assert controller.run("kms_verify", {**usual, **online})["valid"]
    for key in (online, {"public_key_path": str(folder / "signer" / "public_key.pem")}):
        unchecked = controller.run("kms_verify", {**usual, **key, "root_certificates": [root], "purpose": "nonsense"})
        assert unchecked["msg"].startswith("root_certificates, purpose: judged of a certificate alone")
    for wrong, reason in (
        ({**chained, "purpose": "code_signing"}, "CN=signer. is for document_signing, not for code_signing"),
        ({**chained, "valid_at": "+20000d"}, "CN=signer. was valid until .*; CN=Acme root,O=Acme. was valid until"),
        ({"certificate_path": root, "valid_at": "+0s"}, "CN=Acme root,O=Acme. is not for signatures"),
        ({**online, "src": str(folder / "tampered")}, "this is no ML_DSA_SHAKE_256 signature"),
    ):
        told = controller.run("kms_verify", {**usual, **wrong})
        assert ("failed" in told, told["valid"]) == (False, False)
        assert re.search(reason, told["reason"]), told["reason"]


def test_a_message_over_a_manifest_is_judged_with_the_files_that_are_listed(
    controller: Controller, folder: Path
) -> None:
    desk = CmsDesk(folder)
    desk.content.write_bytes(make_manifest([str(folder / "contract")], str(desk.content), "sha256"))
    desk.sign()
    root = put_pem(folder / "root.pem", cms_root())
    task = {"src": str(desk.content), "signature_path": str(desk.dest), "format": "cms", "root_certificates": [root]}
    task |= {"manifest": True, "fail_on_invalid": False}
    told = controller.run("kms_verify", task)
    assert (told["valid"], told["signers"][0]["valid"]) == (True, True)
    (folder / "contract").write_text("tampered\n")
    told = controller.run("kms_verify", task)
    assert (told["valid"], told["reason"]) == (False, "contract: is not the file that was listed")
    desk.content.write_bytes(desk.content.read_bytes() + b"\n")
    told = controller.run("kms_verify", task)
    assert told["reason"] == "the content is not what CN=Signer ECC_NIST_P256 0 signed"
    missing = {**task, "src": str(folder / "later")}
    assert controller.run("kms_verify", missing, check=True)["pending"] == [f"src {folder}/later does not exist yet"]
    attached = {name: value for name, value in task.items() if name != "src"}
    assert "manifest: is the file in src" in controller.run("kms_verify", attached)["msg"]


def signed(controller: Controller, folder: Path) -> dict[str, Any]:
    """Have a signer with a certificate sign the contract, and return what verifies that."""
    make_root(controller, folder)
    make_key(controller, folder, "signer", "ML_DSA_65")
    own = {"certificate_profile": "document_signing", "public_key_path": str(folder / "signer" / "public_key.pem")}
    assert controller.run("kms_x509_cert", below(folder, "signer", **own))["changed"]
    usual = {"src": str(folder / "contract"), "format": "base64"}
    task = {**usual, "key_id": "alias/module/signer", "dest": str(folder / "contract.sig")}
    made = controller.run("kms_sign", task)
    return {**usual, "signature": made["signature"], "fail_on_invalid": False}


def test_what_is_missing_is_pending_in_check_mode_and_an_error_otherwise(controller: Controller, folder: Path) -> None:
    task = {"key_id": "alias/module/later", "src": str(folder / "later"), "signature": "AA==", "format": "base64"}
    later = controller.run("kms_verify", task, check=True)
    assert (later["changed"], len(later["pending"])) == (False, 2)
    assert "the KMS key alias/module/later does not exist" in controller.run("kms_verify", task)["msg"]


NOTHING = {"null": None, "empty": ""}


@pytest.mark.parametrize("word", NOTHING)
@pytest.mark.parametrize("check", [False, True])
def test_a_signature_key_or_certificate_that_is_null_or_empty_proves_nothing(
    controller: Controller, folder: Path, word: str, check: bool
) -> None:
    desk = CmsDesk(folder)
    desk.sign()
    root = put_pem(folder / "root.pem", cms_root())
    plain = {"content": "anything at all", "signature": "AA=="}
    message = {"src": str(desk.content), "signature_path": str(desk.dest), "format": "cms", "root_certificates": [root]}
    assert controller.run("kms_verify", message)["valid"]
    for usual, option in (
        ({"content": "anything at all", "certificate_path": root, "root_certificates": [root]}, "signature"),
        ({"content": "anything at all", "public_key_path": root}, "signature_path"),
        (plain, "certificate_path"),
        (plain, "certificate_content"),
        (plain, "public_key_content"),
        (plain, "key_id"),
        (message, "certificate_path"),
        (message, "certificate_content"),
    ):
        told = controller.run("kms_verify", {**usual, option: NOTHING[word]}, check=check)
        assert (told["failed"], told["msg"].startswith(f"{option}: is {word}; give ")) == (True, True), told["msg"]


def test_a_file_without_a_certificate_is_nobody_whose_signature_a_message_may_lack(
    controller: Controller, folder: Path
) -> None:
    desk = CmsDesk(folder)
    desk.sign()
    (folder / "nobody.pem").touch()
    task = {
        "src": str(desk.content),
        "signature_path": str(desk.dest),
        "format": "cms",
        "root_certificates": [put_pem(folder / "root.pem", cms_root())],
        "certificate_path": str(folder / "nobody.pem"),
    }
    assert "nobody.pem: holds no certificate" in controller.run("kms_verify", task)["msg"]


@pytest.mark.parametrize("part", ["to_signature", "find_key"])
@pytest.mark.parametrize("check", [False, True])
def test_a_run_that_comes_to_no_verdict_and_waits_for_nothing_fails(
    controller: Controller, folder: Path, monkeypatch: pytest.MonkeyPatch, part: str, check: bool
) -> None:
    make_key(controller, folder, "signer")
    monkeypatch.setattr(module_named("kms_verify"), part, lambda *_arguments: None)
    key = {"public_key_path": str(folder / "signer" / "public_key.pem")}
    told = controller.run("kms_verify", {"content": "anything", "signature": "AA==", **key}, check=check)
    assert (told["failed"], "nothing was verified" in told["msg"]) == (True, True)


def test_the_empty_text_is_a_content_like_any_other(controller: Controller, folder: Path) -> None:
    (folder / "empty").touch()
    openssl(folder, "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "other.key")
    openssl(folder, "pkey", "-in", "other.key", "-pubout", "-out", "other.pem")
    openssl(folder, "dgst", "-sha256", "-sign", "other.key", "-out", "other.sig", "empty")
    task = {"signature_path": str(folder / "other.sig"), "public_key_path": str(folder / "other.pem")}
    assert controller.run("kms_verify", {**task, "content": ""})["valid"]
    assert not controller.run("kms_verify", {**task, "content": " ", "fail_on_invalid": False})["valid"]
