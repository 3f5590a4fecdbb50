# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role says the same as the code: options in its argument specs, in its tasks and in the plan."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.rootstock.pki.plugins.filter import tree_plan as planning
from ansible_collections.rootstock.pki.plugins.filter.tree_plan import tree_plan
from ansible_collections.rootstock.pki.plugins.module_utils._module.aws import AWS_OPTIONS as AWS
from ansible_collections.rootstock.pki.plugins.module_utils._module.certificate_options import (
    CERTIFICATE_OPTIONS,
    REQUEST_OPTIONS,
)
from ansible_collections.rootstock.pki.plugins.module_utils._module.key_options import ACCESS_OPTIONS
from ansible_collections.rootstock.pki.plugins.module_utils._module.key_options import KEY_OPTIONS as MODULE_KEY_OPTIONS
from ansible_collections.rootstock.pki.plugins.module_utils._pki import tree_options
from ansible_collections.rootstock.pki.plugins.module_utils._pki.crl_task import CrlTask

CHECKOUT = Path(__file__).resolve().parents[3]
ROLE = CHECKOUT / "roles" / "pki_tree"
INVENTORY = CHECKOUT / "examples" / "acme" / "inventory.yml"
ENTRY_OPTIONS = {
    "pki_authorities": tree_options.AUTHORITY_OPTIONS,
    "pki_certificates": tree_options.CERTIFICATE_OPTIONS,
}
KEY_OPTIONS = {
    "pki_authorities": tree_options.AUTHORITY_KEY_OPTIONS,
    "pki_certificates": tree_options.KEY_OPTIONS,
}

# Options whose defaults are the tree's own, or follow from other variables.
OLD_OPTIONS = {
    "certificate_profile",
    "not_before",
    "renew_before",
    "signature_padding",
    "name_constraints_permitted",
    "name_constraints_excluded",
    "authority_information_access",
    "crl_distribution_points",
}


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def variables() -> dict[str, Any]:
    options: dict[str, Any] = load(ROLE / "meta" / "argument_specs.yml")["argument_specs"]["main"]["options"]
    return options


def tasks(module: str) -> list[dict[str, Any]]:
    listed = [task for path in sorted((ROLE / "tasks").glob("*.yml")) for task in load(path)]
    found = [one for task in listed for one in task.get("block", [task])]
    return [task[module] for task in found if module in task]


@pytest.mark.parametrize("variable", ENTRY_OPTIONS)
def test_the_argument_specs_know_the_options_that_the_filters_know(variable: str) -> None:
    options = variables()[variable]["options"]
    assert set(options) == set(ENTRY_OPTIONS[variable])
    assert set(options["key"]["options"]) == set(KEY_OPTIONS[variable])


def test_the_argument_specs_know_the_options_of_a_role() -> None:
    entries = [variables()[variable]["options"]["key"]["options"] for variable in KEY_OPTIONS]
    for role in (entries[0]["assume_role"], *(key["administrator_role"] for key in entries)):
        assert set(role["options"]) == set(tree_options.ROLE_OPTIONS) == set(AWS["assume_role"]["options"])


def test_the_argument_specs_know_the_options_of_a_cross_certificate() -> None:
    options = variables()["pki_authorities"]["options"]["cross_certificates"]["options"]
    assert set(options) == set(tree_options.CROSS_OPTIONS)


def test_the_argument_specs_know_the_options_of_a_crl() -> None:
    options = variables()["pki_authorities"]["options"]["crl"]["options"]
    assert set(options) == set(tree_options.CRL_OPTIONS)
    assert {name: options[name]["default"] for name in ("next_update", "renew_before")} == {
        "next_update": CrlTask.next_update,
        "renew_before": CrlTask.renew_before,
    }


@pytest.mark.parametrize("variable", KEY_OPTIONS)
def test_keys_have_the_options_of_policies_that_the_module_has(variable: str) -> None:
    options = variables()[variable]["options"]["key"]["options"]
    for name in (*ACCESS_OPTIONS, "signing_algorithms", "account_root", "minimum_pending_window"):
        told = {part: value for part, value in options[name].items() if part != "description"}
        assert told == MODULE_KEY_OPTIONS[name], name
    assert {*ACCESS_OPTIONS} == {*tree_options.PRINCIPALS, "break_glass_principals"}


@pytest.mark.parametrize("variable", ENTRY_OPTIONS)
def test_the_argument_specs_and_the_filters_agree_on_shapes(variable: str) -> None:
    words = {"str": "a string", "int": "a whole number, 0 or more", "bool": "true or false", "dict": "a mapping"}
    for name, option in variables()[variable]["options"].items():
        if name in ("lint", "generation"):
            continue  # false stands for a choice, and there is no generation 0
        of_list = "a list of strings" if option.get("elements") == "str" else "a list"
        assert ENTRY_OPTIONS[variable][name].words == words.get(option["type"], of_list), name


@pytest.mark.parametrize("variable", ENTRY_OPTIONS)
def test_the_argument_specs_name_every_choice(variable: str) -> None:
    options = variables()[variable]["options"]
    assert options["key"]["options"]["key_spec"]["choices"] == list(tree_options.KEY_SPECS)
    for name in ("digest", "signature_padding", "lint"):
        assert options[name]["choices"] == CERTIFICATE_OPTIONS[name]["choices"]


def test_entries_have_every_option_that_certificates_have() -> None:
    known = {*tree_options.AUTHORITY_OPTIONS, *tree_options.CERTIFICATE_OPTIONS}
    assert set(CERTIFICATE_OPTIONS) - known == {"certificate_profiles"}  # a variable of its own


@pytest.mark.parametrize("variable", ENTRY_OPTIONS)
def test_the_argument_specs_have_the_types_and_defaults_of_the_module(variable: str) -> None:
    options = variables()[variable]["options"]
    for name in set(options) & set(CERTIFICATE_OPTIONS) - OLD_OPTIONS:
        assert bare(options[name]) == CERTIFICATE_OPTIONS[name], name


def bare(option: Any) -> Any:
    """Return *option* without its descriptions, at every level."""
    parts = {part: value for part, value in option.items() if part != "description"}
    return parts | ({"options": {n: bare(o) for n, o in parts["options"].items()}} if "options" in parts else {})


def test_the_example_passes_the_argument_specs() -> None:
    given = {name: value for name, value in load(INVENTORY)["all"]["vars"].items() if name in variables()}
    assert ArgumentSpecValidator(variables()).validate(given).error_messages == []


@pytest.fixture
def _any_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let keys have all options at once, which no key can have."""
    monkeypatch.setattr(planning, "keys_refused", lambda _keys: [])


@pytest.mark.usefixtures("_any_key")
def test_every_option_that_a_plan_can_have_reaches_its_task() -> None:
    a = {**full_entry("a", "subordinate_ca"), "issuer": "root-r1", "not_after": "+9d"}
    a |= {"crl": {"partitions": 4}, "crl_partitions": None}
    b = {**full_entry("b", "subordinate_ca"), "issuer": "a-r1", "not_after": "+3d", "path_length": 0}
    b["crl_distribution_points"] = [{"full_name": ["URI:http://crl.example/{partition}"]}]
    plan = tree_plan(
        [full_entry("root", "root_ca"), a, b],
        pki_name="x",
        pki_dir="pki",
        base_dir="/srv",
        base_url="http://pki.example",
    )
    assert plan["problems"] == []
    for list_name, module in (
        ("kms_keys", "kms_key"),
        ("public_keys", "kms_public_key"),
        ("certificates", "kms_x509_cert"),
    ):
        planned = {option for options in plan[list_name] for option in options}
        for task in tasks(f"rootstock.pki.{module}"):
            assert planned - {"name", "aws", "account_id", "certificate_path"} <= set(task), list_name


def full_entry(name: str, profile: str) -> dict[str, Any]:
    key = {
        "alias": name,
        "key_id": f"id-of-{name}",
        "key_spec": "RSA_2048",
        "description": "x",
        "tags": {"a": "b"},
        "purge_tags": False,
        "region": "eu-west-1",
        **{option: ["111122223333"] for option in tree_options.PRINCIPALS},
        "break_glass_principals": ["arn:aws:iam::111122223333:role/safe"],
        "signing_algorithms": ["RSASSA_PSS_SHA_384"],
        "account_root": "administer",
        "minimum_pending_window": 7,
        "administrator_role": {"role_arn": "arn:aws:iam::111122223333:role/maker"},
        "assume_role": {"role_arn": "arn:aws:iam::111122223333:role/signer"},
    }
    assert set(key) | {"policy"} == set(tree_options.AUTHORITY_KEY_OPTIONS)
    return {
        "name": name,
        "generation": 1,
        "certificate_profile": profile,
        "key": key,
        "subject": {"CN": name},
        "subject_alt_name": ["DNS:pki.example"],
        "subject_alt_name_critical": True,
        "path_length": 2 if profile == "root_ca" else 1,
        "name_constraints_permitted": ["DNS:example"],
        "name_constraints_excluded": ["DNS:bad.example"],
        "name_constraints_exclude_others": False,
        "not_before": "-1h",
        "not_after": "+20d",
        "renew_before": "50%",
        "digest": "sha384",
        "signature_padding": "pss",
        "authority_information_access": {"ocsp": ["http://ocsp.example"]},
        "crl_distribution_points": [{"full_name": ["URI:http://crl.example"]}],
        "crl_partitions": 4,
        "freshest_crl": [{"full_name": ["URI:http://crl.example/delta"]}],
        "issuer_alt_name": ["DNS:pki.example"],
        "key_usage": ["key_cert_sign", "crl_sign"],
        "key_usage_critical": True,
        "extended_key_usage": ["server_auth"],
        "extended_key_usage_critical": False,
        "certificate_policies": [{"policy": "1.2.3"}],
        "certificate_policies_critical": False,
        "policy_constraints": {"require_explicit_policy": 0},
        "inhibit_any_policy": 1,
        "subject_information_access": {"ca_repository": ["URI:http://pki.example"]},
        "subject_key_identifier": "00:11",
        "other_extensions": [{"oid": "1.2.3.4", "value": "BQA="}],
        "lint": False,
        "reissue_root": False,
    }


NOT_IN_TASKS = {
    "generation",
    "issuer",
    "key",
    "crl",
    "cross_signed_by",
    "cross_certificates",
    "external",
    "certificate_path",
    "trusted_certificate_path",
}


@pytest.mark.usefixtures("_any_key")
def test_every_option_of_an_external_authority_reaches_its_tasks() -> None:
    given = full_entry("a", "subordinate_ca")
    for option in tree_options.OF_THE_ISSUER:
        del given[option]
    given |= {"external": True, "certificate_path": "a.pem", "trusted_certificate_path": ["r.pem"]}
    given["cross_certificates"] = [{"name": "b", "certificate_path": "b.pem", "trusted_certificate_path": ["r.pem"]}]
    given |= {"certificate_profile": "own"}
    profiles = {"own": {"extends": "subordinate_ca"}}
    plan = tree_plan([given], pki_name="x", pki_dir="pki", base_dir="/srv", certificate_profiles=profiles)
    assert plan["problems"] == []
    for list_name, module in (("requests", "kms_x509_csr"), ("imports", "x509_cert_import")):
        (task,) = tasks(f"rootstock.pki.{module}")
        assert {option for options in plan[list_name] for option in options} - {"aws"} <= set(task)


def test_what_a_request_cannot_say_is_refused_of_external_authorities() -> None:
    of_the_issuer = set(tree_options.AUTHORITY_OPTIONS) & {*CERTIFICATE_OPTIONS, "reissue_root"} - set(REQUEST_OPTIONS)
    assert set(tree_options.OF_THE_ISSUER) == of_the_issuer


def test_every_option_of_an_entry_is_in_the_plan_or_in_its_tasks() -> None:
    (task,) = tasks("rootstock.pki.kms_x509_cert")
    names = {*tree_options.AUTHORITY_OPTIONS, *tree_options.CERTIFICATE_OPTIONS} - NOT_IN_TASKS
    assert names <= set(task)


def test_the_role_calls_no_commands() -> None:
    text = "".join(path.read_text() for path in (ROLE / "tasks").glob("*.yml"))
    assert [word for word in ("command:", "shell:", "raw:", "script:") if word in text] == []


def test_the_readme_names_every_variable() -> None:
    text = (ROLE / "README.md").read_text()
    assert [name for name in variables() if f"`{name}`" not in text] == []
