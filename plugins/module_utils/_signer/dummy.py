# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Signing that asks nobody: signatures of the right form that mean nothing, for linting before signing."""

from __future__ import annotations

from typing import Any, NoReturn

from .._pki.errors import SignerError
from .algorithms import KEY_SPECS, spec_of_public_key
from .ports import NoRecorder
from .session import SigningSession

try:
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
except ImportError:
    encode_dss_signature = None  # type: ignore[assignment]  # require_cryptography() in the module says so

ED25519_SIZE = 64
"""Octets of a signature (RFC 8032 5.1.6)."""

ML_DSA_SIZES = {"ML_DSA_44": 2420, "ML_DSA_65": 3309, "ML_DSA_87": 4627}
"""Octets of a signature (FIPS 204 4)."""


class _Nobody:
    """Fits MessageSigner, and is never asked."""

    def sign(self, *_args: object, **_kwargs: object) -> NoReturn:
        raise SignerError("a key that is for linting does not ask KMS")


class _DummySession(SigningSession):
    """Asks nobody, records nothing, verifies nothing; content is hashed as it would be, so what is too long shows."""

    def sign_message(self, *_args: object, **_kwargs: object) -> bytes:
        return dummy_signature(self.public_key)


def dummy_signature(public_key: object) -> bytes:
    """Return octets that have the length and shape of the signatures that the key of *public_key* makes.

    Raises:
        SpecError: KMS has no keys of this kind.
    """
    key_spec = spec_of_public_key(public_key)
    family = KEY_SPECS[key_spec].family
    if family == "RSA":
        return b"\x01" * (int(key_spec.removeprefix("RSA_")) // 8)
    if family == "EC":
        number = 1 << (public_key.key_size - 2)  # type: ignore[attr-defined]
        return encode_dss_signature(number, number)
    return bytes(ML_DSA_SIZES.get(key_spec, ED25519_SIZE))


def dummy_session(public_key: Any) -> SigningSession:
    """Return a session whose private-key objects refuse what the real ones refuse, and sign with dummies."""
    return _DummySession(_Nobody(), NoRecorder(), public_key)
