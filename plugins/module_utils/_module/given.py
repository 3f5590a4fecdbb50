# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options that are given and say nothing: for Ansible a null or empty one is as good as any."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ansible.module_utils.basic import _load_params

from .._pki.problems import refuse

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

Group = tuple[str, ...]


def check_given(module: AnsibleModule, may_be_empty: Collection[str] = ()) -> None:
    """Refuse a task whose options say nothing where something is needed; every module begins with it.

    Args:
        may_be_empty: options that say something when they are empty.
    Raises:
        SpecError: null or empty are an option that is required or has a default, one of several of which only one may
            be given, all of those of which one is required, or a path; all of them in one message.
    """
    given = _given(module, may_be_empty)
    exclusive = _groups(module.mutually_exclusive)
    required = {**_groups(module.required_one_of), **_conditional_groups(module.required_if, module.params)}
    refuse({**option_problems(module.argument_spec, given), **group_problems(exclusive, required, given)}.values())


def _given(module: AnsibleModule, may_be_empty: Collection[str]) -> dict[str, Any]:
    """Return the options that the task names, null as None; a module's parameters do not tell that from left out."""
    task, found = _load_params(), {}
    for name, option in module.argument_spec.items():
        values = [task[word] for word in (name, *(option.get("aliases") or ())) if word in task]
        if None in values:
            found[name] = None
        elif values and name not in may_be_empty:
            found[name] = module.params[name]
    return found


def option_problems(spec: Mapping[str, Any], given: Mapping[str, Any], inside: str = "") -> dict[str, str]:
    """Return by option what is wrong with *given*, each looked at by itself.

    Args:
        spec: an argument spec, or the suboptions of the option *inside*, which ends in a point then.
    """
    found: dict[str, str] = {}
    for name, option in spec.items():
        value = given.get(name)
        listed = value if isinstance(value, list) else [value]
        if name in given and _needs_value(option, value):
            way_out = "and check the variables in it" if option.get("required") else "or leave it out"
            found[f"{inside}{name}"] = f"{inside}{name}: is {_word(value)}; give it a value, {way_out}"
        elif option.get("elements") == "path" and "" in listed:
            found[f"{inside}{name}"] = f"{inside}{name}: one of its paths is empty; check the variables in it"
        for each in listed:
            if isinstance(each, Mapping) and option.get("options"):
                found |= option_problems(option["options"], each, f"{inside}{name}.")
    return found


def group_problems(
    exclusive: Collection[Group], required: Collection[Group], given: Mapping[str, Any]
) -> dict[str, str]:
    """Return by option what is wrong with *given* where one option of a group is to say it all.

    Args:
        exclusive: groups of which only one may be given, which has to say something then.
        required: groups of which one has to say something.
    """
    found: dict[str, str] = {}
    for group in dict.fromkeys([*exclusive, *required]):
        there = [name for name in group if name in given]
        silent = [name for name in there if _is_silent(given[name])]
        if group in exclusive or silent == there:
            way_out = f"give one of {_listed(group)}" if group in required else "give it a value, or leave it out"
            found |= {name: f"{name}: is {_word(given[name])}; {way_out}" for name in silent}
    return found


def _needs_value(option: Mapping[str, Any], value: Any) -> bool:
    """Return whether *value* says nothing, and cannot mean that the option is left out either."""
    is_path = value == "" and option.get("type") == "path"
    return value in (None, "") and bool(option.get("required") or option.get("default") or is_path)


def _groups(listed: Sequence[Sequence[str]] | None) -> dict[Group, None]:
    return dict.fromkeys(tuple(group) for group in listed or ())


def _conditional_groups(conditions: Sequence[Any] | None, params: Mapping[str, Any]) -> dict[Group, None]:
    """Return the groups of required_if that apply; where it asks for all of a group, each is one of its own."""
    applying = [(names, any(one)) for option, value, names, *one in conditions or () if params.get(option) == value]
    return _groups([group for names, one in applying for group in ([names] if one else [[name] for name in names])])


def _is_silent(value: Any) -> bool:
    return value is None or value is False or value == ""


def _word(value: Any) -> str:
    return {None: "null", False: "false"}.get(value, "empty")


def _listed(group: Group) -> str:
    return " and ".join(filter(None, [", ".join(group[:-1]), group[-1]]))
