# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make .venv: the pinned packages, and this checkout visible in it as rootstock.pki. Quick where nothing changed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from tests.harness.environment import CHECKOUT, pip_settings

VENV = CHECKOUT / ".venv"
STAMP = VENV / "installed.txt"
REQUIREMENTS = CHECKOUT / "requirements-dev.txt"
PYTHON = ".".join(str(part) for part in sys.version_info[:3])
UV = "uv==0.13.9"  # installs in a quarter of the time that pip takes
OTHER_SOURCES = {"index-url", "no-index"}  # settings of pip that uv does not read
MISSING_VENV = """{python} cannot make a virtual environment. On Debian and Ubuntu: apt-get install python3-venv
Or name another Python, 3.11 or newer: make setup PYTHON=/path/to/python3"""


def main() -> None:
    wanted = fingerprint()
    if installed() != wanted:
        install(wanted)
    show_checkout()


def fingerprint() -> str:
    """Return what the venv depends on: the requirements, Python and, as its scripts name it, its own folder."""
    return f"# {VENV} with Python {PYTHON}\n{REQUIREMENTS.read_text()}"


def installed() -> str:
    """Return the fingerprint of what is installed; empty for a venv that is missing, unfinished or broken."""
    return STAMP.read_text() if STAMP.is_file() and runs(VENV / "bin" / "python") else ""


def runs(python: Path) -> bool:
    return python.exists() and subprocess.run([python, "-c", ""], check=False).returncode == 0


def install(wanted: str) -> None:
    began = time.monotonic()
    STAMP.unlink(missing_ok=True)
    if not is_usable():
        make_venv()
    print(f"Installing {REQUIREMENTS.name} in {VENV}: up to two minutes, about 1 GB", flush=True)
    if not (install_with_uv() or install_with_pip()):
        sys.exit(
            "pip could not install the packages: see above. A proxy or mirror is set with PIP_INDEX_URL or pip.conf."
        )
    STAMP.write_text(wanted)
    print(f"Installed in {time.monotonic() - began:.0f} s", flush=True)


def install_with_uv() -> bool:
    """Return whether uv installed all of it; a user's own package index is known to pip alone."""
    if OTHER_SOURCES & pip_settings(VENV / "bin" / "python").keys() or not run_pip("install", UV):
        return False
    options: list[str | Path] = ["--no-cache", "--system-certs", "--quiet", "--python", VENV / "bin" / "python"]
    command = [VENV / "bin" / "uv", "pip", "install", *options, "--requirement", REQUIREMENTS]
    return subprocess.run(command, check=False).returncode == 0


def install_with_pip() -> bool:
    # Bytecode for every collection in the ansible package would take longer than all that the tools ever compile.
    return run_pip("install", "--no-compile", "--requirement", REQUIREMENTS)


def run_pip(*words: str | Path) -> bool:
    python = VENV / "bin" / "python"
    command: list[str | Path] = [python, "-m", "pip", "--disable-pip-version-check", "--quiet", *words]
    return subprocess.run(command, check=False).returncode == 0


def is_usable() -> bool:
    """Tell whether the venv runs this Python and its scripts name this folder, so that it can be brought up to date."""
    pip, settings = VENV / "bin" / "pip", VENV / "pyvenv.cfg"
    if not (runs(VENV / "bin" / "python") and pip.is_file() and settings.is_file()):
        return False
    return str(VENV) in pip.read_text() and f"version = {PYTHON}\n" in settings.read_text()


def make_venv() -> None:
    shutil.rmtree(VENV, ignore_errors=True)
    made = subprocess.run([sys.executable, "-m", "venv", VENV], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        shutil.rmtree(VENV, ignore_errors=True)
        sys.exit(f"{made.stdout}{made.stderr}{MISSING_VENV.format(python=sys.executable)}")


def show_checkout() -> None:
    """Link the checkout where Ansible, pytest and every other tool of the venv find it, whatever folder they run in."""
    [packages] = VENV.glob("lib/python3.*/site-packages")
    link = packages / "ansible_collections" / "rootstock" / "pki"
    target = os.path.relpath(CHECKOUT, link.parent)
    if link.is_symlink() and os.readlink(link) == target:
        return
    link.parent.mkdir(parents=True, exist_ok=True)
    fresh = link.with_name("pki.new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target, target_is_directory=True)
    fresh.replace(link)  # in one step: other runs may be reading through it


if __name__ == "__main__":
    main()
