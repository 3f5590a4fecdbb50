# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`python -m localaws [--port N] [--state DIR]`: prints the endpoint on its first line and serves until SIGTERM."""

from __future__ import annotations

import argparse
import os
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from localaws import MINISTACK_VERSION


def version_problem() -> str | None:
    """Say why the ministack that is installed cannot be extended, or nothing."""
    try:
        found = version("ministack")
    except PackageNotFoundError:
        found = "none"
    if found == MINISTACK_VERSION:
        return None
    return (
        f"localaws extends ministack {MINISTACK_VERSION} and found {found}: pip install ministack=={MINISTACK_VERSION}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m localaws", description=__doc__)
    parser.add_argument("--port", type=int, default=4566, help="loopback port to listen on; 0 takes a free one")
    parser.add_argument("--state", type=Path, help="directory that keeps keys and accounts between runs")
    parser.add_argument("--parent", type=int, help="process to stop with")
    options = parser.parse_args()
    if problem := version_problem():
        print(problem, file=sys.stderr)
        return 2
    os.umask(0o077)  # the state holds private keys
    from localaws import gateway

    return gateway.main(options.port, options.state, options.parent)


if __name__ == "__main__":
    sys.exit(main())
