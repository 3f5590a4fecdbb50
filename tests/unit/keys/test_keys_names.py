# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Aliases and tags: what KMS takes and what belongs to whom."""

from __future__ import annotations

import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.rootstock.pki.plugins.module_utils._keys.names import (
    check_tags,
    own_tags,
    to_alias,
    visible_tags,
)
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import SpecError

KMS_ALIAS = re.compile(r"alias/[a-zA-Z0-9/_-]{1,250}")


def test_an_alias_is_the_same_with_and_without_its_prefix() -> None:
    assert to_alias("pki/acme/root") == to_alias("alias/pki/acme/root") == "alias/pki/acme/root"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("aws/ebs", "belong to AWS"),
        ("alias/aws/rds", "belong to AWS"),
        ("", "expected letters"),
        ("alias/", "expected letters"),
        ("with space", "expected letters"),
        ("with:colon", "expected letters"),
        ("trailing\n", "expected letters"),
        ("ümlaut", "expected letters"),
        ("x" * 251, "256"),
        ("arn:aws:kms:eu-central-1:111122223333:alias/x", "key_id takes ARNs"),
    ],
)
def test_an_alias_that_kms_would_refuse_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(SpecError, match=reason):
        to_alias(text)


@given(st.text(max_size=300))
def test_what_is_taken_as_an_alias_is_always_one_that_kms_takes(text: str) -> None:
    with suppress(SpecError):
        alias = to_alias(text)
        assert KMS_ALIAS.fullmatch(alias)
        assert not alias.startswith("alias/aws/")


def test_tags_of_this_collection_and_of_aws_are_not_shown() -> None:
    tags = {"team": "pki", "rootstock:alias": "alias/x", "Rootstock:use": "ca", "aws:cloudformation:stack-name": "s"}
    assert visible_tags(tags) == {"team": "pki"}


def test_a_key_without_alias_or_use_gets_no_tags_of_ours() -> None:
    assert own_tags("", None) == {}
    assert own_tags("alias/x", "ca") == {"rootstock:alias": "alias/x", "rootstock:use": "ca"}


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ({"rootstock:use": "ca"}, "belong to this collection"),
        ({"ROOTSTOCK:x": ""}, "belong to this collection"),
        ({"aws:x": ""}, "belong to AWS"),
        ({"AWS:x": ""}, "belong to AWS"),
        ({"": "x"}, "1 to 128"),
        ({"k" * 129: "x"}, "1 to 128"),
        ({"k": "v" * 257}, "256"),
        ({f"k{number}": "" for number in range(49)}, "48"),
    ],
)
def test_tags_that_kms_or_this_collection_would_refuse_are_named(tags: dict[str, str], reason: str) -> None:
    assert any(reason in problem for problem in check_tags(tags))


def test_every_problem_with_tags_is_told_at_once() -> None:
    assert len(check_tags({"rootstock:a": "", "aws:b": "", "c": "v" * 300})) == 3


def test_the_largest_tags_that_kms_takes_are_taken() -> None:
    assert check_tags({f"{number:02}" + "k" * 126: "v" * 256 for number in range(48)}) == []
