# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stands beside a right signature: digests and attributes that may be there, and those that may not."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

import pytest

from ansible_collections.rootstock.pki.plugins.module_utils._signer import cms
from tests.unit.cms.cms_desk import CmsDesk
from tests.unit.cms.cms_forms import (
    CONTENT_TYPE,
    MESSAGE_DIGEST,
    SHA256,
    SHA512,
    SIGNING_TIME,
    WHO,
    attribute,
    message,
    verdicts,
)
from tests.unit.cms.cms_people import cms_signer

NULL, TRUE = b"\x05\x00", b"\x01\x01\xff"
COUNTERSIGNATURE, RECEIPT_REQUEST = "1.2.840.113549.1.9.6", "1.2.840.113549.1.9.16.2.1"
UNKNOWN = "1.2.3.4"


def reason_with_digest(name: str, key_spec: str, folder: Path) -> str:
    """Return what is found of a message whose content was hashed with *name* beside a key that hashes inside."""
    desk = CmsDesk(folder, (cms_signer(key_spec),))
    with patch.object(cms, "INNER_HASH", name):
        desk.sign()
    verdict = desk.verify()
    assert verdict.signers[0].claim.digest == name
    return verdict.reason


@pytest.mark.parametrize("name", ["sha256", "sha384"])
def test_rfc8419_2_3_ed25519_goes_with_sha512_alone(name: str, tmp_path: Path) -> None:
    reason = reason_with_digest(name, "ECC_NIST_EDWARDS25519", tmp_path)
    assert f"has a digest of the content by {name}, and Ed25519 allows none but sha512 (RFC 8419 2.3)" in reason
    assert reason_with_digest("sha512", "ECC_NIST_EDWARDS25519", tmp_path) == ""


@pytest.mark.parametrize("key_spec", ["ML_DSA_44", "ML_DSA_65", "ML_DSA_87"])
def test_rfc9882_3_3_ml_dsa_goes_with_every_digest(key_spec: str, tmp_path: Path) -> None:
    """Twice the collision strength is what a digest SHOULD have, no more."""
    assert [reason_with_digest(name, key_spec, tmp_path) for name in cms.HASH_NAMES] == ["", "", ""]


@pytest.mark.parametrize("announced", [(), (SHA512,)])
def test_rfc5652_5_1_a_message_lists_the_digests_of_its_signatures(announced: tuple[str, ...], tmp_path: Path) -> None:
    told = f"{WHO} has a digest by sha256, which the message does not list among its digests (RFC 5652 5.1)"
    assert verdicts(tmp_path, message(announced=announced)) == (told, False)


def test_a_message_may_list_digests_that_no_signature_has(tmp_path: Path) -> None:
    assert verdicts(tmp_path, message(announced=(SHA256, SHA512))) == ("", True)


ONLY_SIGNED = {
    "1.2.840.113549.1.9.3": CONTENT_TYPE,
    "1.2.840.113549.1.9.4": MESSAGE_DIGEST,
    "1.2.840.113549.1.9.5": SIGNING_TIME,
    **{kind: attribute(kind, NULL) for kind in (RECEIPT_REQUEST, *(f"1.2.840.113549.1.9.16.2.{n}" for n in (12, 47)))},
}


@pytest.mark.parametrize("kind", list(ONLY_SIGNED))
def test_rfc5652_11_what_has_to_be_signed_is_not_among_the_unsigned_attributes(kind: str, tmp_path: Path) -> None:
    told = f"{WHO} has the attribute {kind} unsigned, which has to be signed (RFC 5652 11, RFC 2634 5.4)"
    assert verdicts(tmp_path, message(unsigned=[ONLY_SIGNED[kind]])) == (told, False)


def test_rfc5652_11_4_a_countersignature_is_not_among_the_signed_attributes(tmp_path: Path) -> None:
    told = f"{WHO} has a countersignature among its signed attributes, where none may be (RFC 5652 11.4)"
    assert verdicts(tmp_path, message([attribute(COUNTERSIGNATURE, NULL)])) == (told, False)


@pytest.mark.parametrize("values", [(), (NULL, TRUE)])
def test_rfc2634_2_7_a_request_for_receipts_has_one_value(values: tuple[bytes, ...], tmp_path: Path) -> None:
    told = f"{WHO} has a request for receipts without one value (RFC 2634 2.7)"
    assert verdicts(tmp_path, message([attribute(RECEIPT_REQUEST, *values)])) == (told, False)


def test_what_is_no_attribute_is_not_passed_over(tmp_path: Path) -> None:
    ours, openssl = verdicts(tmp_path, message(unsigned=[NULL]))
    assert ("cannot be read as CMS signed data in DER" in ours, openssl) == (True, False)


@pytest.mark.parametrize("values", [(), (NULL,), (NULL, TRUE)])
def test_rfc5652_5_6_other_attributes_are_passed_over(values: tuple[bytes, ...], tmp_path: Path) -> None:
    unknown = attribute(UNKNOWN, *values)
    assert verdicts(tmp_path, message([unknown, SIGNING_TIME], [unknown])) == ("", True)
    assert verdicts(tmp_path, message([attribute(RECEIPT_REQUEST, NULL)])) == ("", True)
