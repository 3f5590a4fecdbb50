# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""AWS clients, as a module's options say: credentials, region, endpoint, retries and the role to assume."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from .sts import assume_role

NO_RETRIES = {"total_max_attempts": 1, "mode": "standard"}
RETRIES = {"total_max_attempts": 5, "mode": "standard"}


def kms_client(module: Any) -> Any:
    """Return a KMS client of an AnsibleAWSModule that retries what may be repeated."""
    return aws_client(module, "kms")


def signing_client(module: Any) -> Any:
    """Return a KMS client that asks once, for calls that must not be repeated unseen: Sign and CreateKey."""
    return aws_client(module, "kms", retries=False)


def aws_client(module: Any, service: str, retries: bool = True) -> Any:
    """Return a client of *service*; the user's aws_config holds, except that no retries means none.

    Raises:
        AwsError: the role of assume_role cannot be assumed.
    """
    config = _config(module) if retries else {**_config(module), "retries": NO_RETRIES}
    return module.client(service, aws_config=config, **_assumed(module))


def role_client(module: Any, service: str, role_arn: str, session_name: str, external_id: str | None) -> Any:
    """Return a client of *service* as another role, which the task's own credentials assume for a quarter of an hour.

    Raises:
        AwsError: the role cannot be assumed.
    """
    credentials = assume_role(aws_client(module, "sts"), role_arn, session_name, 900, external_id)
    return module.client(service, aws_config=_config(module), **credentials)


def client_maker(module: Any, role: Mapping[str, Any] | None) -> Callable[[str, bool], Any]:
    """Return what makes a client of a service, with retries or without, as one of several roles of a task.

    Args:
        role: as the option assume_role has it. The task's own credentials assume it once, when the first client is
            wanted. None stands for the task's own credentials.
    """
    if not role:
        return lambda service, retries: aws_client(module, service, retries)

    @lru_cache(maxsize=1)
    def credentials() -> Mapping[str, str]:
        client = aws_client(module, "sts")
        return assume_role(client, role["role_arn"], role["session_name"], role["duration"], role["external_id"])

    def make(service: str, retries: bool) -> Any:
        config = _config(module) if retries else {**_config(module), "retries": NO_RETRIES}
        return module.client(service, aws_config=config, **credentials())

    return make


def _config(module: Any) -> dict[str, Any]:
    return {"retries": RETRIES, **(module.params.get("aws_config") or {})}


@lru_cache(maxsize=1)
def _assumed(module: Any) -> Mapping[str, str]:
    """Return the credentials of the role that the task assumes, asked for once; empty where it assumes none."""
    role = module.params.get("assume_role")
    if not role:
        return {}
    client = module.client("sts", aws_config=_config(module))
    return assume_role(client, role["role_arn"], role["session_name"], role["duration"], role["external_id"])
