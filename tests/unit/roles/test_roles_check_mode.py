# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check mode says what the run then does, for every role; tests/unit/module has the same for every module."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from localaws.server import Server
from localaws.testing import local_aws, new_account, new_key
from tests.unit.roles.plays import Played, play, run_plays

__all__ = ["local_aws"]

CHECKOUT = Path(__file__).resolve().parents[3]
ROLES = sorted(path.name for path in (CHECKOUT / "roles").iterdir())
TIME = re.compile(r"\d{14}Z")
TEMPORARY = re.compile(r"[^\"]+/ansible-local-[^\"]+")
EMPTY, SERVICE, RELEASE = "a tree on an empty account", "a service with a new key", "a release without a manifest"
TWO_ROOTS = "a tree in a fresh folder, below a root of others and below one of its own"
UNKNOWN = (EMPTY, SERVICE, RELEASE, TWO_ROOTS)  # where a task needs what one before it is to make
IN_TRUST = ("is a file of its own", "are in one bundle")  # tasks that write what is issued before


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

BELOW = {
    "name": "below",
    "certificate_profile": "subordinate_ca",
    "subject": {"common_name": "Below"},
    "key": {},
    "external": True,
    "certificate_path": "answer.pem",
    "trusted_certificate_path": ["corporate.pem"],
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
    not_sent = {"name": "partner", "certificate_path": "cross.pem", "trusted_certificate_path": ["partner.pem"]}
    service = {
        **tree,
        "pki_authorities": [{**ROOT, "cross_certificates": [not_sent]}],
        "signing_services": [releases],
        "signing_service_administrators": [administrator],
        "signing_service_signers": [{"name": "Service", "trusted": [administrator]}],
    }
    two_roots = {
        "pki_name": "two",
        "pki_dir": "two",
        "pki_authorities": [{**ROOT, "cross_signed_by": ["below"]}, BELOW],
        "pki_certificates": [{**SIGNER, "issuer": "below"}],
    }
    again = {**ROOT, "reissue_root": True, "not_after": "+9000d"}
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
        (TWO_ROOTS, "pki_tree", two_roots),
        ("a root again", "pki_tree", {**tree, "pki_authorities": [again]}),
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
    certify_below(administrator.client("kms"), folder)
    (folder / "release").mkdir()
    (folder / "release" / "acme.tar").write_text("a release")
    said = iter(run_plays(folder, administrator.environment(), *written))
    return {what: (rows(next(said)), rows(next(said))) for what, _role, _variables in wanted}


def certify_below(kms: Any, folder: Path) -> None:
    """Make the key of BELOW, and have it certified by somebody else."""
    key_id = new_key(kms)
    kms.create_alias(AliasName="alias/pki/two/below", TargetKeyId=key_id)
    (folder / "below.der").write_bytes(kms.get_public_key(KeyId=key_id)["PublicKey"])
    (folder / "ca.ext").write_text("basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n")
    root = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout corporate.key -out corporate.pem"
    answer = "x509 -new -force_pubkey below.der -CA corporate.pem -CAkey corporate.key -extfile ca.ext -out answer.pem"
    for command in (f"{root} -subj /CN=Corporate -days 9000", f"{answer} -subj /CN=Below -days 8000"):
        subprocess.run(["openssl", *command.split()], cwd=folder, check=True, capture_output=True)


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
            assert (what, [known(row) for row in predicted]) == (what, [known(row) for row in done])
            assert any(row.changed for row in done)


def known(row: Row) -> Row:
    return row._replace(diff="") if row.task.endswith(IN_TRUST) else row


@pytest.mark.parametrize("what", UNKNOWN)
def test_what_cannot_be_known_yet_is_pending(told: dict[str, tuple[list[Row], list[Row]]], what: str) -> None:
    predicted, done = told[what]
    assert any(row.pending for row in predicted)
    for before, after in zip(predicted, done, strict=True):
        assert (after.task, after.changed) == (before.task, before.changed)
        assert known(after).diff == known(before).diff or before.pending
