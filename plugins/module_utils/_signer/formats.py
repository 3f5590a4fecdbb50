# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a signature is written down: as KMS returns it, as text, or as JOSE and PKCS#11 want ECDSA."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from .._pki.errors import SpecError

if TYPE_CHECKING:
    from .algorithms import AlgorithmRow

try:
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
except ImportError:
    decode_dss_signature = encode_dss_signature = None  # type: ignore[assignment]  # the module says so

FORMATS = ("raw", "base64", "p1363")

_NUMBER_SIZES = {"ECDSA_SHA_256": 32, "ECDSA_SHA_384": 48, "ECDSA_SHA_512": 66}
"""Octets of r and of s: KMS ties each of these algorithms to curves of one size."""


def check_format(signature_format: str, row: AlgorithmRow) -> None:
    """Refuse a format that the algorithm has not."""
    if signature_format == "p1363" and row.name not in _NUMBER_SIZES:
        raise SpecError(f"format p1363: is for ECDSA, and the key signs with {row.name}; use raw or base64")


def encode_signature(signature: bytes, signature_format: str, row: AlgorithmRow) -> bytes:
    """Return what a file holds for *signature*, which is as KMS returns it."""
    check_format(signature_format, row)
    if signature_format == "base64":
        return base64.b64encode(signature) + b"\n"
    if signature_format == "p1363":
        size = _NUMBER_SIZES[row.name]
        return b"".join(number.to_bytes(size, "big") for number in decode_dss_signature(signature))
    return signature


def decode_signature(content: bytes, signature_format: str, row: AlgorithmRow) -> bytes | None:
    """Return the signature in *content* as KMS would return it, or None where *content* is not of the format."""
    check_format(signature_format, row)
    if signature_format == "base64":
        try:
            return base64.b64decode(b"".join(content.split()), validate=True)
        except binascii.Error:
            return None
    if signature_format == "p1363":
        size = _NUMBER_SIZES[row.name]
        numbers = (int.from_bytes(content[:size], "big"), int.from_bytes(content[size:], "big"))
        return encode_dss_signature(*numbers) if len(content) == 2 * size else None
    return content
