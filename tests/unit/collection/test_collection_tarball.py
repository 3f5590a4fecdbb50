# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a user installs: the tarball of `ansible-galaxy collection build`."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from pathlib import Path

from tests.harness.environment import CHECKOUT
from tests.harness.tree import visible_files

MADE_BY_THE_BUILD = {"MANIFEST.json", "FILES.json"}
LEFT_OUT = {"galaxy.yml"}  # becomes MANIFEST.json


def test_the_tarball_holds_what_git_holds_and_nothing_that_was_made_here(tmp_path: Path) -> None:
    wanted = {name for name in visible_files() if not name.startswith(".ci/") and (CHECKOUT / name).exists()}
    assert build(tmp_path) - MADE_BY_THE_BUILD == wanted - LEFT_OUT


def build(folder: Path) -> set[str]:
    """Build the collection into *folder* and return the names of the files in it."""
    program = Path(sys.executable).with_name("ansible-galaxy")
    command = [str(program), "collection", "build", "--output-path", str(folder)]
    subprocess.run(command, cwd=CHECKOUT, env={**os.environ, "ANSIBLE_HOME": str(folder)}, check=True)
    [built] = folder.glob("rootstock-pki-*.tar.gz")
    with tarfile.open(built) as tarball:
        return {member.name for member in tarball if not member.isdir()}
