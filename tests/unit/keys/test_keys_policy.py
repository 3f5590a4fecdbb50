# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Key policies: the one form in which equal policies are equal."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.rootstock.pki.plugins.module_utils._keys.policy import default_policy, normalised, to_policy
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import SpecError

ROOT = "arn:aws:iam::111122223333:root"


def policy(*statements: dict[str, Any], **rest: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", **rest, "Statement": list(statements)}


def statement(**parts: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": "kms:Sign", "Resource": "*", **parts}


def without(*members: str) -> dict[str, Any]:
    return {name: value for name, value in statement(Sid="Who").items() if name not in members}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (policy(statement()), policy(statement(Action=["kms:Sign"]))),
        (policy(statement()), policy(statement(Principal={"AWS": "111122223333"}))),
        (policy(statement(Principal="*")), policy(statement(Principal={"AWS": ["*"]}))),
        (policy(statement()), {"Version": "2012-10-17", "Statement": statement()}),
        (policy(statement(), statement(Sid="b")), policy(statement(Sid="b"), statement())),
        (policy(statement(Action=["kms:A", "kms:B"])), policy(statement(Action=["kms:B", "kms:A", "kms:B"]))),
        (
            policy(statement(Condition={"Bool": {"aws:SecureTransport": True}})),
            policy(statement(Condition={"Bool": {"aws:SecureTransport": ["true"]}})),
        ),
        (
            policy(statement(Condition={"NumericLessThan": {"kms:Days": 30}})),
            policy(statement(Condition={"NumericLessThan": {"kms:Days": "30"}})),
        ),
        ({"Statement": [statement()]}, {"Version": "2008-10-17", "Statement": [statement()]}),
    ],
)
def test_policies_that_say_the_same_are_equal(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert normalised(one) == normalised(other)


@pytest.mark.parametrize(
    "other",
    [
        policy(statement(Effect="Deny")),
        policy(statement(Action="kms:Verify")),
        policy(statement(Principal={"AWS": "arn:aws:iam::111122223333:role/x"})),
        policy(statement(Principal={"Service": ROOT})),
        policy(statement(Condition={"StringEquals": {"kms:MessageType": "DIGEST"}})),
        policy(statement(), statement()),
        policy(statement(), Id="other"),
        {"Statement": [statement()]},
    ],
)
def test_policies_that_differ_are_not_equal(other: dict[str, Any]) -> None:
    assert normalised(policy(statement())) != normalised(other)


def test_an_account_is_its_root_in_the_partition_of_the_key() -> None:
    number = policy(statement(Principal={"AWS": "111122223333"}))
    china = policy(statement(Principal={"AWS": "arn:aws-cn:iam::111122223333:root"}))
    assert normalised(number, "aws-cn") == normalised(china, "aws-cn")
    assert normalised(number, "aws") != normalised(china, "aws")


texts = st.sampled_from(["kms:Sign", "kms:Verify", "kms:GetPublicKey", "*", ROOT, "111122223333"])
values = st.one_of(texts, st.lists(texts, min_size=1, max_size=4))
statements = st.fixed_dictionaries(
    {"Effect": st.sampled_from(["Allow", "Deny"]), "Action": values, "Resource": values},
    optional={
        "Sid": st.sampled_from(["one", "two"]),
        "Principal": st.one_of(st.just("*"), st.dictionaries(st.sampled_from(["AWS", "Service"]), values)),
        "Condition": st.dictionaries(
            st.sampled_from(["StringEquals", "Bool"]), st.dictionaries(st.sampled_from(["a", "b"]), values)
        ),
    },
)


@given(st.lists(statements, min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_order_never_counts_and_the_form_is_stable(listed: list[dict[str, Any]], chance: random.Random) -> None:
    shuffled = copy.deepcopy(listed)
    chance.shuffle(shuffled)
    for each in shuffled:
        for name in ("Action", "Resource"):
            if isinstance(each[name], list):
                chance.shuffle(each[name])
    form = normalised(policy(*listed))
    assert form == normalised(policy(*shuffled)) == normalised(form)
    assert json.loads(json.dumps(form)) == form


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "not valid JSON"),
        ("[]", "Statement"),
        ("{}", "Statement"),
        ('{"Statement": []}', "Statement"),
        ('{"Statement": "x"}', "Statement"),
        ('{"Statement": ["x"]}', "Statement"),
        (json.dumps(policy(statement(Sid="x" * 33_000))), "at most 32768"),
        (json.dumps(policy(without("Action"))), "the statement Who has no Action, and KMS takes none"),
        (json.dumps(policy(statement(), without("Resource"))), "the statement Who has no Resource"),
        (json.dumps(policy(statement(), without("Sid", "Action"))), "the statement number 2 has no Action"),
    ],
)
def test_what_is_no_policy_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(SpecError, match=reason):
        to_policy(text)


@given(
    st.dictionaries(
        st.sampled_from(["Sid", "Effect", "Principal", "NotPrincipal", "Action", "Condition", "Other"]),
        st.recursive(
            st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5)),
            lambda inner: st.one_of(
                st.lists(inner, max_size=2), st.dictionaries(st.text(max_size=3), inner, max_size=2)
            ),
            max_leaves=6,
        ),
    )
)
def test_a_statement_with_malformed_members_is_left_for_kms_to_refuse(odd: dict[str, Any]) -> None:
    form = normalised(to_policy(json.dumps(policy({"Action": None, "Resource": None, **odd}))))
    assert normalised(form) == form


def test_the_default_policy_is_that_of_the_account_and_partition_of_the_key() -> None:
    found = default_policy("arn:aws-us-gov:kms:us-gov-west-1:111122223333:key/k")
    assert found["Statement"][0]["Principal"] == {"AWS": "arn:aws-us-gov:iam::111122223333:root"}


def test_principals_that_were_deleted_are_named_as_such_and_never_equal_what_took_their_name() -> None:
    found = policy(statement(Principal={"AWS": ["AROAIOSFODNN7EXAMPLE", "AIDAIOSFODNN7EXAMPLE"]}))
    form = normalised(found)
    assert form["Statement"][0]["Principal"] == {
        "AWS": ["AIDAIOSFODNN7EXAMPLE (a deleted user)", "AROAIOSFODNN7EXAMPLE (a deleted role)"]
    }
    assert normalised(form) == form != normalised(policy(statement(Principal={"AWS": [ROOT]})))
