# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What keeps a ledger is decided in one place, so that another adapter changes nothing else."""

from __future__ import annotations

from pathlib import Path

PLUGINS = Path(__file__).resolve().parents[3] / "plugins"


def test_nobody_outside_the_room_of_ledgers_names_an_adapter() -> None:
    others = [path for path in PLUGINS.rglob("*.py") if path.parent.name != "_ledger"]
    assert [str(path.relative_to(PLUGINS)) for path in others if "FileLedger" in path.read_text()] == []
