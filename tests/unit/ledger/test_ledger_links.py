# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A symbolic link to a ledger is the ledger: one lock, one index, one file after a repair."""

from __future__ import annotations

import fcntl
import threading
from pathlib import Path

import pytest

from ansible_collections.rootstock.pki.plugins.module_utils._ledger.codec import encode
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.files import FileLedger
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.index_file import index_folder
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.indexed import read_indexed
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.lines import locked
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.repair import plan_repair, repair
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import LedgerError
from tests.unit.ledger.contract import Clock
from tests.unit.ledger.entry_makers import NOW, an_intent, revoked, serial

KEPT = "ledger.jsonl.damaged-20260301T120000Z"


@pytest.fixture
def real(tmp_path: Path) -> Path:
    path = tmp_path / "store" / "ledger.jsonl"
    path.parent.mkdir()
    path.write_bytes(b"".join(encode(revoked(number)) for number in range(3)))
    return path


@pytest.fixture
def link(tmp_path: Path, real: Path) -> Path:
    """A link by way of another one, both relative."""
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "other").symlink_to(Path("..") / real.relative_to(tmp_path))
    path = tmp_path / "root" / "ledger.jsonl"
    path.symlink_to("other")
    return path


def _names(folder: Path) -> list[str]:
    return sorted(found.name for found in folder.iterdir())


def test_a_repair_replaces_the_file_that_a_link_stands_for(link: Path, real: Path) -> None:
    good = real.read_bytes()
    real.write_bytes(good + b"garbage\n")
    real.chmod(0o640)
    assert [damage.number for damage in plan_repair(link).damages] == [4]
    done = repair(link, NOW)
    assert done.kept == real.with_name(KEPT)
    assert done.kept.read_bytes() == good + b"garbage\n"
    assert (link.is_symlink(), real.is_symlink(), real.read_bytes()) == (True, False, good)
    assert real.stat().st_mode & 0o777 == 0o640
    assert _names(link.parent) == ["ledger.jsonl", "other"]
    assert _names(real.parent) == ["ledger.jsonl", KEPT]
    FileLedger(real, Clock()).append(revoked(3))
    FileLedger(link, Clock()).append(revoked(4))
    assert real.read_bytes().count(b"\n") == 5


@pytest.mark.parametrize("held", ["link", "real"])
def test_who_comes_by_the_link_and_who_comes_by_the_path_exclude_each_other(link: Path, real: Path, held: str) -> None:
    real.write_bytes(real.read_bytes() + b"garbage\n")
    theirs, mine = (link, real) if held == "link" else (real, link)
    with locked(theirs, 1, lambda _last: True):
        with pytest.raises(LedgerError, match=r"ledger\.jsonl: the ledger was locked by process"):
            FileLedger(mine, Clock(), lock_timeout=0.1).append(revoked(5))
        with pytest.raises(LedgerError, match=r"ledger\.jsonl: the ledger was locked by process"):
            repair(mine, NOW, lock_timeout=0.1)
    repair(mine, NOW)
    FileLedger(theirs, Clock(), lock_timeout=0.1).append(revoked(5))


def test_who_waits_at_the_link_while_the_file_is_replaced_writes_to_the_new_one(link: Path, real: Path) -> None:
    with real.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)

        def replace_and_release() -> None:
            other = real.with_name("from-git")
            other.write_bytes(encode(revoked(8)))
            other.replace(real)
            fcntl.flock(file, fcntl.LOCK_UN)

        timer = threading.Timer(0.2, replace_and_release)
        timer.start()
        FileLedger(link, Clock()).append(revoked(9))
        timer.join()
    assert [found.serial for found in FileLedger(real, Clock()).read().revocations] == sorted([serial(8), serial(9)])


def test_there_is_one_index_and_it_lies_beside_the_file(link: Path, real: Path) -> None:
    generation = read_indexed(link).about.generation
    assert index_folder(link) == index_folder(real) == real.with_name(".ledger.jsonl.index")
    FileLedger(real, Clock(), index_from=1).append(revoked(3))
    FileLedger(link, Clock(), index_from=1).append(revoked(4))
    assert {read_indexed(path).about.generation for path in (link, real)} == {generation}
    assert {len(list(read_indexed(path).revocations)) for path in (link, real)} == {5}
    assert _names(link.parent) == ["ledger.jsonl", "other"]


def test_whoever_makes_the_index_keeps_out_those_who_come_by_the_link(link: Path, real: Path) -> None:
    read_indexed(real)
    real.write_bytes(real.read_bytes() + encode(revoked(3)))
    found: list[int] = []
    reader = threading.Thread(target=lambda: found.append(len(list(read_indexed(link).revocations))))
    with (index_folder(real) / "lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        reader.start()
        reader.join(0.3)
        assert found == []
    reader.join()
    assert found == [4]


def test_a_torn_last_line_is_moved_aside_beside_the_file(link: Path, real: Path) -> None:
    real.write_bytes(real.read_bytes() + b"{torn")
    FileLedger(link, Clock()).append(revoked(3))
    assert _names(real.parent) == ["ledger.jsonl", "ledger.jsonl.torn"]
    assert _names(link.parent) == ["ledger.jsonl", "other"]


def test_a_link_to_a_ledger_that_is_not_there_yet_is_where_the_first_line_makes_it(link: Path, real: Path) -> None:
    real.unlink()
    ledger = FileLedger(link, Clock())
    assert not ledger.exists()
    ledger.claim(an_intent(), None)
    assert (link.is_symlink(), real.read_bytes().count(b"\n")) == (True, 1)


def test_a_link_into_a_folder_that_is_missing_names_that_folder(link: Path, real: Path) -> None:
    real.unlink()
    real.parent.rmdir()
    with pytest.raises(LedgerError, match=f"{link}: there is no folder {real.parent} for the ledger"):
        FileLedger(link, Clock()).append(revoked())


def test_a_link_to_itself_is_no_ledger(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    path.symlink_to(path)
    with pytest.raises(LedgerError, match="cannot be read: Too many levels of symbolic links"):
        FileLedger(path, Clock()).read()
    with pytest.raises(LedgerError, match="cannot be opened for writing: Too many levels of symbolic links"):
        repair(path, NOW)
