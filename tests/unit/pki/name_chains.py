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
from pkilint.loader import load_certificate
from pkilint.pkix import certificate as pkix
from pkilint.pkix.extension import EXTENSION_MAPPINGS
from pkilint.pkix.name import ATTRIBUTE_TYPE_MAPPINGS
from pkilint.validation import ValidationFindingSeverity

NOW = datetime.now(timezone.utc).replace(microsecond=0)
ROOT = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Constrained Root")])
SUBORDINATE = x509.Name(
    [
        x509.NameAttribute(x509.NameOID.COUNTRY_NAME, "DE"),
        x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Acme"),
        x509.NameAttribute(x509.NameOID.COMMON_NAME, "ca.other.example"),
    ]
)
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
    subject: x509.Name,
    holder: str,
    issuer: tuple[x509.Name, str],
    extensions: Sequence[tuple[x509.ExtensionType, bool]],
) -> x509.Certificate:
    name, signer = issuer
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(name)
        .public_key(key(holder).public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(hours=1))
        .not_valid_after(NOW + timedelta(days=30))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key(holder).public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key(signer).public_key()), critical=False)
    )
    for value, critical in extensions:
        builder = builder.add_extension(value, critical)
    return builder.sign(key(signer), hashes.SHA256())


def _authority(constraints: x509.NameConstraints | None) -> list[tuple[x509.ExtensionType, bool]]:
    basics: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=True, path_length=None), True),
        (CA_USAGE, True),
    ]
    return basics if constraints is None else [*basics, (constraints, True)]


def constrained_root(constraints: x509.NameConstraints) -> x509.Certificate:
    """Return a self-signed CA certificate with *constraints*."""
    return _signed(ROOT, "root", (ROOT, "root"), _authority(constraints))


def subordinate(constraints: x509.NameConstraints | None) -> x509.Certificate:
    """Return a CA certificate of the root with *constraints*."""
    return _signed(SUBORDINATE, "subordinate", (ROOT, "root"), _authority(constraints))


def leaf(claim: Claim, issuer: str = "root") -> x509.Certificate:
    """Return an end-entity certificate of the root, or of the subordinate, for *claim*."""
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (PURPOSES, False),
    ]
    if claim.names:
        extensions.append((x509.SubjectAlternativeName(claim.names), not claim.subject.rdns))
    names = {"root": ROOT, "subordinate": SUBORDINATE}
    return _signed(claim.subject, "leaf", (names[issuer], issuer), extensions)


def openssl_accepts(
    root: x509.Certificate, leaves: Sequence[x509.Certificate], folder: Path, between: x509.Certificate | None = None
) -> list[bool]:
    """Return OpenSSL's verdict on each of *leaves* under *root*, and fail on any error but a name constraint's."""
    paths = [_written(folder / f"leaf{number}.pem", one) for number, one in enumerate(leaves)]
    untrusted = [] if between is None else ["-untrusted", str(_written(folder / "between.pem", between))]
    anchor = _written(folder / "root.pem", root)
    command = ["openssl", "verify", "-CAfile", str(anchor), *untrusted, *map(str, paths)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    errors = [line for line in run.stderr.splitlines() if line.startswith("error ") and " depth lookup: " in line]
    strange = [line for line in errors if not any(word in line for word in ("subtree", "unsupported", "name syntax"))]
    assert not strange, strange
    accepted = [f"{path}: OK" in run.stdout for path in paths]
    assert len(errors) == accepted.count(False), run.stderr
    return accepted


def _written(path: Path, certificate: x509.Certificate) -> Path:
    path.write_bytes(certificate.public_bytes(Encoding.PEM))
    return path


def pyca_accepts(root: x509.Certificate, certificate: x509.Certificate) -> bool:
    """Return the verdict of pyca's verifier for TLS clients, which knows constraints on DNS names and addresses."""
    verifier = PolicyBuilder().store(Store([root])).time(NOW).build_client_verifier()
    try:
        verifier.verify(certificate, [])
    except VerificationError:
        return False
    return True


def pkilint_findings(certificate: x509.Certificate) -> list[str]:
    """Return the codes of what pkilint finds at the level of warning or above."""
    validators = pkix.create_pkix_certificate_validator_container(
        pkix.create_decoding_validators(ATTRIBUTE_TYPE_MAPPINGS, EXTENSION_MAPPINGS),
        [
            pkix.create_issuer_validator_container([]),
            pkix.create_validity_validator_container(),
            pkix.create_subject_validator_container([]),
            pkix.create_extensions_validator_container([]),
            pkix.create_spki_validator_container([]),
        ],
    )
    results = validators.validate(load_certificate(certificate.public_bytes(Encoding.DER), "certificate").root)
    found = [finding.finding for result in results for finding in result.finding_descriptions]
    return [finding.code for finding in found if finding.severity <= ValidationFindingSeverity.WARNING]
