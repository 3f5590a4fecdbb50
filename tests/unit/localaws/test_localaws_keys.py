# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keys as AWS KMS makes, describes and finds them, and what its model forbids."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from localaws.testing import SIGNING_ALGORITHMS, Account, new_key, refused

Keys = Callable[[str], str]


@pytest.mark.parametrize("spec", SIGNING_ALGORITHMS)
def test_created_signing_key_is_described_as_aws_does(kms: Any, shared_account: Account, spec: str) -> None:
    found = kms.create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")["KeyMetadata"]
    assert found == kms.describe_key(KeyId=found["KeyId"])["KeyMetadata"]
    del found["CreationDate"]
    assert found == {
        "AWSAccountId": shared_account.account_id,
        "KeyId": found["KeyId"],
        "Arn": f"arn:aws:kms:eu-central-1:{shared_account.account_id}:key/{found['KeyId']}",
        "Enabled": True,
        "Description": "",
        "KeyUsage": "SIGN_VERIFY",
        "KeyState": "Enabled",
        "Origin": "AWS_KMS",
        "KeyManager": "CUSTOMER",
        "CustomerMasterKeySpec": spec,
        "KeySpec": spec,
        "SigningAlgorithms": SIGNING_ALGORITHMS[spec],
        "MultiRegion": False,
    }


def test_algorithms_are_told_under_the_name_of_the_usage(kms: Any) -> None:
    def told(**arguments: object) -> dict[str, object]:
        found = kms.create_key(**arguments)["KeyMetadata"]
        return {name: value for name, value in found.items() if name.endswith("Algorithms")}

    oaep = ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"]
    assert told() == {"EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"]}
    assert told(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT") == {"EncryptionAlgorithms": oaep}
    assert told(KeySpec="ECC_NIST_P256", KeyUsage="KEY_AGREEMENT") == {"KeyAgreementAlgorithms": ["ECDH"]}
    assert told(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC") == {"MacAlgorithms": ["HMAC_SHA_256"]}


def test_only_a_symmetric_key_tells_its_key_material(kms: Any) -> None:
    assert "CurrentKeyMaterialId" in kms.create_key()["KeyMetadata"]


@pytest.mark.parametrize("spec", SIGNING_ALGORITHMS)
def test_get_public_key_answers_der_and_what_it_is_for(kms: Any, shared_key: Keys, spec: str) -> None:
    key = shared_key(spec)
    found = kms.get_public_key(KeyId=key)
    load_der_public_key(found["PublicKey"])
    assert (found["KeyId"], found["KeySpec"], found["KeyUsage"]) == (key, spec, "SIGN_VERIFY")
    assert found["SigningAlgorithms"] == SIGNING_ALGORITHMS[spec]
    assert "EncryptionAlgorithms" not in found


def test_public_exponent_is_65537_and_ed25519_has_its_44_bytes(kms: Any, shared_key: Keys) -> None:
    rsa_key = load_der_public_key(kms.get_public_key(KeyId=shared_key("RSA_2048"))["PublicKey"])
    assert isinstance(rsa_key, rsa.RSAPublicKey)
    assert rsa_key.public_numbers().e == 65537
    ed25519_der = kms.get_public_key(KeyId=shared_key("ECC_NIST_EDWARDS25519"))["PublicKey"]
    assert ed25519_der[:12] == bytes.fromhex("302a300506032b6570032100")
    assert len(ed25519_der) == 44


def test_get_public_key_of_a_symmetric_or_hmac_key_is_unsupported_without_words(kms: Any) -> None:
    for arguments in ({}, {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"}):
        key = kms.create_key(**arguments)["KeyMetadata"]["KeyId"]
        assert refused(kms.get_public_key, KeyId=key) == ("UnsupportedOperationException", "", 400)


def test_get_public_key_refuses_a_key_pending_deletion_and_gives_a_disabled_one(kms: Any) -> None:
    key = new_key(kms, "ECC_NIST_P256")
    kms.disable_key(KeyId=key)
    assert kms.get_public_key(KeyId=key)["PublicKey"]
    kms.schedule_key_deletion(KeyId=key)
    code = "KMSInvalidStateException"
    assert refused(kms.get_public_key, KeyId=key) == (code, f"{key} is pending deletion.", 400)


@pytest.mark.parametrize(
    ("spec", "allowed"),
    [
        ("SYMMETRIC_DEFAULT", {"ENCRYPT_DECRYPT"}),
        ("RSA_2048", {"SIGN_VERIFY", "ENCRYPT_DECRYPT"}),
        ("ECC_NIST_P256", {"SIGN_VERIFY", "KEY_AGREEMENT"}),
        ("ECC_NIST_P384", {"SIGN_VERIFY", "KEY_AGREEMENT"}),
        ("ECC_NIST_P521", {"SIGN_VERIFY", "KEY_AGREEMENT"}),
        ("ECC_SECG_P256K1", {"SIGN_VERIFY"}),
        ("ECC_NIST_EDWARDS25519", {"SIGN_VERIFY"}),
        ("ML_DSA_44", {"SIGN_VERIFY"}),
        ("ML_DSA_65", {"SIGN_VERIFY"}),
        ("ML_DSA_87", {"SIGN_VERIFY"}),
        ("HMAC_256", {"GENERATE_VERIFY_MAC"}),
    ],
)
def test_create_key_takes_the_usages_of_the_spec_and_no_other(kms: Any, spec: str, allowed: set[str]) -> None:
    for usage in ("SIGN_VERIFY", "ENCRYPT_DECRYPT", "KEY_AGREEMENT", "GENERATE_VERIFY_MAC"):
        if usage in allowed:
            assert kms.create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]["KeyUsage"] == usage
        else:
            said = refused(kms.create_key, KeySpec=spec, KeyUsage=usage)
            assert said == ("ValidationException", f"KeyUsage {usage} is not compatible with KeySpec {spec}", 400)


def test_create_key_wants_a_usage_for_every_spec_but_the_symmetric_one(kms: Any) -> None:
    said = "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys."
    for spec in [*SIGNING_ALGORITHMS, "HMAC_256"]:
        assert refused(kms.create_key, KeySpec=spec) == ("ValidationException", said, 400)


def test_create_key_knows_neither_sm2_nor_unknown_specs(kms: Any) -> None:
    said = "KeySpec SM2 is not supported in this Region"
    assert refused(kms.create_key, KeySpec="SM2", KeyUsage="SIGN_VERIFY")[:2] == ("UnsupportedOperationException", said)
    code, message, _unused = refused(kms.create_key, KeySpec="RSA_1024", KeyUsage="SIGN_VERIFY")
    assert code == "ValidationException"
    assert message.startswith(
        "1 validation error detected: Value 'RSA_1024' at 'keySpec' failed to satisfy constraint: "
    )
    assert "Member must satisfy enum value set: [" in message


def test_what_the_model_forbids_is_listed(kms: Any, shared_key: Keys) -> None:
    key = shared_key("ECC_NIST_P256")
    _unused, message, _unused = refused(kms.sign, KeyId=key, Message=bytes(4097), SigningAlgorithm="NONE")
    assert message.startswith("2 validation errors detected: ")
    assert (
        "Value 'NONE' at 'signingAlgorithm' failed to satisfy constraint: Member must satisfy enum value set: ["
        in message
    )
    _unused, message, _unused = refused(kms.tag_resource, KeyId=key, Tags=[{"TagKey": "k" * 129, "TagValue": "v"}])
    said = f"Value '{'k' * 129}' at 'tags.1.member.tagKey' failed to satisfy constraint: "
    assert message == f"1 validation error detected: {said}Member must have length less than or equal to 128"


def test_a_required_member_is_not_null(account: Account) -> None:
    kms = account.root.client("kms")
    kms.meta.events.register("before-call.kms.Sign", lambda params, **_unused: params.update(body=b'{"KeyId": "x"}'))
    _unused, message, _unused = refused(kms.sign, KeyId="x", Message=b"x", SigningAlgorithm="ECDSA_SHA_256")
    assert "Value null at 'signingAlgorithm' failed to satisfy constraint: Member must not be null" in message


@pytest.mark.parametrize(
    ("target", "body", "code"),
    [
        ("TrentService.Sign", b"not JSON", "SerializationException"),
        ("TrentService.Sign", b"[]", "SerializationException"),
        ("TrentService.Sign", b'{"KeyId": "x", "SigningAlgorithm": 5}', "SerializationException"),
        ("TrentService.Sign", b'{"KeyId": "x", "Message": "***"}', "SerializationException"),
        ("TrentService.NoSuchThing", b"{}", "UnknownOperationException"),
    ],
)
def test_what_is_no_request_is_refused_as_such(account: Account, target: str, body: bytes, code: str) -> None:
    def replace(params: dict[str, Any], **_unused: object) -> None:
        params["body"] = body
        params["headers"]["X-Amz-Target"] = target

    kms = account.root.client("kms")
    kms.meta.events.register("before-call.kms.Sign", replace)
    found = refused(kms.sign, KeyId="x", Message=b"x", SigningAlgorithm="ECDSA_SHA_256")
    assert (found[0], found[2]) == (code, 400)


def test_keys_are_named_by_id_arn_alias_and_alias_arn(kms: Any, shared_account: Account) -> None:
    key = new_key(kms, "ECC_NIST_P256")
    kms.create_alias(AliasName="alias/a", TargetKeyId=key)
    names = [key, key.rpartition("/")[2], "alias/a", f"arn:aws:kms:eu-central-1:{shared_account.account_id}:alias/a"]
    for name in names:
        assert kms.sign(KeyId=name, Message=b"x", SigningAlgorithm="ECDSA_SHA_256")["KeyId"] == key
        assert kms.get_public_key(KeyId=name)["KeyId"] == key
        assert kms.describe_key(KeyId=name)["KeyMetadata"]["Arn"] == key


def test_management_takes_no_alias(kms: Any, shared_account: Account) -> None:
    key = new_key(kms, "ECC_NIST_P256")
    kms.create_alias(AliasName="alias/managed", TargetKeyId=key)
    assert refused(kms.schedule_key_deletion, KeyId="alias/managed")[:2] == (
        "NotFoundException",
        "Invalid keyId 'alias/managed'",
    )
    arn = f"arn:aws:kms:eu-central-1:{shared_account.account_id}:alias/managed"
    said = "Key Aliases are not supported for this operation"
    assert refused(kms.schedule_key_deletion, KeyId=arn)[:2] == ("InvalidArnException", said)


def test_keys_that_are_not_there(kms: Any, shared_account: Account) -> None:
    here = f"arn:aws:kms:eu-central-1:{shared_account.account_id}"
    absent = "00000000-0000-4000-8000-000000000000"
    missing = f"Key '{here}:key/{absent}' does not exist"
    expected = {
        absent: missing,
        f"{here}:key/{absent}": missing,
        "fake-key-id": "Invalid keyId 'fake-key-id'",
        "mrk-fake-key-id": "Invalid keyId 'mrk-fake-key-id'",
        absent.replace("-", ""): f"Invalid keyId '{absent.replace('-', '')}'",
        f"{here}:key/fake-key-id": "Invalid keyId fake-key-id",
        "alias/none": f"Alias {here}:alias/none is not found.",
        f"{here}:alias/none": f"Alias {here}:alias/none is not found.",
        f"arn:aws:kms:us-east-1:{shared_account.account_id}:key/{absent}": "Invalid arn us-east-1",
    }
    for name, said in expected.items():
        assert refused(kms.describe_key, KeyId=name) == ("NotFoundException", said, 400)
