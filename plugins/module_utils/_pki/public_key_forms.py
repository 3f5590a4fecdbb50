# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Public keys in the forms of OpenSSH and JOSE."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from .certificates import load_public_key
from .errors import SpecError

try:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
except ImportError:
    ec = ed25519 = rsa = None  # type: ignore[assignment]  # require_cryptography() in the module says so

# RFC 7518 6.2.1.1 and RFC 8812 3.1
JOSE_CURVES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521", "secp256k1": "secp256k1"}
SSH_CURVES = ("secp256r1", "secp384r1", "secp521r1")


def to_openssh(der: bytes, source: str) -> bytes:
    """Return a line for authorized_keys and its kin (RFC 4253 6.6, RFC 5656, RFC 8709).

    Raises:
        SpecError: OpenSSH has no keys of this kind.
    """
    key: Any = load_public_key(der, source)
    if not isinstance(key, (rsa.RSAPublicKey, ed25519.Ed25519PublicKey)) and _curve(key) not in SSH_CURVES:
        raise SpecError(f"{source}: OpenSSH has no public keys of this kind; use format pem or der")
    line: bytes = key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    return line + b"\n"


def to_jwk(der: bytes, source: str) -> bytes:
    """Return a JSON Web Key (RFC 7517) on one line, its kid the thumbprint of RFC 7638.

    Raises:
        SpecError: JOSE has no keys of this kind.
    """
    members = _members(load_public_key(der, source))
    if not members:
        raise SpecError(f"{source}: JOSE has no public keys of this kind; use format pem or der")
    return json.dumps({**members, "kid": thumbprint(members)}).encode("ascii") + b"\n"


def thumbprint(members: dict[str, str]) -> str:
    """Return the thumbprint of a key's required members (RFC 7638 3)."""
    canonical = json.dumps(members, sort_keys=True, separators=(",", ":"))
    return _text(hashlib.sha256(canonical.encode("ascii")).digest())


def _members(key: Any) -> dict[str, str]:
    """Return what identifies the key (RFC 7638 3.2, RFC 8037 2); nothing for a kind that JOSE has not."""
    if isinstance(key, rsa.RSAPublicKey):
        numbers = key.public_numbers()
        return {"kty": "RSA", "n": _number(numbers.n), "e": _number(numbers.e)}
    if isinstance(key, ed25519.Ed25519PublicKey):
        return {"kty": "OKP", "crv": "Ed25519", "x": _text(key.public_bytes_raw())}
    curve = JOSE_CURVES.get(_curve(key), "")
    if not curve:
        return {}
    size, point = (key.key_size + 7) // 8, key.public_numbers()
    return {"kty": "EC", "crv": curve, "x": _number(point.x, size), "y": _number(point.y, size)}


def _curve(key: Any) -> str:
    return key.curve.name if isinstance(key, ec.EllipticCurvePublicKey) else ""


def _number(value: int, size: int = 0) -> str:
    return _text(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


def _text(octets: bytes) -> str:
    """Return Base64 for URLs without padding (RFC 7515 2)."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")
