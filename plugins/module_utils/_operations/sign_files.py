# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many signatures in one go: what is there, and what has to be made."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .._pki.errors import NoKeyError, SpecError
from .._pki.plan import Plan
from .._pki.problems import refuse
from .content import of_each_file
from .sign_file import SigningWork, plan_signature
from .signing_key import check_use

if TYPE_CHECKING:
    from .._signer.specs import Content, SignatureSpec
    from .sign_file import PlanningPorts
    from .signing_key import SigningKey

REASONS_TOLD = 3


def plan_signatures(
    specs: Sequence[SignatureSpec],
    key: SigningKey | None,
    missing: tuple[str, ...],
    read_current: Callable[[str], bytes | None],
    ports: PlanningPorts,
) -> list[SigningWork]:
    """Plan each of *specs*; a key that must not be used for files is refused as soon as one has to be signed.

    Args:
        missing: what all of them lack, one phrase each.
        read_current: gives what is at a dest, None where there is nothing.
    Raises:
        SpecError: contents that cannot or must not be signed, all in one message.
        KeyStateError: the key must not sign files.
    """

    def plan_or_problem(spec: SignatureSpec) -> SigningWork | str:
        try:
            lacking = (*missing, *_lacking(spec.content))
            return plan_signature(spec, key, lacking, read_current(spec.dest), ports)
        except SpecError as exc:
            return str(exc)

    paths = ["" if spec.content.data is not None else spec.content.name for spec in specs]
    planned = of_each_file(plan_or_problem, specs, paths)
    refuse(one for one in planned if isinstance(one, str))
    works = [one for one in planned if isinstance(one, SigningWork)]
    to_sign = [work for work in works if work.prepared is not None and work.signature is None]
    if key is None or not to_sign:
        return works
    try:
        check_use(ports.keys, key, any(work.spec.content.digest_algorithm for work in to_sign))
    except NoKeyError as exc:
        return [replace(work, plan=replace(work.plan, pending=(*work.plan.pending, str(exc)))) for work in works]
    return works


def _lacking(content: Content) -> Iterator[str]:
    is_file = content.data is None and not content.digest_algorithm
    if is_file and not os.path.lexists(content.name):
        yield f"{content.name} does not exist yet"


def combined_plan(works: Sequence[SigningWork]) -> Plan:
    """Return the plan of all of *works*."""
    changes = [change for work in works for change in work.plan.changes]
    pending = dict.fromkeys(phrase for work in works for phrase in work.plan.pending)
    reasons = [work.plan.reason for work in works if work.plan.reason]
    more = [f"and {len(reasons) - REASONS_TOLD} more"] if len(reasons) > REASONS_TOLD else []
    return Plan(tuple(changes), tuple(pending), "; ".join([*reasons[:REASONS_TOLD], *more]))


def results(works: Sequence[SigningWork], signatures: Sequence[bytes | None]) -> list[dict[str, Any]]:
    """Return what a module tells of each; *signatures* are those that are there, in the order of *works*."""
    told = []
    for work, signature in zip(works, signatures, strict=True):
        of_it = work.result(signature) if signature is not None else {}
        told.append({"src": work.spec.content.name, "dest": work.spec.dest, **of_it})
    return told


def known_results(works: Sequence[SigningWork], many: bool) -> dict[str, Any]:
    """Return what a module tells before anything is signed; a list where the task names files."""
    known = works[0].known()
    if not many:
        return known
    shared: dict[str, Any] = {name: known[name] for name in ("signing_algorithm", "message_type") if name in known}
    return {**shared, "signatures": results(works, [work.signature for work in works])}
