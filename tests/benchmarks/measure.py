# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a benchmark returns, and how the time and the AWS calls of something are taken."""

from __future__ import annotations

import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from localaws.server import Server
from localaws.testing import Principal
from tests.harness.environment import environment


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        what: what was done.
        seconds: how long it took once; None where something else is measured.
        calls: AWS calls by operation, such as `{"kms:Sign": 1}`; None where it makes none by nature.
        compared: the same beside something else, such as `0.71 of amazon.aws.kms_key`.
        wanted: the figure that it is held against, such as `at most 0.85 and 3 calls`.
    """

    what: str
    seconds: float | None
    calls: Mapping[str, int] | None = field(default=None)
    compared: str = ""
    wanted: str = ""


def measure(server: Server, action: Callable[[], object], rounds: int = 1) -> tuple[float, dict[str, int]]:
    """Return the median seconds of *action* over *rounds*, and the AWS calls by operation of the last one."""
    taken = []
    for _round in range(rounds):
        server.reset_calls()
        began = time.perf_counter()
        action()
        taken.append(time.perf_counter() - began)
    calls = {operation: sum(callers.values()) for operation, callers in server.calls().items()}
    return statistics.median(taken), calls


def task_seconds(task: Mapping[str, object], who: Principal, copies: int = 10, rounds: int = 3) -> float:
    """Return what one Ansible task costs: a play of *copies* of it, less an empty play, divided, median of *rounds*."""
    empty = statistics.median(play_seconds([], who) for _round in range(rounds))
    full = statistics.median(play_seconds([task] * copies, who) for _round in range(rounds))
    return (full - empty) / copies


def play_seconds(tasks: list[Mapping[str, object]], who: Principal) -> float:
    """Run a play of *tasks* on this machine as *who* and return the seconds it took; a failing task is an error."""
    play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks}
    with tempfile.TemporaryDirectory() as folder:
        playbook = Path(folder) / "play.yml"
        playbook.write_text(json.dumps([play]))
        interpreter = "ansible_python_interpreter={{ ansible_playbook_python }}"
        command = ["ansible-playbook", str(playbook), "--inventory", "localhost,", "--extra-vars", interpreter]
        began = time.perf_counter()
        subprocess.run(command, env={**environment(), **who.environment()}, capture_output=True, check=True)
        return time.perf_counter() - began
