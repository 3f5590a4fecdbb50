# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of kms_key: what they become, and what is refused at the door."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.amazon.aws.plugins.module_utils.modules import aws_argument_spec

from ansible_collections.rootstock.pki.plugins.module_utils._keys.description import KeyDescription
from ansible_collections.rootstock.pki.plugins.module_utils._module.key_options import KEY_OPTIONS, to_desired_key
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import KeyStateError, SpecError
from ansible_collections.rootstock.pki.plugins.module_utils._signer.algorithms import KEY_SPECS

POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}]}


def params(**given: Any) -> dict[str, Any]:
    defaults = {name: option.get("default") for name, option in KEY_OPTIONS.items()}
    return {**defaults, "alias": "pki/root", **given}


def test_defaults_make_a_p256_key_for_signatures_and_manage_nothing_else() -> None:
    desired = to_desired_key(params())
    assert (desired.alias, desired.key_spec, desired.key_usage) == ("alias/pki/root", "ECC_NIST_P256", "SIGN_VERIFY")
    assert (desired.use, desired.description, desired.tags, desired.policy) == (None, None, None, None)


def test_tag_values_of_any_yaml_type_become_text() -> None:
    desired = to_desired_key(params(tags={"number": 1, "yes": True, "empty": None, 5: "x"}))
    assert desired.tags == {"number": "1", "yes": "True", "empty": "", "5": "x"}


def test_a_policy_is_read_from_json() -> None:
    assert to_desired_key(params(policy=json.dumps(POLICY))).policy == POLICY


def test_equal_tasks_are_equal_values() -> None:
    assert to_desired_key(params(tags={"a": 1})) == to_desired_key(params(tags={"a": "1"}, alias="alias/pki/root"))


def test_all_that_is_wrong_with_a_task_is_told_in_one_message() -> None:
    wrong = params(alias="aws/x", policy="{", tags={"rootstock:use": "ca"}, use="encrypt")
    with pytest.raises(SpecError) as refused:
        to_desired_key(wrong)
    told = str(refused.value)
    assert [word for word in ("alias/aws/", "JSON", "rootstock:use", "use encrypt") if word not in told] == []


def test_an_empty_alias_beside_a_key_id_is_no_alias() -> None:
    assert to_desired_key(params(alias="", key_id="1234")).names == ()


def test_a_key_of_a_spec_that_is_none_of_ours_is_refused_by_its_name() -> None:
    named = KeyDescription("1234", "arn", "1", "HMAC_256", "GENERATE_VERIFY_MAC", "Enabled", "", "AWS_KMS", False)
    with pytest.raises(KeyStateError, match="1234 is of key_spec HMAC_256; use one of RSA_2048, "):
        to_desired_key(params(alias=None, key_id="1234"), named)


@pytest.mark.parametrize("key_spec", KEY_SPECS)
@pytest.mark.parametrize("key_usage", ["SIGN_VERIFY", "ENCRYPT_DECRYPT"])
def test_every_pair_of_spec_and_usage_is_taken_as_the_table_says(key_spec: str, key_usage: str) -> None:
    asked = params(key_spec=key_spec, key_usage=key_usage)
    if key_usage in KEY_SPECS[key_spec].usages:
        assert to_desired_key(asked).key_spec == key_spec
    else:
        with pytest.raises(SpecError, match=f"{key_usage} does not fit key_spec {key_spec}"):
            to_desired_key(asked)


def test_no_option_takes_a_name_of_the_aws_options() -> None:
    taken = {name for option, spec in aws_argument_spec().items() for name in (option, *spec.get("aliases", ()))}
    ours = {name for option, spec in KEY_OPTIONS.items() for name in (option, *spec.get("aliases", ()))}
    assert not taken & ours


def test_without_lists_the_key_policy_is_left_alone() -> None:
    assert to_desired_key(params(minimum_pending_window=7)).access is None


@pytest.mark.parametrize("given", [{"administrators": []}, {"account_root": "full"}, {"break_glass_principals": []}])
def test_any_list_makes_the_whole_policy(given: dict[str, Any]) -> None:
    assert to_desired_key(params(**given)).access is not None


ROLE = "arn:aws:iam::111122223333:role/x"


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"signers": [111122223333]}, "write account numbers in quotes"),
        ({"signers": [{"principal": ROLE, "condition": {}}]}, "neither a principal nor a table"),
        ({"signers": [{"principal": ROLE, "conditions": []}, ["x"]]}, "neither a principal nor a table"),
        ({"signers": [ROLE], "policy": json.dumps(POLICY)}, "policy is the whole key policy"),
        ({"signing_algorithms": ["ECDSA_SHA_256"]}, "narrows what signers may do"),
        ({"signers": [ROLE], "signing_algorithms": ["RSASSA_PSS_SHA_256"]}, "none of this key's"),
        ({"signers": [ROLE], "signing_algorithms": []}, "signing_algorithms: empty, so nobody could sign"),
        ({"signers": [ROLE], "minimum_pending_window": 6}, "KMS takes 7 to 30"),
        ({"aliases": ["aws/x"]}, "belong to AWS"),
        ({"aliases": [""]}, "expected letters"),
    ],
)
def test_lists_that_cannot_be_are_refused_with_the_reason(given: dict[str, Any], reason: str) -> None:
    with pytest.raises(SpecError, match=reason):
        to_desired_key(params(**given))


@pytest.mark.parametrize(
    ("key_spec", "use", "types"),
    [
        ("ECC_NIST_P256", "ca", ("DIGEST",)),
        ("RSA_4096", "ocsp", ("DIGEST",)),
        ("ECC_NIST_EDWARDS25519", "ca", ("RAW",)),
        ("ML_DSA_87", "ca", ("EXTERNAL_MU",)),
        ("ECC_NIST_P256", "sign", ("DIGEST", "RAW")),
        ("ECC_NIST_EDWARDS25519", "sign", ("DIGEST", "RAW")),
        ("ML_DSA_87", None, ("EXTERNAL_MU", "RAW")),
    ],
)
def test_authorities_send_the_one_thing_that_they_sign_and_others_all_that_fits(
    key_spec: str, use: str | None, types: tuple[str, ...]
) -> None:
    access = to_desired_key(params(key_spec=key_spec, use=use, signers=[ROLE])).access
    assert access
    assert access.message_types == types
    assert access.signing_algorithms == KEY_SPECS[key_spec].signing_algorithms
