# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of kms_verify: what they become, and what contradicts itself."""

from __future__ import annotations

import base64
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from ansible_collections.rootstock.pki.plugins.module_utils._module.verifying import (
    VERIFY_OPTIONS,
    check_cms_options,
    check_plain_options,
    to_content,
    to_path_question,
    to_public_key,
    to_signature,
    to_trust,
)
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import SpecError
from ansible_collections.rootstock.pki.plugins.module_utils._pki.path_validation import ANY_PURPOSE
from ansible_collections.rootstock.pki.plugins.module_utils._signer.algorithms import ALGORITHMS
from ansible_collections.rootstock.pki.plugins.module_utils._signer.formats import decode_signature
from ansible_collections.rootstock.pki.plugins.module_utils._signer.specs import Content
from tests.unit.pki.test_pki_path_validation import GOOD, LEAF, MIDDLE, NOW, ROOT


def params(**given: Any) -> dict[str, Any]:
    return {name: given.get(name, option.get("default")) for name, option in VERIFY_OPTIONS.items()}


def put(folder: Path, *names: str) -> str:
    path = folder / f"{'-'.join(names)}.pem"
    path.write_bytes(b"".join(GOOD[name].certificate().public_bytes(Encoding.PEM) for name in names))
    return str(path)


def test_contents_are_what_was_signed(tmp_path: Path) -> None:
    (tmp_path / "SUMS").write_bytes(b"lines")
    (tmp_path / "a").touch()
    missing: list[str] = []
    assert to_content(params(src=str(tmp_path / "a")), missing) == Content(str(tmp_path / "a"))
    assert to_content(params(content="ä"), missing) == Content("content", "ä".encode())
    manifest = params(src=str(tmp_path / "SUMS"), manifest=True)
    assert to_content(manifest, missing) == Content(str(tmp_path / "SUMS"), b"lines")
    digest = params(digest_value="00" * 64, digest_algorithm="mu")
    assert to_content(digest, missing) == Content("digest_value", digest=bytes(64), digest_algorithm="mu")
    assert missing == []


def test_a_manifest_is_a_file() -> None:
    with pytest.raises(SpecError, match="manifest: is the file in src"):
        to_content(params(content="x", manifest=True), [])


def test_a_signature_is_read_as_kms_sign_returns_it_and_as_it_writes_it(tmp_path: Path) -> None:
    text = base64.b64encode(b"octets").decode()
    (tmp_path / "sig").write_bytes(b"octets")
    assert to_signature(params(signature=f" {text}\n"), []) == b"octets"
    assert to_signature(params(signature=text, format="base64"), []) == text.encode()
    assert to_signature(params(signature_path=str(tmp_path / "sig")), []) == b"octets"


def test_a_signature_that_is_not_in_base64_is_refused() -> None:
    with pytest.raises(SpecError, match="signature: is not in Base64, as kms_sign returns it"):
        to_signature(params(signature="?"), [])


def test_keys_and_certificates_are_taken_in_der_that_ansible_read_into_text() -> None:
    certificate = GOOD[LEAF].certificate()
    text = certificate.public_bytes(Encoding.DER).decode("utf-8", "surrogateescape")
    assert to_public_key(params(public_key_content=text), []) == certificate.public_bytes(Encoding.DER)
    asked = to_path_question(params(certificate_content=text), NOW, [])
    assert asked is not None
    assert (asked.certificate, to_trust(params(certificate_content=text), [])[0]) == (certificate, certificate)


def test_a_signature_with_letters_that_base64_has_not_is_no_signature() -> None:
    for letters in ("AAä=", "AA\udce9="):
        assert (
            decode_signature(
                to_signature(params(signature=letters, format="base64"), []) or b"",
                "base64",
                ALGORITHMS["ECDSA_SHA_256"],
            )
            is None
        )
        with pytest.raises(SpecError, match="signature: is not in Base64"):
            to_signature(params(signature=letters), [])


def test_files_that_are_not_there_are_noted(tmp_path: Path) -> None:
    missing: list[str] = []
    gone = str(tmp_path / "gone")
    assert to_content(params(src=gone), missing) == Content(gone)
    assert to_signature(params(signature_path=gone), missing) is None
    assert to_public_key(params(public_key_path=gone), missing) is None
    assert to_path_question(params(certificate_path=gone, root_certificates=[gone]), NOW, missing) is None
    options = ["src", "signature_path", "public_key_path", "certificate_path", "root_certificates"]
    assert sorted(missing) == sorted(f"{option} {gone} does not exist yet" for option in options)


def test_without_a_certificate_nothing_is_asked_about_it() -> None:
    assert to_path_question(params(public_key_content="x"), NOW, []) is None
    assert to_public_key(params(public_key_content="x"), []) == b"x"


@pytest.mark.parametrize("key", ["public_key_path", "public_key_content", "key_id"])
@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("root_certificates", ["root.pem"]),
        ("intermediate_certificates", ["middle.pem"]),
        ("purpose", "code_signing"),
        ("valid_at", "+0s"),
    ],
)
def test_what_is_judged_of_certificates_is_refused_of_a_key(key: str, option: str, value: Any) -> None:
    with pytest.raises(SpecError, match=f"{option}: judged of a certificate alone, .*; give certificate_path or"):
        check_plain_options(params(**{key: "x", option: value}))
    check_plain_options(params(**{key: "x"}))
    check_plain_options(params(**{"certificate_path": "x", option: value}))


def test_a_list_of_roots_with_none_in_it_trusts_nobody() -> None:
    for check, form in ((check_plain_options, "raw"), (check_cms_options, "cms")):
        given = {"format": form, "signature_path": "x.sig", "certificate_path": "x"}
        with pytest.raises(SpecError, match="root_certificates: is empty; name the roots, or leave it out to trust"):
            check(params(**given, root_certificates=[]))
        check(params(**given))
        check(params(**given, root_certificates=["root.pem"]))


def test_the_digest_algorithm_of_no_digest_is_refused() -> None:
    for given in ({"src": "a"}, {"content": "x"}):
        with pytest.raises(SpecError, match="digest_algorithm: tells what made digest_value, which is not given"):
            check_plain_options(params(**given, digest_algorithm="sha256", public_key_path="x"))
    check_plain_options(params(digest_value="00", digest_algorithm="sha256", public_key_path="x"))


def test_algorithms_are_offered_that_can_be_verified() -> None:
    unknown = [name for name in ALGORITHMS if name not in VERIFY_OPTIONS["signing_algorithm"]["choices"]]
    assert unknown == ["ED25519_PH_SHA_512"]


def test_a_certificate_is_asked_to_lead_up_to_the_roots(tmp_path: Path) -> None:
    given = params(
        certificate_path=put(tmp_path, LEAF, MIDDLE),
        root_certificates=[put(tmp_path, ROOT)],
        intermediate_certificates=[put(tmp_path, MIDDLE)],
        valid_at="-1d",
        purpose="codeSigning",
    )
    asked = to_path_question(given, NOW, [])
    assert asked is not None
    assert [len(some) for some in (asked.intermediates, asked.anchors)] == [2, 1]
    assert (asked.at, asked.purpose) == (NOW - timedelta(days=1), "code_signing")


def test_without_roots_a_certificate_is_trusted_itself(tmp_path: Path) -> None:
    content = Path(put(tmp_path, LEAF)).read_text()
    asked = to_path_question(params(certificate_content=content), NOW, [])
    assert asked is not None
    assert (asked.anchors, asked.purpose, asked.at) == ([asked.certificate], ANY_PURPOSE, NOW)


def test_a_purpose_or_a_time_that_is_none_is_refused(tmp_path: Path) -> None:
    certificate = put(tmp_path, LEAF)
    with pytest.raises(SpecError, match="purpose: nonsense is unknown; give an OID, or one of"):
        to_path_question(params(certificate_path=certificate, purpose="nonsense"), NOW, [])
    with pytest.raises(SpecError, match="tomorrow"):
        to_path_question(params(certificate_path=certificate, valid_at="tomorrow"), NOW, [])
