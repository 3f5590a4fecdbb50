# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ledger as a file: what a crash, a full disk, Git, other processes and other people's hands leave of it."""

from __future__ import annotations

import fcntl
import os
import resource
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.rootstock.pki.plugins.module_utils._ledger.codec import encode
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.entries import Entry
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.files import FileLedger, issued_path
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.fold import fold
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.port import NameClaimed
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.reading import read_entries
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import LedgerError
from tests.unit.ledger.contract import Clock
from tests.unit.ledger.entry_makers import AUTHORITY, NOW, an_intent, histories, issued_for, revoked, serial

NOBODY = 65534


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.jsonl"


@pytest.fixture
def ledger(path: Path) -> FileLedger:
    return FileLedger(path, Clock(), AUTHORITY)


@pytest.fixture
def for_everyone() -> Iterator[Path]:
    """A folder that every user may enter."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o711)  # noqa: S103  # the test needs it
        yield Path(folder)


@pytest.fixture
def unprivileged() -> Iterator[None]:
    """Permissions bind: root acts as nobody."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def _limit_file_size(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


@pytest.fixture
def full_disk() -> Iterator[None]:
    """No file grows beyond 500 bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    _limit_file_size(500)
    try:
        yield
    finally:
        _limit_file_size(before)


def test_certificates_lie_beside_the_ledger_under_their_serial() -> None:
    assert issued_path(Path("/pki/root/ledger.jsonl"), "0ABC") == Path("/pki/root/issued/0ABC.pem")


def test_the_first_line_makes_the_file(ledger: FileLedger, path: Path) -> None:
    assert not path.exists()
    ledger.append(revoked())
    assert path.read_bytes().count(b"\n") == 1
    assert [found.name for found in path.parent.iterdir()] == ["ledger.jsonl"]


def test_reading_makes_no_file(ledger: FileLedger, path: Path) -> None:
    ledger.read()
    assert list(path.parent.iterdir()) == []


def test_lines_are_only_ever_added(ledger: FileLedger, path: Path) -> None:
    before = b""
    for number in range(5):
        ledger.append(revoked(number))
        after = path.read_bytes()
        assert after.startswith(before)
        before = after


@given(histories(most=2).filter(bool), st.data())
def test_a_ledger_cut_anywhere_in_its_last_line_reads_as_without_that_line(
    lines: list[Entry], data: st.DataObject
) -> None:
    whole = b"".join(map(encode, lines[:-1]))
    last = encode(lines[-1])
    cut = data.draw(st.integers(0, len(last) - 2))
    assert fold(read_entries(whole + last[:cut])) == fold(lines[:-1])


def test_a_line_cut_anywhere_is_healed_by_the_next_one(ledger: FileLedger, path: Path) -> None:
    first, last = encode(revoked(1)), encode(revoked(2))
    for cut in range(1, len(last) - 1, 5):
        path.write_bytes(first + last[:cut])
        ledger.append(revoked(3))
        assert path.read_bytes().startswith(first)
        assert [found.serial for found in ledger.read().revocations] == sorted([serial(1), serial(3)])
    torn = path.with_name("ledger.jsonl.torn").read_bytes().splitlines()
    assert torn == [last[:cut] for cut in range(1, len(last) - 1, 5)]


def test_a_last_line_that_lacks_its_newline_only_counts_and_is_kept(ledger: FileLedger, path: Path) -> None:
    path.write_bytes(encode(revoked(1))[:-1])
    assert [found.serial for found in ledger.read().revocations] == [serial(1)]
    ledger.append(revoked(2))
    assert len(list(ledger.read().revocations)) == 2
    assert not path.with_name("ledger.jsonl.torn").exists()


def test_a_torn_line_longer_than_a_block_is_healed(ledger: FileLedger, path: Path) -> None:
    first = encode(revoked(1))
    path.write_bytes(first + b"\0" * 200_000)
    ledger.append(revoked(2))
    assert path.read_bytes().startswith(first + b"{")
    assert path.with_name("ledger.jsonl.torn").stat().st_size == 200_001


def test_empty_lines_and_windows_line_ends_do_not_matter(ledger: FileLedger, path: Path) -> None:
    path.write_bytes(b"\n" + encode(revoked(1)).replace(b"\n", b"\r\n") + b"\r\n" + encode(revoked(2)))
    assert len(list(ledger.read().revocations)) == 2


def test_a_damaged_line_is_named_and_nothing_is_rewritten(ledger: FileLedger, path: Path) -> None:
    content = encode(revoked(1)) + b'{"v":1,\n' + encode(revoked(2)) + b"scribble\n" + encode(revoked(3))
    path.write_bytes(content)
    for use in (ledger.read, lambda: ledger.append(revoked(4)), lambda: ledger.claim(an_intent(), None)):
        with pytest.raises(LedgerError) as caught:
            use()
        assert "line 2 is not a JSON object; line 4 is not a JSON object; restore the file" in str(caught.value)
        assert str(path) in str(caught.value)
    assert path.read_bytes() == content


def test_of_very_many_damaged_lines_the_first_are_named(ledger: FileLedger, path: Path) -> None:
    path.write_bytes(b"x\n" * 25)
    with pytest.raises(LedgerError, match="line 10 is not a JSON object; 15 more lines are damaged"):
        ledger.read()


def test_a_ledger_of_a_newer_schema_is_refused(ledger: FileLedger, path: Path) -> None:
    path.write_bytes(encode(revoked(1)).replace(b'"v":1', b'"v":2'))
    with pytest.raises(LedgerError, match=r"schema version 2, and this rootstock\.pki knows 1 only; use the version"):
        ledger.read()


def test_the_ledger_of_another_authority_is_refused(ledger: FileLedger, path: Path) -> None:
    ledger.append(revoked(1))
    other = FileLedger(path, Clock(), "another")
    for use in (other.read, lambda: other.append(revoked(2)), lambda: other.claim(an_intent(), None)):
        with pytest.raises(LedgerError, match=f"ledger of another authority, {AUTHORITY}, and not of another"):
            use()


def test_a_ledger_opened_without_an_authority_goes_on_with_the_one_it_has(ledger: FileLedger, path: Path) -> None:
    ledger.append(revoked(1))
    FileLedger(path, Clock()).append(revoked(2))
    assert path.read_bytes().count(AUTHORITY.encode()) == 2


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match=f"there is no folder {tmp_path}/none for the ledger; create it first"):
        FileLedger(tmp_path / "none" / "ledger.jsonl", Clock()).append(revoked())


def test_a_folder_is_no_ledger(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="cannot be read: Is a directory"):
        FileLedger(tmp_path, Clock()).read()
    with pytest.raises(LedgerError, match="cannot be opened for writing: Is a directory"):
        FileLedger(tmp_path, Clock()).append(revoked())


@pytest.mark.usefixtures("unprivileged")
def test_a_read_only_ledger_is_read_and_not_written(for_everyone: Path) -> None:
    path = for_everyone / "ledger.jsonl"
    content = encode(revoked(1))
    if os.geteuid() == NOBODY:
        os.seteuid(0)
    path.write_bytes(content)
    path.chmod(0o444)
    if os.getuid() == 0:
        os.seteuid(NOBODY)
    ledger = FileLedger(path, Clock())
    assert len(list(ledger.read().revocations)) == 1
    for use in (lambda: ledger.append(revoked(2)), lambda: ledger.claim(an_intent(), None)):
        with pytest.raises(
            LedgerError, match=r"ledger\.jsonl: the ledger cannot be opened for writing: Permission denied"
        ):
            use()
    assert path.read_bytes() == content


@pytest.mark.usefixtures("unprivileged")
def test_a_ledger_that_may_not_be_read_says_so(for_everyone: Path) -> None:
    path = for_everyone / "ledger.jsonl"
    if os.getuid() == 0:
        os.seteuid(0)
    path.touch(mode=0o000)
    if os.getuid() == 0:
        os.seteuid(NOBODY)
    with pytest.raises(LedgerError, match=r"ledger\.jsonl: the ledger cannot be read: Permission denied"):
        FileLedger(path, Clock()).read()


@pytest.mark.usefixtures("full_disk")
def test_a_full_disk_leaves_the_ledger_as_it_was(ledger: FileLedger, path: Path) -> None:
    first = encode(revoked(1))
    path.write_bytes(first)
    with pytest.raises(LedgerError, match="the ledger cannot be written: File too large; nothing was recorded"):
        ledger.claim(an_intent(), None)
    assert path.read_bytes() == first


def test_a_line_is_synced_before_append_returns(
    ledger: FileLedger, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[bool, int]] = []
    fsync = os.fsync

    def watch(descriptor: int) -> None:
        folder = os.path.samestat(os.fstat(descriptor), path.parent.stat())
        synced.append((folder, 0 if folder else os.fstat(descriptor).st_size))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", watch)
    ledger.append(revoked(1))
    assert synced == [(True, 0), (False, path.stat().st_size)]


def test_many_lines_are_written_and_synced_at_once(
    ledger: FileLedger, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.append(revoked(1))
    synced: list[int] = []
    fsync = os.fsync

    def watch(descriptor: int) -> None:
        synced.append(os.fstat(descriptor).st_size)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", watch)
    ledger.claim_all([an_intent(str(number), purpose="file") for number in range(200)])
    claimed = path.stat().st_size
    ledger.append_all([revoked(number) for number in range(2, 202)])
    assert synced == [claimed, path.stat().st_size]


def test_of_many_lines_that_were_cut_off_the_whole_ones_count(ledger: FileLedger, path: Path) -> None:
    ledger.claim_all([an_intent(str(number), purpose="file") for number in range(5)])
    content = path.read_bytes()
    third = content.split(b"\n")[:3]
    path.write_bytes(b"\n".join(third) + b"\n" + content[len(b"\n".join(third)) + 1 :][:40])
    assert {intent.name for intent in ledger.read().open_intents} == {"0", "1", "2"}
    assert len(ledger.claim_all([an_intent(str(number), purpose="file") for number in range(5)])) == 3


def test_many_lines_are_taken_back_together_when_the_sync_fails(
    ledger: FileLedger, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.append(revoked(1))
    before = path.read_bytes()

    def broken(_descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(LedgerError, match="nothing was recorded"):
        ledger.claim_all([an_intent(str(number), purpose="file") for number in range(200)])
    assert path.read_bytes() == before


def test_a_failed_sync_takes_the_line_back(ledger: FileLedger, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger.append(revoked(1))
    before = path.read_bytes()

    def broken(_descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(LedgerError, match="cannot be written: Input/output error; nothing was recorded"):
        ledger.append(revoked(2))
    assert path.read_bytes() == before


def test_a_locked_ledger_says_who_holds_it(path: Path) -> None:
    path.touch()
    ledger = FileLedger(path, Clock(), lock_timeout=0.2)
    with path.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(LedgerError, match=f"was locked by process {os.getpid()} .* for the 0.2 s") as caught:
            ledger.append(revoked())
    assert "run again when that has ended" in str(caught.value)
    ledger.append(revoked())


def test_a_lock_that_ends_in_time_is_waited_for(path: Path) -> None:
    path.touch()
    with path.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        timer = threading.Timer(0.3, lambda: fcntl.flock(file, fcntl.LOCK_UN))
        timer.start()
        FileLedger(path, Clock(), lock_timeout=20).append(revoked())
        timer.join()
    assert path.stat().st_size > 0


def test_a_reader_does_not_wait_for_the_lock(ledger: FileLedger, path: Path) -> None:
    ledger.append(revoked())
    with path.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert len(list(ledger.read().revocations)) == 1


def test_a_file_that_was_replaced_while_waiting_gets_the_line(ledger: FileLedger, path: Path) -> None:
    ledger.append(revoked(1))
    other = path.with_name("from-git")
    other.write_bytes(encode(revoked(2)))
    with path.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)

        def replace_and_release() -> None:
            other.replace(path)
            fcntl.flock(file, fcntl.LOCK_UN)

        timer = threading.Timer(0.2, replace_and_release)
        timer.start()
        ledger.append(revoked(3))
        timer.join()
    assert [found.serial for found in ledger.read().revocations] == sorted([serial(2), serial(3)])


def _git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(
        ["git", "-C", str(folder), *identity, *arguments],
        check=True,
        capture_output=True,
        env={**os.environ, "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"},
    )


def _issue(ledger: FileLedger, name: str, number: int) -> None:
    current = ledger.read().current(name, NOW)
    intent = an_intent(name, number)
    ledger.claim(intent, current.serial if current else None)
    ledger.append(issued_for(intent, NOW))


def test_two_branches_that_issued_and_revoked_merge_by_union(ledger: FileLedger, path: Path) -> None:
    folder = path.parent
    _git(folder, "init", "--quiet", "--initial-branch=main")
    (folder / ".gitattributes").write_text("ledger.jsonl merge=union\n")
    _issue(ledger, "web", 1)
    _issue(ledger, "db", 2)
    _git(folder, "add", ".")
    _git(folder, "commit", "--quiet", "-m", "base")
    for branch, number in (("one", 10), ("two", 20)):
        _git(folder, "checkout", "--quiet", "-b", branch, "main")
        _issue(ledger, "mail", number)
        _issue(ledger, branch, number + 1)
        ledger.append(revoked(1 if branch == "one" else 2, "key_compromise"))
        _git(folder, "commit", "--quiet", "-am", branch)
    _git(folder, "merge", "--quiet", "-m", "both", "one")
    state = ledger.read()
    assert {found.serial for found in state.revocations} == {serial(1), serial(2)}
    assert {record.name for record in state.certificates} == {"web", "db", "mail", "one", "two"}
    assert {record.serial for record in state.two_live("mail", NOW)} == {serial(10), serial(20)}
    _issue(ledger, "web", 30)
    assert ledger.read().current("web", NOW) == ledger.read().by_serial(serial(30))


def test_a_claim_knows_the_certificate_that_another_branch_brought(ledger: FileLedger, path: Path) -> None:
    _issue(ledger, "web", 1)
    intent = replace(an_intent("web", 2), authority=AUTHORITY, replaces=serial(1))
    with path.open("ab") as file:
        file.write(encode(intent) + encode(issued_for(intent)))
    with pytest.raises(NameClaimed, match=serial(2)):
        ledger.claim(an_intent("web", 3), serial(1))
