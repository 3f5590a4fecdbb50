# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a certificate keeps a policy that the authorities above require (RFC 5280 6.1.3 d to f, 6.1.4 h to j)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

ANY_POLICY = "2.5.29.32.0"


@dataclass(frozen=True)
class PolicyFacts:
    """What one certificate of a path says of policies.

    Attributes:
        policies: OIDs of certificatePolicies; None without that extension.
        require_explicit, inhibit_any: skip counts; None where there is none.
        maps: it has policyMappings, whose effect is not judged here.
    """

    name: str
    self_issued: bool = False
    policies: frozenset[str] | None = None
    require_explicit: int | None = None
    inhibit_any: int | None = None
    maps: bool = False


@dataclass
class _State:
    """The variables of RFC 5280 6.1.2; *valid* is None while every policy is."""

    explicit: int
    inhibit_any: int
    valid: frozenset[str] | None = None
    demanded_by: str = ""

    def take(self, facts: PolicyFacts, is_last: bool) -> None:
        """Intersect what was valid above with the policies of one certificate (6.1.3 d and e)."""
        given = facts.policies or frozenset()
        any_counts = ANY_POLICY in given and (self.inhibit_any > 0 or (facts.self_issued and not is_last))
        named = given - {ANY_POLICY}
        if any_counts:
            return
        self.valid = named if self.valid is None else named & self.valid

    def go_below(self, facts: PolicyFacts) -> None:
        """Count down, then take over what the authority demands of those below (6.1.4 h to j)."""
        if not facts.self_issued:
            self.explicit, self.inhibit_any = max(self.explicit - 1, 0), max(self.inhibit_any - 1, 0)
        self.demand(facts)
        if facts.inhibit_any is not None:
            self.inhibit_any = min(self.inhibit_any, facts.inhibit_any)

    def demand(self, facts: PolicyFacts) -> None:
        if facts.require_explicit is not None and facts.require_explicit < self.explicit:
            self.explicit, self.demanded_by = facts.require_explicit, facts.name


def policy_problem(path: Sequence[PolicyFacts]) -> str:
    """Return why the last of *path* keeps no policy that is required; empty where it does, or none is.

    Args:
        path: from the first certificate below the trust anchor down to the one that is judged.
    """
    state = _State(len(path) + 1, len(path) + 1)
    for facts in path[:-1]:
        if facts.maps:
            return ""
        state.take(facts, is_last=False)
        state.go_below(facts)
    above, last = state.valid, path[-1]
    state.take(last, is_last=True)
    demanded = state.explicit <= 1 or last.require_explicit == 0
    if not demanded or state.valid is None or state.valid:
        return ""
    who = state.demanded_by or last.name
    if above is not None and not above:
        return (
            f"{who} requires a policy (RFC 5280 6.1.5), and the authorities above leave none; issue those with policies"
        )
    allowed = f", one of {', '.join(sorted(above))}" if above else ""
    return f"{who} requires a policy (RFC 5280 6.1.5){allowed}; give certificate_policies"
