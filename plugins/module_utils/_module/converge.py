# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The end of every module's run, and the one place that reads check mode."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, NoReturn

from .._pki.errors import PkiError, SpecError
from .files import apply_attributes, attribute_changes, check_writable

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

    from .._pki.plan import Plan


def utc_now() -> datetime:
    """Return the present, UTC-aware, in whole seconds: certificates know no smaller ones."""
    return datetime.now(timezone.utc).replace(microsecond=0)


def milliseconds_now() -> int:
    """Return the present in milliseconds since 1970."""
    return int(datetime.now(timezone.utc).timestamp() * 1000)


def converge(
    module: AnsibleModule,
    plan: Plan,
    apply: Callable[[], Mapping[str, Any]],
    known: Mapping[str, Any] | None = None,
    files: Sequence[str] = (),
    refusals: Sequence[str] = (),
) -> NoReturn:
    """Apply *plan* unless in check mode, then exit with what is known and what was done.

    Args:
        apply: carries the plan out and returns the results to add; not called when nothing changes. It may return
            changed: False where somebody else had done it meanwhile.
        known: results that are true whether or not the plan is carried out.
        files: paths that get the task's mode and owner, whether or not the plan wrote them.
        refusals: what cannot be done and kept nothing else from being done; they fail the task in the end.
    Raises:
        PkiError: something is pending outside check mode, one of *files* cannot be written, or there are refusals.
    """
    result: dict[str, Any] = {"sign_calls": 0, **(known or {})}
    if plan.pending and not module.check_mode:
        raise PkiError("; ".join(plan.pending))
    if plan.changed and not module.params.get("unsafe_writes"):
        for path in files:
            check_writable(path)
    attributes = attribute_changes(module, files)
    if plan.changed and not module.check_mode:
        result.update(apply())
    if refusals:
        raise SpecError("; ".join(refusals))
    if plan.pending:
        result["pending"] = list(plan.pending)
    changed = apply_attributes(module, files, result.pop("changed", plan.changed))
    module.exit_json(changed=changed, diff=replace(plan, changes=(*plan.changes, *attributes)).diff, **result)
