# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two organizations vouch for each other: whoever trusts one root verifies what is below both, within the limits."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.name import _ASN1Type

from localaws.testing import Account, account, local_aws
from tests.harness.operators import statements
from tests.unit.roles.plays import Played, play, run_plays

__all__ = ["account", "local_aws"]

ISSUED = "Every certificate is issued, issuers first"
TAKEN = "Their certificates are checked and taken"
PENDING = "What is pending is said"
FROM_THEM = {"name": "partner", "certificate_path": "in/cross.pem", "trusted_certificate_path": ["in/partner.pem"]}
ROOT = {
    "name": "root",
    "certificate_profile": "root_ca",
    "subject": {"organization_name": "Acme", "common_name": "Acme Root"},
    "key": {},
    "cross_certificates": [FROM_THEM],
}
WEB = {
    "name": "web",
    "issuer": "root",
    "certificate_profile": "tls_client",
    "subject": {"common_name": "web"},
    "subject_alt_name": ["DNS:web.acme.example"],
    "public_key_path": "web.pem",
}
PARTNER = {
    "name": "partner-ca",
    "issuer": "root",
    "certificate_profile": "subordinate_ca",
    "subject_certificate_path": "in/partner.pem",
    "path_length": 0,
    "name_constraints_permitted": ["DNS:partner.example"],
    "not_after": "+365d",
}
PARTNER_NAME = x509.Name(
    [x509.NameAttribute(x509.NameOID.COMMON_NAME, "Partner Root", _type=_ASN1Type.PrintableString)]
)
PARTNER_IDENTIFIER = x509.SubjectKeyIdentifier(b"partner")


@dataclass(frozen=True)
class Partner:
    """Somebody else's root, whose name has a string type of its own and whose key identifier is no hash."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    start: datetime = field(default_factory=lambda: datetime.now(timezone.utc) - timedelta(hours=1))

    def certify(self, name: x509.Name, key: Any, *extensions: tuple[x509.ExtensionType, bool]) -> x509.Certificate:
        serial, end = x509.random_serial_number(), self.start + timedelta(days=99)
        builder = x509.CertificateBuilder(PARTNER_NAME, name, key, serial, self.start, end)
        identifiers = (x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(PARTNER_IDENTIFIER), False)
        for value, critical in (*extensions, identifiers):
            builder = builder.add_extension(value, critical)
        return builder.sign(self.key, hashes.SHA256())

    def authority(self, name: x509.Name, key: Any, identifier: x509.SubjectKeyIdentifier) -> x509.Certificate:
        signs = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        return self.certify(name, key, (constraints, True), (signs, True), (identifier, False))

    def root(self) -> x509.Certificate:
        return self.authority(PARTNER_NAME, self.key.public_key(), PARTNER_IDENTIFIER)

    def leaf(self, host: str) -> x509.Certificate:
        key = ec.generate_private_key(ec.SECP256R1()).public_key()
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "theirs")])
        own = x509.SubjectKeyIdentifier.from_public_key(key)
        return self.certify(name, key, (x509.SubjectAlternativeName([x509.DNSName(host)]), False), (own, False))


def write(path: Path, certificate: x509.Certificate) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def read(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def verifies(folder: Path, trusted: str, between: str, certificate: str) -> bool:
    """Ask openssl, as somebody who trusts one root and is sent what lies between."""
    command = ["openssl", "verify", "-x509_strict", "-no-CApath", "-CAfile", trusted, "-untrusted", between]
    return subprocess.run([*command, certificate], cwd=folder, capture_output=True, check=False).returncode == 0


def tree(folder: Path, *authorities: dict[str, Any], check: bool = False) -> dict[str, Any]:
    certificates = {"pki_authorities": list(authorities), "pki_certificates": [WEB, PARTNER]}
    return play("pki_tree", {"pki_name": "partners", "pki_base_dir": str(folder), **certificates}, check=check)


def changed(played: Played) -> list[tuple[str, str]]:
    return [(task, str(result.get("path"))) for task, result in played.results() if result.get("changed")]


def signatures(played: Played) -> list[tuple[str, int]]:
    return [(result["item"]["name"], result["sign_calls"]) for result in played.of(ISSUED)]


def pending(played: Played) -> list[str]:
    return [line.split()[3] for line in played.of(PENDING)[0]["msg"]]


def test_whoever_trusts_one_root_verifies_what_is_below_both(account: Account, tmp_path: Path) -> None:
    credentials = account.role("operator", *statements()).environment()
    partner, key = Partner(), ec.generate_private_key(ec.SECP256R1()).public_key()
    (tmp_path / "web.pem").write_bytes(
        key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    (early,) = run_plays(tmp_path, credentials, tree(tmp_path, ROOT))
    missing = ("in/cross.pem", "in/partner.pem", "pki/root/ca.pem", "in/partner.pem")
    assert pending(early) == [str(tmp_path / file) for file in missing]
    assert signatures(early) == [("root", 1), ("web", 1)]

    ours = read(tmp_path / "pki" / "root" / "ca.pem")
    identifier = ours.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    write(tmp_path / "in" / "cross.pem", partner.authority(ours.subject, ours.public_key(), identifier))
    write(tmp_path / "in" / "partner.pem", partner.root())
    unchecked = {**ROOT, "cross_certificates": [{**FROM_THEM, "trusted_certificate_path": ["in/absent.pem"]}]}
    trees = (tree(tmp_path, unchecked, check=True), tree(tmp_path, ROOT, check=True), *[tree(tmp_path, ROOT)] * 2)
    half, planned, built, again = run_plays(tmp_path, credentials, *trees)
    assert pending(half) == [str(tmp_path / "in" / "absent.pem")]
    assert [result["item"]["name"] for result in half.of(ISSUED) if result["changed"]] == ["partner-ca"]
    certificates = tmp_path / "pki" / "certificates"
    cross = tmp_path / "pki" / "root" / "cross" / "partner.pem"
    wanted = [(TAKEN, str(cross)), *((ISSUED, str(certificates / f"{name}.pem")) for name in ("web", "partner-ca"))]
    assert [(task.rpartition(" : ")[2], path) for task, path in changed(built)] == wanted
    assert changed(planned) == changed(built)
    assert signatures(built) == [("root", 0), ("web", 0), ("partner-ca", 1)]
    assert (again.changed(), again.of(PENDING)[0]["skipped"]) == ([], True)
    assert read(cross) == read(tmp_path / "in" / "cross.pem")
    assert [path.name for path in (tmp_path / "pki" / "trust").iterdir() if "partner" in path.name] == []

    mine = ("pki/certificates/web.chain.pem", "pki/certificates/web.pem")
    assert [verifies(tmp_path, root, *mine) for root in ("pki/trust/root.pem", "in/partner.pem")] == [True, True]
    write(tmp_path / "inside.pem", partner.leaf("www.partner.example"))
    write(tmp_path / "outside.pem", partner.leaf("www.acme.example"))
    theirs = "pki/certificates/partner-ca.fullchain.pem"
    assert verifies(tmp_path, "pki/trust/root.pem", theirs, "inside.pem")
    assert not verifies(tmp_path, "pki/trust/root.pem", theirs, "outside.pem")
    assert verifies(tmp_path, "in/partner.pem", theirs, "outside.pem")
