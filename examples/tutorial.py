# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`make tutorial`: AWS's tutorial on digital signatures as one playbook, run twice on an AWS of this machine's own."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from localaws.accounts import Account
from localaws.server import Server, running
from tests.harness.environment import environment

CHECKOUT = Path(__file__).resolve().parent.parent
HERE = CHECKOUT / "build" / "tutorial"
ACCOUNT, PARTNER = "111122223333", "444455556666"
RECAP = re.compile(r"^localhost .* changed=(?P<changed>\d+) .* failed=(?P<failed>\d+) ", re.MULTILINE)


class TutorialError(Exception):
    """What should have worked and did not, in one sentence."""


def main() -> int:
    if HERE.exists():
        shutil.rmtree(HERE)
    HERE.mkdir(parents=True)
    try:
        with running() as server:
            variables, options = prepare(server)
            print("The playbook runs for the first time")
            print(told(play(variables, options)))
            print("The playbook runs again")
            again = play(variables, options)
            if changes(again):
                raise TutorialError(f"the second run changed something:\n{again}")
    except (TutorialError, OSError, RuntimeError) as problem:
        print(f"The tutorial failed: {problem}", file=sys.stderr)
        return 1
    print("  changed=0\nThe files are in build/tutorial. The playbook is playbooks/sign_and_verify.yml.")
    return 0


def prepare(server: Server) -> tuple[dict[str, str], list[str]]:
    """Return the credentials of an administrator, and the options that name a verifier in another account."""
    # A user: Ansible hides session tokens, also in the presigned URL that a third party is to fetch.
    administrator = Account(server.endpoint, ACCOUNT).user("administrator", {"Action": "*"})
    get_public_key = {"Action": "kms:GetPublicKey"}
    partner = Account(server.endpoint, PARTNER).role("OfflineVerifierRole", get_public_key, trusted=[administrator.arn])
    options = {
        "tutorial_dir": str(HERE / "files"),
        "tutorial_partner_role_arn": partner.arn,
        "tutorial_bucket": "sample-public-keys",
    }
    return administrator.environment(), [word for name, value in options.items() for word in ("-e", f"{name}={value}")]


def play(variables: dict[str, str], options: list[str]) -> str:
    """Run the playbook and return what it printed."""
    inventory = ["-i", "localhost,", "-c", "local", "-e", "ansible_python_interpreter={{ ansible_playbook_python }}"]
    done = subprocess.run(
        ["ansible-playbook", "rootstock.pki.sign_and_verify", *inventory, *options],
        env=environment() | variables,
        cwd=HERE,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise TutorialError(f"the playbook failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def changes(output: str) -> int:
    found = RECAP.search(output)
    if found is None:
        raise TutorialError(f"the playbook's recap is missing:\n{output}")
    return int(found["changed"])


def told(output: str) -> str:
    """Return the lines that the playbook ends with."""
    lines = re.findall(r'^        "(.+?)",?$', output, re.MULTILINE)
    return "\n".join(f"  {line}" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
