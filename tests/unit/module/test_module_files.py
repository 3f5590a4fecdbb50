# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files where Ansible cannot replace them atomically, such as one that is mounted into a container by itself."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.testing import patch_module_args

from ansible_collections.rootstock.pki.plugins.module_utils._module.files import write_file
from ansible_collections.rootstock.pki.plugins.module_utils._module.streams import write_pieces

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
