# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A tree, services on top of it, a release that one of them signs: each in check mode, for real, and once more."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from localaws.server import Server
from localaws.testing import Principal, local_aws, new_account
from tests.harness.environment import CHECKOUT
from tests.unit.roles.plays import Played, play, run_plays

__all__ = ["local_aws"]

RELEASE = "v1,2"
GONE = "What an earlier run made and this one does not is gone"
CHECKED = "The release is checked"
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
    (made / RELEASE / "docs").mkdir(parents=True)
    (made / RELEASE / "acme.tar").write_text("a release")
    (made / RELEASE / "docs" / "manual").write_text("a manual")
    (made / RELEASE / "py.typed").touch()
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


def release(folder: Path, spelling: str = "{}", **options: Any) -> dict[str, Any]:
    return {
        "sign_release_dir": spelling.format(folder / RELEASE),
        "sign_release_key_id": "alias/pki/signs/releases",
        "sign_release_certificate_path": str(folder / "pki" / "certificates" / "releases.fullchain.pem"),
        "sign_release_root_certificates": [str(folder / "pki" / "trust" / "top.pem")],
        "sign_release_ledger_path": str(folder / "ledger.jsonl"),
        **{f"sign_release_{name}": value for name, value in options.items()},
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
    relative = os.path.relpath(folder / RELEASE, CHECKOUT)
    releases = [
        play("sign_release", release(folder, spelling), check=check)
        for spelling, check in (("{}/", True), ("{}/docs/..", False), (relative, False))
    ]
    plays = [*services, *(as_releaser(administrator, one) for one in (*releases, *later(folder)))]
    said = run_plays(folder, administrator.environment(), *plays)
    return {"services": said[:3], "releases": said[3:6], "later": said[6:]}


def later(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the plays of a release that was signed before, each after what happens to it."""
    top = str(folder / RELEASE)
    changes = [
        {"ansible.builtin.copy": {"content": "another release", "dest": f"{top}/acme.tar"}},
        {"ansible.builtin.file": {"path": f"{top}/docs/manual", "state": "absent"}},
    ]
    check = {
        "ansible.builtin.command": f"sh '{top}/verify.sh' {folder}/pki/trust/top.pem",
        "name": CHECKED,
        "changed_when": False,
    }
    yield {**play("sign_release", release(folder)), "pre_tasks": changes, "post_tasks": [check]}
    for _again in range(2):
        alone = release(folder, manifest_digest="sha512", each="no")  # as -e sign_release_each=no gives it
        yield {**play("sign_release", alone), "post_tasks": [check]}


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
    signatures = sum(sign_calls(played) for played in (*told["releases"], *told["later"]))
    assert sorted(kinds) == ["intent"] * signatures + ["signed"] * signatures


def test_a_release_that_changed_is_signed_as_it_is_now(told: dict[str, list[Played]], folder: Path) -> None:
    changed, switched, again = told["later"]
    assert [sign_calls(played) for played in (changed, switched, again)] == [3, 2, 0]
    assert again.changed() == []
    gone = [Path(result["path"]).name for result in changed.of(GONE)]
    assert gone == ["manual.sig"]
    assert len(switched.of(GONE)) == 4
    assert sorted(path.name for path in (folder / RELEASE).iterdir() if path.is_file()) == [
        "SHA512SUMS",
        "SHA512SUMS.p7s",
        "SHA512SUMS.sig",
        "acme.tar",
        "certificates.pem",
        "py.typed",
        "verify.sh",
    ]


def test_whoever_has_the_root_can_check_it(told: dict[str, list[Played]]) -> None:
    for played in told["later"]:
        assert played.of(CHECKED)[0]["stdout"] == "OK: 2 files, signed by CN=Releases"


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


def refused(folder: Path, name: str) -> dict[str, Any]:
    """Return a task that tells why the release *name* cannot be signed."""
    variables = {**release(folder), "sign_release_dir": str(folder / name)}
    role = {"ansible.builtin.include_role": {"name": "rootstock.pki.sign_release"}, "vars": variables}
    return {
        "block": [role],
        "rescue": [{"name": name, "ansible.builtin.debug": {"msg": "{{ ansible_failed_result.msg }}"}}],
    }


def make_releases_to_refuse(folder: Path) -> dict[str, str]:
    """Return what is said of each."""
    made = {name: folder / name for name in ("linked", "taken", "forged", "latin")}
    for path in made.values():
        path.mkdir()
    (made["linked"] / "link").symlink_to(folder / "pki")
    for name in ("a", "a.sig", "verify.sh"):
        (made["taken"] / name).write_text("of somebody else")
    root = x509.load_pem_x509_certificate((folder / "pki" / "trust" / "top.pem").read_bytes())
    (made["forged"] / "tbs").write_bytes(root.tbs_certificate_bytes)
    (made["latin"] / os.fsdecode(b"\xe4")).write_text("a name in another encoding")
    return {
        "missing": "missing: cannot be read (",
        "linked": "linked/link: is a link",
        "taken": "taken/verify.sh: would be overwritten, and this role did not make it",
        "forged": "forged/tbs: is a TBSCertificate",
        "latin": "have to be UTF-8 here",
    }


@pytest.mark.usefixtures("told")
def test_nothing_of_a_release_is_signed_where_something_cannot_be(folder: Path, administrator: Principal) -> None:
    wanted = make_releases_to_refuse(folder)
    asked = {**play("sign_release", {}), "roles": [], "tasks": [refused(folder, name) for name in wanted]}
    (played,) = run_plays(folder, administrator.environment(), asked)
    told = {name: str(played.of(name)[0]["msg"]) for name in wanted}
    assert [(name, told[name]) for name, sentence in wanted.items() if sentence not in told[name]] == []
    assert "taken/a.sig: would be overwritten" in told["taken"]
    assert sign_calls(played) == 0
    assert [path.name for path in (folder / "forged").iterdir()] == ["tbs"]
