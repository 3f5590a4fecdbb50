# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Entries as lines of JSON and back: compact, keys sorted, ASCII, UTC times of whole seconds."""

from __future__ import annotations

import codecs
import dataclasses
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, NamedTuple

from .._pki.errors import LedgerError
from . import entries
from .entries import SCHEMA_VERSION, Entry, Holder

KINDS: Mapping[str, type[Entry]] = {
    "intent": entries.Intent,
    "attempt": entries.Attempt,
    "issued": entries.Issued,
    "signed": entries.Signed,
    "refused": entries.Refused,
    "adopted": entries.Adopted,
    "revoked": entries.Revoked,
    "released": entries.Released,
    "crl": entries.Crl,
    "superseded": entries.Superseded,
    "retired": entries.Retired,
}
KIND_OF: Mapping[type[Entry], str] = {kind: name for name, kind in KINDS.items()}

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
_ID = re.compile(r"[0-9a-f]{32}")
_SERIAL = re.compile(r"(?:[0-9A-F]{2}){1,32}")
_SERIAL_OR_NONE = re.compile(r"(?:(?:[0-9A-F]{2}){1,32})?")
_HASH = re.compile(r"(?:[0-9a-f]{64})?")


def time_text(time: datetime) -> str:
    """Return *time* as a ledger writes it: UTC, whole seconds, Z."""
    if time.tzinfo is None:
        raise LedgerError(f"the time {time.isoformat()} says no time zone; give it in UTC")
    return time.astimezone(timezone.utc).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("is not a text")
    if not value.isascii():
        value.encode()  # UnicodeEncodeError, a ValueError, for half a surrogate pair
    return value


def _matching(pattern: re.Pattern[str], meaning: str) -> Callable[[object], str]:
    fits = pattern.fullmatch

    def read(value: object) -> str:
        if not isinstance(value, str) or not fits(value):
            raise ValueError(f"is not {meaning}")
        return value

    return read


def _one_of(choices: tuple[str, ...]) -> Callable[[object], str]:
    def read(value: object) -> str:
        if not isinstance(value, str) or value not in choices:
            raise ValueError(f"is none of {', '.join(choices)}")
        return value

    return read


def _time(value: object) -> datetime:
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise ValueError("is not a time such as 2030-12-31T23:59:59Z")
    return to_time(value)


def to_time(text: str) -> datetime:
    """Return the time that time_text() wrote."""
    return datetime.fromisoformat(f"{text[:-1]}+00:00")


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError("is not a whole number")
    return value


def _texts(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise ValueError("is not an object of texts")
    return {_text(key): _text(item) for key, item in value.items()}


def _holder(value: object) -> Holder:
    if not isinstance(value, dict) or set(value) != {"host", "pid", "space", "started"}:
        raise ValueError("does not hold host, pid, space and started")
    return Holder(_text(value["host"]), _number(value["pid"]), _text(value["started"]), _text(value["space"]))


_serial = _matching(_SERIAL, "a serial in upper-case hex")
_serial_or_none = _matching(_SERIAL_OR_NONE, "a serial in upper-case hex")
_hash = _matching(_HASH, "a SHA-256 in lower-case hex")
_id = _matching(_ID, "an id of 32 hex digits")

_READERS: Mapping[str, Callable[[object], object]] = {
    **dict.fromkeys(("id", "intent", "revocation"), _id),
    **dict.fromkeys(
        ("time", "not_before", "not_after", "revoked_at", "invalidity_date", "this_update", "next_update"), _time
    ),
    **dict.fromkeys(("replaces", "by"), _serial_or_none),
    **dict.fromkeys(("content_sha256", "certificate_sha256", "crl_sha256"), _hash),
    **dict.fromkeys(("number", "base_number"), _number),
    **dict.fromkeys(("lifetime", "details"), _texts),
    "holder": _holder,
    "purpose": _one_of(entries.PURPOSES),
    "kind": _one_of(tuple(KINDS)),
}


DAMAGES_NAMED = 10
BYTE_ORDER_MARK = codecs.BOM_UTF8


class Damage(NamedTuple):
    """A line that cannot be read, and why."""

    number: int
    problem: str


class NewerLedgerError(LedgerError):
    """A line of a schema version that this code does not know: not damaged, and not to be touched."""


_CONFLICT_MARKS = (b"<<<<<<<", b"|||||||", b"=======", b">>>>>>>")
_CONFLICT = "is a conflict marker of Git; keep the lines of both sides and take the markers out"


class _Field(NamedTuple):
    name: str
    read: Callable[[object], object]
    required: bool


SERIAL_MAY_LACK = frozenset({entries.Intent, entries.Attempt, entries.Refused})


def _fields(kind: type[Entry]) -> tuple[_Field, ...]:
    def read_of(field: dataclasses.Field[Any]) -> Callable[[object], object]:
        if kind is entries.Revoked and field.name == "reason":
            return _one_of(entries.REASONS)
        if field.name == "serial":
            return _serial_or_none if kind in SERIAL_MAY_LACK else _serial
        return _READERS.get(field.name, _text)

    def required(field: dataclasses.Field[Any]) -> bool:
        return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING

    return tuple(_Field(field.name, read_of(field), required(field)) for field in dataclasses.fields(kind))


_FIELDS: Mapping[str, tuple[_Field, ...]] = {name: _fields(kind) for name, kind in KINDS.items()}
_KEYS: Mapping[str, frozenset[str]] = {
    name: frozenset({"v", "kind", *(field.name for field in fields)}) for name, fields in _FIELDS.items()
}


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return time_text(value)
    if isinstance(value, Holder):
        return dataclasses.asdict(value)
    return dict(value) if isinstance(value, Mapping) else value


def encode(entry: Entry) -> bytes:
    """Return *entry* as one line with its newline.

    Fields that are optional and empty are left out.

    Raises:
        LedgerError: a field holds what the ledger could not read back.
    """
    kind = KIND_OF[type(entry)]
    values: dict[str, object] = {"v": SCHEMA_VERSION, "kind": kind}
    for field in _FIELDS[kind]:
        value = getattr(entry, field.name)
        if field.required or value not in ("", None, {}):
            values[field.name] = _plain(value)
    line = json.dumps(values, sort_keys=True, separators=(",", ":")).encode("ascii")
    decode(line)
    return line + b"\n"


def decode(line: bytes) -> Entry:
    """Return the entry of one line.

    A byte order mark before it is ignored, as RFC 8259 section 8.1 allows: some editors put one before the first line,
    and a merge may move that.

    Raises:
        LedgerError: what is wrong with it, without the line's number.
    """
    line = line.removeprefix(BYTE_ORDER_MARK)
    try:
        values = json.loads(line.decode())
    except (ValueError, RecursionError):
        raise LedgerError(_CONFLICT if line.startswith(_CONFLICT_MARKS) else "is not a JSON object") from None
    if not isinstance(values, dict):
        raise LedgerError("is not a JSON object")
    _check_version(values.get("v"))
    kind = values.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise LedgerError(f"is of the unknown kind {kind!r}")
    unknown = values.keys() - _KEYS[kind]
    if unknown:
        raise LedgerError(f"has the unknown field {min(unknown)!r}")
    return KINDS[kind](**_decoded(kind, values))


def _check_version(version: object) -> None:
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise LedgerError(f"has no schema version, but {version!r}")
    if version > SCHEMA_VERSION:
        raise NewerLedgerError(
            f"it has lines of the schema version {version}, and this rootstock.pki knows {SCHEMA_VERSION} only; "
            "use the version of rootstock.pki that wrote them, or a newer one"
        )


def damage_error(found: Sequence[Damage]) -> LedgerError:
    """Return what to say about damaged lines."""
    named = "; ".join(f"line {damage.number} {damage.problem}" for damage in found[:DAMAGES_NAMED])
    more = f"; {len(found) - DAMAGES_NAMED} more lines are damaged" if len(found) > DAMAGES_NAMED else ""
    return LedgerError(
        f"{named}{more}; restore the file from Git or a backup, or set the damaged lines aside with "
        "rootstock.pki.x509_ledger and repair: true"
    )


def complete(last: bytes) -> Entry | None:
    """Return the entry of a last line that lacks its newline only; None where a crash tore it."""
    try:
        return decode(last)
    except LedgerError:
        return None


def is_whole(last: bytes) -> bool:
    """Tell whether a last line lacks its newline only."""
    return complete(last) is not None


def _decoded(kind: str, values: Mapping[str, object]) -> dict[str, Any]:
    decoded: dict[str, Any] = {}
    for field in _FIELDS[kind]:
        if field.name in values:
            try:
                decoded[field.name] = field.read(values[field.name])
            except ValueError as exc:
                raise LedgerError(f"has a damaged field: {field.name} {exc}") from None
        elif field.required:
            raise LedgerError(f"lacks the field {field.name!r}")
    return decoded
