# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Principals as AWS keeps them: by the id they were born with, which a namesake does not inherit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ministack.core.iam_evaluator import _role_name_from_assumed_arn
from ministack.services import iam

ACCOUNT = re.compile(r"\d{12}|arn:aws:iam::\d{12}:root")
ENTITY = re.compile(r"arn:aws:iam::(\d{12}):(role|user)/(?:.+/)?([^/]+)")
SESSION = re.compile(r"arn:aws:sts::\d{12}:(assumed-role/[^/]+|federated-user)/[^/]+")


def role_arn(arn: str) -> str:
    """Return the role behind a session; any other principal as it is."""
    if ":assumed-role/" not in arn:
        return arn
    account, name = arn.split(":")[4], _role_name_from_assumed_arn(arn)
    role: Mapping[str, str] = iam._roles.get_scoped(account, None, name) or {}
    return role.get("Arn", f"arn:aws:iam::{account}:role/{name}")


def principal_id(arn: str) -> str | None:
    """Return the id of a user or role; nothing where there is none of that ARN."""
    if SESSION.fullmatch(arn):
        arn = role_arn(arn)
    entity = ENTITY.fullmatch(arn)
    if not entity:
        return None
    account, kind, name = entity.groups()
    table, member = (iam._roles, "RoleId") if kind == "role" else (iam._users, "UserId")
    found: dict[str, Any] = table.get_scoped(account, None, name) or {}
    return str(found[member]) if found.get("Arn") == arn else None


def exists(principal: str) -> bool:
    """Say whether a policy may name it: anybody, an account, or a user or role that is there."""
    return principal == "*" or bool(ACCOUNT.fullmatch(principal)) or principal_id(principal) is not None


def ids_of(principals: list[str]) -> dict[str, str]:
    """Return what AWS keeps in place of the names."""
    return {arn: found for arn in principals if (found := principal_id(arn))}


def shown(principal: str, ids: Mapping[str, str]) -> str:
    """Return the principal as AWS shows it now: by its id once it is deleted."""
    kept = ids.get(principal)
    return principal if kept in (None, principal_id(principal)) else str(kept)
