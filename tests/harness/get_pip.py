# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ansible-test runs to get pip into a venv, where its usual script for that cannot be downloaded.

With uv, which takes a tenth of the time, the tools of the venv's sanity test come at once; pip then finds them.
"""

from __future__ import annotations

import ensurepip
import shutil
import subprocess
import sys
from pathlib import Path


def main() -> None:
    wanted = [word for word in sys.argv[1:] if word not in ("--no-setuptools", "--no-wheel")]
    if not with_uv(wanted):
        with_pip(wanted)


def with_uv(wanted: list[str]) -> bool:
    """Return whether uv, which the set-up of the venv of all tools left there, installed it."""
    uv = shutil.which("uv")
    if not uv:
        return False
    packages = [word for word in wanted if not word.startswith("-")]
    command = [uv, "pip", "install", "--system-certs", "--quiet", "--python", sys.executable, *packages]
    return subprocess.run([*command, *tools_of(Path(uv))], check=False).returncode == 0


def tools_of(uv: Path) -> list[str]:
    """Return the words that name what the sanity test wants, whose venv is a folder .../sanity.NAME/VERSION/HASH."""
    name = f"{Path(sys.prefix).parents[1].name}.txt"
    found = uv.parents[1].glob(f"lib/python3*/site-packages/ansible_test/_data/requirements/{name}")
    return [word for file in found for word in ("--requirement", str(file))]


def with_pip(wanted: list[str]) -> None:
    bundled = sorted(Path(ensurepip.__file__).parent.glob("_bundled/pip-*.whl"))
    pip = [bundled[-1] / "pip"] if bundled else ["-m", "pip"]  # a wheel runs as it is; Debian keeps it elsewhere
    if not bundled:
        subprocess.run([sys.executable, "-m", "ensurepip"], check=True)
    subprocess.run([sys.executable, *pip, "install", "--upgrade", *wanted], check=True)


if __name__ == "__main__":
    main()
