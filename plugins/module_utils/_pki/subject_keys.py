# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a public key is fit for a certificate: its kind, its size, and that not everybody has its private key."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING

from .extensions import key_type_of
from .profiles import EC, ED25519, KEY_TYPES, RSA

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

SMALLEST_RSA_BITS = 2048
CURVES = ("secp256r1", "secp384r1", "secp521r1", "secp256k1")
_SMALLEST_FACTOR = 752  # NIST SP 800-89 5.3.3
_NEW_KEY = "have a new key made"
_FIELD = 2**255 - 19
_ORDER_EIGHT = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
# y of the points whose order divides eight (RFC 8032 5.1): the neutral element, one of order 2, two of 4, four of 8.
_SMALL_ORDER = frozenset((1, _FIELD - 1, 0, _ORDER_EIGHT, _FIELD - _ORDER_EIGHT))


def key_problems(key: CertificatePublicKeyTypes) -> list[str]:
    """Return why *key* must not be certified."""
    kind = key_type_of(key)
    if kind not in KEY_TYPES:
        return [f"a {kind} key fits no certificate_profile; use RSA, EC, Ed25519 or ML-DSA"]
    if kind == RSA:
        return _rsa_problems(key.public_numbers().n)  # type: ignore[union-attr]
    if kind == EC and key.curve.name not in CURVES:  # type: ignore[union-attr]
        return [f"the curve {key.curve.name} is not one of {', '.join(CURVES)}"]  # type: ignore[union-attr]
    if kind == ED25519 and _has_small_order(key.public_bytes_raw()):  # type: ignore[union-attr]
        return [f"the Ed25519 key is a point of small order, under which anybody can sign (RFC 8032 5.1.7); {_NEW_KEY}"]
    return []


def _rsa_problems(modulus: int) -> list[str]:
    """CA/B BR 6.1.6 and NIST SP 800-89 5.3.3: odd, not a power, and no factor that is found at once."""
    if modulus.bit_length() < SMALLEST_RSA_BITS:
        return [f"the RSA key has {modulus.bit_length()} bits; at least {SMALLEST_RSA_BITS} are needed"]
    factor = math.gcd(modulus, _small_primes())
    if factor > 1:
        told = f"has the factor {factor}" if factor < _SMALLEST_FACTOR else "has small factors"
    elif modulus % 8 == 1 and math.isqrt(modulus) ** 2 == modulus:  # as the square of every odd number is
        told = "is a square"
    else:
        return []
    return [f"the modulus of the RSA key {told}, so that anybody can factor it (NIST SP 800-89 5.3.3); {_NEW_KEY}"]


@cache
def _small_primes() -> int:
    """Return the product of all primes below the smallest factor that a modulus may have."""
    numbers = range(2, _SMALLEST_FACTOR)
    return math.prod(number for number in numbers if all(number % other for other in range(2, math.isqrt(number) + 1)))


def _has_small_order(encoded: bytes) -> bool:
    """Tell whether *encoded* is a point by which eight gives the neutral element, also where it is encoded oddly."""
    y = int.from_bytes(encoded, "little") % 2**255  # the last bit is the sign of x
    return y % _FIELD in _SMALL_ORDER
