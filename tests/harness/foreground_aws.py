# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A local AWS in the foreground: prints the export lines to work in it and serves until Ctrl-C or SIGTERM."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path

from localaws.server import running
from tests.harness.operators import export_lines, make_operator, make_user, variables


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.harness.foreground_aws", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="loopback port; a free one unless given")
    parser.add_argument("--state", type=Path, help="folder that keeps keys between runs")
    parser.add_argument(
        "--variables", type=Path, help="also write variables for playbooks, a role's session, to this file"
    )
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        with running(options.port, options.state) as server:
            user = make_user(server.endpoint)
            if options.variables:
                write_private(options.variables, variables(make_operator(server.endpoint)))
            print(f"# AWS on this machine, until Ctrl-C. In another shell, as {user.arn}, who may do everything:")
            print(export_lines(user), flush=True)
            return server.process.wait()
    except KeyboardInterrupt:
        return 0


def write_private(path: Path, text: str) -> None:
    """Put *text* at *path* in one step, readable by its owner alone; who waits for the file finds it whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    fresh.replace(path)


if __name__ == "__main__":
    sys.exit(main())
