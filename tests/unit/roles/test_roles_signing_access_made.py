# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each signer and verifier that the role makes may do its work with its keys, and nothing else with any key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from localaws.testing import REGION, Account, Principal, account, local_aws, policy
from tests.unit.examples.example_tree import plan_of
from tests.unit.module.controller import Controller
from tests.unit.roles.plays import play, run_plays

__all__ = ["account", "local_aws"]

MADE = "Every key exists, and its policy says who may do what"
ROLES_MADE = "Every signer and verifier is a role"
LOOK = ["kms:DescribeKey", "kms:GetPublicKey"]
EVERYTHING = [
    *LOOK,
    "kms:CreateGrant",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:ListGrants",
    "kms:ListKeyPolicies",
    "kms:ListResourceTags",
    "kms:Sign",
    "kms:Verify",
]
# What issuer, releaser and online verifier may do with each key; the offline verifier may look at all of them.
KEYS: dict[str, tuple[list[str], list[str], list[str]]] = {
    "root": (["kms:Sign"], [], []),
    "services": (["kms:Sign"], [], []),
    "releases": ([], ["kms:Sign"], [*LOOK, "kms:Verify"]),
}


def declared(keeper: Principal, maker: Principal, anybody: str) -> dict[str, Any]:
    """Return a tree with one key that another role makes in another region, and all who use its keys."""
    elsewhere = {"region": "eu-west-1", "administrator_role": {"role_arn": maker.arn}}
    root = {"name": "root", "certificate_profile": "root_ca", "subject": {"CN": "Root"}, "key": {}}
    services = {"issuer": "root", "certificate_profile": "subordinate_ca", "subject": {"CN": "Services"}}
    releases = {"issuer": "services", "certificate_profile": "code_signing", "subject": {"CN": "Releases"}}
    trust = json.loads(policy({"Principal": {"AWS": anybody}, "Action": "sts:AssumeRole"}))
    return {
        "signing_access_administrators": [keeper.arn],
        "signing_access_tags": {"team": "signing"},
        "signing_access_auditors": [keeper.arn],
        "pki_name": "access",
        "pki_authorities": [
            {"name": "services", **services, "key": {}},
            {**root, "key": {"key_spec": "ECC_NIST_P384"}},
        ],
        "pki_certificates": [{"name": "releases", **releases, "key": {"key_spec": "RSA_2048", **elsewhere}}],
        "signing_access_signers": [
            {
                "name": "Issuer",
                "path": "/pki/",
                "trusted": [keeper.arn, maker.arn],
                "external_id": "acme",
                "tags": {"duty": "issuing"},
                "aliases": ["pki/access/root", "pki/access/services"],
            },
            {"name": "Releaser", "trusted": [anybody], "aliases": ["pki/access/releases"]},
        ],
        "signing_access_verifiers": [
            {"name": "Offline", "trusted": [anybody]},
            {"name": "Online", "trust_policy": trust, "online": True, "aliases": ["pki/access/releases"]},
        ],
    }


def expected(account: Account, key: str) -> list[dict[str, Any]]:
    prefix = f"arn:aws:iam::{account.account_id}:role"
    issuer, releaser, online = KEYS[key]
    allowed = {
        f"{prefix}/pki/Issuer": issuer,
        f"{prefix}/Releaser": releaser,
        f"{prefix}/Offline": LOOK,
        f"{prefix}/Online": online,
    }
    return [
        {
            "role_arn": arn,
            "external_id": "acme" if arn.endswith("/Issuer") else None,
            "allowed": may,
            "denied": [action for action in EVERYTHING if action not in may],
        }
        for arn, may in allowed.items()
    ]


def test_each_role_may_do_its_work_with_its_keys_and_nothing_else(account: Account, tmp_path: Path) -> None:
    keeper, maker = account.administrator(), account.role("maker", {"Action": "*"})
    variables = declared(keeper, maker, account.root.arn)
    planned, made, again = run_plays(
        tmp_path,
        keeper.environment(),
        play("signing_access", variables, check=True),
        play("signing_access", variables),
        play("signing_access", variables),
    )
    assert [(result["changed"], "key_id" in result) for result in planned.of(MADE)] == [(True, False)] * 3
    regions = [result["key_arn"].split(":")[3] for result in made.of(MADE)]
    assert regions == [REGION, REGION, "eu-west-1"]
    assert again.changed() == []
    assert len(again.of(MADE) + again.of(ROLES_MADE)) == 7
    tags = account.root.client("iam").list_role_tags(RoleName="Issuer")["Tags"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == {"team": "signing", "duty": "issuing"}
    tried = []
    for key, region in zip(KEYS, regions, strict=True):
        question = {"key_id": f"alias/pki/access/{key}", "region": region, "expected": expected(account, key)}
        told = Controller(keeper).run("kms_access_test", question)
        assert told["mismatches"] == [], key
        tried += told["results"]
    assert len(tried) == 120
    assert [result for result in tried if result["found"] == "untested"] == []
    for options in plan_of(variables, tmp_path)["kms_keys"]:  # what pki_tree then wants of the keys
        wanted = {name: value for name, value in {**options, **options["aws"]}.items() if name not in ("name", "aws")}
        assert Controller(keeper).run("kms_key", wanted)["changed"] is False
