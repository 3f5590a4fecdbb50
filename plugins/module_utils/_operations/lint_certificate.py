# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Have a linter judge a certificate before it is signed: whole, with a signature that means nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from .._pki.certificate import SERIAL_BITS, CertificateSpec, Validity, certificate_builder
from .._pki.certificates import to_der
from .._pki.errors import SpecError
from .._signer.dummy import dummy_session
from .signing import sign_builder

if TYPE_CHECKING:
    from cryptography import x509

    from .._signer.algorithms import AlgorithmRow

OFF, WARN, ERROR = "off", "warn", "error"
LEVELS = ("fatal", "error", "warning")
STAND_IN_SERIAL = (1 << SERIAL_BITS) - 1
"""As long as the random one can be that is taken when the certificate is signed."""


class Finding(Protocol):
    """One thing that a linter found."""

    @property
    def severity(self) -> str:
        """How grave it is; LEVELS are acted upon."""

    @property
    def code(self) -> str:
        """What the linter calls it."""

    @property
    def message(self) -> str:
        """Where it was found, and what."""


Linter = Callable[[bytes, str], Sequence[Finding]]


def no_linter(der: bytes, kind: str) -> Sequence[Finding]:
    """Fit Linter where there is none."""
    raise SpecError(f"lint: nothing here can lint a {kind} of {len(der)} bytes; use lint: off")


def lint_certificate(
    spec: CertificateSpec, issuer: x509.Certificate | None, row: AlgorithmRow, period: Validity, linter: Linter
) -> tuple[Finding, ...]:
    """Return what *linter* finds at one of LEVELS in the certificate that would be signed, its serial number aside.

    Args:
        issuer: None for a self-signed certificate.
    Raises:
        SpecError: the linter is not there, or cannot read the certificate.
    """
    signer = spec.public_key if issuer is None else issuer.public_key()
    builder = certificate_builder(spec, issuer, STAND_IN_SERIAL, period)
    candidate = sign_builder(builder, dummy_session(signer), row)
    return tuple(finding for finding in linter(to_der(candidate), "certificate") if finding.severity in LEVELS)


def finding_text(finding: Finding) -> str:
    return f"lint {finding.severity} {finding.code} ({finding.message})"
