# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The file adapter keeps the contract, read line by line and through an index, also by a symbolic link."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.rootstock.pki.plugins.module_utils._ledger.files import FileLedger
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.fold import FoldedState
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.indexed import IndexedState
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.port import Ledger
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.reading import INDEX_FROM
from tests.unit.ledger.contract import Clock, LedgerContract
from tests.unit.ledger.entry_makers import AUTHORITY


class TestFileLedger(LedgerContract):
    @pytest.fixture
    def ledger(self, tmp_path: Path, clock: Clock) -> Ledger:
        return FileLedger(tmp_path / "ledger.jsonl", clock, AUTHORITY)

    def test_a_small_file_needs_no_index(self, ledger: Ledger, clock: Clock) -> None:
        self.issue(ledger, clock, "web", 1)
        assert isinstance(ledger.read(), FoldedState)


class TestIndexedFileLedger(LedgerContract):
    @pytest.fixture
    def ledger(self, tmp_path: Path, clock: Clock) -> Ledger:
        return FileLedger(tmp_path / "ledger.jsonl", clock, AUTHORITY, index_from=1)

    def test_a_large_file_is_read_through_an_index(self, ledger: Ledger, clock: Clock) -> None:
        self.issue(ledger, clock, "web", 1)
        assert isinstance(ledger.read(), IndexedState)


class TestLinkedFileLedger(LedgerContract):
    @pytest.fixture(params=[INDEX_FROM, 1])
    def ledger(self, tmp_path: Path, clock: Clock, request: pytest.FixtureRequest) -> Ledger:
        (tmp_path / "store").mkdir()
        (tmp_path / "ledger.jsonl").symlink_to("store/ledger.jsonl")
        return FileLedger(tmp_path / "ledger.jsonl", clock, AUTHORITY, index_from=request.param)

    def test_whatever_goes_with_the_file_lies_beside_the_real_one(
        self, ledger: Ledger, clock: Clock, tmp_path: Path
    ) -> None:
        self.issue(ledger, clock, "web", 1)
        assert sorted(found.name for found in tmp_path.iterdir()) == ["ledger.jsonl", "store"]
        assert (tmp_path / "ledger.jsonl").is_symlink()
