# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The example's tree, built once."""

from __future__ import annotations

import pytest

from tests.unit.examples.example_tree import BuiltTree, build


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> BuiltTree:
    return build(tmp_path_factory.mktemp("acme"))
