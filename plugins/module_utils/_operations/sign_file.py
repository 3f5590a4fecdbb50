# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A signature over a file or text is where the task wants it, and right."""

from __future__ import annotations

import base64
import hashlib
import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from .._ledger.entries import Intent, Refused, Signed, new_id
from .._ledger.holders import this_holder
from .._pki.errors import KeyStateError
from .._pki.plan import Change, Plan
from .._signer.formats import check_format, decode_signature, encode_signature
from .._signer.ports import NoRecorder
from .._signer.session import SigningSession
from .._signer.verify import message_verifies
from .content import Prepared, prepare_content
from .recording import IntentRecorder, closed_if_refused
from .signing_key import SigningKey, SigningKeys, choose_algorithm

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from .._ledger.entries import Entry, Holder
    from .._ledger.port import Ledger, LedgerState
    from .._signer.algorithms import AlgorithmRow
    from .._signer.ports import MessageSigner, SignReply
    from .._signer.specs import SignatureSpec


@dataclass(frozen=True)
class SigningWork:
    """What is to be done for one signature.

    Attributes:
        row, prepared: None where the key or the content is not there yet.
        signature: the one that is there and right, None where one has to be made.
        left: intents for dest whose runs ended without an outcome, oldest first.
    """

    spec: SignatureSpec
    key: SigningKey | None
    plan: Plan
    row: AlgorithmRow | None = None
    prepared: Prepared | None = None
    signature: bytes | None = None
    left: tuple[Intent, ...] = ()

    @property
    def unrecorded(self) -> Intent | None:
        """The intent of the signature that is there, where its run ended before it wrote that down."""
        if self.signature is None or self.prepared is None:
            return None
        sha256 = self.prepared.sha256
        return next((one for one in reversed(self.left) if one.content_sha256 == sha256), None)

    def known(self) -> dict[str, Any]:
        """Return what a module tells before anything is signed."""
        told: dict[str, Any] = {}
        if self.row is not None:
            message_type = self.spec.message_type or self.row.message_type
            told |= {"signing_algorithm": self.row.name, "message_type": message_type.lower()}
        if self.signature is not None:
            told |= self.result(self.signature)
        if self.plan.reason:
            told["reason"] = self.plan.reason
        return told

    def result(self, signature: bytes) -> dict[str, Any]:
        """Return what a module tells of a signature that is there; text whatever the format."""
        verified = self.key is not None and self.key.public_key is not None
        written = signature if self.row is None else encode_signature(signature, self.spec.format, self.row)
        text = written if self.spec.format == "base64" else base64.b64encode(written)
        return {"signature": text.decode("ascii").strip(), "verified": verified}


@dataclass(frozen=True)
class PlanningPorts:
    """What planning needs; *state* is of the ledger, None where none is kept."""

    keys: SigningKeys
    state: LedgerState | None
    now: datetime

    @cached_property
    def open_intents(self) -> Mapping[tuple[str, str], tuple[Intent, ...]]:
        """The open intents of each purpose and name, oldest first: looked up for every file, so found once."""
        found: dict[tuple[str, str], tuple[Intent, ...]] = {}
        for one in self.state.open_intents if self.state else ():
            key = (one.purpose, one.name)
            found[key] = (*found.get(key, ()), one)
        return found


def plan_signature(
    spec: SignatureSpec, key: SigningKey | None, missing: tuple[str, ...], current: bytes | None, ports: PlanningPorts
) -> SigningWork:
    """Compare what is at dest with what should be there; content is read, nothing is signed or written.

    Whether the key may be used at all is check_use()'s to say.

    Args:
        missing: what is not there yet, one phrase each.
        current: content of dest, None where there is nothing.
    Raises:
        SpecError: this content cannot or must not be signed.
    """
    row = choose_algorithm(key, spec.signing_algorithm, spec.content.digest_algorithm) if key else None
    if row is not None:
        check_format(spec.format, row)
    if key is None or row is None or missing:
        return SigningWork(spec, key, Plan(_changes(spec, row, current), missing), row)
    prepared = prepare_content(spec.content, row, spec.message_type, key.public_key, ports.state is not None)
    left = _left(spec, ports)
    signature = None if current is None else decode_signature(current, spec.format, row)
    if signature is not None and _is_right(key, row, prepared, signature):
        changes = (Change("ledger", "open intent", "its outcome"),) if left else ()
        return SigningWork(spec, key, Plan(changes), row, prepared, signature, left)
    reason = "" if current is None else _reason(spec, key, row)
    return SigningWork(spec, key, Plan(_changes(spec, row, current), reason=reason), row, prepared, left=left)


def _left(spec: SignatureSpec, ports: PlanningPorts) -> tuple[Intent, ...]:
    """Return the open intents for dest, unless somebody may still write the outcome."""
    intents = ports.open_intents.get((spec.purpose, spec.dest), ()) if spec.dest else ()
    if not intents or ports.state is None or ports.state.claim_on(spec.dest, ports.now, spec.purpose):
        return ()
    return intents


def _is_right(key: SigningKey, row: AlgorithmRow, prepared: Prepared, signature: bytes) -> bool:
    return key.public_key is not None and message_verifies(
        key.public_key, signature, prepared.message, row, prepared.message_type
    )


def _reason(spec: SignatureSpec, key: SigningKey, row: AlgorithmRow) -> str:
    if key.public_key is None:
        return f"{spec.dest} cannot be verified without the public key"
    return f"{spec.dest} is no {row.name} signature of this content by this key"


def _changes(spec: SignatureSpec, row: AlgorithmRow | None, current: bytes | None) -> tuple[Change, ...]:
    after = f"{row.name if row else 'a'} signature of {spec.content.name}"
    return (Change(spec.dest or "signature", None if current is None else "something else", after),)


@dataclass(frozen=True)
class SigningPorts:
    """What signing needs beyond planning.

    Args:
        keep: puts the bytes of a signature where it belongs; called once it is verified.
        ledger: None where none is kept.
        caller_arn: who signs, for the record.
    """

    signer: MessageSigner
    keep: Callable[[SigningWork, bytes], None]
    ledger: Ledger | None
    caller_arn: str
    clock: Callable[[], datetime]
    sleep: Callable[[float], None] = field(default=time.sleep)


@dataclass(frozen=True)
class SignatureMade:
    """One signature as KMS returns it, verified, and what it took; *intent* waits for its outcome."""

    work: SigningWork
    signature: bytes
    sign_calls: int = 0
    reply: SignReply | None = None
    intent: Intent | None = None


def ask_for_signature(work: SigningWork, ports: SigningPorts, claimed: Intent | None = None) -> SignatureMade:
    """Sign and verify; nothing is kept yet.

    Args:
        claimed: its intent, where that is on record already; else it is recorded here.
    Raises:
        AwsError, KeyStateError: KMS refused or did not answer.
        SignerError: what came back is not the key's signature.
        LedgerError: the ledger could not be written; nothing more was signed.
    """
    if work.signature is not None:
        return SignatureMade(work, work.signature, intent=work.unrecorded)
    if work.key is None or work.row is None or work.prepared is None:
        raise KeyStateError(f"{work.spec.content.name}: {'; '.join(work.plan.pending)}")
    recorder = _recorder(work, ports, claimed)
    session = SigningSession(ports.signer, recorder or NoRecorder(), work.key.public_key, ports.sleep)
    prepared = work.prepared
    with closed_if_refused(recorder):
        signature = session.sign_message(prepared.message, work.row, prepared.message_type, prepared.sha256)
    return SignatureMade(work, signature, session.calls, session.replies[-1], recorder.intent if recorder else None)


def _recorder(work: SigningWork, ports: SigningPorts, claimed: Intent | None) -> IntentRecorder | None:
    if ports.ledger is None:
        return None
    return IntentRecorder(
        ports.ledger, ports.clock, lambda _sha256: intent_of(work, this_holder(), ports.clock()), intent=claimed
    )


def keep_signature(made: SignatureMade, ports: SigningPorts) -> tuple[Entry, ...]:
    """Put a signature where it belongs; return the lines that are to be recorded then, where a ledger is kept.

    Of one that a dead run left behind only the record is missing; nobody knows that run's request and caller any more.
    """
    work = made.work
    if made.reply is not None and work.row is not None:
        ports.keep(work, encode_signature(made.signature, work.spec.format, work.row))
    gone = f"no signature made for it is at {work.spec.dest}"
    refused = [Refused(new_id(), ports.clock(), one.id, gone) for one in work.left if one is not made.intent]
    return (*([_signed(made, made.intent, ports)] if made.intent else []), *refused)


def intent_of(work: SigningWork, holder: Holder, now: datetime) -> Intent:
    """Return what has to be on record before the signature is asked for."""
    spec, key = work.spec, work.key
    return Intent(
        id=new_id(),
        time=now,
        purpose=spec.purpose,
        name=spec.dest,
        serial="",
        subject=spec.content.name,
        content_sha256=work.prepared.sha256 if work.prepared else "",
        key_arn=(key.arn or key.key_id) if key else "",
        profile="",
        holder=holder,
        details=_details(spec, work.row),
    )


def _details(spec: SignatureSpec, row: AlgorithmRow | None) -> dict[str, str]:
    details = {"signing_algorithm": row.name if row else ""}
    if spec.content.digest_algorithm:
        details["digest"] = f"{spec.content.digest_algorithm}:{spec.content.digest.hex()}"
    return details


def _signed(made: SignatureMade, intent: Intent, ports: SigningPorts) -> Signed:
    verified = "true" if made.work.key and made.work.key.public_key else "false"
    reply = made.reply
    return Signed(
        id=new_id(),
        time=ports.clock(),
        intent=intent.id,
        request_id=reply.request_id if reply else "",
        caller_arn=ports.caller_arn if reply else "",
        details={"verified": verified, "signature_sha256": hashlib.sha256(made.signature).hexdigest()},
    )
