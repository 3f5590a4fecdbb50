# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Authorities of somebody else, good and bad ones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from ansible_collections.rootstock.pki.plugins.module_utils._pki.certificate_fields import SPKI, field_of, with_field
from ansible_collections.rootstock.pki.plugins.module_utils._pki.der import encode, parts_of, wrap
from tests.unit.operations.workshop import START
from tests.unit.rfc5280.office import somebodys_key

CA = x509.BasicConstraints(ca=True, path_length=None)
SIGNS = x509.KeyUsage(False, False, False, False, False, True, True, False, False)


def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)] if text else [])


@dataclass(frozen=True)
class Foreign:
    """A self-signed certificate of somebody else; each test makes one part of it wrong."""

    subject: str = "Foreign"
    start: datetime = START - timedelta(days=1)
    end: datetime = START + timedelta(days=3650)
    hash: Any = hashes.SHA256
    extensions: tuple[tuple[x509.ExtensionType, bool], ...] = ((CA, True), (SIGNS, True))

    def certificate(self, key: Any = None, subject: x509.Name | None = None) -> x509.Certificate:
        signer, called = key or somebodys_key(), name(self.subject) if subject is None else subject
        builder = x509.CertificateBuilder(called, called, signer.public_key(), 7, self.start, self.end)
        for value, critical in self.extensions:
            builder = builder.add_extension(value, critical)
        return builder.sign(signer, self.hash() if self.hash else None)


GOOD_CA = Foreign()
IDENTIFIED_CA = Foreign(
    extensions=(*GOOD_CA.extensions, (x509.SubjectKeyIdentifier.from_public_key(somebodys_key().public_key()), False))
)

SIGNS_CONTENT = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
AUTHORITY, END_ENTITY = ((CA, True), (SIGNS, True)), ((SIGNS_CONTENT, True),)


def aki_of(
    key_identifier: bytes | None, issuer: x509.Name | None = None, serial: int | None = None
) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier(key_identifier, None if issuer is None else [x509.DirectoryName(issuer)], serial)


def issued(
    key: Any,
    public_key: Any,
    names: tuple[x509.Name, x509.Name],
    *extensions: tuple[x509.ExtensionType, bool],
    aki: x509.AuthorityKeyIdentifier | None = None,
    padding: Any = None,
) -> x509.Certificate:
    """Return a certificate that somebody else issued.

    Args:
        names: of issuer and subject.
        aki: instead of what follows from *key*.
    """
    start, end = START - timedelta(days=1), START + timedelta(days=3000)
    builder = x509.CertificateBuilder(*names, public_key, x509.random_serial_number(), start, end)
    held = aki or x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
    identifiers = ((x509.SubjectKeyIdentifier.from_public_key(public_key), False), (held, False))
    for value, critical in (*extensions, *identifiers):
        builder = builder.add_extension(value, critical)
    return builder.sign(key, hashes.SHA256() if hasattr(key, "key_size") else None, rsa_padding=padding)


def restricted_to_pss(certificate: x509.Certificate) -> x509.Certificate:
    """Return the certificate of an RSA key as if that might sign with RSASSA-PSS alone; its signature is wrong then."""
    algorithm = wrap(0x30, encode("OID", "1.2.840.113549.1.1.10"))
    _algorithm, bits = parts_of(field_of(certificate, SPKI))
    return with_field(certificate, SPKI, wrap(0x30, algorithm + bits))
