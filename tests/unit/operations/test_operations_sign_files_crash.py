# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Death at every moment of signing many files with a ledger: nothing unrecorded, and the next run does the rest."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.rootstock.pki.plugins.module_utils._ledger import lines
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.entries import Attempt, Intent, Refused, Signed
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.files import FileLedger
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.reading import read_content, read_entries
from ansible_collections.rootstock.pki.plugins.module_utils._operations import making_signatures
from ansible_collections.rootstock.pki.plugins.module_utils._operations.making_signatures import make_signatures
from ansible_collections.rootstock.pki.plugins.module_utils._operations.sign_files import combined_plan
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import AwsError, LedgerError
from ansible_collections.rootstock.pki.plugins.module_utils._signer.algorithms import ALGORITHMS
from ansible_collections.rootstock.pki.plugins.module_utils._signer.ports import SignReply
from ansible_collections.rootstock.pki.plugins.module_utils._signer.verify import verify_signature
from tests.unit.operations.signing_desk import NOW, Desk
from tests.unit.operations.test_operations_sign_files import plan, specs
from tests.unit.signer.local_kms import LocalSigner, denied, throttled

FORK = multiprocessing.get_context("fork")
FILES, BATCH = 7, 3


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making_signatures, "RECORDED_AT_ONCE", BATCH)
    monkeypatch.setattr(making_signatures, "AT_ONCE", 2)


@dataclass
class Reaper:
    """Kills the process at one moment: before or after a call of any of the functions that it goes around."""

    at: int
    passed: int = 0
    lock: Any = field(default_factory=threading.Lock)

    def pass_by(self) -> None:
        with self.lock:
            self.passed += 1
            if self.passed == self.at:
                os.kill(os.getpid(), signal.SIGKILL)

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*arguments: Any, **named: Any) -> Any:
            self.pass_by()
            result = function(*arguments, **named)
            self.pass_by()
            return result

        return watched

    @contextmanager
    def watching(self) -> Any:
        """Go around whatever leaves a trace, in this process."""
        watched = [(FileLedger, "claim_all"), (FileLedger, "append_all"), (lines.os, "fsync"), (lines, "write_all")]
        with pytest.MonkeyPatch.context() as patched:
            for owner, name in [*watched, (LocalSigner, "sign"), (Path, "write_bytes")]:
                patched.setattr(owner, name, self.around(getattr(owner, name)))
            yield


class AuditedSigner(LocalSigner):
    """Notes in a file what it is asked for, with whether an open intent was on disk by then."""

    def sign(self, message: bytes, message_type: str, signing_algorithm: str) -> SignReply:
        folder = Path(os.environ["AUDITED_FOLDER"])
        open_intents = FileLedger(folder / "ledger.jsonl", lambda: NOW).read().open_intents
        recorded = any(intent.content_sha256 == message.hex() for intent in open_intents)
        with (folder / "asked").open("a") as file:
            file.write(json.dumps([message.hex(), recorded]) + "\n")
        return super().sign(message, message_type, signing_algorithm)


def desk_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    folder.mkdir()
    desk = Desk(folder, recorded=True)
    desk.signer = AuditedSigner(desk.private)
    monkeypatch.setenv("AUDITED_FOLDER", str(folder))
    return desk


def asked(desk: Desk) -> list[tuple[str, bool]]:
    path = desk.folder / "asked"
    return [tuple(json.loads(line)) for line in path.read_text().splitlines()] if path.exists() else []


def entries(desk: Desk) -> list[Any]:
    return read_entries(read_content(desk.folder / "ledger.jsonl"))


def sign_all(desk: Desk) -> int:
    """Do what one run does, and return how often the key was asked."""
    return sum(made.sign_calls for made in make_signatures(plan(desk, specs(desk, FILES)), desk.signing))


def sign_and_die(desk: Desk, at: int) -> None:
    def work() -> None:
        with Reaper(at).watching():
            sign_all(desk)

    process = FORK.Process(target=work)
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL


def moments(desk: Desk) -> int:
    reaper = Reaper(at=0)
    with reaper.watching():
        sign_all(desk)
    return reaper.passed


def check(desk: Desk) -> None:
    """Every file has its signature and every signature both its lines."""
    recorded = entries(desk)
    intents = {line.id: line for line in recorded if isinstance(line, Intent)}
    signed = {intents[line.intent].name: line for line in recorded if isinstance(line, Signed)}
    for spec in specs(desk, FILES):
        signature, content = Path(spec.dest).read_bytes(), Path(spec.content.name).read_bytes()
        verify_signature(desk.private.public_key(), signature, content, ALGORITHMS["ECDSA_SHA_256"])
        assert spec.dest in signed


def test_whenever_a_run_dies_the_next_one_does_the_rest_and_nothing_is_unrecorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = moments(desk_in(tmp_path / "undisturbed", monkeypatch))
    assert count > 50
    for at in range(1, count + 1):
        desk = desk_in(tmp_path / str(at), monkeypatch)
        sign_and_die(desk, at)
        kept = {path.name: path.read_bytes() for path in desk.folder.glob("*.sig") if path.stat().st_size}
        again = sign_all(desk)
        assert again == FILES - len(kept), "what the dead run kept is not signed again"
        assert kept.items() <= {path.name: path.read_bytes() for path in desk.folder.glob("*.sig")}.items()
        assert all(recorded for _digest, recorded in asked(desk)), "a signature was asked for before its line was there"
        assert sum(isinstance(line, Intent) for line in entries(desk)) >= len(asked(desk))
        check(desk)
        assert not combined_plan(plan(desk, specs(desk, FILES))).changed


def test_all_intents_of_a_batch_are_on_disk_before_the_first_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = desk_in(tmp_path / "batches", monkeypatch)
    assert sign_all(desk) == FILES
    kinds = [type(line).__name__ for line in entries(desk)]
    assert kinds[:BATCH] == ["Intent"] * BATCH
    assert (kinds.count("Intent"), kinds.count("Signed")) == (FILES, FILES)
    assert all(recorded for _digest, recorded in asked(desk))


def test_what_was_claimed_and_never_asked_for_is_closed_when_another_signature_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = desk_in(tmp_path / "failing", monkeypatch)
    desk.signer.failures = [denied()]
    with pytest.raises(AwsError, match="not allowed"):
        sign_all(desk)
    recorded = entries(desk)
    refused = {line.intent: line.reason for line in recorded if isinstance(line, Refused)}
    signed = {line.intent for line in recorded if isinstance(line, Signed)}
    assert desk.planning.state is not None
    assert desk.planning.state.open_intents == ()
    assert refused.keys() | signed == {line.id for line in recorded if isinstance(line, Intent)}
    never = [reason for reason in refused.values() if "never asked for" in reason]
    assert len(never) + len(asked(desk)) == len(refused) + len(signed)
    assert sign_all(desk) == FILES - len(signed)
    check(desk)


def test_a_signature_that_could_not_be_kept_leaves_its_intent_open_and_the_others_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = desk_in(tmp_path / "unkept", monkeypatch)

    def fail(_content: bytes) -> None:
        raise LedgerError("the disk is full")

    desk.keep = fail
    with pytest.raises(LedgerError, match="the disk is full"):
        sign_all(desk)
    assert desk.planning.state is not None
    assert len(desk.planning.state.open_intents) == len(asked(desk)) > 0
    desk.keep, desk.now = None, NOW + timedelta(minutes=11)  # this process lives, so its claims have to lapse
    assert sign_all(desk) == FILES
    check(desk)


def test_an_intent_that_a_dead_run_left_is_closed_though_the_content_changed_since(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = desk_in(tmp_path / "changed", monkeypatch)
    left = leave_intent(desk, b"a first draft\n")
    assert desk.sign().sign_calls == 1
    assert closed(desk) == {left: f"no signature made for it is at {desk.dest}"}


def test_an_intent_for_other_content_is_closed_beside_a_signature_that_is_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = desk_in(tmp_path / "restored", monkeypatch)
    desk.sign()
    left = leave_intent(desk, b"a draft that was taken back\n")
    planned = desk.plan()
    assert [(change.field, change.after) for change in planned.plan.changes] == [("ledger", "its outcome")]
    assert desk.carry_out(planned).sign_calls == 0
    assert closed(desk) == {left: f"no signature made for it is at {desk.dest}"}
    assert not desk.plan().plan.changed


def leave_intent(desk: Desk, content: bytes) -> str:
    """Have a run die that was about to sign *content* in place of what the file holds; return the intent's ID."""
    path = desk.folder / "content"
    kept = path.read_bytes()
    path.write_bytes(content)
    dead = replace(making_signatures.this_holder(), started="0")
    intent = making_signatures.intent_of(desk.plan(), dead, NOW)
    assert desk.ledger is not None
    desk.ledger.claim(intent, None)
    path.write_bytes(kept)
    return intent.id


def closed(desk: Desk) -> dict[str, str]:
    assert desk.planning.state is not None
    assert desk.planning.state.open_intents == ()
    return {line.intent: line.reason for line in entries(desk) if isinstance(line, Refused)}


def test_names_that_somebody_else_has_are_not_signed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = desk_in(tmp_path / "claimed", monkeypatch)
    works = plan(desk, specs(desk, FILES))
    taken = making_signatures.intent_of(works[1], making_signatures.this_holder(), NOW)
    assert desk.ledger is not None
    desk.ledger.claim(taken, None)
    with pytest.raises(LedgerError, match=r"001.sig is being issued by process \d+ .* signatures were made; run again"):
        make_signatures(works, desk.signing)
    assert not Path(works[1].spec.dest).exists()
    assert [intent.id for intent in desk.ledger.read().open_intents] == [taken.id]


def test_a_repeated_attempt_has_its_line_and_the_first_one_no_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = desk_in(tmp_path / "throttled", monkeypatch)
    desk.signer.failures = [throttled()]
    assert sign_all(desk) == FILES + 1
    assert [line.number for line in entries(desk) if isinstance(line, Attempt)] == [2]
