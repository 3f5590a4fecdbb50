# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a KMS key is, as DescribeKey tells it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class KeyDescription:
    """One key as KMS describes it; words and values are those of the KMS API.

    Attributes:
        key_id: the id alone, without the ARN around it.
        state: Enabled, Disabled, PendingDeletion, PendingImport, Creating, ...
        created: ISO 8601, UTC, whole seconds.
        deletion_date: as *created*; empty unless the key is pending deletion.
        manager: CUSTOMER, or AWS for keys that AWS services made.
    """

    key_id: str
    arn: str
    account: str
    key_spec: str
    key_usage: str
    state: str
    description: str
    origin: str
    multi_region: bool
    signing_algorithms: tuple[str, ...] = ()
    encryption_algorithms: tuple[str, ...] = ()
    created: str = ""
    deletion_date: str = ""
    manager: str = "CUSTOMER"


@dataclass(frozen=True)
class LastUse:
    """When a key last did cryptographic work with success.

    Attributes:
        at: ISO 8601, UTC, whole seconds; empty where it did none since *tracked_since*.
        tracked_since: as *at*; empty where AWS does not say.
    """

    at: str
    tracked_since: str
