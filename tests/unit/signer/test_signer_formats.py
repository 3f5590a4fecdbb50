# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Signatures as files and texts: every format says the same signature, and only that."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey

from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import SpecError
from ansible_collections.rootstock.pki.plugins.module_utils._signer.algorithms import ALGORITHMS, KEY_SPECS
from ansible_collections.rootstock.pki.plugins.module_utils._signer.formats import (
    FORMATS,
    decode_signature,
    encode_signature,
)
from ansible_collections.rootstock.pki.plugins.module_utils._signer.verify import verify_signature
from tests.unit.signer.local_kms import PAIRS, local_key, session_for

EC_SPECS = [spec for spec, _name in PAIRS if KEY_SPECS[spec].family == "EC"]
JOSE = {"ECC_NIST_P256": "ES256", "ECC_NIST_P384": "ES384", "ECC_NIST_P521": "ES512", "ECC_SECG_P256K1": "ES256K"}
CASES = [(s, n, f) for s, n in PAIRS for f in FORMATS if f != "p1363" or KEY_SPECS[s].family == "EC"]


@pytest.mark.parametrize(("key_spec", "name", "signature_format"), CASES)
@given(content=st.binary(min_size=1, max_size=100))
def test_what_is_written_is_read_back_as_a_signature_that_verifies(
    key_spec: str, name: str, signature_format: str, content: bytes
) -> None:
    row = ALGORITHMS[name]
    session = session_for(local_key(key_spec))
    written = encode_signature(session.sign_content(content, row), signature_format, row)
    read = decode_signature(written, signature_format, row)
    assert read is not None
    verify_signature(session.public_key, read, content, row)


@pytest.mark.parametrize("key_spec", EC_SPECS)
def test_p1363_is_what_jose_takes(key_spec: str) -> None:
    session = session_for(local_key(key_spec))
    header = base64.urlsafe_b64encode(b'{"alg":"%s"}' % JOSE[key_spec].encode()).rstrip(b"=")
    payload = base64.urlsafe_b64encode(b"payload").rstrip(b"=")
    row = ALGORITHMS[KEY_SPECS[key_spec].bare_default]
    signature = encode_signature(session.sign_content(header + b"." + payload, row), "p1363", row)
    token = b".".join([header, payload, base64.urlsafe_b64encode(signature).rstrip(b"=")])
    key = ECKey.import_key(session.public_key)
    assert jws.deserialize_compact(token, key, algorithms=[JOSE[key_spec]]).payload == b"payload"


@given(content=st.binary(max_size=200))
@pytest.mark.parametrize("signature_format", FORMATS)
def test_any_content_is_a_signature_of_the_format_or_none(signature_format: str, content: bytes) -> None:
    read = decode_signature(content, signature_format, ALGORITHMS["ECDSA_SHA_256"])
    assert read is None or isinstance(read, bytes)


def test_p1363_of_another_length_is_none() -> None:
    row = ALGORITHMS["ECDSA_SHA_256"]
    assert [decode_signature(bytes([1]) * size, "p1363", row) is None for size in (63, 64, 65)] == [True, False, True]


@pytest.mark.parametrize("name", ["RSASSA_PSS_SHA_256", "ED25519_SHA_512", "ML_DSA_SHAKE_256"])
def test_p1363_is_for_ecdsa_alone(name: str) -> None:
    with pytest.raises(SpecError, match=f"format p1363: is for ECDSA, and the key signs with {name}; use raw"):
        encode_signature(b"", "p1363", ALGORITHMS[name])
