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


def account_root(client: Any) -> str:
    """Return the ARN of the root of the caller's account."""
    _arn, partition, _service, _region, account = caller_arn(client).split(":")[:5]
    return f"arn:{partition}:iam::{account}:root"
