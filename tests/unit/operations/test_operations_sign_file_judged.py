# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every key spec, algorithm and format: third parties accept the file that is kept, and no bit of it may be flipped.

OpenSSL judges, and pyca the ML-DSA that OpenSSL knows from 3.5 on only.
"""

from __future__ import annotations

import base64
from functools import cache
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.rootstock.pki.plugins.module_utils._signer.algorithms import KEY_SPECS
from tests.unit.operations.signing_desk import Desk
from tests.unit.operations.test_operations_verify_file import MATRIX, flip, openssl_accepts, same_octets
from tests.unit.signer.local_kms import local_key

Case = tuple[str, str, str]

FEWER = settings(max_examples=settings().max_examples // 6)
"""Every example starts a process, in some fifty cases."""


@cache
def kept(case: Case, base: Path) -> tuple[bytes, bytes, Path]:
    """Sign a file once; return its content, what was kept, and a folder to work in."""
    key_spec, name, signature_format = case
    folder = base / "-".join(case)
    folder.mkdir()
    desk = Desk(folder, key_spec)
    desk.sign(signing_algorithm=name, format=signature_format)
    return (folder / "content").read_bytes(), desk.dest.read_bytes(), folder


def accepts(case: Case, signature: bytes, content: bytes, folder: Path) -> bool:
    if KEY_SPECS[case[0]].family != "ML_DSA":
        return openssl_accepts(case, signature, content, folder)
    octets = base64.b64decode(signature) if case[2] == "base64" else signature
    try:
        local_key(case[0]).public_key().verify(octets, content)
    except InvalidSignature:
        return False
    return True


@pytest.mark.parametrize("case", MATRIX, ids="-".join)
def test_what_is_kept_is_accepted(case: Case, tmp_path_factory: pytest.TempPathFactory) -> None:
    content, signature, folder = kept(case, tmp_path_factory.getbasetemp())
    assert accepts(case, signature, content, folder)


@pytest.mark.parametrize("case", MATRIX, ids="-".join)
@FEWER
@given(bit=st.integers(0, 40_000))
def test_no_bit_of_the_signature_may_be_flipped(case: Case, tmp_path_factory: pytest.TempPathFactory, bit: int) -> None:
    content, signature, folder = kept(case, tmp_path_factory.getbasetemp())
    broken = flip(signature.rstrip(b"\n") if case[2] == "base64" else signature, bit)
    if case[2] == "base64" and (not same_octets(broken) or same_octets(broken).startswith(same_octets(signature))):
        return  # no Base64 any more, bits that mean nothing, or a padding that became an octet: OpenSSL skips it
    assert not accepts(case, broken, content, folder)


@pytest.mark.parametrize("case", MATRIX, ids="-".join)
@FEWER
@given(bit=st.integers(0, 40_000))
def test_no_bit_of_the_content_may_be_flipped(case: Case, tmp_path_factory: pytest.TempPathFactory, bit: int) -> None:
    content, signature, folder = kept(case, tmp_path_factory.getbasetemp())
    assert not accepts(case, signature, flip(content, bit), folder)
