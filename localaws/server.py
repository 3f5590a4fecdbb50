# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A local AWS in a process of its own, as tests and scripts hold it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

CHECKOUT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Server:
    """One running local AWS."""

    endpoint: str
    process: subprocess.Popen[str]

    def stop(self) -> int:
        """Stop it as SIGTERM does and return its exit status."""
        self.process.terminate()
        return self.process.wait(timeout=20)

    def calls(self) -> dict[str, dict[str, int]]:
        """Count the calls since the start or the last reset: `{"kms:Sign": {caller ARN: number}}`."""
        counts: dict[str, dict[str, int]] = self._ask("GET", "calls")
        return counts

    def count(self, operation: str) -> int:
        """Count the calls of one operation, such as `kms:Sign`, whoever made them."""
        return sum(self.calls().get(operation, {}).values())

    def reset_calls(self) -> None:
        self._ask("DELETE", "calls")

    def faults(self, *faults: Mapping[str, object]) -> None:
        """Let these go wrong from now on, in place of what was asked for before; none: all is well again."""
        self._ask("PUT", "faults", faults)

    def fault_reports(self) -> list[dict[str, Any]]:
        """Return the faults asked for, each with how many calls it has `seen` and how often it `fired`."""
        reports: list[dict[str, Any]] = self._ask("GET", "faults")
        return reports

    def age(self, key_arn: str, days: float) -> None:
        """Let a key have been made, and used last, that much earlier."""
        self._ask("PUT", "age", {"key": key_arn, "days": days})

    def _ask(self, method: str, what: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"{self.endpoint}/_localaws/{what}", data=data, method=method)
        with build_opener(ProxyHandler({})).open(request, timeout=20) as response:
            return json.load(response)


@contextmanager
def running(port: int = 0, state: Path | None = None) -> Iterator[Server]:
    """Start a local AWS, on a free port unless told otherwise, and stop it in the end."""
    command = [sys.executable, "-m", "localaws", "--port", str(port), "--parent", str(os.getpid())]
    command += ["--state", str(state)] if state else []
    process = subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True)
    with process:
        try:
            endpoint = process.stdout.readline().strip() if process.stdout else ""
            if not endpoint:
                raise RuntimeError(f"the local AWS did not start: exit status {process.wait()}")
            yield Server(endpoint, process)
        finally:
            process.terminate()
