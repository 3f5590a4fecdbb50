# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who reads the CRLs of a tree sees what the role has revoked, and what it has released."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from cryptography import x509

from localaws.testing import Account, account, local_aws
from tests.harness.operators import statements
from tests.unit.roles.plays import play, run_plays

__all__ = ["account", "local_aws"]

RECORDED = "The ledgers say what is revoked"
REVOKED = [
    {"authority": "devices", "name": "sensor", "reason": "key_compromise"},
    {"authority": "people", "name": "alice", "reason": "certificate_hold"},
]
RELEASED = [{"authority": "people", "name": "alice", "state": "released"}]


def tree(folder: Path) -> dict[str, Any]:
    """Return a tree whose third authority has its CRL in two parts."""
    below = {"issuer": "root", "certificate_profile": "subordinate_ca", "path_length": 0}
    devices = {**below, "name": "devices", "subject": {"CN": "Devices"}, "key": {"key_spec": "ECC_NIST_EDWARDS25519"}}
    people = {**below, "name": "people", "subject": {"CN": "People"}, "key": {}}
    client = {"certificate_profile": "tls_client", "key": {}}
    return {
        "pki_name": "revocation",
        "pki_base_dir": str(folder),
        "pki_base_url": "http://pki.acme.example",
        "pki_authorities": [
            {"name": "root", "certificate_profile": "root_ca", "subject": {"CN": "Root"}, "key": {}},
            devices,
            {**people, "crl": {"next_update": "+3d", "partitions": 2}},
        ],
        "pki_certificates": [
            {**client, "name": "sensor", "issuer": "devices", "subject": {"CN": "sensor"}},
            {**client, "name": "spare", "issuer": "devices", "subject": {"CN": "spare"}},
            {**client, "name": "alice", "issuer": "people", "subject": {"CN": "alice"}},
        ],
    }


def crls(folder: Path) -> dict[str, x509.CertificateRevocationList]:
    found = sorted((folder / "pki").glob("*/crl*.pem"))
    return {f"{path.parent.name}/{path.stem}": x509.load_pem_x509_crl(path.read_bytes()) for path in found}


def refusal(folder: Path, issuer: str, name: str) -> str:
    """Return what OpenSSL, with every CRL of the tree, has against a certificate; empty if nothing."""
    pki = folder / "pki"
    (folder / "all.pem").write_text("".join(path.read_text() for path in sorted(pki.glob("*/crl*.pem"))))
    command = ["openssl", "verify", "-crl_check_all", "-CAfile", pki / "root" / "ca.pem", "-CRLfile", "../all.pem"]
    command += ["-untrusted", pki / issuer / "ca.pem", pki / "certificates" / f"{name}.pem"]
    done = subprocess.run(command, cwd=pki, capture_output=True, text=True, check=False)
    return done.stderr if done.returncode else ""


def test_the_world_knows_what_is_revoked_until_it_is_released(account: Account, tmp_path: Path) -> None:
    credentials, given = account.role("operator", *statements()).environment(), tree(tmp_path)
    revoking = {**given, "pki_revocations": REVOKED}
    _built, planned, done, again = run_plays(
        tmp_path,
        credentials,
        play("pki_tree", given),
        play("pki_revocation", revoking, check=True),
        play("pki_revocation", revoking),
        play("pki_revocation", revoking),
    )
    for played, standing in ((planned, ["valid", "valid"]), (done, ["revoked", "on_hold"])):
        recorded = played.of(RECORDED)
        assert [result["changed"] for result in recorded] == [True, True]
        assert [one["status"] for result in recorded for one in result["certificates"]] == standing
    assert again.changed() == []
    told = crls(tmp_path)
    assert {name: len(crl) for name, crl in told.items() if "people" not in name} == {"root/crl": 0, "devices/crl-0": 1}
    assert sorted(len(crl) for name, crl in told.items() if "people" in name) == [0, 1]
    [sensor] = told["devices/crl-0"]
    assert sensor.extensions.get_extension_for_class(x509.CRLReason).value.reason is x509.ReasonFlags.key_compromise
    point = told["devices/crl-0"].extensions.get_extension_for_class(x509.IssuingDistributionPoint).value
    assert [name.value for name in point.full_name or ()] == ["http://pki.acme.example/devices/crl-0.der"]
    people = told["people/crl-0"]
    assert people.next_update_utc
    assert (people.next_update_utc - people.last_update_utc).days in (2, 3)
    assert "certificate revoked" in refusal(tmp_path, "devices", "sensor")
    assert "certificate revoked" in refusal(tmp_path, "people", "alice")
    assert refusal(tmp_path, "devices", "spare") == ""
    run_plays(tmp_path, credentials, play("pki_revocation", {**given, "pki_revocations": RELEASED}))
    assert [len(crl) for name, crl in crls(tmp_path).items() if "people" in name] == [0, 0]
    assert refusal(tmp_path, "people", "alice") == ""
