# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Grants: whom they let do what, and what they look like once their grantee is deleted."""

from __future__ import annotations

from typing import Any

from ministack.core.iam_evaluator import _principal_matches
from ministack.core.responses import get_region
from ministack.services import kms

from localaws.keys import Amendment, Record, RefusedError, Request, account_of
from localaws.principals import exists, ids_of, shown

Grant = dict[str, Any]


def granted(principal_arn: str, request: Request, key: Record) -> bool:
    """Say whether a grant on the key lets the principal do what it asks."""
    return any(
        grant["KeyId"] == key["Arn"] and _allows(grant, principal_arn, request)
        for grant in kms._grants.values_scoped(account_of(key), get_region())
    )


def _allows(grant: Grant, principal_arn: str, request: Request) -> bool:
    operation, data = request.operation, request.data
    is_grantee = _names(grant, "GranteePrincipal", principal_arn)
    if operation == "RetireGrant":
        asked = data.get("GrantToken") in grant["_tokens"] or data.get("GrantId") == grant["GrantId"]
        may_retire = is_grantee and operation in grant["Operations"]
        return asked and (may_retire or _names(grant, "RetiringPrincipal", principal_arn))
    if operation == "CreateGrant" and not set(data.get("Operations", ())) <= set(grant["Operations"]):
        return False
    return is_grantee and operation in grant["Operations"] and _within_constraints(grant, data)


def _names(grant: Grant, member: str, principal_arn: str) -> bool:
    named = {"AWS": shown(grant.get(member) or "", grant["_principals"])}
    return bool(_principal_matches(named, principal_arn))


def _within_constraints(grant: Grant, data: dict[str, Any]) -> bool:
    constraints, context = grant.get("Constraints") or {}, data.get("EncryptionContext", {})
    subset = constraints.get("EncryptionContextSubset", {})
    return bool(constraints.get("EncryptionContextEquals", context) == context and subset.items() <= context.items())


def check_grant(request: Request) -> None:
    """Refuse tokens that are none and principals that are not there."""
    data = request.data
    known = {token for grant in kms._grants.all_values() for token in grant["_tokens"]}
    if not set(data.get("GrantTokens", ())) <= known:
        raise RefusedError("InvalidGrantTokenException", "Invalid grant token.")
    for principal in (data.get("GranteePrincipal"), data.get("RetiringPrincipal")):
        if request.operation == "CreateGrant" and principal and not exists(principal):
            raise RefusedError("InvalidArnException", f"ARN does not refer to a valid principal: {principal}")


def keep_principals(_request: Request, answer: dict[str, Any]) -> dict[str, Any]:
    """Remember whom the grant meant, after it was made."""
    grant: Grant = kms._grants[answer["GrantId"]]
    named = [grant[member] for member in ("GranteePrincipal", "RetiringPrincipal") if grant.get(member)]
    grant.setdefault("_principals", ids_of(named))
    return answer


def show_grants(_request: Request, answer: dict[str, Any]) -> dict[str, Any]:
    for entry in answer["Grants"]:
        kept = kms._grants[entry["GrantId"]]["_principals"]
        entry["GranteePrincipal"] = shown(entry["GranteePrincipal"], kept)
    return answer


AMENDMENTS: dict[str, Amendment] = {"CreateGrant": keep_principals, "ListGrants": show_grants}
