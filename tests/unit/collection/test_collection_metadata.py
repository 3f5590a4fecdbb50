# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the collection says about itself agrees with what is in it."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from ansible_collections.amazon.aws.plugins.module_utils.modules import aws_argument_spec

from tests.harness.environment import CHECKOUT

MODULES = sorted(file.stem for file in (CHECKOUT / "plugins" / "modules").glob("[!_]*.py"))


def load(name: str) -> Any:
    return yaml.safe_load((CHECKOUT / name).read_text())


def argument_spec(module: str) -> Mapping[str, Mapping[str, Any]]:
    spec: Mapping[str, Mapping[str, Any]] = importlib.import_module(
        f"ansible_collections.rootstock.pki.plugins.modules.{module}"
    ).ARGUMENT_SPEC
    return spec


def names_and_aliases(spec: Mapping[str, Mapping[str, Any]]) -> set[str]:
    return {name for option, facts in spec.items() for name in [option, *facts.get("aliases", [])]}


@pytest.mark.parametrize("module", MODULES)
def test_no_option_takes_a_name_that_amazon_aws_gives_to_its_common_options(module: str) -> None:
    assert names_and_aliases(argument_spec(module)) & names_and_aliases(aws_argument_spec()) == set()


@pytest.mark.parametrize("group", ["aws", "kms"])
def test_an_action_group_names_exactly_the_modules_that_take_aws_options(group: str) -> None:
    listed = [entry for entry in load("meta/runtime.yml")["action_groups"][group] if isinstance(entry, str)]
    sources = {module: (CHECKOUT / "plugins" / "modules" / f"{module}.py").read_text() for module in MODULES}
    assert listed == [module for module, source in sources.items() if "AnsibleAWSModule(" in source]


def test_no_part_of_a_fragment_has_the_name_of_another_fragment_for_which_ansible_would_take_it() -> None:
    names = {file.stem for file in (CHECKOUT / "plugins" / "doc_fragments").glob("[!_]*.py")}
    package = "ansible_collections.rootstock.pki.plugins.doc_fragments"
    fragments = [importlib.import_module(f"{package}.{name}").ModuleDocFragment for name in names]
    parts = {part.lower() for fragment in fragments for part in vars(fragment) if part.isupper()}
    assert parts & names == set()


def test_the_requirements_file_asks_for_what_the_collection_depends_on() -> None:
    required = {entry["name"]: entry["version"] for entry in load("requirements.yml")["collections"]}
    assert required == load("galaxy.yml")["dependencies"]
