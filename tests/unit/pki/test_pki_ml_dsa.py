# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where cryptography is too old for ML-DSA, that is the reason given; not that a file is damaged."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest

from ansible_collections.rootstock.pki.plugins.module_utils._pki import ml_dsa
from ansible_collections.rootstock.pki.plugins.module_utils._pki.certificates import (
    load_csr,
    load_public_key,
    load_usable_certificates,
    to_der,
)
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import SpecError
from tests.unit.signer.local_kms import SIGNING_SPECS
from tests.unit.signer.test_signer_builders import Authority

ID_ML_DSA_44 = bytes.fromhex("0609608648016503040311")
UNREADABLE = b"\x30\x82\x05\x32\x30\x0b" + ID_ML_DSA_44
PEM = b"-----BEGIN PUBLIC KEY-----\n" + base64.encodebytes(UNREADABLE) + b"-----END PUBLIC KEY-----\n"


@pytest.fixture(autouse=True)
def old_cryptography(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ml_dsa, "mldsa", None)


@pytest.mark.parametrize("load", [load_public_key, load_csr])
@pytest.mark.parametrize("content", [UNREADABLE, PEM])
def test_a_key_and_a_request_say_which_cryptography_they_need(
    load: Callable[[bytes, str], object], content: bytes
) -> None:
    with pytest.raises(SpecError, match="web: ML-DSA needs cryptography 50 or newer where the module runs, found"):
        load(content, "web")


@pytest.mark.parametrize("key_spec", [spec for spec in SIGNING_SPECS if spec == "ML_DSA_44"])
def test_an_issuers_certificate_says_which_cryptography_it_needs(key_spec: str) -> None:
    certificate = Authority(key_spec).certificate
    content = to_der(certificate).replace(ID_ML_DSA_44 + b"\x03", ID_ML_DSA_44[:-1] + b"\x12\x03")
    with pytest.raises(SpecError, match=r"ca\.pem: ML-DSA needs cryptography 50"):
        load_usable_certificates(content, "ca.pem")


def test_what_else_cannot_be_read_is_damaged() -> None:
    with pytest.raises(SpecError, match="web: not a readable public key"):
        load_public_key(UNREADABLE.replace(ID_ML_DSA_44, b"\x05\x00"), "web")
