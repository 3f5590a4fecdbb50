# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may do what with a key: IAM policies, key policies and grants, weighed as AWS KMS weighs them."""

from __future__ import annotations

from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

from ministack.core import iam_actions, iam_evaluator
from ministack.core.iam_evaluator import AuthError, EvalContext, EvalResult, PrincipalInfo
from ministack.core.responses import get_account_id, get_region
from ministack.services import kms

from localaws.documents import Document, document_of
from localaws.grants import granted
from localaws.keys import CRYPTOGRAPHIC, Record, RefusedError, Request, account_of, check_model
from localaws.principals import role_arn

CROSS_ACCOUNT = CRYPTOGRAPHIC | {
    *("DescribeKey", "GetPublicKey", "GetKeyRotationStatus"),
    *("CreateGrant", "ListGrants", "RetireGrant", "RevokeGrant"),
}
OF_THE_REQUEST = {
    "kms:encryptionalgorithm": "EncryptionAlgorithm",
    "kms:granteeprincipal": "GranteePrincipal",
    "kms:grantoperations": "Operations",
    "kms:macalgorithm": "MacAlgorithm",
    "kms:primaryregion": "PrimaryRegion",
    "kms:replicaregion": "ReplicaRegion",
    "kms:retiringprincipal": "RetiringPrincipal",
    "kms:signingalgorithm": "SigningAlgorithm",
}
OF_THE_KEY = {
    "kms:keyorigin": ("Origin", "AWS_KMS"),
    "kms:keyspec": ("KeySpec", "SYMMETRIC_DEFAULT"),
    "kms:keyusage": ("KeyUsage", "ENCRYPT_DECRYPT"),
    "kms:multiregion": ("MultiRegion", False),
}
DEFAULTS = {
    **dict.fromkeys(("Sign", "Verify"), ("kms:messagetype", "MessageType", "RAW")),
    "ScheduleKeyDeletion": ("kms:schedulekeydeletionpendingwindowindays", "PendingWindowInDays", 30),
    **dict.fromkeys(
        ("CreateKey", "PutKeyPolicy", "ReplicateKey"),
        ("kms:bypasspolicylockoutsafetycheck", "BypassPolicyLockoutSafetyCheck", False),
    ),
}
ROOT = [iam_evaluator.parse_policy_document({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})]
SERVICE_LINKED_ROLE = "role/aws-service-role/mrk.kms.amazonaws.com/AWSServiceRoleForKeyManagementServiceMultiRegionKeys"
ELSEWHERE = (
    "on this resource because the resource does not exist in this Region, no resource-based policies allow access, "
    "or a resource-based policy explicitly denies access"
)
REQUEST = "localaws:request"
caller: ContextVar[PrincipalInfo] = ContextVar("caller")


@dataclass(frozen=True)
class Permission:
    """One thing a request needs: an action, on a resource, and the key whose policy has its say."""

    action: str
    resource: str
    key: Record | None = None


def permissions(request: Request, resource: str) -> Iterator[Permission]:
    """List what a request needs; *resource* stands for a key that does not exist."""
    operation, data = request.operation, request.data
    action, here = f"kms:{operation}", f"arn:aws:kms:{get_region()}:{get_account_id()}"
    if operation == "CreateKey":
        yield Permission(action, "*")
        if data.get("Tags"):
            yield Permission("kms:TagResource", f"{here}:key/*")
        if data.get("MultiRegion"):
            slr = f"arn:aws:iam::{get_account_id()}:{SERVICE_LINKED_ROLE}"
            yield Permission("iam:CreateServiceLinkedRole", slr)
        return
    if operation == "ListAliases":  # of a key too: key policies have no say
        yield Permission(action, "*")
        return
    if "AliasName" in data:
        yield Permission(action, f"{here}:{data['AliasName']}")
    if operation == "UpdateAlias" and (old := request.aliased_key):
        yield Permission(action, old["Arn"], old)
    if key := request.found_key:
        yield Permission(action, key["Arn"], key)
    elif "AliasName" not in data:
        yield Permission(action, resource)


def conditions(request: Request, key: Record | None, account: str) -> dict[str, Any]:
    """Return the condition keys of KMS that this request has."""
    data = request.data
    found: dict[str, Any] = {name: data.get(member) for name, member in OF_THE_REQUEST.items()}
    if key or request.operation == "CreateKey":
        source = key or data
        found |= {name: source.get(member, default) for name, (member, default) in OF_THE_KEY.items()}
    if request.operation in DEFAULTS:
        name, member, default = DEFAULTS[request.operation]
        found[name] = data.get(member, default)
    found["kms:calleraccount"] = account
    found["kms:requestalias"] = request.alias
    for tag in (key or {}).get("Tags", []):
        found[f"aws:resourcetag/{tag['TagKey']}".lower()] = tag["TagValue"]
    return {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in found.items()
        if value is not None
    }


def aliases_of(key: Record) -> list[str]:
    """Return the names of a key's aliases."""
    owned = kms._aliases.items_scoped(account_of(key), get_region())
    return [arn.rpartition(":")[2] for arn, key_id in owned if key_id == key["KeyId"]]


def context_of(principal: PrincipalInfo, action: str, resource: str, keys: dict[str, Any]) -> EvalContext:
    """Return what policies are held against."""
    return EvalContext(
        principal_arn=principal.arn,
        principal_type=principal.type,
        principal_account=principal.account,
        action=action,
        resource_arn=resource,
        region=get_region(),
        service_context=keys,
        principal_keys=principal.keys,
    )


def enforce(principal: PrincipalInfo, request: Request, resource: str, given: dict[str, Any]) -> None:
    """Refuse what the caller may not do.

    Raises:
        RefusedError: AccessDeniedException, in AWS's words.
    """
    for needed in permissions(request, resource):
        keys = {**given, **conditions(request, needed.key, principal.account)}
        asked = context_of(principal, needed.action, needed.resource, keys)
        if reason := denial(principal, asked, request, needed.key):
            said = f"User: {principal.arn} is not authorized to perform: {needed.action} {reason}"
            raise RefusedError("AccessDeniedException", said)


def denial(principal: PrincipalInfo, asked: EvalContext, request: Request, key: Record | None) -> str | None:
    """Say why the caller may not, or nothing."""
    on = f"on resource: {asked.resource_arn}"
    identity = _iam_decision(principal, asked, key)
    if identity.decision == "Deny":
        return f"{on} with an explicit deny in an identity-based policy"
    if key is None:
        return None if identity.decision == "Allow" else _lacking(asked, "identity")
    document, owner = document_of(key), account_of(key)
    resource = iam_evaluator.evaluate_resource_policy(document, asked)
    if resource.decision == "Deny":
        return f"{on} with an explicit deny in a resource-based policy"
    if granted(principal.arn, request, key):
        return None
    if owner != principal.account:
        both = identity.decision == resource.decision == "Allow"
        return None if both and request.operation in CROSS_ACCOUNT else ELSEWHERE
    combined = iam_evaluator.combine_resource_policy(identity, asked, document, owner, True, tuple(principal.limits))
    if combined.decision == "Allow":
        return None
    return _lacking(asked, "identity" if resource.decision == "Allow" else "resource")


def _iam_decision(principal: PrincipalInfo, asked: EvalContext, key: Record | None) -> EvalResult:
    """Weigh IAM's policies, which alone know all aliases of a key."""
    aliases = {"kms:resourcealiases": aliases_of(key) or None} if key else {}
    told = replace(asked, service_context={**asked.service_context, **aliases})
    return iam_evaluator.evaluate(told, ROOT if principal.policies is None else principal.policies, *principal.limits)


def _lacking(asked: EvalContext, kind: str) -> str:
    return f"on resource: {asked.resource_arn} because no {kind}-based policy allows the {asked.action} action"


def check_lockout(request: Request) -> None:
    """Refuse a key policy under which its writer could not write the next one."""
    data = request.data
    if "Policy" not in data or data.get("BypassPolicyLockoutSafetyCheck"):
        return
    writer = caller.get()
    arn = request.known_key["Arn"] if request.key else f"arn:aws:kms:{get_region()}:{get_account_id()}:key/new"
    document: Document = document_of({"Policy": data["Policy"]})
    asked = context_of(writer, "kms:PutKeyPolicy", arn, conditions(request, request.key, writer.account))
    if iam_evaluator.evaluate_resource_policy(document, asked).decision != "Allow":
        reason = "The new key policy will not allow you to update the key policy in the future."
        raise RefusedError("MalformedPolicyDocumentException", reason)


def install() -> None:
    """Let KMS decide for itself who may, and `aws:PrincipalArn` be a session's role everywhere."""
    enforce_others, context_others = iam_evaluator.enforce, iam_actions.request_tag_context
    resolve_others = iam_evaluator._resolve_condition_key

    def request_tag_context(service: str, iam_action: str, body: bytes, params: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = context_others(service, iam_action, body, params)
        return {**found, REQUEST: Request.parse(iam_action.partition(":")[2], body)} if service == "kms" else found

    def enforce_all(
        access_key_id: str,
        iam_action: str,
        service: str,
        region: str,
        resource_arn: str = "*",
        service_context: dict[str, Any] | None = None,
    ) -> EvalResult | AuthError | None:
        given = {name.lower(): value for name, value in (service_context or {}).items()}
        request = given.pop(REQUEST, None)
        if request is None:
            return enforce_others(access_key_id, iam_action, service, region, resource_arn, service_context)
        # An action that nobody is denied, so that what is left to fail is the signature.
        principal = enforce_others(access_key_id, "sts:GetCallerIdentity", service, region)
        principal = principal or iam_evaluator.resolve_principal(access_key_id or "", get_account_id())
        if isinstance(principal, AuthError):
            return principal
        caller.set(principal)
        check_model(request)
        enforce(principal, request, resource_arn, given)
        return None

    def resolve_condition_key(key: str, context: EvalContext) -> Any:
        name = key.lower()
        if name == "aws:principalarn":
            return role_arn(context.principal_arn)
        if name == "aws:principaltype" and context.principal_type == "Root":
            return "Account"
        return resolve_others(key, context)

    iam_evaluator.enforce = enforce_all
    iam_evaluator._resolve_condition_key = resolve_condition_key
    iam_actions.request_tag_context = request_tag_context
