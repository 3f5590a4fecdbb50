# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Texts that are signed as the task writes them."""

from __future__ import annotations

from typing import Any

from .._pki.errors import SpecError

TEXT: dict[str, Any] = {"type": "raw", "no_log": False}
"""An option that takes text alone: with the type str Ansible would make text of anything, in Python's words."""


def octets_of_text(value: Any, option: str) -> bytes:
    """Return the octets of what is signed, as UTF-8.

    Raises:
        SpecError: it is no text, or one that has no octets in UTF-8.
    """
    if not isinstance(value, str):
        raise SpecError(
            f"{option}: is of the type {type(value).__name__} and not text, so nobody can tell which octets are meant;"
            " write it to a file and name that in src, or make text of it with to_json"
            " (before ansible-core 2.19 Ansible makes a dict or list of text in JSON again, and only src is safe)"
        )
    try:
        return value.encode()
    except UnicodeEncodeError as exc:
        raise SpecError(f"{option}: was read from something that is not UTF-8; name the file in src") from exc
