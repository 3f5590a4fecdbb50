# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of looking at keys, and what is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._keys.names import USE_TAG, to_alias, visible_tags
from .._keys.report import FoundKey, KeyReport, Selection
from .._pki.errors import SpecError
from .key_options import LOOKUP_OPTIONS, description_result, to_tags

KEY_INFO_OPTIONS: dict[str, dict[str, Any]] = {
    **LOOKUP_OPTIONS,
    "alias_prefix": {"type": "str"},
    "tags": {"type": "dict", "aliases": ["resource_tags"]},
}

DESCRIBED = (
    *("key_id", "key_arn", "key_spec", "key_usage", "key_state", "deletion_date", "signing_algorithms"),
    *("description", "origin", "multi_region", "encryption_algorithms", "creation_date"),
)
"""What DescribeKey tells."""


def to_selection(params: Mapping[str, Any]) -> Selection:
    """Return which keys the task asks about.

    Raises:
        SpecError: no such alias can be, or the tags that should say which keys are none.
    """
    prefix = params["alias_prefix"]
    if params["tags"] == {}:
        raise SpecError("tags: is empty, so no key is meant; name some, or give an empty alias_prefix for all aliases")
    return Selection(
        key_id=to_alias(params["alias"]) if params["alias"] else params["key_id"] or "",
        prefix="" if prefix is None else f"alias/{prefix.removeprefix('alias/')}",
        tags=to_tags(params["tags"]) or {},
    )


def report_result(report: KeyReport) -> dict[str, Any]:
    """Return what is told of one key."""
    last = report.last_use
    return {
        **_described(report.key),
        "aliases": None if report.aliases is None else list(report.aliases),
        "use": (report.tags or {}).get(USE_TAG),
        "tags": None if report.tags is None else visible_tags(report.tags),
        "policy": report.policy,
        "last_used": last.at if last else None,
        "last_used_tracked_since": last.tracked_since if last else None,
        "monthly_cost_usd": report.monthly_cost,
        "made_for_alias": report.made_for,
        "unreadable": dict(report.unreadable),
    }


def _described(key: FoundKey) -> dict[str, Any]:
    found = key.description
    if found is None:
        arn = key.name if key.name.startswith("arn:") else None
        return {**dict.fromkeys(DESCRIBED), "key_id": key.key_id, "key_arn": arn}
    return {
        **description_result(found),
        "description": found.description,
        "origin": found.origin,
        "multi_region": found.multi_region,
        "encryption_algorithms": list(found.encryption_algorithms),
        "creation_date": found.created,
    }
