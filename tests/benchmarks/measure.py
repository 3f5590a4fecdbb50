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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from localaws.server import Server
from localaws.testing import Principal
from tests.harness.environment import environment

LIBRARY = Path(__file__).with_name("library")
AS_IN_A_REGION = 0.015
"""Seconds until AWS answers; the AWS of this machine answers sooner, but takes the time from whoever asks."""


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


def tasks_seconds(
    tasks: Sequence[Mapping[str, object]], who: Principal, copies: int = 5, rounds: int = 3
) -> list[float]:
    """Return what each of some Ansible tasks costs: a play of *copies* of it, less an empty play, divided.

    The medians of rounds in each of which all take their turn, since what else the machine does comes and goes.
    """
    plays = [[], *([task] * copies for task in tasks)]
    taken = [[play_seconds(play, who) for play in plays] for _round in range(rounds)]
    empty, *full = (statistics.median(column) for column in zip(*taken, strict=True))
    return [(seconds - empty) / copies for seconds in full]


def play_seconds(tasks: list[Mapping[str, object]], who: Principal) -> float:
    """Run a play of *tasks* on this machine as *who* and return the seconds it took; a failing task is an error."""
    play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks}
    with tempfile.TemporaryDirectory() as folder:
        playbook = Path(folder) / "play.yml"
        playbook.write_text(json.dumps([play]))
        interpreter = "ansible_python_interpreter={{ ansible_playbook_python }}"
        command = ["ansible-playbook", str(playbook), "--inventory", "localhost,", "--extra-vars", interpreter]
        began = time.perf_counter()
        surroundings = {**environment(), **who.environment(), "ANSIBLE_LIBRARY": str(LIBRARY)}
        subprocess.run(command, env=surroundings, capture_output=True, check=True)
        return time.perf_counter() - began
