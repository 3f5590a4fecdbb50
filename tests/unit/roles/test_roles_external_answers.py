# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is below an authority that somebody else issued is planned under the answer that came, in check mode as well."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from localaws.testing import Account, account, local_aws
from tests.unit.roles.plays import Played, Result, play, run_plays

__all__ = ["account", "local_aws"]

ISSUED = "Every certificate is issued, issuers first"
CRLS = "Every authority has a CRL that is fresh"
AUTHORITY = {"certificate_profile": "subordinate_ca", "key": {}}
EXT = {
    **AUTHORITY,
    "name": "ext",
    "subject": {"CN": "Ext"},
    "external": True,
    "certificate_path": "answer.pem",
    "trusted_certificate_path": ["theirs.pem"],
}
SUB = {**AUTHORITY, "name": "sub", "issuer": "ext", "subject": {"CN": "Sub"}}
WEB = {
    "name": "web",
    "issuer": "sub",
    "certificate_profile": "tls_server",
    "subject_alt_name": ["DNS:web.acme.example"],
    "key": {},
}
NEW_KEY = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
USAGE = "keyUsage=critical,keyCertSign,cRLSign"
TIME = re.compile(r"[0-9]{14}Z")

Run = Callable[..., list[Played]]


@pytest.fixture
def run(account: Account, tmp_path: Path) -> Run:
    environment = account.administrator().environment()

    def plays(*modes: bool, status: int = 0, **sub: Any) -> list[Played]:
        """Run the role, in check mode where a mode says so."""
        tree = {"pki_authorities": [EXT, {**SUB, **sub}], "pki_certificates": [WEB]}
        given = {"pki_name": "answers", "pki_base_dir": str(tmp_path), **tree}
        return run_plays(tmp_path, environment, *(play("pki_tree", given, check=mode) for mode in modes), status=status)

    return plays


def answer(folder: Path, days: int, *extensions: str) -> None:
    """Have the request of EXT signed by somebody else, once more by the same where there is an answer."""
    (folder / "ca.ext").write_text("\n".join(("basicConstraints=critical,CA:TRUE,pathlen:1", USAGE, *extensions)))
    root = f"req -x509 {NEW_KEY} -keyout theirs.key -out theirs.pem -subj /CN=Theirs -days 9000 -addext {USAGE}"
    sign = f"x509 -req -in pki/ext/ca.csr -CA theirs.pem -CAkey theirs.key -extfile ca.ext -out answer.pem -days {days}"
    for command in [sign] if (folder / "answer.pem").exists() else [root, sign]:
        subprocess.run(["openssl", *command.split()], cwd=folder, check=True, capture_output=True)


def result(played: Played, task: str, name: str) -> Result:
    return next(found for found in played.of(task) if found["item"]["name"] == name)


@pytest.mark.parametrize(
    ("days", "extension", "sub", "refusal"),
    [
        (3000, "", {}, "is past the end of the issuer CN=Ext"),
        (
            8000,
            "nameConstraints=critical,permitted;DNS:other.example",
            {"name_constraints_permitted": ["DNS:acme.example"]},
            "DNS:acme.example",
        ),
    ],
)
def test_what_the_answer_does_not_allow_is_refused_in_check_mode_as_by_the_run(
    run: Run, tmp_path: Path, days: int, extension: str, sub: dict[str, Any], refusal: str
) -> None:
    run(False, **sub)
    answer(tmp_path, days, extension)
    [planned] = run(True, status=2, **sub)
    [done] = run(False, status=2, **sub)
    told, said = (TIME.sub("<time>", result(played, ISSUED, "sub")["msg"]) for played in (planned, done))
    assert told.startswith("sub: ")
    assert refusal in told
    assert said == told


def test_an_answer_is_planned_with_as_the_run_then_does(run: Run, tmp_path: Path) -> None:
    run(False)
    answer(tmp_path, 8000)
    planned, done, again, same = run(True, False, True, False)
    for task, name in ((ISSUED, "sub"), (ISSUED, "web"), (CRLS, "ext"), (CRLS, "sub")):
        assert result(planned, task, name)["changed"]
        assert result(done, task, name)["changed"]
    assert "pending" not in result(planned, CRLS, "ext")
    assert [again.changed(), same.changed()] == [[], []]
    for name in ("sub", "web"):
        told = result(planned, ISSUED, name)["pending"]
        assert all("ext/" not in text and "answer.pem" not in text for text in told)
    answer(tmp_path, 8500)
    planned, done = run(True, False)
    assert planned.changed() == done.changed() != []
    assert not any("pending" in found for _task, found in planned.results())
    assert sorted(path.name for path in (tmp_path / "pki" / "ext").glob("ledger*")) == ["ledger.jsonl"]
    verify = ["openssl", "verify", "-x509_strict", "-CAfile", "theirs.pem", "-untrusted"]
    web = [f"pki/certificates/web.{form}" for form in ("chain.pem", "pem")]
    subprocess.run([*verify, *web], cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / web[0]).read_text().count("BEGIN CERTIFICATE") == 2


def test_an_answer_that_is_refused_is_not_planned_with(run: Run, tmp_path: Path) -> None:
    run(False)
    answer(tmp_path, 8000)
    run(False)
    answer(tmp_path, 8000, "subjectKeyIdentifier=hash")
    (tmp_path / "theirs.pem").write_text((tmp_path / "pki" / "ext" / "ca.pem").read_text())
    [planned] = run(True, status=2)
    assert all(not found["changed"] for found in planned.of(CRLS))
