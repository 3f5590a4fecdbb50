# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What keeps Ansible from replacing a file atomically, and what it sets beside content."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.testing import patch_module_args

from ansible_collections.rootstock.pki.plugins.module_utils._module.files import KeptFile, write_file, write_files
from ansible_collections.rootstock.pki.plugins.module_utils._module.streams import write_pieces
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import SpecError
from tests.unit.module.authorities import make_root, root_options
from tests.unit.module.controller import Controller

Write = Callable[[Any, str], object]
WRITERS: dict[str, Write] = {
    "whole": lambda module, path: write_file(module, path, b"new"),
    "in pieces": lambda module, path: write_pieces(module, path, [b"n", b"ew"]),
}


@pytest.fixture
def mounted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that can be written and not be replaced, as rename(2) tells of mount points."""
    path = tmp_path / "mounted"
    path.write_bytes(b"old and longer")
    rename = os.rename

    def refuse(source: Any, target: Any) -> None:
        if os.fsdecode(target) == str(path):
            raise OSError(errno.EBUSY, "Device or resource busy")
        rename(source, target)

    monkeypatch.setattr(os, "rename", refuse)
    return path


def module_with(unsafe_writes: bool, folder: Path) -> AnsibleModule:
    with patch_module_args({"unsafe_writes": unsafe_writes, "_ansible_remote_tmp": str(folder)}):
        return AnsibleModule(argument_spec={}, add_file_common_args=True)


@pytest.mark.parametrize("writer", WRITERS)
def test_unsafe_writes_writes_into_a_file_that_cannot_be_replaced(mounted: Path, writer: str, tmp_path: Path) -> None:
    WRITERS[writer](module_with(True, tmp_path), str(mounted))
    assert mounted.read_bytes() == b"new"


@pytest.mark.parametrize("writer", WRITERS)
def test_without_it_such_a_file_stays_as_it_is(mounted: Path, writer: str, tmp_path: Path) -> None:
    with pytest.raises((Exception, SystemExit)):  # one or the other, as ansible-core's version has it
        WRITERS[writer](module_with(False, tmp_path), str(mounted))
    assert mounted.read_bytes() == b"old and longer"


@pytest.fixture
def full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file in a folder whose disk is full: it takes new names and no bytes."""
    path = tmp_path / "full" / "ca.pem"
    path.parent.mkdir()
    path.write_bytes(b"old")
    mkstemp = tempfile.mkstemp

    def without_room(**options: Any) -> tuple[int, str]:
        handle, name = mkstemp(**options)
        if Path(name).parent == path.parent:
            os.close(handle)
            handle = os.open("/dev/full", os.O_WRONLY)
        return handle, name

    monkeypatch.setattr(tempfile, "mkstemp", without_room)
    return path


@pytest.mark.parametrize("unsafe_writes", [False, True])
@pytest.mark.parametrize("writer", WRITERS)
def test_a_full_disk_is_told_and_the_file_stays_as_it_is(
    full: Path, writer: str, unsafe_writes: bool, tmp_path: Path
) -> None:
    module = module_with(unsafe_writes, tmp_path)
    for path in (full, full.with_name("new.pem")):
        with pytest.raises(
            SpecError, match=rf"{path}: cannot be written \(No space left on device\); check .* its disk"
        ):
            WRITERS[writer](module, str(path))
    module.do_cleanup_files()
    assert [(found.name, found.read_bytes()) for found in full.parent.iterdir()] == [("ca.pem", b"old")]


def test_a_full_disk_leaves_no_backup_of_a_file_that_stays(full: Path, tmp_path: Path) -> None:
    module = module_with(False, tmp_path)
    with pytest.raises(SpecError, match="No space left"):
        write_files(module, [KeptFile(str(full), b"new", "certificate")], backup=True)
    module.do_cleanup_files()
    assert [found.name for found in full.parent.iterdir()] == ["ca.pem"]


@pytest.mark.parametrize("writer", WRITERS)
def test_unsafe_writes_writes_into_a_file_of_a_folder_that_takes_no_other(
    writer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "closed" / "mounted"
    path.parent.mkdir()
    path.write_bytes(b"old and longer")
    access, mkstemp, rename = os.access, tempfile.mkstemp, os.rename

    def refuse(folder: Any) -> None:
        if os.fsdecode(folder) == str(path.parent):
            raise OSError(errno.EROFS, "Read-only file system")

    def make(*args: Any, **options: Any) -> tuple[int, Any]:
        refuse(options["dir"])
        return mkstemp(*args, **options)

    def move(source: Any, target: Any) -> None:
        if os.fsdecode(target) == str(path):
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        rename(source, target)

    monkeypatch.setattr(os, "access", lambda name, mode: str(name) != str(path.parent) and access(name, mode))
    monkeypatch.setattr(tempfile, "mkstemp", make)
    monkeypatch.setattr(os, "rename", move)
    WRITERS[writer](module_with(True, tmp_path), str(path))
    assert path.read_bytes() == b"new"


@pytest.fixture
def signature(controller: Controller, tmp_path: Path) -> dict[str, Any]:
    """The options of a signature that is there, for all to read."""
    assert controller.run("kms_key", {"alias": "files/signer", "use": "sign"})["changed"]
    signed = {"key_id": "alias/files/signer", "content": "x", "dest": str(tmp_path / "x.sig")}
    assert controller.run("kms_sign", signed)["changed"]
    return signed


def test_another_mode_is_shown_with_the_one_before(controller: Controller, signature: dict[str, Any]) -> None:
    dest, wanted = signature["dest"], {**signature, "mode": "0640"}
    shown = {"before": {f"{dest}: mode": "0644"}, "after": {f"{dest}: mode": "0640"}}
    for check in (True, False):
        told = controller.run("kms_sign", wanted, check=check)
        assert (told["changed"], told["sign_calls"], told["diff"]) == (True, 0, shown)
    again = controller.run("kms_sign", wanted)
    assert (again["changed"], again["diff"]) == (False, {"before": {}, "after": {}})


def test_another_owner_and_group_are_shown_with_those_before(controller: Controller, signature: dict[str, Any]) -> None:
    dest = signature["dest"]
    told = controller.run("kms_sign", {**signature, "owner": "65533", "group": "65532"}, check=True)
    now = Path(dest).stat()
    assert told["diff"]["before"] == {f"{dest}: owner": now.st_uid, f"{dest}: group": now.st_gid}
    assert told["diff"]["after"] == {f"{dest}: owner": 65533, f"{dest}: group": 65532}


def test_another_mode_is_shown_beside_another_content(controller: Controller, signature: dict[str, Any]) -> None:
    dest, wanted = signature["dest"], {**signature, "content": "y", "mode": "0600"}
    predicted, done = controller.run("kms_sign", wanted, check=True), controller.run("kms_sign", wanted)
    assert predicted["diff"] == done["diff"]
    assert done["diff"]["after"][f"{dest}: mode"] == "0600"
    assert "is no ECDSA_SHA_256 signature of this content" in done["diff"]["after"]["reason"]


def test_of_several_files_those_are_shown_that_have_another_mode(controller: Controller, tmp_path: Path) -> None:
    der = tmp_path / "root" / "ca.der"
    make_root(controller, tmp_path, der_path=str(der))
    path = tmp_path / "root" / "ca.pem"
    path.chmod(0o600)
    options = root_options(tmp_path, der_path=str(der))
    before = {f"{path}: mode": "0600", f"{der}: mode": "0644"}
    for wanted, shown in (("0400", (path, der)), ("0600", (path, der)), ("0600", ())):
        predicted = controller.run("kms_x509_cert", {**options, "mode": wanted}, check=True)["diff"]
        assert predicted == controller.run("kms_x509_cert", {**options, "mode": wanted})["diff"]
        assert predicted["after"] == {f"{file}: mode": wanted for file in shown}
        assert predicted["before"] == {name: mode for name, mode in before.items() if shown}
        before = dict.fromkeys(before, wanted)


def test_an_owner_that_there_is_not_is_refused_before_anything_is_signed(
    controller: Controller, signature: dict[str, Any]
) -> None:
    before = Path(signature["dest"]).read_bytes()
    told = controller.run("kms_sign", {**signature, "content": "y", "owner": "nobody-of-that-name"})
    assert "failed to look up user nobody-of-that-name" in told["msg"]
    assert Path(signature["dest"]).read_bytes() == before
