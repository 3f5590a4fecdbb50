# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Public keys as text."""

from __future__ import annotations

import base64
import binascii
import textwrap


def to_pem(der: bytes) -> bytes:
    """Return a SubjectPublicKeyInfo in the textual encoding of RFC 7468 13."""
    lines = textwrap.wrap(base64.b64encode(der).decode("ascii"), 64)
    return "\n".join(["-----BEGIN PUBLIC KEY-----", *lines, "-----END PUBLIC KEY-----", ""]).encode("ascii")


def from_pem(text: bytes) -> bytes | None:
    """Return the SubjectPublicKeyInfo that to_pem() wrote as *text*, None where it wrote something else."""
    try:
        der = base64.b64decode(b"".join(text.split(b"\n")[1:-2]), validate=True)
    except binascii.Error:
        return None
    return der if der and to_pem(der) == text else None
