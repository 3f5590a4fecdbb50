# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The keys of a tree, as the role takes them that makes their policies."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from ansible_collections.rootstock.pki.plugins.filter.access_plan import FilterModule, access_plan
from ansible_collections.rootstock.pki.plugins.module_utils._pki.tree_keys import POLICY_OPTIONS
from ansible_collections.rootstock.pki.plugins.module_utils._pki.tree_options import KEY_OPTIONS
from tests.harness.environment import CHECKOUT

MAKER = {"role_arn": "arn:aws:iam::444455556666:role/Maker"}
SIGNER = {"role_arn": "arn:aws:iam::444455556666:role/Signer"}


def plan(key: dict[str, Any], certificates: Any = ()) -> dict[str, Any]:
    root = {"name": "root", "certificate_profile": "root_ca", "subject": {"CN": "Root"}, "key": key}
    issued = [{"issuer": "root", "subject": {"CN": one["name"]}, **one} for one in certificates]
    return access_plan([root], issued, pki_name="acme")


def test_the_filter_has_the_name_that_the_role_uses() -> None:
    assert FilterModule().filters() == {"access_plan": access_plan}


def test_each_key_of_a_tree_has_the_alias_spec_and_use_that_the_tree_gives_it() -> None:
    made = plan(
        {"key_spec": "ECC_NIST_P384", "region": "eu-west-1", "administrator_role": MAKER, "assume_role": SIGNER},
        [
            {
                "name": "responder",
                "certificate_profile": "ocsp_signing",
                "key": {"alias": "alias/own"},
                "generation": 2,
            },
            {"name": "web", "certificate_profile": "tls_server", "csr_path": "web.csr", "subject_alt_name": ["DNS:a"]},
            {
                "name": "code",
                "certificate_profile": "code_signing",
                "key": {"key_id": "x", "alias": "y", "tags": {"a": "b"}},
            },
        ],
    )
    p256 = {"key_spec": "ECC_NIST_P256"}
    assert made["problems"] == []
    assert made["kms_keys"] == [
        {
            "alias": "pki/acme/root",
            "key_spec": "ECC_NIST_P384",
            "use": "ca",
            "description": "acme: authority root",
            "region": "eu-west-1",
            "administrator_role": MAKER,
        },
        {"alias": "own/r2", **p256, "use": "ocsp", "description": "acme: certificate responder-r2"},
        {"alias": "y", "key_id": "x", **p256, "use": "sign"},
    ]


@pytest.mark.parametrize(
    ("key", "refused"),
    [
        ({"key_id": "x"}, "authority root: its key has no alias for signing_access to know it by; give key an alias"),
        (
            {"signers": [SIGNER["role_arn"]], "account_root": "full"},
            "authority root: its key has signers, account_root, of which pki_tree makes its policy",
        ),
        ({"policy": {}}, "authority root: its key has policy, of which pki_tree makes its policy"),
        ({"key_spec": "HMAC_256"}, "authority root: key_spec HMAC_256 cannot sign"),
    ],
)
def test_keys_that_the_tree_makes_policies_of_or_cannot_have_are_refused(key: dict[str, Any], refused: str) -> None:
    made = plan(key)
    assert [problem[: len(refused)] for problem in made["problems"]] == [refused]
    assert made["kms_keys"] == []


def test_every_option_of_a_key_is_taken_left_to_the_tree_or_refused() -> None:
    specs = yaml.safe_load((CHECKOUT / "roles" / "signing_access" / "meta" / "argument_specs.yml").read_text())
    taken = set(specs["argument_specs"]["main"]["options"]["signing_access_keys"]["options"])
    assert set(KEY_OPTIONS) - taken == {*POLICY_OPTIONS, "tags", "purge_tags"} - taken
