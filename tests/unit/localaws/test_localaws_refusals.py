# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What KMS refuses: by key state, by kind of key, in aliases and in tags."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from localaws.testing import Account, new_key, refused

SIGN = {"SigningAlgorithm": "ECDSA_SHA_256", "Message": b"x"}
DISABLED, STATE = "DisabledException", "KMSInvalidStateException"
# operation and its arguments -> what it says of a disabled key and of one pending deletion
MATRIX: list[tuple[str, dict[str, object], str | None, str | None]] = [
    ("sign", SIGN, DISABLED, STATE),
    ("verify", {**SIGN, "Signature": b"x"}, DISABLED, STATE),
    ("create_grant", {"GranteePrincipal": "111122223333", "Operations": ["Sign"]}, DISABLED, STATE),
    ("get_public_key", {}, None, STATE),
    ("tag_resource", {"Tags": [{"TagKey": "a", "TagValue": "b"}]}, None, STATE),
    ("untag_resource", {"TagKeys": ["a"]}, None, STATE),
    ("update_key_description", {"Description": "x"}, None, STATE),
    ("enable_key", {}, None, STATE),
    ("disable_key", {}, None, STATE),
    ("schedule_key_deletion", {}, None, STATE),
    ("cancel_key_deletion", {}, STATE, None),
    ("describe_key", {}, None, None),
    ("get_key_policy", {}, None, None),
    ("list_aliases", {}, None, None),
    ("list_grants", {}, None, None),
    ("list_resource_tags", {}, None, None),
]
WORDS = {DISABLED: "is disabled.", STATE: "is pending deletion."}


@pytest.mark.parametrize(("operation", "arguments", "disabled", "pending"), MATRIX)
def test_state_by_operation(
    kms: Any, operation: str, arguments: dict[str, object], disabled: str | None, pending: str | None
) -> None:
    for prepare, code in (("disable_key", disabled), ("schedule_key_deletion", pending)):
        key = new_key(kms)
        getattr(kms, prepare)(KeyId=key)
        call: Callable[..., object] = getattr(kms, operation)
        if code is None:
            call(KeyId=key, **arguments)
        else:
            words = "is not pending deletion." if operation == "cancel_key_deletion" else WORDS[code]
            assert refused(call, KeyId=key, **arguments) == (code, f"{key} {words}", 400)


def test_put_key_policy_does_not_mind_the_state(kms: Any) -> None:
    key = new_key(kms)
    document = kms.get_key_policy(KeyId=key)["Policy"]
    kms.schedule_key_deletion(KeyId=key)
    kms.put_key_policy(KeyId=key, Policy=document)
    assert kms.get_key_policy(KeyId=key)["Policy"] == document


def test_aliases_and_a_key_pending_deletion(kms: Any) -> None:
    pending, sound = new_key(kms), new_key(kms)
    kms.create_alias(AliasName="alias/pending", TargetKeyId=pending)
    kms.schedule_key_deletion(KeyId=pending)
    said = (STATE, f"{pending} is pending deletion.", 400)
    assert refused(kms.create_alias, AliasName="alias/new", TargetKeyId=pending) == said
    kms.update_alias(AliasName="alias/pending", TargetKeyId=sound)
    assert refused(kms.update_alias, AliasName="alias/pending", TargetKeyId=pending) == said
    kms.delete_alias(AliasName="alias/pending")


def test_a_key_that_waits_for_its_material(kms: Any) -> None:
    key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY", Origin="EXTERNAL")["KeyMetadata"]["Arn"]
    said = (STATE, f"{key} is pending import.", 400)
    assert refused(kms.sign, KeyId=key, **SIGN) == said
    for operation in (kms.get_public_key, kms.enable_key, kms.disable_key):
        assert refused(operation, KeyId=key) == said
    kms.tag_resource(KeyId=key, Tags=[{"TagKey": "a", "TagValue": "b"}])
    kms.create_alias(AliasName="alias/waiting", TargetKeyId=key)
    assert refused(kms.cancel_key_deletion, KeyId=key) == (STATE, f"{key} is not pending deletion.", 400)
    kms.schedule_key_deletion(KeyId=key)


def test_deletion_is_scheduled_told_and_cancelled(kms: Any) -> None:
    key = new_key(kms)
    answer = kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    told = {name: answer[name] for name in ("KeyId", "KeyState", "PendingWindowInDays")}
    assert told == {"KeyId": key, "KeyState": "PendingDeletion", "PendingWindowInDays": 7}
    found = kms.describe_key(KeyId=key)["KeyMetadata"]
    assert (found["KeyState"], found["Enabled"]) == ("PendingDeletion", False)
    assert found["DeletionDate"] == answer["DeletionDate"]
    assert kms.cancel_key_deletion(KeyId=key)["KeyId"] == key
    found = kms.describe_key(KeyId=key)["KeyMetadata"]
    assert (found["KeyState"], "DeletionDate" in found) == ("Disabled", False)
    kms.enable_key(KeyId=key)
    assert kms.sign(KeyId=key, **SIGN)["Signature"]


@pytest.mark.parametrize("days", [1, 6, 31, 366])
def test_a_window_outside_7_to_30_days_is_refused(kms: Any, days: int) -> None:
    assert refused(kms.schedule_key_deletion, KeyId=new_key(kms), PendingWindowInDays=days)[0] == "ValidationException"


def test_an_alias_has_its_prefix_and_is_not_awss(kms: Any) -> None:
    page = "https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html"
    said = f'Alias must start with the prefix "alias/". Please see {page}'
    key = new_key(kms)
    made = refused(kms.create_alias, AliasName="wrong", TargetKeyId=key)
    assert made == ("ValidationException", said, 400)
    for operation, more in ((kms.create_alias, {"TargetKeyId": key}), (kms.delete_alias, {})):
        assert refused(operation, AliasName="alias/aws/s3", **more)[0] == "NotAuthorizedException"
    assert refused(kms.create_alias, AliasName="alias/ü", TargetKeyId=key)[0] == "ValidationException"
    assert refused(kms.create_alias, AliasName=f"alias/{'x' * 251}", TargetKeyId=key)[0] == "ValidationException"


def test_an_alias_is_given_once_and_names_tell_upper_from_lower_case(kms: Any, shared_account: Account) -> None:
    key = new_key(kms)
    kms.create_alias(AliasName="alias/once", TargetKeyId=key)
    arn = f"arn:aws:kms:eu-central-1:{shared_account.account_id}:alias/once"
    said = f"An alias with the name {arn} already exists"
    for target in (key, new_key(kms)):
        made = refused(kms.create_alias, AliasName="alias/once", TargetKeyId=target)
        assert made == ("AlreadyExistsException", said, 400)
    kms.create_alias(AliasName="alias/Once", TargetKeyId=key)


def test_a_missing_alias_is_not_found(kms: Any, shared_account: Account) -> None:
    arn = f"arn:aws:kms:eu-central-1:{shared_account.account_id}:alias/missing"
    said = ("NotFoundException", f"Alias {arn} is not found.", 400)
    assert refused(kms.delete_alias, AliasName="alias/missing") == said
    assert refused(kms.update_alias, AliasName="alias/missing", TargetKeyId=new_key(kms)) == said


def test_an_alias_moves_between_keys_of_one_type_and_usage(kms: Any) -> None:
    signing, other = new_key(kms, "RSA_2048"), new_key(kms, "ECC_NIST_P384")
    symmetric = kms.create_key()["KeyMetadata"]["Arn"]
    mac = new_key(kms, "HMAC_256", "GENERATE_VERIFY_MAC")
    kms.create_alias(AliasName="alias/moves", TargetKeyId=signing)
    kms.update_alias(AliasName="alias/moves", TargetKeyId=other)
    assert kms.describe_key(KeyId="alias/moves")["KeyMetadata"]["Arn"] == other
    for target in (symmetric, mac, new_key(kms, "RSA_2048", "ENCRYPT_DECRYPT")):
        assert refused(kms.update_alias, AliasName="alias/moves", TargetKeyId=target)[0] == "ValidationException"


def test_alias_targets_are_keys_and_no_aliases(kms: Any) -> None:
    kms.create_alias(AliasName="alias/target", TargetKeyId=new_key(kms))
    assert refused(kms.create_alias, AliasName="alias/b", TargetKeyId="alias/target")[0] == "NotFoundException"


def test_a_key_has_at_most_50_aliases(kms: Any) -> None:
    key = new_key(kms)
    for number in range(50):
        kms.create_alias(AliasName=f"alias/many-{number}", TargetKeyId=key)
    made = refused(kms.create_alias, AliasName="alias/many-50", TargetKeyId=key)
    assert made[0] == "LimitExceededException"


def tags(*names: str) -> list[dict[str, str]]:
    return [{"TagKey": name, "TagValue": ""} for name in names]


def test_tag_rules(kms: Any) -> None:
    key = new_key(kms)
    fifty = tags(*(f"tag-{number}" for number in range(50)))
    refusals = {
        "Duplicate tag keys": tags("a", "a"),
        "Tags beginning with aws: are reserved": tags("AWS:x"),
        "Too many tags": [*fifty, *tags("one-more")],
    }
    for said, wrong in refusals.items():
        assert refused(kms.tag_resource, KeyId=key, Tags=wrong) == ("TagException", said, 400)
        assert refused(kms.create_key, Tags=wrong) == ("TagException", said, 400)
    kms.tag_resource(KeyId=key, Tags=fifty)
    kms.tag_resource(KeyId=key, Tags=fifty[:2])
    assert refused(kms.tag_resource, KeyId=key, Tags=tags("one-more"))[1] == "Too many tags"
    long = [{"TagKey": "a", "TagValue": "v" * 257}]
    assert refused(kms.tag_resource, KeyId=key, Tags=long)[0] == "ValidationException"


def test_asymmetric_keys_do_not_rotate(kms: Any) -> None:
    key = new_key(kms)
    assert refused(kms.enable_key_rotation, KeyId=key) == ("UnsupportedOperationException", "", 400)
    assert refused(kms.rotate_key_on_demand, KeyId=key) == ("UnsupportedOperationException", "", 400)
    assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] is False


def test_only_imported_material_is_imported(kms: Any) -> None:
    key = new_key(kms)
    said = f"{key} origin is AWS_KMS which is not valid for this operation."
    wanted = {"WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048"}
    found = refused(kms.get_parameters_for_import, KeyId=key, **wanted)
    assert found == ("UnsupportedOperationException", said, 400)
