# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Public keys in the forms of others, read by the others: ssh-keygen, joserfc, openssl."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_ssh_public_key
from joserfc.jwk import ECKey, OKPKey, RSAKey

from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import SpecError
from ansible_collections.rootstock.pki.plugins.module_utils._pki.fingerprints import fingerprints, spki_pin
from ansible_collections.rootstock.pki.plugins.module_utils._pki.public_key_forms import to_jwk, to_openssh
from tests.unit.signer.local_kms import SIGNING_SPECS, local_key

JOSE: dict[str, Any] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
ML_DSA = [spec for spec in SIGNING_SPECS if spec.startswith("ML_DSA")]
IN_JOSE = [spec for spec in SIGNING_SPECS if spec not in ML_DSA]
IN_SSH = [spec for spec in IN_JOSE if spec != "ECC_SECG_P256K1"]


def der_of(key_spec: str) -> bytes:
    der: bytes = local_key(key_spec).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return der


@pytest.mark.parametrize("key_spec", IN_SSH)
def test_ssh_keygen_reads_the_line(key_spec: str, tmp_path: Path) -> None:
    path = tmp_path / "key.pub"
    path.write_bytes(to_openssh(der_of(key_spec), "key"))
    told = subprocess.run(["ssh-keygen", "-l", "-f", path], capture_output=True, text=True, check=True).stdout
    assert "SHA256:" in told
    assert load_ssh_public_key(path.read_bytes()) == local_key(key_spec).public_key()


@pytest.mark.parametrize("key_spec", ["ECC_SECG_P256K1", *ML_DSA])
def test_what_openssh_has_not_is_refused(key_spec: str) -> None:
    with pytest.raises(SpecError, match="key: OpenSSH has no public keys of this kind; use format pem or der"):
        to_openssh(der_of(key_spec), "key")


@pytest.mark.parametrize("key_spec", IN_JOSE)
def test_joserfc_reads_the_jwk_and_makes_the_same_thumbprint(key_spec: str) -> None:
    jwk = json.loads(to_jwk(der_of(key_spec), "key"))
    key = JOSE[jwk["kty"]].import_key({name: value for name, value in jwk.items() if name != "kid"})
    assert key.thumbprint() == jwk["kid"]
    assert key.public_key == local_key(key_spec).public_key()


@pytest.mark.parametrize("key_spec", ML_DSA)
def test_what_jose_has_not_is_refused(key_spec: str) -> None:
    with pytest.raises(SpecError, match="key: JOSE has no public keys of this kind; use format pem or der"):
        to_jwk(der_of(key_spec), "key")


def openssl(*arguments: str, given: bytes) -> bytes:
    return subprocess.run(["openssl", *arguments], input=given, capture_output=True, check=True).stdout


def test_openssl_makes_the_same_pin_and_the_same_fingerprint() -> None:
    der = der_of("ECC_NIST_P256")
    digest = openssl("dgst", "-sha256", "-binary", given=der)
    assert spki_pin(der).encode() == openssl("base64", "-A", given=digest)
    assert fingerprints(der)["sha256"].encode() == openssl("dgst", "-sha256", "-c", given=der).split()[-1]
