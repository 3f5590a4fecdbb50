# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role that makes signers and verifiers says the same as kms_key, and takes each key where it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

from ansible_collections.rootstock.pki.plugins.module_utils._module.aws import AWS_OPTIONS
from ansible_collections.rootstock.pki.plugins.module_utils._module.key_options import KEY_OPTIONS

ROLE = Path(__file__).resolve().parents[3] / "roles" / "signing_access"
WHERE = {"region", "administrator_role"}
MAKER = {"role_arn": "arn:aws:iam::444455556666:role/Maker", "external_id": "acme"}


def load(path: str) -> Any:
    return yaml.safe_load((ROLE / path).read_text())


def key_options() -> dict[str, Any]:
    options = load("meta/argument_specs.yml")["argument_specs"]["main"]["options"]["signing_access_keys"]["options"]
    return dict(options)


def evaluated(name: str, **variables: Any) -> Any:
    """Return a variable of the role, as it is with these."""
    own = {each: trusted(value) for each, value in load("vars/main.yml").items()}
    templar = Templar(DataLoader(), {**load("defaults/main.yml"), **own, **variables})
    return templar.template(trust_as_template("{{ " + name + " }}"))


def trusted(value: Any) -> Any:
    return trust_as_template(value) if isinstance(value, str) else value


def test_what_a_key_says_reaches_the_module() -> None:
    [task] = load("tasks/keys.yml")
    assert set(key_options()) - WHERE <= set(task["rootstock.pki.kms_key"]) <= set(KEY_OPTIONS)
    assert set(key_options()["administrator_role"]["options"]) == set(AWS_OPTIONS["assume_role"]["options"])
    assert not {"region", "assume_role"} & set(
        task["rootstock.pki.kms_key"]
    )  # an omitted option would hide the default of the play


@pytest.mark.parametrize(
    ("key", "aws"),
    [
        ({"alias": "a"}, {}),
        ({"alias": "a", "region": "eu-west-1", "use": "ca"}, {"region": "eu-west-1"}),
        ({"region": "eu-west-1", "administrator_role": MAKER}, {"region": "eu-west-1", "assume_role": MAKER}),
    ],
)
def test_a_key_is_made_where_it_says_and_by_whom(key: dict[str, Any], aws: dict[str, Any]) -> None:
    assert evaluated("signing_access_key_aws", item=key) == aws


def test_whoever_makes_a_key_administers_it_unless_others_are_named() -> None:
    others = {"signing_access_administrators": ["arn:aws:iam::111122223333:role/Team"]}
    made = evaluated("signing_access_key_administrators", item={"administrator_role": MAKER}, **others)
    assert made == [MAKER["role_arn"]]
    assert evaluated("signing_access_key_administrators", item={}, **others) == others["signing_access_administrators"]


@pytest.mark.parametrize(
    ("other", "known"),
    [({}, 1), ({"region": "eu-west-1"}, 2), ({"administrator_role": MAKER}, 2)],
)
def test_an_alias_may_stand_for_a_key_in_each_region_and_account(other: dict[str, Any], known: int) -> None:
    keys = [{"alias": "a"}, {"alias": "a", **other}]
    assert len(set(evaluated("signing_access_known_keys", signing_access_keys=keys))) == known


def test_the_keys_are_those_of_the_tree_unless_they_are_listed() -> None:
    tree = {"problems": ["x"], "kms_keys": [{"alias": "pki/acme/root"}]}
    assert evaluated("signing_access_all_keys", signing_access_tree=tree) == tree["kms_keys"]
    assert evaluated("signing_access_tree_problems", signing_access_tree=tree) == ["x"]
    listed = {"signing_access_tree": tree, "signing_access_keys": [{"alias": "a"}]}
    assert evaluated("signing_access_all_keys", **listed) == [{"alias": "a"}]
    assert evaluated("signing_access_tree_problems", **listed) == []


def test_a_role_that_names_no_keys_works_with_all_of_them() -> None:
    caller = {"arn": "arn:aws:iam::111122223333:user/x", "account": "111122223333"}
    signers = [{"name": "All", "path": "/pki/"}, {"name": "One", "aliases": ["a"]}, {"name": "Other", "aliases": ["b"]}]
    told = evaluated(
        "signing_access_signer_arns",
        item={"alias": "a"},
        signing_access_signers=signers,
        signing_access_caller=caller,
    )
    assert told == ["arn:aws:iam::111122223333:role/pki/All", "arn:aws:iam::111122223333:role/One"]
