# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A public key is kept in the form that somebody else reads, and written when it is another one."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from localaws.server import Server
from tests.unit.module.authorities import openssl
from tests.unit.module.controller import Controller
from tests.unit.module.refusals import Refusal, not_told

SIGNER = "alias/public/signer"


@pytest.fixture
def pem(controller: Controller, tmp_path: Path) -> dict[str, Any]:
    """A task that keeps the public key of an RSA key; another key is there too."""
    for name in ("signer", "other"):
        assert controller.run("kms_key", {"alias": f"public/{name}", "key_spec": "RSA_2048"})["changed"]
    return {"key_id": SIGNER, "path": str(tmp_path / "keys" / "signer.pem")}


def test_a_key_that_is_missing_is_pending_in_check_mode_and_an_error_otherwise(
    controller: Controller, tmp_path: Path
) -> None:
    task = {"key_id": SIGNER, "path": str(tmp_path / "signer.pem")}
    planned = controller.run("kms_public_key", task, check=True)
    missing = f"{SIGNER} does not exist"
    assert (planned["changed"], planned["pending"]) == (True, [f"{missing} in this account and region"])
    assert missing in controller.run("kms_public_key", task)["msg"]


def test_it_is_written_once_with_its_mode_and_told_when_that_is_asked_for(
    controller: Controller, pem: dict[str, Any]
) -> None:
    file = Path(pem["path"])
    task = {**pem, "mode": "0640", "return_content": True}
    assert controller.run("kms_public_key", task, check=True)["changed"]
    assert not file.exists()
    kept, again = controller.run("kms_public_key", task), controller.run("kms_public_key", task)
    assert (kept["changed"], again["changed"], again["public_key"]) == (True, False, kept["public_key"])
    assert (kept["key_spec"], kept["key_usage"], kept["path"]) == ("RSA_2048", "SIGN_VERIFY", str(file))
    assert ":key/" in kept["key_arn"]
    assert file.stat().st_mode & 0o777 == 0o640
    moded = controller.run("kms_public_key", {**pem, "mode": "0600"})
    assert (moded["changed"], "public_key" in moded) == (True, False)
    assert file.stat().st_mode & 0o777 == 0o600
    assert openssl(file.parent, "pkey", "-pubin", "-in", file, "-pubout") == file.read_text() == kept["public_key"]


@pytest.mark.parametrize(("form", "stands"), [("pem", True), ("der", True), ("openssh", False)])
def test_the_file_stands_while_the_key_is_disabled(
    controller: Controller, pem: dict[str, Any], local_aws: Server, form: str, stands: bool
) -> None:
    task = {**pem, "format": form}
    kept = controller.run("kms_public_key", task)
    controller.run("kms_key", {"alias": "public/signer", "key_spec": "RSA_2048", "enabled": False})
    refused = {
        "action": "error",
        "status": 400,
        "code": "DisabledException",
        "message": f"{kept['key_arn']} is disabled.",
    }
    local_aws.faults({"operation": "kms:GetPublicKey", "times": 0, **refused})
    try:
        again = controller.run("kms_public_key", task)
        Path(pem["path"]).unlink()
        gone = controller.run("kms_public_key", task)
    finally:
        local_aws.faults()
    if stands:
        told = ("key_arn", "key_spec", "key_usage", "fingerprint")
        assert again == {**again, "changed": False, **{name: kept[name] for name in told}}
    assert stands or "is disabled, and kms:GetPublicKey needs an enabled key" in again["msg"]
    assert "is disabled, and kms:GetPublicKey needs an enabled key" in gone["msg"]


def test_a_file_that_must_not_be_replaced_keeps_its_key(controller: Controller, pem: dict[str, Any]) -> None:
    task, kept = {**pem, "replace": False}, Path(pem["path"])
    made = [controller.run("kms_public_key", task) for _run in range(2)]
    assert [one["changed"] for one in made] == [True, False]
    content = kept.read_bytes()
    for key_id, found in (("alias/public/other", "another key"), ("alias/public/nobody", "names no key")):
        for check in (True, False):
            refused = controller.run("kms_public_key", {**task, "key_id": key_id}, check=check)
            assert found in refused["msg"]
            assert "Use the account and region of the key that the file is of" in refused["msg"]
    assert kept.read_bytes() == content


def test_every_form_holds_the_same_key_and_its_readers_read_it(controller: Controller, pem: dict[str, Any]) -> None:
    folder = Path(pem["path"]).parent
    told = {
        form: controller.run("kms_public_key", {**pem, "path": str(folder / f"signer.{form}"), "format": form})
        for form in ("pem", "der", "openssh", "jwk")
    }
    assert [one["changed"] for one in told.values()] == [True] * 4
    assert len({(one["spki_pin"], one["fingerprint"]["sha256"]) for one in told.values()}) == 1
    assert (len(told["pem"]["spki_pin"]), len(told["pem"]["fingerprint"]["sha256"])) == (44, 95)
    from_der = openssl(folder, "pkey", "-pubin", "-inform", "DER", "-in", "signer.der", "-pubout")
    assert from_der == (folder / "signer.pem").read_text()
    subprocess.run(["ssh-keygen", "-l", "-f", folder / "signer.openssh"], capture_output=True, check=True)
    jwk = json.loads((folder / "signer.jwk").read_text())
    assert (jwk["kty"], len(jwk["kid"])) == ("RSA", 43)


def test_the_file_of_another_key_is_replaced_and_kept_beside_when_that_is_asked_for(
    controller: Controller, pem: dict[str, Any]
) -> None:
    kept = controller.run("kms_public_key", {**pem, "return_content": True})["public_key"]
    other = {**pem, "key_id": "alias/public/other", "backup": True}
    assert controller.run("kms_public_key", other, check=True)["changed"]
    assert Path(pem["path"]).read_text() == kept
    replaced = controller.run("kms_public_key", other)
    assert replaced["changed"]
    assert Path(replaced["backup_file"]).read_text() == kept != Path(pem["path"]).read_text()


@pytest.mark.usefixtures("impatient")
def test_nothing_is_written_that_cannot_be(controller: Controller, pem: dict[str, Any], tmp_path: Path) -> None:
    symmetric = {"alias": "public/symmetric", "key_spec": "SYMMETRIC_DEFAULT", "key_usage": "ENCRYPT_DECRYPT"}
    assert controller.run("kms_key", symmetric)["changed"]
    refusals: list[Refusal] = [
        ("symmetric key and has no public key", {"key_id": "alias/public/symmetric"}),
        ("does not exist", {"key_id": "alias/public/nobody"}),
        ("cannot be read", {"path": str(tmp_path)}),
        ("AWS cannot be reached", {"endpoint_url": "http://127.0.0.1:1"}),
    ]
    assert not_told(controller, "kms_public_key", pem, refusals) == []
    assert not Path(pem["path"]).exists()
