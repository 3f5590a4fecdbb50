# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Digests by which people and programs tell certificates and keys apart."""

from __future__ import annotations

import base64
import hashlib

SHAKE_BYTES = 32


def fingerprints(content: bytes) -> dict[str, str]:
    """Return the digests of *content* as pairs of hex digits, by hashlib's name of each algorithm that runs here."""
    found = {name: _digest(name, content) for name in sorted(hashlib.algorithms_guaranteed)}
    return {name: digest for name, digest in found.items() if digest}


def _digest(name: str, content: bytes) -> str:
    """Return the digest in hex; nothing where this system does without the algorithm, as one in FIPS mode does."""
    try:
        digest = hashlib.new(name, content, usedforsecurity=False)
    except ValueError:
        return ""
    size = (SHAKE_BYTES,) if digest.digest_size == 0 else ()
    return digest.digest(*size).hex(":")


def spki_pin(public_key_info: bytes) -> str:
    """Return the pin of a SubjectPublicKeyInfo in DER: its SHA-256 in Base64 (RFC 7469 2.4)."""
    return base64.b64encode(hashlib.sha256(public_key_info).digest()).decode("ascii")
