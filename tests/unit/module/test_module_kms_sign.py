# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What kms_sign signs, OpenSSL finds right, and a second run leaves it as it is."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import mldsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from tests.unit.module.controller import Controller

PSS = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"]
# How OpenSSL is asked; pyca stands in for ML-DSA, which OpenSSL has from 3.5.
JUDGES = {
    "RSA_2048": ["-sha512"],
    "RSA_3072": ["-sha512"],
    "RSA_4096": ["-sha256", *PSS],
    "ECC_NIST_P256": ["-sha256"],
    "ECC_NIST_P384": ["-sha384"],
    "ECC_NIST_P521": ["-sha512"],
    "ECC_SECG_P256K1": ["-sha256"],
    "ECC_NIST_EDWARDS25519": [],
    "ML_DSA_44": [],
    "ML_DSA_65": [],
    "ML_DSA_87": [],
}


@pytest.fixture
def folder(controller: Controller, tmp_path: Path) -> Path:
    """A folder with a content, and with the public keys of an RSA key and a key on P-256."""
    (tmp_path / "content").write_text("a release\n")
    (tmp_path / "tampered").write_text("A release\n")
    make_key(controller, tmp_path, "rsa", "RSA_2048")
    make_key(controller, tmp_path, "p256", "ECC_NIST_P256")
    return tmp_path


def make_key(controller: Controller, folder: Path, name: str, key_spec: str) -> None:
    assert controller.run("kms_key", {"alias": f"sign/{name}", "key_spec": key_spec, "use": "sign"})["changed"]
    assert controller.run("kms_public_key", {"key_id": f"alias/sign/{name}", "path": str(folder / f"{name}.pem")})[
        "changed"
    ]


def accepts(folder: Path, key: str, key_spec: str, content: str, signature: str) -> bool:
    """Ask a third party about a signature."""
    public_key = load_pem_public_key((folder / f"{key}.pem").read_bytes())
    if isinstance(public_key, (mldsa.MLDSA44PublicKey, mldsa.MLDSA65PublicKey, mldsa.MLDSA87PublicKey)):
        try:
            public_key.verify((folder / signature).read_bytes(), (folder / content).read_bytes())
        except InvalidSignature:
            return False
        return True
    if key_spec == "ECC_NIST_EDWARDS25519":
        command = ["pkeyutl", "-verify", "-pubin", "-inkey", f"{key}.pem", "-rawin", "-in", content]
        command += ["-sigfile", signature]
    else:
        command = ["dgst", *JUDGES[key_spec], "-verify", f"{key}.pem", "-signature", signature, content]
    return subprocess.run(["openssl", *command], cwd=folder, capture_output=True, check=False).returncode == 0


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("key_spec", JUDGES)
def test_a_file_is_signed_once_by_a_key_of_every_spec_and_others_find_it_right(
    controller: Controller, tmp_path: Path, key_spec: str
) -> None:
    (tmp_path / "content").write_text("a release\n")
    (tmp_path / "tampered").write_text("A release\n")
    make_key(controller, tmp_path, "key", key_spec)
    task = {"key_id": "alias/sign/key", "src": str(tmp_path / "content"), "dest": str(tmp_path / "signature")}
    if key_spec == "RSA_4096":
        task["signing_algorithm"] = "RSASSA_PSS_SHA_256"
    checked = controller.run("kms_sign", task, check=True)
    assert (checked["changed"], checked["sign_calls"], (tmp_path / "signature").exists()) == (True, 0, False)
    done = controller.run("kms_sign", task)
    assert (done["changed"], done["sign_calls"], done["verified"]) == (True, 1, True)
    checked_again, done_again = controller.run("kms_sign", task, check=True), controller.run("kms_sign", task)
    assert (checked_again["changed"], done_again["changed"], done_again["sign_calls"]) == (False, False, 0)
    assert (done_again["verified"], done_again["signature"]) == (True, done["signature"])
    assert accepts(tmp_path, "key", key_spec, "content", "signature")
    assert not accepts(tmp_path, "key", key_spec, "tampered", "signature")


def test_a_text_has_a_signature_in_the_result_alone(controller: Controller, folder: Path) -> None:
    before = sorted(folder.iterdir())
    told = controller.run("kms_sign", {"key_id": "alias/sign/p256", "content": "a text"})
    assert (told["changed"], told["message_type"], told["signing_algorithm"]) == (True, "digest", "ECDSA_SHA_256")
    (folder / "text.sig").write_bytes(base64.b64decode(told["signature"]))
    (folder / "text").write_text("a text")
    assert accepts(folder, "p256", "ECC_NIST_P256", "text", "text.sig")
    assert sorted(folder.iterdir()) == sorted([*before, folder / "text", folder / "text.sig"])


def test_a_content_that_is_sent_itself_has_two_lines_in_the_ledger_and_counts_where_a_digest_would_be_sent(
    controller: Controller, folder: Path
) -> None:
    task = {
        "key_id": "alias/sign/rsa",
        "src": str(folder / "content"),
        "dest": str(folder / "raw.sig"),
        "ledger_path": str(folder / "ledger.jsonl"),
    }
    sent = {"message_type": "raw", "public_key_path": str(folder / "rsa.pem")}
    assert controller.run("kms_sign", {**task, **sent})["message_type"] == "raw"
    assert not controller.run("kms_sign", task)["changed"]
    intent, signed = lines(folder / "ledger.jsonl")
    assert (intent["kind"], signed["kind"], signed["intent"]) == ("intent", "signed", intent["id"])
    assert (intent["purpose"], intent["name"]) == ("file", task["dest"])
    assert intent["content_sha256"] == hashlib.sha256((folder / "content").read_bytes()).hexdigest()
    assert signed["caller_arn"].startswith("arn:aws:sts::")
    assert signed["request_id"]


def test_another_content_is_planned_with_its_reason_and_a_mode_is_set_without_a_signature(
    controller: Controller, folder: Path
) -> None:
    task = {"key_id": "alias/sign/p256", "src": str(folder / "content"), "dest": str(folder / "p256.sig")}
    assert controller.run("kms_sign", {**task, "mode": "0640"})["changed"]
    assert (folder / "p256.sig").stat().st_mode & 0o777 == 0o640
    planned = controller.run("kms_sign", {**task, "src": str(folder / "tampered")}, check=True)
    reason = f"{task['dest']} is no ECDSA_SHA_256 signature of this content by this key"
    assert planned["changed"]
    assert planned["reason"] == planned["diff"]["after"]["reason"]
    assert reason in planned["reason"]
    moded = controller.run("kms_sign", {**task, "mode": "0600"})
    assert (moded["changed"], moded["sign_calls"]) == (True, 0)
    assert (folder / "p256.sig").stat().st_mode & 0o777 == 0o600


def test_what_is_missing_in_check_mode_is_pending(controller: Controller, tmp_path: Path) -> None:
    task = {"key_id": "alias/sign/later", "src": str(tmp_path / "later"), "dest": str(tmp_path / "later.sig")}
    told = controller.run("kms_sign", task, check=True)
    assert told["changed"]
    assert told["pending"][0] == "the KMS key alias/sign/later does not exist yet; create it with kms_key"
    assert len(told["pending"]) == 2


def test_many_files_each_have_their_signature_and_a_folder_has_one_manifest(
    controller: Controller, folder: Path
) -> None:
    files = [folder / f"release-{name}" for name in "abc"]
    for file in files:
        file.write_text(f"{file.name}\n")
    many = {
        "key_id": "alias/sign/p256",
        "files": [str(file) for file in files],
        "dest": str(folder / "signatures"),
        "format": "base64",
        "ledger_path": str(folder / "many.jsonl"),
    }
    checked = controller.run("kms_sign", many, check=True)
    assert (checked["changed"], checked["sign_calls"]) == (True, 0)
    assert "signature" not in checked["signatures"][0]
    done, done_again = controller.run("kms_sign", many), controller.run("kms_sign", many)
    assert (done["sign_calls"], [one["verified"] for one in done["signatures"]]) == (3, [True] * 3)
    assert done["signatures"][2]["dest"] == str(folder / "signatures" / "release-c.sig")
    assert (done_again["changed"], done_again["signatures"]) == (False, done["signatures"])
    (folder / "b.sig").write_bytes(base64.b64decode((folder / "signatures" / "release-b.sig").read_text()))
    assert accepts(folder, "p256", "ECC_NIST_P256", "release-b", "b.sig")
    judge_manifest(controller, folder)
    told = Counter((line["kind"], line.get("purpose")) for line in lines(folder / "many.jsonl"))
    assert told == {("intent", "file"): 3, ("intent", "manifest"): 1, ("signed", None): 4}


def judge_manifest(controller: Controller, folder: Path) -> None:
    """Sign a manifest of all signatures, and have OpenSSL and sha256sum judge it."""
    manifest = {
        "key_id": "alias/sign/rsa",
        "src": str(folder / "signatures"),
        "manifest": True,
        "ledger_path": str(folder / "many.jsonl"),
    }
    assert controller.run("kms_sign", manifest, check=True)["changed"]
    done, done_again = controller.run("kms_sign", manifest), controller.run("kms_sign", manifest)
    assert (done["sign_calls"], done["manifest_path"]) == (1, str(folder / "signatures" / "SHA256SUMS"))
    assert (done_again["changed"], done_again["signature"]) == (False, done["signature"])
    assert accepts(folder, "rsa", "RSA_2048", "signatures/SHA256SUMS", "signatures/SHA256SUMS.sig")
    checked = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    subprocess.run(checked, cwd=folder / "signatures", capture_output=True, check=True)


def test_manifests_of_one_folder_and_a_message_over_one_of_them_come_to_rest(
    controller: Controller, folder: Path
) -> None:
    release = folder / "release"
    release.mkdir()
    (release / "a.tar").write_text("a release\n")
    (release / "SHA256SUMS.p7s").write_text("a message over SHA256SUMS\n")
    usual = {"key_id": "alias/sign/p256", "src": str(release), "manifest": True}
    tasks = [{**usual, "manifest_digest": digest} for digest in ("sha256", "sha384", "sha512")]
    assert [controller.run("kms_sign", task)["sign_calls"] for task in tasks] == [1, 1, 1]
    assert [controller.run("kms_sign", task)["changed"] for task in tasks] == [False, False, False]
    for digest in ("sha256", "sha384", "sha512"):
        checked = [f"{digest}sum", "--check", "--strict", f"{digest.upper()}SUMS"]
        told = subprocess.run(checked, cwd=release, capture_output=True, check=True, text=True)
        assert told.stdout == "a.tar: OK\n"


def test_a_key_that_is_not_there_is_pending_in_check_mode_whatever_is_known_of_it(
    controller: Controller, folder: Path
) -> None:
    later = {"src": str(folder / "content"), "public_key_path": str(folder / "rsa.pem")}
    missing = str(uuid.UUID(int=7))
    for key_id in ("alias/sign/later", missing):
        told = controller.run("kms_sign", {**later, "key_id": key_id}, check=True)
        assert told["pending"] == [f"the KMS key {key_id} does not exist yet; create it with kms_key"]
        assert told["pending"] == [controller.run("kms_sign", {**later, "key_id": key_id})["msg"]]


def test_a_digest_that_nobody_has_seen_is_signed_when_that_is_allowed(controller: Controller, folder: Path) -> None:
    blind = {
        "key_id": "alias/sign/rsa",
        "digest_value": hashlib.sha256((folder / "content").read_bytes()).hexdigest(),
        "digest_algorithm": "sha256",
        "dest": str(folder / "blind.sig"),
        "allow_blind_digest": True,
    }
    assert controller.run("kms_sign", blind)["signing_algorithm"] == "RSASSA_PKCS1_V1_5_SHA_256"
    command = ["openssl", "dgst", "-sha256", "-verify", "rsa.pem", "-signature", "blind.sig", "content"]
    subprocess.run(command, cwd=folder, capture_output=True, check=True)
