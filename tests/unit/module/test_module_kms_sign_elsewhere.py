# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What kms_sign and kms_public_key write is what `cosign verify-blob` takes; OpenSSL says so, read as cosign reads it.

cosign itself is not here: it takes a public key in PEM (SubjectPublicKeyInfo), a signature in standard Base64 of which
it ignores line breaks, and hashes with SHA-256; ECDSA signatures are DER, RSA ones PKCS#1 v1.5.
"""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest

from tests.unit.module.controller import Controller

TAKEN = {
    "ECC_NIST_P256": "ECDSA_SHA_256",
    "RSA_2048": "RSASSA_PKCS1_V1_5_SHA_256",
    "RSA_3072": "RSASSA_PKCS1_V1_5_SHA_256",
}


def cosign_accepts(folder: Path, blob: str) -> bool:
    """Do with OpenSSL what `cosign verify-blob --key key.pem --signature blob.sig blob` does."""
    text = (folder / "blob.sig").read_bytes().replace(b"\r", b"").replace(b"\n", b"")
    (folder / "octets").write_bytes(base64.b64decode(text, validate=True))
    command = ["openssl", "dgst", "-sha256", "-verify", "key.pem", "-signature", "octets", blob]
    return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("key_spec", TAKEN)
def test_cosign_takes_key_and_signature(controller: Controller, tmp_path: Path, key_spec: str) -> None:
    (tmp_path / "blob").write_bytes(b"a release\n" * 1000)
    (tmp_path / "tampered").write_bytes(b"a release\n" * 999)
    assert controller.run("kms_key", {"alias": "cosign", "key_spec": key_spec, "use": "sign"})["changed"]
    assert controller.run("kms_public_key", {"key_id": "alias/cosign", "path": str(tmp_path / "key.pem")})["changed"]
    task = {
        "key_id": "alias/cosign",
        "src": str(tmp_path / "blob"),
        "dest": str(tmp_path / "blob.sig"),
        "format": "base64",
        "signing_algorithm": TAKEN[key_spec],
    }
    assert controller.run("kms_sign", task)["verified"]
    assert (tmp_path / "key.pem").read_bytes().startswith(b"-----BEGIN PUBLIC KEY-----\n")
    assert (tmp_path / "blob.sig").read_bytes().count(b"\n") == 1
    assert cosign_accepts(tmp_path, "blob")
    assert not cosign_accepts(tmp_path, "tampered")


def test_the_default_of_rsa_keys_is_not_what_cosign_takes(controller: Controller, tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(b"a release\n")
    controller.run("kms_key", {"alias": "cosign", "key_spec": "RSA_2048", "use": "sign"})
    controller.run("kms_public_key", {"key_id": "alias/cosign", "path": str(tmp_path / "key.pem")})
    task = {"key_id": "alias/cosign", "src": str(tmp_path / "blob"), "dest": str(tmp_path / "blob.sig")}
    assert controller.run("kms_sign", {**task, "format": "base64"})["changed"]
    assert not cosign_accepts(tmp_path, "blob")
