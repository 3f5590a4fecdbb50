# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Key policies as documents: what AWS takes, keeps and shows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from localaws.keys import Amendment, Record, RefusedError, Request, key_at
from localaws.principals import exists, ids_of, shown

LARGEST = 32_768
Document = dict[str, Any]


def statements_of(document: Document) -> list[Document]:
    found = document.get("Statement", [])
    return found if isinstance(found, list) else [found]


def principals_of(document: Document) -> Iterator[str]:
    """Name every AWS principal of a document."""
    for statement in statements_of(document):
        for member in ("Principal", "NotPrincipal"):
            named = statement.get(member, [])
            found = named.get("AWS", []) if isinstance(named, dict) else named
            yield from [found] if isinstance(found, str) else found


def check_document(request: Request) -> None:
    """Refuse a key policy that AWS would not take."""
    text = request.data.get("Policy")
    if text is None:
        return
    if len(text.encode()) > LARGEST:
        raise RefusedError("LimitExceededException", f"Policy must not exceed {LARGEST} bytes.")
    if problem := _problem(text):
        raise RefusedError("MalformedPolicyDocumentException", problem)


def _problem(text: str) -> str | None:
    try:
        document = json.loads(text)
    except json.JSONDecodeError:
        return "Policy is not valid JSON."
    if not isinstance(document, dict) or not statements_of(document):
        return "Policy has no statement."
    for statement in statements_of(document):
        if not isinstance(statement, dict) or statement.get("Effect") not in ("Allow", "Deny"):
            return "Policy contains a statement without a valid effect."
        if not {"Principal", "NotPrincipal"} & set(statement):
            return "Policy contains a statement with no principal."
        if not {"Action", "NotAction"} & set(statement):
            return "Policy contains a statement with no action."
        if "Resource" not in statement:
            return "Policy contains a statement with no resource."
    if not all(exists(principal) for principal in principals_of(document)):
        return "Policy contains a statement with one or more invalid principals."
    return None


def document_of(key: Record) -> Document:
    """Return the key's policy as AWS shows it: principals in no order of the writer's, deleted ones by their ids."""
    ids = key.get("_principals", {})
    document: Document = json.loads(key["Policy"])
    for statement in statements_of(document):
        for member in ("Principal", "NotPrincipal"):
            named = statement.get(member)
            if isinstance(named, dict) and "AWS" in named:
                named["AWS"] = _each(named["AWS"], lambda principal: shown(principal, ids))
    return document


def _each(named: str | list[str], change: Callable[[str], str]) -> str | list[str]:
    return change(named) if isinstance(named, str) else sorted(change(principal) for principal in named)


def keep_principals(request: Request, answer: Document) -> Document:
    """Remember who the policy meant, after it was written."""
    made = answer.get("KeyMetadata") or answer.get("ReplicaKeyMetadata")
    key: Record = key_at(made["Arn"]) if made else request.known_key
    key["_principals"] = ids_of(list(principals_of(json.loads(key["Policy"]))))
    return answer


def show_policy(request: Request, answer: Document) -> Document:
    text = json.dumps(document_of(request.known_key), indent=2, separators=(",", " : "))
    return {**answer, "Policy": text}


AMENDMENTS: dict[str, Amendment] = {
    "CreateKey": keep_principals,
    "PutKeyPolicy": keep_principals,
    "ReplicateKey": keep_principals,
    "GetKeyPolicy": show_policy,
}
