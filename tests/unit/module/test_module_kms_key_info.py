# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each question about keys has its answer, and what cannot be asked is refused in a sentence."""

from __future__ import annotations

import re

import pytest

from tests.unit.module.controller import Controller
from tests.unit.module.refusals import Refusal, not_told


def test_keys_are_found_by_name_prefix_and_tag_and_those_that_lost_their_name_by_what_they_were_made_for(
    controller: Controller,
) -> None:
    one, two = [
        controller.run("kms_key", {"alias": f"info/{name}", "use": "ca", "tags": {"team": name}})["key_id"]
        for name in ("one", "two")
    ]
    lost = controller.run("kms_key", {"alias": "info/lost"})["key_id"]
    controller.principal.client("kms").delete_alias(AliasName="alias/info/lost")
    assert controller.run("kms_sign", {"key_id": lost, "content": "something"})["changed"]

    named = controller.run("kms_key_info", {"alias": "info/one"})
    assert (named["changed"], [key["key_id"] for key in named["kms_keys"]]) == (False, [one])
    assert (named["unnamed_keys"], named["monthly_cost_usd"], named["kms_keys"][0]["unreadable"]) == ([], 1.0, {})

    every = controller.run("kms_key_info", {"alias_prefix": "info/"})
    assert {key["key_id"] for key in every["kms_keys"]} == {one, two}
    assert ({key["last_used"] for key in every["kms_keys"]}, every["monthly_cost_usd"]) == ({""}, 3.0)
    [unnamed] = every["unnamed_keys"]
    assert (unnamed["key_id"], unnamed["made_for_alias"]) == (lost, "alias/info/lost")
    assert re.fullmatch(r"20..-..-..T..:..:..Z", unnamed["last_used"])

    tagged = controller.run("kms_key_info", {"tags": {"team": "two"}})
    assert [key["key_id"] for key in tagged["kms_keys"]] == [two]
    nobody = controller.run("kms_key_info", {"key_id": "alias/info/nobody"}, check=True)
    assert (nobody["kms_keys"], nobody["unnamed_keys"]) == ([], [])


def test_an_endpoint_of_kms_alone_is_taken_from_the_environment(
    controller: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = controller.run("kms_key", {"alias": "info/vpc"})
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", controller.principal.endpoint)
    told = controller.run("kms_key_info", {"key_id": made["key_id"], "endpoint_url": None})
    assert [key["key_arn"] for key in told["kms_keys"]] == [made["key_arn"]]


@pytest.mark.usefixtures("impatient")
def test_questions_that_cannot_be_asked(controller: Controller) -> None:
    refusals: list[Refusal] = [
        ("one of the following is required", {}),
        ("mutually exclusive", {"alias": "x", "alias_prefix": "x"}),
        ("letters, digits", {"alias": "with space"}),
        ("alias: is empty; give one of alias, key_id, alias_prefix and tags", {"alias": ""}),
        ("key_id: is empty", {"key_id": ""}),
        ("tags: is empty, so no key is meant", {"tags": {}}),
        ("AWS cannot be reached", {"alias": "x", "endpoint_url": "http://127.0.0.1:1"}),
    ]
    assert not_told(controller, "kms_key_info", {}, refusals) == []
