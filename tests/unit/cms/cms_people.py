# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates of a root, an intermediate and signers with keys of every kind; made once, valid around NOW."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from ansible_collections.rootstock.pki.plugins.module_utils._signer.algorithms import KEY_SPECS
from ansible_collections.rootstock.pki.plugins.module_utils._signer.cms import CmsSigner
from tests.unit.signer.local_kms import local_key

NOW = datetime.now(timezone.utc).replace(microsecond=0)
DAY = timedelta(days=1)
DOCUMENT, CODE, MAIL, OCSP, CLIENT = (
    "1.3.6.1.5.5.7.3.36",
    "1.3.6.1.5.5.7.3.3",
    "1.3.6.1.5.5.7.3.4",
    "1.3.6.1.5.5.7.3.9",
    "1.3.6.1.5.5.7.3.2",
)
_USAGES = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
_USAGES += ("key_cert_sign", "crl_sign", "encipher_only", "decipher_only")


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


def usage(*names: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{kind: kind in names for kind in _USAGES})


def purposes(*oids: str) -> x509.ExtendedKeyUsage:
    return x509.ExtendedKeyUsage([x509.ObjectIdentifier(oid) for oid in oids])


@cache
def authority_key(*_which: str) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _signed(builder: x509.CertificateBuilder, issuer: str) -> x509.Certificate:
    return builder.sign(authority_key(issuer), hashes.SHA256())


@cache
def authority(name: str, issuer: str, holder: str = "", signer: str = "") -> x509.Certificate:
    """Return the certificate of an authority; *holder* and *signer* have the keys where their names do not say so."""
    key, above = authority_key(holder or name).public_key(), authority_key(signer or issuer).public_key()
    builder = x509.CertificateBuilder(
        named(issuer), named(name), key, x509.random_serial_number(), NOW - DAY, NOW + 90 * DAY
    )
    builder = builder.add_extension(x509.BasicConstraints(True, None), True)
    builder = builder.add_extension(usage("key_cert_sign", "crl_sign"), True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), False)
    builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(above), False)
    return _signed(builder, signer or issuer)


def root() -> x509.Certificate:
    return authority("Root", "Root")


def middle() -> x509.Certificate:
    return authority("Middle", "Root")


def old_root() -> x509.Certificate:
    """Return what root() replaced: the same name, another key."""
    return authority("Root", "Root", "Old root", "Old root")


def new_with_old() -> x509.Certificate:
    """Return the certificate by which the old root vouches for the key of root() (RFC 4210 4.4)."""
    return authority("Root", "Root", signer="Old root")


def certify(
    public_key: Any,
    *extensions: tuple[x509.ExtensionType, bool],
    name: str = "Signer",
    start: datetime = NOW - DAY,
    end: datetime = NOW + 30 * DAY,
) -> x509.Certificate:
    """Return a certificate that the intermediate authority issued; without extensions one for documents."""
    given = extensions or ((usage("digital_signature"), True), (purposes(DOCUMENT, MAIL), False))
    builder = x509.CertificateBuilder(named("Middle"), named(name), public_key, x509.random_serial_number(), start, end)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), False)
    for value, critical in given:
        builder = builder.add_extension(value, critical)
    return _signed(builder, "Middle")


@cache
def certificate(key_spec: str, which: int = 0) -> x509.Certificate:
    """Return the certificate of local_key(), another one for each *which*."""
    key = local_key(key_spec) if which == 0 else local_key(key_spec, which)
    return certify(key.public_key(), name=f"Signer {key_spec} {which}")


def cms_signer(key_spec: str, signing_algorithm: str = "", which: int = 0) -> CmsSigner:
    name = signing_algorithm or KEY_SPECS[key_spec].bare_default
    return CmsSigner(f"alias/{key_spec}-{which}", certificate(key_spec, which), name)


def put_pem(path: Path, *certificates: x509.Certificate) -> str:
    path.write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in certificates))
    return str(path)
