# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The library that X.509 is read and written with: which version it takes, and whether that is there."""

from __future__ import annotations

from importlib.metadata import version
from importlib.util import find_spec

LEAST = "45"
"""Lowest version of cryptography that nearly everything works with; twin of requirements.txt."""


def too_old(minimum: str = LEAST) -> str | None:
    """Return the version of cryptography here where it is below *minimum*; empty for none, None where all is well."""
    if find_spec("cryptography") is None:
        return ""
    found = version("cryptography")
    return found if _release(found) < _release(minimum) else None


def controller_problem() -> str:
    """Return what is wrong with the library for what runs in templates; empty where nothing is."""
    found = too_old()
    if found is None:
        return ""
    return f"this needs cryptography >= {LEAST} where Ansible runs; found {found or 'none'}. Install it there"


def _release(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")[:2] if part.isdigit())
