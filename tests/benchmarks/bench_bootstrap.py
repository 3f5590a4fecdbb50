# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the example costs: a plan on an empty account, the first bootstrap, and a second one that changes nothing."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from examples.demo import EXAMPLE, make_what_others_make
from localaws.server import running
from tests.benchmarks.measure import Row, measure
from tests.harness.environment import environment
from tests.harness.operators import make_operator


def rows() -> list[Row]:
    with tempfile.TemporaryDirectory() as name, running() as server:
        folder = Path(name)
        shutil.copy(EXAMPLE / "inventory.yml", folder)
        make_what_others_make(folder)
        who = {**environment(), **make_operator(server.endpoint).environment()}

        def bootstrap(*arguments: str) -> None:
            command = ["ansible-playbook", "rootstock.pki.bootstrap", "-i", "inventory.yml", *arguments]
            subprocess.run(command, cwd=folder, env=who, capture_output=True, check=True)

        return [
            Row(
                "bootstrap of the example: plan", *measure(server, lambda: bootstrap("--check", "--diff")), "", "0 Sign"
            ),
            Row("bootstrap of the example: first run", *measure(server, bootstrap), "", "14 Sign, 5 of CRLs"),
            Row("bootstrap of the example: no-op", *measure(server, bootstrap), "", "0 Sign"),
        ]
