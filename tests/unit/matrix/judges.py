# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Third parties: OpenSSL, pyca's verifier for TLS, and pkilint."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from ansible_collections.rootstock.pki.plugins.module_utils._lint.lint import lint
from ansible_collections.rootstock.pki.plugins.module_utils._pki.certificates import to_der, to_pem

PURPOSES = {
    "tls_server": "sslserver",
    "tls_client": "sslclient",
    "tls_peer": "sslserver",
    "email_protection": "smimesign",
    "timestamping": "timestampsign",
    "ocsp_signing": "ocsphelper",
    "iam_roles_anywhere": "sslclient",
}
"""What `openssl verify -purpose` calls the purpose of a profile; it has no word for the others."""

WEB_CURVES = ("secp256r1", "secp384r1", "secp521r1")
GRAVE = ("fatal", "error", "warning")


def openssl_verdicts(
    folder: Path,
    root: x509.Certificate,
    certificates: Mapping[str, x509.Certificate],
    at: datetime,
    purpose: str = "",
    between: Sequence[x509.Certificate] = (),
) -> dict[str, str]:
    """Return what OpenSSL says against each of *certificates* under *root*; empty where it accepts one."""
    (folder / "anchor.pem").write_bytes(to_pem([root]))
    (folder / "between.pem").write_bytes(to_pem(between))
    for name, certificate in certificates.items():
        (folder / f"{name}.pem").write_bytes(to_pem([certificate]))
    command = ["openssl", "verify", "-x509_strict", "-attime", str(int(at.timestamp())), "-CAfile", "anchor.pem"]
    command += ["-purpose", purpose] if purpose else []
    command += ["-untrusted", "between.pem"] if between else []
    files = [f"{name}.pem" for name in certificates]
    run = subprocess.run([*command, *files], cwd=folder, capture_output=True, text=True, check=False)
    accepted = [line.removesuffix(".pem: OK") for line in run.stdout.splitlines() if line.endswith(": OK")]
    return {name: "" if name in accepted else run.stderr or "refused" for name in certificates}


def pyca_verifies(key: object) -> bool:
    """Tell whether pyca's verifier takes signatures of *key*: it knows what the web does, and ML-DSA."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.curve.name in WEB_CURVES
    return isinstance(key, rsa.RSAPublicKey) or type(key).__name__.startswith("MLDSA")


def pyca_verdict(root: x509.Certificate, certificate: x509.Certificate, at: datetime, host: str = "") -> str:
    """Return what pyca says against *certificate* as that of the server *host*, or of a client; empty for nothing."""
    policy = PolicyBuilder().store(Store([root])).time(at)
    try:
        if host:
            policy.build_server_verifier(x509.DNSName(host)).verify(certificate, [])
        else:
            policy.build_client_verifier().verify(certificate, [])
    except VerificationError as exc:
        return str(exc)
    return ""


def pkilint_findings(certificate: x509.Certificate) -> list[str]:
    """Return the codes of what pkilint finds at the level of warning or above."""
    return [found.code for found in lint(to_der(certificate)) if found.severity in GRAVE]
