# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Messages with a right signature over whatever a test wants there, made octet by octet; OpenSSL judges them too."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from ansible_collections.rootstock.pki.plugins.module_utils._pki.certificates import to_der
from ansible_collections.rootstock.pki.plugins.module_utils._pki.der import encode, wrap
from tests.unit.cms.cms_desk import CONTENT, CmsDesk
from tests.unit.cms.cms_judges import openssl_verifies
from tests.unit.cms.cms_people import certificate, middle
from tests.unit.signer.local_kms import local_key

SIGNER = certificate("ECC_NIST_P256")
WHO = "the signature of CN=Signer ECC_NIST_P256 0"
DATA, SIGNED_DATA, ECDSA = "1.2.840.113549.1.7.1", "1.2.840.113549.1.7.2", "1.2.840.10045.4.3.2"
SHA256, SHA512 = "2.16.840.1.101.3.4.2.1", "2.16.840.1.101.3.4.2.3"


def oid(dotted: str) -> bytes:
    return encode("OID", dotted)


def sequence(*values: bytes) -> bytes:
    return wrap(0x30, b"".join(values))


def set_of(*values: bytes) -> bytes:
    return wrap(0x31, b"".join(sorted(values)))


def attribute(kind: str, *values: bytes) -> bytes:
    return sequence(oid(kind), set_of(*values))


CONTENT_TYPE = attribute("1.2.840.113549.1.9.3", oid(DATA))
MESSAGE_DIGEST = attribute("1.2.840.113549.1.9.4", wrap(0x04, hashlib.sha256(CONTENT).digest()))
SIGNING_TIME = attribute("1.2.840.113549.1.9.5", wrap(0x17, b"300101000000Z"))


def message(
    signed: Sequence[bytes] = (), unsigned: Sequence[bytes] = (), announced: Sequence[str] = (SHA256,)
) -> bytes:
    """Return a detached message over CONTENT with more attributes than its signature needs."""
    attributes = set_of(CONTENT_TYPE, MESSAGE_DIGEST, *signed)
    key = local_key("ECC_NIST_P256")
    info = sequence(
        encode("INT", "1"),
        sequence(SIGNER.issuer.public_bytes(), encode("INT", str(SIGNER.serial_number))),
        sequence(oid(SHA256)),
        b"\xa0" + attributes[1:],
        sequence(oid(ECDSA)),
        wrap(0x04, key.sign(attributes, ec.ECDSA(hashes.SHA256()))),
        *([b"\xa1" + set_of(*unsigned)[1:]] if unsigned else []),
    )
    signed_data = sequence(
        encode("INT", "1"),
        set_of(*(sequence(oid(dotted)) for dotted in announced)),
        sequence(oid(DATA)),
        b"\xa0" + set_of(to_der(SIGNER), to_der(middle()))[1:],
        set_of(info),
    )
    return sequence(oid(SIGNED_DATA), wrap(0xA0, signed_data))


def verdicts(folder: Path, der: bytes, *options: str) -> tuple[str, bool]:
    """Return our reason, and whether OpenSSL takes it with *options*."""
    desk = CmsDesk(folder)
    desk.dest.write_bytes(der)
    return desk.verify().reason, openssl_verifies(desk.dest, "der", desk.content, "cms", *options)[0]


def references(kind: str, *found: bytes) -> bytes:
    """Return an attribute that refers to certificates."""
    return attribute(kind, sequence(sequence(*found)))


def reference(one: x509.Certificate, hash_name: str, *issuer_serial: bytes) -> bytes:
    return sequence(wrap(0x04, hashlib.new(hash_name, to_der(one)).digest()), *issuer_serial)


def issuer_serial(serial_number: int, *names: bytes) -> bytes:
    return sequence(sequence(*names), encode("INT", str(serial_number)))


def directory_name(name: x509.Name) -> bytes:
    return wrap(0xA4, name.public_bytes())
