# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A tree, services on top of it, a release that one of them signs: each in check mode, for real, and once more."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from localaws.server import Server
from localaws.testing import Principal, local_aws, new_account
from tests.unit.roles.plays import Played, play, run_plays

__all__ = ["local_aws"]

ROOT = {"name": "top", "certificate_profile": "root_ca", "subject": {"common_name": "Top"}, "key": {}}
RELEASES = {
    "name": "releases",
    "issuer": "top",
    "certificate_profile": "code_signing",
    "subject": {"common_name": "Releases"},
    "key": {},
}


@pytest.fixture(scope="module")
def administrator(local_aws: Server) -> Principal:
    return new_account(local_aws).administrator()


@pytest.fixture(scope="module")
def folder(administrator: Principal, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree stands here, and a release is to be signed."""
    made = tmp_path_factory.mktemp("signs")
    tree = play("pki_tree", inventory(made))
    run_plays(made, administrator.environment(), tree)
    (made / "release" / "docs").mkdir(parents=True)
    (made / "release" / "acme.tar").write_text("a release")
    (made / "release" / "docs" / "manual").write_text("a manual")
    return made


def inventory(folder: Path) -> dict[str, Any]:
    return {"pki_name": "signs", "pki_authorities": [ROOT], "pki_base_dir": str(folder)}


def service(folder: Path, administrator: Principal, **options: Any) -> dict[str, Any]:
    return {
        **inventory(folder),
        "signing_services": [{**RELEASES, **options}],
        "signing_service_administrators": [administrator.arn],
        "signing_service_signers": [{"name": "Releaser", "trusted": [administrator.arn]}],
    }


def release(folder: Path) -> dict[str, Any]:
    return {
        "sign_release_dir": str(folder / "release"),
        "sign_release_key_id": "alias/pki/signs/releases",
        "sign_release_certificate_path": str(folder / "pki" / "certificates" / "releases.fullchain.pem"),
        "sign_release_root_certificates": [str(folder / "pki" / "trust" / "top.pem")],
        "sign_release_ledger_path": str(folder / "ledger.jsonl"),
    }


def as_releaser(administrator: Principal, asked: dict[str, Any]) -> dict[str, Any]:
    """Return the play run as the role that may do nothing but sign."""
    role_arn = administrator.arn.rpartition("/")[0] + "/Releaser"
    return {**asked, "module_defaults": {"group/rootstock.pki.kms": {"assume_role": {"role_arn": role_arn}}}}


def sign_calls(played: Played) -> int:
    return sum(result.get("sign_calls", 0) for _task, result in played.results())


@pytest.fixture(scope="module")
def told(folder: Path, administrator: Principal) -> dict[str, list[Played]]:
    """What both roles told, in check mode, done, and done again."""
    services = [play("signing_service", service(folder, administrator), check=check) for check in (True, False, False)]
    releases = [play("sign_release", release(folder), check=check) for check in (True, False, False)]
    plays = [*services, *(as_releaser(administrator, one) for one in releases)]
    said = run_plays(folder, administrator.environment(), *plays)
    return {"services": said[:3], "releases": said[3:]}


def test_services_are_made_once(told: dict[str, list[Played]]) -> None:
    checked, done, again = told["services"]
    assert checked.changed() == done.changed()
    assert any("Every signer and verifier is a role" in task for task in done.changed())
    assert [sign_calls(played) for played in (checked, done, again)] == [0, 1, 0]
    assert again.changed() == []


def test_a_release_is_signed_once_by_whoever_may_only_sign(told: dict[str, list[Played]], folder: Path) -> None:
    checked, done, again = told["releases"]
    assert checked.changed() == done.changed()
    assert [sign_calls(played) for played in (checked, done, again)] == [0, 4, 0]
    assert again.changed() == []
    kinds = [json.loads(line)["kind"] for line in (folder / "ledger.jsonl").read_text().splitlines()]
    assert sorted(kinds) == ["intent"] * 4 + ["signed"] * 4


def test_whoever_has_the_root_can_check_it(told: dict[str, list[Played]], folder: Path) -> None:
    assert told
    command = ["sh", "release/verify.sh", "pki/trust/top.pem"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert (done.stdout + done.stderr, done.returncode) == ("OK: 2 files, signed by CN=Releases\n", 0)


def test_what_cannot_be_is_refused_before_anything_is_made(folder: Path, administrator: Principal) -> None:
    key_of_an_authority = {"key": {"alias": "pki/signs/top"}, "certificate_profile": "tls_client"}
    asked = play("signing_service", service(folder, administrator, **key_of_an_authority))
    (played,) = run_plays(folder, administrator.environment(), asked, status=2)
    assert "alias pki/signs/top is the key of authority top and certificate releases" in played.failure()
    assert "tls_client certificates are not for signing files" in played.failure()
    assert played.changed() == []


def test_the_key_of_an_authority_that_is_in_no_inventory_is_refused(folder: Path, administrator: Principal) -> None:
    foreign = {**inventory(folder), "pki_name": "other", "pki_authorities": [{**ROOT, "name": "far"}], "pki_dir": "far"}
    asked = play("signing_service", service(folder, administrator, key={"alias": "pki/other/far"}))
    *_made, played = run_plays(folder, administrator.environment(), play("pki_tree", foreign), asked, status=2)
    assert "tagged for use ca, and this task says sign" in played.failure()


def test_an_empty_release_and_links_are_refused(folder: Path, administrator: Principal) -> None:
    (folder / "empty").mkdir()
    (folder / "empty" / "link").symlink_to(folder / "release" / "acme.tar")
    asked = play("sign_release", {**release(folder), "sign_release_dir": str(folder / "empty")})
    (played,) = run_plays(folder, administrator.environment(), asked, status=2)
    assert "empty/link: is a link" in played.failure()
