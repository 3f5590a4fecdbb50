# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fields of a certificate as they stand in it, which the library shows only after reading them (RFC 5280 4.1)."""

from __future__ import annotations

from .der import parts_of, wrap

try:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding
except ImportError:
    x509 = None  # type: ignore[assignment]  # require_cryptography() in the module says so

ISSUER, SUBJECT, SPKI = 2, 4, 5
"""Places in a TBSCertificate, counted from the serial number on: only version 1 has no version before it."""

_SEQUENCE = 0x30


def field_of(certificate: x509.Certificate, place: int) -> bytes:
    """Return the DER of one field."""
    return parts_of(certificate.tbs_certificate_bytes)[_versions(certificate) + place]


def with_field(certificate: x509.Certificate, place: int, der: bytes) -> x509.Certificate:
    """Return *certificate* with another field, and the signature of before, which is none of it any more."""
    tbs, *signature = parts_of(certificate.public_bytes(Encoding.DER))
    fields = parts_of(tbs)
    fields[_versions(certificate) + place] = der
    changed = wrap(_SEQUENCE, b"".join(fields))
    return x509.load_der_x509_certificate(wrap(_SEQUENCE, b"".join((changed, *signature))))


def _versions(certificate: x509.Certificate) -> int:
    return int(certificate.version != x509.Version.v1)
