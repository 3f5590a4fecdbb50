# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of a key, and what they mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from .._keys.names import USES, to_alias, visible_tags
from .._keys.plan import CurrentKey, DesiredKey, check_desired
from .._keys.policy import to_policy
from .._pki.errors import SpecError
from .._signer.algorithms import KEY_SPECS

T = TypeVar("T")

KEY_USAGES = ["SIGN_VERIFY", "ENCRYPT_DECRYPT"]

KEY_OPTIONS: dict[str, dict[str, Any]] = {
    "alias": {"type": "str"},
    "key_id": {"type": "str"},
    "key_spec": {"type": "str", "default": "ECC_NIST_P256", "choices": list(KEY_SPECS)},
    "key_usage": {"type": "str", "default": "SIGN_VERIFY", "choices": KEY_USAGES},
    "use": {"type": "str", "choices": list(USES)},
    "description": {"type": "str"},
    "tags": {"type": "dict", "aliases": ["resource_tags"]},
    "purge_tags": {"type": "bool", "default": True},
    "policy": {"type": "json"},
}


def to_desired_key(params: Mapping[str, Any]) -> DesiredKey:
    """Return the key that the task asks for.

    Raises:
        SpecError: KMS has no such key, or a value is malformed; all problems in one message.
    """
    problems: list[str] = []
    desired = DesiredKey(
        alias=_read(to_alias, params["alias"] or None, problems) or "",
        key_id=params["key_id"] or "",
        key_spec=params["key_spec"],
        key_usage=params["key_usage"],
        use=params["use"],
        description=params["description"],
        tags=_to_tags(params["tags"]),
        purge_tags=params["purge_tags"],
        policy=_read(to_policy, params["policy"], problems),
    )
    problems += check_desired(desired, KEY_SPECS[desired.key_spec].usages)
    if problems:
        raise SpecError("; ".join(problems))
    return desired


def _read(convert: Callable[[str], T], value: str | None, problems: list[str]) -> T | None:
    """Convert *value*; what is wrong with it goes to *problems*."""
    try:
        return None if value is None else convert(value)
    except SpecError as exc:
        problems.append(str(exc))
        return None


def _to_tags(tags: Mapping[str, Any] | None) -> dict[str, str] | None:
    if tags is None:
        return None
    return {str(name): "" if value is None else str(value) for name, value in tags.items()}


def key_result(desired: DesiredKey, current: CurrentKey | None) -> dict[str, Any]:
    """Return what the module tells of a key: what is known, and of what the task manages alone."""
    known: dict[str, Any] = {"alias": desired.alias, "key_spec": desired.key_spec, "key_usage": desired.key_usage}
    if current is None:
        return known
    found = current.description
    known |= {
        "key_id": found.key_id,
        "key_arn": found.arn,
        "key_state": found.state,
        "signing_algorithms": list(found.signing_algorithms),
    }
    if desired.tags is not None:
        known["tags"] = visible_tags(current.tags or {})
    if desired.policy is not None:
        known["policy"] = current.policy
    return known
