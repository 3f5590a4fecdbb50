# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the process of a claim is gone is said only where it is sure."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from ansible_collections.rootstock.pki.plugins.module_utils._ledger import holders
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.entries import Holder
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.holders import is_gone, is_running, this_holder


def test_this_process_is_not_gone() -> None:
    assert this_holder().pid == os.getpid()
    assert not is_gone(this_holder())
    assert is_running(this_holder())


def test_a_process_that_ended_is_gone_and_one_that_lives_is_not() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        holder = replace(this_holder(), pid=process.pid, started=holders._started(process.pid))
        assert is_running(holder)
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert is_gone(holder)  # not yet collected by its parent
    assert is_gone(holder)


def test_another_process_with_the_same_number_is_another_process() -> None:
    another = replace(this_holder(), started="1")
    assert (is_gone(another), is_running(another)) == (True, False)


@pytest.mark.parametrize("change", [{"host": "elsewhere"}, {"space": "another boot"}, {"space": ""}])
def test_of_another_machine_boot_or_container_nothing_is_sure(change: dict[str, str]) -> None:
    elsewhere = replace(this_holder(), pid=2**22 + 1, started="1", **change)
    assert (is_gone(elsewhere), is_running(elsewhere)) == (False, False)


def test_without_proc_the_process_number_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holders, "_space", lambda: "")
    monkeypatch.setattr(holders, "_started", lambda _: "")
    ours = this_holder()
    assert (ours.started, ours.space) == ("", "")
    assert not is_gone(ours)
    assert is_gone(Holder(ours.host, 2**22 + 1))
    assert is_gone(Holder(ours.host, 2**70))
