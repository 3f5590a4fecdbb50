# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of key specs and algorithms, compared with what AWS publishes."""

from __future__ import annotations

from dataclasses import astuple
from typing import Any

import pytest
from botocore.session import Session
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa

from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import SpecError
from ansible_collections.rootstock.pki.plugins.module_utils._signer.algorithms import (
    ALGORITHMS,
    KEY_SPECS,
    algorithm_for,
    spec_of_public_key,
)
from tests.unit.signer.local_kms import SIGNING_SPECS, local_key

NOT_OURS = {"SM2", "SM2DSA"}
"""Offered in the China regions alone."""


def enum_of(shape: str) -> set[str]:
    return set(Session().get_service_model("kms").shape_for(shape).enum)


def test_the_table_holds_every_signing_algorithm_of_the_api() -> None:
    assert set(ALGORITHMS) == enum_of("SigningAlgorithmSpec") - NOT_OURS


def test_the_table_holds_every_key_spec_of_the_api_but_those_for_hmac() -> None:
    hmac = {spec for spec in enum_of("KeySpec") if spec.startswith("HMAC_")}
    assert set(KEY_SPECS) == enum_of("KeySpec") - hmac - NOT_OURS


def test_usages_and_message_types_are_words_of_the_api() -> None:
    assert {usage for row in KEY_SPECS.values() for usage in row.usages} <= enum_of("KeyUsageType")
    assert {kind for row in ALGORITHMS.values() for kind in row.message_types} == enum_of("MessageType")


def test_every_row_holds_strings_alone() -> None:
    cells = [cell for row in [*ALGORITHMS.values(), *KEY_SPECS.values()] for cell in astuple(row)]
    assert all(isinstance(text, str) for cell in cells for text in (cell if isinstance(cell, tuple) else [cell]))


def test_defaults_are_algorithms_of_the_spec_and_send_no_content_where_a_digest_will_do() -> None:
    for spec, row in KEY_SPECS.items():
        if row.signing_algorithms:
            assert {row.x509_default, row.bare_default} <= set(row.signing_algorithms)
            expected = {"ED25519": "RAW", "ML_DSA": "EXTERNAL_MU"}.get(row.family, "DIGEST")
            assert row.message_type == expected, spec


def test_bare_rsa_signatures_default_to_pkcs1_with_sha512_and_certificates_to_sha256() -> None:
    row = KEY_SPECS["RSA_3072"]
    assert (row.bare_default, row.x509_default) == ("RSASSA_PKCS1_V1_5_SHA_512", "RSASSA_PKCS1_V1_5_SHA_256")


def test_the_name_of_an_algorithm_says_its_hash_and_padding() -> None:
    for name, row in ALGORITHMS.items():
        if row.hash:
            assert name.endswith(row.hash.upper().replace("SHA", "SHA_"))
        assert ("PKCS1" in name, "PSS" in name) == (row.padding == "PKCS1V15", row.padding == "PSS")


@pytest.mark.parametrize("key_spec", SIGNING_SPECS)
def test_a_generated_key_is_recognised(key_spec: str) -> None:
    assert spec_of_public_key(local_key(key_spec).public_key()) == key_spec


STRANGERS: list[Any] = [
    rsa.generate_private_key(65537, 1024),  # noqa: S505 - too weak for KMS, which is the point
    ec.generate_private_key(ec.SECP224R1()),
    ed448.Ed448PrivateKey.generate(),
]


@pytest.mark.parametrize("key", STRANGERS)
def test_a_kind_that_kms_does_not_hold_is_refused(key: Any) -> None:
    with pytest.raises(SpecError, match="no key that KMS can hold; it has RSA_2048"):
        spec_of_public_key(key.public_key())


def test_an_algorithm_of_another_spec_is_refused_with_those_that_fit() -> None:
    fitting = "ECDSA_SHA_384 does not fit a key of spec ECC_NIST_P256; use one of ECDSA_SHA_256"
    with pytest.raises(SpecError, match=fitting):
        algorithm_for("ECC_NIST_P256", "ECDSA_SHA_384")
    with pytest.raises(SpecError, match="such keys do not sign"):
        algorithm_for("SYMMETRIC_DEFAULT", "ECDSA_SHA_256")
