# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who works in a local AWS: a role with the permissions that the README asks for and no more, or an administrator."""

from __future__ import annotations

import json
import shlex

from localaws.testing import REGION, Account, Principal
from tests.harness.environment import CHECKOUT

ACCOUNT_ID = "111122223333"
ROLE = "RootstockOperator"
USER = "rootstock"
POLICY = CHECKOUT / "examples" / "iam-policy.json"


def make_operator(endpoint: str) -> Principal:
    """Make the role, or take the one that an earlier run left, and assume it."""
    account = Account(endpoint, ACCOUNT_ID)
    names = [role["RoleName"] for role in account.root.client("iam").list_roles()["Roles"]]
    if ROLE in names:
        return account.assume(f"arn:aws:iam::{ACCOUNT_ID}:role/{ROLE}")
    return account.role(ROLE, *statements())


def statements() -> list[dict[str, object]]:
    """Return what the policy allows that the README asks for."""
    found: list[dict[str, object]] = json.loads(POLICY.read_text())["Statement"]
    return found


def make_user(endpoint: str) -> Principal:
    """Make an IAM user who may do everything in the account, for trying things."""
    return Account(endpoint, ACCOUNT_ID).user(USER, {"Action": "*"})


def export_lines(user: Principal) -> str:
    """Return what a shell needs to work as *user*."""
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in user.environment().items())


def variables(operator: Principal) -> str:
    """Return what playbooks need to work as *operator*, as JSON; root's keys beside it arrange what a test needs."""
    root = Account(operator.endpoint, ACCOUNT_ID).root.credentials
    values = {
        "aws_endpoint_url": operator.endpoint,
        "aws_region": REGION,
        "aws_account_id": ACCOUNT_ID,
        "aws_role_arn": operator.arn,
        "aws_access_key": operator.credentials["access_key_id"],
        "aws_secret_key": operator.credentials["secret_access_key"],
        "aws_session_token": operator.credentials["session_token"],
        "root_access_key": root["access_key_id"],
        "root_secret_key": root["secret_access_key"],
    }
    return json.dumps(values, indent=2) + "\n"
