# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was declared about who may do what with a key, and how each action is tried without changing anything."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .access import ADMINISTRATION

ALLOWED, DENIED, UNTESTED = "allowed", "denied", "untested"
DRY_RUN, CALL, SIMULATED, UNSUPPORTED = "dry_run", "call", "simulated", "unsupported"
SYMMETRIC_SPECS = ("SYMMETRIC_DEFAULT", "HMAC_")
ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/.+")


@dataclass(frozen=True)
class Probe:
    """How one action is tried.

    Attributes:
        how: DRY_RUN where AWS only says what it would do, CALL for what only reads, UNTESTED for all else.
        usage: the key_usage that the action needs; empty for any.
        symmetric: whether only symmetric keys take it (True) or only the others (False); None for all.
        by_public_key: whether the request is made with the public key, so that symmetric keys are left UNTESTED.
    """

    how: str
    usage: str = ""
    symmetric: bool | None = None
    by_public_key: bool = False


PROBES: dict[str, Probe] = {
    **{action: Probe(UNTESTED) for action in ADMINISTRATION},
    "kms:CreateGrant": Probe(DRY_RUN),
    "kms:Decrypt": Probe(DRY_RUN, "ENCRYPT_DECRYPT", by_public_key=True),
    "kms:DeleteImportedKeyMaterial": Probe(UNTESTED),
    "kms:DeriveSharedSecret": Probe(DRY_RUN, "KEY_AGREEMENT", by_public_key=True),
    "kms:DescribeKey": Probe(CALL),
    "kms:Encrypt": Probe(DRY_RUN, "ENCRYPT_DECRYPT"),
    "kms:GenerateDataKey": Probe(DRY_RUN, "ENCRYPT_DECRYPT", True),
    "kms:GenerateDataKeyPair": Probe(DRY_RUN, "ENCRYPT_DECRYPT", True),
    "kms:GenerateDataKeyPairWithoutPlaintext": Probe(DRY_RUN, "ENCRYPT_DECRYPT", True),
    "kms:GenerateDataKeyWithoutPlaintext": Probe(DRY_RUN, "ENCRYPT_DECRYPT", True),
    "kms:GenerateMac": Probe(DRY_RUN, "GENERATE_VERIFY_MAC"),
    "kms:GetKeyLastUsage": Probe(CALL),
    "kms:GetKeyPolicy": Probe(CALL),
    "kms:GetKeyRotationStatus": Probe(CALL),
    "kms:GetParametersForImport": Probe(UNTESTED),
    "kms:GetPublicKey": Probe(CALL, symmetric=False),
    "kms:ImportKeyMaterial": Probe(UNTESTED),
    "kms:ListGrants": Probe(CALL),
    "kms:ListKeyPolicies": Probe(CALL),
    "kms:ListKeyRotations": Probe(CALL, "ENCRYPT_DECRYPT", True),
    "kms:ListResourceTags": Probe(CALL),
    "kms:ReEncryptFrom": Probe(UNTESTED, "ENCRYPT_DECRYPT"),
    "kms:ReEncryptTo": Probe(UNTESTED, "ENCRYPT_DECRYPT"),
    "kms:ReplicateKey": Probe(UNTESTED),
    "kms:RetireGrant": Probe(UNTESTED),
    "kms:Sign": Probe(DRY_RUN, "SIGN_VERIFY"),
    "kms:UpdatePrimaryRegion": Probe(UNTESTED),
    "kms:Verify": Probe(DRY_RUN, "SIGN_VERIFY"),
    "kms:VerifyMac": Probe(DRY_RUN, "GENERATE_VERIFY_MAC"),
}
"""Every action on a key. The request of a dry run is one that AWS would carry out, so only access decides."""


@dataclass(frozen=True)
class Expectation:
    """What one role may do and what not, as declared; actions as in IAM, such as kms:Sign."""

    role_arn: str
    session_name: str
    external_id: str | None
    allowed: tuple[str, ...]
    denied: tuple[str, ...]

    def actions(self) -> list[tuple[str, str]]:
        """Return each action with what is expected of it."""
        return [*((name, ALLOWED) for name in self.allowed), *((name, DENIED) for name in self.denied)]


@dataclass(frozen=True)
class Verdict:
    """What AWS said to one try: ALLOWED, DENIED or UNTESTED, and its words where it refused."""

    found: str
    error: str = ""


@dataclass(frozen=True)
class Finding:
    """What was found about one action of one role."""

    role_arn: str
    action: str
    expected: str
    how: str
    verdict: Verdict

    def result(self) -> dict[str, str]:
        """Return the finding as the task returns it."""
        told = {"role_arn": self.role_arn, "action": self.action, "expected": self.expected}
        return {**told, "found": self.verdict.found, "how": self.how, "error": self.verdict.error}

    def difference(self) -> str:
        """Return what is not as declared, or nothing. Actions that are never tried differ from nothing."""
        found = self.verdict.found
        if found == self.expected or (found == UNTESTED and not self.verdict.error):
            return ""
        if found == UNTESTED:
            return _unknown(self.role_arn, [self.action], self.verdict.error)
        if self.how == UNSUPPORTED:
            return f"{self.role_arn} may not {self.action} and should, but {self.verdict.error}"
        if found == ALLOWED:
            return f"{self.role_arn} may {self.action} and should not"
        return f"{self.role_arn} may not {self.action} and should"


def differences(findings: Sequence[Finding]) -> list[str]:
    """Return one phrase for each difference; actions that could not be tried for the same reason share one."""
    unknown: dict[tuple[str, str], list[str]] = {}
    for each in findings:
        if each.verdict.found == UNTESTED and each.verdict.error:
            unknown.setdefault((each.role_arn, each.verdict.error), []).append(each.action)
    told = [each.difference() for each in findings if each.verdict.found != UNTESTED and each.difference()]
    return told + [_unknown(role, actions, error) for (role, error), actions in unknown.items()]


def to_action(name: str) -> str:
    """Return *name*, which may lack the prefix of the service, as IAM has it."""
    return name if ":" in name else f"kms:{name}"


def how_to_try(action: str, key_usage: str, key_spec: str) -> str:
    """Return how *action* is tried on such a key; UNSUPPORTED where the key cannot do it, whoever asks."""
    probe, symmetric = PROBES[action], key_spec.startswith(SYMMETRIC_SPECS)
    if probe.usage not in ("", key_usage) or probe.symmetric not in (None, symmetric):
        return UNSUPPORTED
    return UNTESTED if probe.by_public_key and symmetric else probe.how


def check_expectations(expectations: Sequence[Expectation]) -> list[str]:
    """Return what makes no sense in the declaration."""
    if not expectations:
        return ["expected is empty, which would prove nothing; name at least one role and what it may do"]
    roles = [each.role_arn for each in expectations]
    problems = [f"expected: {role} is listed twice" for role in sorted({r for r in roles if roles.count(r) > 1})]
    return problems + [problem for each in expectations for problem in _check_expectation(each)]


def _unknown(role_arn: str, actions: Sequence[str], error: str) -> str:
    return f"whether {role_arn} may {', '.join(actions)} could not be found out: {error}"


def _check_expectation(each: Expectation) -> list[str]:
    where = f"expected: {each.role_arn}"
    problems = [] if ROLE.fullmatch(each.role_arn) else [f"{where} is not the ARN of a role"]
    both = sorted(set(each.allowed) & set(each.denied))
    problems += [f"{where}: {action} is both in allowed and in denied" for action in both]
    unknown = sorted({*each.allowed, *each.denied} - PROBES.keys())
    problems += [f"{where}: {action} is no action on a key, such as kms:Sign" for action in unknown]
    if not each.actions():
        problems.append(f"{where}: neither allowed nor denied names an action")
    return problems
