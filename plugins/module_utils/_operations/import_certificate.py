# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Take a certificate that somebody else issued, after the same questions as before issuing one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from .._pki.certificate import CertificateSpec, Lifetime, Validity
from .._pki.certificates import (
    all_upwards,
    asn1_time,
    is_self_signed,
    load_public_key,
    load_usable_certificates,
    path_upwards,
    same_key,
    sha256_hex,
    spki,
)
from .._pki.errors import IssuerError
from .._pki.extensions import authority_key_identifier, extensions_of
from .._pki.gate import Proposal, gate
from .._pki.names import name_text
from .._pki.pss_keys import refuse_pss_key
from .certificate_inputs import refuse_broken_link

if TYPE_CHECKING:
    from cryptography import x509

    from .._pki.profiles import Profile
    from .._pki.task import Source

# What follows from the keys, and is not the subject's to say.
_KEY_IDENTIFIERS = ("subject_key_identifier", "authority_key_identifier")


@dataclass(frozen=True)
class ImportTask:
    """One task that takes a certificate of somebody else.

    Attributes:
        certificate: first in the source; more may follow that are above it.
        public_key: the key it has to be of; its content is None while that is not there.
        trusted: self-signed certificates that the path has to end at; none asks for no end.
        path_length: how many authorities must at least be able to follow below it; None where it is no matter.
        own: certificate that the subject of a cross-certificate has already; None for any other certificate.
    """

    name: str
    profile: Profile
    certificate: Source
    public_key: Source
    above: tuple[Source, ...] = ()
    trusted: tuple[Source, ...] = ()
    path_length: int | None = None
    own: Source | None = None


@dataclass(frozen=True)
class Imported:
    """A certificate that was found good, and all above it on any path.

    Attributes:
        missing: why that could not be found out in full.
        warnings: that it is of no use any more.
    """

    certificate: x509.Certificate
    bundle: tuple[x509.Certificate, ...]
    missing: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def check_import(task: ImportTask, now: datetime) -> Imported:
    """Return the certificate of *task* if it may be used.

    Raises:
        SpecError: something cannot be read, or path validation would refuse it; all problems in one message.
        IssuerError: its path does not end at a trusted certificate, or a certificate in it does not fit.
    """
    certificate, *beside = load_usable_certificates(task.certificate.content or b"", task.certificate.label)
    refuse_pss_key(certificate, task.certificate.label)
    trusted = _load_all(task.trusted)
    pool = [*beside, *_load_all(task.above), *trusted]
    path = path_upwards(certificate, pool, now)
    refuse_broken_link(path[-1], pool, task.certificate.label)
    _require_trust(task, path, trusted)
    chain = () if is_self_signed(certificate) else path[1:]
    period = Validity(certificate.not_valid_before_utc, certificate.not_valid_after_utc)
    end = period.not_after if task.own is None else min(one.not_valid_after_utc for one in path)
    late = end <= now
    then = end - timedelta(seconds=1) if late else now
    proposal = Proposal(_spec_of(task, certificate), chain, period, then, issuer_pending=not chain, foreign=True)
    problems = [*_key_problems(task, certificate), *_path_length_problems(task, certificate)]
    told = f"was valid until {asn1_time(end)}; have {task.certificate.label} issued again"
    if late and task.own is None:
        problems.append(f"it {told}")
    gate(proposal, [*problems, *_cross_problems(task, certificate)])
    # The authority can do without a cross-certificate, so nothing that hangs on it is to stop.
    warnings = (f"{task.name}: its path {told}",) if late else ()
    return Imported(certificate, all_upwards(certificate, pool)[1:], _missing(task), warnings)


def _load_all(sources: Sequence[Source]) -> list[x509.Certificate]:
    return [found for source in sources for found in load_usable_certificates(source.content or b"", source.label)]


def _require_trust(task: ImportTask, path: tuple[x509.Certificate, ...], trusted: Sequence[x509.Certificate]) -> None:
    if trusted and path[-1] not in trusted:
        raise IssuerError(
            f"{task.certificate.label}: its path ends at {name_text(path[-1].subject)}, issued by "
            f"{name_text(path[-1].issuer)}, and not at a trusted certificate; add what lies between"
        )


def _spec_of(task: ImportTask, certificate: x509.Certificate) -> CertificateSpec:
    extensions = tuple(one for one in extensions_of(certificate) if one.name not in _KEY_IDENTIFIERS)
    lifetime = Lifetime("", "", "")
    return CertificateSpec(task.name, task.profile, certificate.subject, certificate.public_key(), extensions, lifetime)


def _missing(task: ImportTask) -> tuple[str, ...]:
    if task.public_key.content is not None:
        return ()
    return (f"the public key {task.public_key.label} does not exist yet; write it with kms_public_key",)


def _key_problems(task: ImportTask, certificate: x509.Certificate) -> list[str]:
    if task.public_key.content is None:
        return []
    public_key = load_public_key(task.public_key.content, task.public_key.label)
    if same_key(public_key, certificate.public_key()):
        return []
    found, wanted = sha256_hex(spki(certificate.public_key())), sha256_hex(spki(public_key))
    return [f"the certificate is of the key {found}, and {task.public_key.label} is {wanted}; have it issued again"]


def _cross_problems(task: ImportTask, certificate: x509.Certificate) -> list[str]:
    """Return why nobody would find *certificate* above what its subject issued (RFC 5280 4.1.2.6, 4.2.1.1)."""
    if task.own is None:
        return []
    own, *_above = load_usable_certificates(task.own.content or b"", task.own.label)
    problems = []
    if certificate.subject.public_bytes() != own.subject.public_bytes():
        problems.append(
            f"the subject is {name_text(certificate.subject)}, and {task.own.label} has {name_text(own.subject)}; "
            "have it issued for that, in the same string types"
        )
    found, wanted = ((authority_key_identifier(one).key_identifier or b"").hex(":") for one in (certificate, own))
    if found != wanted:
        problems.append(f"the subject key identifier is {found}, and {task.own.label} has {wanted}; have it issued so")
    return problems


def _path_length_problems(task: ImportTask, certificate: x509.Certificate) -> list[str]:
    constraints = next((one.value for one in extensions_of(certificate) if one.name == "basic_constraints"), None)
    is_ca = bool(getattr(constraints, "ca", False))
    if task.profile.ca != is_ca:
        said = "is an authority's (CA:TRUE)" if is_ca else "is no authority's (CA:FALSE)"
        return [f"the certificate {said}, and certificate_profile {task.profile.name} is otherwise"]
    limit = getattr(constraints, "path_length", None)
    if task.path_length is None or limit is None or limit >= task.path_length:
        return []
    return [f"the certificate has path_length {limit}, and the tree below needs {task.path_length}"]
