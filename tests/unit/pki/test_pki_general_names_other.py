# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""otherName as text and DER, judged by OpenSSL (RFC 5280 4.2.1.6, RFC 9598, RFC 4985)."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.rootstock.pki.plugins.module_utils._pki.der import TAGS, encode, is_one_value, string_of, wrap
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import SpecError
from ansible_collections.rootstock.pki.plugins.module_utils._pki.other_names import other_name_text, to_other_name
from ansible_collections.rootstock.pki.tests.unit.pki.texts import NASTY, outcome

UPN = "1.3.6.1.4.1.311.20.2.3"
MAILBOX = "1.3.6.1.5.5.7.8.9"


@pytest.mark.parametrize(
    ("text", "der"),
    [
        (f"{UPN};UTF8:ann@acme.internal", b"\x0c\x11ann@acme.internal"),
        ("msUPN;UTF8:ann@acme.internal", b"\x0c\x11ann@acme.internal"),
        (f"{UPN};UTF8String:a", b"\x0c\x01a"),
        (f"{MAILBOX};UTF8:müller@acme.internal", b"\x0c\x15m\xc3\xbcller@acme.internal"),
        ("id-on-SmtpUTF8Mailbox;UTF8:ü@Bücher.example", b"\x0c\x18\xc3\xbc@xn--bcher-kva.example"),
        ("1.3.6.1.5.5.7.8.7;IA5:_imaps.Acme.internal", b"\x16\x14_imaps.acme.internal"),
        ("id-on-xmppAddr;UTF8:ann@acme.internal", b"\x0c\x11ann@acme.internal"),
        ("1.2.3;PRINTABLE:abc", b"\x13\x03abc"),
        ("1.2.3;INT:300", b"\x02\x02\x01\x2c"),
        ("1.2.3;BOOL:true", b"\x01\x01\xff"),
        ("1.2.3;NULL:", b"\x05\x00"),
        ("1.2.3;NULL", b"\x05\x00"),
        ("1.2.3;OID:1.2.840.113549", b"\x06\x06\x2a\x86\x48\x86\xf7\x0d"),
        ("1.2.3;BMP:ä", b"\x1e\x02\x00\xe4"),
        ("1.2.3;OCT:ab", b"\x04\x02ab"),
        ("1.2.3;30:03:02:01:05", b"\x30\x03\x02\x01\x05"),
        ("1.2.3;0C:01:41", b"\x0c\x01A"),
    ],
)
def test_a_value_is_given_by_type_or_as_der(text: str, der: bytes) -> None:
    name = to_other_name(text)
    assert name.value == der
    assert to_other_name(other_name_text(name)) == name


def test_text_is_shown_as_text_and_the_rest_in_hexadecimal() -> None:
    assert other_name_text(to_other_name(f"{UPN};UTF8:a@b")) == f"{UPN};UTF8:a@b"
    assert other_name_text(to_other_name("1.2.3;INT:5")) == "1.2.3;02:01:05"
    assert other_name_text(x509.OtherName(x509.ObjectIdentifier("1.2.3"), b"\x0c\x01\n")) == "1.2.3;0c:01:0a"
    assert other_name_text(x509.OtherName(x509.ObjectIdentifier("1.2.3"), b"\x0c\x05\n")) == "1.2.3;0c:05:0a"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "it does not begin with a dotted OID and a semicolon; write otherName:<OID>;UTF8:<value>"),
        ("1.2.3", "it does not begin with a dotted OID and a semicolon"),
        ("upn;UTF8:a", "it does not begin with a dotted OID"),
        ("1.2.3;", "type '' is unknown; write one of BOOL, INT, OCT, NULL, OID, UTF8"),
        ("1.2.3;hello", "type 'hello' is unknown"),
        ("1.2.3;SEQUENCE:x", "type 'SEQUENCE' is unknown"),
        ("1.2.3;0c:05:41", "'0c:05:41' is not the DER of one value (X.690)"),
        ("1.2.3;0c:81:01:41", "is not the DER of one value"),
        ("1.2.3;0c", "is not the DER of one value"),
        ("1.2.3;30:80:00:00", "is not the DER of one value"),
        ("1.2.3;0c:01:41:00", "is not the DER of one value"),
        ("1.2.3;INT:x", "'x' is no value of the type INT; correct it, or take another type"),
        ("1.2.3;BOOL:yes", "'yes' is no value of the type BOOL"),
        ("1.2.3;NULL:x", "'x' is no value of the type NULL"),
        ("1.2.3;OID:1.2." + "9" * 10_000, "is no value of the type OID"),
        ("1.2.3;INT:" + "9" * 10_000, "is no value of the type INT"),
        ("1.2.3;OID:x", "'x' is no value of the type OID"),
        ("1.2.3;IA5:ü", "'ü' is no value of the type IA5STRING"),
        ("1.2.3;PRINTABLE:a_b", "'a_b' is no value of the type PRINTABLESTRING"),
        ("1.2.3;BMP:😀", "has characters beyond U+FFFF, which no BMPString holds; take UTF8"),
        ("1.2.3;UTF8:\ud800", "holds half a character"),
        (
            f"{UPN};IA5:ann@acme.internal",
            f"the value of {UPN} is of another type than UTF8; write otherName:{UPN};UTF8:",
        ),
        (f"{UPN};UTF8:", f"the value of {UPN} is empty or holds control characters"),
        (f"{UPN};0c:01:0a", "is empty or holds control characters"),
        (
            f"{MAILBOX};UTF8:ann@acme.internal",
            "is ASCII, so RFC 9598 3 wants an rfc822Name; write email:ann@acme.internal",
        ),
        (f"{MAILBOX};UTF8:müller", "'müller' is no mailbox; write one such as müller@example.com"),
        (f"{MAILBOX};UTF8:@acme.internal", "is no mailbox"),
        (f"{MAILBOX};UTF8:ü b@acme.internal", "is no mailbox"),
        (f"{MAILBOX};UTF8:\ufeffü@acme.internal", "begins with a byte order mark (RFC 9598 3); remove it"),
        (f"{MAILBOX};UTF8:ü@a_b", "label 'a_b' is not made of"),
        ("id-on-dnsSRV;IA5:imaps.acme.internal", "is no SRVName (RFC 4985 2); write _service.domain"),
        ("1.2." + "9" * 60 + ";UTF8:x", "cannot be encoded as an OID"),
    ],
)
def test_a_bad_other_name_is_refused_with_the_way_out(text: str, sentence: str) -> None:
    with pytest.raises(SpecError) as refusal:
        to_other_name(text)
    assert sentence in str(refusal.value)


def openssl_der(kind: str, value: str, folder: Path) -> bytes:
    path = folder / "value.der"
    subprocess.run(
        ["openssl", "asn1parse", "-genstr", f"{kind}:{value}", "-noout", "-out", str(path)],
        check=True,
        capture_output=True,
    )
    return path.read_bytes()


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("INT", "0"),
        ("INT", "127"),
        ("INT", "128"),
        ("INT", "-1"),
        ("INT", "-128"),
        ("INT", "-129"),
        ("INT", "123456789012345678901234567890"),
        ("OID", "2.999.1"),
        ("OID", "1.3.6.1.4.1.311.20.2.3"),
        ("IA5STRING", "x" * 127),
        ("IA5STRING", "x" * 128),
        ("VISIBLESTRING", "x" * 70_000),
        ("NUMERICSTRING", "1 2"),
        ("BOOL", "FALSE"),
    ],
)
def test_x690_openssl_encodes_every_type_the_same(kind: str, value: str, tmp_path: Path) -> None:
    assert encode(kind, value) == openssl_der(kind, value, tmp_path)
    assert is_one_value(encode(kind, value))


@given(st.integers(0, 255).filter(lambda tag: tag & 0x1F != 0x1F), st.binary(max_size=300))
def test_x690_what_is_wrapped_is_one_value(tag: int, content: bytes) -> None:
    der = wrap(tag, content)
    assert is_one_value(der)
    assert not is_one_value(der + b"\x00")
    assert not is_one_value(der[:-1]) or der[1] == 0


@given(st.binary(max_size=40), st.sampled_from(sorted(TAGS)))
def test_any_octets_can_be_asked_for_text(octets: bytes, kind: str) -> None:
    text = string_of(octets, kind)
    assert text is None or is_one_value(octets)
    if is_one_value(octets):
        assert x509.SubjectAlternativeName([x509.OtherName(x509.ObjectIdentifier("1.2.3"), octets)]).public_bytes()


@given(
    st.sampled_from(["", "1.2.3;", f"{UPN};UTF8:", f"{MAILBOX};UTF8:", "1.2.3;INT:", "1.2.3;BMP:", "1.2.3;30:"]), NASTY
)
def test_any_text_is_an_other_name_or_a_spec_error(start: str, text: str) -> None:
    made = outcome(lambda: to_other_name(start + text))
    assert isinstance(made, SpecError) or to_other_name(other_name_text(made)) == made
