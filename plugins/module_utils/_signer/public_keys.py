# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bytes to public keys of the kinds that KMS has."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from .._pki.errors import SpecError
from .._pki.ml_dsa import require_ml_dsa_for
from .._pki.pss_keys import refuse_pss_key
from .algorithms import spec_of_public_key

if TYPE_CHECKING:
    from .algorithms import PublicKey

try:
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_public_key
except ImportError:
    UnsupportedAlgorithm = ValueError  # type: ignore[assignment,misc]  # require_cryptography() in the module says so


def load_public_key(data: bytes, where: str) -> PublicKey:
    """Return the public key in *data*: a SubjectPublicKeyInfo or a certificate, PEM or DER.

    Args:
        where: path or key, for messages.
    Raises:
        SpecError: it is neither, KMS has no keys of this kind, or it is ML-DSA and cryptography is too old.
    """
    try:
        holder = _load_pem(data) if _is_pem(data) else _load_der(data)
        certificate = holder if isinstance(holder, x509.Certificate) else None
        public_key = cast("PublicKey", certificate.public_key() if certificate else holder)
        spec_of_public_key(public_key)
    except SpecError as exc:
        raise SpecError(f"{where}: {exc}") from exc
    except (ValueError, UnsupportedAlgorithm) as exc:
        require_ml_dsa_for(data, where)
        raise SpecError(f"{where}: neither a public key nor a certificate, in PEM or DER, of a kind KMS has") from exc
    refuse_pss_key(certificate or data, where)
    return public_key


def _is_pem(data: bytes) -> bool:
    return b"-----BEGIN " in data


def _load_pem(data: bytes) -> object:
    if b"-----BEGIN CERTIFICATE-----" in data:
        return x509.load_pem_x509_certificate(data)
    return load_pem_public_key(data)


def _load_der(data: bytes) -> object:
    try:
        return load_der_public_key(data)
    except ValueError as exc:
        try:
            return x509.load_der_x509_certificate(data)
        except ValueError:
            raise exc from None
