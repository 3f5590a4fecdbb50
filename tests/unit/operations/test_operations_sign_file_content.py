# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Contents are hashed in pieces, in flat memory, and refused where nobody means to sign them."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.rootstock.pki.plugins.module_utils._operations import content as content_module
from ansible_collections.rootstock.pki.plugins.module_utils._operations.content import (
    CHUNK,
    Prepared,
    feed_all,
    prepare_content,
)
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import SpecError
from ansible_collections.rootstock.pki.plugins.module_utils._signer.algorithms import ALGORITHMS, KEY_SPECS
from ansible_collections.rootstock.pki.plugins.module_utils._signer.specs import Content
from ansible_collections.rootstock.pki.plugins.module_utils._signer.verify import prepare
from tests.unit.signer.local_kms import SIGNING_SPECS, local_key
from tests.unit.signer.test_signer_structures import NAMES, to_be_signed

P384 = ALGORITHMS["ECDSA_SHA_384"]
LARGE_SPECS = [spec for spec in SIGNING_SPECS if KEY_SPECS[spec].family != "ED25519"]


def prepared(path: Path, record: bool = False) -> Prepared:
    return prepare_content(Content(str(path)), P384, "", None, record)


@pytest.mark.parametrize("key_spec", LARGE_SPECS)
@pytest.mark.parametrize("size", [1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 17])
def test_a_file_of_any_size_gives_the_message_of_its_content(key_spec: str, size: int, tmp_path: Path) -> None:
    content = os.urandom(size)
    path = tmp_path / "content"
    path.write_bytes(content)
    public_key, row = local_key(key_spec).public_key(), ALGORITHMS[KEY_SPECS[key_spec].bare_default]
    made = prepare_content(Content(str(path)), row, "", public_key, record=True)
    assert made.message == prepare(content, row, public_key=public_key)
    assert made.sha256 == hashlib.sha256(content).hexdigest()
    assert prepare_content(Content(str(path)), row, "", public_key, record=False).message == made.message


def test_a_large_file_is_hashed_in_flat_memory(tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(300 * 1024 * 1024)
    script = (
        "import resource, sys\n"
        f"from {content_module.__name__} import prepare_content\n"
        f"from {Content.__module__} import Content\n"
        f"from {ALGORITHMS['ECDSA_SHA_256'].__module__} import ALGORITHMS\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "prepare_content(Content(sys.argv[1]), ALGORITHMS['ECDSA_SHA_256'], '', None, False)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    ran = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True)
    assert int(ran.stdout) < 16 * 1024  # KiB


@pytest.mark.parametrize("structure", NAMES)
def test_a_structure_that_would_be_forged_is_refused_as_file_and_as_text(structure: str, tmp_path: Path) -> None:
    content = to_be_signed()[structure]
    path = tmp_path / "tbs.der"
    path.write_bytes(content)
    for given in (Content(str(path)), Content("content", content)):
        with pytest.raises(SpecError, match=f"{given.name}: is a {structure}; signed as a file it would be a forged"):
            prepare_content(given, P384, "", None, record=False)


def test_an_empty_content_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty"
    path.touch()
    for given in (Content(str(path)), Content("content", b"")):
        with pytest.raises(SpecError, match="is empty, there is nothing to sign"):
            prepare_content(given, P384, "", None, record=False)


def make_folder(path: Path) -> None:
    path.mkdir()


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


def make_nothing(path: Path) -> None:
    path.unlink(missing_ok=True)


@pytest.mark.parametrize("make", [make_folder, make_nothing, make_pipe])
def test_what_cannot_be_read_is_told(make: Callable[[Path], None], tmp_path: Path) -> None:
    path = tmp_path / "content"
    make(path)
    with pytest.raises(SpecError, match=r"content: (cannot be read|not a regular file)"):
        prepared(path)


def test_a_file_that_grows_while_it_is_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "content"
    path.write_bytes(b"half of it")

    def feed_and_grow(*arguments: object) -> None:
        feed_all(*arguments)  # type: ignore[arg-type]
        with path.open("ab") as file:
            file.write(b", and the other half")

    monkeypatch.setattr(content_module, "feed_all", feed_and_grow)
    with pytest.raises(SpecError, match="changed while it was read; run again when it is complete"):
        prepared(path)
