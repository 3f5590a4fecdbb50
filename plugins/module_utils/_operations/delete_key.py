# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A key goes to deletion when nobody needs it any more."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from .._keys.access import demanded_window
from .._keys.description import KeyDescription
from .._keys.desired import LONGEST_WINDOW
from .._keys.names import USE_TAG
from .._keys.plan import GOING, check_manager
from .._ledger.entries import authority_of
from .._ledger.opening import open_ledger
from .._ledger.port import Ledger, LedgerState
from .._pki.errors import AwsError, KeyStateError, SpecError
from .._pki.plan import Change, Plan
from .._pki.times import to_duration
from .key_store import KeyStore

TIME = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True)
class Guard:
    """What must be so before a key may go.

    Attributes:
        ledger: opens the record of what the key signed, given its SubjectPublicKeyInfo (DER), or None where that is not
            known. None where there is no ledger.
        unused_for: how long nobody may have used it.
        force: let it go whatever it is needed for.
    """

    ledger: Callable[[bytes | None], Ledger] | None
    unused_for: timedelta
    force: bool = False


def to_guard(ledger_path: str | None, unused_for: str, force: bool, now: datetime) -> Guard:
    """Return the guard that the options of a task ask for.

    Raises:
        SpecError: the ledger is not there, or the time is not understood.
    """
    if ledger_path and not open_ledger(ledger_path, lambda: now).exists():
        raise SpecError(f"ledger_path {ledger_path} does not exist; name the authority's ledger, or leave it out")

    def ledger(public_key: bytes | None) -> Ledger:
        return open_ledger(ledger_path or "", lambda: now, authority_of(public_key) if public_key else "")

    return Guard(ledger if ledger_path else None, to_duration(unused_for), force)


def plan_deletion(key: KeyDescription | None, days: int) -> Plan:
    """Return what is to change for the key to be gone; a key that is pending deletion already is left as it is.

    Raises:
        KeyStateError: the key is AWS's own.
    """
    if key is None or key.state in GOING:
        return Plan()
    check_manager(key, key.arn)
    return Plan((Change("key_state", key.state, "PendingDeletion"), Change("pending_window", None, days)))


def check_demanded_window(store: KeyStore, key: KeyDescription, days: int) -> None:
    """Refuse to let a key go sooner than its policy lets anybody do; no policy demands more than the longest window.

    Raises:
        KeyStateError: the policy demands more than *days*, or may not be read.
    """
    if days == LONGEST_WINDOW:
        return
    try:
        demanded = demanded_window(store.policy(key.key_id))
    except AwsError as exc:
        raise KeyStateError(
            f"whether the policy of {key.arn} forbids a pending_window of {days} cannot be known ({exc}). Leave "
            "pending_window out, or say minimum_pending_window as in the policy, which is not read then"
        ) from exc
    if days < demanded:
        raise KeyStateError(
            f"pending_window {days} is shorter than the {demanded} days that the policy of {key.arn} demands; wait "
            f"longer, or apply the lists that the policy was made of with minimum_pending_window {days} first"
        )


def check_unneeded(store: KeyStore, key: KeyDescription, guard: Guard, now: datetime) -> None:
    """Refuse to let a key go that somebody needs.

    Raises:
        KeyStateError: what it is needed for, all of it in one message.
        LedgerError: the ledger is damaged or not of this key.
    """
    if guard.force:
        return
    needed = [*_duties(store, key, guard, now), *_use(store, key, guard.unused_for, now)]
    if needed:
        raise KeyStateError(f"{key.arn} is not deleted: {'; '.join(needed)}. Wait, or set force")


def _duties(store: KeyStore, key: KeyDescription, guard: Guard, now: datetime) -> list[str]:
    if guard.ledger is None:
        authority = store.tags(key.key_id).get(USE_TAG) == "ca"
        return ["it is an authority's, so name its ledger_path"] if authority else []
    public_key = _public_key(store, key)
    state = guard.ledger(public_key).read()
    if public_key is None and not any(_is_named(key, record.key_arn) for record in state.certificates):
        return [
            "it is disabled, AWS does not tell its public key, and no certificate in its ledger names it; enable it"
        ]
    return ledger_duties(state, now)


def _public_key(store: KeyStore, key: KeyDescription) -> bytes | None:
    """Return the public key, or None where AWS does not tell it because the key is disabled."""
    try:
        return store.public_key(key.key_id)
    except KeyStateError:
        if key.state != "Disabled":
            raise
        return None


def _is_named(key: KeyDescription, text: str) -> bool:
    """Return whether *text* is an ARN of the key, in whatever region, or its ID."""
    return text == key.key_id or text.endswith(f":{key.account}:key/{key.key_id}")


def ledger_duties(state: LedgerState, now: datetime) -> list[str]:
    """Return what an authority still owes to those who rely on it."""
    alive = [record for record in state.certificates if record.not_after >= now]
    known = {record.serial for record in state.certificates}
    unknown = [intent.serial for intent in state.open_intents if intent.purpose == "certificate"]
    listed = [
        revocation.serial
        for revocation in state.revocations
        if revocation.serial not in known and (revocation.not_after is None or revocation.not_after >= now)
    ]
    crls = [crl for crl in state.crls if crl.next_update >= now]
    last = max((record.not_after for record in alive), default=now)
    duties = (
        (
            alive,
            f"its ledger shows {_some(record.name or record.serial for record in alive)} valid until {last:{TIME}}",
        ),
        (unknown, f"its ledger cannot tell whether {_some(unknown)} was issued"),
        (listed, f"CRLs must go on listing {_some(listed)}"),
        (crls, f"relying parties expect a CRL after number {max((crl.number for crl in crls), default=0)}"),
    )
    return [duty for found, duty in duties if found]


def _some(names: Iterable[str]) -> str:
    listed = sorted(set(names))
    more = f" and {len(listed) - 3} more" if len(listed) > 3 else ""
    return ", ".join(listed[:3]) + more


def _use(store: KeyStore, key: KeyDescription, unused_for: timedelta, now: datetime) -> list[str]:
    """Return the last use where it is too recent, or not known for long enough."""
    since = (now - unused_for).strftime(TIME)
    try:
        last = store.last_use(key.key_id)
    except AwsError as exc:
        return [f"whether it is still used cannot be known ({exc})"]
    if last.at >= since and last.at:
        return [f"it was used at {last.at}, and unused_for asks for none since {since}"]
    if not last.at and last.tracked_since > since and key.created < last.tracked_since[:10]:
        return [f"AWS knows of its use only since {last.tracked_since}, and unused_for asks for none since {since}"]
    return []
