# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of a key, and what they mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from .._keys.desired import LONGEST_WINDOW, DesiredKey, check_desired, check_window
from .._keys.names import USES, to_alias, visible_tags
from .._keys.plan import CurrentKey
from .._keys.policy import to_policy
from .._pki.errors import KeyStateError, SpecError
from .._signer.algorithms import KEY_SPECS

if TYPE_CHECKING:
    from .._keys.access import KeyAccess
    from .._keys.description import KeyDescription

T = TypeVar("T")

KEY_USAGES = ["SIGN_VERIFY", "ENCRYPT_DECRYPT"]

PRINCIPALS: dict[str, Any] = {"type": "list", "elements": "raw"}

LOOKUP_OPTIONS: dict[str, dict[str, Any]] = {
    "alias": {"type": "str"},
    "key_id": {"type": "str"},
}

ACCESS_OPTIONS: dict[str, dict[str, Any]] = {
    "administrators": PRINCIPALS,
    "signers": PRINCIPALS,
    "verifiers": PRINCIPALS,
    "online_verifiers": PRINCIPALS,
    "encrypters": PRINCIPALS,
    "decrypters": PRINCIPALS,
    "auditors": PRINCIPALS,
    "break_glass_principals": {"type": "list", "elements": "str"},
}
GENERATING = tuple(ACCESS_OPTIONS)
"""Options that ask for a generated key policy; account_root does so too when it is not the default."""

KIND = {"key_spec": "ECC_NIST_P256", "key_usage": "SIGN_VERIFY"}
"""What a key is that nobody says more of."""

KEY_OPTIONS: dict[str, dict[str, Any]] = {
    **LOOKUP_OPTIONS,
    "state": {"type": "str", "default": "present", "choices": ["present", "absent"]},
    "key_spec": {"type": "str", "choices": list(KEY_SPECS)},
    "key_usage": {"type": "str", "choices": KEY_USAGES},
    "use": {"type": "str", "choices": list(USES)},
    "description": {"type": "str"},
    "enabled": {"type": "bool"},
    "aliases": {"type": "list", "elements": "str"},
    "move_alias": {"type": "bool", "default": False},
    "tags": {"type": "dict", "aliases": ["resource_tags"]},
    "purge_tags": {"type": "bool", "default": True},
    "policy": {"type": "json"},
    "bypass_policy_lockout_safety_check": {"type": "bool", "default": False},
    **ACCESS_OPTIONS,
    "signing_algorithms": {"type": "list", "elements": "str"},
    "account_root": {"type": "str", "default": "break_glass", "choices": ["break_glass", "administer", "full"]},
    "minimum_pending_window": {"type": "int"},
    "cancel_deletion": {"type": "bool", "default": False},
    "pending_window": {"type": "int", "default": 30},
    "ledger_path": {"type": "path"},
    "unused_for": {"type": "str", "default": "30d"},
    "force": {"type": "bool", "default": False},
}


def takes_kind_from_key(params: Mapping[str, Any]) -> bool:
    """Return whether the key that key_id names says what the task leaves open, its spec or usage."""
    return bool(params["key_id"]) and any(params[option] is None for option in KIND)


def to_desired_key(params: Mapping[str, Any], named: KeyDescription | None = None) -> DesiredKey:
    """Return the key that the task asks for.

    Args:
        named: the key that key_id names, where takes_kind_from_key().
    Raises:
        SpecError: KMS has no such key, or a value is malformed; all problems in one message.
        KeyStateError: *named* is of a spec that is none of ours.
    """
    params = _with_kind(params, named)
    problems: list[str] = []
    aliases = params["aliases"]
    desired = DesiredKey(
        alias=_read(to_alias, params["alias"] or None, problems) or "",
        key_id=params["key_id"] or "",
        key_spec=params["key_spec"],
        key_usage=params["key_usage"],
        use=params["use"],
        description=params["description"],
        tags=to_tags(params["tags"]),
        purge_tags=params["purge_tags"],
        policy=_read(to_policy, params["policy"], problems),
        access=_to_access(params, problems),
        aliases=tuple(name for text in aliases if (name := _read(to_alias, text, problems)))
        if aliases is not None
        else None,
        move_alias=params["move_alias"],
        enabled=params["enabled"],
        cancel_deletion=params["cancel_deletion"],
        bypass_lockout_check=params["bypass_policy_lockout_safety_check"],
    )
    problems += check_desired(desired, KEY_SPECS[desired.key_spec].usages)
    problems += check_window(LONGEST_WINDOW, params["minimum_pending_window"])
    if problems:
        raise SpecError("; ".join(problems))
    return desired


def _with_kind(params: Mapping[str, Any], named: KeyDescription | None) -> dict[str, Any]:
    kind = {"key_spec": named.key_spec, "key_usage": named.key_usage} if named else KIND
    if kind["key_spec"] not in KEY_SPECS:
        raise KeyStateError(f"{params['key_id']} is of key_spec {kind['key_spec']}; use one of {', '.join(KEY_SPECS)}")
    return {**params, **{option: value for option, value in kind.items() if params[option] is None}}


def _to_access(params: Mapping[str, Any], problems: list[str]) -> KeyAccess | None:
    """Return who may do what, or None where the task leaves the key policy alone or writes it whole."""
    generated = any(params[name] is not None for name in GENERATING) or params["account_root"] != "break_glass"
    if generated:
        from .access_options import to_access  # most tasks never need it

        return to_access(params, problems)
    if params["signing_algorithms"] is not None:
        problems.append("signing_algorithms narrows what signers may do; give signers too, or leave it out")
    return None


def _read(convert: Callable[[str], T], value: str | None, problems: list[str]) -> T | None:
    """Convert *value*; what is wrong with it goes to *problems*."""
    try:
        return None if value is None else convert(value)
    except SpecError as exc:
        problems.append(str(exc))
        return None


def to_tags(tags: Mapping[str, Any] | None) -> dict[str, str] | None:
    """Return tags with values of any YAML type as texts."""
    if tags is None:
        return None
    return {str(name): "" if value is None else str(value) for name, value in tags.items()}


def key_result(desired: DesiredKey, current: CurrentKey | None) -> dict[str, Any]:
    """Return what the module tells of a key: what is known, and of what the task manages alone."""
    known: dict[str, Any] = {"alias": desired.alias, "key_spec": desired.key_spec, "key_usage": desired.key_usage}
    if current is None:
        return known
    known |= description_result(current.description)
    if desired.aliases is not None:
        known["aliases"] = sorted(current.aliases or ())
    if desired.tags is not None:
        known["tags"] = visible_tags(current.tags or {})
    if desired.manages_policy:
        known["policy"] = current.policy
    if desired.access is not None:
        from .._keys.access_checks import needed_elsewhere

        known["needed_elsewhere"] = needed_elsewhere(desired.access, current.description.arn)
    return known


def warnings_of(desired: DesiredKey) -> list[str]:
    """Return what the task allows and should be looked at twice."""
    if desired.access is None:
        return []
    from .._keys.access_checks import access_warnings

    return access_warnings(desired.access)


def to_window(params: Mapping[str, Any]) -> int:
    """Return how many days a key that is to go is kept.

    Raises:
        SpecError: KMS takes no such window, or the task's own minimum_pending_window forbids it.
    """
    if problems := check_window(params["pending_window"], params["minimum_pending_window"]):
        raise SpecError("; ".join(problems))
    return int(params["pending_window"])


def description_result(found: KeyDescription) -> dict[str, Any]:
    """Return what DescribeKey tells of a key."""
    return {
        "key_id": found.key_id,
        "key_arn": found.arn,
        "key_spec": found.key_spec,
        "key_usage": found.key_usage,
        "key_state": found.state,
        "deletion_date": found.deletion_date,
        "signing_algorithms": list(found.signing_algorithms),
    }
