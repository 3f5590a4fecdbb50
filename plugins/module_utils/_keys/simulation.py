# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a role may do with a key by its policies: what IAM is to simulate, and what follows for the key.

IAM simulates no policy of a resource for a role. So the statements of the key policy that are about the role are
simulated as if they were the role's own, and put together with IAM's policies as AWS KMS does it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from .access_probes import ALLOWED, DENIED, UNTESTED, Verdict
from .description import KeyDescription
from .policy import partition_of, statements_of

Document = Mapping[str, Any]
LONGEST_WINDOW = "30"
"""Days, as AWS KMS takes it where ScheduleKeyDeletion says nothing."""


@dataclass(frozen=True)
class RolePolicies:
    """What IAM knows of a role: its policies, and its permissions boundary where it has one."""

    documents: tuple[Document, ...]
    boundary: Document | None = None


@dataclass(frozen=True)
class Decision:
    """What IAM said of one action: allowed, explicitDeny or implicitDeny, and the condition keys that it missed."""

    decision: str
    missing: tuple[str, ...] = ()


NOTHING = Decision("implicitDeny")
"""What is decided where no policy speaks."""


@dataclass(frozen=True)
class Parts:
    """The statements of a key policy that are about one role.

    Attributes:
        named: those about itself or about everybody.
        delegated: those about its account, whose allowing is for IAM to complete.
    """

    named: tuple[Document, ...]
    delegated: tuple[Document, ...]


@dataclass(frozen=True)
class Subject:
    """The role that would call, and the session that it would call in."""

    role_arn: str
    session_name: str

    @property
    def account(self) -> str:
        return self.role_arn.split(":")[4]

    @property
    def role_name(self) -> str:
        return self.role_arn.rpartition("/")[2]

    def names(self) -> frozenset[str]:
        """Return the principals that are the role, its session or everybody."""
        session = f"assumed-role/{self.role_name}/{self.session_name}"
        return frozenset({"*", self.role_arn, f"arn:{partition_of(self.role_arn)}:sts::{self.account}:{session}"})

    def account_names(self) -> frozenset[str]:
        """Return the principals that are the role's account."""
        return frozenset({self.account, f"arn:{partition_of(self.role_arn)}:iam::{self.account}:root"})


def parts_of(policy: Document, subject: Subject) -> Parts:
    """Return what a key policy says about *subject*."""
    named, delegated = [], []
    for statement in statements_of(policy):
        if not {"Action", "NotAction"} & set(statement) or not {"Resource", "NotResource"} & set(statement):
            continue  # AWS took such statements until August 2025, and they do nothing
        if _concerns(statement, subject.names()):
            named.append(_for_iam(statement))
        elif _concerns(statement, subject.account_names()):
            delegated.append(_for_iam(statement))
    return Parts(tuple(named), tuple(delegated))


def of_kms(document: Document) -> Document | None:
    """Return the statements of a policy of IAM that may be about AWS KMS, or None where there are none."""
    kept = [each for each in statements_of(document) if "NotAction" in each or any(map(_is_kms, _actions(each)))]
    return {**document, "Statement": kept} if kept else None


def relevant(decision: Decision, statements: Sequence[Document], action: str) -> Decision:
    """Return *decision* without the missing condition keys of statements that are about other actions."""
    keys = {
        key.lower()
        for statement in statements
        if _is_about(statement, action)
        for tests in statement.get("Condition", {}).values()
        for key in tests
    }
    return Decision(decision.decision, tuple(key for key in decision.missing if key.lower() in keys))


def to_document(statements: Sequence[Document]) -> Document:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def context_of(key: KeyDescription, subject: Subject) -> dict[str, str]:
    """Return what AWS KMS would know of the request, as condition keys."""
    return {
        "aws:PrincipalAccount": subject.account,
        "aws:PrincipalArn": subject.role_arn,
        "aws:PrincipalType": "AssumedRole",
        "aws:SecureTransport": "true",
        "kms:BypassPolicyLockoutSafetyCheck": "false",
        "kms:CallerAccount": subject.account,
        "kms:KeyOrigin": key.origin,
        "kms:KeySpec": key.key_spec,
        "kms:KeyUsage": key.key_usage,
        "kms:MultiRegion": "true" if key.multi_region else "false",
        "kms:ScheduleKeyDeletionPendingWindowInDays": LONGEST_WINDOW,
    }


def weigh(named: Decision, delegated: Decision, identity: Decision) -> Verdict:
    """Return what AWS KMS makes of the three decisions.

    A Deny anywhere denies. The key policy must allow, the role itself or, together with IAM, its account.

    Args:
        named: by what the key policy says of the role.
        delegated: by what it says of the role's account.
        identity: by the role's own policies.
    """
    every = (named, delegated, identity)
    missing = sorted({key for each in every for key in each.missing})
    if missing:
        return Verdict(UNTESTED, f"the policies have conditions on {', '.join(missing)}, which no simulation knows")
    if any(each.decision == "explicitDeny" for each in every):
        return Verdict(DENIED, "an explicit deny in the key policy or in IAM")
    if named.decision == "allowed":
        return Verdict(ALLOWED)
    if delegated.decision != "allowed":
        return Verdict(DENIED, "the key policy does not allow it")
    if identity.decision != "allowed":
        return Verdict(DENIED, "the key policy leaves it to IAM, and IAM does not allow it")
    return Verdict(ALLOWED)


def _concerns(statement: Document, names: frozenset[str]) -> bool:
    if "NotPrincipal" in statement:
        return not names & set(_principals(statement["NotPrincipal"]))
    return bool(names & set(_principals(statement.get("Principal"))))


def _principals(named: Any) -> list[str]:
    return _listed(named.get("AWS", []) if isinstance(named, Mapping) else named)


def _for_iam(statement: Document) -> Document:
    """Return a statement of a key policy as IAM takes it: without principals, or a Sid, in which spaces may be."""
    return {name: value for name, value in statement.items() if name not in ("Principal", "NotPrincipal", "Sid")}


def _is_kms(pattern: str) -> bool:
    """Return whether an action of a policy, with wildcards or without, may be one of AWS KMS."""
    service = pattern.partition(":")[0].lower()
    return service == "kms" or "*" in service or "?" in service


def _is_about(statement: Document, action: str) -> bool:
    return "NotAction" in statement or any(fnmatchcase(action.lower(), each.lower()) for each in _actions(statement))


def _actions(statement: Document) -> list[str]:
    return _listed(statement.get("Action"))


def _listed(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else [] if value is None else [str(value)]
