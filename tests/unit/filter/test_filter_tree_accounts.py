# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each key is made in the account that its inventory says, and is named so that it is found wherever it signs."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.rootstock.pki.plugins.filter.tree_plan import tree_plan

HERE, THERE = "111122223333", "444455556666"
KEY = "1234abcd-12ab-34cd-56ef-1234567890ab"


def role(name: str, account: str = THERE, partition: str = "aws") -> dict[str, str]:
    return {"role_arn": f"arn:{partition}:iam::{account}:role/{name}"}


def plan(key: dict[str, Any], key_of_leaf: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the plan of a root with *key* and of a certificate in KMS below it."""
    root = {"name": "root", "certificate_profile": "root_ca", "subject": {"CN": "Root"}, "key": key}
    leaf = {"name": "code", "certificate_profile": "code_signing", "subject": {"CN": "Code"}, "key": key_of_leaf or {}}
    return tree_plan([root], [{**leaf, "issuer": "root"}], pki_name="acme", pki_dir="pki", base_dir="/srv/acme")


def test_an_authority_with_two_roles_of_an_account_lives_in_that_account() -> None:
    made = plan({"administrator_role": role("Maker"), "assume_role": role("Signer")})
    assert made["problems"] == []
    assert made["kms_keys"][0]["aws"] == {"assume_role": role("Maker")}
    for task in (made["public_keys"][0], *made["certificates"], *made["crls"]):
        assert task["aws"] == {"assume_role": role("Signer")}
    assert made["crls"][0]["issuer_key_id"] == "alias/pki/acme/root"


@pytest.mark.parametrize("signer", [{}, {"assume_role": role("Signer", HERE, "aws-cn")}])
def test_a_key_that_signs_from_another_account_is_named_by_the_arn_of_its_alias(signer: dict[str, Any]) -> None:
    made = plan({"administrator_role": role("Maker", THERE, "aws-cn"), "region": "cn-north-1", **signer})
    assert made["problems"] == []
    named = f"arn:aws-cn:kms:cn-north-1:{THERE}:alias/pki/acme/root"
    root, leaf = made["certificates"]
    used = [root["key_id"], leaf["issuer_key_id"], made["public_keys"][0]["key_id"], made["crls"][0]["issuer_key_id"]]
    assert used == [named] * 4
    assert made["kms_keys"][0]["alias"] == "alias/pki/acme/root"


def test_the_public_key_of_a_certificate_is_read_by_the_role_that_makes_its_key() -> None:
    made = plan({}, {"administrator_role": role("Maker")})
    path = "/srv/acme/pki/certificates/code.public_key.pem"
    assert made["public_keys"][1] == {
        "name": "code",
        "key_id": "alias/pki/acme/code",
        "path": path,
        "aws": {"assume_role": role("Maker")},
    }
    assert made["certificates"][1]["public_key_path"] == path


REMEDY = f"give key the region, for the ARN of the alias, or an assume_role of account {THERE}"
OTHERS = f"arn:aws:kms:eu-west-1:{HERE}:key/{KEY}"


@pytest.mark.parametrize(
    ("key", "refused"),
    [
        (
            {"assume_role": role("Signer", HERE)},
            [f"its key is made in account {THERE} and signs in account {HERE}, where its alias is not known", REMEDY],
        ),
        ({}, [f"its key is made in account {THERE} and signs with the credentials of the play, ", REMEDY]),
        (
            {"key_id": KEY, "assume_role": role("Signer", HERE)},
            [
                f"key_id {KEY} is in account {THERE} and signs in account {HERE}, ",
                "knows it by its ARN alone; write that",
            ],
        ),
        ({"key_id": OTHERS}, [f"key_id {OTHERS} is in account {HERE}, ", f"name a role of account {HERE}"]),
    ],
)
def test_a_key_that_would_not_be_found_where_it_is_used_is_refused(key: dict[str, Any], refused: list[str]) -> None:
    [told] = plan({"administrator_role": role("Maker"), **key})["problems"]
    assert told.startswith("authority root: ")
    assert [part for part in refused if part not in told] == []


def test_a_key_with_an_arn_is_managed_in_its_account_and_signs_from_anywhere() -> None:
    arn = f"arn:aws:kms:eu-west-1:{THERE}:key/{KEY}"
    made = plan({"key_id": arn, "administrator_role": role("Maker")})
    assert (made["problems"], made["crls"][0]["issuer_key_id"]) == ([], arn)


def test_a_key_made_by_the_play_has_to_be_in_the_account_of_the_role_that_signs() -> None:
    assert plan({"assume_role": role("Signer")})["kms_keys"][0]["account_id"] == THERE
    assert "account_id" not in plan({"assume_role": role("Signer"), "administrator_role": role("Maker")})["kms_keys"][0]


def test_one_alias_may_stand_for_a_key_in_each_of_two_accounts() -> None:
    key = {"alias": "shared", "administrator_role": role("Maker"), "assume_role": role("Signer")}
    assert plan(key, {"alias": "shared"})["problems"] == []
    assert len(plan(key, {"alias": "shared", "administrator_role": role("Other")})["problems"]) == 1
