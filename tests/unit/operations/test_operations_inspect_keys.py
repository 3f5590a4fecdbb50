# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looking at keys: which are meant, what is told, what may not be read."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.rootstock.pki.plugins.module_utils._keys.desired import NewKey
from ansible_collections.rootstock.pki.plugins.module_utils._keys.report import Selection
from ansible_collections.rootstock.pki.plugins.module_utils._module.key_info_options import report_result, to_selection
from ansible_collections.rootstock.pki.plugins.module_utils._operations.inspect_keys import find_keys, report_key
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import AwsError
from tests.unit.operations.memory_keys import ACCOUNT, Keys, MemoryKeyStore


@pytest.fixture
def store() -> MemoryKeyStore:
    """Return an account with two named keys of a tree, one that lost a race, one leftover, and somebody else's."""
    account = MemoryKeyStore(Keys())
    for alias, named in (("pki/a", True), ("pki/b", True), ("pki/a", False), ("pki/c", False), ("other", True)):
        tags = {"rootstock:alias": f"alias/{alias}", "rootstock:use": "ca", "team": alias[:3]}
        made = account.create(NewKey("ECC_NIST_P256", "SIGN_VERIFY", alias, tags, None), alias)
        if named:
            account.create_alias(f"alias/{alias}", made.key_id)
    account.schedule_deletion("key-3", 30)
    account.calls.clear()
    return account


def found(store: MemoryKeyStore, **selection: Any) -> list[str]:
    return [key.key_id for key in find_keys(store, Selection(**selection))]


@pytest.mark.parametrize(
    ("selection", "keys"),
    [
        ({"key_id": "key-2"}, ["key-2"]),
        ({"key_id": "alias/pki/a"}, ["key-1", "key-3"]),
        ({"key_id": "alias/pki/c"}, ["key-4"]),
        ({"key_id": "alias/none"}, []),
        ({"key_id": "none"}, []),
        ({"prefix": "alias/pki/"}, ["key-1", "key-2", "key-3", "key-4"]),
        ({"prefix": "alias/oth"}, ["key-5"]),
        ({"tags": {"team": "pki"}}, ["key-1", "key-2", "key-3", "key-4"]),
        ({"tags": {"team": "pki", "rootstock:alias": "alias/pki/b"}}, ["key-2"]),
    ],
)
def test_keys_are_found_oldest_first_with_those_that_were_made_for_the_name(
    store: MemoryKeyStore, selection: dict[str, Any], keys: list[str]
) -> None:
    assert found(store, **selection) == keys


def test_a_key_that_does_not_have_the_name_it_was_made_for_is_told_apart(store: MemoryKeyStore) -> None:
    reports = [report_key(store, key) for key in find_keys(store, Selection(prefix="alias/"))]
    made_for = {report.key.key_id: report.made_for for report in reports}
    assert made_for == {"key-1": "", "key-2": "", "key-3": "alias/pki/a", "key-4": "alias/pki/c", "key-5": ""}


def test_keys_cost_a_dollar_until_they_are_pending_deletion(store: MemoryKeyStore) -> None:
    reports = [report_key(store, key) for key in find_keys(store, Selection(prefix="alias/pki/"))]
    assert [report.monthly_cost for report in reports] == [1.0, 1.0, 0.0, 1.0]


def test_one_key_is_told_by_five_calls(store: MemoryKeyStore) -> None:
    for key in find_keys(store, Selection(key_id="key-1")):
        told = report_result(report_key(store, key))
    assert store.calls == ["describe", "aliases", "tags", "policy", "last_use"]
    assert (told["aliases"], told["tags"], told["use"]) == (["alias/pki/a"], {"team": "pki"}, "ca")
    assert told["unreadable"] == {}


def test_what_may_not_be_read_is_left_out_with_the_reason(store: MemoryKeyStore) -> None:
    store.denied = frozenset({"policy", "last_use", "aliases"})
    told = report_result(report_key(store, find_keys(store, Selection(key_id="key-4"))[0]))
    assert (told["policy"], told["last_used"], told["aliases"], told["made_for_alias"]) == (None, None, None, "")
    assert told["unreadable"] == {name: f"somebody may not {name}" for name in ("policy", "last_use", "aliases")}


def test_a_key_that_may_not_be_described_does_not_hide_the_others(store: MemoryKeyStore) -> None:
    store.secret = frozenset({"key-1", "key-4"})
    told = [report_result(report_key(store, key)) for key in find_keys(store, Selection(prefix="alias/pki/"))]
    assert [key["key_id"] for key in told] == ["key-2", "key-3", "key-1", "key-4"]
    assert [key["made_for_alias"] for key in told] == ["", "alias/pki/a", "", "alias/pki/c"]
    assert told[0].keys() == told[2].keys()
    assert (told[2]["key_arn"], told[2]["key_spec"], told[2]["monthly_cost_usd"]) == (f"{ACCOUNT}key-1", None, None)
    assert told[2]["aliases"] == ["alias/pki/a"]
    assert told[2]["unreadable"] == {"description": "somebody may not describe key-1"}


def test_the_one_key_that_is_asked_about_has_to_be_describable(store: MemoryKeyStore) -> None:
    store.secret = frozenset({"key-1"})
    with pytest.raises(AwsError, match="may not describe key-1"):
        find_keys(store, Selection(key_id="alias/pki/a"))


def test_each_key_is_described_once_and_its_tags_are_read_once(store: MemoryKeyStore) -> None:
    keys = find_keys(store, Selection(prefix="alias/pki/"))
    assert store.calls == ["all_aliases", "find_by_tag", *["describe"] * 4]
    for key in keys:
        report_key(store, key)
    assert store.calls.count("tags") == 4


def test_a_name_and_what_was_made_for_it_are_described_once(store: MemoryKeyStore) -> None:
    assert found(store, key_id="alias/pki/b") == ["key-2"]
    assert store.calls == ["describe", "find_by_tag"]


def test_keys_of_aws_are_passed_over_undescribed(store: MemoryKeyStore) -> None:
    store.account.aliases["alias/aws/ebs"] = "key-of-aws"
    store.secret = frozenset({"key-of-aws"})
    assert "key-of-aws" not in found(store, prefix="alias/")


def test_options_say_which_keys_are_meant() -> None:
    nothing = dict.fromkeys(("alias", "key_id", "alias_prefix", "tags"))
    assert to_selection({**nothing, "alias": "pki/a"}) == Selection(key_id="alias/pki/a")
    assert to_selection({**nothing, "key_id": "key-1"}) == Selection(key_id="key-1")
    assert to_selection({**nothing, "alias_prefix": "alias/pki"}) == Selection(prefix="alias/pki")
    assert to_selection({**nothing, "alias_prefix": ""}) == Selection(prefix="alias/")
    assert to_selection({**nothing, "tags": {"a": 1}}) == Selection(tags={"a": "1"})
