# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a certificate keeps a policy that the authorities above require (RFC 5280 6.1.3 d to f, 6.1.4 a to j)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .errors import SpecError
from .policy_mappings import read_policy_mappings

if TYPE_CHECKING:
    from .extensions import WantedExtension

ANY_POLICY = "2.5.29.32.0"
POLICY_MAPPINGS = "2.5.29.33"


@dataclass(frozen=True)
class PolicyFacts:
    """What one certificate of a path says of policies.

    Attributes:
        policies: OIDs of certificatePolicies; None without that extension.
        require_explicit, inhibit_mapping, inhibit_any: skip counts; None where there is none.
        mappings: policies of those below, by the one of those above that they are equivalent to.
    """

    name: str
    self_issued: bool = False
    policies: frozenset[str] | None = None
    require_explicit: int | None = None
    inhibit_mapping: int | None = None
    inhibit_any: int | None = None
    mappings: Mapping[str, frozenset[str]] = field(default_factory=dict)


def policy_facts(name: str, self_issued: bool, extensions: Iterable[WantedExtension]) -> PolicyFacts:
    """Return what the *extensions* of one certificate say of policies.

    Raises:
        SpecError: its policy mappings cannot be read, or one policy is there twice.
    """
    values: dict[str, Any] = {extension.name: extension.value for extension in extensions}
    policies, constraints = values.get("certificate_policies"), values.get("policy_constraints")
    inhibit, mappings = values.get("inhibit_any_policy"), values.get(POLICY_MAPPINGS)
    try:
        mapped = {} if mappings is None else read_policy_mappings(mappings.public_bytes())
    except ValueError as exc:
        raise SpecError(f"{name}: has policy mappings ({POLICY_MAPPINGS}) that cannot be read, {exc}") from exc
    given = [one.policy_identifier.dotted_string for one in policies or ()]
    if len(given) > len(set(given)):
        raise SpecError(
            f"{name}: has one policy twice in its certificate policies, which RFC 5280 4.2.1.4 forbids; write it once"
        )
    return PolicyFacts(
        name,
        self_issued,
        None if policies is None else frozenset(given),
        None if constraints is None else constraints.require_explicit_policy,
        None if constraints is None else constraints.inhibit_policy_mapping,
        None if inhibit is None else inhibit.skip_certs,
        mapped,
    )


@dataclass(frozen=True)
class PolicyProblem:
    """What is wrong with the policies of a path, and what whoever issues can do about it."""

    found: str
    way_out: str


@dataclass
class _State:
    """The variables of RFC 5280 6.1.2; of the tree the policies alone that the next certificate may have."""

    explicit: int
    mapping: int
    inhibit_any: int
    valid: frozenset[str] = frozenset({ANY_POLICY})
    demanded_by: str = ""

    def take(self, facts: PolicyFacts, is_last: bool) -> None:
        """Intersect what was valid above with the policies of one certificate (6.1.3 d and e)."""
        given = facts.policies or frozenset()
        any_counts = ANY_POLICY in given and (self.inhibit_any > 0 or (facts.self_issued and not is_last))
        named = given - {ANY_POLICY}
        kept = named if ANY_POLICY in self.valid else named & self.valid
        self.valid = kept | self.valid if any_counts else kept

    def map(self, mappings: Mapping[str, frozenset[str]]) -> None:
        """Put the policies of those below in place of those of the ones above (6.1.4 b)."""
        if self.mapping == 0:
            self.valid -= frozenset(mappings)
            return
        is_any = ANY_POLICY in self.valid
        mapped = [below for above, below in mappings.items() if is_any or above in self.valid]
        self.valid = (self.valid - frozenset(mappings)).union(*mapped)

    def go_below(self, facts: PolicyFacts) -> None:
        """Count down, then take over what the authority demands of those below (6.1.4 h to j)."""
        if not facts.self_issued:
            self.explicit, self.mapping, self.inhibit_any = (
                max(count - 1, 0) for count in (self.explicit, self.mapping, self.inhibit_any)
            )
        if facts.require_explicit is not None and facts.require_explicit < self.explicit:
            self.explicit, self.demanded_by = facts.require_explicit, facts.name
        if facts.inhibit_mapping is not None:
            self.mapping = min(self.mapping, facts.inhibit_mapping)
        if facts.inhibit_any is not None:
            self.inhibit_any = min(self.inhibit_any, facts.inhibit_any)


def mapping_problem(facts: PolicyFacts) -> PolicyProblem | None:
    """Return why no path through this authority keeps a policy, whatever is below it (RFC 5280 4.2.1.5, 6.1.4 a)."""
    if ANY_POLICY not in frozenset(facts.mappings).union(*facts.mappings.values()):
        return None
    return PolicyProblem(f"{facts.name} maps any policy (RFC 5280 6.1.4 a)", "issue it without that mapping")


def policy_problem(path: Sequence[PolicyFacts]) -> PolicyProblem | None:
    """Return why the last of *path* keeps no policy that is required; None where it does, or none is.

    Args:
        path: from the first certificate below the trust anchor down to the one that is judged.
    """
    counts = len(path) + 1
    state = _State(counts, counts, counts)
    for facts in path[:-1]:
        unusable = mapping_problem(facts)
        if unusable is not None:
            return unusable
        state.take(facts, is_last=False)
        state.map(facts.mappings)
        state.go_below(facts)
    above, last = state.valid, path[-1]
    state.take(last, is_last=True)
    demanded = state.explicit <= 1 or last.require_explicit == 0
    if not demanded or state.valid:
        return None
    required = f"{state.demanded_by or last.name} requires a policy (RFC 5280 6.1.5)"
    if not above:
        return PolicyProblem(f"{required}, and the authorities above leave none", "issue those with policies")
    allowed = "" if ANY_POLICY in above else f", one of {', '.join(sorted(above))}"
    return PolicyProblem(f"{required}{allowed}", "give certificate_policies")
