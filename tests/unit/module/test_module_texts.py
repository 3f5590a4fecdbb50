# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is signed as content is the text that the user wrote, octet by octet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.rootstock.pki.plugins.module_utils._module.cms import CMS_OPTIONS, to_cms_spec
from ansible_collections.rootstock.pki.plugins.module_utils._module.signing import (
    SIGNATURE_OPTIONS,
    to_signature_specs,
)
from ansible_collections.rootstock.pki.plugins.module_utils._module.texts import TEXT, octets_of_text
from ansible_collections.rootstock.pki.plugins.module_utils._module.verifying import VERIFY_OPTIONS, to_content
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import SpecError
from tests.unit.cms.cms_people import certificate, put_pem
from tests.unit.module.authorities import make_key, openssl
from tests.unit.module.controller import Controller, module_named

TASKS: dict[str, dict[str, Any]] = {
    "kms_sign": {"key_id": "alias/nobody"},
    "kms_cms_sign": {"key_id": "alias/nobody"},
    "kms_verify": {"signature": "AA==", "key_id": "alias/nobody"},
}
NO_TEXTS: dict[str, Any] = {
    "dict": {"a": 1, "b": ["x", True]},
    "list": [1, "x"],
    "int": 4711,
    "bool": True,
    "float": 1.5,
}


@pytest.mark.parametrize("module", TASKS)
@pytest.mark.parametrize("kind", NO_TEXTS)
def test_what_is_no_text_is_refused_and_the_way_out_told(
    controller: Controller, tmp_path: Path, module: str, kind: str
) -> None:
    told = controller.run(module, {**task_of(module, tmp_path), "content": NO_TEXTS[kind]})
    assert told["failed"]
    assert told["msg"].startswith(f"content: is of the type {kind} and not text, so nobody can tell which octets")
    assert "write it to a file and name that in src, or make text of it with to_json" in told["msg"]


def given(options: Mapping[str, Any], **values: Any) -> dict[str, Any]:
    return {name: values.get(name, option.get("default")) for name, option in options.items()}


READERS: dict[str, Callable[[str], object]] = {
    "kms_sign": lambda text: to_signature_specs(given(SIGNATURE_OPTIONS, content=text)),
    "kms_cms_sign": lambda text: to_cms_spec(given(CMS_OPTIONS, content=text, certificate_path="later.pem"), []),
    "kms_verify": lambda text: to_content(given(VERIFY_OPTIONS, content=text), []),
}


@pytest.mark.parametrize("module", READERS)
def test_text_that_was_no_utf_8_is_refused(module: str) -> None:
    read_by_ansible = "caf\xe9".encode("latin1").decode("utf-8", "surrogateescape")
    with pytest.raises(SpecError, match="content: was read from something that is not UTF-8; name the file in src"):
        READERS[module](read_by_ansible)


def test_text_is_taken_as_it_is_written() -> None:
    for text in ('{"b": 1,  "a": [true]}\n', "4711", "ä\r\n\0", ""):
        assert octets_of_text(text, "content") == text.encode()
    for nothing in (None, b"octets"):
        with pytest.raises(SpecError, match="not text"):
            octets_of_text(nothing, "content")


@pytest.mark.parametrize("module", TASKS)
def test_ansible_makes_no_text_of_what_is_none(module: str) -> None:
    assert module_named(module).ARGUMENT_SPEC["content"] == TEXT == {"type": "raw", "no_log": False}


def test_openssl_verifies_the_signature_over_text_in_json_with_a_file_that_holds_it(
    controller: Controller, tmp_path: Path
) -> None:
    text = '{"b": 1,  "a": ["x", true, null]}'
    (tmp_path / "document.json").write_text(text)
    public_key = make_key(controller, tmp_path, "json")
    task = {"key_id": "alias/module/json", "content": text, "dest": str(tmp_path / "document.sig")}
    assert controller.run("kms_sign", task)["verified"]
    said = openssl(tmp_path, "dgst", "-sha256", "-verify", public_key, "-signature", "document.sig", "document.json")
    assert "Verified OK" in said
    check = {"signature_path": task["dest"], "public_key_path": public_key}
    for content in ({"content": text}, {"src": str(tmp_path / "document.json")}):
        assert controller.run("kms_verify", {**check, **content})["valid"]


def task_of(module: str, folder: Path) -> dict[str, Any]:
    if module != "kms_cms_sign":
        return TASKS[module]
    signer = put_pem(folder / "signer.pem", certificate("ECC_NIST_P256"))
    return {**TASKS[module], "certificate_path": signer, "dest": str(folder / "content.p7s")}
