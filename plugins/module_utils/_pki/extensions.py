# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""X.509v3 extensions (RFC 5280 4.2): from words to values and back to words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from .general_names import constraint_text, general_name_text
from .name_constraints import exclude_others
from .profiles import EC, ED25519, ML_DSA, RSA, Profile

try:
    from cryptography import x509
except ImportError:
    x509 = None  # type: ignore[assignment]  # require_cryptography() in the module says so

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

KEY_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)

# RFC 5280 4.2.1.12, RFC 9336
EXTENDED_KEY_USAGES: Mapping[str, str] = {
    "server_auth": "1.3.6.1.5.5.7.3.1",
    "client_auth": "1.3.6.1.5.5.7.3.2",
    "code_signing": "1.3.6.1.5.5.7.3.3",
    "email_protection": "1.3.6.1.5.5.7.3.4",
    "time_stamping": "1.3.6.1.5.5.7.3.8",
    "ocsp_signing": "1.3.6.1.5.5.7.3.9",
    "document_signing": "1.3.6.1.5.5.7.3.36",
    "any_extended_key_usage": "2.5.29.37.0",
}
_EXTENDED_KEY_USAGE_NAMES = {oid: name for name, oid in EXTENDED_KEY_USAGES.items()}

EXTENSION_NAMES: Mapping[str, str] = {
    "2.5.29.14": "subject_key_identifier",
    "2.5.29.15": "key_usage",
    "2.5.29.17": "subject_alt_name",
    "2.5.29.18": "issuer_alt_name",
    "2.5.29.19": "basic_constraints",
    "2.5.29.30": "name_constraints",
    "2.5.29.31": "crl_distribution_points",
    "2.5.29.32": "certificate_policies",
    "2.5.29.35": "authority_key_identifier",
    "2.5.29.36": "policy_constraints",
    "2.5.29.37": "extended_key_usage",
    "2.5.29.46": "freshest_crl",
    "2.5.29.54": "inhibit_any_policy",
    "1.3.6.1.5.5.7.1.1": "authority_information_access",
    "1.3.6.1.5.5.7.1.11": "subject_information_access",
    "1.3.6.1.5.5.7.1.24": "ocsp_must_staple",
    "1.3.6.1.5.5.7.48.1.5": "ocsp_no_check",
}

# Prefixes of the key specs in the KMS API, by pyca class name: strings, so that this file loads without cryptography.
_KEY_TYPES = {"RSA": RSA, "EllipticCurve": EC, "EC": EC, "Ed25519": ED25519, "MLDSA": ML_DSA}


@dataclass(frozen=True)
class WantedExtension:
    """One extension as it should stand in the certificate."""

    value: x509.ExtensionType
    critical: bool

    @property
    def oid(self) -> str:
        return self.value.oid.dotted_string

    @property
    def name(self) -> str:
        return EXTENSION_NAMES.get(self.oid, self.oid)


@dataclass(frozen=True)
class DistributionPoint:
    """Where a CRL is found (RFC 5280 4.2.1.13), in general names."""

    full_name: tuple[x509.GeneralName, ...] = ()
    crl_issuer: tuple[x509.GeneralName, ...] = ()
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class ExtensionOptions:
    """What a task says of extensions, beyond what its profile says."""

    subject_alt_name: tuple[x509.GeneralName, ...] | None = None
    subject_alt_name_critical: bool = False
    path_length: int | None = None
    name_constraints_permitted: tuple[x509.GeneralName, ...] = ()
    name_constraints_excluded: tuple[x509.GeneralName, ...] = ()
    name_constraints_exclude_others: bool = True
    ca_issuers: tuple[x509.GeneralName, ...] = ()
    ocsp: tuple[x509.GeneralName, ...] = ()
    crl_distribution_points: tuple[DistributionPoint, ...] = ()

    def with_subject_alt_name(self, names: tuple[x509.GeneralName, ...]) -> ExtensionOptions:
        return replace(self, subject_alt_name=names)


def key_type_of(public_key: CertificatePublicKeyTypes) -> str:
    """Return RSA, EC, Ed25519 or ML-DSA; for any other key the name of its class."""
    class_name = type(public_key).__name__
    return next((kind for prefix, kind in _KEY_TYPES.items() if class_name.startswith(prefix)), class_name)


def to_key_usage(names: Sequence[str]) -> x509.KeyUsage:
    return x509.KeyUsage(**{usage: usage in names for usage in KEY_USAGES})


def key_usage_names(value: x509.KeyUsage) -> list[str]:
    """Return the bits that are set; encipher_only and decipher_only have a meaning with key_agreement alone."""
    usages = KEY_USAGES if value.key_agreement else KEY_USAGES[:-2]
    return [usage for usage in usages if getattr(value, usage)]


def to_extended_key_usage(names: Sequence[str]) -> x509.ExtendedKeyUsage:
    return x509.ExtendedKeyUsage([x509.ObjectIdentifier(EXTENDED_KEY_USAGES.get(name, name)) for name in names])


def extended_key_usage_names(value: x509.ExtendedKeyUsage) -> list[str]:
    return [_EXTENDED_KEY_USAGE_NAMES.get(oid.dotted_string, oid.dotted_string) for oid in value]


def wanted_extensions(
    options: ExtensionOptions,
    profile: Profile,
    public_key: CertificatePublicKeyTypes | None,
    *,
    empty_subject: bool,
) -> tuple[WantedExtension, ...]:
    """Return the extensions of the certificate, key identifiers excepted.

    Args:
        public_key: None while the subject key does not exist yet; key usage, which depends on it, is left out then.
        empty_subject: the subject is empty, so the alternative names must be critical (RFC 5280 4.2.1.6).
    """
    parts = (
        _basic_constraints(profile, options),
        _key_usage(profile, public_key) if public_key is not None else None,
        _extended_key_usage(profile),
        _subject_alt_name(options, empty_subject),
        _name_constraints(options),
        _authority_information_access(options),
        _crl_distribution_points(options),
        WantedExtension(x509.OCSPNoCheck(), critical=False) if profile.ocsp_no_check else None,
    )
    return tuple(part for part in parts if part is not None)


def _basic_constraints(profile: Profile, options: ExtensionOptions) -> WantedExtension:
    path_length = options.path_length if profile.ca else None
    return WantedExtension(x509.BasicConstraints(ca=profile.ca, path_length=path_length), critical=True)


def _key_usage(profile: Profile, public_key: CertificatePublicKeyTypes) -> WantedExtension | None:
    names = profile.key_usage.get(key_type_of(public_key), ())
    return WantedExtension(to_key_usage(names), critical=True) if names else None


def _extended_key_usage(profile: Profile) -> WantedExtension | None:
    if not profile.extended_key_usage:
        return None
    return WantedExtension(to_extended_key_usage(profile.extended_key_usage), profile.extended_key_usage_critical)


def _subject_alt_name(options: ExtensionOptions, empty_subject: bool) -> WantedExtension | None:
    if not options.subject_alt_name:
        return None
    critical = options.subject_alt_name_critical or empty_subject
    return WantedExtension(x509.SubjectAlternativeName(options.subject_alt_name), critical)


def _name_constraints(options: ExtensionOptions) -> WantedExtension | None:
    permitted, excluded = options.name_constraints_permitted, options.name_constraints_excluded
    if permitted and options.name_constraints_exclude_others:
        closed = exclude_others(permitted, excluded)
        permitted, excluded = closed.permitted, closed.excluded
    if not permitted and not excluded:
        return None
    return WantedExtension(x509.NameConstraints(permitted or None, excluded or None), critical=True)


def _authority_information_access(options: ExtensionOptions) -> WantedExtension | None:
    access = x509.oid.AuthorityInformationAccessOID
    descriptions = [
        *(x509.AccessDescription(access.OCSP, name) for name in options.ocsp),
        *(x509.AccessDescription(access.CA_ISSUERS, name) for name in options.ca_issuers),
    ]
    if not descriptions:
        return None
    return WantedExtension(x509.AuthorityInformationAccess(descriptions), critical=False)


def _crl_distribution_points(options: ExtensionOptions) -> WantedExtension | None:
    if not options.crl_distribution_points:
        return None
    points = [
        x509.DistributionPoint(
            full_name=point.full_name or None,
            relative_name=None,
            reasons=frozenset(x509.ReasonFlags[reason] for reason in point.reasons) or None,
            crl_issuer=point.crl_issuer or None,
        )
        for point in options.crl_distribution_points
    ]
    return WantedExtension(x509.CRLDistributionPoints(points), critical=False)


def authority_key_identifier(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    """Return the identifier copied from the issuer's SKI, computed from its key only where it has none (4.2.1.1)."""
    try:
        found = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    except x509.ExtensionNotFound:
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key())  # type: ignore[arg-type]
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(found.value)


def key_identifiers(
    public_key: CertificatePublicKeyTypes, issuer: x509.Certificate | None
) -> tuple[WantedExtension, ...]:
    """Return SKI (RFC 5280 4.2.1.2, method 1) and AKI; without *issuer* the certificate is its own (4.2.1.1)."""
    ski = x509.SubjectKeyIdentifier.from_public_key(public_key)
    if issuer is None:
        aki = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(ski)
    else:
        aki = authority_key_identifier(issuer)
    return (WantedExtension(ski, critical=False), WantedExtension(aki, critical=False))


def extensions_of(certificate: x509.Certificate | x509.CertificateSigningRequest) -> tuple[WantedExtension, ...]:
    return tuple(WantedExtension(extension.value, extension.critical) for extension in certificate.extensions)


def _access_texts(value: Any) -> list[str]:
    methods = {"1.3.6.1.5.5.7.48.1": "ocsp", "1.3.6.1.5.5.7.48.2": "ca_issuers"}
    return [
        f"{methods.get(item.access_method.dotted_string, item.access_method.dotted_string)} "
        f"{general_name_text(item.access_location)}"
        for item in value
    ]


def _distribution_point_texts(value: Any) -> list[str]:
    return [
        general_name_text(name) for point in value for name in (*(point.full_name or ()), *(point.crl_issuer or ()))
    ]


def _name_constraint_texts(value: Any) -> list[str]:
    permitted = [f"permitted {constraint_text(name)}" for name in value.permitted_subtrees or ()]
    return [*permitted, *(f"excluded {constraint_text(name)}" for name in value.excluded_subtrees or ())]


def _basic_constraint_texts(value: Any) -> list[str]:
    path_length = [] if value.path_length is None else [f"path_length {value.path_length}"]
    return ["CA:TRUE" if value.ca else "CA:FALSE", *path_length]


_TEXTS: Mapping[str, Callable[[Any], list[str]]] = {
    "key_usage": key_usage_names,
    "extended_key_usage": extended_key_usage_names,
    "basic_constraints": _basic_constraint_texts,
    "subject_alt_name": lambda value: [general_name_text(name) for name in value],
    "issuer_alt_name": lambda value: [general_name_text(name) for name in value],
    "name_constraints": _name_constraint_texts,
    "authority_information_access": _access_texts,
    "subject_information_access": _access_texts,
    "crl_distribution_points": _distribution_point_texts,
    "freshest_crl": _distribution_point_texts,
    "subject_key_identifier": lambda value: [value.digest.hex()],
    "authority_key_identifier": lambda value: [(value.key_identifier or b"").hex()],
    "ocsp_no_check": lambda _value: ["present"],
}


def _hex_texts(value: Any) -> list[str]:
    return [value.public_bytes().hex()]


def extension_texts(extension: WantedExtension) -> list[str]:
    """Return *extension* in words for a diff; one we have no words for as the hex of its DER value."""
    to_texts = _TEXTS.get(extension.name, _hex_texts)
    return [*to_texts(extension.value), *(["critical"] if extension.critical else [])]
