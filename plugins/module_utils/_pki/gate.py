# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The gate before signing: what RFC 5280 path validation would refuse, refused before the signature exists."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, TypeVar

from .certificates import asn1_time, hash_name, is_self_issued, same_key
from .constraint_rules import form_of
from .constraint_sets import check_constraints
from .errors import SpecError
from .extensions import extensions_of
from .held_constraints import held_constraints
from .name_constraints import check_names, check_unnamed_kinds
from .name_matching import is_same_name
from .names import name_text
from .path_validation import PROCESSED, issuer_name_problems
from .policy_rules import mapping_problem, policy_facts, policy_problem
from .subject_keys import key_problems
from .times import to_duration
from .usage_rules import usage_problems
from .usages import extended_key_usage_names

try:
    from cryptography import x509
except ImportError:
    x509 = None  # type: ignore[assignment]  # require_cryptography() in the module says so

if TYPE_CHECKING:
    from .certificate import CertificateSpec, Validity

Extension = TypeVar("Extension", bound="x509.ExtensionType")

WEAK_HASHES = ("md5", "sha1")
# not_before is backdated a little, which does not count as lifetime.
_CLOCK_SKEW = timedelta(days=1)
ANY_USAGE = "any_extended_key_usage"
_NO_MOMENT = datetime.min.replace(tzinfo=timezone.utc)


@dataclass(frozen=True)
class Proposal:
    """One certificate about to be signed.

    Attributes:
        chain: the issuer and what is known above it, nearest first; empty for a self-signed certificate.
        period: None while the issuer is not known yet.
        issuer_pending: the issuer does not exist yet, so only what the spec alone shows is checked.
        foreign: somebody else issued it already, so what is merely without effect is let pass.
    """

    spec: CertificateSpec
    chain: tuple[x509.Certificate, ...]
    period: Validity | None
    now: datetime
    issuer_pending: bool = False
    foreign: bool = False

    @property
    def is_self_issued(self) -> bool:
        return bool(self.chain) and is_same_name(self.chain[0].subject, self.spec.subject)


Check = Callable[[Proposal], list[str]]


def gate(proposal: Proposal, more: Iterable[str] = ()) -> None:
    """Refuse a certificate that a relying party would refuse.

    Args:
        more: problems found by the caller, to be told in the same message.
    Raises:
        SpecError: every problem in one message.
    """
    _refuse(proposal, CHECKS, more)


def gate_request(spec: CertificateSpec, more: Iterable[str] = ()) -> None:
    """Refuse a request for a certificate that a relying party would refuse, whoever issues it.

    Raises:
        SpecError: every problem in one message.
    """
    _refuse(Proposal(spec, (), None, _NO_MOMENT, issuer_pending=True), REQUEST_CHECKS, more)


def _refuse(proposal: Proposal, checks: Iterable[Check], more: Iterable[str]) -> None:
    found = [*(problem for check in checks for problem in check(proposal)), *more]
    if found:
        raise SpecError(f"{proposal.spec.name}: " + "; ".join(dict.fromkeys(found)))


def check_profile(proposal: Proposal) -> list[str]:
    profile = proposal.spec.profile
    has_issuer = bool(proposal.chain) or proposal.issuer_pending
    if profile.self_signed and has_issuer:
        return [f"certificate_profile {profile.name} is self-signed but an issuer is given; use subordinate_ca"]
    if not (profile.self_signed or profile.is_custom or has_issuer):
        return [f"certificate_profile {profile.name} needs issuer_path and issuer_key_id; only root_ca signs itself"]
    return []


def check_subject(proposal: Proposal) -> list[str]:
    spec = proposal.spec
    missing = spec.is_authority and not spec.subject
    return [f"certificate_profile {spec.profile.name} needs a subject (RFC 5280 4.1.2.6)"] if missing else []


def check_usages(proposal: Proposal) -> list[str]:
    return usage_problems(proposal.spec)


def check_alternative_names(proposal: Proposal) -> list[str]:
    spec = proposal.spec
    names = spec.extension(x509.SubjectAlternativeName) or ()
    kinds_given = {form_of(name).partition(" ")[0] for name in names}  # an otherName's is followed by its type
    if not spec.profile.san_kinds or not kinds_given.isdisjoint(spec.profile.san_kinds):
        return []
    kinds = " or ".join(spec.profile.san_kinds)
    return [f"certificate_profile {spec.profile.name} needs a subject_alt_name of {kinds}"]


def check_key(proposal: Proposal) -> list[str]:
    key = proposal.spec.public_key
    return [] if key is None else key_problems(key)


def check_key_identifier(proposal: Proposal) -> list[str]:
    """RFC 5280 4.2.1.2: a key identifier is that of one key; relying parties look for issuers by it."""
    given, key = proposal.spec.subject_key_identifier, proposal.spec.public_key
    if not given or key is None:
        return []
    problems = []
    for certificate in proposal.chain:
        found = find_extension(certificate, x509.SubjectKeyIdentifier)
        if found is not None and found.digest == given and not same_key(certificate.public_key(), key):
            problems.append(
                f"subject_key_identifier {given.hex(':')} is that of another key, the one of "
                f"{name_text(certificate.subject)} above (RFC 5280 4.2.1.2); leave it out, or give one of its own"
            )
    return problems


def check_validity(proposal: Proposal) -> list[str]:
    period, profile = proposal.period, proposal.spec.profile
    if period is None:
        return []
    problems = []
    if period.not_after <= max(period.not_before, proposal.now):
        problems.append(
            f"not_after {asn1_time(period.not_after)} is not later than "
            f"{asn1_time(max(period.not_before, proposal.now))}; give a later one"
        )
    longest = to_duration(profile.longest) + _CLOCK_SKEW if profile.longest else None
    if longest is not None and period.not_after - period.not_before > longest:
        problems.append(
            f"valid from {asn1_time(period.not_before)} to {asn1_time(period.not_after)}, longer than the "
            f"{profile.longest} of certificate_profile {profile.name}"
        )
    return [*problems, *_check_within_issuer(proposal, period)]


def _check_within_issuer(proposal: Proposal, period: Validity) -> list[str]:
    if not proposal.chain:
        return []
    issuer = proposal.chain[0]
    who, start, end = name_text(issuer.subject), issuer.not_valid_before_utc, issuer.not_valid_after_utc
    if end <= proposal.now:
        return [f"the issuer {who} expired {asn1_time(end)}; issue it again first"]
    problems: list[str] = []
    if proposal.foreign:
        return problems  # relying parties ask of each certificate alone whether it is valid (RFC 5280 6.1.3 a 2)
    if period.not_after > end:
        problems.append(
            f"not_after {asn1_time(period.not_after)} is past the end of the issuer {who}; "
            f"the latest possible is {asn1_time(end)}, or not_after: issuer"
        )
    if period.not_before < start:
        problems.append(
            f"not_before {asn1_time(period.not_before)} is before the issuer {who} starts at {asn1_time(start)}"
        )
    return problems


def check_above_issuer(proposal: Proposal) -> list[str]:
    """RFC 5280 6.1.3 a 2; relying parties look at the dates of roots too, though 6.1.1 d asks nothing of them."""
    moment = max(proposal.now, proposal.period.not_before) if proposal.period else proposal.now
    problems = []
    for certificate in proposal.chain[1:]:
        start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        if not start <= moment < end:
            problems.append(
                f"{name_text(certificate.subject)} above the issuer is valid from {asn1_time(start)} to "
                f"{asn1_time(end)}, not at {asn1_time(moment)}; issue it again first, or name another certificate of "
                "it in issuer_chain_path"
            )
    return problems


def check_critical_extensions(proposal: Proposal) -> list[str]:
    """RFC 5280 6.1.4 o: below an authority with a critical extension that is unknown, everything is refused."""
    spec = proposal.spec
    held = [(one.subject, extensions_of(one)) for one in proposal.chain]
    held += [(spec.subject, spec.extensions)] if spec.is_authority else []
    problems = []
    for subject, extensions in held:
        unknown = [one.name for one in extensions if one.critical and one.oid not in PROCESSED]
        if unknown:
            problems.append(
                f"{name_text(subject)} has the critical extension {', '.join(unknown)}, which relying parties need "
                "not know, and so refuse every certificate below it; have it not critical"
            )
    return problems


def check_issuer(proposal: Proposal) -> list[str]:
    problems = []
    for certificate in proposal.chain:
        who = name_text(certificate.subject)
        constraints = find_extension(certificate, x509.BasicConstraints)
        usage = find_extension(certificate, x509.KeyUsage)
        if constraints is None or not constraints.ca:
            problems.append(f"{who} is no CA (basic constraints CA:FALSE or absent) and may not issue")
        elif usage is not None and not usage.key_cert_sign:
            problems.append(f"{who} may not issue: its key usage lacks key_cert_sign")
        if hash_name(certificate) in WEAK_HASHES:
            problems.append(f"{who} is signed with {hash_name(certificate)}; issue it again with SHA-256 or better")
        problems += issuer_name_problems(certificate)
    return problems


def check_path_length(proposal: Proposal) -> list[str]:
    """RFC 5280 6.1.4 l and m: each CA above allows so many CAs below it that are not self-issued."""
    spec = proposal.spec
    if not spec.is_authority:
        return []
    problems = []
    below = int(not proposal.is_self_issued)
    for certificate in proposal.chain:
        limit = _path_length(certificate)
        if limit is not None and limit < below:
            problems.append(
                f"path_length {limit} of {name_text(certificate.subject)} forbids issuing the CA "
                f"{name_text(spec.subject)}; raise it there or use an end-entity profile"
            )
        elif limit is not None:
            problems += _check_nesting(spec, certificate, limit - below)
        below += not is_self_issued(certificate)
    return problems


def _check_nesting(spec: CertificateSpec, above: x509.Certificate, left: int) -> list[str]:
    constraints = spec.extension(x509.BasicConstraints)
    wanted = getattr(constraints, "path_length", None)
    if constraints is None or wanted is None or wanted <= left:
        return []
    return [f"path_length {wanted} is more than {name_text(above.subject)} leaves; at most {left}"]


def _path_length(certificate: x509.Certificate) -> int | None:
    constraints = find_extension(certificate, x509.BasicConstraints)
    return None if constraints is None else constraints.path_length


def check_extended_key_usage(proposal: Proposal) -> list[str]:
    """A CA that names purposes limits those below it, as relying parties read it (nesting)."""
    wanted = proposal.spec.extension(x509.ExtendedKeyUsage)
    if wanted is None:
        return []
    problems = []
    for certificate in proposal.chain:
        allowed = find_extension(certificate, x509.ExtendedKeyUsage)
        names = [ANY_USAGE] if allowed is None else extended_key_usage_names(allowed)
        missing = [name for name in extended_key_usage_names(wanted) if name not in names]
        if missing and ANY_USAGE not in names:
            problems.append(
                f"{name_text(certificate.subject)} does not allow the extended key usage {', '.join(missing)}"
            )
    return problems


def check_name_constraints(proposal: Proposal) -> list[str]:
    """RFC 5280 4.2.1.10, against every CA above; the names of a self-issued CA are exempt (6.1.3)."""
    spec = proposal.spec
    constraints = held_constraints(proposal.chain)
    own = spec.extension(x509.NameConstraints)
    problems = [] if own is None or proposal.foreign else check_constraints(own, constraints)
    if proposal.is_self_issued and spec.is_authority:
        return problems
    names = list(spec.extension(x509.SubjectAlternativeName) or ())
    problems += check_names(names, spec.subject, constraints, common_name_is_host=not spec.is_authority)
    return problems if proposal.foreign else [*problems, *check_unnamed_kinds(names, constraints)]


def check_policy_mappings(proposal: Proposal) -> list[str]:
    """RFC 5280 4.2.1.5: below an authority that maps any policy, no path keeps a policy."""
    own = policy_facts(name_text(proposal.spec.subject), proposal.is_self_issued, proposal.spec.extensions)
    problem = mapping_problem(own)
    return [f"{problem.found}; {problem.way_out}"] if problem else []


def check_policies(proposal: Proposal) -> list[str]:
    """RFC 5280 6.1.3 to 6.1.5: an authority above may require a policy; relying parties may or may not look at it."""
    if not proposal.chain:
        return []
    above = proposal.chain[:-1] if is_self_issued(proposal.chain[-1]) else proposal.chain
    own = policy_facts(name_text(proposal.spec.subject), proposal.is_self_issued, proposal.spec.extensions)
    path = [policy_facts(name_text(one.subject), is_self_issued(one), extensions_of(one)) for one in reversed(above)]
    problem = policy_problem([*path, own])
    return [f"{problem.found}; {problem.way_out}"] if problem else []


def find_extension(certificate: x509.Certificate, kind: type[Extension]) -> Extension | None:
    """Return the extension of *kind*, or None where *certificate* has none."""
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


CHECKS: Sequence[Check] = (
    check_profile,
    check_subject,
    check_usages,
    check_key,
    check_key_identifier,
    check_alternative_names,
    check_validity,
    check_above_issuer,
    check_issuer,
    check_critical_extensions,
    check_path_length,
    check_extended_key_usage,
    check_name_constraints,
    check_policy_mappings,
    check_policies,
)
REQUEST_CHECKS: Sequence[Check] = (
    check_subject,
    check_usages,
    check_key,
    check_alternative_names,
    check_critical_extensions,
    check_name_constraints,
    check_policy_mappings,
)
"""Those that look at neither issuer nor time."""
