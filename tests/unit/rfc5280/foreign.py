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
