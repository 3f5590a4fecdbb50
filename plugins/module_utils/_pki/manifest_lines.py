# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lines of a manifest, as GNU coreutils write and check them."""

from __future__ import annotations

import re

DIGEST_OF_LENGTH = {64: "sha256", 96: "sha384", 128: "sha512"}

_LINE = re.compile(rb"(?P<escaped>\\?)(?P<digest>[0-9a-f]+) [ *](?P<name>.+)", re.DOTALL)
_ESCAPES = {b"\\": b"\\\\", b"\n": b"\\n", b"\r": b"\\r"}
_PLAIN = {escape: plain for plain, escape in _ESCAPES.items()}
_TO_ESCAPE = re.compile(rb"[\\\n\r]")
_ESCAPED = re.compile(rb"\\[\\nr]")


def write_line(name: bytes, digest: bytes) -> bytes:
    """Return the line of one file; a name with a backslash or a line break is marked and escaped."""
    escaped = _TO_ESCAPE.sub(lambda match: _ESCAPES[match[0]], name)
    return (b"\\" if escaped != name else b"") + digest.hex().encode() + b"  " + escaped + b"\n"


def read_line(line: bytes) -> tuple[bytes, str] | None:
    """Return the name and the digest in a line without its end, None where it is no line of a manifest."""
    found = _LINE.fullmatch(line)
    if not found or len(found["digest"]) not in DIGEST_OF_LENGTH:
        return None
    name = found["name"]
    if found["escaped"]:
        name = _ESCAPED.sub(lambda match: _PLAIN[match[0]], name)
    return name, found["digest"].decode()
