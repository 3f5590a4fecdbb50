# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a generated key policy would deny while a tree is built is refused before anything exists."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.rootstock.pki.plugins.filter.tree_plan import tree_plan
from ansible_collections.rootstock.pki.plugins.module_utils._pki.tree_access import algorithm_of
from ansible_collections.rootstock.pki.plugins.module_utils._signer.algorithms import KEY_SPECS

ROLE = "arn:aws:iam::111122223333:role/pki/Issuer"
BOTH = {"signers": [ROLE], "verifiers": [ROLE]}
PKCS1 = ["RSASSA_PKCS1_V1_5_SHA_256"]


def problems(key: dict[str, Any], certificate: dict[str, Any] | None = None, **root: Any) -> list[str]:
    """Return what is refused of a root with *key* and a certificate below it."""
    authority = {"name": "root", "certificate_profile": "root_ca", "subject": {"CN": "Root"}, "key": key, **root}
    below = {
        "name": "code",
        "issuer": "root",
        "certificate_profile": "code_signing",
        "subject": {"CN": "Code"},
        "key": {},
        **(certificate or {}),
    }
    place = {"pki_name": "acme", "pki_dir": "pki", "base_dir": "/srv/acme"}
    found: list[str] = tree_plan([authority], [below], **place)["problems"]  # type: ignore[assignment]
    return found


RSA: dict[str, Any] = {"key_spec": "RSA_2048", "signers": []}


@pytest.mark.parametrize(
    ("key", "root", "certificate", "refused"),
    [
        ({**RSA, "signing_algorithms": PKCS1}, {}, {}, []),
        ({**RSA, "signing_algorithms": PKCS1}, {}, {"signature_padding": "pss"}, ["code"]),
        ({**RSA, "signing_algorithms": PKCS1}, {}, {"digest": "sha512"}, ["code"]),
        ({**RSA, "signing_algorithms": PKCS1}, {"digest": "sha384"}, {}, ["root"]),
        ({**RSA, "signing_algorithms": ["RSASSA_PSS_SHA_512"]}, {}, {}, ["root", "code"]),
        ({"key_spec": "ECC_NIST_P384", "signers": [], "signing_algorithms": ["ECDSA_SHA_384"]}, {}, {}, []),
        ({"key_spec": "RSA_2048", "signing_algorithms": PKCS1}, {}, {"signature_padding": "pss"}, []),
        (RSA, {}, {"signature_padding": "pss"}, []),
    ],
)
def test_a_signature_that_the_statement_for_signers_denies_is_refused(
    key: dict[str, Any], root: dict[str, Any], certificate: dict[str, Any], refused: list[str]
) -> None:
    found = [text for text in problems(key, certificate, **root) if "the statement Signers" in text]
    assert [text.split(":")[0].split()[-1] for text in found] == refused


def test_the_refusal_names_the_algorithm_the_statement_and_the_way_out() -> None:
    [told] = problems({**RSA, "signing_algorithms": PKCS1}, {"signature_padding": "pss"})
    assert told == (
        "certificate code: root would sign it with RSASSA_PSS_SHA_256, and the statement Signers of its key policy "
        "allows RSASSA_PKCS1_V1_5_SHA_256; add it to signing_algorithms of the key of root, or change digest or "
        "signature_padding"
    )


@pytest.mark.parametrize(
    ("key", "lacking"),
    [
        (BOTH, []),
        ({}, []),
        ({"policy": {"Statement": [{"Effect": "Deny", "Action": "kms:*", "Resource": "*"}]}}, []),
        ({"signers": [ROLE]}, ["verifiers"]),
        ({"signers": [ROLE], "auditors": [ROLE]}, []),
        ({"signers": [{"principal": ROLE, "conditions": {}}], "administrators": ["111122223333"]}, []),
        ({"signers": ["arn:aws:sts::111122223333:assumed-role/Issuer/ci"], "verifiers": [ROLE]}, []),
        ({"signers": ["arn:aws:iam::111122223333:root"], "verifiers": [ROLE]}, []),
        ({"signers": [f"{ROLE}2"], "verifiers": ["444455556666"]}, ["signers", "verifiers"]),
        ({"administrators": [ROLE]}, ["signers"]),
        ({"administrators": [ROLE], "account_root": "full"}, []),
    ],
)
def test_a_role_that_may_not_sign_or_read_its_public_key_is_refused(key: dict[str, Any], lacking: list[str]) -> None:
    found = problems({**key, "assume_role": {"role_arn": ROLE}})
    assert [text.rpartition("add it to ")[2].split()[0] for text in found] == lacking
    assert all(ROLE in text and "authority root" in text for text in found)


@pytest.mark.parametrize("kept", ["root", "code"])
def test_a_role_that_makes_a_key_and_may_not_administer_it_is_refused(kept: str) -> None:
    keys: dict[str, dict[str, Any]] = {"root": {}, "code": {}}
    others = {"administrators": ["arn:aws:iam::111122223333:role/Other"], "region": "eu-west-1"}
    keys[kept] = {"administrator_role": {"role_arn": ROLE}, **others}
    [told] = problems(keys["root"], {"key": keys["code"]})
    assert f"{kept}: administrator_role {ROLE} has to administer the key" in told
    assert told.endswith("add it to administrators of the key")


@pytest.mark.parametrize("key_spec", [spec for spec, row in KEY_SPECS.items() if row.signing_algorithms])
def test_the_algorithm_of_a_certificate_is_the_one_that_signs_it(key_spec: str) -> None:
    assert algorithm_of(key_spec, "", "") == KEY_SPECS[key_spec].x509_default
    assert algorithm_of(key_spec, "", "") in KEY_SPECS[key_spec].signing_algorithms
    if key_spec.startswith("RSA"):
        assert algorithm_of(key_spec, "sha384", "pss") == "RSASSA_PSS_SHA_384"
