# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is calling."""

from __future__ import annotations

from typing import Any

from .errors import ask


def caller_arn(client: Any) -> str:
    """Return the ARN of the caller: a user, an assumed-role session or an account's root."""
    return str(ask(client, "GetCallerIdentity")["Arn"])


def assume_role(
    client: Any, role_arn: str, session_name: str, duration: int, external_id: str | None
) -> dict[str, str]:
    """Return the credentials of a session of *role_arn* (sts:AssumeRole), as boto3 names them.

    Args:
        duration: seconds that the session lasts.
    """
    options: dict[str, Any] = {"RoleArn": role_arn, "RoleSessionName": session_name, "DurationSeconds": duration}
    if external_id:
        options["ExternalId"] = external_id
    credentials = ask(client, "AssumeRole", role_arn, **options)["Credentials"]
    return {
        "aws_access_key_id": str(credentials["AccessKeyId"]),
        "aws_secret_access_key": str(credentials["SecretAccessKey"]),
        "aws_session_token": str(credentials["SessionToken"]),
    }


def account_root(client: Any) -> str:
    """Return the ARN of the root of the caller's account."""
    _arn, partition, _service, _region, account = caller_arn(client).split(":")[:5]
    return f"arn:{partition}:iam::{account}:root"
