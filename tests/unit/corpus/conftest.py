# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A PKI in which nobody gets what must not be signed; refusals leave no trace, so the tests of a file share it."""

from __future__ import annotations

import pytest

from tests.unit.rfc5280.office import Office


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """Return an office with a root."""
    made = Office(tmp_path_factory.mktemp("desk"))
    made.certify_authority("root", subject={"common_name": "Root"})
    return made
