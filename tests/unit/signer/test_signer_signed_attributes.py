# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a CMS message has signed is recognised (RFC 5652 5.4): a bare signature over it would make such a message."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st
from pyasn1.codec.ber.encoder import encode as encode_ber
from pyasn1.codec.der.decoder import decode
from pyasn1.codec.der.encoder import encode
from pyasn1.type import tag, univ
from pyasn1_alt_modules import rfc5652

from ansible_collections.rootstock.pki.plugins.module_utils._signer.algorithms import ALGORITHMS
from ansible_collections.rootstock.pki.plugins.module_utils._signer.structures import (
    MOST_ELEMENTS,
    SIGNED_ATTRIBUTES,
    structure_of,
    structure_of_file,
)
from ansible_collections.rootstock.pki.plugins.module_utils._signer.verify import verify_signature
from tests.unit.signer.local_kms import local_key
from tests.unit.signer.test_signer_builders import Authority
from tests.unit.signer.test_signer_structures import as_ber, header

LETTER = b"a letter that nobody signed\n"
CONTENT_TYPE, MESSAGE_DIGEST, SIGNING_TIME = (f"1.2.840.113549.1.9.{number}" for number in (3, 4, 5))


@cache
def authority() -> Authority:
    return Authority("ECC_NIST_P256")


def people(folder: Path) -> list[str | Path]:
    """Write the signer's certificate and key, and return the options of OpenSSL that name them."""
    (folder / "signer.pem").write_bytes(authority().certificate.public_bytes(Encoding.PEM))
    key = local_key("ECC_NIST_P256").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "key.pem").write_bytes(key)
    return ["-signer", folder / "signer.pem", "-inkey", folder / "key.pem"]


@cache
def message() -> bytes:
    """Return a CMS message that OpenSSL made."""
    with TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "letter").write_bytes(LETTER)
        command = ["openssl", "cms", "-sign", "-binary", "-nodetach", "-outform", "DER", "-in", folder / "letter"]
        return subprocess.run([*command, *people(folder)], capture_output=True, check=True).stdout


def signed_data() -> rfc5652.SignedData:
    outer, _rest = decode(message(), asn1Spec=rfc5652.ContentInfo())
    inner, _rest = decode(outer["content"], asn1Spec=rfc5652.SignedData())
    return inner


def as_set_of(attributes: rfc5652.SignedAttributes) -> bytes:
    """Return the DER that is signed: with the tag of SET OF in place of [0]."""
    return b"\x31" + encode(attributes)[1:]


def signed_attributes(*without: str) -> rfc5652.SignedAttributes:
    every = signed_data()["signerInfos"][0]["signedAttrs"]
    kept = [one for one in every if str(one["attrType"]) not in without]
    implicit = rfc5652.SignedAttributes().subtype(implicitTag=tag.Tag(tag.tagClassContext, tag.tagFormatConstructed, 0))
    implicit.extend(kept)
    return implicit


def test_openssl_s_signature_is_a_bare_signature_over_what_is_recognised(tmp_path: Path) -> None:
    info = signed_data()["signerInfos"][0]
    content = as_set_of(info["signedAttrs"])
    public_key = authority().key.public_key()
    verify_signature(public_key, bytes(info["signature"]), content, ALGORITHMS["ECDSA_SHA_256"])
    path = tmp_path / "attributes.der"
    path.write_bytes(content)
    with path.open("rb") as file:
        assert structure_of_file(file) == structure_of(content) == SIGNED_ATTRIBUTES


def test_openssl_s_pkcs7_takes_attributes_with_nothing_but_a_digest_so_they_have_to_be_recognised(
    tmp_path: Path,
) -> None:
    attributes = signed_attributes(CONTENT_TYPE, SIGNING_TIME, "1.2.840.113549.1.9.15")
    content = as_set_of(attributes)
    assert structure_of(content) == SIGNED_ATTRIBUTES
    (tmp_path / "forged.p7").write_bytes(forged(attributes, authority().key.sign(content, ec.ECDSA(hashes.SHA256()))))
    people(tmp_path)
    command = ["openssl", "smime", "-verify", "-inform", "DER", "-in", "forged.p7", "-noverify", "-nointern"]
    told = subprocess.run([*command, "-certfile", "signer.pem"], cwd=tmp_path, capture_output=True, check=False)
    assert (told.returncode, told.stdout) == (0, LETTER), told.stderr


def forged(attributes: rfc5652.SignedAttributes, signature: bytes) -> bytes:
    """Return OpenSSL's message with other attributes and the signature over them."""
    data = signed_data()
    data["signerInfos"][0]["signedAttrs"] = attributes
    data["signerInfos"][0]["signature"] = signature
    outer, _rest = decode(message(), asn1Spec=rfc5652.ContentInfo())
    outer["content"] = univ.Any(encode(data))
    return encode(outer)


@pytest.mark.parametrize(("indefinite", "octets"), [(True, 0), (False, 2), (False, 9), (False, 126)])
def test_another_encoding_of_the_same_is_recognised(indefinite: bool, octets: int) -> None:
    content = as_set_of(signed_attributes())
    assert structure_of(as_ber(content, indefinite, octets)) == SIGNED_ATTRIBUTES


def attribute(oid: str, *values: univ.Any) -> bytes:
    made = rfc5652.Attribute()
    made["attrType"] = univ.ObjectIdentifier(oid)
    made["attrValues"].extend(univ.Any(encode(value)) for value in values)
    return encode(made)


def set_of(members: list[bytes]) -> bytes:
    body = b"".join(members)
    return header(0x31, len(body)) + body


DIGEST = attribute(MESSAGE_DIGEST, univ.OctetString(bytes(32)))
OTHERS = [
    attribute(CONTENT_TYPE, univ.ObjectIdentifier("1.2.840.113549.1.7.1")),
    attribute("1.2.840.113549.1.9.15", univ.Sequence()),
    attribute("2.5.4.3", univ.OctetString(b"x" * 300), univ.Null("")),
    attribute("1.2.840.113549.1.9.40", univ.Null("")),
]


@given(members=st.lists(st.sampled_from(OTHERS), max_size=5), place=st.integers(0, 5))
def test_the_digest_is_found_wherever_it_stands(members: list[bytes], place: int) -> None:
    content = set_of([*members[:place], DIGEST, *members[place:]])
    assert structure_of(content) == SIGNED_ATTRIBUTES
    for other in (content + b"\n", b"\n" + content, content[:-1], content[1:], content.hex().encode()):
        assert structure_of(other) == ""


def files() -> dict[str, bytes]:
    """Return contents that begin alike and are no signed attributes."""
    name = univ.SetOf().setComponentByPosition(0, univ.Integer(1))
    return {
        "attributes without a digest": set_of(OTHERS),
        "a set of numbers": encode_ber(name),
        "an empty set": b"\x31\x00",
        "a set with something behind the digest": set_of([DIGEST, b"\x02\x01\x01"]),
        "a digest by itself": DIGEST,
        "a message": message(),
        "what a message holds": encode(signed_data()),
        "attributes with the tag that they have in a message": encode(signed_attributes()),
        "a digest in a value": set_of([attribute("2.5.4.3", univ.OctetString(DIGEST))]),
        "a digest in an element of an attribute": set_of([header(0x30, len(DIGEST)) + DIGEST]),
        "a longer identifier": set_of([attribute(f"{MESSAGE_DIGEST}.1", univ.OctetString(bytes(32)))]),
        "digits": b"1" * 0x33,
        "a table": b"10 first\n11 second\n",
        "an open set": b"\x31\x80",
        "a set that is cut off": b"\x31\x84\x7f\xff\xff\xff",
    }


@pytest.mark.parametrize("kind", list(files()))
def test_files_that_people_sign_are_not_mistaken(kind: str) -> None:
    assert structure_of(files()[kind]) == ""


@given(content=st.binary(max_size=300), start=st.sampled_from([b"1", b"\x31\x80", b"\x31\x80\x30\x80\x06\x01"]))
def test_any_content_is_looked_at_without_an_error(content: bytes, start: bytes) -> None:
    assert structure_of(start + content) in ("", SIGNED_ATTRIBUTES)


def test_more_attributes_than_anybody_walks_through_are_told_apart_from_nothing() -> None:
    content = set_of([OTHERS[3]] * (MOST_ELEMENTS // 2 + 1))
    assert "too many elements to tell" in structure_of(content)
