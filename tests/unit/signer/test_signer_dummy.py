# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A dummy key makes what a real one would, but for the meaning of the signature."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, utils
from cryptography.hazmat.primitives.serialization import Encoding

from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import SignerError, SpecError
from ansible_collections.rootstock.pki.plugins.module_utils._pki.issuing import signed_by
from ansible_collections.rootstock.pki.plugins.module_utils._signer.algorithms import ALGORITHMS, KEY_SPECS
from ansible_collections.rootstock.pki.plugins.module_utils._signer.dummy import dummy_session, dummy_signature
from ansible_collections.rootstock.pki.plugins.module_utils._signer.keys import private_key_for
from ansible_collections.rootstock.pki.plugins.module_utils._signer.verify import to_hash, to_padding
from tests.unit.signer.local_kms import PAIRS, SIGNING_SPECS, kms_signature, local_key

NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Acme")])
START = datetime(2026, 1, 1, tzinfo=timezone.utc)
DER_SLACK = 4
"""Octets by which two ECDSA signatures differ: leading zeros of r and s (X.690 8.3)."""


def dummy_key_for(public_key: Any) -> Any:
    return private_key_for(public_key, dummy_session(public_key))


def signed(key: Any, algorithm: str) -> x509.Certificate:
    row = ALGORITHMS[algorithm]
    builder = (
        x509.CertificateBuilder()
        .subject_name(NAME)
        .issuer_name(NAME)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(START)
        .not_valid_after(START + timedelta(days=9))
    )
    rsa_padding: Any = to_padding(row) if row.family == "RSA" else None
    return builder.sign(key, to_hash(row.hash) if row.hash else None, rsa_padding=rsa_padding)  # type: ignore[arg-type]


@pytest.mark.parametrize(("key_spec", "algorithm"), PAIRS)
def test_a_dummy_certificate_differs_from_a_real_one_in_the_octets_of_the_signature_alone(
    key_spec: str, algorithm: str
) -> None:
    real = local_key(key_spec)
    dummy, genuine = signed(dummy_key_for(real.public_key()), algorithm), signed(real, algorithm)
    assert dummy.tbs_certificate_bytes == genuine.tbs_certificate_bytes
    assert dummy.signature_algorithm_oid == genuine.signature_algorithm_oid
    sizes = [len(one.public_bytes(Encoding.DER)) for one in (dummy, genuine)]
    assert abs(sizes[0] - sizes[1]) <= (DER_SLACK if KEY_SPECS[key_spec].family == "EC" else 0)
    assert not signed_by(dummy, genuine)


@pytest.mark.parametrize("key_spec", [spec for spec in SIGNING_SPECS if KEY_SPECS[spec].family == "EC"])
def test_an_ecdsa_dummy_is_two_numbers_below_the_order_of_the_curve(key_spec: str) -> None:
    key = local_key(key_spec)
    r, s = utils.decode_dss_signature(dummy_signature(key.public_key()))
    assert r == s
    assert r.bit_length() == key.key_size - 1


@pytest.mark.parametrize(("key_spec", "algorithm"), [pair for pair in PAIRS if KEY_SPECS[pair[0]].family != "EC"])
def test_a_dummy_has_the_length_of_what_kms_returns(key_spec: str, algorithm: str) -> None:
    key, row = local_key(key_spec), ALGORITHMS[algorithm]
    message = bytes(
        {"EXTERNAL_MU": 64, "RAW": 9}.get(row.message_type, to_hash(row.hash).digest_size if row.hash else 9)
    )
    assert len(dummy_signature(key.public_key())) == len(kms_signature(key, message, row.message_type, row))


def test_a_dummy_key_refuses_what_the_real_one_refuses() -> None:
    key = dummy_key_for(local_key("RSA_2048").public_key())
    with pytest.raises(SignerError, match="salt as long as the digest"):
        key.sign(b"", padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.MAX_LENGTH), hashes.SHA256())
    with pytest.raises(SignerError, match="ECDSA with sha512 on secp256r1"):
        dummy_key_for(local_key("ECC_NIST_P256").public_key()).sign(b"", ec.ECDSA(hashes.SHA512()))
    with pytest.raises(SpecError, match="longer than 4096 bytes"):
        dummy_key_for(local_key("ECC_NIST_EDWARDS25519").public_key()).sign(bytes(4097))


def test_a_dummy_key_has_no_private_half() -> None:
    with pytest.raises(SignerError, match="never leaves KMS"):
        dummy_key_for(local_key("ECC_NIST_P256").public_key()).private_numbers()


def test_a_key_of_a_kind_that_kms_lacks_has_no_dummy() -> None:
    with pytest.raises(SpecError, match="is no key that KMS can hold"):
        dummy_key_for(ec.generate_private_key(ec.BrainpoolP256R1()).public_key())
