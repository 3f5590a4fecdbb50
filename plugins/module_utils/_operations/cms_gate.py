# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether somebody may sign content with this certificate now; asked before anything is signed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from .._pki.certificates import same_key
from .._pki.names import name_text
from .._pki.path_validation import ANY_PURPOSE, PathQuestion, validate_path
from .._pki.pss_keys import PSS_ALONE, is_restricted_to_pss
from .._pki.usages import extended_key_usage_names

try:
    from cryptography import x509
except ImportError:
    x509 = None  # type: ignore[assignment]  # require_cryptography() in the module says so

if TYPE_CHECKING:
    from .._signer.cms import CmsSigner, CmsSpec
    from .signing_key import SigningKey

    Extension = TypeVar("Extension", bound=x509.ExtensionType)

CONTENT_PURPOSES = ("document_signing", "code_signing", "email_protection", ANY_PURPOSE)
"""Extended key usages of those who sign content; a certificate that names none allows everything."""

RESERVED_PURPOSE = "ocsp_signing"


def check_signers(spec: CmsSpec, now: datetime) -> Iterator[str]:
    """Yield what forbids the signers of *spec* to sign, as far as their certificates tell."""
    for signer in spec.signers:
        certificate = signer.certificate
        asked = PathQuestion(certificate, spec.intermediates, spec.anchors or [certificate], now)
        yield from validate_path(asked).problems
        yield from _check_kind(certificate)


def _check_kind(certificate: x509.Certificate) -> Iterator[str]:
    """An authority's key signs certificates and CRLs, a responder's OCSP responses, and neither anything else."""
    who = name_text(certificate.subject)
    if is_restricted_to_pss(certificate):
        yield f"{who}: {PSS_ALONE}"
    constraints = _find(certificate, x509.BasicConstraints)
    if constraints is not None and constraints.ca:
        yield f"{who}: is the certificate of an authority, whose key signs nothing but certificates and CRLs"
    usage = _find(certificate, x509.ExtendedKeyUsage)
    names = [ANY_PURPOSE] if usage is None else extended_key_usage_names(usage)
    if RESERVED_PURPOSE in names:
        yield f"{who}: is the certificate of an OCSP responder, whose key signs nothing but OCSP responses"
    elif not set(CONTENT_PURPOSES).intersection(names):
        wanted = " or ".join(CONTENT_PURPOSES[:-1])
        yield f"{who}: is for {', '.join(names)}; signing content needs {wanted}"


def check_key(signer: CmsSigner, key: SigningKey) -> Iterator[str]:
    """Yield a problem where the key in KMS is known and is not that of the certificate."""
    certificate = signer.certificate
    if key.public_key is not None and not same_key(key.public_key, certificate.public_key()):
        who = name_text(certificate.subject)
        yield f"{who}: its certificate is not of the key {key.key_id}; name that key, or the certificate made for it"


def _find(certificate: x509.Certificate, kind: type[Extension]) -> Extension | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
