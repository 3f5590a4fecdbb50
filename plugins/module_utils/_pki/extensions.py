# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""X.509v3 extensions (RFC 5280 4.2) as values: what a profile and a task want, and what a certificate has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .name_constraints import exclude_others
from .profiles import EC, ED25519, ML_DSA, RSA, Profile
from .usages import to_extended_key_usage, to_key_usage

try:
    from cryptography import x509
except ImportError:
    x509 = None  # type: ignore[assignment]  # require_cryptography() in the module says so

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

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

# Beginnings of pyca's class names: strings, so that this file loads without cryptography.
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
    def content(self) -> tuple[str, bool, bytes]:
        """What is compared: the library knows some extensions by type, others by their bytes alone."""
        return self.oid, self.critical, self.value.public_bytes()

    @property
    def name(self) -> str:
        return EXTENSION_NAMES.get(self.oid, self.oid)


@dataclass(frozen=True)
class ExtensionOptions:
    """What a task says of extensions, beyond what its profile says.

    Attributes:
        key_usage: names that replace the profile's; None leaves them.
        extended_key_usage: names or OIDs that replace the profile's; None leaves them.
        basic_constraints: whether it is a CA, for the profile custom alone; None leaves it to the profile.
        subject_key_identifier: given by the user; empty takes the hash of the key (RFC 5280 4.2.1.2, method 1).
        more: extensions that the task says in full.
    """

    subject_alt_name: tuple[x509.GeneralName, ...] | None = None
    subject_alt_name_critical: bool = False
    key_usage: tuple[str, ...] | None = None
    key_usage_critical: bool = True
    extended_key_usage: tuple[str, ...] | None = None
    extended_key_usage_critical: bool | None = None
    basic_constraints: bool | None = None
    path_length: int | None = None
    name_constraints_permitted: tuple[x509.GeneralName, ...] = ()
    name_constraints_excluded: tuple[x509.GeneralName, ...] = ()
    name_constraints_exclude_others: bool = True
    subject_key_identifier: bytes = b""
    more: tuple[WantedExtension, ...] = ()

    def with_more(self, *extensions: WantedExtension) -> ExtensionOptions:
        return replace(self, more=(*self.more, *extensions))

    def with_subject_alt_name(self, names: tuple[x509.GeneralName, ...]) -> ExtensionOptions:
        return replace(self, subject_alt_name=names)


def key_type_of(public_key: CertificatePublicKeyTypes) -> str:
    """Return RSA, EC, Ed25519 or ML-DSA; for any other key the name of its class."""
    class_name = type(public_key).__name__
    return next((kind for prefix, kind in _KEY_TYPES.items() if class_name.startswith(prefix)), class_name)


def is_authority(profile: Profile, options: ExtensionOptions) -> bool:
    return profile.ca if options.basic_constraints is None else options.basic_constraints


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
    no_check = profile.ocsp_no_check and not any(isinstance(one.value, x509.OCSPNoCheck) for one in options.more)
    parts = (
        _basic_constraints(profile, options),
        _key_usage(profile, options, public_key),
        _extended_key_usage(profile, options),
        _subject_alt_name(options, empty_subject),
        _name_constraints(options),
        *options.more,
        WantedExtension(x509.OCSPNoCheck(), critical=False) if no_check else None,
    )
    return tuple(part for part in parts if part is not None)


def _basic_constraints(profile: Profile, options: ExtensionOptions) -> WantedExtension:
    ca = is_authority(profile, options)
    return WantedExtension(x509.BasicConstraints(ca=ca, path_length=options.path_length if ca else None), critical=True)


def _key_usage(
    profile: Profile, options: ExtensionOptions, public_key: CertificatePublicKeyTypes | None
) -> WantedExtension | None:
    names = options.key_usage
    if names is None:
        names = () if public_key is None else profile.key_usage.get(key_type_of(public_key), ())
    return WantedExtension(to_key_usage(names), options.key_usage_critical) if names else None


def _extended_key_usage(profile: Profile, options: ExtensionOptions) -> WantedExtension | None:
    names = profile.extended_key_usage if options.extended_key_usage is None else options.extended_key_usage
    critical = options.extended_key_usage_critical
    if not names:
        return None
    return WantedExtension(
        to_extended_key_usage(names), profile.extended_key_usage_critical if critical is None else critical
    )


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


def authority_key_identifier(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    """Return the identifier copied from the issuer's SKI, computed from its key only where it has none (4.2.1.1)."""
    try:
        found = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    except x509.ExtensionNotFound:
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key())  # type: ignore[arg-type]
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(found.value)


def key_identifiers(
    public_key: CertificatePublicKeyTypes, issuer: x509.Certificate | None, given: bytes = b""
) -> tuple[WantedExtension, ...]:
    """Return SKI (RFC 5280 4.2.1.2) and AKI (4.2.1.1).

    Args:
        issuer: None where the certificate is its own.
        given: key identifier to use instead of the SHA-1 of the key bits; empty for none.
    """
    ski = x509.SubjectKeyIdentifier(given) if given else x509.SubjectKeyIdentifier.from_public_key(public_key)
    if issuer is None:
        aki = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(ski)
    else:
        aki = authority_key_identifier(issuer)
    return (WantedExtension(ski, critical=False), WantedExtension(aki, critical=False))


def extensions_of(certificate: x509.Certificate | x509.CertificateSigningRequest) -> tuple[WantedExtension, ...]:
    return tuple(WantedExtension(extension.value, extension.critical) for extension in certificate.extensions)
