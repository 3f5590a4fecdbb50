# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the README says for an AWS account of one's own works as it is typed."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import yaml

from localaws.testing import Account, Principal, account, local_aws
from tests.harness.environment import CHECKOUT, environment
from tests.harness.operators import statements
from tests.unit.examples.example_tree import inventory, plan_of

__all__ = ["account", "local_aws"]

SECTION = "## The same in your AWS account"
ELSEWHERE = ("ansible-galaxy ", "pip ", "export ")
"""Commands that install things, and the one that says whose account it is."""

EXAMPLES = sorted(str(path.relative_to(CHECKOUT)) for path in CHECKOUT.glob("examples/*/inventory.yml"))


def commands() -> list[str]:
    """Return what there is to type, without its comments."""
    section = (CHECKOUT / "README.md").read_text().partition(SECTION)[2]
    lines = section.split("```")[1].splitlines()
    return [
        command for line in lines if (command := re.sub(r"\s+# .*", "", line)) and not command.startswith(ELSEWHERE)
    ]


def run(command: str, folder: Path, credentials: Mapping[str, str]) -> str:
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        env={**environment(), **credentials},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def keys_of(principal: Principal) -> int:
    return len(principal.client("kms").list_keys()["Keys"])


def test_what_the_readme_says_is_typed_and_works(account: Account, tmp_path: Path) -> None:
    (tmp_path / "examples").symlink_to(CHECKOUT / "examples")
    operator, administrator = account.role("operator", *statements()), account.administrator()
    copied, planned, done = commands()
    run(copied, tmp_path, {})
    before = sorted(tmp_path.rglob("*"))
    plan = run(planned, tmp_path, operator.environment())
    assert (keys_of(administrator), sorted(tmp_path.rglob("*"))) == (0, before)
    variables = yaml.safe_load((tmp_path / "inventory.yml").read_text())["all"]["vars"]
    entries = [*variables["pki_authorities"], *variables["pki_certificates"]]
    assert [
        name for name in (one["name"] for one in entries) if f"changed: [localhost] => (item={name})" not in plan
    ] == []
    run(done, tmp_path, operator.environment())
    assert keys_of(administrator) == len(entries)
    chain = ["-untrusted", "pki/people/ca.pem", "pki/certificates/code-signer.pem"]
    command = ["openssl", "verify", "-x509_strict", "-CAfile", "pki/trust/root.pem", *chain]
    judged = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert judged.stdout.endswith(": OK\n"), judged.stderr


def test_the_first_example_needs_nothing_of_others_and_the_large_one_says_how_it_is_made() -> None:
    [first] = [example for example in EXAMPLES if example in commands()[0]]
    told = yaml.safe_load((CHECKOUT / first).read_text())["all"]["vars"]
    planned = plan_of(told, CHECKOUT)
    assert (planned["problems"], planned["source_files"], planned["answers"]) == ([], [], [])
    large = (CHECKOUT / "examples" / "acme" / "inventory.yml").read_text()
    needed = [file["path"] for file in plan_of(inventory(), Path("/srv"))["source_files"]]
    assert [path for path in needed if f"-out {path.removeprefix('/srv/')}\n" not in large] == []
    assert "mkdir csr" in large
