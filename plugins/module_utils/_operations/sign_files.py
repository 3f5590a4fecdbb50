# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many signatures in one go: contents are hashed on all cores, KMS is asked for several at once."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from .._pki.errors import PkiError, SpecError
from .._pki.plan import Plan
from .._pki.problems import refuse
from .sign_file import SignatureMade, SigningWork, ask_for_signature, keep_signature, plan_signature
from .signing_key import check_use

if TYPE_CHECKING:
    from concurrent.futures import Future

    from .._ledger.entries import Entry, Intent
    from .._ledger.port import Ledger, LedgerState
    from .._signer.specs import Content, SignatureSpec
    from .sign_file import PlanningPorts, SigningPorts
    from .signing_key import SigningKey

AT_ONCE = 8
"""Signatures that KMS is asked for at the same time."""

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

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        planned = list(pool.map(plan_or_problem, specs) if len(specs) > 1 else map(plan_or_problem, specs))
    refuse(one for one in planned if isinstance(one, str))
    works = [one for one in planned if isinstance(one, SigningWork)]
    to_sign = [work for work in works if work.prepared is not None and work.signature is None]
    if key is not None and to_sign:
        check_use(ports.keys, key, any(work.spec.content.digest_algorithm for work in to_sign))
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


def make_signatures(works: Sequence[SigningWork], ports: SigningPorts) -> list[SignatureMade]:
    """Carry out *works*; each signature is kept and recorded as soon as it is there.

    Raises:
        PkiError: the first failure. What was asked for until then is kept, and nothing more is asked for.
    """
    ports = replace(ports, ledger=_OneAtATime(ports.ledger)) if ports.ledger else ports
    outcomes: dict[int, SignatureMade] = {}
    failures: list[PkiError] = []
    with ThreadPoolExecutor(min(AT_ONCE, max(1, len(works)))) as pool:
        asked = {pool.submit(ask_for_signature, work, ports): place for place, work in enumerate(works)}
        try:
            for future in as_completed(asked):
                outcome = None if future.cancelled() else _kept(future, ports)
                if isinstance(outcome, SignatureMade):
                    outcomes[asked[future]] = outcome
                elif outcome is not None:
                    failures.append(outcome)
                    _cancel(asked)
        finally:
            _cancel(asked)
    if failures:
        raise _told(failures[0], len(outcomes), len(works))
    return [outcomes[place] for place in sorted(outcomes)]


@dataclass(frozen=True)
class _OneAtATime:
    """A ledger for several threads: they wait here, which is quicker than for the lock of its file."""

    ledger: Ledger
    lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self) -> LedgerState:
        with self.lock:
            return self.ledger.read()

    def claim(self, intent: Intent, expected_current: str | None) -> None:
        with self.lock:
            self.ledger.claim(intent, expected_current)

    def append(self, entry: Entry) -> None:
        with self.lock:
            self.ledger.append(entry)


def _kept(future: Future[SignatureMade], ports: SigningPorts) -> SignatureMade | PkiError:
    try:
        made = future.result()
        keep_signature(made, ports)
    except PkiError as exc:
        return exc
    return made


def _cancel(futures: Iterable[Future[SignatureMade]]) -> None:
    for future in futures:
        future.cancel()


def _told(failure: PkiError, done: int, wanted: int) -> PkiError:
    """Return *failure*, with what was done in spite of it where more than one signature was wanted."""
    if wanted > 1:
        failure.args = (f"{failure} ({done} of {wanted} signatures were made; run again for the others)",)
    return failure
