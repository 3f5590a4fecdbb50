# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What of a key policy is about a role, and what follows from what IAM says of it."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.rootstock.pki.plugins.module_utils._keys.simulation import (
    NOTHING,
    Decision,
    Subject,
    of_kms,
    parts_of,
    relevant,
    weigh,
)

ROLE = "arn:aws:iam::111122223333:role/pki/Issuer"
SESSION = "arn:aws:sts::111122223333:assumed-role/Issuer/ci"
ROOT = "arn:aws:iam::111122223333:root"
WHO = Subject(ROLE, "ci")
YES, NO, NEVER = Decision("allowed"), NOTHING, Decision("explicitDeny")


def statement(**parts: Any) -> dict[str, Any]:
    return {"Sid": "Allow use of the key", "Effect": "Allow", "Action": "kms:Sign", "Resource": "*", **parts}


@pytest.mark.parametrize(
    ("principal", "part"),
    [
        ({"AWS": ROLE}, "named"),
        ({"AWS": [ROOT, ROLE]}, "named"),
        ({"AWS": SESSION}, "named"),
        ({"AWS": "*"}, "named"),
        ("*", "named"),
        ({"AWS": ROOT}, "delegated"),
        ({"AWS": "111122223333"}, "delegated"),
        ({"AWS": f"{ROLE}2"}, "neither"),
        ({"AWS": SESSION.replace("/ci", "/other")}, "neither"),
        ({"AWS": "arn:aws:iam::444455556666:root"}, "neither"),
        ({"AWS": "AROAIOSFODNN7EXAMPLE"}, "neither"),
        ({"Service": "*"}, "neither"),
    ],
)
def test_a_statement_is_about_the_role_or_its_account_or_somebody_else(principal: Any, part: str) -> None:
    found = parts_of({"Statement": [statement(Principal=principal)]}, WHO)
    bare = {"Effect": "Allow", "Action": "kms:Sign", "Resource": "*"}  # IAM takes no principals, and no Sid with spaces
    assert (found.named, found.delegated) == (
        (bare,) if part == "named" else (),
        (bare,) if part == "delegated" else (),
    )


@pytest.mark.parametrize(("excepted", "concerned"), [([ROLE, ROOT], False), ([f"{ROLE}2"], True)])
def test_a_statement_about_all_others_is_about_the_role_unless_it_is_excepted(
    excepted: list[str], concerned: bool
) -> None:
    found = parts_of({"Statement": statement(NotPrincipal={"AWS": excepted})}, WHO)
    assert bool(found.named) is concerned


@pytest.mark.parametrize("missing", ["Action", "Resource"])
def test_a_statement_that_does_nothing_is_left_out(missing: str) -> None:
    idle = {name: value for name, value in statement(Principal="*").items() if name != missing}
    assert parts_of({"Statement": [idle]}, WHO).named == ()


@pytest.mark.parametrize(
    ("named", "delegated", "identity", "found", "why"),
    [
        (YES, NO, NO, "allowed", ""),
        (NO, YES, YES, "allowed", ""),
        (NO, YES, NO, "denied", "IAM does not allow it"),
        (NO, NO, YES, "denied", "the key policy does not allow it"),
        (NO, NO, NO, "denied", "the key policy does not allow it"),
        (NEVER, YES, YES, "denied", "explicit deny"),
        (YES, NEVER, YES, "denied", "explicit deny"),
        (YES, YES, NEVER, "denied", "explicit deny"),
        (YES, NO, Decision("implicitDeny", ("aws:SourceIp",)), "untested", "conditions on aws:SourceIp"),
    ],
)
def test_the_key_policy_must_allow_and_nobody_may_deny(
    named: Decision, delegated: Decision, identity: Decision, found: str, why: str
) -> None:
    verdict = weigh(named, delegated, identity)
    assert verdict.found == found
    assert why in verdict.error
    assert bool(verdict.error) == bool(why)


def test_conditions_of_statements_about_other_actions_do_not_count() -> None:
    sign = statement(Condition={"StringEquals": {"kms:MessageType": "DIGEST"}})
    put = statement(Action="kms:Put*", Condition={"IpAddress": {"aws:sourceip": "192.0.2.0/24"}})
    missing = Decision("implicitDeny", ("aws:SourceIp", "kms:MessageType"))
    assert relevant(missing, [sign, put], "kms:PutKeyPolicy").missing == ("aws:SourceIp",)
    assert relevant(missing, [sign], "kms:PutKeyPolicy").missing == ()
    assert relevant(missing, [{**sign, "NotAction": "s3:*"}], "kms:PutKeyPolicy").missing == ("kms:MessageType",)


def test_policies_of_iam_that_are_about_other_services_are_left_out() -> None:
    assert of_kms({"Statement": [statement(Action=["s3:Get*", "sts:AssumeRole"])]}) is None
    kept = [statement(Action=action) for action in ("*", "KMS:Sign", ["s3:*", "k*:*"])]
    not_action = {"Effect": "Deny", "NotAction": "s3:*", "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": [*kept, statement(Action="s3:*"), not_action]}
    assert of_kms(document) == {**document, "Statement": [*kept, not_action]}
