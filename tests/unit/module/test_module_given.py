# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options that are null or empty are not taken for given, in every module and whatever else it is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.basic import AnsibleModule

from ansible_collections.rootstock.pki.plugins.module_utils._module.given import group_problems, option_problems
from localaws.testing import Principal
from tests.unit.module.controller import MODULES, Controller, module_named

MAY_BE_EMPTY = {
    "kms_sign": {"content"},  # refused with a sentence of its own
    "kms_cms_sign": {"content"},
    "kms_verify": {"content"},
    "kms_key_info": {"alias_prefix"},
}
"""Options that say something when they are empty."""

SOMETHING: dict[str, Any] = {"int": 1, "bool": True, "dict": {"common_name": "x"}, "list": ["x"]}
"""What an option of a type is given; a text unless it is here."""

NOBODY = Controller(Principal("http://127.0.0.1:9", {"access_key_id": "x", "secret_access_key": "nothing"}, "nobody"))

Options = Mapping[str, Any]


class DeclaredError(Exception):
    """What a module tells Ansible of its options."""


def declaration(module: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return the arguments with which *module* makes its AnsibleModule."""

    def declare(_self: AnsibleModule, **arguments: Any) -> None:
        raise DeclaredError(arguments)

    with monkeypatch.context() as patched:
        patched.setattr(AnsibleModule, "__init__", declare)
        with pytest.raises(DeclaredError) as declared:
            module_named(module).main()
    found: dict[str, Any] = declared.value.args[0]
    return found


def groups_of(declared: Options) -> list[tuple[str, ...]]:
    """Return every group of options of which one is to say it all, kms_verify's by its default format."""
    conditional = [names for _option, _value, names, _one_of in declared.get("required_if") or ()]
    groups = [*(declared.get("mutually_exclusive") or ()), *(declared.get("required_one_of") or ()), *conditional]
    return list(dict.fromkeys(map(tuple, groups)))


def something(option: Options) -> Any:
    if suboptions := option.get("options"):
        made = {name: something(one) for name, one in suboptions.items() if one.get("required")}
        return [made] if option["type"] == "list" else made
    return SOMETHING.get(option.get("type", "str"), "x")


def complete(declared: Options) -> dict[str, Any]:
    """Return the options of a task that lacks nothing, with the first of every group."""
    spec = declared["argument_spec"]
    groups = groups_of(declared)
    wanted = {name for name, option in spec.items() if option.get("required")} | {group[0] for group in groups}
    given = {name: something(spec[name]) for name in wanted}
    required_by = declared.get("required_by") or {}
    return given | {needed: "x" for name, needed in required_by.items() if name in given}


def silent_tasks(module: str, declared: Options) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield an option, the word for what it is, and a task in which it says nothing and all else something."""
    usual, spec = complete(declared), declared["argument_spec"]
    may_be_empty = MAY_BE_EMPTY.get(module, set())
    for name, option in spec.items():
        if option.get("required") and option["type"] in {"str", "path"}:
            yield name, "null", {**usual, name: None}
            yield name, "empty", {**usual, name: ""}
        elif option.get("type") == "path" and name in module_named(module).ARGUMENT_SPEC:
            yield name, "empty", {**_without_rivals(usual, declared, name), name: ""}
    for group in groups_of(declared):
        for name in group:
            task = {other: value for other, value in usual.items() if other not in group}
            if spec[name]["type"] == "bool":
                yield name, "false", {**task, name: False}
                continue
            yield name, "null", {**task, name: None}
            if spec[name]["type"] in {"str", "path"} and name not in may_be_empty:
                yield name, "empty", {**task, name: ""}


def _without_rivals(usual: Options, declared: Options, name: str) -> dict[str, Any]:
    rivals = {other for group in groups_of(declared) if name in group for other in group}
    return {option: value for option, value in usual.items() if option not in rivals}


@pytest.mark.parametrize("module", MODULES)
def test_no_module_takes_a_null_or_empty_option_for_given(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    declared = declaration(module, monkeypatch)
    tasks = list(silent_tasks(module, declared))
    assert tasks
    wrong = []
    for name, word, options in tasks:
        for check in (False, True):
            told = NOBODY.run(module, options, check=check)
            if not told.get("failed") or not told["msg"].startswith(f"{name}: is {word}; give "):
                wrong.append(f"{name} {word}: {told}")
    assert wrong == []


@pytest.mark.parametrize(
    ("module", "name", "more"),
    [("kms_access_test", "expected", {"key_id": "y"}), ("x509_ledger_info", "ledger_path", {})],
)
def test_a_list_that_is_required_and_null_is_refused_by_ansible(module: str, name: str, more: Options) -> None:
    told = NOBODY.run(module, {**more, name: None})
    assert (told["failed"], f"argument '{name}' is of type NoneType" in told["msg"]) == (True, True)


def test_null_and_empty_are_found_in_suboptions_and_in_lists_of_paths_too() -> None:
    signer = {"key_id": {"type": "str", "required": True}, "place": {"type": "path"}, "hours": {"default": "24"}}
    spec = {
        "signers": {"type": "list", "elements": "dict", "options": signer},
        "role": {"type": "dict", "options": signer},
        "roots": {"type": "list", "elements": "path"},
        "name": {"type": "str"},
    }
    usual = {"key_id": "1", "place": None, "hours": "1"}
    given = {
        "signers": [usual, {**usual, "key_id": ""}],
        "role": {**usual, "place": "", "hours": ""},
        "roots": ["root.pem", ""],
        "name": "",
    }
    assert list(option_problems(spec, given).values()) == [
        "signers.key_id: is empty; give it a value, and check the variables in it",
        "role.place: is empty; give it a value, or leave it out",
        "role.hours: is empty; give it a value, or leave it out",
        "roots: one of its paths is empty; check the variables in it",
    ]
    assert option_problems(spec, {"signers": [usual], "role": usual, "roots": [], "name": None}) == {}


def test_of_options_that_go_together_one_is_enough_and_of_others_each_has_to_say_something() -> None:
    either, any_of = ("path", "content"), ("alias", "key_id")
    assert group_problems([], [any_of], {"alias": None, "key_id": "1"}) == {}
    assert list(group_problems([], [any_of], {"alias": None, "key_id": ""}).values()) == [
        "alias: is null; give one of alias and key_id",
        "key_id: is empty; give one of alias and key_id",
    ]
    assert group_problems([either], [], {"content": None}) == {
        "content": "content: is null; give it a value, or leave it out"
    }
    assert group_problems([either], [either], {}) == {}  # Ansible says so already
    assert group_problems([either], [either], {"path": "x"}) == {}


def test_an_option_is_known_by_its_other_names_too() -> None:
    told = NOBODY.run("kms_key_info", {"resource_tags": None})
    assert told["msg"].startswith("tags: is null; give one of alias, key_id, alias_prefix and tags")


def test_a_task_with_values_alone_is_taken_as_it_is(tmp_path: Path) -> None:
    told = NOBODY.run("x509_ledger", {"ledger_path": str(tmp_path / "ledger.jsonl")}, check=True)
    assert told["pending"] == [f"the ledger {tmp_path}/ledger.jsonl does not exist"]
