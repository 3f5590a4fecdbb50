# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The calls of KMS, as roles that may do what the call needs and no more."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256, Hash
from cryptography.hazmat.primitives.serialization import load_der_public_key

from ansible_collections.rootstock.pki.plugins.module_utils._aws import kms
from ansible_collections.rootstock.pki.plugins.module_utils._aws.key_store import KmsKeyStore
from ansible_collections.rootstock.pki.plugins.module_utils._aws.tagging import find_by_tag
from ansible_collections.rootstock.pki.plugins.module_utils._keys.desired import NewKey
from ansible_collections.rootstock.pki.plugins.module_utils._keys.policy import default_policy
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import AwsError, KeyStateError
from localaws.server import Server
from localaws.testing import Account, Principal

NEW = NewKey("ECC_NIST_P256", "SIGN_VERIFY", "A key", {"rootstock:alias": "alias/x", "team": "pki"}, None)


def allowed(account: Account, *actions: str) -> Principal:
    """Return a role that may do these and nothing else."""
    return account.role("tested", {"Action": list(actions)})


def test_a_key_is_described_as_kms_has_it(account: Account) -> None:
    client = allowed(account, "kms:CreateKey", "kms:TagResource", "kms:DescribeKey", "kms:CreateAlias").client("kms")
    made = kms.create_key(client, NEW)
    assert kms.create_alias(client, "alias/x", made.key_id)
    found = kms.describe_key(client, "alias/x")
    assert found == made
    assert (found.key_spec, found.state, found.description, found.origin) == (
        "ECC_NIST_P256",
        "Enabled",
        "A key",
        "AWS_KMS",
    )
    assert found.signing_algorithms == ("ECDSA_SHA_256",)
    assert found.arn == f"arn:aws:kms:eu-central-1:{account.account_id}:key/{found.key_id}"


@pytest.mark.parametrize("key_id", ["alias/none", "11111111-2222-3333-4444-555555555555", "nonsense"])
def test_a_key_that_does_not_exist_is_none(account: Account, key_id: str) -> None:
    client = allowed(account, "kms:DescribeKey", "kms:GetPublicKey").client("kms")
    assert kms.describe_key(client, key_id) is None
    assert kms.find_public_key(client, key_id) is None
    assert kms.KmsPublicKeys(client).public_key(key_id) is None


def test_a_key_that_may_not_be_described_is_an_error_not_an_absence(account: Account) -> None:
    made = kms.create_key(account.root.client("kms"), NEW)
    with pytest.raises(AwsError, match="may not kms:DescribeKey"):
        kms.describe_key(allowed(account, "kms:Sign").client("kms"), made.key_id)


def test_a_signature_comes_with_its_request_and_key_and_verifies_offline(account: Account) -> None:
    made = kms.create_key(account.root.client("kms"), NEW)
    client = allowed(account, "kms:Sign", "kms:GetPublicKey").client("kms")
    digest = Hash(SHA256())
    digest.update(b"content")
    hashed = digest.finalize()
    reply = kms.KmsSigner(client, made.key_id).sign(hashed, "DIGEST", "ECDSA_SHA_256")
    assert reply.key_arn == made.arn
    assert reply.request_id
    public = load_der_public_key(kms.get_public_key(client, made.arn).der)
    assert isinstance(public, ec.EllipticCurvePublicKey)
    public.verify(reply.signature, hashed, ec.ECDSA(utils.Prehashed(SHA256())))


def test_a_symmetric_key_has_no_public_key_and_that_is_said(account: Account) -> None:
    client = account.root.client("kms")
    made = kms.create_key(client, NewKey("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "", {}, None))
    with pytest.raises(KeyStateError, match="symmetric key and has no public key"):
        kms.get_public_key(client, made.key_id)


def test_an_alias_is_given_once(account: Account) -> None:
    client = account.root.client("kms")
    keys = [kms.create_key(client, NEW).key_id for _number in range(2)]
    assert [kms.create_alias(client, "alias/x", key) for key in keys] == [True, False]
    assert [kms.list_aliases(client, key) for key in keys] == [["alias/x"], []]


def test_tags_policy_and_description_are_what_was_written(account: Account) -> None:
    client = account.root.client("kms")
    made = kms.create_key(client, NEW)
    kms.tag_resource(client, made.key_id, {"team": "other", "cost": "1"})
    kms.untag_resource(client, made.key_id, ["cost"])
    kms.update_key_description(client, made.key_id, "Other")
    policy = default_policy(made.arn)
    assert kms.get_key_policy(client, made.key_id) == policy
    kms.put_key_policy(client, made.key_id, {**policy, "Id": "mine"})
    assert kms.list_resource_tags(client, made.key_id) == {"rootstock:alias": "alias/x", "team": "other"}
    assert kms.get_key_policy(client, made.key_id) == {**policy, "Id": "mine"}
    described = kms.describe_key(client, made.key_id)
    assert described
    assert described.description == "Other"


def test_more_tags_than_one_answer_holds_are_all_read(account: Account) -> None:
    client = account.root.client("kms")
    tags = {f"tag{number}": str(number) for number in range(50)}
    made = kms.create_key(client, NewKey("ECC_NIST_P256", "SIGN_VERIFY", "", tags, None))
    assert kms.list_resource_tags(client, made.key_id) == tags


def test_a_scheduled_deletion_tells_its_date(account: Account) -> None:
    client = account.root.client("kms")
    made = kms.create_key(client, NEW)
    date = kms.schedule_key_deletion(client, made.key_id, 7)
    described = kms.describe_key(client, made.key_id)
    assert described
    assert (described.state, described.deletion_date) == ("PendingDeletion", date)


def test_grants_are_seen(account: Account) -> None:
    client = account.root.client("kms")
    made = kms.create_key(client, NEW)
    assert not kms.has_grants(client, made.key_id)
    principal = account.role("grantee").arn
    client.create_grant(KeyId=made.key_id, GranteePrincipal=principal, Operations=["Sign"])
    assert kms.has_grants(client, made.key_id)


@pytest.mark.parametrize("actions", [["tag:GetResources"], ["kms:ListKeys", "kms:ListResourceTags"]])
def test_keys_are_found_by_their_tag_with_and_without_the_tagging_api(
    account: Account, local_aws: Server, actions: list[str]
) -> None:
    client = account.root.client("kms")
    made = kms.create_key(client, NEW)
    kms.create_key(client, NewKey("ECC_NIST_P256", "SIGN_VERIFY", "", {"rootstock:alias": "alias/y"}, None))
    finder = allowed(account, *actions)
    local_aws.reset_calls()
    found = find_by_tag(
        finder.client("resourcegroupstaggingapi"), finder.client("kms"), "rootstock:alias", NEW.tags["rootstock:alias"]
    )
    assert found == {made.arn: NEW.tags}
    assert local_aws.count("kms:ListKeys") == ("kms:ListKeys" in actions)


def test_who_may_neither_ask_the_tagging_api_nor_list_keys_is_told(account: Account) -> None:
    finder = allowed(account, "kms:DescribeKey")
    with pytest.raises(AwsError, match="may not kms:ListKeys"):
        find_by_tag(finder.client("resourcegroupstaggingapi"), finder.client("kms"), "rootstock:alias", "alias/x")


def store_of(account: Account, sleep: Any = bool) -> KmsKeyStore:
    client = account.root.client("kms")
    others = [partial(account.root.client, name) for name in ("resourcegroupstaggingapi", "sts")]
    return KmsKeyStore(client, lambda: client, *others, sleep)


def test_a_throttled_creation_is_asked_again_after_a_while(account: Account, local_aws: Server) -> None:
    caller = account.root.arn
    local_aws.faults({"action": "throttle", "operation": "kms:CreateKey", "caller": caller, "times": 2})
    waited: list[float] = []
    try:
        made = store_of(account, waited.append).create(NEW, "alias/x")
    finally:
        local_aws.faults()
    assert len(waited) == 2
    assert kms.list_keys(account.root.client("kms")) == [made.arn]


WRITES: dict[str, Callable[[KmsKeyStore, str], object]] = {
    "CreateAlias": lambda store, key_id: store.create_alias("alias/x", key_id),
    "UpdateAlias": lambda store, key_id: store.move_alias("alias/y", key_id),
    "TagResource": lambda store, key_id: store.set_tags(key_id, {"team": "other"}),
    "UntagResource": lambda store, key_id: store.remove_tags(key_id, ["team"]),
    "UpdateKeyDescription": lambda store, key_id: store.set_description(key_id, "Another"),
    "PutKeyPolicy": lambda store, key_id: store.put_policy(key_id, store.policy(key_id), bypass_lockout_check=False),
    "DisableKey": lambda store, key_id: store.disable(key_id),
    "EnableKey": lambda store, key_id: store.enable(key_id),
    "ScheduleKeyDeletion": lambda store, key_id: store.schedule_deletion(key_id, 7),
}


@pytest.mark.parametrize("operation", WRITES)
def test_a_new_key_that_is_not_visible_yet_is_changed_after_a_while(
    account: Account, local_aws: Server, operation: str
) -> None:
    waited: list[float] = []
    store = store_of(account, waited.append)
    made = store.create(NEW, "alias/x")
    store.create_alias("alias/y", store.create(NEW, "alias/y").key_id)
    unseen = {"action": "error", "status": 400, "code": "NotFoundException", "message": "Key does not exist"}
    local_aws.faults({"operation": f"kms:{operation}", "caller": account.root.arn, **unseen, "times": 2})
    try:
        WRITES[operation](store, made.key_id)
    finally:
        local_aws.faults()
    assert len(waited) == 2


@pytest.mark.parametrize("fault", [{"action": "drop"}, {"action": "drop", "when": "after"}, {"action": "error"}])
def test_a_creation_that_may_have_happened_is_never_asked_again(
    account: Account, local_aws: Server, fault: dict[str, object]
) -> None:
    local_aws.faults({"operation": "kms:CreateKey", "caller": account.root.arn, **fault})
    local_aws.reset_calls()
    try:
        with pytest.raises(AwsError):
            store_of(account).create(NEW, "alias/x")
    finally:
        local_aws.faults()
    assert local_aws.count("kms:CreateKey") == 1


def test_a_throttled_creation_that_waits_for_a_principal_has_the_time_for_both(
    account: Account, local_aws: Server
) -> None:
    waited: list[float] = []
    late = {"status": 400, "code": "MalformedPolicyDocumentException", "message": "One or more invalid principals."}
    busy = {"action": "throttle", "call": 14, "times": 8}
    asked = {"operation": "kms:CreateKey", "caller": account.root.arn}
    local_aws.faults({"action": "error", "times": 13, **late, **asked}, {**busy, **asked})
    try:
        made = store_of(account, waited.append).create(NEW, "alias/x")
    finally:
        local_aws.faults()
    assert len(waited) == 13 + 8
    assert kms.list_keys(account.root.client("kms")) == [made.arn]


def test_a_principal_that_does_not_appear_is_waited_for_and_then_named_as_the_cause(account: Account) -> None:
    waited: list[float] = []
    nobody = {"Effect": "Allow", "Principal": {"AWS": f"{account.root.arn[:-4]}role/nobody"}, "Action": "kms:*"}
    policy = {"Version": "2012-10-17", "Statement": [{**nobody, "Resource": "*"}]}
    new = NewKey("ECC_NIST_P256", "SIGN_VERIFY", "", {}, policy)
    with pytest.raises(AwsError, match="names a principal that does not exist"):
        store_of(account, waited.append).create(new, "alias/x")
    assert 60 < sum(waited) < 120
    assert kms.list_keys(account.root.client("kms")) == []
