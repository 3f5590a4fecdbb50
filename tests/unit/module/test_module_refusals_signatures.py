# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What kms_sign refuses, each in one sentence, and no file is written."""

from __future__ import annotations

from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from tests.unit.module.controller import Controller
from tests.unit.module.refusals import Refusal, not_told

DIGEST = "00" * 32


def refusals(folder: Path) -> list[Refusal]:
    blind = {"src": None, "digest_value": DIGEST, "digest_algorithm": "sha256"}
    return [
        (
            "rootstock:use=ca; such a key signs certificates, CRLs, OCSP responses and requests alone",
            {"key_id": "alias/refusals/authority"},
        ),
        (
            "is for ENCRYPT_DECRYPT; signing needs a key of usage SIGN_VERIFY",
            {"key_id": "alias/refusals/encryption"},
        ),
        ("the KMS key alias/refusals/nobody does not exist yet", {"key_id": "alias/refusals/nobody"}),
        (
            "is a CertificationRequestInfo; signed as a file it would be a forged",
            {"src": str(folder / "request.tbs")},
        ),
        ("nothing does not exist yet", {"src": str(folder / "nothing")}),
        ("longer than 4096 bytes", {"key_id": "alias/refusals/ed25519"}),
        (
            "Check that certificate, public_key_path and key_id name the same key",
            {"public_key_path": str(folder / "other.pem")},
        ),
        ("allow_blind_digest has to be true", blind),
    ]


def test_what_must_not_be_signed(controller: Controller, tmp_path: Path) -> None:
    make_keys(controller, tmp_path)
    make_contents(tmp_path)
    usual = {"key_id": "alias/refusals/p256", "src": str(tmp_path / "large"), "dest": str(tmp_path / "refused.sig")}
    assert not_told(controller, "kms_sign", usual, refusals(tmp_path)) == []
    assert not (tmp_path / "refused.sig").exists()


def make_keys(controller: Controller, folder: Path) -> None:
    made = [
        {"alias": "refusals/p256", "use": "sign"},
        {"alias": "refusals/other", "use": "sign"},
        {"alias": "refusals/authority", "use": "ca"},
        {"alias": "refusals/ed25519", "use": "sign", "key_spec": "ECC_NIST_EDWARDS25519"},
        {
            "alias": "refusals/encryption",
            "use": "encrypt",
            "key_spec": "RSA_2048",
            "key_usage": "ENCRYPT_DECRYPT",
        },
    ]
    for key in made:
        assert controller.run("kms_key", key)["changed"]
    public_key = {"key_id": "alias/refusals/other", "path": str(folder / "other.pem")}
    assert controller.run("kms_public_key", public_key)["changed"]


def make_contents(folder: Path) -> None:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "forged")])
    request = x509.CertificateSigningRequestBuilder(name).sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    (folder / "request.tbs").write_bytes(request.tbs_certrequest_bytes)
    (folder / "large").write_bytes(b"x" * 4097)
