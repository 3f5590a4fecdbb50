# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Taking up a key that a run made and did not live to name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .desired import DesiredKey
from .names import ALIAS_TAG
from .plan import CurrentKey
from .policy import default_policy, normalised, partition_of


def obstacles_to_adoption(
    key: CurrentKey, desired: DesiredKey, policy: Mapping[str, Any] | None, *, granted: bool, last_used: str
) -> list[str]:
    """Return why a key tagged for an alias must not get it; empty where it is what a dead run left behind.

    Args:
        policy: what intended_policy() says; None for KMS's default.
        last_used: when it was used, empty for never.
    """
    found, partition = key.description, partition_of(key.description.arn)
    intended: Mapping[str, Any] = policy if policy is not None else default_policy(found.arn)
    aliases: Sequence[str] = key.aliases or ()
    tests = (
        (found.origin == "AWS_KMS", f"its key material is {found.origin}, not AWS_KMS"),
        (found.state == "Enabled", f"it is {found.state}"),
        (found.key_spec == desired.key_spec, f"its key_spec is {found.key_spec}, not {desired.key_spec}"),
        (found.key_usage == desired.key_usage, f"its key_usage is {found.key_usage}, not {desired.key_usage}"),
        (not found.multi_region, "it is a multi-Region key"),
        (not aliases, f"it has {', '.join(aliases)}"),
        (not granted, "it has grants"),
        (not last_used, f"it was used at {last_used}"),
        ((key.tags or {}).get(ALIAS_TAG) == desired.alias, f"its tag {ALIAS_TAG} has changed"),
        (normalised(key.policy or {}, partition) == normalised(intended, partition), "its key policy is another"),
    )
    return [problem for fine, problem in tests if not fine]
