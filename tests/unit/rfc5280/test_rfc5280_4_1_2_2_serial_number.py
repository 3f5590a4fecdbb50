# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""RFC 5280 4.1.2.2: serial numbers are positive, unique for an issuer, and at most 20 octets long."""

from __future__ import annotations

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.rootstock.pki.plugins.module_utils._operations.issue_certificate import IssuingPorts
from ansible_collections.rootstock.pki.plugins.module_utils._pki.certificate import SERIAL_BITS, to_serial_number
from ansible_collections.rootstock.pki.plugins.module_utils._pki.certificates import serial_hex
from tests.unit.rfc5280.office import Office
from tests.unit.rfc5280.reading import asn1_of, pkilint_findings, text_of

ONES = (1 << SERIAL_BITS) - 1


@given(st.integers(min_value=0, max_value=1 << 200))
def test_rfc5280_4_1_2_2_any_random_bits_make_a_positive_number_of_at_most_20_octets(bits: int) -> None:
    number = to_serial_number(bits)
    assert number > 0
    assert number.bit_length() // 8 + 1 <= 20


def test_rfc5280_4_1_2_2_the_bits_are_random_and_enough(office: Office) -> None:
    drawn = {IssuingPorts(office.signers["root"], str, office.clock).random_bits() for _draw in range(64)}
    assert len(drawn) == 64
    assert 150 < max(drawn).bit_length() <= SERIAL_BITS
    assert SERIAL_BITS >= 64, "CA/Browser Forum BR 7.1 wants 64 bits of a CSPRNG"
    assert IssuingPorts.__dataclass_fields__["random_bits"].default.__globals__["secrets"] is secrets


@pytest.mark.parametrize("number", [1, 0x7F, 0x80, ONES >> 8, ONES], ids=hex)
def test_rfc5280_4_1_2_2_openssl_reads_the_number_that_results_say(office: Office, number: int) -> None:
    office.serial = number - 1
    certificate = office.certify("web", "tls_client", "root")
    integers = [line.rpartition(":")[2] for line in asn1_of(certificate) if "d=2" in line and "INTEGER" in line]
    assert integers == [serial_hex(number)]
    assert "(Negative)" not in text_of(certificate)
    assert pkilint_findings(certificate) == []


def test_rfc5280_4_1_2_2_no_number_is_given_twice(office: Office) -> None:
    numbers = [office.certify("web", "tls_client", "root", subject={"CN": name}).serial_number for name in "abcd"]
    assert len(set(numbers)) == 4
