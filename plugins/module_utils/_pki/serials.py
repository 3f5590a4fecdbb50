# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Serial numbers as people read them: pairs of hex digits with colons, as OpenSSL shows them."""

from __future__ import annotations

import re

from .certificates import serial_hex
from .errors import SpecError

_WITH_COLONS = re.compile(r"[0-9A-Fa-f]{1,2}(?::[0-9A-Fa-f]{1,2})*")
_WITHOUT = re.compile(r"(?:[0-9A-Fa-f]{2})+")


def serial_with_colons(serial_number: object) -> str:
    """Return *serial_number* as upper-case pairs of hex digits with colons between them.

    Raises:
        SpecError: it is no integer, or negative, which no serial number is (RFC 5280 4.1.2.2).
    """
    if not isinstance(serial_number, int) or isinstance(serial_number, bool):
        kind = type(serial_number).__name__
        raise SpecError(f"serial number {serial_number!r:.80}: is {kind}; give an integer")
    if serial_number < 0:
        raise SpecError(f"serial number {serial_number}: is negative; serial numbers begin at 0")
    digits = serial_hex(serial_number)
    return ":".join(digits[place : place + 2] for place in range(0, len(digits), 2))


def to_serial_number(text: object) -> int:
    """Return the integer that *text* writes in hex digits, in pairs with colons or as files are named.

    Raises:
        SpecError: it is neither.
    """
    given = text.strip() if isinstance(text, str) else ""
    if _WITH_COLONS.fullmatch(given):
        return int("".join(pair.zfill(2) for pair in given.split(":")), 16)
    if _WITHOUT.fullmatch(given):
        return int(given, 16)
    raise SpecError(f"serial number {text!r:.80}: is no text of hex digits; write it as 0A:17 or 0A17")
