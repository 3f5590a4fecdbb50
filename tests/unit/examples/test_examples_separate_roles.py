# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The example in which each authority signs as its own role runs from beginning to end under enforced key policies.

`make test` runs its modules in the order of the role, in one process; `make test-all` runs the playbook as well.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import botocore.session
import pytest
import yaml
from jinja2 import Environment

from localaws.server import Server
from localaws.testing import Account, Principal, local_aws, new_account, policy, refused
from tests.harness.environment import CHECKOUT, environment
from tests.unit.examples.example_tree import run_modules
from tests.unit.module.controller import Controller
from tests.unit.roles.plays import run_playbook

__all__ = ["local_aws"]

EXAMPLE = CHECKOUT / "examples" / "separate_roles"
DIGEST: dict[str, Any] = {"Message": bytes(48), "MessageType": "DIGEST", "SigningAlgorithm": "ECDSA_SHA_384"}
LARGE = os.environ.get("ROOTSTOCK_ROUNDS") == "large"


class Run(NamedTuple):
    """What the example left in an account that was empty before."""

    folder: Path
    account: Account
    administrator: Principal
    changed: list[bool]
    changed_again: list[bool]
    calls: Mapping[str, Mapping[str, int]]


def rendered(value: Any, variables: Mapping[str, Any]) -> Any:
    """Return *value* with its variables in place, as Ansible has them."""
    if isinstance(value, Mapping):
        return {name: rendered(each, variables) for name, each in value.items()}
    if isinstance(value, list):
        return [rendered(each, variables) for each in value]
    while isinstance(value, str) and "{{" in value:
        value = Environment(autoescape=True).from_string(value).render(variables)
    return value


def tasks() -> list[dict[str, Any]]:
    [play] = yaml.safe_load((EXAMPLE / "playbook.yml").read_text())
    found: list[dict[str, Any]] = play["tasks"]
    return found


def variables_of(account: Account, folder: Path) -> dict[str, Any]:
    told = yaml.safe_load((EXAMPLE / "inventory.yml").read_text())["all"]["vars"]
    known = {**told, "account": account.account_id, "inventory_dir": str(folder)}
    return dict(rendered(known, known))


def make_roles(account: Account, variables: Mapping[str, Any]) -> None:
    """Do what the first task of the playbook that makes something does."""
    iam, task = account.root.client("iam"), next(task for task in tasks() if "amazon.aws.iam_role" in task)
    [statement] = task["amazon.aws.iam_role"]["assume_role_policy_document"]["Statement"]
    for item in rendered(task["loop"], variables):
        trust = policy({**rendered({**statement, "Condition": {}}, variables), "Condition": item["condition"]})
        iam.create_role(RoleName=item["arn"].rpartition("/")[2], AssumeRolePolicyDocument=trust)


@pytest.fixture(scope="module")
def run(local_aws: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    folder, account = tmp_path_factory.mktemp("separate_roles"), new_account(local_aws)
    administrator = account.role("PkiAdministrator", {"Action": "*"})
    variables = variables_of(account, folder)
    make_roles(account, variables)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", cache(botocore.session.create_loader))
        controller = Controller(administrator)
        local_aws.reset_calls()
        changed = run_modules(controller, variables, folder)
        calls = local_aws.calls()
        yield Run(folder, account, administrator, changed, run_modules(controller, variables, folder), calls)


def test_each_authority_signed_what_it_issued_and_nobody_else_signed(run: Run) -> None:
    signed = {arn.split("/")[1]: count for arn, count in run.calls["kms:Sign"].items()}
    assert signed == {"RootIssuer": 3, "ServicesIssuer": 2}  # itself, services, a CRL; releases, a CRL
    made = {arn.split("/")[1] for arn in run.calls["kms:CreateKey"]}
    assert made == {"PkiAdministrator"}


def test_a_second_run_changes_nothing(run: Run) -> None:
    assert all(run.changed)
    assert not any(run.changed_again)


def test_the_chain_that_the_two_roles_signed_is_valid(run: Run) -> None:
    pki = run.folder / "pki"
    said = subprocess.run(
        ["openssl", "verify", "-x509_strict", "-crl_check_all", "-CAfile", pki / "root" / "ca.pem"]
        + [part for name in ("root", "services") for part in ("-CRLfile", pki / name / "crl.pem")]
        + ["-untrusted", pki / "services" / "ca.pem", pki / "certificates" / "releases.pem"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert said.stdout.endswith(": OK\n"), said.stderr


def test_who_made_the_keys_and_may_do_everything_by_iam_can_sign_with_none_of_them(run: Run) -> None:
    kms = run.administrator.client("kms")
    for name in ("root", "services", "releases"):
        assert refused(kms.sign, KeyId=f"alias/pki/acme/{name}", **DIGEST)[0] == "AccessDeniedException"


def test_the_playbook_proves_what_each_role_may_do_with_each_key(run: Run) -> None:
    variables = variables_of(run.account, run.folder)
    task = tasks()[-1]
    issues, others = task["vars"]["issues"], ["kms:Verify", "kms:CreateGrant", "kms:PutKeyPolicy"]
    for key in task["loop"]:
        may = {name: issues if key[name] else [] for name in ("root", "services")}
        declared = [
            {
                "role_arn": variables[f"{name}_issuer"],
                "external_id": "ceremony",
                "allowed": may[name],
                "denied": [each for each in [*issues, *others] if each not in may[name]],
            }
            for name in may
        ]
        options = {"key_id": f"alias/pki/acme/{key['name']}", "simulate": True, "expected": declared}
        told = Controller(run.administrator).run("kms_access_test", options)
        assert not told.get("failed"), told["msg"]
        assert "untested" not in {each["found"] for each in told["results"]}


@pytest.mark.parametrize("kind", ["role", "user"] if LARGE else ["role"])
def test_the_playbook_runs_from_beginning_to_end(local_aws: Server, tmp_path: Path, kind: str) -> None:
    account = new_account(local_aws)
    make = account.role if kind == "role" else account.user
    administrator = make("PkiAdministrator", {"Action": "*"})
    (tmp_path / "inventory.yml").write_text((EXAMPLE / "inventory.yml").read_text())
    command = ["ansible-playbook", EXAMPLE / "playbook.yml", "-i", tmp_path / "inventory.yml"]
    more = [] if LARGE else ["--syntax-check"]
    if LARGE:  # a role that AWS does not know everywhere yet
        local_aws.faults({"action": "error", "operation": "sts:AssumeRole", "status": 403, "code": "AccessDenied"})
    for _first_and_again in range(2 if LARGE else 1):
        done = subprocess.run(
            [*command, "-e", json.dumps({"account": account.account_id, "administrator": administrator.arn}), *more],
            cwd=tmp_path,
            env={**environment(), **administrator.environment()},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert not LARGE or "changed=0" in done.stdout


@pytest.mark.parametrize("path", ["", "team/"])
def test_whoever_is_not_the_administrator_is_told_so_before_anything_is_made(
    local_aws: Server, tmp_path: Path, path: str
) -> None:
    account = new_account(local_aws)
    keeper, stranger = account.role("Keeper", {"Action": "*"}), account.user("PkiAdministrator", {"Action": "*"})
    named = {"account": account.account_id, "administrator": keeper.arn.replace("role/", f"role/{path}")}
    wrong = {"pki_dir": str(tmp_path), "pki_name": "A"}
    more = ("-i", str(EXAMPLE / "inventory.yml"), "-e", json.dumps({**named, **wrong}))
    for caller, told in ((stranger, "and the inventory says that arn:"), (keeper, "pki_name 'A' does not fit")):
        [played] = run_playbook(tmp_path, caller.environment(), str(EXAMPLE / "playbook.yml"), *more, status=2)
        assert told in played.failure()


def test_the_inventory_names_an_account_once() -> None:
    variables = yaml.safe_load((EXAMPLE / "inventory.yml").read_text())["all"]["vars"]
    told = json.dumps({name: value for name, value in variables.items() if name != "account"})
    assert variables["account"] not in told
