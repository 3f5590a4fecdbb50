# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The keys and certificates that a certificate task names: bytes to objects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from .._ledger.entries import authority_of
from .._ledger.opening import open_ledger
from .._pki.certificates import (
    all_upwards,
    csr_spki,
    load_csr,
    load_public_key,
    load_usable_certificates,
    path_upwards,
)
from .._pki.errors import IssuerError, SpecError
from .._pki.issuing import broken_link
from .._pki.pss_keys import refuse_pss_key
from .._pki.task import CERTIFICATE, CSR, KMS, LEDGER_NAME
from .._signer.algorithms import ALGORITHMS, KEY_SPECS, spec_of_public_key
from .known_public_key import public_key_of, spki_of_certificate
from .lint_certificate import Linter, no_linter

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

    from .._ledger.port import Ledger
    from .._pki.certificate import CertificateSpec
    from .._pki.task import CertificateTask
    from .._signer.algorithms import AlgorithmRow


class PublicKeys(Protocol):
    """Where the public half of a key in KMS comes from."""

    def public_key(self, key_id: str) -> bytes | None:
        """Return the DER SubjectPublicKeyInfo, or None where there is no such key."""


@dataclass(frozen=True)
class CertificatePorts:
    """What planning and issuing need from the outside.

    Attributes:
        ledger: opens the ledger of the authority whose key has the SubjectPublicKeyInfo given (DER; empty: unknown).
        children: the ledger of what the certificate's own key issued; None for end entities, and where nobody says.
        lint: judges a certificate in DER, where the task wants that.
        former: ledgers of those who may have issued it before.
    """

    ledger: Callable[[bytes], Ledger]
    children: Ledger | None
    keys: PublicKeys
    clock: Callable[[], datetime]
    lint: Linter = no_linter
    former: tuple[Ledger, ...] = ()


def file_ports(
    task: CertificateTask, keys: PublicKeys, clock: Callable[[], datetime], lint: Linter = no_linter
) -> CertificatePorts:
    """Return ports over ledgers in files: the issuer's, and for an authority its own."""

    def ledger(public_key: bytes) -> Ledger:
        return open_ledger(task.ledger_path, clock, authority_of(public_key) if public_key else "")

    own = own_ledger_path(task) if task.request.is_authority else None
    children = None if own is None else open_ledger(own, clock)
    former = tuple(open_ledger(path, clock) for path in task.former_ledgers)
    return CertificatePorts(ledger, children, keys, clock, lint, former)


def own_ledger_path(task: CertificateTask) -> Path | None:
    """Return where an authority's own ledger is: where the task says, for a root the issuer's, else beside its file."""
    if task.authority_ledger_path:
        return Path(task.authority_ledger_path)
    if task.issuer is None:
        return Path(task.ledger_path)
    return Path(task.path).parent / LEDGER_NAME if task.path else None


@dataclass(frozen=True)
class SubjectKey:
    """The subject's public key; None, with the reason in `missing`, while it does not exist."""

    public_key: CertificatePublicKeyTypes | None
    csr: x509.CertificateSigningRequest | None = None
    missing: tuple[str, ...] = ()
    certificate: x509.Certificate | None = None


@dataclass(frozen=True)
class IssuerPath:
    """The issuer and what is known above it, nearest first; empty for a self-signed certificate or while missing.

    Attributes:
        chain: one path upwards, the one that the gate judges.
        bundle: the certificates of all paths, cross-certificates too: what relying parties are given.
        missing: why there is no issuer yet.
        missing_above: certificates above the issuer that were named and are not there, without which nothing is signed.
    """

    chain: tuple[x509.Certificate, ...]
    bundle: tuple[x509.Certificate, ...] = ()
    missing: tuple[str, ...] = ()
    missing_above: tuple[str, ...] = ()


def read_subject_key(task: CertificateTask, keys: PublicKeys) -> SubjectKey:
    """Return the subject key of *task*.

    Raises:
        SpecError: what is there is not a key, a CSR or a certificate, or the CSR's signature is wrong.
    """
    label, content = task.subject.label, task.subject.content
    if task.subject_kind == KMS:
        content = public_key_of(keys, label, lambda: spki_of_certificate(task.present, task.path))
        if content is None:
            return SubjectKey(None, missing=(f"the KMS key {label} does not exist yet; create it with kms_key",))
    if content is None:
        return SubjectKey(None, missing=(f"{label} does not exist yet",))
    if task.subject_kind == CSR:
        csr = load_csr(content, label)
        refuse_pss_key(csr_spki(csr), label)
        return SubjectKey(csr.public_key(), csr)
    if task.subject_kind == CERTIFICATE:
        certificate, *_above = load_usable_certificates(content, label)
        refuse_pss_key(certificate, label)
        return SubjectKey(certificate.public_key(), certificate=certificate)
    public_key = load_public_key(content, label)
    refuse_pss_key(content, label)
    return SubjectKey(public_key)


def read_issuer(task: CertificateTask, now: datetime) -> IssuerPath:
    """Return the issuer of *task* and the certificates above it, on a path that is valid *now* where there is one.

    Raises:
        SpecError: a file holds no certificate, or the issuer's key is one that KMS cannot have.
        IssuerError: the certificates above go round in a circle, or one does not fit.
    """
    if task.issuer is None:
        return IssuerPath(())
    if task.issuer.content is None:
        missing = f"the issuer's certificate {task.issuer.label} does not exist yet; issue it first"
        return IssuerPath((), missing=(missing,))
    issuer, *beside = load_usable_certificates(task.issuer.content, task.issuer.label)
    refuse_pss_key(issuer, task.issuer.label)
    given = [source for source in task.chain if source.content is not None]
    pool = [
        *beside,
        *(one for source in given for one in load_usable_certificates(source.content or b"", source.label)),
    ]
    path = path_upwards(issuer, pool, now)
    refuse_broken_link(path[-1], pool, task.issuer.label)
    absent = tuple(
        f"{source.label} of issuer_chain_path does not exist yet; what it allows cannot be known"
        for source in task.chain
        if source.content is None
    )
    return IssuerPath(path, all_upwards(issuer, pool), missing_above=absent)


def refuse_broken_link(last: x509.Certificate, pool: Sequence[x509.Certificate], label: str) -> None:
    """A path must not end because what is above does not fit: what that allows would no longer bind."""
    broken = broken_link(last, pool)
    if broken:
        raise IssuerError(f"{label}: {broken}")


def check_key_spec(spec: CertificateSpec) -> list[str]:
    """Return a problem where the profile does not allow this kind of subject key."""
    allowed = spec.profile.key_specs
    if spec.public_key is None or not allowed:
        return []
    try:
        key_spec = spec_of_public_key(spec.public_key)
    except SpecError as exc:
        key_spec = str(exc)
    if key_spec in allowed:
        return []
    named = f"certificate_profile {spec.profile.name}"
    return [f"the subject key is {key_spec}, and {named} allows {', '.join(allowed)}"]


def choose_algorithm(digest: str, padding: str, signing_key: CertificatePublicKeyTypes) -> AlgorithmRow:
    """Return the algorithm that the issuer's key signs with under the options digest and signature_padding.

    Args:
        digest: empty for the key's own.
    Raises:
        SpecError: the key cannot sign so.
    """
    key_spec = spec_of_public_key(signing_key)
    row = KEY_SPECS[key_spec]
    default = ALGORITHMS[row.x509_default]
    if row.family != "RSA" and padding == "pss":
        raise SpecError(f"signature_padding pss is for RSA keys, and the issuer's key is {key_spec}; leave it out")
    wanted = (digest or default.hash, {"pss": "PSS"}.get(padding, default.padding))
    fitting = (ALGORITHMS[name] for name in row.signing_algorithms)
    found = next((fit for fit in fitting if (fit.hash, fit.padding) == wanted and fit.family == default.family), None)
    if found is None:
        raise SpecError(f"digest {digest} does not fit the issuer's {key_spec} key; {_advice(default)}")
    return found


def try_algorithm(
    digest: str, padding: str, signing_key: CertificatePublicKeyTypes
) -> tuple[AlgorithmRow | None, list[str]]:
    """Return the algorithm as choose_algorithm() does, or None and why there is none."""
    try:
        return choose_algorithm(digest, padding, signing_key), []
    except SpecError as exc:
        return None, [str(exc)]


def _advice(default: AlgorithmRow) -> str:
    return f"its hash is {default.hash}" if default.hash else "it hashes inside the signature, so leave digest out"
