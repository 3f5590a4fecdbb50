# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bytes to public keys, and a sentence where the installed cryptography is too old for one."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, cast

from .._pki.errors import SpecError
from .algorithms import spec_of_public_key

if TYPE_CHECKING:
    from .algorithms import PublicKey

try:
    import cryptography
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_public_key
except ImportError:
    UnsupportedAlgorithm = ValueError  # type: ignore[assignment,misc]  # require_cryptography() in the module says so
try:
    from cryptography.hazmat.primitives.asymmetric import mldsa
except ImportError:
    mldsa = None  # type: ignore[assignment]

_ML_DSA_OIDS = tuple(bytes.fromhex("060960864801650304031" + last) for last in "123")
"""id-ml-dsa-44, -65 and -87 in DER (RFC 9881 2)."""


def require_ml_dsa(about: str) -> None:
    """Refuse ML-DSA where the installed cryptography lacks it.

    Args:
        about: what wants ML-DSA, for the message.
    """
    if mldsa is None:
        raise SpecError(
            f"{about}: ML-DSA needs cryptography 50 or newer where the module runs, found {cryptography.__version__};"
            " upgrade it, or use another key spec"
        )


def load_public_key(data: bytes, where: str) -> PublicKey:
    """Return the public key in *data*: a SubjectPublicKeyInfo or a certificate, PEM or DER.

    Args:
        where: path or key, for messages.
    Raises:
        SpecError: it is neither, KMS has no keys of this kind, or it is ML-DSA and cryptography is too old.
    """
    try:
        public_key = cast("PublicKey", _load_pem(data) if _is_pem(data) else _load_der(data))
        spec_of_public_key(public_key)
    except SpecError as exc:
        raise SpecError(f"{where}: {exc}") from exc
    except (ValueError, UnsupportedAlgorithm) as exc:
        if _names_ml_dsa(data):
            require_ml_dsa(where)
        raise SpecError(f"{where}: neither a public key nor a certificate, in PEM or DER, of a kind KMS has") from exc
    return public_key


def _is_pem(data: bytes) -> bool:
    return b"-----BEGIN " in data


def _names_ml_dsa(data: bytes) -> bool:
    """Return whether an object identifier of ML-DSA stands somewhere in *data*."""
    lines = [line for line in data.splitlines() if not line.startswith(b"-----")]
    try:
        der = base64.b64decode(b"".join(lines), validate=True) if _is_pem(data) else data
    except ValueError:
        return False
    return any(oid in der for oid in _ML_DSA_OIDS)


def _load_pem(data: bytes) -> object:
    if b"-----BEGIN CERTIFICATE-----" in data:
        return x509.load_pem_x509_certificate(data).public_key()
    return load_pem_public_key(data)


def _load_der(data: bytes) -> object:
    try:
        return load_der_public_key(data)
    except ValueError as exc:
        try:
            return x509.load_der_x509_certificate(data).public_key()
        except ValueError:
            raise exc from None
