# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests and certificates that were damaged, or made by somebody who means no good."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from ansible_collections.rootstock.pki.plugins.module_utils._pki.der import wrap

ECDSA_WITH_SHA256 = bytes.fromhex("300a06082a8648ce3d040302")
THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough" or os.environ.get("ROOTSTOCK_ROUNDS") == "large"


def quick_or_all(choices: Sequence[Any], few: int) -> Sequence[Any]:
    """Return some of *choices*, spread evenly; all of them in the thorough run."""
    step = 1 if THOROUGH else max(1, len(choices) // few)
    return choices[::step]


def flips(content: bytes, few: int = 40) -> Iterator[tuple[int, int, bytes]]:
    """Yield *content* with one bit wrong: place, bit, bytes. Every octet is hit in the thorough run."""
    for place in quick_or_all(range(len(content)), few):
        bits = range(8) if THOROUGH else (place % 8,)
        for bit in bits:
            yield place, bit, content[:place] + bytes((content[place] ^ 1 << bit,)) + content[place + 1 :]


def signed_anew(info: bytes, key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return the CSR of *info*, whatever that is, with a signature that verifies (RFC 2986 4.2)."""
    signature = key.sign(info, ec.ECDSA(hashes.SHA256()))
    return wrap(0x30, info + ECDSA_WITH_SHA256 + wrap(0x03, b"\x00" + signature))


def info_of(csr_pem: str) -> bytes:
    """Return the CertificationRequestInfo of a request."""
    return x509.load_pem_x509_csr(csr_pem.encode()).tbs_certrequest_bytes


def replaced(content: bytes, old: bytes, new: bytes) -> bytes:
    """Return *content* with *old*, which is there once, replaced by as many octets."""
    assert len(old) == len(new)
    assert content.count(old) == 1
    return content.replace(old, new)


def der_of(thing: x509.Certificate | x509.CertificateSigningRequest) -> bytes:
    return thing.public_bytes(Encoding.DER)
