# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How much a CRL can say of each certificate: an Ed25519 key signs 4,096 bytes at most, as KMS takes them whole."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from .._ledger.entries import CERTIFICATE_HOLD
from .._pki.crl import REMOVE_FROM_CRL, UNSPECIFIED, CrlEntry, CrlSpec, crl_builder, to_revoked
from .._pki.errors import SpecError
from .._pki.extensions import key_type_of
from .._pki.names import name_text
from .._pki.profiles import ED25519
from .._signer.dummy import dummy_session
from .signing import sign_builder

if TYPE_CHECKING:
    from cryptography import x509

    from .._signer.algorithms import AlgorithmRow

TEMPORARY = (CERTIFICATE_HOLD, REMOVE_FROM_CRL)
"""Reasons that relying parties act on: what they say can be taken back, or is."""

LEFT_OUT = "left_out"
"""Detail of a CRL's line: what its entries leave out so that it could be signed; none where they say all."""
_DATES, _REASONS_TOO = "invalidity_date", "invalidity_date, reason"


def is_limited(issuer: x509.Certificate) -> bool:
    """Tell whether the CRLs of *issuer* have to stay small."""
    return key_type_of(issuer.public_key()) == ED25519


def shown(entry: CrlEntry, left_out: str) -> CrlEntry:
    """Return *entry* as it stands in a CRL that leaves *left_out* out."""
    if not left_out:
        return entry
    silent = left_out == _REASONS_TOO and entry.reason not in TEMPORARY
    return entry._replace(reason=UNSPECIFIED if silent else entry.reason, invalidity_date=None)


def signable(
    algorithm: AlgorithmRow, spec: CrlSpec, entries: Iterable[CrlEntry]
) -> tuple[list[x509.RevokedCertificate], str]:
    """Return *entries* for the builder, saying as much of each as the issuer's key can sign, and what they leave out.

    Invalidity dates go first, then reasons: both are worth having and need not be there (RFC 5280 5.3.1, 5.3.2),
    whereas the entries do.

    Raises:
        SpecError: it cannot sign so many entries even then.
    """
    if not is_limited(spec.issuer):
        return to_revoked(entries), ""
    found = list(entries)
    problem = ""
    for left_out in ("", _DATES, _REASONS_TOO):
        revoked = to_revoked(shown(entry, left_out) for entry in found)
        problem = _problem(algorithm, spec, revoked)
        if not problem:
            return revoked, left_out
    who = name_text(spec.issuer.subject)
    raise SpecError(
        f"a CRL of {len(found)} entries is {problem}, even without reasons and invalidity dates; issue what is still "
        f"good under {who} from a new authority, and withdraw {who} itself"
    )


def _problem(algorithm: AlgorithmRow, spec: CrlSpec, revoked: list[x509.RevokedCertificate]) -> str:
    try:
        sign_builder(crl_builder(spec, revoked), dummy_session(spec.issuer.public_key()), algorithm)
    except SpecError as exc:
        return str(exc)
    return ""
