# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finding out by their policies what roles may do with a key, where trying would change something."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from .._keys.access_probes import SIMULATED, UNTESTED, Expectation, Finding, Verdict, how_to_try
from .._keys.description import KeyDescription
from .._keys.policy import statements_of
from .._keys.simulation import (
    NOTHING,
    Decision,
    Document,
    RolePolicies,
    Subject,
    context_of,
    of_kms,
    parts_of,
    relevant,
    to_document,
    weigh,
)
from .._pki.errors import PkiError


class PolicyJudge(Protocol):
    """Knows the policies of roles and what policies decide."""

    def role_policies(self, role_name: str) -> RolePolicies:
        """Return the policies of a role of this account."""

    def simulate(
        self,
        documents: Sequence[Mapping[str, Any]],
        boundary: Mapping[str, Any] | None,
        actions: Sequence[str],
        resource: str,
        context: Mapping[str, str],
    ) -> dict[str, Decision]:
        """Return what policies decide of each action on one resource."""


@dataclass(frozen=True)
class Simulator:
    """What is needed to simulate.

    Attributes:
        policy: reads the key policy.
    """

    judge: PolicyJudge
    policy: Callable[[], Document]


def simulated(
    key: KeyDescription, expectations: Sequence[Expectation], findings: Sequence[Finding], simulator: Simulator
) -> list[Finding]:
    """Return *findings* with those simulated that were not tried; roles of other accounts stay untested."""
    verdicts = {each.role_arn: _verdicts(key, each, findings, simulator) for each in expectations}
    return [
        replace(each, how=SIMULATED, verdict=verdicts[each.role_arn][each.action])
        if each.action in verdicts[each.role_arn]
        else each
        for each in findings
    ]


def _verdicts(
    key: KeyDescription, role: Expectation, findings: Sequence[Finding], simulator: Simulator
) -> dict[str, Verdict]:
    """Return what is to be said of the actions of one role that nobody tried."""
    actions = [
        each.action
        for each in findings
        if each.role_arn == role.role_arn and how_to_try(each.action, key.key_usage, key.key_spec) == UNTESTED
    ]
    subject = Subject(role.role_arn, role.session_name)
    if not actions or subject.account != key.account:
        return {}
    try:
        return judge(key, subject, actions, simulator)
    except PkiError as exc:
        return dict.fromkeys(actions, Verdict(UNTESTED, str(exc)))


def judge(key: KeyDescription, subject: Subject, actions: Sequence[str], simulator: Simulator) -> dict[str, Verdict]:
    """Return what AWS KMS would say to each action by the policies of the key and of the role."""
    policies = simulator.judge.role_policies(subject.role_name)
    parts, context = parts_of(simulator.policy(), subject), context_of(key, subject)
    boundary = policies.boundary
    own = [document for each in policies.documents if (document := of_kms(each))]

    def decide(documents: Sequence[Document], limit: Document | None) -> dict[str, Decision]:
        if not documents:
            return dict.fromkeys(actions, NOTHING)
        found = simulator.judge.simulate(documents, limit, actions, key.arn, context)
        weighed = [*documents, *([limit] if limit else [])]
        statements = [statement for document in weighed for statement in statements_of(document)]
        return {action: relevant(found.get(action, NOTHING), statements, action) for action in actions}

    named = decide([to_document(parts.named)] if parts.named else [], boundary)
    delegated = decide([to_document(parts.delegated)] if parts.delegated else [], None)
    identity = decide(own, boundary)
    return {action: weigh(named[action], delegated[action], identity[action]) for action in actions}
