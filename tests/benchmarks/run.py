# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run every bench_*.py beside this file and print one table of what its rows() returns. Nothing is asserted."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.measure import Row
from tests.harness.environment import prepare_home

HEADER = ("what", "seconds", "calls", "compared", "wanted")


def benchmarks() -> list[str]:
    return sorted(file.stem for file in Path(__file__).parent.glob("bench_*.py"))


def cells(row: Row) -> tuple[str, ...]:
    """Return *row* as text, one cell a column."""
    return (row.what, "" if row.seconds is None else f"{row.seconds:.3f}", calls_text(row), row.compared, row.wanted)


def calls_text(row: Row) -> str:
    if row.calls is None:
        return ""
    each = ", ".join(f"{operation} {count}" for operation, count in sorted(row.calls.items()))
    return f"{sum(row.calls.values())} ({each})" if each else "0"


def table(rows: Sequence[Row]) -> str:
    lines = [HEADER, *(cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADER))]
    return "\n".join("  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)) for line in lines)


def main() -> int:
    names = [name for name in benchmarks() if not sys.argv[1:] or name in sys.argv[1:]]
    if not names:
        print(f"no such benchmark; there are: {', '.join(benchmarks()) or 'none yet'}", file=sys.stderr)
        return 1
    prepare_home()
    rows: list[Row] = []
    for name in names:
        print(f"{name} ...", file=sys.stderr, flush=True)
        rows += importlib.import_module(f"tests.benchmarks.{name}").rows()
    print(table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
