# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Try all, then refuse once: the helper behind every message that lists all problems."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from .errors import SpecError

Given = TypeVar("Given")
Made = TypeVar("Made")


def convert_all(convert: Callable[[Given], Made], given: Iterable[Given]) -> list[Made]:
    """Return *convert* of each, or raise one SpecError that says what is wrong with every one that failed."""
    made, problems = try_all(convert, given)
    refuse(problems)
    return made


def try_all(convert: Callable[[Given], Made], given: Iterable[Given]) -> tuple[list[Made], list[str]]:
    """Return what could be converted, and what is wrong with the rest."""
    made: list[Made] = []
    problems: list[str] = []
    for one in given:
        try:
            made.append(convert(one))
        except SpecError as exc:  # noqa: PERF203
            problems.append(str(exc))
    return made, problems


def refuse(problems: Iterable[str]) -> None:
    """Raise one SpecError with all *problems*, each once, if there are any."""
    found = list(dict.fromkeys(problems))
    if found:
        raise SpecError("; ".join(found))
