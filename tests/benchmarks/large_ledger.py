# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A ledger of very many certificates, each issued and revoked, written in a few seconds."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

from ansible_collections.rootstock.pki.plugins.module_utils._ledger.codec import encode, time_text
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.entries import (
    Entry,
    Holder,
    Intent,
    Issued,
    Revoked,
    authority_of,
)

START = datetime(2026, 1, 1, tzinfo=timezone.utc)
ARN = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
CALLER = "arn:aws:sts::111122223333:assumed-role/Issuer/run"
HOLDER = Holder("controller", 4711, "123456", "992e4573-7892-4f5b-847f-5f68ec358338 pid:[4026531836]")
# What differs from line to line, as it stands in the model lines.
NAME, SERIAL, INTENT, ID, HASH = "host-0", "5A" * 20, "1" * 32, "2" * 32, "3" * 64


def model_lines(authority: str, time: datetime) -> list[str]:
    """Return the three lines of one certificate."""
    end = time + timedelta(days=825)
    lifetime = {"not_before": "-1h", "not_after": "+825d"}
    intent = Intent(INTENT, time, "certificate", NAME, SERIAL, f"CN={NAME}", HASH, ARN, "tls_server", HOLDER, lifetime)
    issued = Issued(ID, time, INTENT, SERIAL, HASH, "a request", CALLER, time, end, ARN)
    revoked = Revoked(ID, time, SERIAL, "superseded", time)
    lines: list[Entry] = [replace(line, authority=authority) for line in (intent, issued, revoked)]
    return [encode(line).decode() for line in lines]


def write_large_ledger(path: Path, certificates: int, authority: str = "") -> None:
    """Write a ledger of *certificates* that were all issued and revoked, one a second."""
    fresh = random.Random(0)  # noqa: S311  # ids, not secrets
    models = model_lines(authority or authority_of(b"large"), START)
    with path.open("w", encoding="ascii") as file:
        for number in range(certificates):
            time = time_text(START + timedelta(seconds=number))
            own = {
                NAME: f"host-{number}",
                SERIAL: f"{fresh.getrandbits(158) | 1 << 158:040X}",
                INTENT: f"{fresh.getrandbits(128):032x}",
                HASH: f"{fresh.getrandbits(256):064x}",
                time_text(START): time,
            }
            for model in models:
                line = model
                for old, new in own.items():
                    line = line.replace(old, new)
                file.write(line.replace(ID, f"{fresh.getrandbits(128):032x}"))
