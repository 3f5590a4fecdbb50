# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""KMS as ministack has it, with AWS's own checks in AWS's own order before each operation."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ministack.core import iam_actions
from ministack.core.arn import ArnParseError, parse_arn
from ministack.core.responses import (
    _service_model,
    error_response_json,
    get_account_id,
    get_region,
    json_response,
    request_scope,
)
from ministack.services import kms

Record = dict[str, Any]
Reply = tuple[int, dict[str, str], bytes]

CRYPTOGRAPHIC = frozenset(
    {"Sign", "Verify", "Encrypt", "Decrypt", "ReEncrypt", "GenerateMac", "VerifyMac", "DeriveSharedSecret"}
    | {f"GenerateDataKey{kind}" for kind in ("", "WithoutPlaintext", "Pair", "PairWithoutPlaintext")}
)
TAKE_ALIASES = CRYPTOGRAPHIC | {"DescribeKey", "GetPublicKey"}
WORDLESS = frozenset({"InvalidCiphertextException", "KMSInvalidMacException", "KMSInvalidSignatureException"})
JSON_TYPES: dict[str, Any] = {
    "structure": dict,
    "map": dict,
    "list": list,
    "string": str,
    "blob": str,
    "integer": int,
    "boolean": bool,
}
OTHER_WORDS = {
    "ValidTo is required when ExpirationModel is KEY_MATERIAL_EXPIRES.": (
        "A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES"
    )
}
KEY_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32}")


class RefusedError(Exception):
    """KMS refuses a request: the error code, and the sentence it gives."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(message)
        self.code = code

    def reply(self) -> Reply:
        reply: Reply = error_response_json(self.code, str(self), 400)
        return reply


@dataclass(frozen=True)
class Request:
    """One request to KMS, as the caller sent it."""

    operation: str
    data: dict[str, Any]

    @classmethod
    def parse(cls, operation: str, body: bytes) -> Request:
        try:
            data = json.loads(body or b"{}")
        except ValueError:
            data = None
        if not isinstance(data, dict):
            raise RefusedError("SerializationException", "The request is no JSON object.")
        return cls(operation, data)

    @cached_property
    def key(self) -> Record | None:
        """The key it is about, wherever it lives; none where it is about none.

        Raises:
            RefusedError: it names a key that does not exist, or in a way this operation does not take.
        """
        identifier = self.data.get("KeyId") or self.data.get("TargetKeyId") or self._implied_key()
        if identifier:
            return find_key(identifier, self.operation in TAKE_ALIASES)
        return self.aliased_key

    @property
    def found_key(self) -> Record | None:
        """The key it is about, if it can be found."""
        try:
            return self.key
        except RefusedError:
            return None

    @property
    def aliased_key(self) -> Record | None:
        """The key that the alias it manages stands for now."""
        target = kms._aliases.get(kms._alias_arn(self.data.get("AliasName", "")))
        return kms._keys.get(target) if target else None

    @property
    def alias(self) -> str | None:
        """The alias by which it names the key to use."""
        name = str(self.data.get("KeyId", "")).rpartition(":")[2]
        return name if name.startswith("alias/") else None

    def _implied_key(self) -> str | None:
        """The key of a grant's token or of a symmetric ciphertext."""
        if token := self.data.get("GrantToken"):
            return next((grant["KeyId"] for grant in kms._grants.all_values() if token in grant["_tokens"]), None)
        return iam_actions._kms_key_id_from_ciphertext(self.data.get("CiphertextBlob", "")) or None

    @property
    def known_key(self) -> Record:
        """The key, for an operation that is about one."""
        if self.key is None:
            raise RefusedError("NotFoundException", "No key was named")
        return self.key


Check = Callable[[Request], None]
Handler = Callable[[Request], Reply]
Amendment = Callable[[Request, dict[str, Any]], dict[str, Any]]


def find_key(identifier: str, takes_alias: bool) -> Record:
    """Return the key that an id, ARN, alias or alias ARN names."""
    account, region, name = get_account_id(), get_region(), identifier
    is_arn = identifier.startswith("arn:")
    if is_arn:
        account, name = _split_arn(identifier)
    if name.startswith("alias/"):
        alias = f"arn:aws:kms:{region}:{account}:{name}"
        if is_arn and not takes_alias:
            raise RefusedError("InvalidArnException", "Key Aliases are not supported for this operation")
        if takes_alias and not kms._aliases.contains_scoped(account, region, alias):
            raise RefusedError("NotFoundException", f"Alias {alias} is not found.")
        key_id = kms._aliases.get_scoped(account, region, alias, "") if takes_alias else name
    else:
        key_id = name.removeprefix("key/") if is_arn else name
    if not KEY_ID.fullmatch(key_id):
        raise RefusedError("NotFoundException", f"Invalid keyId {key_id if is_arn else repr(key_id)}")
    key: Record | None = kms._keys.get_scoped(account, region, key_id)
    if key is None:
        raise RefusedError("NotFoundException", f"Key 'arn:aws:kms:{region}:{account}:key/{key_id}' does not exist")
    return key


def _split_arn(arn: str) -> tuple[str, str]:
    try:
        parts = parse_arn(arn)
    except ArnParseError:
        raise RefusedError("NotFoundException", f"Invalid arn {arn}") from None
    if parts.region != get_region():
        raise RefusedError("NotFoundException", f"Invalid arn {parts.region}")
    return parts.account_id, parts.resource


def key_at(arn: str) -> Record:
    """Return the key of an ARN that is known to be right, in whatever Region."""
    _unused, _unused, _unused, region, account, name = arn.split(":")
    key: Record = kms._keys.get_scoped(account, region, name.removeprefix("key/"))
    return key


def account_of(key: Record) -> str:
    return str(key["Arn"]).split(":")[4]


def is_operation(name: str) -> bool:
    """Say whether KMS has an operation of this name."""
    return name in _service_model("kms").operation_names


def check_model(request: Request) -> None:
    """Refuse what the API's own model forbids: missing members, unknown values, lengths."""
    if not is_operation(request.operation):
        raise RefusedError("UnknownOperationException")
    shape = _service_model("kms").operation_model(request.operation).input_shape
    problems = list(_violations(shape, request.data, ""))
    if problems:
        count = f"{len(problems)} validation error{'s' * (len(problems) > 1)} detected: "
        raise RefusedError("ValidationException", count + "; ".join(problems))


def _violations(shape: Any, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, JSON_TYPES.get(shape.type_name, object)):
        raise RefusedError("SerializationException", f"{path} is not of type {shape.type_name}.")
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            inner = f"{path}.{name[:1].lower()}{name[1:]}".lstrip(".")
            if value.get(name) is not None:
                yield from _violations(member, value[name], inner)
            elif name in shape.required_members:
                yield f"Value null at '{inner}' failed to satisfy constraint: Member must not be null"
        return
    shown = "Value" if shape.type_name == "blob" else f"Value '{value}'"
    yield from (f"{shown} at '{path}' failed to satisfy constraint: {rule}" for rule in _broken_rules(shape, value))
    if shape.type_name == "list":
        for number, item in enumerate(value, 1):
            yield from _violations(shape.member, item, f"{path}.{number}.member")


def _broken_rules(shape: Any, value: Any) -> Iterator[str]:
    limits, kind = shape.metadata, shape.type_name
    if kind == "string" and shape.enum and value not in shape.enum:
        yield f"Member must satisfy enum value set: [{', '.join(shape.enum)}]"
    if kind == "string" and "pattern" in limits and not re.fullmatch(limits["pattern"], value):
        yield f"Member must satisfy regular expression pattern: {limits['pattern']}"
    if kind not in ("string", "list", "blob", "integer"):
        return
    size = value if kind == "integer" else len(to_bytes(value) if kind == "blob" else value)
    noun = "value" if kind == "integer" else "length"
    if size < limits.get("min", size):
        yield f"Member must have {noun} greater than or equal to {limits['min']}"
    if size > limits.get("max", size):
        yield f"Member must have {noun} less than or equal to {limits['max']}"


def to_bytes(blob: str) -> bytes:
    """Decode a blob as JSON 1.1 carries it."""
    try:
        return base64.b64decode(blob, validate=True)
    except binascii.Error:
        raise RefusedError("SerializationException", "A blob is not base64.") from None


def to_reply(answer: dict[str, Any]) -> Reply:
    """Give an answer as JSON 1.1 carries it."""
    reply: Reply = json_response(answer)
    return reply


def check_key(request: Request) -> None:
    """Refuse a key that does not exist."""
    _unused = request.key


def install(
    checks: tuple[Check, ...], handlers: Mapping[str, Handler], amendments: Sequence[Mapping[str, Amendment]]
) -> None:
    """Lay what AWS does over ministack's KMS.

    Args:
        checks: come before every operation, in this order.
        handlers: take an operation over.
        amendments: change the answer of an operation that succeeded.
    """
    original = kms.handle_request

    async def handle_request(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> Reply:
        request = Request.parse(headers.get("x-amz-target", "").rpartition(".")[2], body)
        try:
            for check in checks:
                check(request)
            with request_scope(account_of(request.key) if request.key else get_account_id(), get_region()):
                handler = handlers.get(request.operation)
                reply = handler(request) if handler else await original(method, path, headers, body, query)
                return _amended(
                    request, reply, [table[request.operation] for table in amendments if request.operation in table]
                )
        except RefusedError as refused:
            return refused.reply()

    kms.handle_request = handle_request
    kms._key_metadata = _metadata(kms._key_metadata)


def _amended(request: Request, reply: Reply, amendments: Sequence[Amendment]) -> Reply:
    answer = json.loads(reply[2])
    if reply[0] != 200:
        code, message = answer["__type"], answer["message"]
        return RefusedError(code, "" if code in WORDLESS else OTHER_WORDS.get(message, message)).reply()
    for amend in amendments:
        answer = amend(request, answer)
    return to_reply(answer) if amendments else reply


def _metadata(original: Callable[[Record], dict[str, Any]]) -> Callable[[Record], dict[str, Any]]:
    def metadata(key: Record) -> dict[str, Any]:
        found = {k: v for k, v in original(key).items() if not k.endswith("Algorithms")}
        return {"AWSAccountId": account_of(key), **found, **algorithms(key)}

    return metadata


def algorithms(key: Record) -> dict[str, list[str]]:
    """Return what the key's usage lets it do, under the one name that AWS gives for that usage."""
    table = {
        "SIGN_VERIFY": ("SigningAlgorithms", key.get("SigningAlgorithms", [])),
        "ENCRYPT_DECRYPT": ("EncryptionAlgorithms", key.get("EncryptionAlgorithms", [])),
        "KEY_AGREEMENT": ("KeyAgreementAlgorithms", ["ECDH"]),
        "GENERATE_VERIFY_MAC": ("MacAlgorithms", key.get("MacAlgorithms", [])),
    }
    name, values = table[key["KeyUsage"]]
    return {name: values}
