# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a ledger holds of a CMS message: an intent for each of its signatures, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .._ledger.entries import Intent, Refused, Signed, new_id
from .._ledger.holders import this_holder
from .._pki.certificates import serial_hex, sha256_hex
from .._signer.cms import content_hash

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from .._ledger.entries import Entry
    from .._ledger.port import LedgerState
    from .._pki.errors import PkiError
    from .._signer.cms import CmsSpec, SignedPart, SignerClaim
    from .._signer.ports import SignReply
    from .cms_content import ContentFacts

PURPOSE = "cms"


@dataclass(frozen=True)
class SignatureReply:
    """One signature as it came back, verified; *intent* waits for its outcome, where a ledger is kept."""

    part: SignedPart
    calls: int
    reply: SignReply
    caller_arn: str
    intent: Intent | None


def intent_maker(
    spec: CmsSpec, facts: ContentFacts, place: int, key_arn: str, clock: Callable[[], datetime]
) -> Callable[[str], Intent]:
    """Return what makes the intent of the signer at *place* from the SHA-256 of the attributes."""
    signer = spec.signers[place]
    name = content_hash(signer.row)

    def make(attributes_sha256: str) -> Intent:
        return Intent(
            id=new_id(),
            time=clock(),
            purpose=PURPOSE,
            name=_claim_name(spec.dest, place),
            serial="",
            subject=spec.content.name,
            content_sha256=attributes_sha256,
            key_arn=key_arn,
            profile="",
            holder=this_holder(),
            details={
                "signing_algorithm": signer.signing_algorithm,
                "certificate": serial_hex(signer.certificate.serial_number),
                "digest": f"{name}:{facts.digests[name].hex()}",
            },
        )

    return make


def _claim_name(dest: str, place: int) -> str:
    """Return what a ledger calls one signature of the message: one claim on a name holds at a time."""
    return dest if place == 0 else f"{_others(dest)}{place + 1})"


def _others(dest: str) -> str:
    return f"{dest} (signer "


def intents_left(dest: str, state: LedgerState | None, now: datetime) -> tuple[Intent, ...]:
    """Return the intents for *dest* whose outcome nobody wrote, or is about to write, oldest first."""
    return tuple(
        intent
        for intent in (state.open_intents if state else ())
        if intent.purpose == PURPOSE
        and (intent.name == dest or intent.name.startswith(_others(dest)))
        and not (state and state.claim_on(intent.name, now, PURPOSE))
    )


def lines_of_found(dest: str, claims: Sequence[SignerClaim], left: Sequence[Intent], now: datetime) -> list[Entry]:
    """Return the outcomes of intents that dead runs left: of the newest behind each signature at *dest* it is there."""
    there = {_claim_name(dest, place): sha256_hex(claim.attributes) for place, claim in enumerate(claims)}
    kept = {intent.name: intent.id for intent in left if there.get(intent.name) == intent.content_sha256}
    found = [intent for intent in left if kept.get(intent.name) == intent.id]
    others = [intent for intent in left if kept.get(intent.name) != intent.id]
    return [*(Signed(new_id(), now, one.id, "", "", {"verified": "true"}) for one in found), *_gone(dest, others, now)]


def lines_of_kept(
    dest: str, made: Sequence[SignatureReply], skeleton: bytes, left: Sequence[Intent], now: datetime
) -> list[Entry]:
    """Return the outcomes once a message is at *dest*, of the intents that dead runs left as well."""
    message = {"verified": "true", "message_sha256": sha256_hex(skeleton)}
    signed = [
        Signed(
            id=new_id(),
            time=now,
            intent=one.intent.id,
            request_id=one.reply.request_id,
            caller_arn=one.caller_arn,
            details={**message, "signature_sha256": sha256_hex(one.part.signature)},
        )
        for one in made
        if one.intent is not None
    ]
    return [*signed, *_gone(dest, left, now)]


def lines_of_lost(made: Sequence[SignatureReply], failure: PkiError, now: datetime) -> list[Entry]:
    """Return the outcomes of signatures that were thrown away because no message came of them."""
    told = "signed in request {} and thrown away, because no message came of it: {}"
    return [
        Refused(new_id(), now, one.intent.id, told.format(one.reply.request_id, failure))
        for one in made
        if one.intent is not None
    ]


def _gone(dest: str, left: Sequence[Intent], now: datetime) -> list[Entry]:
    return [Refused(new_id(), now, one.id, f"no signature made for it is in the message at {dest}") for one in left]
