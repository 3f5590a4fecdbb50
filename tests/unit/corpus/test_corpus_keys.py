# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Public keys that everybody has the private key of, and those that are fine."""

from __future__ import annotations

import math
import subprocess
from functools import cache
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ansible_collections.rootstock.pki.plugins.module_utils._pki.profiles import KEY_SPECS
from ansible_collections.rootstock.pki.plugins.module_utils._pki.subject_keys import key_problems
from ansible_collections.rootstock.pki.plugins.module_utils._pki.trial_keys import trial_public_key
from tests.unit.rfc5280.office import Office

FIELD = 2**255 - 19
NEUTRAL = (1).to_bytes(32, "little")
ORDER_EIGHT = bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")


@cache
def good_rsa() -> rsa.RSAPrivateNumbers:
    return rsa.generate_private_key(65537, 2048).private_numbers()


def multiple_of(factor: int) -> int:
    """Return a multiple of *factor* without other small ones, of 2048 bits."""
    size = 2048 - factor.bit_length() + 1
    cofactor = (3 << (size - 2)) + 1
    while math.gcd(cofactor, math.prod(range(2, 800))) > 1:
        cofactor += 2
    return factor * cofactor


def rsa_key(modulus: int) -> rsa.RSAPublicKey:
    return rsa.RSAPublicNumbers(65537, modulus).public_key()


def openssl_accepts(key: rsa.RSAPublicKey) -> bool:
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    command = ["openssl", "pkey", "-pubin", "-pubcheck", "-noout"]
    return b"Key is valid" in subprocess.run(command, input=pem, capture_output=True, check=False).stdout


@pytest.mark.parametrize(
    ("modulus", "says"),
    [
        (lambda: good_rsa().public_numbers.n, ""),
        (lambda: multiple_of(2), "has the factor 2"),
        (lambda: multiple_of(3), "has the factor 3"),
        (lambda: multiple_of(9), "has the factor 3"),
        (lambda: multiple_of(751), "has the factor 751"),
        (lambda: multiple_of(739 * 743), "has small factors"),
        (lambda: multiple_of(757), ""),
        (lambda: good_rsa().p ** 2, "is a square"),
    ],
    ids=["good", "even", "3", "9", "751", "two factors", "757", "square"],
)
def test_a_modulus_that_is_factored_at_once_is_refused_as_openssl_does(modulus: Any, says: str) -> None:
    key = rsa_key(modulus())
    told = "; ".join(key_problems(key))
    assert (f"the modulus of the RSA key {says}, so that anybody can factor it" in told) == bool(told) == bool(says)
    assert openssl_accepts(key) == (not says)


def forged(key: Ed25519PublicKey) -> bool:
    """Tell whether nobody's signature, R the neutral element and S zero, is right for one of some messages."""
    return any(verifies(key, NEUTRAL + bytes(32), b"message %d" % number) for number in range(100))


def verifies(key: Ed25519PublicKey, signature: bytes, message: bytes) -> bool:
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True


def negative(encoded: bytes) -> bytes:
    return encoded[:31] + bytes((encoded[31] ^ 0x80,))


def opposite(encoded: bytes) -> bytes:
    return (FIELD - int.from_bytes(encoded, "little")).to_bytes(32, "little")


SMALL = {
    "neutral": NEUTRAL,
    "order 2": opposite(NEUTRAL),
    "order 4": bytes(32),
    "order 4, other": negative(bytes(32)),
    "order 8": ORDER_EIGHT,
    "order 8, negative": negative(ORDER_EIGHT),
    "order 8, opposite": opposite(ORDER_EIGHT),
    "order 8, both": negative(opposite(ORDER_EIGHT)),
}


@pytest.mark.parametrize("encoded", SMALL.values(), ids=SMALL)
def test_rfc8032_a_key_under_which_anybody_signs_is_refused(encoded: bytes) -> None:
    key = Ed25519PublicKey.from_public_bytes(encoded)
    assert forged(key)
    assert "is a point of small order" in key_problems(key)[0]


@pytest.mark.parametrize("y", [FIELD, FIELD + 1])
def test_rfc8032_such_a_key_is_refused_however_it_is_encoded(y: int) -> None:
    for encoded in (y.to_bytes(32, "little"), negative(y.to_bytes(32, "little"))):
        assert key_problems(Ed25519PublicKey.from_public_bytes(encoded))


def test_rfc8032_other_keys_are_fine() -> None:
    for _time in range(20):
        key = Ed25519PrivateKey.generate().public_key()
        assert not forged(key)
        assert key_problems(key) == []


@pytest.mark.parametrize("key_spec", KEY_SPECS)
def test_the_keys_that_stand_in_for_those_of_a_planned_tree_are_fine(key_spec: str) -> None:
    assert key_problems(trial_public_key(key_spec)) == []


@pytest.mark.parametrize(
    ("key", "says"),
    [
        (lambda: rsa_key(multiple_of(3)), "the modulus of the RSA key has the factor 3"),
        (lambda: Ed25519PublicKey.from_public_bytes(NEUTRAL), "the Ed25519 key is a point of small order"),
    ],
)
def test_nothing_is_issued_for_a_key_that_everybody_has(desk: Office, key: Any, says: str) -> None:
    pem = key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    told = desk.refusal("web", "tls_server", "root", public_key_content=pem, subject_alt_name=["DNS:a.example"])
    assert says in told
    assert told.endswith("have a new key made")
