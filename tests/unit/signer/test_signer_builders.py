# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""pyca's builders take the key objects for every spec; OpenSSL judges what comes out (pyca judges ML-DSA)."""

from __future__ import annotations

import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from ansible_collections.rootstock.pki.plugins.module_utils._signer.algorithms import ALGORITHMS, KEY_SPECS
from ansible_collections.rootstock.pki.plugins.module_utils._signer.keys import private_key_for
from ansible_collections.rootstock.pki.plugins.module_utils._signer.verify import to_hash
from tests.unit.signer.local_kms import SIGNING_SPECS, local_key, session_for

NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Test CA")])
NOW = datetime.now(timezone.utc).replace(microsecond=0)
PSS_SPECS = [spec for spec in SIGNING_SPECS if spec.startswith("RSA")]
CASES = [(spec, False) for spec in SIGNING_SPECS] + [(spec, True) for spec in PSS_SPECS]


class Authority:
    """A CA whose key is behind the port, and the arguments for pyca's builders."""

    def __init__(self, key_spec: str, pss: bool = False) -> None:
        self.session = session_for(local_key(key_spec))
        self.key = private_key_for(self.session.public_key, self.session)
        row = ALGORITHMS[KEY_SPECS[key_spec].x509_default]
        self.hash: Any = to_hash(row.hash) if row.hash else None
        self.by_openssl = row.family != "ML_DSA"
        self.extra: dict[str, Any] = {}
        if pss:
            self.extra = {"rsa_padding": padding.PSS(padding.MGF1(self.hash), padding.PSS.DIGEST_LENGTH)}
        self.certificate = self.issue()

    def issue(self) -> x509.Certificate:
        builder = x509.CertificateBuilder(
            NAME, NAME, self.key.public_key(), 4711, NOW - timedelta(minutes=5), NOW + timedelta(days=30)
        )
        key_usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        builder = builder.add_extension(key_usage, critical=True)
        identifier = x509.SubjectKeyIdentifier.from_public_key(self.key.public_key())
        return builder.add_extension(identifier, critical=False).sign(self.key, self.hash, **self.extra)

    def request(self) -> x509.CertificateSigningRequest:
        return x509.CertificateSigningRequestBuilder(NAME).sign(self.key, self.hash, **self.extra)

    def crl(self) -> x509.CertificateRevocationList:
        builder = x509.CertificateRevocationListBuilder(NAME, NOW, NOW + timedelta(days=7))
        return builder.sign(self.key, self.hash, **self.extra)

    def ocsp_response(self) -> ocsp.OCSPResponse:
        status = (ocsp.OCSPCertStatus.GOOD, NOW, NOW + timedelta(days=1), None, None)
        builder = ocsp.OCSPResponseBuilder().add_response(self.certificate, self.certificate, hashes.SHA256(), *status)
        return builder.responder_id(ocsp.OCSPResponderEncoding.HASH, self.certificate).sign(self.key, self.hash)


def openssl(*arguments: str | Path) -> str:
    ran = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout + ran.stderr


def put(path: Path, item: Any, encoding: Encoding = Encoding.PEM) -> Path:
    path.write_bytes(item.public_bytes(encoding))
    return path


@pytest.mark.parametrize(("key_spec", "pss"), CASES)
def test_certificates_verify(key_spec: str, pss: bool, tmp_path: Path) -> None:
    authority = Authority(key_spec, pss)
    authority.certificate.verify_directly_issued_by(authority.certificate)
    if authority.by_openssl:
        path = put(tmp_path / "ca.pem", authority.certificate)
        assert "OK" in openssl("verify", "-x509_strict", "-check_ss_sig", "-CAfile", path, path)
    assert authority.session.calls == 1


@pytest.mark.parametrize(("key_spec", "pss"), CASES)
def test_certificate_requests_verify(key_spec: str, pss: bool, tmp_path: Path) -> None:
    authority = Authority(key_spec, pss)
    request = authority.request()
    assert request.is_signature_valid
    if authority.by_openssl:
        assert "OK" in openssl("req", "-verify", "-noout", "-in", put(tmp_path / "ca.csr", request))


@pytest.mark.parametrize(("key_spec", "pss"), CASES)
def test_revocation_lists_verify(key_spec: str, pss: bool, tmp_path: Path) -> None:
    authority = Authority(key_spec, pss)
    crl = authority.crl()
    assert crl.is_signature_valid(authority.certificate.public_key())  # type: ignore[arg-type]
    if authority.by_openssl:
        ca, path = put(tmp_path / "ca.pem", authority.certificate), put(tmp_path / "ca.crl", crl)
        assert "verify OK" in openssl("crl", "-noout", "-CAfile", ca, "-in", path)


@pytest.mark.parametrize("key_spec", SIGNING_SPECS)
def test_ocsp_responses_verify(key_spec: str, tmp_path: Path) -> None:
    authority = Authority(key_spec)
    response = authority.ocsp_response()
    if authority.by_openssl:
        ca, path = put(tmp_path / "ca.pem", authority.certificate), tmp_path / "response.der"
        path.write_bytes(response.public_bytes(Encoding.DER))
        told = openssl("ocsp", "-respin", path, "-CAfile", ca, "-issuer", ca, "-sha256", "-cert", ca)
        assert "Response verify OK" in told
        assert "ca.pem: good" in told
    else:
        authority.key.public_key().verify(response.signature, response.tbs_response_bytes)
    assert authority.session.calls == 2


@pytest.mark.parametrize("key_spec", PSS_SPECS)
def test_pss_in_certificates_states_a_salt_as_long_as_the_digest(key_spec: str, tmp_path: Path) -> None:
    path = put(tmp_path / "ca.pem", Authority(key_spec, pss=True).certificate)
    assert "Salt Length: 0x20" in openssl("x509", "-noout", "-text", "-in", path)
