# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The few facts that an index needs of each line, read several times faster than whole entries.

A line that looks exactly as encode() writes it is checked and read by one regular expression for its kind; every other
line takes the way through decode(), so what is accepted is the same.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from datetime import datetime

from . import entries
from .codec import KIND_OF, KINDS, SERIAL_MAY_LACK, decode, time_text
from .entries import Entry

# The facts, in the order of the alphabet as in every line.
_WANTED = frozenset(
    {
        "authority",
        "id",
        "intent",
        "invalidity_date",
        "name",
        "not_after",
        "profile",
        "reason",
        "replaces",
        "revoked_at",
        "serial",
        "time",
    }
)

FACTS: Mapping[str, tuple[str, ...]] = {
    name: tuple(sorted(field.name for field in dataclasses.fields(kind) if field.name in _WANTED))
    for name, kind in KINDS.items()
}

_PLAIN = r"[ !#-\[\]-~]*"
_TEXT = f'"({_PLAIN})"'
_TIME = (
    r'"(\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)|02-(?:0[1-9]|1\d|2[0-8]))'
    r'T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ)"'
)
_SERIAL = (
    r"(?:[0-9A-F]{40}|(?:[0-9A-F]{2}){1,32})"  # one of 20 octets, as all are that are issued here, matches at once
)
_NUMBER = r"((?:0|[1-9]\d{0,17}))"
_TEXTS = rf'(\{{(?:"{_PLAIN}":"{_PLAIN}"(?:,(?=")|(?=\}})))*\}})'
_HOLDER = rf'(\{{"host":"{_PLAIN}","pid":(?:0|[1-9]\d{{0,17}}),"space":"{_PLAIN}","started":"{_PLAIN}"\}})'

_PATTERNS: Mapping[str, str] = {
    **dict.fromkeys(("id", "intent", "revocation"), r'"([0-9a-f]{32})"'),
    **dict.fromkeys(
        ("time", "not_before", "not_after", "revoked_at", "invalidity_date", "this_update", "next_update"), _TIME
    ),
    **dict.fromkeys(("replaces", "by"), f'"({_SERIAL}?)"'),
    **dict.fromkeys(("content_sha256", "certificate_sha256", "crl_sha256"), r'"((?:[0-9a-f]{64})?)"'),
    **dict.fromkeys(("number", "base_number"), _NUMBER),
    **dict.fromkeys(("lifetime", "details"), _TEXTS),
    "holder": _HOLDER,
    "purpose": f'"({"|".join(entries.PURPOSES)})"',
}


def _pattern(kind: str) -> re.Pattern[str]:
    """Return the expression for a line of *kind* as encode() writes it, its facts as named groups."""
    parts = {"v": rf'"v":{entries.SCHEMA_VERSION}\}}', "kind": f'"kind":"{kind}",'}
    for field in dataclasses.fields(KINDS[kind]):
        value = _PATTERNS.get(field.name, _TEXT)
        if kind == "revoked" and field.name == "reason":
            value = f'"({"|".join(entries.REASONS)})"'
        if field.name == "serial":
            value = f'"({_SERIAL})"' if KINDS[kind] not in SERIAL_MAY_LACK else _PATTERNS["replaces"]
        value = value.replace("(", f"(?P<{field.name}>" if field.name in _WANTED else "(?:", 1)
        optional = "?" if field.default is not dataclasses.MISSING or _has_factory(field) else ""
        parts[field.name] = f'(?:"{field.name}":{value},){optional}'
    return re.compile(r"\{" + "".join(parts[name] for name in sorted(parts)), re.ASCII)


def _has_factory(field: dataclasses.Field[object]) -> bool:
    return field.default_factory is not dataclasses.MISSING


_LINE: Mapping[str, re.Pattern[str]] = {kind: _pattern(kind) for kind in KINDS}
_KIND = '"kind":"'


def read_facts(line: str) -> tuple[str, tuple[str, ...]]:
    """Return the kind of a line and its FACTS, empty where it has none.

    Args:
        line: its bytes as Latin-1, without the newline.
    Raises:
        LedgerError: what is wrong with it, without the line's number.
    """
    start = line.find(_KIND) + len(_KIND)
    kind = line[start : line.find('"', start)]
    pattern = _LINE.get(kind)
    match = pattern.fullmatch(line) if pattern else None
    return (kind, match.groups("")) if match else facts_of(decode(line.encode("latin-1")))


def facts_of(entry: Entry) -> tuple[str, tuple[str, ...]]:
    """Return the kind of an entry and its FACTS."""
    kind = KIND_OF[type(entry)]
    return kind, tuple(_fact(getattr(entry, name)) for name in FACTS[kind])


def _fact(value: datetime | str | None) -> str:
    return time_text(value) if isinstance(value, datetime) else value or ""
