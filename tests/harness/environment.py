# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the tools run: a home and settings of their own, whatever the user has in theirs."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
BUILD = CHECKOUT / "build"
HOME = BUILD / "home"
FOREIGN = ("AWS_", "ANSIBLE_", "MOLECULE_", "PYTEST_", "PYTHON")


def environment() -> dict[str, str]:
    """Return the environment for every tool: nothing of the user's AWS account or Ansible set-up reaches a test."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    return {
        **kept,
        "HOME": str(HOME),
        "LC_ALL": "C.UTF-8",
        "PATH": search_path(),
        "ANSIBLE_HOME": str(HOME / ".ansible"),
        "ANSIBLE_COLLECTIONS_PATH": str(site_packages()),
        "ANSIBLE_NOCOLOR": "1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_COLOR": "1",
    }


def search_path() -> str:
    """Return PATH with the venv first and without version managers' shims, one of which may be dead."""
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return os.pathsep.join([str(Path(sys.executable).parent), *(f for f in folders if not f.endswith("shims"))])


def site_packages() -> Path:
    """Return the folder that holds ansible_collections, the checkout among them."""
    return Path(sys.prefix) / "lib" / f"python{python_version()}" / "site-packages"


def python_version() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def prepare_home() -> None:
    """Make the home, with the user's pip settings in it: ansible-test installs its tools and passes no PIP_* on."""
    folder = HOME / ".config" / "pip"
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"{option} = {value}".replace("\n", "\n    ") for option, value in pip_settings().items()]
    # False stands for «yes, do not compile»: what ansible-test installs is imported once or twice.
    text = "\n".join(["[global]", *lines, "[install]", "no-compile = false", ""])
    file = folder / "pip.conf"
    if not file.is_file() or file.read_text() != text:
        file.write_text(text)


def pip_settings(python: str | Path = sys.executable) -> dict[str, str]:
    """Return what the pip of *python* takes from the user's files and, before them, from the environment."""
    command = [python, "-m", "pip", "config", "list"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    settings = [line.partition("=")[::2] for line in listed]
    return {
        name.removeprefix(section): ast.literal_eval(value)
        for section in ("global.", ":env:.")
        for name, value in settings
        if name.startswith(section)
    }
