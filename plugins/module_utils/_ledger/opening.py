# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a task's ledger_path becomes a ledger: the one place that knows what keeps it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from .files import FileLedger
from .port import Ledger


def open_ledger(place: str | Path, clock: Callable[[], datetime], authority: str = "") -> Ledger:
    """Return the ledger at *place*, which need not exist yet.

    Args:
        place: a task's ledger_path.
        clock: the present time, UTC-aware.
        authority: whose ledger it has to be, as authority_of() writes it; empty takes what the ledger says.
    """
    return FileLedger(Path(place), clock, authority)
