# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What AWS tells afterwards: CloudTrail events, the last use of a key, the new primary Region."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import ministack.app
from ministack.core.iam_evaluator import PrincipalInfo, _role_name_from_assumed_arn
from ministack.core.responses import _service_model, get_region, request_scope
from ministack.core.router import extract_access_key_id
from ministack.services import cloudtrail, iam, kms

from localaws.keys import (
    CRYPTOGRAPHIC,
    Handler,
    Record,
    RefusedError,
    Reply,
    Request,
    account_of,
    is_operation,
    key_at,
    to_reply,
)
from localaws.policies import caller
from localaws.principals import role_arn

Event = dict[str, Any]
READING = ("Describe", "Get", "List")


def identity_of(principal: PrincipalInfo, access_key_id: str) -> Event:
    """Return who it was, as CloudTrail words it."""
    entity = principal.arn.rpartition("/")[2]
    found: Event = {
        "type": {"User": "IAMUser"}.get(principal.type, principal.type),
        "principalId": principal.keys["aws:userid"],
        "arn": principal.arn,
        "accountId": principal.account,
        "accessKeyId": access_key_id,
    }
    if principal.type == "User":
        found["userName"] = entity
    if principal.type == "AssumedRole":
        name = _role_name_from_assumed_arn(principal.arn)
        role = iam._roles.get_scoped(principal.account, None, name) or {}
        issuer = {"type": "Role", "principalId": role.get("RoleId", ""), "arn": role_arn(principal.arn)}
        issued = principal.keys.get("aws:tokenissuetime", "")
        found["sessionContext"] = {
            "sessionIssuer": {**issuer, "accountId": principal.account, "userName": name},
            "attributes": {"creationDate": issued, "mfaAuthenticated": "false"},
        }
    return found


def parameters_of(request: Request) -> Event | None:
    """Return what was asked, without messages, signatures and ciphertexts."""
    members = _service_model("kms").operation_model(request.operation).input_shape.members
    told = {
        f"{name[:1].lower()}{name[1:]}": value
        for name, value in request.data.items()
        if name in members and members[name].type_name != "blob"
    }
    return told or None


def record(request: Request, principal: PrincipalInfo, reply: Reply, headers: dict[str, str], request_id: str) -> None:
    """Write the CloudTrail event of a call to KMS, refused or not, and remember the use of the key."""
    answer, key = json.loads(reply[2]), request.found_key
    reads = request.operation in CRYPTOGRAPHIC or request.operation.startswith(READING)
    told: Event = {
        "userIdentity": identity_of(principal, extract_access_key_id(headers)),
        "requestParameters": parameters_of(request),
        "responseElements": None if reads or reply[0] != 200 else answer or None,
        "readOnly": reads,
        "managementEvent": True,
        "eventCategory": "Management",
    }
    if reply[0] != 200:
        code = answer["__type"]
        told["errorCode"] = "AccessDenied" if code == "AccessDeniedException" else code
        told["errorMessage"] = answer["message"]
    if key:
        told["resources"] = [{"accountId": account_of(key), "type": "AWS::KMS::Key", "ARN": key["Arn"]}]
    for account in sorted({principal.account, account_of(key) if key else principal.account}):
        with request_scope(account, get_region()):
            event_id = _write(request.operation, told, headers, request_id)
    if key and reply[0] == 200 and request.operation in CRYPTOGRAPHIC:
        used = {"Operation": request.operation, "Timestamp": int(time.time())}
        key["_last_usage"] = {**used, "CloudTrailEventId": event_id, "KmsRequestId": request_id}


def _write(operation: str, told: Event, headers: dict[str, str], request_id: str) -> str:
    identity, resources = told["userIdentity"], told.get("resources", [])
    cloudtrail.record_event(
        service="kms",
        event_name=operation,
        username=identity["arn"].rpartition("/")[2].rpartition(":")[2],
        access_key_id=identity["accessKeyId"],
        resources=[{"ResourceType": item["type"], "ResourceName": item["ARN"]} for item in resources],
        region=get_region(),
        request_id=request_id,
        user_agent=headers.get("user-agent", ""),
        request_params={},
        method="POST",
    )
    entry = cloudtrail._get_event_queue()[-1]
    event = {**json.loads(entry["CloudTrailEvent"]), **told}
    entry.update(ReadOnly=str(told["readOnly"]).lower(), CloudTrailEvent=json.dumps(event))
    return str(entry["EventId"])


def age(arn: str, days: float) -> None:
    """Let a key have been made, and used last, that much earlier."""
    key = key_at(arn)
    key["CreationDate"] -= int(days * 86_400)
    if "_last_usage" in key:
        key["_last_usage"]["Timestamp"] -= int(days * 86_400)


def get_key_last_usage(request: Request) -> Reply:
    key = request.known_key
    created = dict.fromkeys(("KeyCreationDate", "TrackingStartDate"), key["CreationDate"])
    return to_reply({"KeyId": key["Arn"], **created, "KeyLastUsage": key.get("_last_usage", {})})


def update_primary_region(request: Request) -> Reply:
    """Make a replica the primary, and the primary a replica."""
    key, region = request.known_key, request.data["PrimaryRegion"]
    members: dict[str, Record] = dict(kms._mrk_members(key))
    if region not in members:
        arn = key["Arn"].replace(f":{get_region()}:", f":{region}:")
        raise RefusedError("NotFoundException", f"Key '{arn}' does not exist")
    for place, member in members.items():
        member["_mrk_primary_region"] = region
        member["_mrk_type"] = "PRIMARY" if place == region else "REPLICA"
    return to_reply({})


HANDLERS: dict[str, Handler] = {"GetKeyLastUsage": get_key_last_usage, "UpdatePrimaryRegion": update_primary_region}


def install() -> None:
    """Record what happens at KMS as AWS does, in place of what ministack notes."""
    dispatch_others: Callable[..., Awaitable[Reply]] = ministack.app._dispatch_service_request
    record_others = ministack.app._maybe_record_cloudtrail

    async def dispatch(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any], request_id: str
    ) -> Reply:
        try:
            reply = await dispatch_others(method, path, headers, body, query, request_id)
        except RefusedError as refused:
            reply = refused.reply()
        target, _unused, operation = headers.get("x-amz-target", "").partition(".")
        if target == "TrentService" and is_operation(operation) and caller.get(None):
            record(Request.parse(operation, body), caller.get(), reply, headers, request_id)
        return reply

    def maybe_record(service: str, *rest: Any) -> None:
        if service != "kms":
            record_others(service, *rest)

    ministack.app._dispatch_service_request = dispatch
    ministack.app._maybe_record_cloudtrail = maybe_record
