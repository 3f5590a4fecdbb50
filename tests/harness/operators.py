# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who works in a local AWS: a role with the permissions that the README asks for, and no more."""

from __future__ import annotations

import json
import os
import shlex

from localaws.testing import REGION, Account, Principal
from tests.harness.environment import CHECKOUT

ACCOUNT_ID = "111122223333"
ROLE = "RootstockOperator"
POLICY = CHECKOUT / "examples" / "iam-policy.json"


def make_operator(endpoint: str) -> Principal:
    """Make the role, or take the one that an earlier run left, and assume it."""
    account = Account(endpoint, ACCOUNT_ID)
    names = [role["RoleName"] for role in account.root.client("iam").list_roles()["Roles"]]
    if ROLE in names:
        return account.assume(f"arn:aws:iam::{ACCOUNT_ID}:role/{ROLE}")
    return account.role(ROLE, *json.loads(POLICY.read_text())["Statement"])


def export_lines(operator: Principal) -> str:
    """Return what a shell needs to work as *operator*."""
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in operator.environment().items())


def variables(operator: Principal) -> str:
    """Return the same for playbooks, as JSON, with the account's root user beside it to arrange what a test needs."""
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
        "rounds": os.environ.get("ROOTSTOCK_ROUNDS", "small"),
    }
    return json.dumps(values, indent=2) + "\n"
