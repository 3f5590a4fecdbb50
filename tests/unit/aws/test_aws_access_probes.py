# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Proving access: what is found out by trying is what the guide's table of key policies says, and nothing changes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest

from ansible_collections.rootstock.pki.plugins.module_utils._aws.kms import describe_key, get_public_key
from ansible_collections.rootstock.pki.plugins.module_utils._aws.probes import KmsProber, dry_run
from ansible_collections.rootstock.pki.plugins.module_utils._keys.access import ACTIONS
from ansible_collections.rootstock.pki.plugins.module_utils._keys.access_probes import (
    ALLOWED,
    CALL,
    DENIED,
    DRY_RUN,
    PROBES,
    UNSUPPORTED,
    UNTESTED,
    Expectation,
    Finding,
    Verdict,
)
from ansible_collections.rootstock.pki.plugins.module_utils._operations.prove_access import prepare_trial, prove_access
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import AwsError
from localaws.server import Server
from localaws.testing import SIGNING_ALGORITHMS, Account, Principal, new_account, new_key, policy
from tests.unit.aws.test_aws_key_policies import Cast, table

TRIED_OF_A_SIGNING_KEY = {
    *("kms:CreateGrant", "kms:DescribeKey", "kms:GetKeyLastUsage", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus"),
    *("kms:GetPublicKey", "kms:ListGrants", "kms:ListKeyPolicies", "kms:ListResourceTags", "kms:Sign", "kms:Verify"),
}
TRIED_OF_A_SYMMETRIC_KEY = {
    *("kms:CreateGrant", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:GetKeyLastUsage"),
    *("kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListGrants", "kms:ListKeyPolicies", "kms:ListKeyRotations"),
    "kms:ListResourceTags",
}


@pytest.fixture(scope="module")
def cast(local_aws: Server) -> Cast:
    return Cast(local_aws)


def try_all(
    admin: Principal,
    who: Principal,
    key: str,
    wanted: Iterable[tuple[str, str]],
    algorithm: str | None = None,
    message_type: str | None = None,
) -> list[Finding]:
    """Return what is found of the actions, with what is wanted of each, for one role."""
    kms = admin.client("kms")
    described = describe_key(kms, key)
    assert described
    listed = list(wanted)
    by_public_key = any(PROBES[action].by_public_key for action, _expected in listed if action in PROBES)
    public_key = (lambda: get_public_key(kms, key).der) if by_public_key else None
    trial = prepare_trial(described, algorithm, message_type, public_key)
    allowed = tuple(name for name, expected in listed if expected == ALLOWED)
    denied = tuple(name for name, expected in listed if expected == DENIED)
    declared = Expectation(who.arn, "rootstock", None, allowed, denied)
    return prove_access(trial, [declared], lambda _each: KmsProber(who.client("kms")))


def state_of(admin: Principal, key: str) -> list[Any]:
    """Return everything that a careless try could change."""
    kms = admin.client("kms")
    told = [
        kms.describe_key(KeyId=key)["KeyMetadata"],
        kms.get_key_policy(KeyId=key)["Policy"],
        kms.list_grants(KeyId=key)["Grants"],
        kms.list_resource_tags(KeyId=key)["Tags"],
        kms.list_aliases(KeyId=key)["Aliases"],
    ]
    return [json.dumps(each, default=str, sort_keys=True) for each in told]


@pytest.mark.parametrize("column", [*ACTIONS, "anybody else"])
def test_every_cell_of_the_guides_table_that_can_be_tried_is_found(cast: Cast, column: str) -> None:
    key, who = cast.key(column), cast.roles[column]
    wanted = {action: ALLOWED if row[column] == "yes" else DENIED for action, row in table().items()}
    wanted = {action: expected for action, expected in wanted.items() if "Alias" not in action}
    findings = try_all(cast.roles["auditors"], who, key, wanted.items())
    tried = {each.action for each in findings if each.how in (DRY_RUN, CALL)}
    symmetric = column in ("encrypters", "decrypters")
    assert tried == (TRIED_OF_A_SYMMETRIC_KEY if symmetric else TRIED_OF_A_SIGNING_KEY)
    assert [each.difference() for each in findings if each.difference() and each.how != UNSUPPORTED] == []


@pytest.mark.parametrize("turned", ["signers", "auditors"])
def test_every_wrong_declaration_is_told(cast: Cast, turned: str) -> None:
    key, who = cast.key(turned), cast.roles[turned]
    wrong = {action: DENIED if row[turned] == "yes" else ALLOWED for action, row in table().items()}
    findings = try_all(
        cast.roles["auditors"], who, key, [each for each in wrong.items() if each[0] in TRIED_OF_A_SIGNING_KEY]
    )
    told = [each.difference() for each in findings]
    assert len(told) == len(TRIED_OF_A_SIGNING_KEY)
    assert all(
        text.startswith(f"{who.arn} may ") and text.endswith("should" if " may not " in text else "should not")
        for text in told
    )


@pytest.mark.parametrize("spec", SIGNING_ALGORITHMS)
def test_signing_and_verifying_are_tried_with_keys_of_every_spec_and_nothing_changes(
    account: Account, spec: str
) -> None:
    admin = account.administrator()
    key = new_key(admin.client("kms"), spec)
    who = account.role("who", {"Action": ["kms:Sign", "kms:Verify", "kms:CreateGrant"]})
    before = state_of(admin, key)
    for algorithm in SIGNING_ALGORITHMS[spec]:
        wanted = [("kms:Sign", ALLOWED), ("kms:Verify", ALLOWED), ("kms:CreateGrant", ALLOWED)]
        findings = try_all(admin, who, key, [*wanted, ("kms:GetPublicKey", DENIED)], algorithm)
        assert [each.verdict.found for each in findings] == [ALLOWED, ALLOWED, ALLOWED, DENIED]
        assert [each.how for each in findings] == ["dry_run", "dry_run", "dry_run", "call"]
    assert state_of(admin, key) == before


def test_decrypting_is_tried_with_a_ciphertext_made_offline(account: Account) -> None:
    admin = account.administrator()
    key = new_key(admin.client("kms"), "RSA_2048", "ENCRYPT_DECRYPT")
    decrypter = account.role("decrypter", {"Action": "kms:Decrypt", "Resource": key})
    wanted = [("kms:Decrypt", ALLOWED), ("kms:Encrypt", DENIED), ("kms:Sign", DENIED)]
    findings = try_all(admin, decrypter, key, wanted)
    assert [each.verdict.found for each in findings] == [ALLOWED, DENIED, DENIED]
    assert findings[2].verdict.error == (
        "a key of key_usage ENCRYPT_DECRYPT and key_spec RSA_2048 cannot kms:Sign, whoever asks"
    )


@pytest.mark.parametrize(
    ("spec", "usage", "actions"),
    [
        ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", ["GenerateDataKey", "GenerateDataKeyWithoutPlaintext"]),
        ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", ["GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext"]),
        ("HMAC_384", "GENERATE_VERIFY_MAC", ["GenerateMac", "VerifyMac"]),
        ("ECC_NIST_P256", "KEY_AGREEMENT", ["DeriveSharedSecret", "CreateGrant"]),
    ],
)
def test_what_keys_do_besides_signing_is_tried_as_a_dry_run(
    account: Account, spec: str, usage: str, actions: list[str]
) -> None:
    admin = account.administrator()
    key = new_key(admin.client("kms"), spec, usage)
    may, other = (f"kms:{action}" for action in actions)
    who = account.role("who", {"Action": may, "Resource": key})
    findings = try_all(admin, who, key, [(may, ALLOWED), (other, DENIED)])
    assert [(each.how, each.verdict.found) for each in findings] == [(DRY_RUN, ALLOWED), (DRY_RUN, DENIED)]


def test_what_a_key_cannot_do_is_told_without_assuming_the_role(account: Account) -> None:
    kms = account.administrator().client("kms")
    described = describe_key(kms, new_key(kms, "RSA_2048", "ENCRYPT_DECRYPT"))
    assert described

    def nobody(_each: Expectation) -> KmsProber:
        raise AssertionError("there is nothing to try")

    declared = Expectation("arn:aws:iam::111122223333:role/x", "s", None, ("kms:Sign",), ("kms:Verify",))
    signing, verifying = prove_access(prepare_trial(described, None, None, None), [declared], nobody)
    assert signing.difference().startswith(f"{declared.role_arn} may not kms:Sign and should, but a key of key_usage")
    assert (verifying.how, verifying.difference()) == (UNSUPPORTED, "")


def test_the_ciphertext_that_is_tried_is_one_that_kms_decrypts(account: Account) -> None:
    kms = account.administrator().client("kms")
    described = describe_key(kms, new_key(kms, "RSA_2048", "ENCRYPT_DECRYPT"))
    assert described
    trial = prepare_trial(described, None, None, lambda: get_public_key(kms, described.arn).der)
    assert kms.decrypt(KeyId=described.arn, **trial.params["kms:Decrypt"])["Plaintext"] == b"rootstock.pki"


@pytest.mark.parametrize(("message_type", "found"), [(None, ALLOWED), ("RAW", DENIED)])
def test_conditions_on_what_is_sent_are_proved_too(cast: Cast, message_type: str | None, found: str) -> None:
    key = cast.key("signers", use="ca")
    [finding] = try_all(
        cast.roles["auditors"], cast.roles["signers"], key, [("kms:Sign", found)], message_type=message_type
    )
    assert (finding.verdict.found, finding.difference()) == (found, "")


def test_a_disabled_key_proves_nothing(account: Account) -> None:
    admin = account.administrator()
    key = new_key(admin.client("kms"))
    admin.client("kms").disable_key(KeyId=key)
    [finding] = try_all(admin, admin, key, [("kms:Sign", ALLOWED)])
    assert finding.verdict.found == UNTESTED
    assert "is disabled" in finding.difference()


def test_a_call_that_is_answered_in_spite_of_the_dry_run_proves_nothing(account: Account) -> None:
    admin = account.administrator()
    key = new_key(admin.client("kms"))

    class Careless:
        """A client of an AWS that knows no dry runs."""

        meta = admin.client("kms").meta

        def describe_key(self, KeyId: str, DryRun: bool) -> dict[str, Any]:  # noqa: N803  # as boto3 names them
            return {"KeyId": KeyId} if DryRun else {}

    verdict = dry_run(Careless(), "DescribeKey", key, {})
    assert verdict == Verdict(UNTESTED, f"kms:DescribeKey on {key} was answered though it was a dry run")


def test_a_role_of_another_account_needs_both_its_key_policy_and_its_iam(local_aws: Server, cast: Cast) -> None:
    other = new_account(local_aws)
    guest = other.role("guest", {"Action": "kms:GetPublicKey"})
    key = cast.key("signers", verifiers=[guest.arn])
    findings = try_all(cast.roles["auditors"], guest, key, [("kms:GetPublicKey", ALLOWED), ("kms:DescribeKey", DENIED)])
    assert [each.difference() for each in findings] == ["", ""]


def test_a_role_that_cannot_be_assumed_is_told_for_each_of_its_actions(cast: Cast) -> None:
    described = describe_key(cast.roles["auditors"].client("kms"), cast.key("signers"))
    assert described

    def nobody(_each: Expectation) -> KmsProber:
        raise AwsError("nobody may assume it", operation="AssumeRole", code="AccessDenied")

    declared = Expectation("arn:aws:iam::111122223333:role/x", "s", None, ("kms:Sign",), ("kms:Verify",))
    findings = prove_access(prepare_trial(described, None, None, None), [declared], nobody)
    assert [each.difference() for each in findings] == [
        f"whether arn:aws:iam::111122223333:role/x may {action} could not be found out: nobody may assume it"
        for action in ("kms:Sign", "kms:Verify")
    ]


def test_nothing_that_was_tried_is_counted_as_use_of_the_key(account: Account) -> None:
    admin = account.administrator()
    key = new_key(admin.client("kms"))
    try_all(admin, admin, key, [("kms:Sign", ALLOWED), ("kms:Verify", ALLOWED)])
    assert "Timestamp" not in (admin.client("kms").get_key_last_usage(KeyId=key).get("KeyLastUsage") or {})


def test_an_explicit_deny_is_told_in_the_words_of_aws(account: Account) -> None:
    admin = account.administrator()
    deny = {"Effect": "Deny", "Principal": "*", "Action": "kms:Sign", "Resource": "*"}
    everything = {"Principal": {"AWS": account.root.arn}, "Action": "kms:*", "Resource": "*"}
    key = new_key(admin.client("kms"), Policy=policy(everything, deny))
    [finding] = try_all(admin, admin, key, [("kms:Sign", DENIED)])
    assert "explicit deny" in finding.result()["error"]
