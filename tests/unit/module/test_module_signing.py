# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of kms_sign: what they become, and what contradicts itself."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.rootstock.pki.plugins.module_utils._module.signing import (
    LARGEST_SIGNATURE,
    SIGNATURE_OPTIONS,
    check_signing_options,
    manifest_digest,
    read_current,
    read_or_note,
    to_manifest_path,
    to_manifest_spec,
    to_signature_specs,
)
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import SpecError
from ansible_collections.rootstock.pki.plugins.module_utils._signer.formats import FORMATS
from ansible_collections.rootstock.pki.plugins.module_utils._signer.specs import Content


def params(**given: Any) -> dict[str, Any]:
    return {name: given.get(name, option.get("default")) for name, option in SIGNATURE_OPTIONS.items()}


def test_the_formats_offered_are_those_that_there_are() -> None:
    assert tuple(SIGNATURE_OPTIONS["format"]["choices"]) == FORMATS


def test_one_file_and_one_text_become_one_signature(tmp_path: Path) -> None:
    (spec,) = to_signature_specs(params(src="a", dest=str(tmp_path / "a.sig"), message_type="external_mu"))
    assert (spec.content, spec.dest, spec.message_type) == (Content("a"), str(tmp_path / "a.sig"), "EXTERNAL_MU")
    (spec,) = to_signature_specs(params(content="ä"))
    assert (spec.content.data, spec.dest, spec.message_type) == ("ä".encode(), "", "")


def test_files_are_signed_beside_themselves_or_in_a_folder(tmp_path: Path) -> None:
    files = [str(tmp_path / "a"), str(tmp_path / "b")]
    assert [spec.dest for spec in to_signature_specs(params(files=files))] == [f"{path}.sig" for path in files]
    folder = str(tmp_path / "signatures")
    assert [spec.dest for spec in to_signature_specs(params(files=files, dest=folder))] == [
        f"{folder}/a.sig",
        f"{folder}/b.sig",
    ]


def test_all_places_that_cannot_be_written_are_named_in_one_message(tmp_path: Path) -> None:
    (tmp_path / "a.sig").mkdir()
    (tmp_path / "file").touch()
    files = [str(tmp_path / "a"), str(tmp_path / "file/b")]
    with pytest.raises(SpecError, match=r"a.sig: is a folder; name a file in it; .*b.sig: cannot be written, "):
        to_signature_specs(params(files=files))


@pytest.mark.parametrize(
    "given",
    [
        {"content": "x", "dest": "content"},
        {"digest_value": "00" * 32, "digest_algorithm": "sha256", "allow_blind_digest": True, "dest": "digest_value"},
    ],
)
def test_a_text_or_a_digest_takes_no_name_from_its_signature(
    given: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert [spec.dest for spec in to_signature_specs(params(**given))] == [given["dest"]]


def test_no_file_at_all_is_refused() -> None:
    with pytest.raises(SpecError, match="files: is empty"):
        to_signature_specs(params(files=[]))


def test_a_digest_is_taken_when_it_is_allowed() -> None:
    given = params(digest_value="00" * 32, digest_algorithm="sha256", allow_blind_digest=True)
    (spec,) = to_signature_specs(given)
    assert spec.content == Content("digest_value", digest=bytes(32), digest_algorithm="sha256")


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"allow_blind_digest": False}, "allow_blind_digest has to be true"),
        ({"digest_algorithm": None}, "needs digest_algorithm"),
        ({"digest_value": "zz"}, "is not written in hexadecimal digits"),
        ({"digest_algorithm": "sha384"}, "has 32 octets; sha384 makes 48"),
        ({"message_type": "raw"}, "message_type: is not a choice with digest_value"),
    ],
)
def test_a_digest_that_cannot_be_one_is_refused(changed: dict[str, Any], sentence: str) -> None:
    given = {"digest_value": "00" * 32, "digest_algorithm": "sha256", "allow_blind_digest": True, **changed}
    with pytest.raises(SpecError, match=sentence):
        to_signature_specs(params(**given))


@pytest.mark.parametrize("given", [{"src": "a"}, {"content": "x"}, {"files": ["a"]}])
def test_what_would_be_ignored_is_refused_and_the_way_out_told(given: dict[str, Any]) -> None:
    strays = {"digest_algorithm": "sha256", "manifest_path": "SUMS", "manifest_digest": "sha256"}
    with pytest.raises(SpecError) as refused:
        check_signing_options(params(**given, **strays))
    wanted = [
        "digest_algorithm: tells what made digest_value, which is not given; .* is part of signing_algorithm",
        "manifest_path: is of a manifest; set manifest to true, or leave it out",
        "manifest_digest: is of a manifest",
    ]
    assert [part for part in wanted if not re.search(part, str(refused.value))] == []


def test_what_is_looked_at_is_taken() -> None:
    check_signing_options(params(digest_value="00", digest_algorithm="sha256"))
    check_signing_options(params(src="a", manifest=True, manifest_path="SUMS", manifest_digest="sha512"))


def test_a_manifest_is_made_with_sha256_unless_the_task_says_otherwise() -> None:
    assert (manifest_digest(params()), manifest_digest(params(manifest_digest="sha384"))) == ("sha256", "sha384")


def test_a_manifest_lies_in_the_folder_that_it_lists_and_its_signature_beside_it(tmp_path: Path) -> None:
    given = params(src=str(tmp_path), manifest_digest="sha512")
    path = to_manifest_path(given)
    spec = to_manifest_spec(given, path, b"lines")
    assert (path, spec.dest) == (f"{tmp_path}/SHA512SUMS", f"{tmp_path}/SHA512SUMS.sig")
    assert (spec.content, spec.purpose) == (Content(path, b"lines"), "manifest")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"content": "text"}, "manifest: lists files"),
        ({"digest_value": "00"}, "manifest: lists files"),
        ({"files": ["a"]}, "manifest: of files needs manifest_path"),
    ],
)
def test_a_manifest_is_of_files(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SpecError, match=sentence):
        to_manifest_path(params(**given))


def test_what_is_larger_than_any_signature_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "dest"
    assert read_current(str(path)) is None
    path.write_bytes(bytes(LARGEST_SIGNATURE))
    assert read_current(str(path)) == bytes(LARGEST_SIGNATURE)
    path.write_bytes(bytes(LARGEST_SIGNATURE + 1))
    assert read_current(str(path)) == b""


def test_a_file_that_is_not_there_is_noted(tmp_path: Path) -> None:
    missing: list[str] = []
    assert read_or_note(str(tmp_path / "key.pem"), "public_key_path", missing) is None
    assert read_or_note(None, "public_key_path", missing) is None
    assert missing == [f"public_key_path {tmp_path}/key.pem does not exist yet"]
