# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the gate would refuse later, found before anything exists: the tree is issued once in memory, to nobody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from .certificate import ISSUER_END, Validity, certificate_builder, specify, try_validity
from .errors import SpecError
from .gate import CHECKS, Proposal, check_alternative_names, check_name_constraints, check_validity
from .library import controller_problem
from .request import to_request
from .times import is_relative
from .tree import Tree, in_order, structure_problems
from .tree_access import HASHES, access_problems
from .tree_entries import Entry
from .tree_lifetimes import lifetime_problems
from .tree_options import AUTHORITY
from .trial_keys import trial_private_key, trial_public_key

try:
    from cryptography import x509
except ImportError:
    x509 = None  # type: ignore[assignment]  # judge_tree() says so

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

# Time passes between two certificates of a tree, so equal relative times end one after the other.
_STEP = timedelta(minutes=1)

# Nobody knows yet how long somebody else lets an authority live.
_AS_LONG_AS_IT_TAKES = timedelta(days=36500)


@dataclass(frozen=True)
class Findings:
    """What is wrong with a tree.

    Attributes:
        problems: whatever its entries look like, built or not.
        dated: what would be refused if all were made now, each after the name of the authority that it hangs on: the
            issuer, or for a root itself. Some times are fixed, so it need not have been refused on that day.
    """

    problems: tuple[str, ...]
    dated: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class _Trial:
    """One entry tried out.

    Attributes:
        dated: problems with its times that another day would not have.
        certificate: of an authority, as it might look, under a key that everybody knows; None where none can be made.
    """

    entry: Entry
    problems: tuple[str, ...] = ()
    dated: tuple[str, ...] = ()
    certificate: x509.Certificate | None = None


def judge_tree(tree: Tree, now: datetime) -> Findings:
    """Return everything that keeps *tree* from being built, as far as its specs alone show it."""
    if problem := controller_problem():
        return Findings((problem,))
    trials: dict[str, _Trial] = {}
    for entry in (*in_order(tree), *(entry for entry in tree.entries if not tree.is_rooted(entry))):
        if entry.name not in tree.misshapen:
            trials[entry.name] = _try(entry, tree, trials, now)
    for cross in (one for one in tree.crosses if not one.external):
        if not {cross.of, cross.issuer} & tree.misshapen and tree.issuer_of(cross) is not None:
            trials[cross.name] = _try(cross, tree, trials, now)
    found = [f"{trial.entry.label}: {problem}" for trial in trials.values() for problem in trial.problems]
    told = [(trial.entry, text) for trial in trials.values() for text in trial.dated]
    dated = [(entry.issuer or entry.name, f"{entry.label}: {text}") for entry, text in told]
    all_found = [*tree.problems, *structure_problems(tree), *found, *lifetime_problems(tree), *access_problems(tree)]
    return Findings(tuple(all_found), tuple(dated))


def _try(entry: Entry, tree: Tree, trials: Mapping[str, _Trial], now: datetime) -> _Trial:
    try:
        proposal, times_refused = _propose(entry, tree, trials, now)
    except SpecError as exc:
        return _Trial(entry, (str(exc).removeprefix(f"{entry.name}: "),))
    problems = [*_signature_problems(entry, tree), *_key_problems(entry), *_refused(entry, proposal)]
    timed = [*check_validity(proposal), *times_refused]
    dated = proposal.period is not None and any(map(_has_fixed_times, (entry, *tree.upwards(entry))))
    period = Validity(now, now + _AS_LONG_AS_IT_TAKES) if entry.external else proposal.period
    certificate = _trial_certificate(proposal, period) if entry.kind == AUTHORITY else None
    if dated:
        return _Trial(entry, tuple(problems), tuple(timed), certificate)
    return _Trial(entry, (*problems, *timed), (), certificate)


def _has_fixed_times(entry: Entry) -> bool:
    times = (entry.text(option) for option in ("not_before", "not_after"))
    return any(text and text != ISSUER_END and not is_relative(text) for text in times)


def _refused(entry: Entry, proposal: Proposal) -> Iterator[str]:
    """Yield what the gate would say but for times, as far as it does not depend on a file that is not read here."""
    copied = () if entry.profile is None else entry.profile.csr_extensions
    unread = entry.text("csr_path") and "subject_alt_name" in copied and "subject_alt_name" not in entry.options
    unnamed = replace(proposal, spec=replace(proposal.spec, subject=x509.Name([]))) if _unnamed(entry) else proposal
    for check in CHECKS:
        if check is not check_validity and not (unread and check is check_alternative_names):
            yield from check(unnamed if check is check_name_constraints else proposal)


def _unnamed(entry: Entry) -> bool:
    """True where the subject of *entry* is in a file that is not read here, and a name stands in for it."""
    files = entry.text("csr_path") or entry.text("subject_certificate_path")
    return bool(files) and not entry.subject_items() and not entry.texts("subject_alt_name")


def _key_problems(entry: Entry) -> list[str]:
    allowed = () if entry.profile is None else entry.profile.key_specs
    if not entry.key_spec or not allowed or entry.key_spec in allowed:
        return []
    named = f"certificate_profile {entry.text('certificate_profile')}"
    return [f"the subject key is {entry.key_spec}, and {named} allows {', '.join(allowed)}"]


def _propose(entry: Entry, tree: Tree, trials: Mapping[str, _Trial], now: datetime) -> tuple[Proposal, Sequence[str]]:
    """Return what would be signed, and what is wrong with its times."""
    above = list(tree.upwards(entry))
    made = [trials[authority.name].certificate for authority in above if authority.name in trials]
    chain = tuple(certificate for certificate in made if certificate is not None)
    # Then only what the entry itself shows is known.
    pending = len(chain) < len(above) or not tree.is_rooted(entry) or entry.external
    chain = () if pending else chain
    then = now + _STEP * len(above)
    stand_in = {"subject": {"CN": entry.name}} if _unnamed(entry) else {}
    request = to_request(entry.name, {**entry.options, **stand_in})
    spec = specify(request, _trial_key(entry, tree), None)
    open_ended = entry.external or (pending and request.lifetime.not_after == ISSUER_END)
    issuer = chain[0] if chain else None
    period, refused = (None, []) if open_ended else try_validity(request.lifetime, issuer, then)
    return Proposal(spec, chain, period, then, issuer_pending=pending), refused


def _signature_problems(entry: Entry, tree: Tree) -> list[str]:
    key_spec = (tree.issuer_of(entry) or entry).key_spec
    if key_spec not in HASHES:
        return []
    problems = []
    if entry.text("signature_padding") == "pss":
        problems.append(f"signature_padding pss is for RSA keys, and the issuer's key is {key_spec}")
    fixed, digest = HASHES[key_spec], entry.text("digest")
    if digest and digest != fixed:
        advice = f"its hash is {fixed}" if fixed else "it hashes inside the signature, so leave digest out"
        problems.append(f"digest {digest} does not fit the issuer's {key_spec} key; {advice}")
    return problems


def _trial_key(entry: Entry, tree: Tree) -> CertificatePublicKeyTypes | None:
    """Return a key such as the entry's; None where that is in a file that is not read here."""
    key_spec = tree.by_name.get(entry.of, entry).key_spec
    return trial_public_key(key_spec) if key_spec else None


def _trial_certificate(proposal: Proposal, period: Validity | None) -> x509.Certificate | None:
    if period is None or period.not_after <= period.not_before:
        return None
    issuer = proposal.chain[0] if proposal.chain else None
    return certificate_builder(proposal.spec, issuer, 1, period).sign(trial_private_key(), None)
