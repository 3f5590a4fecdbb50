# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Trees that the role builds with one signature for each certificate, and that others verify."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from localaws.testing import Account, account, local_aws
from tests.harness.operators import statements
from tests.unit.roles.plays import Played, play, run_plays

__all__ = ["account", "local_aws"]

RUNS = 2 if os.environ.get("ROOTSTOCK_ROUNDS") == "large" else 1
ISSUED = "Every certificate is issued, issuers first"
ROOT = {
    "name": "root",
    "certificate_profile": "root_ca",
    "subject": {"organization_name": "Acme", "common_name": "Acme Root R1"},
    "key": {"alias": "tree/root"},
}
SERVICES = {
    "name": "services",
    "issuer": "root",
    "certificate_profile": "subordinate_ca",
    "subject": {"organization_name": "Acme", "common_name": "Acme Services S1"},
    "key": {},
    "path_length": 0,
}
WEB = {
    "name": "web",
    "issuer": "services",
    "certificate_profile": "tls_server",
    "csr_path": "web.csr",
    "subject_alt_name": ["DNS:web.acme.internal"],
}
CODE_SIGNER = {
    "name": "code-signer",
    "issuer": "services",
    "certificate_profile": "code_signing",
    "subject": {"organization_name": "Acme", "common_name": "Acme Code Signer"},
    "key": {"description": "Signs code"},
}
NEW_KEY = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"

Turn = tuple[list[dict[str, Any]], list[dict[str, Any]], bool]  # authorities, certificates, in check mode
Run = Callable[..., list[Played]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the request of a server that has a key of its own."""
    openssl(tmp_path, f"req -new {NEW_KEY} -keyout web.key -out web.csr -subj /CN=web.acme.internal")
    return tmp_path


@pytest.fixture
def run(account: Account, folder: Path) -> Run:
    """Run the role on one tree after the other."""
    credentials = account.role("operator", *statements()).environment()
    usual = {"pki_name": "tree", "pki_base_dir": str(folder), "pki_base_url": "http://pki.acme.example"}

    def all_of(*turns: Turn) -> list[Played]:
        trees = [
            play("pki_tree", {**usual, "pki_authorities": authorities, "pki_certificates": certificates}, check=check)
            for authorities, certificates, check in turns
        ]
        return run_plays(folder, credentials, *trees)

    return all_of


def openssl(folder: Path, arguments: str) -> None:
    subprocess.run(["openssl", *arguments.split()], cwd=folder, capture_output=True, check=True)


def verify(folder: Path, name: str, trusted: str) -> None:
    """Have OpenSSL verify as a relying party does that trusts one root and is sent the chain."""
    certificate = folder / "pki" / "certificates" / name
    openssl(
        folder / "pki",
        f"verify -x509_strict -CAfile trust/{trusted} -untrusted {certificate}.chain.pem {certificate}.pem",
    )


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def signatures(played: Played) -> list[tuple[str, int]]:
    return [(result["item"]["name"], result["sign_calls"]) for result in played.of(ISSUED)]


def test_a_plan_on_an_empty_account_is_whole_and_makes_nothing(run: Run, folder: Path) -> None:
    before = files(folder)
    [planned] = run(([SERVICES, ROOT], [WEB, CODE_SIGNER], True))
    keys = planned.of("Every key exists in KMS")
    assert [result["item"]["name"] for result in keys] == ["root", "services", "code-signer"]
    assert signatures(planned) == [("root", 0), ("services", 0), ("web", 0), ("code-signer", 0)]
    assert all(result["changed"] and result["pending"] for result in planned.of(ISSUED))
    assert files(folder) - before == {"hosts", "plays.yml"}


def test_a_tree_is_built_and_a_changed_field_costs_one_signature(run: Run, folder: Path) -> None:
    tree, renamed = [SERVICES, ROOT], {**WEB, "subject_alt_name": ["DNS:www.acme.internal"]}
    built, planned, changed, again = run(
        (tree, [WEB, CODE_SIGNER], False),
        (tree, [renamed, CODE_SIGNER], True),
        (tree, [renamed, CODE_SIGNER], False),
        (tree, [renamed, CODE_SIGNER], False),
    )
    assert signatures(built) == [("root", 1), ("services", 1), ("web", 1), ("code-signer", 1)]
    for played in (planned, changed):
        [result] = [result for result in played.of(ISSUED) if result["changed"]]
        assert (result["item"]["name"], result["reason"]) == ("web", "changed: subject_alt_name")
        assert result["diff"]["before"]["subject_alt_name"] == ["DNS:web.acme.internal"]
        assert result["diff"]["after"]["subject_alt_name"] == ["DNS:www.acme.internal"]
    assert signatures(changed) == [("root", 0), ("services", 0), ("web", 1), ("code-signer", 0)]
    assert again.changed() == []
    issued = [result["issued_path"] for played in (built, changed) for result in played.of(ISSUED)]
    assert files(folder / "pki") - {os.path.relpath(path, folder / "pki") for path in issued} == documented_files()
    verify(folder, "web", "bundle.pem")
    verify(folder, "code-signer", "root.pem")


def documented_files() -> set[str]:
    """Return what the readme of the role lists, for this tree."""
    authorities = {
        f"{name}/{file}"
        for name in ("root", "services")
        for file in ("ca.der", "ca.pem", "crl.der", "crl.pem", "ledger.jsonl", "public_key.pem")
    }
    certificates = {
        f"certificates/{name}.{form}"
        for name in ("web", "code-signer")
        for form in ("pem", "chain.pem", "fullchain.pem")
    }
    others = {".gitattributes", "services/chain.pem", "trust/root.pem", "trust/bundle.pem"}
    return authorities | certificates | others


def test_below_the_root_of_others_all_is_built_that_can_be_and_the_rest_later(run: Run, folder: Path) -> None:
    corporate = {
        "name": "corporate",
        "certificate_profile": "subordinate_ca",
        "subject": {"organization_name": "Acme", "common_name": "Acme below Corporate"},
        "key": {},
        "path_length": 1,
        "external": True,
        "certificate_path": "answer.pem",
        "trusted_certificate_path": ["corporate.pem"],
    }
    make_corporate_root(folder)
    alone = [{**SERVICES, "issuer": "corporate"}, corporate]
    authorities = [*alone, ROOT]
    planned, waiting, early = run((alone, [WEB], True), (alone, [WEB], False), (authorities, [WEB], False))
    for played in (planned, waiting, early):
        [pending] = played.of("What is pending is said")[0]["msg"]
        assert "answer.pem does not exist yet; have " in pending
        assert "/corporate/ca.csr signed" in pending
    assert signatures(waiting) == []
    assert signatures(early) == [("root", 1)]
    answer(folder, "pki/corporate/ca.csr")
    built, *again = run(*[(authorities, [WEB], False)] * RUNS)
    assert signatures(built) == [("services", 1), ("root", 0), ("web", 1)]
    assert built.of("What is pending is said")[0]["skipped"]
    assert all(played.changed() == [] for played in again)
    verify(folder, "web", "corporate.pem")


def make_corporate_root(folder: Path) -> None:
    usage = "-addext keyUsage=critical,keyCertSign,cRLSign"
    names = "-keyout corporate.key -out corporate.pem -subj /O=Corporate/CN=Root"
    openssl(folder, f"req -x509 {NEW_KEY} {names} -days 9000 {usage}")


def answer(folder: Path, request: str) -> None:
    """Sign a request as an authority of others does."""
    (folder / "corporate.ext").write_text(
        "basicConstraints=critical,CA:TRUE,pathlen:1\nkeyUsage=critical,keyCertSign,cRLSign\n"
        "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
    )
    authority = "-CA corporate.pem -CAkey corporate.key"
    openssl(folder, f"x509 -req -in {request} {authority} -days 8000 -extfile corporate.ext -out answer.pem")


def test_an_old_root_and_its_successor_vouch_for_each_other_and_what_is_below_can_move(run: Run, folder: Path) -> None:
    successor = {"generation": 2, "subject": {"CN": "Acme Root R2"}, "cross_signed_by": ["root"]}
    authorities = [
        {**ROOT, "cross_signed_by": ["root-r2"], "key": {}},
        {**ROOT, **successor, "key": {}},
        {**SERVICES, "issuer": "root-r2"},
    ]
    moved_web = {**WEB, "issuer": "root-r2"}
    built, *again, planned, moved = run(
        *[(authorities, [WEB], False)] * RUNS, (authorities, [moved_web], True), (authorities, [moved_web], False)
    )
    names = ["root", "root-r2", "root-r2-by-root", "services", "root-by-root-r2", "web"]
    assert signatures(built) == [(name, 1) for name in names]
    assert all(played.changed() == [] for played in again)
    for trusted in ("root.pem", "root-r2.pem"):
        verify(folder, "web", trusted)
    for played in (planned, moved):
        [result] = [result for result in played.of(ISSUED) if result["changed"]]
        assert result["item"]["name"] == "web"
        assert result["reason"].startswith("changed: issuer, ")
    assert [made for made in signatures(moved) if made[1]] == [("web", 1)]
