# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures: a local AWS for the session, a fresh account for each test, roles that may do what the test says.

A test folder takes them with `from localaws.testing import account, local_aws` in its conftest.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws.accounts import REGION, Account, Principal, new_account, policy
from localaws.server import Server, running

__all__ = [
    "REGION",
    "SIGNING_ALGORITHMS",
    "Account",
    "Principal",
    "account",
    "local_aws",
    "new_account",
    "new_key",
    "policy",
    "refused",
]
RSA_ALGORITHMS = [f"RSASSA_{kind}_SHA_{bits}" for kind in ("PKCS1_V1_5", "PSS") for bits in (256, 384, 512)]
ED25519 = ["ED25519_SHA_512", "ED25519_PH_SHA_512"]
SIGNING_ALGORITHMS = {
    "RSA_2048": RSA_ALGORITHMS,
    "RSA_3072": RSA_ALGORITHMS,
    "RSA_4096": RSA_ALGORITHMS,
    "ECC_NIST_P256": ["ECDSA_SHA_256"],
    "ECC_NIST_P384": ["ECDSA_SHA_384"],
    "ECC_NIST_P521": ["ECDSA_SHA_512"],
    "ECC_SECG_P256K1": ["ECDSA_SHA_256"],
    "ECC_NIST_EDWARDS25519": ED25519,
    "ML_DSA_44": ["ML_DSA_SHAKE_256"],
    "ML_DSA_65": ["ML_DSA_SHAKE_256"],
    "ML_DSA_87": ["ML_DSA_SHAKE_256"],
}


def new_key(kms: Any, spec: str = "ECC_NIST_P256", usage: str = "SIGN_VERIFY", **more: object) -> str:
    """Create a key and return its ARN."""
    arn: str = kms.create_key(KeySpec=spec, KeyUsage=usage, **more)["KeyMetadata"]["Arn"]
    return arn


def refused(call: Callable[..., object], **arguments: object) -> tuple[str, str, int]:
    """Return code, message and HTTP status of a call that AWS is to refuse."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    answer = caught.value.response
    return answer["Error"]["Code"], answer["Error"]["Message"], answer["ResponseMetadata"]["HTTPStatusCode"]


@pytest.fixture(scope="session")
def local_aws() -> Iterator[Server]:
    """A local AWS for the whole session."""
    with running() as server:
        yield server


@pytest.fixture
def account(local_aws: Server) -> Account:
    """An AWS account of the test's own."""
    return new_account(local_aws)
