# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run every test, two tools at a time, and count what ran. All of it runs, whatever fails on the way."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from subprocess import SubprocessError

from botocore.exceptions import BotoCoreError, ClientError

from tests.harness.ansible_stages import integration, make_ssh_key, molecule, sanity
from tests.harness.environment import prepare_home
from tests.harness.stages import Outcome, Stage, call, count_pytest, end_all, one_check

GROUPS = {
    "sanity": ["sanity"],
    "lint": ["ruff check", "ruff format", "yamllint", "ansible-lint", "mypy"],
    "unit": ["unit"],
    "integration": ["integration"],
    "molecule": ["molecule"],
}


def unit() -> Outcome:
    # Whole files, as fixtures are made for each file, and those that take longest first.
    shared = ["--numprocesses=2", "--dist=loadfile", "--no-loadscope-reorder"]
    return count_pytest(call([sys.executable, "-m", "pytest", "-q", "--color=no", *shared]))


def stages(targets: Sequence[str]) -> list[Stage]:
    """Return every stage, two of which run at a time: so ordered that no core idles and the last two end together."""
    return [
        Stage("ruff check", lambda: one_check(["ruff", "check", "."])),
        Stage("ruff format", lambda: one_check(["ruff", "format", "--check", "--diff", "."])),
        Stage("yamllint", lambda: one_check(["yamllint", "--strict", "."])),
        Stage("unit", unit),
        Stage("sanity", sanity),
        Stage("ansible-lint", lambda: one_check(["ansible-lint", "--offline", "--strict"])),
        Stage("mypy", lambda: one_check(["mypy"])),
        Stage("molecule", molecule),
        Stage("integration", lambda: integration(targets)),
    ]


def timed(stage: Stage) -> tuple[Outcome, float]:
    began = time.monotonic()
    try:
        outcome = stage.run()
    except (OSError, RuntimeError, SubprocessError, BotoCoreError, ClientError) as exc:
        outcome = Outcome(0, 1, f"{type(exc).__name__}: {exc}\n")
    return outcome, time.monotonic() - began


def row(name: str, outcome: Outcome, seconds: float) -> str:
    return f"{name:<14}{outcome.passed:>7}{outcome.failed:>8}{seconds:>9.1f}"


def tell(name: str, outcome: Outcome, seconds: float) -> None:
    if outcome.failed:
        print(f"\n===== {name} failed =====\n{outcome.output}===== end of {name} =====\n", flush=True)
    else:
        print(f"{name}: {outcome.passed} passed in {seconds:.1f} s", flush=True)


def run(chosen: Sequence[Stage]) -> int:
    """Run the stages, tell each as it ends, and return the exit status."""
    results: dict[str, tuple[Outcome, float]] = {}
    began = time.monotonic()
    pool = ThreadPoolExecutor(2)
    futures = {pool.submit(timed, stage): stage.name for stage in chosen}
    for future in as_completed(futures):
        results[futures[future]] = future.result()
        tell(futures[future], *future.result())
    total = Outcome(sum(o.passed for o, _s in results.values()), sum(o.failed for o, _s in results.values()), "")
    print(f"\n{'stage':<14}{'passed':>7}{'failed':>8}{'seconds':>9}")
    print("\n".join(row(stage.name, *results[stage.name]) for stage in chosen))
    print(row("all", total, time.monotonic() - began))
    print(f"\n{total.passed} passed, {total.failed} failed")
    return int(total.failed > 0)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.run", description=__doc__)
    parser.add_argument("groups", nargs="*", metavar="group", help=f"one of {', '.join(GROUPS)}; all unless given")
    parser.add_argument("--targets", nargs="*", default=[], help="integration targets; all unless given")
    options = parser.parse_args()
    if unknown := set(options.groups) - set(GROUPS):
        parser.error(f"no such group: {', '.join(sorted(unknown))}")
    names = [name for group in options.groups or GROUPS for name in GROUPS[group]]
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    prepare_home()
    make_ssh_key()
    try:
        return run([stage for stage in stages(options.targets) if stage.name in names])
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr, flush=True)
        end_all()
        os._exit(130)  # the threads that wait for tools and locks would go on to the next


if __name__ == "__main__":
    sys.exit(main())
