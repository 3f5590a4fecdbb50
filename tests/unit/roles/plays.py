# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plays that Ansible runs, with modules in forks, and what their tasks told."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from tests.harness.environment import CHECKOUT, environment

INVENTORY = "localhost ansible_connection=local ansible_python_interpreter={{ansible_playbook_python}}\n"
SETTINGS = {"ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json", "ANSIBLE_PIPELINING": "1"}
SERVER = [sys.executable, "-m", "tests.harness.forking_playbook"]

Result = dict[str, Any]


@dataclass(frozen=True)
class Played:
    """One play that has ended: its tasks in order, each with the results of its items."""

    tasks: list[tuple[str, list[Result]]]

    def of(self, name: str) -> list[Result]:
        """Return the results of the last task whose name ends like this."""
        return [results for task, results in self.tasks if task.endswith(name)][-1]

    def results(self) -> Iterator[tuple[str, Result]]:
        for task, results in self.tasks:
            for result in results:
                yield task, result

    def changed(self) -> list[str]:
        return [task for task, result in self.results() if result.get("changed")]

    def failure(self) -> str:
        """Return what the task said with which the play failed."""
        return next(str(result["msg"]) for _task, result in self.results() if result.get("failed"))


def play(role: str, variables: Mapping[str, Any], *, check: bool = False) -> dict[str, Any]:
    """Return a play that runs one role of this collection."""
    return {
        "name": role,
        "hosts": "localhost",
        "gather_facts": False,
        "check_mode": check,
        "vars": dict(variables),
        "roles": [f"rootstock.pki.{role}"],
    }


def run_plays(folder: Path, credentials: Mapping[str, str], *plays: Mapping[str, Any], status: int = 0) -> list[Played]:
    """Run *plays* one after the other, until one fails, and return what each told."""
    (folder / "plays.yml").write_text(yaml.safe_dump(list(plays)))
    return run_playbook(folder, credentials, str(folder / "plays.yml"), status=status)


def run_playbook(
    folder: Path, credentials: Mapping[str, str], playbook: str, *more: str, status: int = 0
) -> list[Played]:
    """Run a playbook, a file or a name, with an inventory in *folder*."""
    (folder / "hosts").write_text(INVENTORY)
    arguments = ["--diff", "-i", str(folder / "hosts"), playbook, *more]
    code, out, err = ask_server({"arguments": arguments, "environment": dict(credentials)})
    assert code == status, out + err
    told = json.loads(out[out.index("{") :])
    return [Played([row(task) for task in one["tasks"]]) for one in told["plays"]]


def ask_server(asked: Mapping[str, Any]) -> tuple[int, str, str]:
    """Have one playbook run, and return its status and what it wrote to both outputs."""
    process = server()
    assert process.stdin
    assert process.stdout
    with TemporaryDirectory() as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        process.stdin.write(json.dumps({**asked, "out": str(out), "err": str(err)}) + "\n")
        process.stdin.flush()
        answer = process.stdout.readline()
        assert answer, f"{SERVER} ended with status {process.wait()}"
        return int(answer), out.read_text(), err.read_text()


@cache
def server() -> subprocess.Popen[str]:
    """Start what runs playbooks, once in each process of the test run; it ends with that."""
    return subprocess.Popen(
        SERVER,
        cwd=CHECKOUT,
        env={**environment(), **SETTINGS},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def row(task: dict[str, Any]) -> tuple[str, list[Result]]:
    result = task["hosts"].get("localhost", {})
    return task["task"]["name"], result.get("results", [result])
