# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""iam:SimulateCustomPolicy: what policies would decide, told the context of a request and nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from ministack.core import iam_evaluator
from ministack.core.iam_evaluator import EvalContext
from ministack.core.responses import get_account_id, get_region
from ministack.services import iam

from localaws.documents import Document, statements_of
from localaws.keys import RefusedError, Reply

Params = Mapping[str, Any]
CALLERS = (":user/", ":group/", ":role/")
SID = re.compile(r"[0-9A-Za-z]*")
DECISIONS = {"Allow": "allowed", "Deny": "explicitDeny", "ImplicitDeny": "implicitDeny"}
told: ContextVar[Mapping[str, list[str]] | None] = ContextVar("told", default=None)
"""The context of the request that is simulated, keys in lower case; nothing for a request that is real."""


@dataclass(frozen=True)
class Simulation:
    """What one call asks to be simulated."""

    actions: list[str]
    resources: list[str]
    policies: list[Document]
    boundary: list[Document]
    resource_policy: Document | None
    caller: str
    owner: str
    context: Mapping[str, list[str]]

    @property
    def missing(self) -> list[str]:
        """Name the condition keys of the policies that the call says nothing of."""
        documents = [*self.policies, *self.boundary, *([self.resource_policy] if self.resource_policy else [])]
        keys = {
            key
            for document in documents
            for statement in statements_of(document)
            for tests in statement.get("Condition", {}).values()
            for key in tests
        }
        return sorted(key for key in keys if key.lower() not in self.context)

    def decide(self, action: str, resource: str) -> str:
        """Return what the policies decide of one action on one resource."""
        account = self.caller.split(":")[4] if self.caller else get_account_id()
        asked = EvalContext(self.caller, "User", account, action, resource, get_region())
        limits = (_parsed(self.boundary),) if self.boundary else ()
        found = iam_evaluator.evaluate(asked, _parsed(self.policies), *limits)
        if self.resource_policy is not None:
            owner = (resource.split(":") + [""] * 5)[4] or self.owner or account
            found = iam_evaluator.combine_resource_policy(found, asked, self.resource_policy, owner, False, limits)
        return DECISIONS[found.decision]


def _parsed(documents: list[Document]) -> list[list[Any]]:
    return [iam_evaluator.parse_policy_document(document) for document in documents]


def _members(params: Params, name: str) -> list[str]:
    """Return a list as the query protocol writes it."""
    found, number = [], 1
    while value := iam._p(params, f"{name}.member.{number}"):
        found.append(value)
        number += 1
    return found


def _invalid(message: str) -> RefusedError:
    return RefusedError("InvalidInput", message)


def _document(text: str, *, principal: bool) -> Document:
    """Read one policy, which names principals or must not."""
    problem = iam_evaluator.validate_policy_document(text)
    if problem:
        raise _invalid(f"Policy is malformed: {problem}")
    document: Document = json.loads(text)
    if any(bool({"Principal", "NotPrincipal"} & set(each)) is not principal for each in statements_of(document)):
        said = "must name principals" if principal else "must not name principals"
        raise _invalid(f"Policy is malformed: its statements {said}.")
    sids = [str(each["Sid"]) for each in statements_of(document) if "Sid" in each]
    if not principal and (not all(SID.fullmatch(sid) for sid in sids) or len(set(sids)) != len(sids)):
        raise _invalid("Statement IDs (SID) in a single policy must be unique, and alpha-numeric: [0-9A-Za-z]*")
    return document


def _context(params: Params) -> dict[str, list[str]]:
    found, number = {}, 1
    while name := iam._p(params, f"ContextEntries.member.{number}.ContextKeyName"):
        found[name.lower()] = _members(params, f"ContextEntries.member.{number}.ContextKeyValues")
        number += 1
    return found


def read(params: Params) -> Simulation:
    """Return what a call asks for.

    Raises:
        RefusedError: InvalidInput, where AWS would say so.
    """
    actions, resources = _members(params, "ActionNames"), _members(params, "ResourceArns") or ["*"]
    caller, policy = iam._p(params, "CallerArn"), iam._p(params, "ResourcePolicy")
    if wrong := [action for action in actions if ":" not in action or "*" in action]:
        raise _invalid(f"Invalid Entity Action: {', '.join(wrong)}")
    if wrong := [arn for arn in resources if arn != "*" and not arn.startswith("arn:")]:
        raise _invalid(f"ResourceNames are not in a valid ARN format: {', '.join(wrong)}.")
    if caller and not any(kind in caller for kind in CALLERS):
        raise _invalid(f"Invalid Entity Arn: {caller}")
    if policy and ":user/" not in caller:
        raise _invalid("Invalid caller - Caller must be an IAM user in this context.")
    return Simulation(
        actions,
        resources,
        [_document(text, principal=False) for text in _members(params, "PolicyInputList")],
        [_document(text, principal=False) for text in _members(params, "PermissionsBoundaryPolicyInputList")],
        _document(policy, principal=True) if policy else None,
        caller,
        (iam._p(params, "ResourceOwner") or "::::").split(":")[4],
        _context(params),
    )


def _result(simulation: Simulation, action: str) -> str:
    decided = {resource: simulation.decide(action, resource) for resource in simulation.resources}
    missing = "".join(f"<member>{escape(key)}</member>" for key in simulation.missing)
    rest = f"<MatchedStatements/><MissingContextValues>{missing}</MissingContextValues>"
    each = "".join(
        f"<member><EvalResourceName>{escape(resource)}</EvalResourceName>"
        f"<EvalResourceDecision>{decision}</EvalResourceDecision>{rest}</member>"
        for resource, decision in decided.items()
    )
    worst = next((one for one in ("explicitDeny", "implicitDeny") if one in decided.values()), "allowed")
    return (
        f"<member><EvalActionName>{escape(action)}</EvalActionName><EvalResourceName>"
        f"{escape(simulation.resources[0])}</EvalResourceName><EvalDecision>{worst}</EvalDecision>{rest}"
        f"<ResourceSpecificResults>{each}</ResourceSpecificResults></member>"
    )


def simulate(params: Params) -> Reply:
    """Answer SimulateCustomPolicy."""
    try:
        simulation = read(params)
    except RefusedError as refused:
        error: Reply = iam._error(400, refused.code, escape(str(refused)), ns="iam")
        return error
    token = told.set(simulation.context)
    try:
        results = "".join(_result(simulation, action) for action in simulation.actions)
    finally:
        told.reset(token)
    inner = (
        f"<SimulateCustomPolicyResult><EvaluationResults>{results}</EvaluationResults>"
        "<IsTruncated>false</IsTruncated></SimulateCustomPolicyResult>"
    )
    reply: Reply = iam._xml(200, "SimulateCustomPolicyResponse", inner, ns="iam")
    return reply


def install() -> None:
    """Let a simulation know of the request what it was told, and nothing of the real one."""
    resolve_others = iam_evaluator._resolve_condition_key

    def resolve_condition_key(key: str, context: EvalContext) -> Any:
        given = told.get()
        if given is None:
            return resolve_others(key, context)
        values = given.get(key.lower())
        return values[0] if values and len(values) == 1 else values

    iam_evaluator._resolve_condition_key = resolve_condition_key
    iam._IAM_HANDLERS["SimulateCustomPolicy"] = simulate
