# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wrong, risky or left for others to do in who may do what with a key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .access import ACCOUNT, ACTIONS, PRINCIPAL, USAGES, Grantee, KeyAccess, own_conditions

ABROAD = frozenset(
    {
        "kms:Decrypt",
        "kms:DescribeKey",
        "kms:Encrypt",
        "kms:GetKeyRotationStatus",
        "kms:GetPublicKey",
        "kms:ListGrants",
        "kms:RevokeGrant",
        "kms:Sign",
        "kms:Verify",
    }
)
"""Of our actions, what AWS lets principals of other accounts do (developer guide, modifying external accounts)."""

AT_HOME = ("administrators", "break_glass_principals")
"""Lists whose actions AWS lets principals of the key's own account do, and nobody else."""


def check_access(access: KeyAccess, key_usage: str, algorithms: Sequence[str]) -> list[str]:
    """Return what makes no sense for a key of *key_usage* that can sign with *algorithms*."""
    problems = [
        f"{name}: nobody can do that with a key of key_usage {key_usage}; leave the list out"
        for name in access.lists()
        if USAGES.get(name, key_usage) != key_usage
    ]
    problems += [
        f"signing_algorithms: {name} is none of this key's, which are {', '.join(algorithms) or 'none'}"
        for name in access.signing_algorithms
        if name not in algorithms
    ]
    if access.break_glass_principals and access.account_root != "break_glass":
        problems.append(f"break_glass_principals go with account_root break_glass, not {access.account_root}")
    for name, grantees in access.lists().items():
        problems += [problem for grantee in grantees for problem in _check_grantee(access, name, grantee)]
    problems += [
        problem
        for text in access.break_glass_principals
        for problem in _check_principal("break_glass_principals", text)
    ]
    return problems


def check_home(access: KeyAccess, root: str) -> list[str]:
    """Return what cannot be in the account whose root has the ARN *root*."""
    partition, account = root.split(":")[1], root.split(":")[4]
    problems = [
        f"{name}: {text} is of partition {found['partition']}, and the key is in {partition}"
        for name, text in _principals(access)
        if (found := PRINCIPAL.fullmatch(text)) and found["partition"] != partition
    ]
    problems += [
        f"{name}: {text} is of another account than the key ({account}), and AWS lets no other account administer it"
        for name, text in _principals(access)
        if name in AT_HOME and Grantee(text, {}).account() != account
    ]
    return problems


def access_warnings(access: KeyAccess) -> list[str]:
    """Return what is allowed and deserves a second look."""
    both = {each.principal for each in access.administrators} & {each.principal for each in access.signers}
    warnings = [f"{name} is in administrators and in signers: it can sign and rewrite who may" for name in sorted(both)]
    if access.account_root == "full":
        warnings.append("account_root full lets IAM give every use of the key to anybody in the account")
    return warnings


def needed_elsewhere(access: KeyAccess, key_arn: str) -> list[dict[str, object]]:
    """Return what other accounts must allow in their IAM before their principals can use the key."""
    home = key_arn.split(":")[4]
    return [
        {
            "account": grantee.account(),
            "principal": grantee.principal,
            "actions": sorted(ABROAD & set(ACTIONS[name])),
            "resource": key_arn,
        }
        for name, grantees in access.lists().items()
        for grantee in grantees
        if grantee.account() != home
    ]


def _principals(access: KeyAccess) -> list[tuple[str, str]]:
    listed = [(name, grantee.principal) for name, grantees in access.lists().items() for grantee in grantees]
    return [*listed, *(("break_glass_principals", text) for text in access.break_glass_principals)]


def _check_grantee(access: KeyAccess, name: str, grantee: Grantee) -> list[str]:
    problems = _check_principal(name, grantee.principal)
    if not all(isinstance(tests, Mapping) for tests in grantee.conditions.values()):
        problems.append(
            f"{name}: the conditions of {grantee.principal} are no table of operators, condition keys and values"
        )
        return problems
    ours = ("kms:CallerAccount", *own_conditions(access, name))
    repeated = [key for key in ours if key in grantee.conditions.get("StringEquals", {})]
    problems += [
        f"{name}: {grantee.principal} has a condition StringEquals on {key}, which is set anyway" for key in repeated
    ]
    return problems


def _check_principal(name: str, text: str) -> list[str]:
    if PRINCIPAL.fullmatch(text) or ACCOUNT.fullmatch(text):
        return []
    return [f"{name}: {text!r} is neither the ARN of a role, user or session nor the number of an account"]
