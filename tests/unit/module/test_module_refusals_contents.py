# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Contents, signatures and certificates that kms_sign, kms_cms_sign and kms_verify must not take, in one sentence each.

Nothing is asked of kms:Sign, and nothing is written.
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.rootstock.pki.plugins.module_utils._operations import content as content_module
from tests.unit.module.authorities import below, make_key, make_root
from tests.unit.module.controller import Controller
from tests.unit.module.refusals import Refusal, not_told
from tests.unit.signer.test_signer_signed_attributes import as_set_of, signed_attributes
from tests.unit.signer.test_signer_structures import to_be_signed

P256, RSA, ED25519 = "alias/module/p256", "alias/module/rsa", "alias/module/ed25519"


@pytest.fixture
def folder(controller: Controller, tmp_path: Path) -> Path:
    """A folder with a content and public keys."""
    (tmp_path / "content").write_text("a release\n")
    make_key(controller, tmp_path, "p256")
    return tmp_path


def usual(folder: Path, **changed: Any) -> dict[str, Any]:
    return {"key_id": P256, "src": str(folder / "content"), "dest": str(folder / "refused.sig"), **changed}


def untouched(folder: Path) -> bool:
    """Tell whether no signature and no ledger were written."""
    return not [*folder.glob("**/refused.sig"), *folder.glob("**/*.jsonl")]


def test_contents_whose_signature_would_be_something_else(controller: Controller, folder: Path) -> None:
    structures = {**to_be_signed(), "CMS SignedAttributes": as_set_of(signed_attributes())}
    refusals: list[Refusal] = []
    for name, content in structures.items():
        path = folder / name.replace(" ", "-")
        path.write_bytes(content)
        refusals.append((f"{path}: is a {name}; signed as a file it would be a forged", {"src": str(path)}))
    assert not_told(controller, "kms_sign", usual(folder), refusals) == []
    assert untouched(folder)


def test_all_files_that_cannot_be_signed_are_named_in_one_message(controller: Controller, folder: Path) -> None:
    (folder / "empty").touch()
    (folder / "folder").mkdir()
    (folder / "dangling").symlink_to("nowhere")
    os.mkfifo(folder / "pipe")
    names = ["content", "empty", "folder", "dangling", "pipe"]
    paths = [str(folder / name) for name in names]
    many = usual(folder, src=None, files=paths, dest=str(folder / "signatures"), ledger_path=str(folder / "new.jsonl"))
    told = controller.run("kms_sign", {name: value for name, value in many.items() if value is not None})
    assert told["failed"]
    expected = [
        f"{folder}/empty: is empty, there is nothing to sign",
        f"{folder}/folder: cannot be read (Is a directory)",
        f"{folder}/dangling: cannot be read (No such file or directory)",
        f"{folder}/pipe: not a regular file",
    ]
    assert [sentence for sentence in expected if sentence not in told["msg"]] == []
    assert not (folder / "signatures").exists()
    listed = {"key_id": P256, "files": paths, "manifest": True, "manifest_path": str(folder / "SHA256SUMS")}
    told = controller.run("kms_sign", listed)
    assert [sentence for sentence in expected[1:] if sentence not in told["msg"]] == []
    assert untouched(folder)


def test_files_that_change_while_they_are_read(
    controller: Controller, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed_all = content_module.feed_all

    def feed_and_grow(*arguments: Any) -> None:
        feed_all(*arguments)
        with (folder / "content").open("ab") as file:
            file.write(b"more\n")

    monkeypatch.setattr(content_module, "feed_all", feed_and_grow)
    sentence = "content: changed while it was read; run again when it is complete"
    manifest = {"src": None, "files": [str(folder / "content")], "manifest": True, "dest": None}
    refusals: list[Refusal] = [
        (sentence, {}),
        (sentence, {**manifest, "manifest_path": str(folder / "SHA256SUMS")}),
    ]
    assert not_told(controller, "kms_sign", usual(folder), refusals) == []
    assert untouched(folder)
    assert not (folder / "SHA256SUMS").exists()


def test_algorithms_formats_and_digests_that_do_not_fit_the_key(controller: Controller, folder: Path) -> None:
    make_key(controller, folder, "rsa", "RSA_2048")
    make_key(controller, folder, "ed25519", "ECC_NIST_EDWARDS25519")
    blind = {"src": None, "digest_value": "00" * 64, "allow_blind_digest": True}
    refusals: list[Refusal] = [
        ("ECDSA_SHA_384 does not fit", {"signing_algorithm": "ECDSA_SHA_384"}),
        ("RSASSA_PSS_SHA_256 does not fit", {"signing_algorithm": "RSASSA_PSS_SHA_256"}),
        ("ED25519_SHA_512 does not fit", {"key_id": RSA, "signing_algorithm": "ED25519_SHA_512"}),
        ("its signatures cannot be verified here", {"key_id": ED25519, "signing_algorithm": "ED25519_PH_SHA_512"}),
        ("format p1363: is for ECDSA", {"key_id": RSA, "format": "p1363"}),
        ("message_type DIGEST does not fit ED25519_SHA_512", {"key_id": ED25519, "message_type": "digest"}),
        ("message_type EXTERNAL_MU does not fit ECDSA_SHA_256", {"message_type": "external_mu"}),
        ("digest_algorithm sha512: does not fit ECDSA_SHA_256", {**blind, "digest_algorithm": "sha512"}),
        ("digest_value: has 64 octets; sha256 makes 32", {**blind, "digest_algorithm": "sha256"}),
        ("is part of signing_algorithm", {"key_id": RSA, "digest_algorithm": "sha256"}),
        ("manifest_digest: is of a manifest", {"manifest_digest": "sha512"}),
        ("ED25519_SHA_512; it signs no digest", {**blind, "key_id": ED25519, "digest_algorithm": "sha512"}),
    ]
    assert not_told(controller, "kms_sign", usual(folder), refusals) == []
    assert untouched(folder)


def test_contents_over_the_limit_and_empty_ones(controller: Controller, folder: Path) -> None:
    make_key(controller, folder, "ed25519", "ECC_NIST_EDWARDS25519")
    (folder / "limit").write_bytes(b"x" * 4096)
    (folder / "large").write_bytes(b"x" * 4097)
    (folder / "empty").touch()
    refusals: list[Refusal] = [
        ("large: longer than 4096 bytes", {"key_id": ED25519, "src": str(folder / "large")}),
        ("content: longer than 4096 bytes", {"key_id": ED25519, "src": None, "content": "x" * 4097}),
        ("large: longer than 4096 bytes", {"message_type": "raw", "src": str(folder / "large")}),
        ("empty: is empty, there is nothing to sign", {"src": str(folder / "empty")}),
        ("content: is empty, there is nothing to sign", {"src": None, "content": ""}),
    ]
    assert not_told(controller, "kms_sign", usual(folder), refusals) == []
    assert untouched(folder)
    at_the_limit = usual(folder, key_id=ED25519, src=str(folder / "limit"))
    assert controller.run("kms_sign", at_the_limit)["verified"]


@pytest.mark.parametrize("signature_format", ["raw", "base64", "p1363"])
def test_a_truncated_signature_is_wrong_and_made_anew(
    controller: Controller, folder: Path, signature_format: str
) -> None:
    task = usual(folder, format=signature_format, dest=str(folder / "content.sig"))
    assert controller.run("kms_sign", task)["sign_calls"] == 1
    whole = (folder / "content.sig").read_bytes()
    check = {
        "src": task["src"],
        "signature_path": task["dest"],
        "format": signature_format,
        "public_key_path": str(folder / "p256" / "public_key.pem"),
    }
    assert controller.run("kms_verify", check)["valid"]
    for length in (0, 1, len(whole) // 2, len(whole) - 3):
        (folder / "content.sig").write_bytes(whole[:length])
        told = controller.run("kms_verify", check)
        assert (told["failed"], told["valid"], "Traceback" in told["msg"]) == (True, False, False)
        assert controller.run("kms_sign", task, check=True)["reason"].startswith(f"{task['dest']} is no ECDSA_SHA_256")
    assert controller.run("kms_sign", task)["sign_calls"] == 1


def test_certificates_that_do_not_fit_what_they_sign(controller: Controller, folder: Path) -> None:
    make_root(controller, folder)
    make_key(controller, folder, "other")
    own = {"public_key_path": str(folder / "p256" / "public_key.pem")}
    document = {**own, "certificate_profile": "document_signing"}
    for name, options in (
        ("signer", document),
        ("client", own),
        ("short", {**document, "not_after": "+1d"}),
        ("other-signer", {**document, "public_key_path": str(folder / "other" / "public_key.pem")}),
    ):
        assert controller.run("kms_x509_cert", below(folder, name, **options))["changed"]
    task = usual(folder, certificate_path=str(folder / "signer.pem"))
    refusals: list[Refusal] = [
        ("CN=client: is for client_auth; signing", {"certificate_path": str(folder / "client.pem")}),
        ("its certificate is not of the key alias/module/p256", {"certificate_path": str(folder / "other-signer.pem")}),
        ("is the certificate of an authority", {"certificate_path": str(folder / "root" / "ca.pem")}),
        ("holds no certificate", {"certificate_path": str(folder / "content")}),
        ("ECDSA_SHA_384 does not fit", {"signing_algorithm": "ECDSA_SHA_384"}),
        ("is empty, there is nothing to sign", {"src": None, "content": ""}),
    ]
    wrong = not_told(controller, "kms_cms_sign", task, refusals)
    controller.clock.now += timedelta(days=2)
    expired: list[Refusal] = [("CN=short: was valid until", {"certificate_path": str(folder / "short.pem")})]
    wrong += not_told(controller, "kms_cms_sign", task, expired)
    assert wrong == []
    assert not (folder / "refused.sig").exists()
