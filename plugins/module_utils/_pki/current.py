# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a certificate that exists differs from what it should be: fields, never bytes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from .certificates import asn1_time, hash_name, same_key, sha256_hex, spki
from .extension_texts import extension_texts
from .extensions import WantedExtension, extensions_of
from .issuing import signed_by
from .names import name_text
from .plan import Change
from .pss_keys import RSASSA_PSS
from .times import renew_time

try:
    from cryptography import x509
except ImportError:
    x509 = None  # type: ignore[assignment]  # require_cryptography() in the module says so

if TYPE_CHECKING:
    from .certificate import CertificateSpec, Lifetime


def signature_words(certificate: x509.Certificate | x509.CertificateSigningRequest) -> str:
    """Return hash and padding of the signature, such as "sha256" or "sha384 pss"; empty where there is neither."""
    pss = "PSS" if certificate.signature_algorithm_oid.dotted_string == RSASSA_PSS else ""
    return signature_of(hash_name(certificate), pss)


def signature_of(hash_algorithm: str, padding: str) -> str:
    """Return hash and padding in words; only PSS is worth one."""
    return f"{hash_algorithm} pss" if padding == "PSS" else hash_algorithm


def differences(
    certificate: x509.Certificate,
    spec: CertificateSpec,
    issuer: x509.Certificate | None,
    wanted_signature: str,
) -> tuple[Change, ...]:
    """Return the fields of *certificate* that are not as *spec* wants them; validity is judged elsewhere.

    Args:
        issuer: None for a self-signed certificate.
        wanted_signature: as `signature_words` has it.
    """
    if spec.public_key is None:
        return (Change("public_key", key_words(certificate), None),)
    changes = []
    if certificate.subject != spec.subject:
        changes.append(Change("subject", name_text(certificate.subject), name_text(spec.subject)))
    if not same_key(certificate.public_key(), spec.public_key):
        changes.append(Change("public_key", key_words(certificate), sha256_hex(spki(spec.public_key))))
    if not signed_by(certificate, certificate if issuer is None else issuer):
        after = spec.subject if issuer is None else issuer.subject
        changes.append(Change("issuer", name_text(certificate.issuer), name_text(after) + " (another key or name)"))
    if signature_words(certificate) != wanted_signature:
        changes.append(Change("signature", signature_words(certificate), wanted_signature))
    wanted = (*spec.extensions, *spec.key_identifiers(issuer))
    return (*changes, *extension_changes(extensions_of(certificate), wanted))


def certificate_changes(before: x509.Certificate, after: x509.Certificate) -> list[Change]:
    """Return how the subject of *after*, its key and its extensions differ from those of *before*."""
    changes = []
    if before.subject != after.subject:
        changes.append(Change("subject", name_text(before.subject), name_text(after.subject)))
    if not same_key(before.public_key(), after.public_key()):
        changes.append(Change("public_key", key_words(before), key_words(after)))
    return [*changes, *extension_changes(extensions_of(before), extensions_of(after))]


def key_words(certificate: x509.Certificate) -> str:
    """Return the SHA-256 of the SubjectPublicKeyInfo, which names a key in a diff."""
    return sha256_hex(spki(certificate.public_key()))


def extension_changes(found: tuple[WantedExtension, ...], wanted: tuple[WantedExtension, ...]) -> list[Change]:
    """Return the extensions that *found* lacks, has too many, or holds otherwise than *wanted*."""
    now: Mapping[str, WantedExtension] = {extension.oid: extension for extension in found}
    then: Mapping[str, WantedExtension] = {extension.oid: extension for extension in wanted}
    oids = dict.fromkeys((*now, *then))
    pairs = [(now.get(oid), then.get(oid)) for oid in oids]
    return [_change(before, after) for before, after in pairs if _content(before) != _content(after)]


def _content(extension: WantedExtension | None) -> tuple[str, bool, bytes] | None:
    return None if extension is None else extension.content


def _change(before: WantedExtension | None, after: WantedExtension | None) -> Change:
    name = before.name if before is not None else after.name if after is not None else ""
    return Change(
        name,
        None if before is None else extension_texts(before),
        None if after is None else extension_texts(after),
    )


def lifetime_changes(recorded: Mapping[str, str], wanted: Lifetime) -> list[Change]:
    """Compare the lifetime a certificate was issued with, in the words of the task, with the one wanted now."""
    now = {"not_before": wanted.not_before, "not_after": wanted.not_after}
    return [
        Change(field, recorded[field], value)
        for field, value in now.items()
        if field in recorded and recorded[field] != value
    ]


def renewal_due(certificate: x509.Certificate, lifetime: Lifetime, now: datetime) -> str:
    """Return why *certificate* is to be renewed at *now*, or an empty string."""
    start, end, lead = certificate.not_valid_before_utc, certificate.not_valid_after_utc, lifetime.renew_before
    due = renew_time(start, end, lead, fixed_end=lifetime.has_fixed_end)
    if now < due:
        return ""
    return f"renewal: valid until {asn1_time(end)}, renewed from {asn1_time(due)} on (renew_before {lead})"
