# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Messages that carry a large file take no more memory than others."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

MEASURE = """
import re, sys
from pathlib import Path
from tests.unit.cms.cms_desk import CmsDesk
from tests.unit.signer.local_kms import local_key
desk = CmsDesk(Path(sys.argv[1]))
with desk.content.open("wb") as file:
    file.truncate(128 * 1024 * 1024)
options = {"form": sys.argv[2], "attached": sys.argv[2] != "smime"}
desk.sign(**options)
again = desk.plan(**options).plan.changed
right = desk.verify(False).reason == ""
peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())
print(again, right, int(peak[1]) // 1024)
"""
"""The peak is from /proc, since that of getrusage begins with the peak of the process that started this one."""


@pytest.mark.parametrize("form", ["der", "pem", "smime"])
def test_a_large_file_is_signed_found_and_verified_in_flat_memory(form: str, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[3])}
    command = [sys.executable, "-c", MEASURE, str(tmp_path), form]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    again, right, megabytes = done.stdout.split()
    assert (again, right) == ("False", "True")
    assert int(megabytes) < 100
    (tmp_path / "contract.p7s").unlink()
