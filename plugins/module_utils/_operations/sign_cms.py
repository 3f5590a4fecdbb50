# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A CMS message over a file or text is where the task wants it, and right."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .._pki.certificates import asn1_time, serial_hex
from .._pki.errors import KeyStateError, NoKeyError, PkiError, SignerError, SpecError
from .._pki.names import name_text
from .._pki.plan import Change, Plan
from .._pki.problems import refuse
from .._signer.cms import SMIME, CmsSpec, SignedPart, content_hash
from .._signer.ports import NoRecorder
from .._signer.session import SigningSession
from .cms_content import ContentFacts, hash_content, same_pieces
from .cms_gate import check_key, check_signers
from .cms_judging import judge_file, judge_message
from .cms_records import SignatureReply, intent_maker, intents_left, lines_of_found, lines_of_kept, lines_of_lost
from .cms_writing import write_message, write_signed_mail
from .recording import IntentRecorder, closed_if_refused
from .signing_key import check_use, find_signing_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from .._ledger.entries import Entry, Intent
    from .._ledger.port import Ledger, LedgerState
    from .._signer.cms import SignerClaim
    from .._signer.ports import MessageSigner
    from .cms_judging import MessageCodec
    from .signing_key import SigningKey, SigningKeys


@dataclass(frozen=True)
class CmsWork:
    """What is to be done for one message.

    Attributes:
        facts: None where the content or a certificate is not there yet.
        keys: of the signers, in their order; empty where nothing is to be signed.
        claims: the signatures that are there and right; empty where they have to be made.
        left: intents for this dest whose runs ended without an outcome, oldest first.
    """

    spec: CmsSpec
    plan: Plan
    facts: ContentFacts | None = None
    keys: tuple[SigningKey, ...] = ()
    claims: tuple[SignerClaim, ...] = ()
    left: tuple[Intent, ...] = ()

    def known(self) -> dict[str, Any]:
        """Return what a module tells before anything is signed."""
        times = [claim.signing_time for claim in self.claims] or [None] * len(self.spec.signers)
        told: dict[str, Any] = {"signers": describe_signers(self.spec, times)}
        return {**told, "reason": self.plan.reason} if self.plan.reason else told


def describe_signers(spec: CmsSpec, times: Sequence[datetime | None]) -> list[dict[str, Any]]:
    """Return what a module tells of each signer; *times* are those in the message."""
    told = []
    for signer, moment in zip(spec.signers, times, strict=True):
        certificate = signer.certificate
        facts = {
            "key_id": signer.key_id,
            "subject": name_text(certificate.subject),
            "serial_number_hex": serial_hex(certificate.serial_number),
            "signing_algorithm": signer.signing_algorithm,
            "digest_algorithm": content_hash(signer.row),
        }
        told.append({**facts, "signing_time": asn1_time(moment)} if moment else facts)
    return told


@dataclass(frozen=True)
class CmsPlanningPorts:
    """What planning needs.

    Attributes:
        keys: where the key of each signer is.
        state: of the ledger, None where none is kept.
    """

    codec: MessageCodec
    keys: Sequence[SigningKeys]
    state: LedgerState | None
    now: datetime


def plan_cms(spec: CmsSpec, missing: tuple[str, ...], ports: CmsPlanningPorts) -> CmsWork:
    """Compare what is at dest with what should be there; the content is read, nothing is signed or written.

    A message that is there and right stays, whatever became of its certificates since. AWS is asked only where
    something has to be signed.

    Args:
        missing: what is not there yet, one phrase each.
    Raises:
        SpecError: this content must not be signed, or not by these signers; all problems in one message.
        KeyStateError: a key must not sign files.
    """
    problems: list[str] = []
    left = intents_left(spec.dest, ports.state, ports.now)
    facts = None if missing else _hash(spec, problems)
    there = os.path.lexists(spec.dest)
    found = judge_file(spec, facts, ports.codec) if there and facts else None
    if found is not None and not found.reason:
        changes = (Change("ledger", "open intent", "its outcome"),) if left else ()
        return CmsWork(spec, Plan(changes), facts, (), found.claims, left)
    problems += check_signers(spec, ports.now)
    keys, lacking = _find_keys(spec, ports, problems)
    refuse(problems)
    pending = (*missing, *lacking)
    if not pending:
        for key, where in zip(keys, ports.keys, strict=True):
            check_use(where, key)
    change = Change(spec.dest, "something else" if there else None, _outline(spec))
    return CmsWork(spec, Plan((change,), pending, found.reason if found else ""), facts, keys, (), left)


def _hash(spec: CmsSpec, problems: list[str]) -> ContentFacts | None:
    try:
        return hash_content(spec)
    except SpecError as exc:
        problems.append(str(exc))
        return None


def _find_keys(
    spec: CmsSpec, ports: CmsPlanningPorts, problems: list[str]
) -> tuple[tuple[SigningKey, ...], tuple[str, ...]]:
    """Return the keys in KMS, and a phrase for each that is not there; none where a certificate is not there yet."""
    if len(spec.signers) < len(ports.keys):
        return (), ()
    found, lacking = [], []
    for signer, where in zip(spec.signers, ports.keys, strict=True):
        key = find_signing_key(where, signer.key_id, None, "")
        if key is None:
            lacking.append(str(NoKeyError(signer.key_id)))
        else:
            found.append(key)
            problems += check_key(signer, key)
    return tuple(found), tuple(lacking)


def _outline(spec: CmsSpec) -> str:
    kind = "attached" if spec.attached else "detached"
    names = ", ".join(f"{name_text(one.certificate.subject)} with {one.signing_algorithm}" for one in spec.signers)
    return f"{kind} CMS signature of {spec.content.name} by {names}, {spec.form}"


@dataclass(frozen=True)
class Hand:
    """One signer's key, asked once per call, and who asks."""

    signer: MessageSigner
    caller_arn: str


@dataclass(frozen=True)
class CmsSigningPorts:
    """What signing needs beyond planning.

    Args:
        hands: of the signers, in their order.
        keep: puts the pieces of a message where it belongs, all or nothing; called once it is verified.
        ledger: None where none is kept.
    """

    codec: MessageCodec
    hands: Sequence[Hand]
    keep: Callable[[Iterable[bytes | memoryview]], None]
    ledger: Ledger | None
    clock: Callable[[], datetime]
    sleep: Callable[[float], None] = field(default=time.sleep)


def make_cms(work: CmsWork, ports: CmsSigningPorts) -> dict[str, Any]:
    """Record, sign, verify, write and record; return what a module tells of it.

    Of a message that a dead run left behind only the record is missing.

    Raises:
        AwsError, KeyStateError: KMS refused or did not answer.
        SignerError: what came back is not the key's signature.
        SpecError: the content changed since it was hashed; nothing was written.
        LedgerError: the ledger could not be written.
    """
    spec, facts = work.spec, work.facts
    if work.claims:
        _record(lines_of_found(spec.dest, work.claims, work.left, ports.clock()), ports)
        return {}
    if facts is None:
        raise KeyStateError(f"{spec.content.name}: {'; '.join(work.plan.pending)}")
    moment = ports.clock() if spec.signing_time else None
    made: list[SignatureReply] = []
    try:
        skeleton = _sign_and_keep(work, facts, moment, made, ports)
    except PkiError as exc:
        _record(lines_of_lost(made, exc, ports.clock()), ports)
        raise
    _record(lines_of_kept(spec.dest, made, skeleton, work.left, ports.clock()), ports)
    times = [moment] * len(made)
    return {"signers": describe_signers(spec, times), "sign_calls": sum(one.calls for one in made)}


def _sign_and_keep(
    work: CmsWork, facts: ContentFacts, moment: datetime | None, made: list[SignatureReply], ports: CmsSigningPorts
) -> bytes:
    """Return the message without its content, once it is where it belongs.

    Args:
        made: takes the signatures, as soon as each is there.
    """
    spec = work.spec
    for place in range(len(spec.signers)):
        one = _sign(work, facts, place, moment, ports)
        made.append(one)
    skeleton = ports.codec.skeleton([one.part for one in made], spec.certificates, spec.attached)
    written = ports.codec.read(lambda at, length: skeleton[at : at + length], len(skeleton))
    judged = judge_message(written, spec, facts, ports.codec)
    if judged.reason:
        raise SignerError(f"{judged.reason}: what was made is not what was wanted, and was thrown away")
    ports.keep(_pieces(spec, facts, skeleton, ports.codec))
    return skeleton


def _sign(
    work: CmsWork, facts: ContentFacts, place: int, moment: datetime | None, ports: CmsSigningPorts
) -> SignatureReply:
    signer, hand = work.spec.signers[place], ports.hands[place]
    attributes = ports.codec.attributes(signer, facts.digests[content_hash(signer.row)], moment)
    key_arn = work.keys[place].arn or signer.key_id
    recorder = None
    if ports.ledger is not None:
        describe = intent_maker(work.spec, facts, place, key_arn, ports.clock)
        recorder = IntentRecorder(ports.ledger, ports.clock, describe)
    public_key: Any = signer.certificate.public_key()
    session = SigningSession(hand.signer, recorder or NoRecorder(), public_key, ports.sleep)
    with closed_if_refused(recorder):
        signature = session.sign_content(attributes, signer.row)
    part, reply = SignedPart(signer, attributes, signature), session.replies[-1]
    return SignatureReply(part, session.calls, reply, hand.caller_arn, recorder.intent if recorder else None)


def _record(lines: Sequence[Entry], ports: CmsSigningPorts) -> None:
    if ports.ledger is not None and lines:
        ports.ledger.append_all(lines)


def _pieces(spec: CmsSpec, facts: ContentFacts, skeleton: bytes, codec: MessageCodec) -> Iterator[bytes | memoryview]:
    if spec.form == SMIME and not spec.attached:
        return write_signed_mail(same_pieces(spec, facts), skeleton, spec.hash_names)
    return write_message(_message(spec, facts, skeleton, codec) if spec.attached else iter([skeleton]), spec.form)


def _message(spec: CmsSpec, facts: ContentFacts, skeleton: bytes, codec: MessageCodec) -> Iterator[bytes | memoryview]:
    before, behind = codec.around(skeleton, facts.size)
    yield before
    yield from same_pieces(spec, facts)
    yield behind
