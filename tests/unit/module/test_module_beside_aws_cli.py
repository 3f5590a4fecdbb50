# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The AWS command line sees exactly what the modules report of keys, whatever has been done to them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from awscli.clidriver import create_clidriver
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from localaws.testing import Account
from tests.unit.module.controller import Controller

Cli = Callable[..., dict[str, Any]]
OURS = ("rootstock:alias", "rootstock:use")


@pytest.fixture
def aws(controller: Controller, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Cli:
    """`aws kms`, as the same principal."""
    nobody = {"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_PAGER": ""}
    for name, value in {**controller.principal.environment(), **nobody}.items():
        monkeypatch.setenv(name, value)

    def run(operation: str, key: str, *more: str) -> dict[str, Any]:
        capfd.readouterr()
        status = create_clidriver().main(["kms", operation, "--key-id", key, *more, "--output", "json"])
        said = capfd.readouterr()
        assert status == 0, said.err
        answer: dict[str, Any] = json.loads(said.out)
        return answer

    return run


def seen(aws: Cli, key: str) -> dict[str, Any]:
    """Return what the command line sees of a key, in the words of kms_key_info."""
    told = aws("describe-key", key)["KeyMetadata"]
    tags = {tag["TagKey"]: tag["TagValue"] for tag in aws("list-resource-tags", key)["Tags"]}
    used = aws("get-key-last-usage", key).get("KeyLastUsage") or {}
    return {
        "key_id": told["KeyId"],
        "key_arn": told["Arn"],
        "key_spec": told["KeySpec"],
        "key_usage": told["KeyUsage"],
        "key_state": told["KeyState"],
        "deletion_date": utc(told.get("DeletionDate")),
        "creation_date": utc(told["CreationDate"]),
        "description": told["Description"],
        "origin": told["Origin"],
        "multi_region": told["MultiRegion"],
        "signing_algorithms": told.get("SigningAlgorithms", []),
        "encryption_algorithms": told.get("EncryptionAlgorithms", []),
        "aliases": sorted(alias["AliasName"] for alias in aws("list-aliases", key)["Aliases"]),
        "tags": {name: value for name, value in tags.items() if name not in OURS},
        "use": tags.get("rootstock:use"),
        "policy": json.loads(aws("get-key-policy", key)["Policy"]),
        "last_used": utc(used.get("Timestamp")),
    }


def utc(text: Any) -> str:
    """Return a time of the command line, which may be a number, as the modules write it."""
    if not text:
        return ""
    moment = datetime.fromisoformat(text) if isinstance(text, str) else datetime.fromtimestamp(text, timezone.utc)
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def lives(controller: Controller, account: Account) -> dict[str, dict[str, Any]]:
    """Return the tasks that give one key everything that a key can have, in order."""
    me, signer = controller.principal.arn, account.role("signer").arn
    lists = {"administrators": [me], "signers": [signer], "auditors": [me]}
    everything = {"aliases": ["cli/second"], "tags": {"team": "pki", "empty": ""}, "description": "Ümläut", **lists}
    return {
        "made": {"use": "sign"},
        "dressed": everything,
        "disabled": {**everything, "tags": {}, "enabled": False},
        "gone": {"state": "absent", "force": True},
    }


def test_the_command_line_sees_what_the_modules_report_all_along_the_life_of_a_key(
    controller: Controller, account: Account, aws: Cli
) -> None:
    for what, task in lives(controller, account).items():
        done = controller.run("kms_key", {"alias": "cli/key", "key_spec": "RSA_2048", **task})
        assert done["changed"], what
        if what == "made":
            assert controller.run("kms_sign", {"key_id": "alias/cli/key", "content": "something"})["sign_calls"] == 1
        [reported] = controller.run("kms_key_info", {"alias": "cli/key"})["kms_keys"]
        found = seen(aws, reported["key_arn"])
        assert {name: reported[name] for name in found} == found, what
        assert {name: done[name] for name in found if name in done} == {
            name: value for name, value in found.items() if name in done
        }, what
    assert found["last_used"]


@pytest.mark.parametrize("key_spec", ["RSA_2048", "ECC_NIST_P384", "ECC_NIST_EDWARDS25519", "ML_DSA_44"])
def test_the_command_line_fetches_the_public_key_that_the_modules_write(
    controller: Controller, aws: Cli, tmp_path: Path, key_spec: str
) -> None:
    key = controller.run("kms_key", {"alias": "cli/key", "key_spec": key_spec, "use": "sign"})
    controller.run("kms_public_key", {"key_id": "alias/cli/key", "path": str(tmp_path / "key.pem")})
    written = load_pem_public_key((tmp_path / "key.pem").read_bytes())
    told = aws("get-public-key", "alias/cli/key")
    der = written.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert base64.b64decode(told["PublicKey"]) == der
    assert (told["KeyId"], told["SigningAlgorithms"]) == (key["key_arn"], key["signing_algorithms"])
