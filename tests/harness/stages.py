# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one tool of the test run does and how its output is counted."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.harness.environment import CHECKOUT, environment

LONGEST = int(os.environ.get("ROOTSTOCK_STAGE_SECONDS", "1800"))
PYTEST_COUNT = re.compile(r"(\d+) (passed|failed|errors?|skipped|xfailed|xpassed|deselected)\b")
LIVE: set[int] = set()  # leaders of the sessions that commands run in
SANITY_SKIPPED = re.compile(r"^WARNING: (?:Skipping|Required)", re.MULTILINE)
SCENARIO = re.compile(r"^\S+ +: actions=\d+ .*\bfailed=(\d+)", re.MULTILINE)
LISTED_FAILED = re.compile(r"^FATAL: The (\d+) \w+ test\(s\) listed below \(out of \d+\) failed", re.MULTILINE)
RAN_TARGET = re.compile(r"^Running \S+ integration test role$", re.MULTILINE)


@dataclass(frozen=True)
class Outcome:
    """How a stage ended."""

    passed: int
    failed: int
    output: str


@dataclass(frozen=True)
class Stage:
    """One row of the table."""

    name: str
    run: Callable[[], Outcome]


@dataclass(frozen=True)
class Finished:
    """A command that has ended, with everything that it printed."""

    status: int
    output: str


def call(command: Sequence[str | Path], folder: Path = CHECKOUT, extra: Mapping[str, str] | None = None) -> Finished:
    """Run *command* in the harness's environment and return what it printed; a missing program is a failure."""
    shown = f"$ {' '.join(str(word) for word in command)}\n"
    try:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**environment(), **(extra or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except FileNotFoundError as exc:
        return Finished(127, f"{shown}{exc}\n")
    LIVE.add(process.pid)
    try:
        output = process.communicate(timeout=LONGEST)[0]
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return Finished(124, f"{shown}{process.communicate()[0]}stopped after {LONGEST} s\n")
    finally:
        LIVE.discard(process.pid)
        end_group(process.pid)
    return Finished(process.returncode, shown + output)


def end_group(leader: int) -> None:
    """Stop whatever a command left running in its own session."""
    try:
        os.killpg(leader, signal.SIGTERM)
    except ProcessLookupError:
        return


def end_all() -> None:
    """Stop every command that runs now; the run was interrupted."""
    for leader in list(LIVE):
        end_group(leader)


def one_check(command: Sequence[str | Path]) -> Outcome:
    """Run a tool that passes or fails as a whole."""
    done = call(command)
    return Outcome(int(done.status == 0), int(done.status != 0), done.output)


def count_pytest(done: Finished) -> Outcome:
    """Count tests by pytest's last line; a skipped or expected failure has not passed and counts as failed."""
    last = done.output.rstrip().rpartition("\n")[2]
    counts = {kind: int(number) for number, kind in PYTEST_COUNT.findall(last)}
    passed = counts.pop("passed", 0)
    return settle(passed, sum(counts.values()), done)


def count_sanity(done: Finished) -> Outcome:
    """Count ansible-test's sanity tests; one that it skips for want of a tool has failed."""
    ran = done.output.count("\nRunning sanity test ")
    failed = listed(done) + len(SANITY_SKIPPED.findall(done.output))
    return settle(max(ran - failed, 0), failed, done)


def count_integration(done: Finished, targets: int) -> Outcome:
    """Count ansible-test's integration targets; one of *targets* that did not run has failed."""
    ran, failed = len(RAN_TARGET.findall(done.output)), listed(done)
    return settle(ran - failed, failed + targets - ran, done)


def listed(done: Finished) -> int:
    """Return how many tests ansible-test lists as failed at its end."""
    named = LISTED_FAILED.search(done.output)
    return int(named[1]) if named else 0


def count_molecule(done: Finished) -> Outcome:
    """Count scenarios by Molecule's recap."""
    failures = SCENARIO.findall(done.output)
    failed = sum(count != "0" for count in failures)
    return settle(len(failures) - failed, failed, done)


def settle(passed: int, failed: int, done: Finished) -> Outcome:
    """Return the counts, with one failure where the command failed and named none, or where nothing ran."""
    if not failed and (done.status != 0 or not passed):
        failed = 1
    return Outcome(passed, failed, done.output)


def join(outcomes: Sequence[Outcome]) -> Outcome:
    """Add up several outcomes; the output is that of those with a failure."""
    return Outcome(
        sum(outcome.passed for outcome in outcomes),
        sum(outcome.failed for outcome in outcomes),
        "\n".join(outcome.output for outcome in outcomes if outcome.failed),
    )
