# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What `make aws` prints lets a shell run everything that the README lists."""

from __future__ import annotations

import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.harness.environment import CHECKOUT, environment
from tests.harness.operators import ACCOUNT_ID
from tests.unit.roles.plays import play, run_plays

COMMAND = [sys.executable, "-m", "tests.harness.foreground_aws", "--port", "0"]
LAST = "AWS_SECRET_ACCESS_KEY"


@pytest.fixture
def printed() -> Iterator[list[str]]:
    """Return the lines that the command prints before it serves."""
    with subprocess.Popen(COMMAND, cwd=CHECKOUT, env=environment(), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        lines: list[str] = []
        while not lines or LAST not in lines[-1]:
            lines.append(process.stdout.readline())
            assert lines[-1], f"ended with {process.wait()}"
        yield lines
        process.send_signal(signal.SIGTERM)


def exported(lines: list[str]) -> dict[str, str]:
    words = [word for line in lines for word in shlex.split(line, comments=True)]
    return dict(word.split("=", 1) for word in words if word != "export")


def test_with_the_lines_that_it_prints_a_play_makes_keys_and_roles_and_the_roles_sign(
    printed: list[str], tmp_path: Path
) -> None:
    me = f"arn:aws:iam::{ACCOUNT_ID}:user/rootstock"
    assert f"as {me}, who may do everything" in printed[0]
    declared: dict[str, Any] = {
        "signing_access_keys": [{"alias": "releases", "use": "sign"}],
        "signing_access_administrators": [me],
        "signing_access_signers": [{"name": "Releaser", "trusted": [me]}],
    }
    signing: dict[str, Any] = {
        "hosts": "localhost",
        "gather_facts": False,
        "tasks": [
            {
                "name": "The release is signed",
                "rootstock.pki.kms_sign": {
                    "key_id": "alias/releases",
                    "content": "release",
                    "dest": str(tmp_path / "release.sig"),
                    "assume_role": {"role_arn": f"arn:aws:iam::{ACCOUNT_ID}:role/Releaser"},
                    "public_key_path": str(tmp_path / "releases.pem"),
                },
            }
        ],
    }
    public_key = {"key_id": "alias/releases", "path": str(tmp_path / "releases.pem")}
    signing["tasks"].insert(0, {"name": "The public key is there", "rootstock.pki.kms_public_key": public_key})
    made, signed = run_plays(tmp_path, exported(printed), play("signing_access", declared), signing)
    assert made.of("Every signer and verifier is a role")[0]["changed"]
    assert signed.of("The release is signed")[0]["changed"]
