# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a signer is told of a key, as roles that may do little with it."""

from __future__ import annotations

import hashlib

import pytest

from ansible_collections.rootstock.pki.plugins.module_utils._aws.signing_keys import KmsSigningKeys
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import AwsError, KeyStateError, NoKeyError
from localaws.testing import Account, new_key

DIGEST = hashlib.sha256(b"content").digest()


def key_of(account: Account, spec: str = "ECC_NIST_P256", use: str = "") -> str:
    kms = account.root.client("kms")
    arn = new_key(kms, spec)
    kms.create_alias(AliasName="alias/signer", TargetKeyId=arn)
    if use:
        kms.tag_resource(KeyId=arn, Tags=[{"TagKey": "rootstock:use", "TagValue": use}])
    return arn


def keys_as(account: Account, *actions: str) -> KmsSigningKeys:
    return KmsSigningKeys(account.role("signer", {"Action": list(actions)}).client("kms"))


@pytest.mark.parametrize("by_alias", [True, False])
def test_a_key_that_may_be_read_is_told_with_its_use(account: Account, by_alias: bool) -> None:
    arn = key_of(account, use="ca")
    keys = keys_as(account, "kms:GetPublicKey", "kms:DescribeKey", "kms:ListResourceTags")
    key_id = "alias/signer" if by_alias else arn
    found = keys.public_key(key_id)
    assert found is not None
    assert (found.key_arn, found.key_usage) == (arn, "SIGN_VERIFY")
    assert keys.use_of(key_id) == "ca"


def test_a_key_without_the_tag_has_no_use(account: Account) -> None:
    assert keys_as(account, "kms:ListResourceTags").use_of(key_of(account)) == ""


def test_a_key_that_is_not_there_is_none(account: Account) -> None:
    assert keys_as(account, "kms:GetPublicKey").public_key("alias/nobody") is None


@pytest.mark.parametrize("key_id", ["alias/nobody", "00000000-0000-0000-0000-000000000007"])
def test_a_key_that_is_not_there_has_no_use_either(account: Account, key_id: str) -> None:
    keys = keys_as(account, "kms:DescribeKey", "kms:ListResourceTags")
    with pytest.raises(NoKeyError, match=f"the KMS key {key_id} does not exist yet; create it with kms_key"):
        keys.use_of(key_id)


def test_a_public_key_that_may_not_be_read_is_empty(account: Account) -> None:
    key_of(account)
    found = keys_as(account, "kms:Sign").public_key("alias/signer")
    assert found is not None
    assert found.der == b""


@pytest.mark.parametrize("action", ["kms:Sign", "kms:DescribeKey", "kms:ListResourceTags"])
def test_tags_that_may_not_be_read_are_unknown(account: Account, action: str) -> None:
    key_of(account, use="ca")
    assert keys_as(account, action).use_of("alias/signer") is None


def test_kms_says_whether_a_signature_is_right(account: Account) -> None:
    arn = key_of(account)
    kms = account.root.client("kms")
    sent = {"KeyId": arn, "Message": DIGEST, "MessageType": "DIGEST", "SigningAlgorithm": "ECDSA_SHA_256"}
    signature = account.administrator().client("kms").sign(**sent)["Signature"]
    keys = keys_as(account, "kms:Verify")
    assert keys.verify(arn, DIGEST, "DIGEST", signature, "ECDSA_SHA_256")
    assert not keys.verify(arn, DIGEST[::-1], "DIGEST", signature, "ECDSA_SHA_256")
    for junk in (b"", b"junk", bytes(7000)):
        assert not keys.verify(arn, DIGEST, "DIGEST", junk, "ECDSA_SHA_256")
    kms.disable_key(KeyId=arn)
    with pytest.raises(KeyStateError, match="is disabled"):
        keys.verify(arn, DIGEST, "DIGEST", signature, "ECDSA_SHA_256")


def test_who_may_not_verify_is_told_so(account: Account) -> None:
    arn = key_of(account)
    with pytest.raises(AwsError, match="may not kms:Verify on"):
        keys_as(account, "kms:Sign").verify(arn, DIGEST, "DIGEST", b"x", "ECDSA_SHA_256")
