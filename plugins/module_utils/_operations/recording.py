# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Recorded before signed: every kms:Sign of the collection has its line in a ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from .._ledger.entries import Attempt, Intent, Refused, new_id
from .._ledger.holders import is_gone
from .._ledger.port import Ledger, LedgerState, NameClaimed
from .._pki.errors import AwsError, KeyStateError, SignerError


@dataclass
class IntentRecorder:
    """Claims the name at the first attempt, counts the others; fits the signer's Recorder by shape.

    Args:
        describe: makes the intent from the SHA-256 of what is signed.
        expected_current: serial that is current as the plan saw it; None where there is none.
        objection: says by the ledger as it is with the claim why nothing may be signed after all; empty where it may.
        intent: what was claimed already, so that the first attempt has its line; else what the first attempt claims.
    """

    ledger: Ledger
    clock: Callable[[], datetime]
    describe: Callable[[str], Intent]
    expected_current: str | None = None
    objection: Callable[[LedgerState, Intent], str] | None = None
    intent: Intent | None = None
    attempts: int = field(default=0)

    def attempt(self, content_sha256: str) -> None:
        """Write the attempt down before KMS is asked.

        Raises:
            NameClaimed: somebody else is at it or was faster.
        """
        self.attempts += 1
        if self.intent is None:
            intent = self.describe(content_sha256)
            self.ledger.claim(intent, self.expected_current)
            self.intent = intent
            self._heed_objection(intent)
        elif self.attempts > 1:
            self.ledger.append(Attempt(new_id(), self.clock(), self.intent.id, self.attempts))

    def _heed_objection(self, intent: Intent) -> None:
        problem = self.objection(self.ledger.read(), intent) if self.objection else ""
        if problem:
            self.ledger.append(Refused(new_id(), self.clock(), intent.id, problem))
            raise NameClaimed(problem)

    def refused(self, error: AwsError | KeyStateError | SignerError) -> None:
        """Close the intent where AWS answered and no signature came of it.

        An unanswered call may have signed, so it stays open.
        """
        unsure = isinstance(error, AwsError) and error.unsure
        if self.intent is not None and self.attempts == 1 and not unsure:
            self.ledger.append(Refused(new_id(), self.clock(), self.intent.id, str(error)))


@contextmanager
def closed_if_refused(recorder: IntentRecorder | None) -> Iterator[None]:
    """Close the intent of *recorder* where no signature comes of what is asked for here, so that its name is free."""
    try:
        yield
    except (AwsError, KeyStateError, SignerError) as exc:
        if recorder is not None:
            recorder.refused(exc)
        raise


def closing(state: LedgerState, intent: Intent, now: datetime) -> list[Refused]:
    """Return the lines that close what runs before left open, to be recorded with the outcome of *intent*.

    They had claimed the same, did not end well, and what may have been signed for them was not kept.
    """
    told = f"nothing made for it was kept; {intent.id} was made in its place"
    return [
        Refused(new_id(), now, other.id, told)
        for other in state.open_intents
        if _kind(other) == _kind(intent) and other.id != intent.id and _is_before(other, intent)
    ]


def _is_before(other: Intent, intent: Intent) -> bool:
    """Tell whether *other* was there first; by its time alone only where nobody knows that its run has ended."""
    return other.time <= intent.time or is_gone(other.holder)


def _kind(intent: Intent) -> tuple[str, str, str | None]:
    """Return what an intent is for; full and delta CRLs share the name that they claim."""
    return intent.purpose, intent.name, intent.details.get("scope")
