# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What would be a certificate, a CRL, an OCSP response or a request if it were signed is recognised; files are not."""

from __future__ import annotations

import subprocess
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, pkcs7
from cryptography.hazmat.primitives.serialization.pkcs7 import PKCS7SignatureBuilder
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.rootstock.pki.plugins.module_utils._signer.structures import structure_of, structure_of_file
from tests.unit.signer.local_kms import SIGNING_SPECS, local_key
from tests.unit.signer.test_signer_builders import NAME, NOW, Authority

NAMES = ["TBSCertificate", "TBSCertList", "OCSP ResponseData", "CertificationRequestInfo"]


@cache
def to_be_signed(key_spec: str = "ECC_NIST_P256") -> dict[str, bytes]:
    """Return what pyca had signed, one of each kind."""
    authority = Authority(key_spec)
    return {
        "TBSCertificate": authority.certificate.tbs_certificate_bytes,
        "TBSCertList": authority.crl().tbs_certlist_bytes,
        "OCSP ResponseData": authority.ocsp_response().tbs_response_bytes,
        "CertificationRequestInfo": authority.request().tbs_certrequest_bytes,
    }


def header(tag: int, length: int, octets: int = 0) -> bytes:
    """Return identifier and length octets; with *octets* the long form of so many."""
    if not octets and length < 128:
        return bytes([tag, length])
    size = octets or (length.bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + length.to_bytes(size, "big")


def parts(der: bytes) -> tuple[int, bytes, bytes]:
    """Split DER into tag, content and what follows."""
    octets = der[1] & 0x7F if der[1] & 0x80 else 0
    length = int.from_bytes(der[2 : 2 + octets], "big") if octets else der[1]
    start = 2 + octets
    return der[0], der[start : start + length], der[start + length :]


def elements(content: bytes) -> list[tuple[int, bytes]]:
    found = []
    while content:
        tag, inner, content = parts(content)
        found.append((tag, inner))
    return found


def as_ber(der: bytes, indefinite: bool, octets: int = 0) -> bytes:
    """Write all constructed elements again, with indefinite lengths or lengths of so many octets."""
    written = b""
    for tag, inner in elements(der):
        body = as_ber(inner, indefinite, octets) if tag & 0x20 else inner
        if indefinite and tag & 0x20:
            written += bytes([tag, 0x80]) + body + b"\0\0"
        else:
            written += header(tag, len(body), octets) + body
    return written


def signed_like(structure: str, tbs: bytes) -> bytes:
    """Put *tbs* where a signature would make it valid: SEQUENCE {tbs, algorithm, BIT STRING}."""
    assert structure
    algorithm = bytes.fromhex("300a06082a8648ce3d040302")
    body = tbs + algorithm + b"\x03\x09\x00\x30\x06\x02\x01\x01\x02\x01\x01"
    return header(0x30, len(body)) + body


@pytest.mark.parametrize("structure", NAMES)
@pytest.mark.parametrize("key_spec", SIGNING_SPECS)
def test_each_structure_is_recognised_for_every_kind_of_key(key_spec: str, structure: str, tmp_path: Path) -> None:
    tbs = to_be_signed(key_spec)[structure]
    path = tmp_path / "tbs.der"
    path.write_bytes(tbs)
    with path.open("rb") as file:
        assert structure_of_file(file) == structure_of(tbs) == structure
        assert file.tell() == 0


@pytest.mark.parametrize("structure", NAMES)
@pytest.mark.parametrize(("indefinite", "octets"), [(True, 0), (False, 2), (False, 9), (False, 126)])
def test_another_encoding_of_the_same_is_recognised(structure: str, indefinite: bool, octets: int) -> None:
    assert structure_of(as_ber(to_be_signed()[structure], indefinite, octets)) == structure


def test_openssl_takes_a_certificate_of_indefinite_length_so_it_has_to_be_recognised(tmp_path: Path) -> None:
    tbs = as_ber(to_be_signed()["TBSCertificate"], indefinite=True)
    path = tmp_path / "forged.der"
    path.write_bytes(signed_like("TBSCertificate", tbs))
    command = ["openssl", "x509", "-inform", "DER", "-noout", "-subject", "-in", path]
    shown = subprocess.run(command, capture_output=True, check=False)
    assert shown.returncode == 0
    assert b"Test CA" in shown.stdout
    assert structure_of(tbs) == "TBSCertificate"


@given(data=st.data())
@pytest.mark.parametrize(
    ("structure", "command"), [("TBSCertificate", "x509"), ("TBSCertList", "crl"), ("CertificationRequestInfo", "req")]
)
def test_whatever_openssl_can_read_when_damaged_is_recognised(
    structure: str, command: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    tbs = bytearray(to_be_signed()[structure])
    for _unused in range(data.draw(st.integers(1, 2))):
        tbs[data.draw(st.integers(0, len(tbs) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / f"damaged-{command}.der"
    path.write_bytes(signed_like(structure, bytes(tbs)))
    reading = ["openssl", command, "-inform", "DER", "-noout", "-in", path]
    read = subprocess.run(reading, capture_output=True, check=False)
    assert structure_of(bytes(tbs)) == structure or read.returncode != 0


def test_large_lists_are_recognised_in_files_without_being_read(tmp_path: Path) -> None:
    builder = x509.CertificateRevocationListBuilder(NAME, NOW, NOW + timedelta(days=7))
    for number in range(1, 3001):
        entry = x509.RevokedCertificateBuilder().serial_number(number).revocation_date(NOW).build()
        builder = builder.add_revoked_certificate(entry)
    crl = builder.sign(local_key("ECC_NIST_P256"), hashes.SHA256())
    path = tmp_path / "crl.tbs"
    path.write_bytes(crl.tbs_certlist_bytes)
    with path.open("rb") as file:
        assert structure_of_file(file) == "TBSCertList"


def test_an_empty_list_and_minimal_forms_are_recognised() -> None:
    builder = x509.CertificateRevocationListBuilder(x509.Name([]), NOW, NOW + timedelta(days=7))
    assert structure_of(builder.sign(local_key("RSA_2048"), hashes.SHA256()).tbs_certlist_bytes) == "TBSCertList"
    version_one = elements(parts(to_be_signed()["TBSCertificate"])[1])[1:-1]
    body = b"".join(header(tag, len(inner)) + inner for tag, inner in version_one)
    assert structure_of(header(0x30, len(body)) + body) == "TBSCertificate"


@pytest.mark.parametrize("structure", NAMES)
def test_with_something_before_or_behind_it_is_another_content(structure: str) -> None:
    tbs = to_be_signed()[structure]
    for content in (tbs + b"\n", b"\n" + tbs, tbs[:-1], tbs[1:], tbs.hex().encode()):
        assert structure_of(content) == ""


def documents() -> dict[str, bytes]:
    """Return DER that people do sign as files, and others that begin like it."""
    authority = Authority("ECC_NIST_P256")
    public_key = authority.key.public_key()
    builder = PKCS7SignatureBuilder().set_data(b"letter")
    key = local_key("ECC_NIST_P256")
    builder = builder.add_signer(authority.certificate, key, hashes.SHA256())
    cms = builder.sign(Encoding.DER, [pkcs7.PKCS7Options.Binary])
    return {
        "a certificate": authority.certificate.public_bytes(Encoding.DER),
        "a CRL": authority.crl().public_bytes(Encoding.DER),
        "a request": authority.request().public_bytes(Encoding.DER),
        "an OCSP response": authority.ocsp_response().public_bytes(Encoding.DER),
        "a public key": public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "a CMS message": cms,
        "a name": NAME.public_bytes(),
        "a text": b"0 errors, 0 warnings\n",
        "a script": b"#!/bin/sh\n",
        "an archive": b"PK\x03\x04" + bytes(100),
        "zeros": bytes(4096),
        "an empty sequence": b"\x30\x00",
        "an open sequence": b"\x30\x80",
        "an open string": b"\x24\x80",
        "nothing": b"",
    }


@pytest.mark.parametrize("kind", list(documents()))
def test_files_that_people_sign_are_not_mistaken(kind: str) -> None:
    assert structure_of(documents()[kind]) == ""


@given(content=st.binary(max_size=300), start=st.sampled_from([b"", b"\x30", b"\x30\x80", b"\x30\x80\xa0\x80"]))
def test_any_content_is_looked_at_without_an_error(content: bytes, start: bytes) -> None:
    assert structure_of(start + content) in ("", *NAMES)


def test_endless_nesting_is_told_apart_from_nothing() -> None:
    endless = b"\x30\x80" + b"\xa0\x80" * 100_000
    assert "too many elements to tell" in structure_of(endless)
    many = b"\x30\x80\x02\x01\x02\x30\x80\x06\x01\x2a" + b"\x05\x00" * 300_000
    assert "too many elements to tell" in structure_of(many)
