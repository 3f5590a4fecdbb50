# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finding keys by their tags."""

from __future__ import annotations

from typing import Any

from .._pki.errors import AwsError, KeyStateError
from .errors import DENIED, ask_pages
from .kms import list_keys, list_resource_tags


def find_by_tag(tagging: Any, kms: Any, name: str, value: str | None) -> dict[str, dict[str, str]]:
    """Return the keys of this account and region whose tag *name* is *value* (None: any), with all tags, by ARN.

    Asks tag:GetResources, and where that is denied kms:ListKeys and kms:ListResourceTags of every key.
    """
    try:
        return _indexed(tagging, name, value)
    except AwsError as exc:
        if exc.code not in DENIED:
            raise
    every = {arn: _tags(kms, arn) for arn in list_keys(kms)}
    return {arn: tags for arn, tags in every.items() if name in tags and value in (None, tags[name])}


def _indexed(tagging: Any, name: str, value: str | None) -> dict[str, dict[str, str]]:
    wanted = {"Key": name} if value is None else {"Key": name, "Values": [value]}
    pages = ask_pages(
        tagging,
        "GetResources",
        f"keys tagged {name}",
        ResourceTypeFilters=["kms:key"],
        TagFilters=[wanted],
    )
    return {
        str(found["ResourceARN"]): {str(tag["Key"]): str(tag["Value"]) for tag in found["Tags"]}
        for page in pages
        for found in page["ResourceTagMappingList"]
    }


def _tags(kms: Any, arn: str) -> dict[str, str]:
    """Return the tags of one key; a key whose tags may not be read is nobody's that concerns us."""
    try:
        return list_resource_tags(kms, arn)
    except AwsError as exc:
        if exc.code not in DENIED:
            raise
        return {}
    except KeyStateError:
        return {}  # gone since it was listed
