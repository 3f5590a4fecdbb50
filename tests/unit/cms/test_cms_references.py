# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The attributes in which a signature refers to its certificate (RFC 5035): every part of them has to fit."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.name import _ASN1Type

from ansible_collections.rootstock.pki.plugins.module_utils._pki.certificates import load_name
from ansible_collections.rootstock.pki.plugins.module_utils._pki.der import wrap
from tests.unit.cms.cms_forms import (
    SIGNER,
    WHO,
    directory_name,
    issuer_serial,
    message,
    reference,
    references,
    sequence,
    verdicts,
)
from tests.unit.cms.cms_people import certificate, middle, named, root

V1, V2 = "1.2.840.113549.1.9.16.2.12", "1.2.840.113549.1.9.16.2.47"
HASHES = {V1: "sha1", V2: "sha256"}
OTHER = certificate("ECC_NIST_P256", 1)
ISSUER = directory_name(SIGNER.issuer)
PRINTABLE = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, " middle", _ASN1Type.PrintableString)])
NAMES_ANOTHER = f"{WHO} names another issuer or serial number of its certificate (RFC 5035 4)"
NOT_READABLE = f"{WHO} has a reference to its certificate that cannot be read"

ISSUER_SERIALS: dict[str, tuple[bytes, str]] = {
    "its own": (issuer_serial(SIGNER.serial_number, ISSUER), ""),
    "its own, written in another way": (issuer_serial(SIGNER.serial_number, directory_name(PRINTABLE)), ""),
    "another issuer": (issuer_serial(SIGNER.serial_number, directory_name(named("Else"))), NAMES_ANOTHER),
    "another serial number": (issuer_serial(7, ISSUER), NAMES_ANOTHER),
    "no name that can be read": (issuer_serial(SIGNER.serial_number, wrap(0xA4, b"\x30\x02\x31\x05")), NAMES_ANOTHER),
    "two issuers": (issuer_serial(SIGNER.serial_number, ISSUER, ISSUER), NOT_READABLE),
    "a host": (issuer_serial(SIGNER.serial_number, wrap(0x82, b"middle.example")), NOT_READABLE),
    "nothing": (sequence(), NOT_READABLE),
}


@pytest.mark.parametrize("told", list(ISSUER_SERIALS))
@pytest.mark.parametrize("kind", [V1, V2])
def test_rfc5035_4_issuer_and_serial_number_are_those_of_the_certificate(kind: str, told: str, tmp_path: Path) -> None:
    der, reason = ISSUER_SERIALS[told]
    refers = references(kind, reference(SIGNER, HASHES[kind], der))
    assert verdicts(tmp_path, message([refers]), "-cades") == (reason, not reason)


@pytest.mark.parametrize("kind", [V1, V2])
def test_rfc5035_3_the_first_reference_is_to_the_certificate_of_the_signer(kind: str, tmp_path: Path) -> None:
    name = HASHES[kind]
    right, wrong, missing = reference(SIGNER, name), reference(OTHER, name), []
    assert verdicts(tmp_path, message([references(kind, right)]), "-cades") == ("", True)
    for found in ([wrong], [reference(middle(), name), right]):
        ours, openssl = verdicts(tmp_path, message([references(kind, *found)]), "-cades")
        assert (f"{WHO} was made with another certificate" in ours, openssl) == (True, False)
    assert verdicts(tmp_path, message([references(kind, *missing)]), "-cades") == (NOT_READABLE, False)


@pytest.mark.parametrize(("first", "second"), [(SIGNER, OTHER), (OTHER, SIGNER)])
def test_rfc5035_both_attributes_have_to_fit(first: x509.Certificate, second: x509.Certificate, tmp_path: Path) -> None:
    both = [references(V1, reference(first, "sha1")), references(V2, reference(second, "sha256"))]
    assert verdicts(tmp_path, message(both), "-cades") == (f"{WHO} was made with another certificate", False)


@pytest.mark.parametrize("kind", [V1, V2])
def test_rfc5035_3_further_references_limit_the_way_to_a_trusted_certificate(kind: str, tmp_path: Path) -> None:
    name = HASHES[kind]
    first = reference(SIGNER, name)
    for more in ([middle()], [middle(), root()]):
        refers = references(kind, first, *(reference(one, name) for one in more))
        assert verdicts(tmp_path, message([refers]), "-cades") == ("", True)
    ours, openssl = verdicts(tmp_path, message([references(kind, first, reference(OTHER, name))]), "-cades")
    assert "allows no certificates between its own and a trusted one but those that it refers to (RFC 5035 3)" in ours
    assert not openssl


def test_a_name_is_read_from_its_der_alone() -> None:
    for one in (SIGNER.issuer, PRINTABLE, x509.Name([])):
        assert load_name(one.public_bytes()) == one
    for damaged in (b"", b"\x30", b"\x30\x02\x31\x05", b"\x05\x00", SIGNER.issuer.public_bytes() * 2):
        with pytest.raises(ValueError, match=r"."):
            load_name(damaged)
