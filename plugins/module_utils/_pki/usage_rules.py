# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether key usage and purposes fit the certificate, its key and each other (RFC 5280 4.2.1.3, 4.2.1.12)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .extensions import key_type_of
from .profiles import EC, ED25519, ML_DSA, RSA
from .usages import TIME_STAMPING, extended_key_usage_names, is_for_time_stamping_alone, key_usage_names

try:
    from cryptography import x509
except ImportError:
    x509 = None  # type: ignore[assignment]  # require_cryptography() in the module says so

if TYPE_CHECKING:
    from .certificate import CertificateSpec

# RSA transports keys, EC agrees on one, Ed25519 and ML-DSA only sign (RFC 3279 2.3, RFC 8410 5, RFC 9881 5).
UNFIT_USAGES = {
    RSA: ("key_agreement",),
    EC: ("key_encipherment", "data_encipherment"),
    ED25519: ("key_encipherment", "data_encipherment", "key_agreement"),
    ML_DSA: ("key_encipherment", "data_encipherment", "key_agreement"),
}
# Of these one bit at least is needed for the purpose (RFC 5280 4.2.1.12); other purposes leave it open.
USAGES_FOR: Mapping[str, Sequence[str]] = {
    "server_auth": ("digital_signature", "key_encipherment", "key_agreement"),
    "client_auth": ("digital_signature", "key_agreement"),
    "code_signing": ("digital_signature",),
    "email_protection": ("digital_signature", "content_commitment", "key_encipherment", "key_agreement"),
    TIME_STAMPING: ("digital_signature", "content_commitment"),
    "ocsp_signing": ("digital_signature", "content_commitment"),
}


def usage_problems(spec: CertificateSpec) -> list[str]:
    """Return what is wrong with what the key of *spec* is for."""
    usage, purposes = spec.extension(x509.KeyUsage), spec.extension(x509.ExtendedKeyUsage)
    problems = _key_usage_problems(spec, usage)
    if spec.is_authority or purposes is None:
        return problems
    names = extended_key_usage_names(purposes)
    problems += _contradictions(names, usage)
    critical = any(one.critical for one in spec.extensions if one.value is purposes)
    if TIME_STAMPING in names and not is_for_time_stamping_alone(purposes, critical):
        problems.append(
            "extended_key_usage time_stamping stands alone and is critical (RFC 3161 2.3); leave the others out"
        )
    return problems


def _key_usage_problems(spec: CertificateSpec, usage: x509.KeyUsage | None) -> list[str]:
    """RFC 5280 4.2.1.3 and 4.2.1.9: who may sign certificates is an authority, and an authority may."""
    if usage is None:
        needed = spec.is_authority and spec.public_key is not None
        return ["an authority needs a key_usage, key_cert_sign at least (RFC 5280 4.2.1.3)"] if needed else []
    if usage.key_cert_sign and not spec.is_authority:
        return ["key_usage key_cert_sign is for authorities alone (RFC 5280 4.2.1.3)"]
    if spec.is_authority and not usage.key_cert_sign:
        return ["an authority needs key_usage key_cert_sign (RFC 5280 4.2.1.3)"]
    kind = "" if spec.public_key is None else key_type_of(spec.public_key)
    unfit = [name for name in UNFIT_USAGES.get(kind, ()) if getattr(usage, name)]
    return [f"key_usage {', '.join(unfit)} does not fit a {kind} key"] if unfit else []


def _contradictions(purposes: Sequence[str], usage: x509.KeyUsage | None) -> list[str]:
    """A certificate is good for what both extensions allow (RFC 5280 4.2.1.12)."""
    given = () if usage is None else key_usage_names(usage)
    return [
        f"extended_key_usage {purpose} needs a key_usage of {' or '.join(USAGES_FOR[purpose])} (RFC 5280 4.2.1.12); "
        "add one, or leave the purpose out"
        for purpose in purposes
        if given and purpose in USAGES_FOR and not set(given).intersection(USAGES_FOR[purpose])
    ]
