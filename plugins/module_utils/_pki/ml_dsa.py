# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A sentence where the installed cryptography is too old for ML-DSA."""

from __future__ import annotations

import base64

from .errors import SpecError

try:
    import cryptography
    from cryptography.hazmat.primitives.asymmetric import mldsa
except ImportError:
    mldsa = None  # type: ignore[assignment]

_OIDS = tuple(bytes.fromhex("060960864801650304031" + last) for last in "123")
"""id-ml-dsa-44, -65 and -87 in DER (RFC 9881 2)."""


def require_ml_dsa_for(content: bytes, source: str) -> None:
    """Say of *content* that could not be read, PEM or DER, if that is because cryptography lacks ML-DSA.

    Args:
        source: where the bytes come from, for the message.
    """
    if _names_ml_dsa(content) and mldsa is None:
        raise SpecError(
            f"{source}: ML-DSA needs cryptography 50 or newer where the module runs, found {cryptography.__version__};"
            " upgrade it, or use another key spec"
        )


def _names_ml_dsa(content: bytes) -> bool:
    """Return whether an object identifier of ML-DSA stands somewhere in *content*."""
    is_pem = b"-----BEGIN " in content
    lines = [line for line in content.splitlines() if not line.startswith(b"-----")]
    try:
        der = base64.b64decode(b"".join(lines), validate=True) if is_pem else content
    except ValueError:
        return False
    return any(oid in der for oid in _OIDS)
