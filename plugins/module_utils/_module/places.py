# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files that a task names: what it writes has to be none of the others."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any

from .._pki.problems import refuse
from .._pki.task import LEDGER_NAME

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

LEDGER_SUFFIX = "ledger_path"
"""How the name of every option ends that names a ledger, or several."""


class Use(IntEnum):
    """What a task does with a file."""

    OUTPUT = 1
    LEDGER = 2
    INPUT = 3


_OF_FOLDERS = ("", os.curdir, os.pardir)
"""Last parts of paths that name folders."""

# What comes of one file for two uses. Two ledgers may be one, as those of a root and of what it issues; so may inputs.
_HARM = {
    (Use.OUTPUT, Use.OUTPUT): "and only one can be there; give each one of its own",
    (Use.OUTPUT, Use.LEDGER): "which would lose all that the ledger recorded; give {} one of its own",
    (Use.OUTPUT, Use.INPUT): "which the task would overwrite; give {} one of its own",
    (Use.LEDGER, Use.INPUT): "which the ledger would write into; give {} one of its own",
}


@dataclass(frozen=True)
class Place:
    """A file that a task names.

    Attributes:
        option: that names it, or what else the user knows it by.
    """

    option: str
    path: str
    use: Use = Use.OUTPUT


def ledger_beside(path: str) -> str:
    """Return where the ledger is whose option is not given: beside the certificate or request at *path*."""
    return os.path.join(os.path.dirname(os.path.abspath(path)), LEDGER_NAME)


def check_places(
    module: AnsibleModule,
    outputs: Sequence[str] = (),
    made: Iterable[Place] | None = None,
    beside: Mapping[str, str | None] | None = None,
) -> None:
    """Refuse a task that would write into a file that it names for something else, or into what is called a folder.

    Every other option of type path is an input, or a ledger.

    Args:
        outputs: options that name files to be written.
        made: the files that they stand for, where those are not simply the files that they name.
        beside: what the default ledger of an option lies beside; None where it has no default.
    Raises:
        SpecError: it would; all problems in one message.
    """
    params = module.params
    named = list(named_places(module.argument_spec, params, outputs))
    written = [place for place in named if place.use == Use.OUTPUT] if made is None else list(made)
    others = [place for place in named if place.use != Use.OUTPUT]
    for option, path in (beside or {}).items():
        if path and not params[option]:
            others.append(Place(option, ledger_beside(path), Use.LEDGER))
    refuse(place_problems([*written, *others]))


def named_places(spec: Mapping[str, Any], params: Mapping[str, Any], outputs: Sequence[str] = ()) -> Iterator[Place]:
    """Yield the files that the options of *spec* name, those of suboptions too."""
    for option, rules in spec.items():
        given = params.get(option)
        if not given:
            continue
        kind = rules.get("elements") or rules.get("type")
        for one in given if isinstance(given, list) else [given]:
            if kind == "path" and one:
                yield Place(option, one, _use(option, outputs))
            elif kind == "dict" and one:
                yield from named_places(rules.get("options") or {}, one)


def _use(option: str, outputs: Sequence[str]) -> Use:
    if option in outputs:
        return Use.OUTPUT
    return Use.LEDGER if option.endswith(LEDGER_SUFFIX) else Use.INPUT


def place_problems(places: Sequence[Place]) -> Iterator[str]:
    """Yield what is wrong with *places*: two that are one file and must not be, and folders to be written into.

    Files that are called differently are told apart without asking where their folders really are.
    """
    named: dict[str, list[Place]] = {}
    for place in places:
        if place.use != Use.INPUT and os.path.basename(place.path) in _OF_FOLDERS:
            yield f"{place.option} {place.path}: is the name of a folder; name a file in it"
        if "\0" not in place.path:  # whoever opens such a path refuses it
            named.setdefault(_name(place.path), []).append(place)
    for called_alike in named.values():
        if any((one.use, other.use) in _HARM for one, other in pairwise(sorted(called_alike, key=_use_of))):
            yield from _clashes(called_alike)


def _name(path: str) -> str:
    """Return what a file is really called in its folder."""
    if os.path.islink(path):
        return os.path.basename(os.path.realpath(path))
    name = os.path.basename(path)
    return os.path.basename(os.path.abspath(path)) if name in _OF_FOLDERS else name


def _use_of(place: Place) -> Use:
    return place.use


def _clashes(places: Sequence[Place]) -> Iterator[str]:
    real: dict[str, list[Place]] = {}
    for place in sorted(places, key=_use_of):
        real.setdefault(os.path.realpath(place.path), []).append(place)
    for path, same in real.items():
        for one, other in combinations(same, 2):
            harm = _HARM.get((one.use, other.use))
            if harm:
                yield f"{one.option} and {other.option} are the same file {path}, {harm.format(one.option)}"
