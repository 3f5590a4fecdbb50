# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Others who judge a message: OpenSSL, or for what OpenSSL 3.0 cannot, pyca over what pyasn1 takes out of it."""

from __future__ import annotations

import base64
import email
import hashlib
import subprocess
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding
from pyasn1.codec.der.decoder import decode
from pyasn1.codec.der.encoder import encode
from pyasn1.error import PyAsn1Error
from pyasn1_alt_modules import rfc5652

from tests.unit.cms.cms_people import root

NOT_FOR_OPENSSL = ("ED25519_SHA_512", "ML_DSA_SHAKE_256")
"""OpenSSL 3.0 hashes the signed attributes before Ed25519, where RFC 8419 does not, and has no ML-DSA."""

INFORM = {"der": "DER", "pem": "PEM", "smime": "SMIME"}


def openssl_verifies(
    message: Path,
    form: str,
    content: Path | None,
    tool: str = "cms",
    *more: str,
    anchor: x509.Certificate | None = None,
) -> tuple[bool, bytes]:
    """Return whether OpenSSL finds the message right, and the content as it takes it out of it."""
    trusted, out = message.with_suffix(".root"), message.with_suffix(".out")
    trusted.write_bytes((anchor or root()).public_bytes(Encoding.PEM))
    command = ["openssl", tool, "-verify", "-in", str(message), "-inform", INFORM[form], *more]
    command += ["-CAfile", str(trusted), "-purpose", "any", "-out", str(out)]
    if form != "smime":
        command.append("-binary")
    if content is not None:
        command += ["-content", str(content)]
    done = subprocess.run(command, capture_output=True, check=False)
    return done.returncode == 0, out.read_bytes() if done.returncode == 0 else b""


def pyca_verifies(message: bytes, form: str, content: bytes | None) -> bool:
    """Return whether every signer signed; nothing of the collection is used, and no chain is built."""
    try:
        der, inside = _taken_apart(message, form)
        outer, rest = decode(der, asn1Spec=rfc5652.ContentInfo())
        signed, behind = decode(outer["content"], asn1Spec=rfc5652.SignedData())
    except (PyAsn1Error, ValueError):
        return False
    encapsulated = signed["encapContentInfo"]["eContent"]
    octets = bytes(encapsulated) if encapsulated.isValue else inside if inside is not None else content
    certificates = [x509.load_der_x509_certificate(encode(one["certificate"])) for one in signed["certificates"]]
    infos = list(signed["signerInfos"])
    judged = [_signer_verifies(info, certificates, octets or b"") for info in infos]
    return not rest and not behind and bool(judged) and all(judged)


def _taken_apart(message: bytes, form: str) -> tuple[bytes, bytes | None]:
    """Return the DER, and the content of a mail that has it in clear."""
    if form == "der":
        return message, None
    if form == "pem":
        return base64.b64decode(b"".join(message.split(b"\n")[1:-2])), None
    mail = email.message_from_bytes(message)
    if not mail.is_multipart():
        return mail.get_payload(decode=True), None  # type: ignore[return-value]
    boundary = mail.get_param("boundary")
    part = message.split(f"\r\n--{boundary}\r\n".encode())[1]
    return mail.get_payload(1).get_payload(decode=True), part  # type: ignore[union-attr,return-value]


def attributes_of(info: Any) -> dict[str, Any]:
    return {str(one["attrType"]): one["attrValues"] for one in info["signedAttrs"]}


def _signer_verifies(info: Any, certificates: list[x509.Certificate], content: bytes) -> bool:
    serial = int(info["sid"]["issuerAndSerialNumber"]["serialNumber"])
    key: Any = next(one.public_key() for one in certificates if one.serial_number == serial)
    digests = {"1": hashlib.sha256, "2": hashlib.sha384, "3": hashlib.sha512}
    digest = digests[str(info["digestAlgorithm"]["algorithm"]).rpartition(".")[2]]
    signed = encode(info["signedAttrs"].clone(tagSet=rfc5652.SignedAttributes.tagSet, cloneValueFlag=True))
    try:
        key.verify(bytes(info["signature"]), b"\x31" + signed[1:])
    except InvalidSignature:
        return False
    told = decode(bytes(attributes_of(info)["1.2.840.113549.1.9.4"][0]))[0]
    return bytes(told) == digest(content).digest()


def attachment(entity: bytes) -> bytes:
    """Return the file in the MIME entity that a mail signs."""
    found: bytes = email.message_from_bytes(entity).get_payload(decode=True)  # type: ignore[assignment]
    return found
