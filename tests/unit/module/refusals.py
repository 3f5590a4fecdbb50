# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asks modules for what they must not do, and tells where the answer is not the sentence that is expected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tests.unit.module.controller import Controller

Refusal = tuple[str, Mapping[str, Any]]


def not_told(controller: Controller, module: str, usual: Mapping[str, Any], refusals: Iterable[Refusal]) -> list[str]:
    """Return a line for each task that was done, or was refused in other words or with a traceback.

    Args:
        usual: options of a task that would be done.
        refusals: part of the message, and the options that are wrong; None leaves an option out.
    """
    wrong = []
    for sentence, options in refusals:
        given = {name: value for name, value in {**usual, **options}.items() if value is not None}
        told = controller.run(module, given)
        message = told.get("msg", "no message") if told.get("failed") else f"done: {told}"
        if sentence not in message or "Traceback" in message or "module_utils" in told.get("exception", ""):
            wrong.append(f"{options}: expected {sentence!r}, got {message!r}")
    return wrong
