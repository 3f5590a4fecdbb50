# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Entries for tests: made one by one, or whole ledgers drawn by hypothesis."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone

from hypothesis import assume
from hypothesis import strategies as st

from ansible_collections.rootstock.pki.plugins.module_utils._ledger.entries import (
    REASONS,
    Adopted,
    Attempt,
    Crl,
    Entry,
    Holder,
    Intent,
    Issued,
    Refused,
    Released,
    Retired,
    Revoked,
    Signed,
    Superseded,
    authority_of,
    new_id,
)

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=timezone.utc)
AUTHORITY = authority_of(b"the key of an authority")
ELSEWHERE = Holder("another-host", 4711, "1", "another boot")


def serial(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()[:40].upper()


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def an_intent(
    name: str = "web", number: int = 1, time: datetime = NOW, holder: Holder = ELSEWHERE, purpose: str = "certificate"
) -> Intent:
    return Intent(
        id=new_id(),
        time=time,
        purpose=purpose,
        name=name,
        serial=serial(number) if purpose == "certificate" else "",
        subject=f'CN={name},O=Ä "quoted" Acme',
        content_sha256=sha256(f"tbs {number}"),
        key_arn="arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        profile="tls_server",
        holder=holder,
        lifetime={"not_before": "-1h", "not_after": "+90d"},
    )


def issued_for(intent: Intent, time: datetime = NOW, days: int = 90) -> Issued:
    return Issued(
        id=new_id(),
        time=time,
        intent=intent.id,
        serial=intent.serial,
        certificate_sha256=sha256(intent.serial),
        request_id="4c9e8d1c-request",
        caller_arn="arn:aws:sts::111122223333:assumed-role/Issuer/run",
        not_before=time - timedelta(hours=1),
        not_after=time + timedelta(days=days),
    )


def an_adopted(name: str = "web", number: int = 1, time: datetime = NOW, days: int = 90) -> Adopted:
    return Adopted(
        new_id(), time, name, serial(number), f"CN={name}", "", sha256(str(number)), time, time + timedelta(days=days)
    )


def revoked(number: int = 1, reason: str = "superseded", time: datetime = NOW) -> Revoked:
    return Revoked(new_id(), time, serial(number), reason, time)


def a_crl(intent: Intent, number: int, scope: str = "full", time: datetime = NOW) -> Crl:
    return Crl(
        id=new_id(),
        time=time,
        intent=intent.id,
        scope=scope,
        number=number,
        this_update=time,
        next_update=time + timedelta(days=7),
        crl_sha256=sha256(str(number)),
        mark="0-0",
        request_id="r",
        caller_arn="c",
    )


_TIMES = st.integers(0, 400).map(lambda hours: NOW + timedelta(hours=hours))
_NAMES = st.sampled_from(["web", "db", "mail", ""])
_TEXTS = st.text(max_size=8).filter(lambda text: text.isprintable())


@st.composite
def _ids(draw: st.DrawFn) -> str:
    return f"{draw(st.integers(0, 2**128 - 1)):032x}"


@st.composite
def histories(draw: st.DrawFn, most: int = 6) -> list[Entry]:
    """Draw the lines of a ledger: what several runs and branches may have left, in no order."""
    lines: list[Entry] = []
    for number in range(draw(st.integers(0, most))):
        lines += draw(_STORIES)(draw, number)
    assume(len({line.id for line in lines}) == len(lines))
    return [replace(line, authority=AUTHORITY) for line in lines]


def _certificate(draw: st.DrawFn, number: int) -> list[Entry]:
    intent = replace(
        an_intent(draw(_NAMES), number, draw(_TIMES)),
        id=draw(_ids()),
        subject=draw(_TEXTS),
        replaces=draw(st.sampled_from(["", serial(0), serial(1), serial(2)])),
        details=draw(st.dictionaries(_TEXTS, _TEXTS, max_size=2)),
    )
    lines: list[Entry] = [intent]
    lines += [
        Attempt(draw(_ids()), draw(_TIMES), intent.id, repeat + 2, intent.serial)
        for repeat in range(draw(st.integers(0, 2)))
    ]
    outcome = draw(st.sampled_from(["open", "issued", "issued", "issued", "twice", "refused"]))
    if outcome in {"issued", "twice"}:
        lines.append(replace(issued_for(intent, draw(_TIMES), draw(st.integers(0, 20))), id=draw(_ids())))
    if outcome == "twice":
        lines.append(replace(issued_for(intent, draw(_TIMES), 7), id=draw(_ids()), request_id="another"))
    if outcome == "refused":
        lines.append(Refused(draw(_ids()), draw(_TIMES), intent.id, "AccessDenied", intent.serial))
    return lines + _afterwards(draw, number)


def _adopted(draw: st.DrawFn, number: int) -> list[Entry]:
    return [
        replace(an_adopted(draw(_NAMES), number, draw(_TIMES)), id=draw(_ids())),
        *_afterwards(draw, number),
    ]


def _afterwards(draw: st.DrawFn, number: int) -> list[Entry]:
    """Draw what happens to a certificate, known or foreign, after it exists."""
    lines: list[Entry] = []
    for reason in draw(st.lists(st.sampled_from(REASONS), max_size=3)):
        time, invalid = draw(_TIMES), draw(st.none() | _TIMES)
        revoked_at = draw(st.just(time) | _TIMES)
        line = Revoked(draw(_ids()), time, serial(number), reason, revoked_at, invalid, draw(st.none() | _TIMES))
        lines.append(line)
        if draw(st.booleans()):
            lines.append(Released(draw(_ids()), draw(_TIMES), line.serial, line.id))
    if draw(st.integers(0, 4)) == 0:
        lines.append(Superseded(draw(_ids()), draw(_TIMES), serial(number), serial(number + 1)))
    if draw(st.integers(0, 4)) == 0:
        lines.append(Retired(draw(_ids()), draw(_TIMES), serial(number)))
    return lines


def _other(draw: st.DrawFn, number: int) -> list[Entry]:
    purpose = draw(st.sampled_from(["crl", "csr", "file", "manifest", "cms"]))
    intent = replace(an_intent(draw(_NAMES), number, draw(_TIMES), purpose=purpose), id=draw(_ids()))
    if draw(st.booleans()):
        return [intent]
    if purpose == "crl":
        return [
            intent,
            replace(a_crl(intent, number, draw(st.sampled_from(["full", "delta"])), draw(_TIMES)), id=draw(_ids())),
        ]
    return [intent, Signed(draw(_ids()), draw(_TIMES), intent.id, "r", "c")]


_Story = Callable[[st.DrawFn, int], list[Entry]]
_STORIES: st.SearchStrategy[_Story] = st.sampled_from([_certificate, _certificate, _adopted, _afterwards, _other])
