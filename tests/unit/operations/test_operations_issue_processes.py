# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs that issue the same names into one ledger at once agree on one certificate each."""

from __future__ import annotations

import json
import multiprocessing
import time
from collections import Counter
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.rootstock.pki.plugins.module_utils._ledger.files import FileLedger
from ansible_collections.rootstock.pki.plugins.module_utils._operations import issue_certificate as flow
from ansible_collections.rootstock.pki.plugins.module_utils._operations.issue_certificate import carry_out
from ansible_collections.rootstock.pki.plugins.module_utils._pki.certificates import serial_hex
from tests.unit.operations.workshop import Clock, Workshop, spki_of
from tests.unit.signer.local_kms import local_key

FORK = multiprocessing.get_context("fork")
PROCESSES = 8
NAMES = 50


class WallClock(Clock):
    """The time that all processes share, and pauses that are short."""

    def __call__(self) -> datetime:
        return datetime.now(timezone.utc).replace(microsecond=0)

    def forward(self, **span: float) -> None:
        time.sleep(span["seconds"] / 20)


def _issue_all(which: int, start: Any, queue: Any, workshop: Workshop, public_key: bytes) -> None:
    """Issue every name, each process beginning with another one, and tell the serial that each got."""
    workshop.serial += which << 64
    told = {}
    start.wait()
    for number in range(NAMES):
        name = f"name-{(number + which * 7) % NAMES}"
        planned = workshop.plan(name, "tls_client", "root", public_key=public_key)
        done = carry_out(planned, workshop.ports(planned.task), workshop.issuing("root"))
        told[name] = serial_hex(done.certificate.serial_number)
    queue.put(told)


def test_many_processes_that_issue_the_same_names_agree_on_one_certificate_each(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path, clock=WallClock(), serial=1 << 158)
    workshop.root()
    queue, start = FORK.Queue(), FORK.Barrier(PROCESSES)
    shared = (start, queue, workshop, spki_of(local_key("ECC_NIST_P256", 93)))
    processes = [FORK.Process(target=_issue_all, args=(which, *shared)) for which in range(PROCESSES)]
    for process in processes:
        process.start()
    answers = [queue.get(timeout=120) for _process in processes]
    for process in processes:
        process.join()
    state = FileLedger(tmp_path / "root" / "ledger.jsonl", workshop.clock).read()
    current = {record.name: record.serial for record in state.certificates if record.name != "root"}
    assert len(current) == NAMES
    assert all(told == current for told in answers)
    assert state.open_intents == ()
    assert_each_recorded_once(workshop, set(current.values()))


def assert_each_recorded_once(workshop: Workshop, serials: set[str]) -> None:
    """Each certificate has one outcome, which names the request to KMS."""
    lines = [json.loads(line) for line in workshop.ledger_lines("root")]
    issued = [line for line in lines if line["kind"] == "issued" and line["serial"] in serials]
    assert Counter(line["serial"] for line in issued) == dict.fromkeys(serials, 1)
    assert all(line["request_id"] and line["key_arn"] for line in issued)


def test_a_run_that_is_about_to_record_is_not_overtaken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workshop = Workshop(tmp_path)
    workshop.root()
    public_key = spki_of(local_key("ECC_NIST_P256", 93))
    record, seen = flow.record_issued, []

    def observed(*arguments: Any) -> None:
        other = workshop.plan("web", "tls_client", "root", public_key=public_key)
        seen.append((other.reissue, other.completion))
        record(*arguments)

    monkeypatch.setattr(flow, "record_issued", observed)
    issued = workshop.issue("web", "tls_client", "root", public_key=public_key)
    assert seen == [(True, ())]
    assert_each_recorded_once(workshop, {serial_hex(issued.serial_number)})
