# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two branches of a tree in Git issued and revoked: whichever side of a conflict is taken, a run makes it whole."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509

from tests.unit.module.authorities import below, make_root, openssl
from tests.unit.module.controller import Controller

TASKS = Path(__file__).resolve().parents[3] / "roles" / "pki_tree" / "tasks" / "certificates.yml"
NAMES = ("web", "db", "mail")


def git(folder: Path, *arguments: str) -> str:
    """Run git, whether it succeeds or not, and return what it said."""
    person = ["-c", "user.name=test", "-c", "user.email=test@acme.example", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *person, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def commit(folder: Path, what: str) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "-m", what)


def attributes() -> str:
    """Return what the role writes into .gitattributes."""
    last = yaml.safe_load(TASKS.read_text())[-1]
    return str(last["ansible.builtin.blockinfile"]["block"])


def crl_options(folder: Path) -> dict[str, Any]:
    root = folder / "root"
    files = {"path": str(root / "crl.pem"), "der_path": str(root / "crl.der")}
    return {"issuer_path": str(root / "ca.pem"), "issuer_key_id": "alias/module/root", **files}


def run(controller: Controller, folder: Path, **forced: bool) -> list[bool]:
    """Do what a play does for certificates and CRL, and return what changed."""
    controller.clock.tick()
    tasks = [("kms_x509_cert", {**below(folder, name), "force": forced.get(name, False)}) for name in NAMES]
    return [
        controller.run(module, options)["changed"]
        for module, options in [*tasks, ("kms_x509_crl", crl_options(folder))]
    ]


def revoke(controller: Controller, folder: Path, name: str) -> int:
    """Revoke the certificate of that name and return its serial number."""
    task = {"ledger_path": str(folder / "root" / "ledger.jsonl"), "path": str(folder / f"{name}.pem")}
    told = controller.run("x509_revocation", task)
    serial: int = told["certificates"][0]["serial_number"]
    return serial


@pytest.mark.parametrize("side", ["--ours", "--theirs"])
def test_the_next_run_makes_whole_what_git_could_not_merge(controller: Controller, tmp_path: Path, side: str) -> None:
    make_root(controller, tmp_path)
    assert run(controller, tmp_path) == [True] * 4
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    (tmp_path / ".gitattributes").write_text(attributes())
    commit(tmp_path, "base")
    revoked = set()
    for branch, name in (("one", "web"), ("two", "db")):
        git(tmp_path, "checkout", "--quiet", "-b", branch, "main")
        revoked.add(revoke(controller, tmp_path, name))
        run(controller, tmp_path, mail=True)
        commit(tmp_path, branch)
    git(tmp_path, "merge", "--quiet", "one")
    conflicts = git(tmp_path, "diff", "--name-only", "--diff-filter=U").split()
    assert conflicts == ["mail.pem", "root/crl.der", "root/crl.pem"]
    assert "verify OK" in openssl(tmp_path / "root", "crl", "-in", "crl.pem", "-noout", "-verify", "-CAfile", "ca.pem")
    git(tmp_path, "checkout", side, *conflicts)
    commit(tmp_path, "both")
    assert run(controller, tmp_path)[-1] is True
    assert run(controller, tmp_path) == [False] * 4
    for read in (x509.load_pem_x509_crl, x509.load_der_x509_crl):
        ending = "pem" if read is x509.load_pem_x509_crl else "der"
        crl = read((tmp_path / "root" / f"crl.{ending}").read_bytes())
        assert {entry.serial_number for entry in crl} == revoked
