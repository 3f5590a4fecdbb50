# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files that others make are looked for before anything is made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from localaws.testing import Account, account, local_aws
from tests.unit.roles.plays import play, run_plays
from tests.unit.signer.local_kms import local_key

__all__ = ["account", "local_aws"]

REFUSED = "The inventory cannot be built, nothing was changed:"
ROOT = {"name": "root", "certificate_profile": "root_ca", "subject": {"CN": "Root"}, "key": {}}
EXTERNAL = {
    "name": "external",
    "certificate_profile": "subordinate_ca",
    "subject": {"CN": "External"},
    "key": {},
    "external": True,
    "certificate_path": "answer",
    "trusted_certificate_path": ["theirs"],
}
PARTNER = {"name": "partner", "certificate_path": "cross", "trusted_certificate_path": ["partner"]}


def certificate(name: str, profile: str = "tls_client", **source: str) -> dict[str, Any]:
    return {"name": name, "issuer": "root", "certificate_profile": profile, "subject": {"CN": name}, **source}


def tree(folder: Path, authorities: list[dict[str, Any]], certificates: list[dict[str, Any]]) -> dict[str, Any]:
    given = {"pki_authorities": authorities, "pki_certificates": certificates}
    return {"pki_name": "files", "pki_base_dir": str(folder), **given}


def test_a_folder_in_the_place_of_a_file_is_told_before_anything_is_made(account: Account, tmp_path: Path) -> None:
    expected = {
        "request": "certificate one: csr_path",
        "public-key": "certificate two: public_key_path",
        "authority": "certificate three: subject_certificate_path",
        "answer": "authority external: certificate_path",
        "theirs": "authority external: trusted_certificate_path",
        "cross": "cross-certificate root-by-partner: certificate_path",
        "partner": "cross-certificate root-by-partner: trusted_certificate_path",
    }
    for name in expected:
        (tmp_path / name).mkdir()
    authorities = [{**ROOT, "cross_certificates": [PARTNER]}, EXTERNAL]
    foreign = certificate("three", "subordinate_ca", subject_certificate_path="authority")
    del foreign["subject"]
    certificates = [certificate("one", csr_path="request"), certificate("two", public_key_path="public-key"), foreign]
    given = tree(tmp_path, authorities, certificates)
    principal = account.administrator()
    played = run_plays(tmp_path, principal.environment(), play("pki_tree", given, check=True), status=2)
    played += run_plays(tmp_path, principal.environment(), play("pki_tree", given), status=2)
    told = [f"- {needed} {tmp_path / name} is a folder; name the file in it" for name, needed in expected.items()]
    for one in played:
        heading, *lines = one.failure().splitlines()
        assert heading == REFUSED
        assert sorted(lines) == sorted(told)
    assert not (tmp_path / "pki").exists()
    assert principal.client("kms").list_keys()["Keys"] == []


def test_a_symbolic_link_stands_for_what_it_leads_to(account: Account, tmp_path: Path) -> None:
    key = local_key("ECC_NIST_P256").public_key()
    (tmp_path / "key.pem").write_bytes(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    for name, end in {"good": "key.pem", "nowhere": "nothing.pem", "folder": "."}.items():
        (tmp_path / name).symlink_to(end)
    environment = account.administrator().environment()
    names = ("good", "nowhere", "folder")
    given = tree(tmp_path, [ROOT], [certificate(name, public_key_path=name) for name in names])
    [refused] = run_plays(tmp_path, environment, play("pki_tree", given), status=2)
    assert refused.failure().splitlines() == [
        REFUSED,
        f"- certificate nowhere: public_key_path {tmp_path / 'nowhere'} does not exist; have it made first",
        f"- certificate folder: public_key_path {tmp_path / 'folder'} is a folder; name the file in it",
    ]
    good = tree(tmp_path, [ROOT], given["pki_certificates"][:1])
    [built] = run_plays(tmp_path, environment, play("pki_tree", good))
    assert all(found["changed"] for found in built.of("Every certificate is issued, issuers first"))
