# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Serial numbers to and from text as community.crypto's filters have them, and certificates described in templates."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from functools import cache
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.community.crypto.plugins.filter.parse_serial import parse_serial_filter
from ansible_collections.community.crypto.plugins.filter.to_serial import to_serial_filter
from ansible_collections.community.crypto.plugins.filter.x509_certificate_info import x509_certificate_info_filter
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.rootstock.pki.plugins.filter.parse_serial import parse_serial
from ansible_collections.rootstock.pki.plugins.filter.to_serial import to_serial
from ansible_collections.rootstock.pki.plugins.filter.x509_cert_info import x509_cert_info
from ansible_collections.rootstock.pki.plugins.module_utils._pki.certificates import serial_hex, to_der, to_pem

SERIALS = st.integers(min_value=0, max_value=2**160)
PAIRS = st.lists(st.from_regex("[0-9A-Fa-f]{1,2}", fullmatch=True), min_size=1).map(":".join)


@cache
def certificate() -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "web.acme.internal")])
    now = datetime.now(timezone.utc)
    names = x509.SubjectAlternativeName([x509.DNSName("web.acme.internal")])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(0x0A17)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=9))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )


def refusal(call: Callable[[], object]) -> str:
    """Return why *call* was refused, or none."""
    try:
        call()
    except AnsibleFilterError as exc:
        return str(exc)
    return "none"


@given(SERIALS)
def test_a_serial_number_is_written_as_community_crypto_writes_it(serial_number: int) -> None:
    assert to_serial(serial_number) == to_serial_filter(serial_number)


@given(PAIRS)
def test_a_serial_number_is_read_as_community_crypto_reads_it(text: str) -> None:
    assert parse_serial(text) == parse_serial_filter(text)


@given(SERIALS)
def test_a_serial_number_is_read_as_it_was_written_and_as_files_are_named(serial_number: int) -> None:
    assert parse_serial(to_serial(serial_number)) == serial_number
    assert parse_serial(serial_hex(serial_number)) == serial_number


@pytest.mark.parametrize("value", [-1, "17", None, 1.5, True, [1]])
def test_what_is_no_serial_number_is_not_written(value: object) -> None:
    with pytest.raises(AnsibleFilterError, match=r"to_serial: serial number .*(integer|negative)"):
        to_serial(value)


@pytest.mark.parametrize("value", ["", "x", "0A:1G", "123:45", "A17", "0A::17", 17, None, "-1", "0x17"])
def test_what_is_no_text_of_hex_digits_is_not_read(value: object) -> None:
    with pytest.raises(AnsibleFilterError, match="is no text of hex digits; write it as 0A:17 or 0A17"):
        parse_serial(value)


@given(st.one_of(st.text(), st.binary(), st.none(), st.integers()))
def test_whatever_is_read_makes_a_number_or_a_sentence(value: object) -> None:
    assert refusal(lambda: parse_serial(value)).startswith(("parse_serial: ", "none"))


def test_a_certificate_is_described_as_community_crypto_does() -> None:
    pem = to_pem([certificate()]).decode()
    ours, theirs = x509_cert_info(pem), x509_certificate_info_filter(pem)
    assert {field: ours[field] for field in theirs} == theirs


def test_a_certificate_in_der_is_described_too() -> None:
    der = to_der(certificate())
    assert x509_cert_info(der)["serial_number_hex"] == "0A17"
    assert x509_cert_info(der.decode("utf-8", "surrogateescape"))["serial_number_hex"] == "0A17"


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("", "the input: holds no certificate"),
        ("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----", "the input: not a readable certificate"),
        ("0\x00", "the input: not a readable certificate"),
        (None, "the input is NoneType; give a certificate in PEM"),
        ({"path": "web.pem"}, "the input is dict; give a certificate in PEM"),
    ],
)
def test_what_is_no_certificate_is_refused_with_a_sentence(value: object, says: str) -> None:
    with pytest.raises(AnsibleFilterError, match=f"x509_cert_info: {says}"):
        x509_cert_info(value)


@given(st.data())
def test_a_damaged_certificate_is_described_or_refused_with_a_sentence(data: Any) -> None:
    der = bytearray(to_der(certificate()))
    changes = st.lists(st.tuples(st.integers(0, len(der) - 1), st.integers(0, 255)), min_size=1, max_size=4)
    for place, octet in data.draw(changes):
        der[place] = octet
    armour = "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n"
    pem = armour.format(base64.b64encode(der).decode())
    assert refusal(lambda: x509_cert_info(pem)).startswith(("x509_cert_info: ", "none"))
