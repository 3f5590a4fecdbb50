# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A certificate of somebody else that cannot be used fails the role in the end, and stops only what is below it."""

from __future__ import annotations

import subprocess
from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from localaws.testing import Account, account, local_aws
from tests.unit.roles.plays import Played, play, run_plays

__all__ = ["account", "local_aws"]

CRLS = "Every authority has a CRL that is fresh"
ISSUED = "Every certificate is issued, issuers first"
TAKEN = "Their certificates are checked and taken"
FAILED = "What others issued can be used"
ROOT = {"name": "root", "certificate_profile": "root_ca", "subject": {"CN": "Root"}, "key": {}}
CORPORATE = {
    "name": "corporate",
    "certificate_profile": "subordinate_ca",
    "subject": {"CN": "Below Corporate"},
    "key": {},
    "external": True,
    "certificate_path": "answer.pem",
    "trusted_certificate_path": ["corporate.pem"],
}
PARTNER = {"name": "partner", "certificate_path": "cross.pem", "trusted_certificate_path": ["corporate.pem"]}
DAY = timedelta(days=1)


def leaf(name: str, issuer: str) -> dict[str, Any]:
    usual = {"certificate_profile": "tls_client", "public_key_path": "leaf.pem", "subject": {"CN": name}}
    return {"name": name, "issuer": issuer, "subject_alt_name": [f"DNS:{name}.example"], **usual}


def tree(folder: Path, **root: Any) -> dict[str, Any]:
    given = {"pki_authorities": [CORPORATE, {**ROOT, **root}], "pki_base_dir": str(folder), "pki_name": "refused"}
    return play("pki_tree", {**given, "pki_certificates": [leaf("theirs", "corporate"), leaf("ours", "root")]})


@cache
def corporate_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def certify(subject: x509.Name, key: Any, days: tuple[int, int], identifier: Any = None) -> bytes:
    """Return an authority's certificate, in PEM, as somebody else's root signs it."""
    now, issuer = datetime.now(timezone.utc).replace(microsecond=0), x509.Name.from_rfc4514_string("CN=Corporate")
    own = identifier or x509.SubjectKeyIdentifier.from_public_key(key)
    above = x509.AuthorityKeyIdentifier.from_issuer_public_key(corporate_key().public_key())
    start, end = (now + many * DAY for many in days)
    builder = x509.CertificateBuilder(issuer, subject, key, x509.random_serial_number(), start, end)
    for extension, critical in (
        (x509.BasicConstraints(ca=True, path_length=None), True),
        (x509.KeyUsage(False, False, False, False, False, True, True, False, False), True),
        (own, False),
        (above, False),
    ):
        builder = builder.add_extension(extension, critical)
    return builder.sign(corporate_key(), hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def make_others(folder: Path) -> None:
    """Make the root of others, and a public key that certificates are for."""
    root = certify(x509.Name.from_rfc4514_string("CN=Corporate"), corporate_key().public_key(), (-900, 900))
    (folder / "corporate.pem").write_bytes(root)
    form = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    (folder / "leaf.pem").write_bytes(ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(*form))


def answer(folder: Path, days: tuple[int, int] = (-1, 400), key: Any = None) -> bytes:
    """Answer the request, perhaps for another key."""
    request = x509.load_pem_x509_csr((folder / "pki" / "corporate" / "ca.csr").read_bytes())
    made = certify(request.subject, key or request.public_key(), days)
    (folder / "answer.pem").write_bytes(made)
    return made


def other_key() -> Any:
    return ec.generate_private_key(ec.SECP256R1()).public_key()


def openssl_verifies(folder: Path, certificate: str) -> str:
    """Return what openssl says of a certificate under the root of others."""
    command = ["openssl", "verify", "-x509_strict", "-no-CApath", "-CAfile", "corporate.pem", certificate]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def names(played: Played, task: str) -> list[str]:
    return [result["item"]["name"] for result in played.of(task)]


def failures(played: Played) -> list[str]:
    return [task.rpartition(" : ")[2] for task, result in played.results() if result.get("failed")]


def test_an_answer_that_has_expired_stops_only_what_is_below_it(account: Account, tmp_path: Path) -> None:
    credentials = account.administrator().environment()
    make_others(tmp_path)
    run_plays(tmp_path, credentials, tree(tmp_path))
    expired = answer(tmp_path, days=(-400, -1))
    assert "certificate has expired" in openssl_verifies(tmp_path, "answer.pem")
    pki = tmp_path / "pki"
    for path in ("root/crl.pem", "certificates/ours.pem", "trust/root.pem", "trust/bundle.pem"):
        (pki / path).unlink()
    (played,) = run_plays(tmp_path, credentials, tree(tmp_path), status=2)
    assert names(played, CRLS) == ["root"]
    assert names(played, ISSUED) == ["root", "ours"]
    assert (pki / "trust" / "bundle.pem").read_bytes() == (pki / "root" / "ca.pem").read_bytes()
    assert failures(played) == [TAKEN, FAILED]
    [refusal] = [result["msg"] for result in played.of(TAKEN) if result.get("failed")]
    assert refusal.endswith(f"; have {tmp_path}/answer.pem issued again")
    assert f"- {refusal}" in played.of(FAILED)[0]["msg"]
    assert not (pki / "corporate" / "ca.pem").exists()

    (pki / "corporate" / "ca.pem").write_bytes(expired)  # as if it had been taken before
    (pki / "root" / "crl.pem").unlink()
    (played,) = run_plays(tmp_path, credentials, tree(tmp_path), status=2)
    assert (names(played, CRLS), failures(played)) == (["root"], [TAKEN, FAILED])
    answer(tmp_path)
    assert openssl_verifies(tmp_path, "answer.pem") == "answer.pem: OK\n"
    mended, again = run_plays(tmp_path, credentials, tree(tmp_path), tree(tmp_path))
    assert names(mended, ISSUED) == ["root", "theirs", "ours"]
    assert names(mended, CRLS) == ["corporate", "root"]
    assert again.changed() == []


def test_what_was_taken_before_goes_on_where_a_new_answer_is_refused(account: Account, tmp_path: Path) -> None:
    credentials = account.administrator().environment()
    make_others(tmp_path)
    run_plays(tmp_path, credentials, tree(tmp_path))
    answer(tmp_path)
    run_plays(tmp_path, credentials, tree(tmp_path))
    pki = tmp_path / "pki"
    before = {path: path.read_bytes() for path in pki.rglob("*.pem")}
    answer(tmp_path, key=other_key())
    for path in ("root/crl.pem", "corporate/crl.pem"):
        (pki / path).unlink()
    (played,) = run_plays(tmp_path, credentials, tree(tmp_path), status=2)
    assert names(played, CRLS) == ["corporate", "root"]
    assert "is of the key" in played.of(FAILED)[0]["msg"]
    after = {path: path.read_bytes() for path in pki.rglob("*.pem")}
    assert {path for path in after if after[path] != before.get(path)} == {
        pki / "root" / "crl.pem",
        pki / "corporate" / "crl.pem",
    }
    assert before.keys() == after.keys()
    (tmp_path / "answer.pem").unlink()
    (pki / "corporate" / "crl.pem").unlink()
    (played,) = run_plays(tmp_path, credentials, tree(tmp_path))
    assert names(played, CRLS) == ["corporate", "root"]
    assert (pki / "corporate" / "crl.pem").exists()


def test_the_former_cross_certificate_stays_in_chains_where_a_new_one_is_refused(
    account: Account, tmp_path: Path
) -> None:
    credentials = account.administrator().environment()
    make_others(tmp_path)
    crossed = tree(tmp_path, cross_certificates=[PARTNER])
    run_plays(tmp_path, credentials, crossed)
    ours = x509.load_pem_x509_certificate((tmp_path / "pki" / "root" / "ca.pem").read_bytes())
    own = ours.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    (tmp_path / "cross.pem").write_bytes(certify(ours.subject, ours.public_key(), (-1, 400), own))
    run_plays(tmp_path, credentials, crossed)
    chain = (tmp_path / "pki" / "certificates" / "ours.chain.pem").read_bytes()
    assert (tmp_path / "cross.pem").read_bytes() in chain
    (tmp_path / "cross.pem").write_bytes(certify(ours.subject, other_key(), (-1, 400)))
    (played,) = run_plays(tmp_path, credentials, crossed, status=2)
    assert names(played, ISSUED) == ["root", "ours"]
    assert (tmp_path / "pki" / "certificates" / "ours.chain.pem").read_bytes() == chain
    assert "- root-by-partner: " in played.of(FAILED)[0]["msg"]


@pytest.mark.parametrize("first", [True, False])
def test_what_was_refused_of_one_tree_is_not_of_another_one_in_the_play(
    account: Account, tmp_path: Path, first: bool
) -> None:
    credentials = account.administrator().environment()
    make_others(tmp_path)
    run_plays(tmp_path, credentials, tree(tmp_path))
    answer(tmp_path, days=(-400, -1))
    other = tree(tmp_path)["vars"] | {"pki_name": "other", "pki_dir": "other"}
    alone = {**other, "pki_authorities": [ROOT], "pki_certificates": [leaf("ours", "root")]}
    refused = {"ansible.builtin.include_role": {"name": "rootstock.pki.pki_tree"}, "vars": tree(tmp_path)["vars"]}
    rescued = {"block": [refused], "rescue": [{"ansible.builtin.debug": {"msg": "{{ ansible_failed_result.msg }}"}}]}
    good = {"ansible.builtin.include_role": {"name": "rootstock.pki.pki_tree"}, "vars": alone}
    tasks = [rescued, good] if first else [good, rescued]
    (played,) = run_plays(tmp_path, credentials, {**play("pki_tree", {}), "roles": [], "tasks": tasks})
    assert failures(played) == [TAKEN, FAILED]
    assert (tmp_path / "other" / "certificates" / "ours.pem").exists()
