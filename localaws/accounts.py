# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS accounts of a local AWS, and the principals that act in them."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config

from localaws.server import Server

REGION = "eu-central-1"
Statement = Mapping[str, object]


@dataclass(frozen=True)
class Principal:
    """Credentials that reach one account of one local AWS."""

    endpoint: str
    credentials: Mapping[str, str] = field(repr=False)
    arn: str

    def client(self, service: str, *, retries: bool = False, region: str = REGION) -> Any:
        """Return a boto3 client as this principal; a test wants each call made once, unless it says otherwise."""
        wanted = (service, retries, region)
        if wanted not in self._clients:
            config = Config(retries={"total_max_attempts": 5 if retries else 1}, proxies={})
            named = {f"aws_{name}": value for name, value in self.credentials.items()}
            make: Any = boto3.client  # the stubs know each service by name only
            made = make(service, endpoint_url=self.endpoint, region_name=region, config=config, **named)
            self._clients[wanted] = made
        return self._clients[wanted]

    @cached_property
    def _clients(self) -> dict[tuple[str, bool, str], Any]:
        return {}

    def environment(self) -> dict[str, str]:
        """Return the variables that make another program this principal."""
        named = {f"AWS_{name.upper()}": value for name, value in self.credentials.items()}
        return {"AWS_ENDPOINT_URL": self.endpoint, "AWS_DEFAULT_REGION": REGION, "AWS_REGION": REGION, **named}


@dataclass(frozen=True)
class Account:
    """An AWS account that is empty until a test fills it."""

    endpoint: str
    account_id: str

    @cached_property
    def root(self) -> Principal:
        """The root user: to create roles with, and to prove what even root may not."""
        credentials = {"access_key_id": self.account_id, "secret_access_key": "test"}
        return Principal(self.endpoint, credentials, f"arn:aws:iam::{self.account_id}:root")

    def role(self, name: str, *statements: Statement, trusted: Sequence[str] = ()) -> Principal:
        """Create a role whose IAM policy has these statements and return it, assumed.

        Args:
            statements: policy statements; `Effect: Allow` and `Resource: "*"` may be left out.
            trusted: ARNs that may assume it, besides those of its own account whom IAM allows to.
        """
        trust = {"Principal": {"AWS": [self.root.arn, *trusted]}, "Action": "sts:AssumeRole"}
        iam = self.root.client("iam")
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust))["Role"]["Arn"]
        if statements:
            iam.put_role_policy(RoleName=name, PolicyName="test", PolicyDocument=policy(*everywhere(statements)))
        return self.assume(arn)

    def user(self, name: str, *statements: Statement) -> Principal:
        """Create an IAM user, or take the one of that name, give it a policy of these statements and a new access key.

        A user's access key expires with no session, and Ansible does not hide it in presigned URLs.

        Args:
            statements: as for a role.
        """
        iam = self.root.client("iam")
        if name not in [user["UserName"] for user in iam.list_users()["Users"]]:
            iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="test", PolicyDocument=policy(*everywhere(statements)))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        credentials = {"access_key_id": key["AccessKeyId"], "secret_access_key": key["SecretAccessKey"]}
        return Principal(self.endpoint, credentials, f"arn:aws:iam::{self.account_id}:user/{name}")

    def assume(self, role_arn: str, session: str = "test") -> Principal:
        """Assume a role of this account."""
        given = self.root.client("sts").assume_role(RoleArn=role_arn, RoleSessionName=session)["Credentials"]
        names = {
            "access_key_id": "AccessKeyId",
            "secret_access_key": "SecretAccessKey",
            "session_token": "SessionToken",
        }
        return Principal(self.endpoint, {ours: given[theirs] for ours, theirs in names.items()}, role_arn)

    def administrator(self) -> Principal:
        """Create a role that IAM allows everything."""
        return self.role("administrator", {"Action": "*"})


def everywhere(statements: Sequence[Statement]) -> list[dict[str, object]]:
    """Return statements that hold for every resource, unless they say otherwise."""
    return [{"Resource": "*", **statement} for statement in statements]


def policy(*statements: Statement) -> str:
    """Return a policy document as JSON; a statement allows unless it says otherwise."""
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **s} for s in statements]})


def new_account(server: Server) -> Account:
    """Return an account that nobody has used."""
    return Account(server.endpoint, str(secrets.randbelow(9 * 10**11) + 10**11))
