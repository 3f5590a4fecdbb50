# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a certificate should be, and the TBSCertificate that says so (RFC 5280 4.1)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from .certificates import asn1_time
from .csr_copies import unfit, with_copies
from .errors import SpecError
from .extension_texts import extension_texts
from .extensions import (
    EXTENSION_NAMES,
    ExtensionOptions,
    WantedExtension,
    extensions_of,
    is_authority,
    key_identifiers,
    wanted_extensions,
)
from .names import name_text, standard_name
from .policy_rules import POLICY_MAPPINGS
from .problems import refuse, try_all
from .times import is_relative, renew_time, to_time

try:
    from cryptography import x509
except ImportError:
    x509 = None  # type: ignore[assignment]  # require_cryptography() in the module says so

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

    from .profiles import Profile

Extension = TypeVar("Extension", bound="x509.ExtensionType")

SERIAL_BITS = 159
ISSUER_END = "issuer"


@dataclass(frozen=True)
class Lifetime:
    """Validity in the words of the task, evaluated when the certificate is issued.

    Attributes:
        not_before: relative or absolute time; a relative one is clipped to the issuer's.
        not_after: relative or absolute time, or issuer for as long as the issuer lives.
        renew_before: relative time, or share of the lifetime such as 33%.
    """

    not_before: str
    not_after: str
    renew_before: str

    @property
    def has_fixed_end(self) -> bool:
        """Tell whether issuing again later gives the same end."""
        return not is_relative(self.not_after)


@dataclass(frozen=True)
class CertificateRequest:
    """What a task asks for, before its subject key and its issuer are known.

    Attributes:
        name: what the ledger calls the certificate.
        subject: None takes the subject of the CSR, or of the certificate that is certified again.
    """

    name: str
    profile: Profile
    subject: x509.Name | None
    options: ExtensionOptions
    lifetime: Lifetime

    @property
    def is_authority(self) -> bool:
        return is_authority(self.profile, self.options)


@dataclass(frozen=True)
class CertificateSpec:
    """What the certificate should be: equal requests for equal keys are equal specs.

    Attributes:
        extensions: all but the key identifiers, which follow from the keys.
        public_key: None while the subject key does not exist yet (a plan in check mode).
    """

    name: str
    profile: Profile
    subject: x509.Name
    public_key: CertificatePublicKeyTypes | None
    extensions: tuple[WantedExtension, ...]
    lifetime: Lifetime
    subject_key_identifier: bytes = b""

    @property
    def is_authority(self) -> bool:
        constraints = self.extension(x509.BasicConstraints)
        return constraints is not None and constraints.ca

    def key_identifiers(self, issuer: x509.Certificate | None) -> tuple[WantedExtension, ...]:
        """Return SKI and AKI; none while the subject key is missing."""
        if self.public_key is None:
            return ()
        return key_identifiers(self.public_key, issuer, self.subject_key_identifier)

    def extension(self, kind: type[Extension]) -> Extension | None:
        """Return the value of the extension of *kind*, or None."""
        return next((wanted.value for wanted in self.extensions if isinstance(wanted.value, kind)), None)


@dataclass(frozen=True)
class Validity:
    """notBefore and notAfter of one certificate, UTC-aware, whole seconds."""

    not_before: datetime
    not_after: datetime


def specify(
    request: CertificateRequest,
    public_key: CertificatePublicKeyTypes | None,
    csr: x509.CertificateSigningRequest | None,
) -> CertificateSpec:
    """Return the spec of *request* for *public_key*, with what its profile lets a CSR contribute.

    Raises:
        SpecError: options that contradict each other or the CSR, or no subject anywhere; all in one message.
    """
    problems = [*_contradictions(request), *(_foreign_ca(request, csr) if csr is not None else ())]
    subject = _subject(request, csr, problems)
    options = request.options
    if csr is not None:
        options = with_copies(options, csr, request.profile, problems)
    if not subject and not options.subject_alt_name:
        problems.append("has neither a subject nor a subject_alt_name; give one")
    if problems:
        raise SpecError(f"{request.name}: " + "; ".join(problems))
    extensions = wanted_extensions(options, request.profile, public_key, empty_subject=not subject)
    return CertificateSpec(
        request.name,
        request.profile,
        subject,
        public_key,
        extensions,
        request.lifetime,
        options.subject_key_identifier,
    )


def certified_again(request: CertificateRequest, certificate: x509.Certificate) -> CertificateRequest:
    """Return *request* with the subject and the key identifier of *certificate*, as what it issued names them.

    The subject keeps its string types (RFC 5280 4.1.2.6), and the key identifier its octets, however they were made.

    Raises:
        SpecError: the request says otherwise, or only one of the two is an authority's.
    """
    values = {extension.name: extension.value for extension in extensions_of(certificate)}
    is_ca = bool(getattr(values.get("basic_constraints"), "ca", False))
    named = f"certificate_profile {request.profile.name}"
    if is_ca != request.is_authority:
        said = "an authority's (CA:TRUE)" if is_ca else "no authority's (CA:FALSE)"
        raise SpecError(f"{request.name}: the subject's certificate is {said}, and {named} is otherwise")
    found: bytes = getattr(values.get("subject_key_identifier"), "digest", b"")
    if request.subject is not None or request.options.subject_key_identifier not in (b"", found):
        raise SpecError(
            f"{request.name}: subject and subject_key_identifier are those of the subject's certificate, or nobody "
            "would find it; leave them out"
        )
    options = replace(request.options, subject_key_identifier=found)
    return replace(request, subject=certificate.subject, options=options)


def _contradictions(request: CertificateRequest) -> list[str]:
    options, profile = request.options, request.profile
    if options.basic_constraints is not None and not profile.is_custom:
        return [f"basic_constraints is for certificate_profile custom; {profile.name} says it itself"]
    oids = [extension.oid for extension in options.more]
    repeated = dict.fromkeys(oid for oid in oids if oids.count(oid) > 1)
    problems = [f"the extension {EXTENSION_NAMES.get(oid, oid)} is given twice" for oid in repeated]
    if request.is_authority:
        return problems
    given = {
        "path_length": options.path_length is not None,
        "name_constraints_permitted": bool(options.name_constraints_permitted),
        "name_constraints_excluded": bool(options.name_constraints_excluded),
        "policy_constraints": any(isinstance(one.value, x509.PolicyConstraints) for one in options.more),
        "inhibit_any_policy": any(isinstance(one.value, x509.InhibitAnyPolicy) for one in options.more),
        f"the extension {POLICY_MAPPINGS} (policy mappings)": POLICY_MAPPINGS in oids,
    }
    return problems + [
        f"{name} is for authorities, and certificate_profile {profile.name} is none"
        for name, present in given.items()
        if present
    ]


def _foreign_ca(request: CertificateRequest, csr: x509.CertificateSigningRequest) -> list[str]:
    constraints = [e.value for e in extensions_of(csr) if isinstance(e.value, x509.BasicConstraints)]
    if request.is_authority or not any(value.ca for value in constraints):
        return []
    named = f"certificate_profile {request.profile.name}"
    return [f"the CSR asks for CA:TRUE, which {named} is not; use subordinate_ca or have the CSR made again"]


def _subject(request: CertificateRequest, csr: x509.CertificateSigningRequest | None, problems: list[str]) -> x509.Name:
    """Return the subject of the task, or else that of *csr* in the form that RFC 5280 wants."""
    if request.subject is not None or csr is None:
        return x509.Name([]) if request.subject is None else request.subject
    try:
        return standard_name(csr.subject)
    except SpecError as exc:
        problems.append(unfit("subject", exc))
        return csr.subject


def validity(lifetime: Lifetime, issuer: x509.Certificate | None, now: datetime) -> Validity:
    """Evaluate *lifetime* at *now*; a relative notBefore is clipped to the issuer's, notAfter never is.

    Raises:
        SpecError: one of its times is none, or both are.
    """

    def end(text: str) -> datetime:
        if text != ISSUER_END:
            return to_time(text, now)
        if issuer is None:
            raise SpecError("not_after: issuer needs an issuer; a self-signed certificate takes a time such as +10950d")
        return issuer.not_valid_after_utc

    not_before, refused = try_all(lambda text: to_time(text, now), [lifetime.not_before])
    not_after, refused_end = try_all(end, [lifetime.not_after])
    refuse([*refused, *refused_end])
    start = not_before[0]
    if issuer is not None and is_relative(lifetime.not_before) and start < issuer.not_valid_before_utc <= now:
        start = issuer.not_valid_before_utc
    return Validity(start, not_after[0])


def try_validity(
    lifetime: Lifetime, issuer: x509.Certificate | None, now: datetime
) -> tuple[Validity | None, list[str]]:
    """Evaluate *lifetime*, and return what is wrong with its words, renew_before too."""
    try:
        period = validity(lifetime, issuer, now)
    except SpecError as exc:
        return None, [str(exc)]
    try:
        if period.not_after > period.not_before:
            fixed = lifetime.has_fixed_end
            issued = now if issuer else None  # a root is not renewed because it is due
            renew_time(period.not_before, period.not_after, lifetime.renew_before, fixed_end=fixed, issued=issued)
    except SpecError as exc:
        return period, [str(exc)]
    return period, []


def to_serial_number(random_bits: int) -> int:
    """Return a positive serial of at most 20 octets (RFC 5280 4.1.2.2) from 159 random bits."""
    return (random_bits % (1 << SERIAL_BITS)) or 1


def certificate_builder(
    spec: CertificateSpec, issuer: x509.Certificate | None, serial_number: int, period: Validity
) -> x509.CertificateBuilder:
    """Return the builder whose sign() makes the certificate; without *issuer* it is self-signed.

    Raises:
        SpecError: the subject key is not known yet.
    """
    if spec.public_key is None:
        raise SpecError(f"{spec.name}: the subject key does not exist yet")
    builder = (
        x509.CertificateBuilder()
        .subject_name(spec.subject)
        .issuer_name(spec.subject if issuer is None else issuer.subject)
        .public_key(spec.public_key)
        .serial_number(serial_number)
        .not_valid_before(period.not_before)
        .not_valid_after(period.not_after)
    )
    for extension in (*spec.extensions, *spec.key_identifiers(issuer)):
        builder = builder.add_extension(extension.value, extension.critical)
    return builder


def describe_spec(spec: CertificateSpec, issuer: x509.Certificate | None, period: Validity | None) -> dict[str, object]:
    """Return *spec* field by field in words, for the diff of a certificate that does not exist yet.

    Args:
        issuer: None for a self-signed certificate.
        period: None while the issuer is not known yet.
    """
    identifiers = () if period is None else spec.key_identifiers(issuer)
    facts: dict[str, object] = {"subject": name_text(spec.subject), "certificate_profile": spec.profile.name}
    if issuer is not None:
        facts["issuer"] = name_text(issuer.subject)
    facts.update({wanted.name: extension_texts(wanted) for wanted in (*spec.extensions, *identifiers)})
    if period is not None:
        facts.update(not_before=asn1_time(period.not_before), not_after=asn1_time(period.not_after))
    return facts
