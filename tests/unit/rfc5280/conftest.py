# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A root that issues what the sections of RFC 5280 are about."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.rfc5280.office import Office


@pytest.fixture
def office(tmp_path: Path) -> Office:
    made = Office(tmp_path)
    made.certify_authority("root", subject={"common_name": "Root"})
    return made
