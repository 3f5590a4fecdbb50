# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""RFC 8410: Ed25519 keys and signatures, without parameters; such keys sign and do nothing else."""

from __future__ import annotations

import pytest

from tests.unit.rfc5280.office import Office, public_pem, somebodys_key
from tests.unit.rfc5280.reading import asn1_of, openssl_refuses, pkilint_findings, text_of

SPEC = "ECC_NIST_EDWARDS25519"


def test_rfc8410_3_key_and_signature_have_the_oid_and_no_parameters(office: Office) -> None:
    root = office.certify_authority("new", key_spec=SPEC)
    text = text_of(root)
    assert text.count("Signature Algorithm: ED25519") == 2
    assert "Public Key Algorithm: ED25519" in text
    lines = asn1_of(root)
    places = [number for number, line in enumerate(lines) if line.endswith(":ED25519")]
    assert len(places) == 3
    assert all("NULL" not in lines[place + 1] for place in places)


def test_rfc8410_openssl_and_pkilint_accept_a_path(office: Office) -> None:
    root = office.certify_authority("new", key_spec=SPEC)
    leaf = office.certify("web", "tls_client", "new", public_key_content=public_pem(somebodys_key(SPEC)))
    assert openssl_refuses(office.folder, [root, leaf], office.clock.now, "-purpose", "sslclient") == ""
    assert pkilint_findings(root) + pkilint_findings(leaf) == []


@pytest.mark.parametrize("usage", ["key_encipherment", "data_encipherment", "key_agreement"])
def test_rfc8410_5_what_such_a_key_cannot_do_is_refused(office: Office, usage: str) -> None:
    key = {"public_key_content": public_pem(somebodys_key(SPEC))}
    told = office.refusal("key", "custom", "root", key_usage=[usage], **key)
    assert f"key_usage {usage} does not fit a Ed25519 key" in told


def test_rfc8410_a_hash_is_none_of_its_options(office: Office) -> None:
    office.key("new", SPEC)
    assert "it hashes inside the signature, so leave digest out" in office.refusal("new", "root_ca", digest="sha512")
