# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Points in time and spans as users write them; always UTC, whole seconds, and the clock is an argument."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

from .domain_names import shown
from .errors import SpecError

FORMS = "+3650d or +32w1d2h (from now), 20301231235959Z, or 2030-12-31T23:59:59Z"
EARLIEST = datetime(1950, 1, 1, tzinfo=timezone.utc)
_SPAN = re.compile(
    r"(?P<sign>[+-]?)(?=[0-9])(?:(?P<weeks>[0-9]+)[wW])?(?:(?P<days>[0-9]+)[dD])?(?:(?P<hours>[0-9]+)[hH])?"
    r"(?:(?P<minutes>[0-9]+)[mM])?(?:(?P<seconds>[0-9]+)[sS])?"
)
_ASN1 = re.compile(r"[0-9]{14}Z")
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(?P<zone>Z|[+-][0-9]{2}:[0-9]{2})?")
_SHARE = re.compile(r"(?P<whole>[0-9]{1,3})(?:\.(?P<part>[0-9]{1,3}))?%")


def is_relative(text: str) -> bool:
    """Tell whether *text* is a time relative to now: a sign, then a span."""
    match = _SPAN.fullmatch(text.strip())
    return match is not None and bool(match["sign"])


def to_duration(text: str) -> timedelta:
    """Return the span *text* says: ``+32w1d2h``, ``-1h``, ``30d`` (no sign is a plus).

    Raises:
        SpecError: not a span, or one that no calendar holds.
    """
    match = _SPAN.fullmatch(text.strip())
    if match is None:
        raise SpecError(
            f"time span {shown(text)} is not understood; write weeks, days, hours, minutes, seconds as 32w1d2h30m5s"
        )
    units = {
        unit: int(digits.lstrip("0")[:12] or "0")
        for unit, digits in match.groupdict().items()
        if unit != "sign" and digits
    }
    try:
        span = timedelta(**units)
    except OverflowError as exc:
        raise SpecError(f"time span {shown(text)} is longer than any calendar; write a shorter one") from exc
    return -span if match["sign"] == "-" else span


def to_time(text: str, now: datetime) -> datetime:
    """Return the point in time *text* says, in UTC and whole seconds (RFC 5280 4.1.2.5).

    Args:
        text: relative to *now* (``+3650d``, ``-1h``, ``+32w1d2h``), ASN.1 ``20301231235959Z``, or ISO 8601
            ``2030-12-31T23:59:59Z`` (another offset is converted).
        now: UTC-aware.
    Raises:
        SpecError: none of these forms, no such day or hour, before 1950, or after the year 9999.
    """
    given = text.strip()
    try:
        moment = _read(given, now)
    except (ValueError, OverflowError) as exc:
        raise SpecError(f"time {shown(text)} does not exist ({exc}); write {FORMS}") from exc
    if moment is None:
        raise SpecError(f"time {shown(text)} is not understood{_advice(given)}; write {FORMS}")
    if moment < EARLIEST:
        raise SpecError(
            f"time {shown(text)} is before 1950, which X.509 cannot say (RFC 5280 4.1.2.5); write a later one"
        )
    return moment


def _read(text: str, now: datetime) -> datetime | None:
    if is_relative(text):
        return now.replace(microsecond=0) + to_duration(text)
    if _ASN1.fullmatch(text):
        return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=timezone.utc)
    match = _ISO.fullmatch(text)
    if match and match["zone"]:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(timezone.utc)
    return None


def _advice(text: str) -> str:
    if _SPAN.fullmatch(text):
        return " (a time from now starts with + or -)"
    if _ISO.fullmatch(text):
        return " (it names no time zone: end it with Z)"
    return ""


def renew_time(
    not_before: datetime,
    not_after: datetime,
    renew_before: str,
    *,
    fixed_end: bool = False,
    issued: datetime | None = None,
) -> datetime:
    """Return the time from which a certificate is due for renewal.

    Args:
        renew_before: how long before *not_after*: a share of the lifetime such as ``33%``, or a span such as ``30d``.
        fixed_end: *not_after* does not move with the clock, so *renew_before* may be longer than what is left of it.
        issued: when it is made, where that is now; *not_before* may be earlier, and of that time nobody has anything.
    Raises:
        SpecError: not understood, negative, or not shorter than the lifetime: it would renew at every run.
    """
    lifetime = not_after - not_before
    if lifetime <= timedelta(0):
        raise SpecError(
            f"not_after {_asn1(not_after)} is not later than not_before {_asn1(not_before)}; write a later not_after"
        )
    lead = _lead(renew_before, lifetime)
    if lead < timedelta(0):
        raise SpecError(
            f"renew_before {shown(renew_before)} is negative; write how long before not_after to renew, such as 30d"
        )
    if lead >= lifetime and fixed_end:
        return not_before
    if issued is not None and not_before < issued < not_after and not fixed_end:
        lifetime = not_after - issued
    if lead >= lifetime:
        raise SpecError(
            f"renew_before {shown(renew_before)} is not shorter than the lifetime of {days_text(lifetime)}: "
            "every run would renew; "
            "write a shorter one, or a share such as 33%"
        )
    return not_after - lead


def _lead(renew_before: str, lifetime: timedelta) -> timedelta:
    text = renew_before.strip()
    share = _SHARE.fullmatch(text)
    if share:
        thousandths = int(share["whole"]) * 1000 + int((share["part"] or "0").ljust(3, "0"))
        return timedelta(seconds=int(lifetime.total_seconds()) * thousandths // 100_000)
    if not _SPAN.fullmatch(text):
        raise SpecError(
            f"renew_before {shown(renew_before)} is not understood; write a share such as 33% or a span such as 30d"
        )
    return to_duration(text)


def _asn1(moment: datetime) -> str:
    return f"{moment:%Y%m%d%H%M%S}Z"


def days_text(span: timedelta) -> str:
    """Return *span* in whole days, or in seconds where it is shorter than one."""
    return f"{span.days} days" if span.days else f"{int(span.total_seconds())} seconds"
