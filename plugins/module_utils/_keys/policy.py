# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Key policies as values: read, brought to one form, compared."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from .._pki.errors import SpecError

POLICY_BYTES = 32_768
ACCOUNT = re.compile(r"\d{12}")
GONE = re.compile(r"A(?:ROA|IDA)[A-Z0-9]{12,}")
"""What AWS makes of a principal in a stored policy when the role or user is deleted."""

VERSION_WHEN_ABSENT = "2008-10-17"


def to_policy(text: str) -> dict[str, Any]:
    """Return the policy document written in *text*.

    Raises:
        SpecError: not JSON, not a policy, or none that KMS takes.
    """
    try:
        document = json.loads(text)
    except ValueError as exc:
        raise SpecError(f"policy: not valid JSON ({exc})") from exc
    if not isinstance(document, dict) or not statements_of(document):
        raise SpecError("policy: expected a JSON object with a Statement, as IAM policies have it")
    for place, statement in enumerate(statements_of(document), 1):
        for member, forms in (("Action", {"Action", "NotAction"}), ("Resource", {"Resource"})):
            if not forms & set(statement):
                named = statement.get("Sid") or f"number {place}"
                raise SpecError(f"policy: the statement {named} has no {member}, and KMS takes none without")
    check_size(document, "policy")
    return document


def check_size(document: Mapping[str, Any], name: str) -> None:
    """Refuse a policy that is longer than KMS takes.

    Raises:
        SpecError: with *name* as the culprit.
    """
    size = len(policy_text(document).encode())
    if size > POLICY_BYTES:
        raise SpecError(f"{name}: {size} bytes, and KMS takes at most {POLICY_BYTES}")


def policy_text(document: Mapping[str, Any]) -> str:
    """Return the JSON text of *document*, as short as can be."""
    return json.dumps(document, separators=(",", ":"))


def partition_of(arn: str) -> str:
    """Return aws, aws-cn, aws-us-gov, ..."""
    return arn.split(":")[1]


def default_policy(arn: str) -> dict[str, Any]:
    """Return the policy that KMS gives to a key made without one: the account's IAM decides."""
    partition, account = partition_of(arn), arn.split(":")[4]
    statement = {
        "Sid": "Enable IAM User Permissions",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:{partition}:iam::{account}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    return {"Version": "2012-10-17", "Id": "key-default-1", "Statement": [statement]}


def normalised(document: Mapping[str, Any], partition: str = "aws") -> dict[str, Any]:
    """Return *document* in the one form in which equal policies are equal values.

    The order of statements and of the values in them does not count, nor does one value beside a list of one,
    nor an account's number beside the ARN of its root.
    """
    statements = [_statement(statement, partition) for statement in statements_of(document)]
    rest = {key: value for key, value in sorted(document.items()) if key != "Statement"}
    return {
        "Version": VERSION_WHEN_ABSENT,
        **rest,
        "Statement": sorted(statements, key=lambda statement: (str(statement.get("Sid", "")), policy_text(statement))),
    }


def statements_of(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = document.get("Statement")
    listed = [found] if isinstance(found, Mapping) else found
    if not isinstance(listed, list):
        return []
    return listed if all(isinstance(statement, Mapping) for statement in listed) else []


def _statement(statement: Mapping[str, Any], partition: str) -> dict[str, Any]:
    return {key: _element(key, value, partition) for key, value in sorted(statement.items())}


def _element(key: str, value: Any, partition: str) -> Any:
    if key in ("Sid", "Effect"):
        return value
    if key in ("Principal", "NotPrincipal"):
        return _table({"AWS": value} if isinstance(value, str) else value, partition)
    if key == "Condition" and isinstance(value, Mapping):
        return {operator: _table(tests) for operator, tests in sorted(value.items())}
    return _values(value)


def _table(rows: Any, partition: str = "") -> Any:
    """Return the values of each row in one form; what is no table is left for KMS to refuse."""
    if not isinstance(rows, Mapping):
        return rows
    return {name: _values(values, partition) for name, values in sorted(rows.items())}


def _values(value: Any, partition: str = "") -> list[str]:
    """Return one value or many as a sorted list of texts; with a *partition*, account numbers as ARNs."""
    listed = value if isinstance(value, list) else [value]
    texts = {json.dumps(item) if isinstance(item, bool) else str(item) for item in listed}
    if partition:
        texts = {_principal(text, partition) for text in texts}
    return sorted(texts)


def _principal(text: str, partition: str) -> str:
    if GONE.fullmatch(text):
        return f"{text} (a deleted {'role' if text.startswith('AROA') else 'user'})"
    return f"arn:{partition}:iam::{text}:root" if ACCOUNT.fullmatch(text) else text
