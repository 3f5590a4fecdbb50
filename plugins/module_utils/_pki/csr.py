# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a PKCS#10 request should say (RFC 2986), and how one that exists differs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .certificate import CertificateSpec
from .certificates import same_key, sha256_hex, spki
from .current import extension_changes, signature_words
from .extension_texts import extension_texts
from .extensions import extensions_of
from .names import name_text
from .plan import Change

try:
    from cryptography import x509
except ImportError:
    x509 = None  # type: ignore[assignment]  # require_cryptography() in the module says so

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes


def csr_builder(spec: CertificateSpec) -> x509.CertificateSigningRequestBuilder:
    """Return the builder whose sign() makes the request; key identifiers are left to who issues the certificate."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(spec.subject)
    for extension in spec.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    return builder


def describe_csr(spec: CertificateSpec) -> dict[str, object]:
    """Return *spec* field by field in words, for the diff of a request that does not exist yet."""
    return {"subject": name_text(spec.subject), **{one.name: extension_texts(one) for one in spec.extensions}}


def csr_differences(
    csr: x509.CertificateSigningRequest, spec: CertificateSpec, public_key: CertificatePublicKeyTypes, signature: str
) -> tuple[Change, ...]:
    """Return the fields of *csr* that are not as *spec* wants them.

    Args:
        signature: hash and padding, as signature_words() has them.
    """
    changes = []
    if csr.subject != spec.subject:
        changes.append(Change("subject", name_text(csr.subject), name_text(spec.subject)))
    if not same_key(csr.public_key(), public_key):
        changes.append(Change("public_key", sha256_hex(spki(csr.public_key())), sha256_hex(spki(public_key))))
    if signature_words(csr) != signature:
        changes.append(Change("signature", signature_words(csr), signature))
    return (*changes, *extension_changes(extensions_of(csr), spec.extensions))
