# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Chains of two made on the spot, and what OpenSSL and pyca think of them."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

NOW = datetime.now(timezone.utc).replace(microsecond=0)
ROOT = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Constrained Root")])
CA_USAGE = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
PURPOSES = x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.SERVER_AUTH, x509.ExtendedKeyUsageOID.CLIENT_AUTH])


@dataclass(frozen=True)
class Claim:
    """What an end-entity certificate calls its subject."""

    subject: x509.Name
    names: tuple[x509.GeneralName, ...]


@cache
def key(*_holder: str) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _signed(
    subject: x509.Name, holder: str, extensions: Sequence[tuple[x509.ExtensionType, bool]], issuer: x509.Name = ROOT
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key(holder).public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(hours=1))
        .not_valid_after(NOW + timedelta(days=30))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key(holder).public_key()), critical=False)
    )
    for value, critical in extensions:
        builder = builder.add_extension(value, critical)
    return builder.sign(key("root"), hashes.SHA256())


def constrained_root(constraints: x509.NameConstraints) -> x509.Certificate:
    """Return a self-signed CA certificate with *constraints*."""
    return _signed(
        ROOT,
        "root",
        [(x509.BasicConstraints(ca=True, path_length=None), True), (CA_USAGE, True), (constraints, True)],
    )


def leaf(claim: Claim) -> x509.Certificate:
    """Return an end-entity certificate of the root for *claim*."""
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(key("root").public_key()), False),
        (PURPOSES, False),
    ]
    if claim.names:
        extensions.append((x509.SubjectAlternativeName(claim.names), not claim.subject.rdns))
    return _signed(claim.subject, "leaf", extensions)


def openssl_accepts(root: x509.Certificate, leaves: Sequence[x509.Certificate], folder: Path) -> list[bool]:
    """Return OpenSSL's verdict on each of *leaves* under *root*, and fail on any error but a name constraint's."""
    anchor = folder / "root.pem"
    anchor.write_bytes(root.public_bytes(Encoding.PEM))
    paths = [folder / f"leaf{number}.pem" for number in range(len(leaves))]
    for path, certificate in zip(paths, leaves, strict=True):
        path.write_bytes(certificate.public_bytes(Encoding.PEM))
    run = subprocess.run(
        ["openssl", "verify", "-CAfile", str(anchor), *map(str, paths)], capture_output=True, text=True, check=False
    )
    errors = [line for line in run.stderr.splitlines() if line.startswith("error ") and " depth lookup: " in line]
    strange = [line for line in errors if not any(word in line for word in ("subtree", "unsupported", "name syntax"))]
    assert not strange, strange
    accepted = [f"{path}: OK" in run.stdout for path in paths]
    assert len(errors) == accepted.count(False), run.stderr
    return accepted


def pyca_accepts(root: x509.Certificate, certificate: x509.Certificate) -> bool:
    """Return the verdict of pyca's verifier for TLS clients, which knows constraints on DNS names and addresses."""
    verifier = PolicyBuilder().store(Store([root])).time(NOW).build_client_verifier()
    try:
        verifier.verify(certificate, [])
    except VerificationError:
        return False
    return True
