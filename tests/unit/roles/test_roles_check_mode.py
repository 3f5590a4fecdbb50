# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check mode says what the run then does, for every role; tests/unit/module has the same for every module."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from localaws.server import Server
from localaws.testing import local_aws, new_account
from tests.unit.roles.plays import Played, play, run_plays

__all__ = ["local_aws"]

CHECKOUT = Path(__file__).resolve().parents[3]
ROLES = sorted(path.name for path in (CHECKOUT / "roles").iterdir())
TIME = re.compile(r"\d{14}Z")
TEMPORARY = re.compile(r"[^\"]+/ansible-local-[^\"]+")
EMPTY, SERVICE, RELEASE = "a tree on an empty account", "a service with a new key", "a release without a manifest"
UNKNOWN = (EMPTY, SERVICE, RELEASE)  # where a task needs what one before it is to make
IN_TRUST = ("is a file of its own", "are in one bundle")  # tasks that write what is pending before


class Row(NamedTuple):
    """What one task did, or said that it would do, for one item."""

    task: str
    changed: bool
    diff: str
    pending: bool


ROOT = {"name": "top", "certificate_profile": "root_ca", "subject": {"common_name": "Top"}, "key": {}}
SIGNER = {
    "name": "signer",
    "issuer": "top",
    "certificate_profile": "code_signing",
    "subject": {"common_name": "Signer"},
    "public_key_path": "signer.pem",
}


def plays(administrator: str, folder: Path) -> list[tuple[str, str, dict[str, Any]]]:
    """Return what is predicted and then done: what for, by which role, with which variables."""
    root = {"pki_name": "predicts", "pki_authorities": [ROOT]}
    tree = {**root, "pki_certificates": [SIGNER]}
    revoked = {**tree, "pki_revocations": [{"authority": "top", "name": "signer"}]}
    signers = [{"name": "Releaser", "trusted": [administrator], "aliases": ["predicts/releases"]}]
    access = {
        "signing_access_administrators": [administrator],
        "signing_access_keys": [{"alias": "predicts/releases", "use": "sign"}],
        "signing_access_signers": signers,
    }
    releases = {
        "name": "releases",
        "issuer": "top",
        "certificate_profile": "code_signing",
        "subject": {"common_name": "Releases"},
        "key": {"alias": "predicts/service", "signers": [administrator]},
    }
    service = {
        **tree,
        "signing_services": [releases],
        "signing_service_administrators": [administrator],
        "signing_service_signers": [{"name": "Service", "trusted": [administrator]}],
    }
    release = {
        "sign_release_dir": str(folder / "release"),
        "sign_release_key_id": "alias/predicts/service",
        "sign_release_certificate_path": str(folder / "pki" / "certificates" / "releases.fullchain.pem"),
        "sign_release_root_certificates": [str(folder / "pki" / "trust" / "top.pem")],
    }
    return [
        (EMPTY, "pki_tree", root),
        ("a certificate more", "pki_tree", tree),
        ("a revocation", "pki_revocation", revoked),
        ("access", "signing_access", access),
        (SERVICE, "signing_service", service),
        (
            "another name",
            "signing_service",
            {**service, "signing_services": [{**releases, "subject": {"CN": "Other"}}]},
        ),
        (RELEASE, "sign_release", {**release, "sign_release_each": False}),
        ("signatures of each file", "sign_release", release),
    ]


@pytest.fixture(scope="module")
def told(local_aws: Server, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[list[Row], list[Row]]]:
    """What was predicted, and what was done, in the words of the tasks."""
    administrator = new_account(local_aws).administrator()
    folder = tmp_path_factory.mktemp("predicts")
    wanted = plays(administrator.arn, folder)
    assert {role for _what, role, _variables in wanted} == set(ROLES)
    written = [
        play(role, {**variables, "pki_base_dir": str(folder)}, check=check)
        for _what, role, variables in wanted
        for check in (True, False)
    ]
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    (folder / "signer.pem").write_bytes(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    (folder / "release").mkdir()
    (folder / "release" / "acme.tar").write_text("a release")
    said = iter(run_plays(folder, administrator.environment(), *written))
    return {what: (rows(next(said)), rows(next(said))) for what, _role, _variables in wanted}


def rows(played: Played) -> list[Row]:
    """Return a row for each item of each task; times and temporary files differ between any two runs."""
    found = []
    for task, item in played.results():
        told = item.get("diff")
        diff = told[0] if isinstance(told, list) and told else told  # what follows is about modes
        text = TEMPORARY.sub("<file>", TIME.sub("<time>", json.dumps(diff, sort_keys=True)))
        found.append(Row(task, bool(item.get("changed")), text, bool(item.get("pending"))))
    return found


def test_every_role_does_what_was_predicted(told: dict[str, tuple[list[Row], list[Row]]]) -> None:
    for what, (predicted, done) in told.items():
        if what not in UNKNOWN:
            assert (what, predicted) == (what, done)
            assert any(row.changed for row in done)


@pytest.mark.parametrize("what", UNKNOWN)
def test_what_cannot_be_known_yet_is_pending(told: dict[str, tuple[list[Row], list[Row]]], what: str) -> None:
    predicted, done = told[what]
    pending = [row.task for row in predicted if row.pending]
    left = [row for row in done if row.task not in pending and not row.task.endswith(IN_TRUST)]
    assert [row for row in predicted if not row.pending and not row.task.endswith(IN_TRUST)] == left
    assert [(row.task, row.changed) for row in done if row.task in pending] == [(task, True) for task in pending]
