# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What IAM knows of roles, and what it says policies would decide."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._keys.policy import policy_text
from .._keys.simulation import Decision, RolePolicies
from .errors import ask, ask_pages

BOOLEANS = ("true", "false")


@dataclass(frozen=True)
class IamPolicies:
    """Fits the operations' PolicyJudge by shape; give it a client of IAM in the account of the roles."""

    client: Any

    def role_policies(self, role_name: str) -> RolePolicies:
        """Return the policies of a role."""
        return role_policies(self.client, role_name)

    def simulate(
        self,
        documents: Sequence[Mapping[str, Any]],
        boundary: Mapping[str, Any] | None,
        actions: Sequence[str],
        resource: str,
        context: Mapping[str, str],
    ) -> dict[str, Decision]:
        """Return what policies would decide of each action."""
        return simulate(self.client, documents, boundary, actions, resource, context)


def role_policies(client: Any, role_name: str) -> RolePolicies:
    """Return the policies of a role and its boundary.

    Needs iam:GetRole, iam:ListRolePolicies, iam:GetRolePolicy, iam:ListAttachedRolePolicies, iam:GetPolicy and
    iam:GetPolicyVersion.
    """
    about = f"role {role_name}"
    boundary = ask(client, "GetRole", about, RoleName=role_name)["Role"].get("PermissionsBoundary")
    inline = [
        _document(ask(client, "GetRolePolicy", about, RoleName=role_name, PolicyName=name)["PolicyDocument"])
        for page in ask_pages(client, "ListRolePolicies", about, RoleName=role_name)
        for name in page["PolicyNames"]
    ]
    attached = [
        managed_policy(client, policy["PolicyArn"])
        for page in ask_pages(client, "ListAttachedRolePolicies", about, RoleName=role_name)
        for policy in page["AttachedPolicies"]
    ]
    limit = managed_policy(client, boundary["PermissionsBoundaryArn"]) if boundary else None
    return RolePolicies((*inline, *attached), limit)


def managed_policy(client: Any, arn: str) -> dict[str, Any]:
    """Return the version of a managed policy that is in force (iam:GetPolicy, iam:GetPolicyVersion)."""
    version = ask(client, "GetPolicy", arn, PolicyArn=arn)["Policy"]["DefaultVersionId"]
    found = ask(client, "GetPolicyVersion", arn, PolicyArn=arn, VersionId=version)
    return _document(found["PolicyVersion"]["Document"])


def simulate(
    client: Any,
    documents: Sequence[Mapping[str, Any]],
    boundary: Mapping[str, Any] | None,
    actions: Sequence[str],
    resource: str,
    context: Mapping[str, str],
) -> dict[str, Decision]:
    """Return what policies would decide of each action on one resource (iam:SimulateCustomPolicy).

    Args:
        context: condition keys of the requests, with their values.
    """
    limits = {"PermissionsBoundaryPolicyInputList": [policy_text(boundary)]} if boundary is not None else {}
    pages = ask_pages(
        client,
        "SimulateCustomPolicy",
        resource,
        PolicyInputList=[policy_text(document) for document in documents],
        ActionNames=list(actions),
        ResourceArns=[resource],
        ContextEntries=[_entry(name, value) for name, value in context.items()],
        **limits,
    )
    asked = {action.lower(): action for action in actions}  # IAM may write them its own way
    return {
        asked[each["EvalActionName"].lower()]: _decision(each) for page in pages for each in page["EvaluationResults"]
    }


def _decision(result: Mapping[str, Any]) -> Decision:
    parts = [result, *result.get("ResourceSpecificResults", ())]
    missing = {str(key) for part in parts for key in part.get("MissingContextValues", ())}
    return Decision(str(result["EvalDecision"]), tuple(sorted(missing)))


def _entry(name: str, value: str) -> dict[str, Any]:
    kind = "boolean" if value in BOOLEANS else "numeric" if value.isdigit() and name.endswith("InDays") else "string"
    return {"ContextKeyName": name, "ContextKeyValues": [value], "ContextKeyType": kind}


def _document(found: Any) -> dict[str, Any]:
    """Return a policy as boto3 gives it, decoded or as text."""
    document: dict[str, Any] = json.loads(found) if isinstance(found, str) else found
    return document
