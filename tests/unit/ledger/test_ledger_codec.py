# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lines of the ledger: written one way, read strictly, never with another error than LedgerError."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.rootstock.pki.plugins.module_utils._ledger.codec import KINDS, decode, encode
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.entries import (
    Entry,
    authority_of,
    require_serial,
    serial_text,
)
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.reading import read_entries
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.scan import _LINE, facts_of, read_facts
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import LedgerError
from tests.unit.ledger.entry_makers import NOW, a_crl, an_intent, histories, revoked

GOOD = encode(an_intent())


def _changed(**values: object) -> bytes:
    return json.dumps({**json.loads(GOOD), **values}).encode()


def _reads_or_refuses(content: bytes) -> bool:
    """Any other error than LedgerError fails the test."""
    try:
        return isinstance(read_entries(content), list)
    except LedgerError as exc:
        return "line" in str(exc)


@given(histories())
def test_what_is_written_is_read_back(lines: list[Entry]) -> None:
    for entry in lines:
        assert decode(encode(entry)) == entry


@given(histories())
def test_a_line_is_one_object_in_ascii_with_its_keys_sorted(lines: list[Entry]) -> None:
    for line in map(encode, lines):
        assert line.isascii()
        assert (line.count(b"\n"), line[-1:]) == (1, b"\n")
        keys = list(json.loads(line))
        assert keys == sorted(keys)
        assert json.loads(line)["v"] == 1


def test_times_are_utc_in_whole_seconds() -> None:
    east = timezone(timedelta(hours=2))
    line = encode(revoked(time=datetime(2026, 3, 1, 14, 0, 0, 999999, tzinfo=east)))
    assert json.loads(line)["time"] == "2026-03-01T12:00:00Z"


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(LedgerError, match="says no time zone"):
        encode(revoked(time=datetime(2026, 3, 1)))  # noqa: DTZ001


@given(st.binary(max_size=400))
def test_arbitrary_bytes_are_entries_or_a_ledger_error(content: bytes) -> None:
    assert _reads_or_refuses(content)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists), st.data())
def test_arbitrary_json_is_an_entry_or_a_ledger_error(value: object, data: st.DataObject) -> None:
    field = data.draw(st.sampled_from(sorted(json.loads(GOOD))))
    assert _reads_or_refuses(_changed(**{field: value}))


@given(histories(), st.data())
def test_damaged_lines_are_entries_or_a_ledger_error(lines: list[Entry], data: st.DataObject) -> None:
    for line in map(encode, lines):
        at = data.draw(st.integers(0, len(line) - 2))
        broken = line[:at] + data.draw(st.binary(max_size=3)) + line[at + data.draw(st.integers(0, 3)) :]
        assert _reads_or_refuses(broken)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"[]", "is not a JSON object"),
        (b"[" * 100_000, "is not a JSON object"),
        (b'"\xff"', "is not a JSON object"),
        (b"<<<<<<< HEAD", "conflict marker of Git"),
        (b"=======", "conflict marker of Git"),
        (b"{}", "has no schema version, but None"),
        (_changed(v=True), "has no schema version, but True"),
        (_changed(v=2), "it has lines of the schema version 2, and this rootstock.pki knows 1 only; use the version"),
        (_changed(kind="wish"), "is of the unknown kind 'wish'"),
        (_changed(kind=["intent"]), "is of the unknown kind"),
        (_changed(colour="red"), "has the unknown field 'colour'"),
        (_changed(time="2026-02-30T00:00:00Z"), "time day is out of range"),
        (_changed(time="2026-02-28 00:00:00"), "time is not a time such as"),
        (_changed(serial="abc"), "serial is not a serial in upper-case hex"),
        (_changed(content_sha256="00"), "content_sha256 is not a SHA-256"),
        (_changed(subject=None), "subject is not a text"),
        (_changed(subject="\ud800"), "damaged field: subject"),
        (_changed(purpose="mischief"), "purpose is none of certificate"),
        (_changed(lifetime={"not_after": 1}), "lifetime is not a text"),
        (_changed(holder={"host": "h"}), "holder does not hold"),
        (_changed(id="1"), "id is not an id"),
        (json.dumps({"v": 1, "kind": "revoked"}).encode(), "lacks the field 'id'"),
    ],
)
def test_a_damaged_line_is_told_by_what_is_wrong_with_it(line: bytes, problem: str) -> None:
    with pytest.raises(LedgerError) as caught:
        decode(line)
    assert problem in str(caught.value)


def test_an_entry_that_could_not_be_read_back_is_not_written() -> None:
    with pytest.raises(LedgerError, match="reason is none of unspecified"):
        encode(revoked(reason="bored"))
    with pytest.raises(LedgerError, match="number is not a whole number"):
        encode(a_crl(an_intent(purpose="crl"), -1))


@given(histories())
def test_facts_read_fast_are_those_of_the_entry(lines: list[Entry]) -> None:
    for entry in lines:
        assert read_facts(encode(entry).decode("latin-1")[:-1]) == facts_of(entry)


@given(histories(), st.data())
def test_a_line_that_is_read_fast_can_be_read_in_full(lines: list[Entry], data: st.DataObject) -> None:
    for line in map(encode, lines):
        at = data.draw(st.integers(0, len(line) - 2))
        other = line[:at] + data.draw(st.sampled_from(b'0aZ",:{}\\ -').map(lambda byte: bytes([byte]))) + line[at + 1 :]
        text = other.decode("latin-1")[:-1]
        for kind, pattern in _LINE.items():
            if pattern.fullmatch(text):
                assert read_facts(text) == facts_of(decode(other))
                assert read_facts(text)[0] == kind


def test_every_kind_is_read_fast() -> None:
    plain = replace(an_intent(), subject="CN=web", details={"a": "b", "c": "d"})
    intent = an_intent(purpose="crl")
    for entry in (plain, revoked(), replace(revoked(), invalidity_date=NOW, not_after=NOW), a_crl(intent, 0)):
        kind, _facts = facts_of(entry)
        assert _LINE[kind].fullmatch(encode(entry).decode()[:-1])
    assert _LINE.keys() == KINDS.keys()


def test_serials_have_whole_octets() -> None:
    assert [serial_text(number) for number in (1, 0xABC, 0xABCD)] == ["01", "0ABC", "ABCD"]
    assert require_serial("0ABC") == "0ABC"
    for text in ("", "abc", "ABC", "0A:BC", "0x01", "00" * 33):
        with pytest.raises(LedgerError, match="is not a serial number in upper-case hex"):
            require_serial(text)


def test_an_authority_is_the_digest_of_its_public_key() -> None:
    assert authority_of(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
