# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever has a builder in the cryptography library is signed here: certificates, requests, CRLs."""

from __future__ import annotations

from typing import Any

from .._signer.algorithms import AlgorithmRow
from .._signer.keys import private_key_for
from .._signer.session import SigningSession
from .._signer.verify import to_hash, to_padding


def sign_builder(builder: Any, session: SigningSession, row: AlgorithmRow) -> Any:
    """Return what *builder* makes, signed by the key of *session* with the algorithm of *row*."""
    key = private_key_for(session.public_key, session)  # type: ignore[arg-type]
    if row.padding:
        return builder.sign(key, to_hash(row.hash), rsa_padding=to_padding(row))
    return builder.sign(key, to_hash(row.hash) if row.hash else None)
