# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a CMS message over a large file costs, beside `openssl dgst` and `openssl cms -sign` over the same file."""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks.measure import Row
from tests.harness.environment import CHECKOUT, environment

SIZE = 1024**3
ROUNDS = 3
FORMS = {"detached, DER": ("der", False), "attached, DER": ("der", True), "attached, PEM": ("pem", True)}


def rows() -> list[Row]:
    """Return one row for each form; the key is in memory, so that only the message is measured."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large"
        with path.open("wb") as file:
            file.truncate(SIZE)
        reading = median(lambda: seconds(["openssl", "dgst", "-sha256", str(path)]))
        found = [Row("openssl dgst -sha256: 1 GiB", reading)]
        for name, (form, attached) in FORMS.items():
            taken, megabytes = signing(Path(folder), form, attached)
            told = f"{taken / reading:.2f} of openssl, {megabytes} MB at most"
            found.append(Row(f"kms_cms_sign: 1 GiB, {name}", taken, None, told, "under 100 MB"))
        return found


def median(measure: Callable[[], float]) -> float:
    return statistics.median(measure() for _round in range(ROUNDS))


def seconds(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, capture_output=True, check=True)
    return time.perf_counter() - began


def signing(folder: Path, form: str, attached: bool) -> tuple[float, int]:
    """Sign in processes of their own; return the seconds without their start, and their largest size in MB."""
    command = [sys.executable, "-m", "tests.benchmarks.bench_kms_cms_sign", str(folder), form, str(int(attached))]
    taken, megabytes = [], 0
    for _round in range(ROUNDS):
        whole = {**environment(), "PYTHONPATH": str(CHECKOUT)}
        ran = subprocess.run(command, env=whole, stdout=subprocess.PIPE, text=True, check=True)
        told = json.loads(ran.stdout)
        taken.append(float(told["seconds"]))
        megabytes = max(megabytes, int(told["megabytes"]))
    return statistics.median(taken), megabytes


def sign_once(folder: str, form: str, attached: str) -> dict[str, float]:
    """Do what the module does once it is started, to where it would ask AWS KMS."""
    from ansible_collections.rootstock.pki.plugins.module_utils._signer.specs import Content
    from tests.unit.cms.cms_desk import CmsDesk

    desk = CmsDesk(Path(folder))
    desk.dest.unlink(missing_ok=True)
    content = Content(str(Path(folder) / "large"))
    began = time.perf_counter()
    desk.sign(content=content, form=form, attached=attached == "1")
    taken = time.perf_counter() - began
    desk.dest.unlink()
    return {"seconds": taken, "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}


if __name__ == "__main__":
    print(json.dumps(sign_once(*sys.argv[1:])))
