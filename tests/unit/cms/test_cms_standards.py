# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the RFCs say of a message, read with pyasn1, section by section."""

from __future__ import annotations

import hashlib
from datetime import datetime, timezone
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st
from pyasn1.codec.der.decoder import decode
from pyasn1.codec.der.encoder import encode
from pyasn1.type import useful
from pyasn1_alt_modules import rfc4055, rfc5035, rfc5652

from ansible_collections.rootstock.pki.plugins.module_utils._cms.codec import DerCodec
from ansible_collections.rootstock.pki.plugins.module_utils._cms.layout import (
    LayoutError,
    around,
    path_to_content,
    reader_of,
)
from ansible_collections.rootstock.pki.plugins.module_utils._cms.structures import ContentInfo
from ansible_collections.rootstock.pki.plugins.module_utils._cms.structures import decode as decode_der
from ansible_collections.rootstock.pki.plugins.module_utils._cms.structures import encode as encode_der
from ansible_collections.rootstock.pki.plugins.module_utils._signer.algorithms import ALGORITHMS, KEY_SPECS
from ansible_collections.rootstock.pki.plugins.module_utils._signer.cms import SignedPart
from tests.unit.cms.cms_desk import CmsDesk
from tests.unit.cms.cms_judges import attributes_of
from tests.unit.cms.cms_people import NOW, cms_signer
from tests.unit.signer.local_kms import PAIRS

SHA2 = {"sha256": "2.16.840.1.101.3.4.2.1", "sha384": "2.16.840.1.101.3.4.2.2", "sha512": "2.16.840.1.101.3.4.2.3"}
CONTENT_TYPE, DIGEST, TIME = (f"1.2.840.113549.1.9.{last}" for last in (3, 4, 5))
SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.47"
IDENTIFIERS = {
    "PKCS1V15": "1.2.840.113549.1.1.1",
    "PSS": "1.2.840.113549.1.1.10",
    "ECDSA_SHA_256": "1.2.840.10045.4.3.2",
    "ECDSA_SHA_384": "1.2.840.10045.4.3.3",
    "ECDSA_SHA_512": "1.2.840.10045.4.3.4",
    "ED25519_SHA_512": "1.3.101.112",
    "ML_DSA_44": "2.16.840.1.101.3.4.3.17",
    "ML_DSA_65": "2.16.840.1.101.3.4.3.18",
    "ML_DSA_87": "2.16.840.1.101.3.4.3.19",
}
CODEC = DerCodec()
DIGEST_OF_NOTHING = {name: hashlib.new(name).digest() for name in SHA2}


@cache
def signed(key_spec: str, algorithm: str, attached: bool = False) -> tuple[bytes, Any]:
    with TemporaryDirectory() as folder:
        desk = CmsDesk(Path(folder), (cms_signer(key_spec, algorithm),))
        desk.sign(attached=attached)
        der = desk.dest.read_bytes()
    outer, rest = decode(der, asn1Spec=rfc5652.ContentInfo())
    assert rest == b""
    assert str(outer["contentType"]) == "1.2.840.113549.1.7.2"
    return der, decode(outer["content"], asn1Spec=rfc5652.SignedData())[0]


def info_of(key_spec: str, algorithm: str) -> Any:
    return signed(key_spec, algorithm)[1]["signerInfos"][0]


def hash_of(algorithm: str) -> str:
    return ALGORITHMS[algorithm].hash or "sha512"


@pytest.mark.parametrize("pair", PAIRS, ids=str)
def test_rfc5652_5_1_and_5_3_versions_are_1_and_signers_are_named_by_issuer_and_serial(pair: tuple[str, str]) -> None:
    _der, data = signed(*pair)
    info = data["signerInfos"][0]
    certificate = cms_signer(*pair).certificate
    assert (int(data["version"]), int(info["version"])) == (1, 1)
    named = info["sid"]["issuerAndSerialNumber"]
    assert encode(named["issuer"]) == certificate.issuer.public_bytes()
    assert int(named["serialNumber"]) == certificate.serial_number
    assert str(data["encapContentInfo"]["eContentType"]) == "1.2.840.113549.1.7.1"


@pytest.mark.parametrize("pair", PAIRS, ids=str)
def test_rfc5652_message_is_der_to_the_last_octet(pair: tuple[str, str]) -> None:
    der, data = signed(*pair)
    outer = decode(der, asn1Spec=rfc5652.ContentInfo())[0]
    assert encode(outer) == der
    assert encode(data) == bytes(outer["content"])


@pytest.mark.parametrize("pair", PAIRS, ids=str)
def test_rfc5754_2_digests_have_no_parameters_and_stand_in_both_places(pair: tuple[str, str]) -> None:
    _der, data = signed(*pair)
    wanted = encode(digest_algorithm(SHA2[hash_of(pair[1])]))
    assert [encode(one) for one in data["digestAlgorithms"]] == [wanted]
    assert encode(data["signerInfos"][0]["digestAlgorithm"]) == wanted


def digest_algorithm(dotted: str) -> Any:
    made = rfc5652.DigestAlgorithmIdentifier()
    made["algorithm"] = dotted
    return made


@pytest.mark.parametrize("pair", PAIRS, ids=str)
def test_signature_algorithms_are_named_as_their_rfcs_say(pair: tuple[str, str]) -> None:
    """RFC 5754 3.2 and 3.3, RFC 4056 3, RFC 8419 3.1, RFC 9882 3.2; only RSA has parameters."""
    found, row = info_of(*pair)["signatureAlgorithm"], ALGORITHMS[pair[1]]
    kind = row.padding or (pair[0] if row.family == "ML_DSA" else row.name)
    assert str(found["algorithm"]) == IDENTIFIERS[kind]
    parameters = found["parameters"]
    if row.padding == "PKCS1V15":
        assert bytes(parameters) == b"\x05\x00"
    else:
        assert parameters.isValue == (row.padding == "PSS")


@pytest.mark.parametrize("pair", [pair for pair in PAIRS if ALGORITHMS[pair[1]].padding == "PSS"], ids=str)
def test_rfc4056_3_parameters_of_pss_have_one_hash_and_a_salt_as_long_as_it(pair: tuple[str, str]) -> None:
    name = hash_of(pair[1])
    found = decode(bytes(info_of(*pair)["signatureAlgorithm"]["parameters"]), asn1Spec=rfc4055.RSASSA_PSS_params())[0]
    assert str(found["hashAlgorithm"]["algorithm"]) == SHA2[name]
    assert str(found["maskGenAlgorithm"]["algorithm"]) == "1.2.840.113549.1.1.8"
    inner = bytes(found["maskGenAlgorithm"]["parameters"])
    assert encode(found["hashAlgorithm"]).endswith(inner)  # there under an explicit tag
    assert inner.endswith(b"\x05\x00")
    assert int(found["saltLength"]) == hashlib.new(name).digest_size
    assert int(found["trailerField"]) == 1


@pytest.mark.parametrize("pair", PAIRS, ids=str)
def test_rfc5652_11_and_rfc5035_the_attributes_are_those_of_cades(pair: tuple[str, str]) -> None:
    attributes = attributes_of(info_of(*pair))
    assert set(attributes) == {CONTENT_TYPE, DIGEST, TIME, SIGNING_CERTIFICATE}
    assert all(len(values) == 1 for values in attributes.values())
    assert str(decode(bytes(attributes[CONTENT_TYPE][0]))[0]) == "1.2.840.113549.1.7.1"
    name = hash_of(pair[1])
    found = decode(bytes(attributes[SIGNING_CERTIFICATE][0]), asn1Spec=rfc5035.SigningCertificateV2())[0]
    (reference,) = found["certs"]
    der = cms_signer(*pair).certificate.public_bytes(Encoding.DER)
    assert bytes(reference["certHash"]) == hashlib.new(name, der).digest()
    assert str(reference["hashAlgorithm"]["algorithm"]) == SHA2[name]


@pytest.mark.parametrize("name", ["ECDSA_SHA_256"])
def test_rfc5035_4_sha256_is_the_default_and_der_leaves_it_out(name: str) -> None:
    value = bytes(attributes_of(info_of("ECC_NIST_P256", name))[SIGNING_CERTIFICATE][0])
    assert bytes.fromhex("0420") in value
    assert len(value) == 2 + 2 + 2 + 2 + 32


@pytest.mark.parametrize(
    ("moment", "kind", "text"),
    [
        (datetime(2049, 12, 31, 23, 59, 59, tzinfo=timezone.utc), useful.UTCTime, "491231235959Z"),
        (datetime(2050, 1, 1, tzinfo=timezone.utc), useful.GeneralizedTime, "20500101000000Z"),
    ],
)
def test_rfc5652_11_3_signing_time_is_utctime_up_to_2049(moment: datetime, kind: type, text: str) -> None:
    signer = cms_signer("ECC_NIST_P256")
    made = CODEC.attributes(signer, DIGEST_OF_NOTHING["sha256"], moment)
    found = decode(made, asn1Spec=rfc5652.SignedAttributes())[0]
    value = decode(bytes({str(one["attrType"]): one["attrValues"] for one in found}[TIME][0]))[0]
    assert isinstance(value, kind)
    assert str(value) == text
    skeleton = CODEC.skeleton([SignedPart(signer, made, b"signature")], [], False)
    (claim,) = CODEC.read(reader_of(skeleton), len(skeleton)).signers
    assert claim.signing_time == moment


def test_rfc5652_5_4_what_is_signed_is_a_set_of_in_the_order_of_der() -> None:
    made = CODEC.attributes(cms_signer("RSA_2048"), DIGEST_OF_NOTHING["sha512"], NOW)
    found = decode(made, asn1Spec=rfc5652.SignedAttributes().clone(tagSet=rfc5652.SignedAttributes.tagSet))[0]
    members = [encode(one) for one in found]
    assert made[0] == 0x31
    assert members == sorted(members)


@given(st.lists(st.sampled_from(list(KEY_SPECS)[:-1]), min_size=1, max_size=4, unique=True), st.booleans())
def test_a_message_that_was_read_says_what_was_written(specs: list[str], timed: bool) -> None:
    moment = datetime(2030, 1, 1, tzinfo=timezone.utc) if timed else None
    parts = []
    for key_spec in specs:
        signer = cms_signer(key_spec)
        digest = DIGEST_OF_NOTHING[hash_of(signer.signing_algorithm)]
        parts.append(SignedPart(signer, CODEC.attributes(signer, digest, moment), key_spec.encode()))
    skeleton = CODEC.skeleton(parts, [part.signer.certificate for part in parts], True)
    message = CODEC.read(reader_of(skeleton), len(skeleton))
    claims = {claim.signature: claim for claim in message.signers}
    assert message.skeleton == skeleton
    for part in parts:
        claim = claims[part.signature]
        assert claim.problems == ()
        assert (claim.signing_algorithm, claim.attributes) == (part.signer.signing_algorithm, part.attributes)
        assert claim.signing_time == moment
        assert claim.key_spec in ("", part.signer.key_spec)


SIZES = sorted({0, *(base + more for base in (0x80, 0x100, 0x10000, 0x1000000) for more in (-900, -700, -1, 0, 1))})


@given(st.sampled_from([size for size in SIZES if size >= 0]) | st.integers(0, 70_000))
def test_content_put_between_gives_what_the_library_writes_with_it_inside(size: int) -> None:
    skeleton, _data = signed("ECC_NIST_P256", "ECDSA_SHA_256", True)
    read = reader_of(skeleton)
    empty = b"".join(around(read, path_to_content(read, len(skeleton)), 0))
    content = bytes(size)
    before, behind = CODEC.around(empty, size)
    whole = decode_der(ContentInfo, empty)
    whole.content.encap_content_info.content = content
    assert before + content + behind == encode_der(whole)
    message = CODEC.read(reader_of(before + content + behind), len(before) + size + len(behind))
    assert message.skeleton == empty
    assert message.content == (len(before), len(before) + size)


@given(st.integers(0, 3000))
def test_a_message_that_is_cut_off_is_none(length: int) -> None:
    der, _data = signed("RSA_2048", "RSASSA_PKCS1_V1_5_SHA_256", True)
    cut = der[: min(length, len(der) - 1)]
    with pytest.raises(LayoutError):
        path_to_content(reader_of(cut), len(cut))
