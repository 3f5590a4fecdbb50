# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A copy of the checkout standing where ansible-test insists: inside ansible_collections/rootstock/pki."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.harness.environment import BUILD, CHECKOUT, site_packages


@contextmanager
def held(name: str) -> Iterator[Path]:
    """Hold a folder below build/test that one run at a time may use; another one waits."""
    folder = BUILD / "test" / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


def copy_checkout(root: Path, leave_out: tuple[str, ...] = ()) -> Path:
    """Replace *root* by a collections tree of this checkout and amazon.aws; return the folder of ours.

    Args:
        leave_out: folders that nobody needs there, each with a slash at its end.
    """
    shutil.rmtree(root, ignore_errors=True)
    ours = root / "ansible_collections" / "rootstock" / "pki"
    for name in (name for name in visible_files() if not name.startswith(leave_out)):
        source, target = CHECKOUT / name, ours / name
        if source.is_symlink() or source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
    (ours.parents[1] / "amazon").mkdir()
    (ours.parents[1] / "amazon" / "aws").symlink_to(site_packages() / "ansible_collections" / "amazon" / "aws")
    # ansible-test asks git what is here, and without this would ask the checkout, which ignores its build folder.
    subprocess.run(["git", "-c", "init.defaultBranch=copy", "init", "--quiet", ours], check=True)
    return ours


def visible_files() -> list[str]:
    """Return the names of all files that git tracks or would."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True)
    return sorted(set(listed.stdout.split("\0")) - {""})
