# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that say who may do what with a key, and what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._keys.access import ACTIONS, Grantee, KeyAccess
from .._keys.access_checks import check_access
from .._keys.desired import LONGEST_WINDOW
from .._signer.algorithms import ALGORITHMS, KEY_SPECS

NARROW_USES = ("ca", "ocsp")


def to_access(params: Mapping[str, Any], problems: list[str]) -> KeyAccess:
    """Return who may do what as the task says; what is wrong with it goes to *problems*."""
    row = KEY_SPECS[params["key_spec"]]
    signs = params["key_usage"] == "SIGN_VERIFY"
    if params["signing_algorithms"] == []:
        problems.append(
            "signing_algorithms: empty, so nobody could sign; name some, or leave it out for all of the key"
        )
    algorithms = tuple(params["signing_algorithms"] or (row.signing_algorithms if signs else ()))
    access = KeyAccess(
        **{name: _to_grantees(name, params[name] or (), problems) for name in ACTIONS},
        signing_algorithms=algorithms,
        message_types=_message_types(params, algorithms),
        account_root=params["account_root"],
        break_glass_principals=tuple(params["break_glass_principals"] or ()),
        minimum_pending_window=LONGEST_WINDOW if (days := params["minimum_pending_window"]) is None else days,
    )
    problems += check_access(access, params["key_usage"], row.signing_algorithms if signs else ())
    return access


def _message_types(params: Mapping[str, Any], algorithms: tuple[str, ...]) -> tuple[str, ...]:
    """Return what may be sent to be signed: for authorities the one thing that they ever send."""
    if params["use"] in NARROW_USES:
        return (KEY_SPECS[params["key_spec"]].message_type,)
    known = (ALGORITHMS[name] for name in algorithms if name in ALGORITHMS)
    return tuple(sorted({kind for row in known for kind in row.message_types}))


def _to_grantees(name: str, listed: Any, problems: list[str]) -> tuple[Grantee, ...]:
    return tuple(grantee for entry in listed if (grantee := _to_grantee(name, entry, problems)))


def _to_grantee(name: str, entry: Any, problems: list[str]) -> Grantee | None:
    if isinstance(entry, str):
        return Grantee(entry, {})
    if isinstance(entry, int):
        problems.append(f"{name}: {entry} is a number; write account numbers in quotes, or YAML may change them")
        return None
    if (
        isinstance(entry, Mapping)
        and isinstance(entry.get("principal"), str)
        and set(entry) <= {"principal", "conditions"}
    ):
        conditions = entry.get("conditions") or {}
        if isinstance(conditions, Mapping):
            return Grantee(entry["principal"], conditions)
    problems.append(f"{name}: {entry!r} is neither a principal nor a table with principal and conditions")
    return None
