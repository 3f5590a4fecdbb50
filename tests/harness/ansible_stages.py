# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stages that ansible-test and Molecule run: sanity, integration targets against a local AWS, the scenario."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from localaws.server import running
from tests.harness.environment import CHECKOUT, HOME, python_version
from tests.harness.operators import make_operator, variables
from tests.harness.stages import Outcome, call, count_integration, count_molecule, count_sanity, join
from tests.harness.tree import copy_checkout, held

UNIT_TESTS = ("tests/unit/", "tests/benchmarks/")
# Sanity looks at what runs at users'; pylint over the unit tests as well takes as long again, and ruff has read them.
LEFT_OUT = () if os.environ.get("ROOTSTOCK_ROUNDS") == "large" else UNIT_TESTS
TARGETS = CHECKOUT / "tests" / "integration" / "targets"
WANTED_BOOTSTRAP = re.compile(r"can be manually downloaded and saved to: (\S+)")
BOOTSTRAP = CHECKOUT / "tests" / "harness" / "get_pip.py"


def make_ssh_key() -> None:
    """Give ansible-test the key pair that it never uses here: two runs at once would both make it, with ssh-keygen."""
    private = HOME / ".ansible" / "test" / "id_rsa"
    public = private.with_suffix(".pub")
    if private.exists() and public.exists():
        return
    private.parent.mkdir(parents=True, exist_ok=True)
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private.touch(mode=0o600)
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH))


def sanity() -> Outcome:
    """Run every sanity test on a copy of the checkout, in large rounds with the unit tests in it."""
    command = ["ansible-test", "sanity", "--color", "no", "--python", python_version()]
    with held("sanity") as root:
        ours = copy_checkout(root, LEFT_OUT)
        done = call(command, ours)
        if missing := WANTED_BOOTSTRAP.search(done.output):
            script = Path(missing[1])
            script.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(BOOTSTRAP, script)
            done = call(command, ours)
    return count_sanity(done)


def target_names() -> list[str]:
    """Return the integration targets; setup_* are parts of others."""
    return sorted(f.name for f in TARGETS.iterdir() if f.is_dir() and not f.name.startswith("setup_"))


def integration(only: Sequence[str] = (), at_once: int = 2) -> Outcome:
    """Run the integration targets in so many groups, each in a copy of the checkout with a local AWS of its own."""
    names = only or target_names()
    if not names:
        return Outcome(0, 1, f"no integration target in {TARGETS}\n")
    groups = [names[first::at_once] for first in range(min(at_once, len(names)))]
    with ThreadPoolExecutor(at_once) as pool:
        return join(list(pool.map(run_targets, groups)))


def run_targets(names: Sequence[str]) -> Outcome:
    """Run some integration targets, one after the other, as a role of an account that holds nothing at first."""
    with held(f"integration/{names[0]}") as root, running() as server:
        ours = copy_checkout(root, UNIT_TESTS)
        values = variables(make_operator(server.endpoint))
        (ours / "tests" / "integration" / "integration_config.yml").write_text(values)
        command = ["ansible-test", "integration", "--color", "no", "--python", python_version(), "--continue-on-error"]
        return count_integration(call([*command, *names], ours), len(names))


def molecule() -> Outcome:
    """Run every scenario from create to destroy."""
    with held("molecule"):
        return count_molecule(call(["molecule", "test", "--all"]))
