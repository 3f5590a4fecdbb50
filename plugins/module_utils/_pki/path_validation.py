# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a certificate leads up to one that is trusted (RFC 5280 6.1), for a purpose, at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from .certificates import asn1_time, hash_name, is_self_issued
from .errors import SpecError
from .extensions import extensions_of
from .held_constraints import held_constraints
from .issuing import issued_by
from .name_constraints import check_names
from .names import name_text
from .policy_rules import policy_facts, policy_problem
from .usages import TIME_STAMPING, extended_key_usage_names, is_for_time_stamping_alone

try:
    from cryptography import x509
except ImportError:
    x509 = None  # type: ignore[assignment]  # require_cryptography() in the module says so

if TYPE_CHECKING:
    Extension = TypeVar("Extension", bound=x509.ExtensionType)

ANY_PURPOSE = "any_extended_key_usage"
LONGEST = 10
"""Certificates in a path, and the depth to which paths are searched."""

MOST_STEPS = 1000
"""Paths looked at, so that certificates which cross-sign each other cannot keep anybody busy."""

WEAK_HASHES = ("md5", "sha1")
SIGNING_USAGES = ("digital_signature", "content_commitment")

PROCESSED = frozenset(
    {
        "2.5.29.15",  # key usage
        "2.5.29.17",  # subject alternative name
        "2.5.29.19",  # basic constraints
        "2.5.29.30",  # name constraints
        "2.5.29.31",  # CRL distribution points
        "2.5.29.32",  # certificate policies
        "2.5.29.33",  # policy mappings
        "2.5.29.36",  # policy constraints
        "2.5.29.37",  # extended key usage
        "2.5.29.54",  # inhibit any policy
    }
)
"""What may be critical, because it is looked at below (RFC 5280 6.1.3 and 6.1.4 o).

CRL distribution points say where to ask whether a certificate was revoked (4.2.1.13), which is asked nowhere here.
Relying parties recognize them, whether they ask or not.
"""


@dataclass(frozen=True)
class PathQuestion:
    """Is this certificate good for that, then?

    Attributes:
        intermediates: may be used on the way, in any order.
        anchors: are trusted, self-signed or not.
        purpose: name or OID of an extended key usage; ANY_PURPOSE asks for none.
    """

    certificate: x509.Certificate
    intermediates: Sequence[x509.Certificate]
    anchors: Sequence[x509.Certificate]
    at: datetime
    purpose: str = ANY_PURPOSE


@dataclass(frozen=True)
class PathVerdict:
    """The path that was found, nearest first, and what is wrong with it; with no problem it is valid."""

    path: tuple[x509.Certificate, ...]
    problems: tuple[str, ...]


def validate_path(question: PathQuestion) -> PathVerdict:
    """Return the first valid path, or what is wrong with the one that has the fewest problems."""
    verdicts = []
    for path in _paths(question):
        verdict = PathVerdict(path, tuple(dict.fromkeys(_problems(path, question))))
        if not verdict.problems:
            return verdict
        verdicts.append(verdict)
    if verdicts:
        return min(verdicts, key=lambda verdict: len(verdict.problems))
    who = name_text(question.certificate.subject)
    missing = f"{who}: does not lead up to a trusted certificate; its issuer is {_issuer_of(question.certificate)}"
    return PathVerdict((question.certificate,), (missing,))


def _issuer_of(certificate: x509.Certificate) -> str:
    return name_text(certificate.issuer)


def _paths(question: PathQuestion) -> Iterator[tuple[x509.Certificate, ...]]:
    """Yield the paths from the certificate up to an anchor whose signatures are right, the shortest first."""
    pool = tuple(dict.fromkeys([*question.anchors, *question.intermediates]))
    issuers: dict[x509.Certificate, list[x509.Certificate]] = {}
    open_paths: deque[tuple[x509.Certificate, ...]] = deque([(question.certificate,)])
    for _step in range(MOST_STEPS):
        if not open_paths:
            return
        path = open_paths.popleft()
        if path[-1] in question.anchors:
            yield path
        elif len(path) < LONGEST:
            if path[-1] not in issuers:
                issuers[path[-1]] = [one for one in pool if issued_by(path[-1], one)]
            open_paths += [(*path, above) for above in issuers[path[-1]] if above not in path]


def _problems(path: tuple[x509.Certificate, ...], question: PathQuestion) -> Iterator[str]:
    try:
        for check in CHECKS:
            yield from check(path, question)
    except SpecError as exc:
        yield str(exc)
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as exc:
        yield f"{name_text(path[0].subject)}: a certificate of its path has an unreadable extension ({exc})"


def _check_times(path: tuple[x509.Certificate, ...], question: PathQuestion) -> Iterator[str]:
    for certificate in path:
        who, start, end = (
            name_text(certificate.subject),
            certificate.not_valid_before_utc,
            certificate.not_valid_after_utc,
        )
        if question.at < start:
            yield f"{who}: is valid from {asn1_time(start)} on, not yet at {asn1_time(question.at)}"
        if question.at > end:
            yield f"{who}: was valid until {asn1_time(end)}, no more at {asn1_time(question.at)}"


def _check_signatures(path: tuple[x509.Certificate, ...], _question: PathQuestion) -> Iterator[str]:
    """Signatures are right already; here it is about what makes them worthless. An anchor's is not needed."""
    for certificate in path[:-1]:
        if hash_name(certificate) in WEAK_HASHES:
            yield f"{name_text(certificate.subject)}: is signed with {hash_name(certificate)}, which proves nothing"


def _check_authorities(path: tuple[x509.Certificate, ...], _question: PathQuestion) -> Iterator[str]:
    """RFC 5280 6.1.4 k to n."""
    below = 0
    for place, certificate in enumerate(path[1:], 1):
        who, whom = name_text(certificate.subject), name_text(path[place - 1].subject)
        constraints, usage = _find(certificate, x509.BasicConstraints), _find(certificate, x509.KeyUsage)
        yield from (f"{whom}: {problem}" for problem in issuer_name_problems(certificate))
        if constraints is None or not constraints.ca:
            yield f"{who}: is no CA, and issued {whom}"
        elif constraints.path_length is not None and constraints.path_length < below:
            yield f"{who}: has path length {constraints.path_length}, and {below} CAs follow"
        if usage is not None and not usage.key_cert_sign:
            yield f"{who}: may not sign certificates (key usage), and issued {whom}"
        below += not is_self_issued(certificate)


def issuer_name_problems(issuer: x509.Certificate) -> list[str]:
    named = bool(issuer.subject.rdns)
    return [] if named else ["the issuer has no subject, which every issuer needs (RFC 5280 4.1.2.4)"]


def _check_names(path: tuple[x509.Certificate, ...], _question: PathQuestion) -> Iterator[str]:
    """RFC 5280 6.1.3 b and c; the names of a self-issued CA are exempt."""
    for place, certificate in enumerate(path[:-1]):
        if place and is_self_issued(certificate):
            continue
        constraints = held_constraints(path[place + 1 :])
        names = list(_find(certificate, x509.SubjectAlternativeName) or ())
        yield from check_names(names, certificate.subject, constraints, common_name_is_host=place == 0)


def _check_policies(path: tuple[x509.Certificate, ...], _question: PathQuestion) -> Iterator[str]:
    """RFC 5280 6.1.3 d to f and 6.1.5: any policy will do, but where one is required there has to be one."""
    below = [
        policy_facts(name_text(one.subject), is_self_issued(one), extensions_of(one)) for one in reversed(path[:-1])
    ]
    problem = policy_problem(below) if below else None
    if problem:
        yield f"{name_text(path[0].subject)}: has no policy that its path allows; {problem.found}"


def _check_critical(path: tuple[x509.Certificate, ...], _question: PathQuestion) -> Iterator[str]:
    for certificate in path:
        unknown = [
            extension.oid.dotted_string
            for extension in certificate.extensions
            if extension.critical and extension.oid.dotted_string not in PROCESSED
        ]
        if unknown:
            told = ", ".join(unknown)
            yield f"{name_text(certificate.subject)}: has critical extensions that nothing here understands, {told}"


def _check_purpose(path: tuple[x509.Certificate, ...], question: PathQuestion) -> Iterator[str]:
    """RFC 5280 4.2.1.3 and 4.2.1.12; a CA that names purposes limits those below it, as relying parties read it."""
    usage = _find(path[0], x509.KeyUsage)
    if usage is not None and not any(getattr(usage, name) for name in SIGNING_USAGES):
        yield f"{name_text(path[0].subject)}: is not for signatures (key usage lacks {' and '.join(SIGNING_USAGES)})"
    if question.purpose == ANY_PURPOSE:
        return
    if question.purpose == TIME_STAMPING and not _stamps_times_alone(path[0]):
        yield (
            f"{name_text(path[0].subject)}: is for no timestamping service, whose purpose stands alone in a critical "
            "extended key usage (RFC 3161 2.3)"
        )
    for certificate in path:
        value = _find(certificate, x509.ExtendedKeyUsage)
        names = [ANY_PURPOSE] if value is None else extended_key_usage_names(value)
        if question.purpose not in names and ANY_PURPOSE not in names:
            yield f"{name_text(certificate.subject)}: is for {', '.join(names)}, not for {question.purpose}"


def _stamps_times_alone(certificate: x509.Certificate) -> bool:
    usages = [one for one in certificate.extensions if isinstance(one.value, x509.ExtendedKeyUsage)]
    return any(is_for_time_stamping_alone(one.value, one.critical) for one in usages)


def _find(certificate: x509.Certificate, kind: type[Extension]) -> Extension | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


CHECKS: Sequence[Callable[[tuple[x509.Certificate, ...], PathQuestion], Iterator[str]]] = (
    _check_times,
    _check_signatures,
    _check_authorities,
    _check_names,
    _check_policies,
    _check_critical,
    _check_purpose,
)
