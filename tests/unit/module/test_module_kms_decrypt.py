# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What kms_decrypt keeps, and what it refuses to show."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any

import pytest

from tests.unit.module.controller import Controller
from tests.unit.module.refusals import Refusal, not_told

PLAINTEXT = b"a secret\x00\xff"


@pytest.fixture
def box(controller: Controller, tmp_path: Path) -> dict[str, Any]:
    """The options of a task that decrypts something."""
    key = {"alias": "decrypt/box", "use": "encrypt", "key_spec": "RSA_2048", "key_usage": "ENCRYPT_DECRYPT"}
    for alias, spec in (("decrypt/box", key), ("decrypt/other", {**key, "alias": "decrypt/other"})):
        assert controller.run("kms_key", spec)["alias"] == f"alias/{alias}"
    kms = controller.principal.client("kms")
    usual = {"KeyId": "alias/decrypt/box", "EncryptionAlgorithm": "RSAES_OAEP_SHA_256", "Plaintext": PLAINTEXT}
    (tmp_path / "box").write_bytes(kms.encrypt(**usual)["CiphertextBlob"])
    return {"key_id": "alias/decrypt/box", "src": str(tmp_path / "box"), "dest": str(tmp_path / "plain")}


def test_the_plaintext_is_kept_in_a_file_for_its_owner(controller: Controller, box: dict[str, Any]) -> None:
    assert controller.run("kms_decrypt", box)["changed"]
    plain = Path(box["dest"])
    assert (plain.read_bytes(), plain.stat().st_mode & 0o777) == (PLAINTEXT, 0o600)
    assert not controller.run("kms_decrypt", box)["changed"]


def test_a_file_that_everybody_reads_is_replaced_by_one_for_its_owner_from_the_first_moment(
    controller: Controller, box: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = Path(box["dest"])
    plain.write_bytes(b"nothing secret")
    plain.chmod(0o644)
    seen: list[tuple[bytes, int]] = []
    rename = os.rename

    def renamed(source: bytes, target: bytes) -> None:
        rename(source, target)
        seen.append((plain.read_bytes(), plain.stat().st_mode & 0o777))

    monkeypatch.setattr(os, "rename", renamed)
    assert controller.run("kms_decrypt", box)["changed"]
    assert seen == [(PLAINTEXT, 0o600)]


def test_a_file_whose_owner_cannot_be_set_is_still_for_its_owner_alone(
    controller: Controller, box: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = Path(box["dest"])
    plain.write_bytes(b"nothing secret")
    plain.chmod(0o644)
    unknown = controller.run("kms_decrypt", {**box, "owner": "nobody-at-all"})
    assert "failed to look up user nobody-at-all" in unknown["msg"]
    assert (plain.read_bytes(), plain.stat().st_mode & 0o777) == (b"nothing secret", 0o644)

    def refuse(path: bytes, *owner: int) -> None:
        raise PermissionError(f"{path!r} is not given to {owner}")

    monkeypatch.setattr(os, "lchown", refuse)
    assert "chown failed" in controller.run("kms_decrypt", {**box, "owner": "65533"})["msg"]
    assert (plain.read_bytes(), plain.stat().st_mode & 0o777) == (PLAINTEXT, 0o600)


def test_the_plaintext_is_returned_to_tasks_without_a_log(controller: Controller, box: dict[str, Any]) -> None:
    told = controller.run("kms_decrypt", {**box, "dest": None, "return_content": True, "_ansible_no_log": True})
    assert base64.b64decode(told["content"]) == PLAINTEXT


def test_what_cannot_be_decrypted_or_shown_is_refused(controller: Controller, box: dict[str, Any]) -> None:
    refusals: list[Refusal] = [
        ("return_content: true would show the plaintext; give the task no_log: true", {"return_content": True}),
        ("cannot be read", {"src": f"{box['src']}-missing"}),
        ("AWS refuses kms:Decrypt on alias/decrypt/other", {"key_id": "alias/decrypt/other"}),
        ("does not exist", {"key_id": "alias/decrypt/nobody"}),
    ]
    assert not_told(controller, "kms_decrypt", box, refusals) == []
    assert not Path(box["dest"]).exists()
