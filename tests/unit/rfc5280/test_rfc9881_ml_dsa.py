# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""RFC 9881: ML-DSA keys and signatures, without parameters; such keys sign and do nothing else."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.unit.matrix.judges import pyca_verdict
from tests.unit.rfc5280.office import Office, public_pem, somebodys_key
from tests.unit.rfc5280.reading import asn1_of, pkilint_findings
from tests.unit.signer.local_kms import SIGNING_SPECS

OIDS = {"ML_DSA_44": "17", "ML_DSA_65": "18", "ML_DSA_87": "19"}
NAMES = {"subject_alt_name": ["DNS:web.acme.internal"]}
SPECS = [spec for spec in SIGNING_SPECS if spec in OIDS]


@pytest.mark.parametrize("key_spec", SPECS)
def test_rfc9881_2_key_and_signature_have_the_oid_and_no_parameters(office: Office, key_spec: str) -> None:
    root = office.certify_authority("new", key_spec=key_spec)
    oid = f"2.16.840.1.101.3.4.3.{OIDS[key_spec]}"
    assert root.signature_algorithm_oid.dotted_string == root.public_key_algorithm_oid.dotted_string == oid
    spki = root.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    algorithm = bytes.fromhex("300b06096086480165030403") + bytes([int(OIDS[key_spec])])
    assert spki.count(algorithm) == 1
    lines = [line for line in asn1_of(root) if line.endswith((oid, f":{oid}"))]
    assert len(lines) == 3
    assert pkilint_findings(root) == []


@pytest.mark.parametrize("key_spec", SPECS)
def test_rfc9881_pyca_verifies_a_tls_server_below(office: Office, key_spec: str) -> None:
    root = office.certify_authority("new", key_spec=key_spec)
    key = {"public_key_content": public_pem(somebodys_key(key_spec))}
    leaf = office.certify("web", "tls_server", "new", **key, **NAMES)
    assert pyca_verdict(root, leaf, office.clock.now, "web.acme.internal") == ""


@pytest.mark.parametrize("usage", ["key_encipherment", "data_encipherment", "key_agreement"])
def test_rfc9881_5_what_such_a_key_cannot_do_is_refused(office: Office, usage: str) -> None:
    key = {"public_key_content": public_pem(somebodys_key("ML_DSA_44"))}
    assert f"key_usage {usage} does not fit a ML-DSA key" in office.refusal(
        "k", "custom", "root", key_usage=[usage], **key
    )


def test_rfc9881_a_hash_or_padding_is_none_of_its_options(office: Office) -> None:
    office.key("new", "ML_DSA_44")
    assert "it hashes inside the signature, so leave digest out" in office.refusal("new", "root_ca", digest="sha256")
    assert "signature_padding pss is for RSA keys" in office.refusal("new", "root_ca", signature_padding="pss")
