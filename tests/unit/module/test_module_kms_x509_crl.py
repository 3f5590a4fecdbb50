# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A CRL says what the ledger says; files come back without a signature, and a delta CRL tells what a full one will."""

from __future__ import annotations

import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.rootstock.pki.plugins.module_utils._ledger.entries import Revoked, new_id, serial_text
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.files import FileLedger
from ansible_collections.rootstock.pki.plugins.module_utils._operations import crl_shards
from tests.unit.module.authorities import authority_below, below, make_key, make_root, openssl
from tests.unit.module.controller import Controller
from tests.unit.module.refusals import Refusal, not_told

DELTA_URL = "http://pki.acme.example/root/delta.der"


def crl_options(folder: Path) -> dict[str, Any]:
    return {
        "issuer_path": str(folder / "root" / "ca.pem"),
        "issuer_key_id": "alias/module/root",
        "path": str(folder / "root" / "crl.pem"),
        "der_path": str(folder / "root" / "crl.der"),
    }


@pytest.fixture
def crl(controller: Controller, tmp_path: Path) -> dict[str, Any]:
    """The options of the CRL of a root that has issued two certificates, a minute ago as OpenSSL sees it."""
    controller.clock.now -= timedelta(minutes=1) - timedelta(milliseconds=7)
    make_root(controller, tmp_path)
    for name in ("good", "bad"):
        assert controller.run("kms_x509_cert", below(tmp_path, name))["changed"]
    return crl_options(tmp_path)


def revoke(controller: Controller, folder: Path, name: str, reason: str) -> None:
    controller.clock.tick()
    task = {"ledger_path": str(folder / "root" / "ledger.jsonl"), "name": name, "reason": reason}
    assert controller.run("x509_revocation", task)["changed"]
    controller.clock.tick()


def judged(folder: Path, name: str) -> str:
    """Have OpenSSL judge a certificate."""
    trusted = ["-CAfile", "root/ca.pem", "-CRLfile", "root/crl.pem"]
    command = ["openssl", "verify", "-crl_check_all", *trusted, f"{name}.pem"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_an_authority_that_is_missing_is_pending_in_check_mode_and_an_error_otherwise(
    controller: Controller, tmp_path: Path
) -> None:
    early = controller.run("kms_x509_crl", crl_options(tmp_path), check=True)
    assert (early["changed"], len(early["pending"])) == (True, 1)
    assert "does not exist yet" in controller.run("kms_x509_crl", crl_options(tmp_path))["msg"]


def test_a_crl_takes_no_other_file_of_its_task_away(
    controller: Controller, crl: dict[str, Any], tmp_path: Path
) -> None:
    folder = tmp_path / "root"
    (folder / "link.pem").symlink_to("crl.pem")
    refusals: list[Refusal] = [
        ("path and ledger_path are the same file", {"path": str(folder / "ledger.jsonl")}),
        ("path and ledger_path are the same file", {"path": str(folder / "x"), "ledger_path": str(folder / "x")}),
        ("path and issuer_path are the same file", {"path": f"{folder}/../root/ca.pem"}),
        ("path and base_path are the same file", {"base_path": str(folder / "link.pem")}),
        ("path and der_path are the same file", {"der_path": crl["path"]}),
        ("der_path and base_path are the same file", {"der_path": str(folder / "b"), "base_path": str(folder / "b")}),
    ]
    before = {file: file.read_bytes() for file in folder.glob("*.*") if file.exists()}
    assert not_told(controller, "kms_x509_crl", crl, refusals) == []
    assert {file: file.read_bytes() for file in folder.glob("*.*") if file.exists()} == before
    twice = {**crl, "format": "der", "der_path": crl["path"]}
    assert [controller.run("kms_x509_crl", twice)["changed"] for _run in range(2)] == [True, False]


def test_a_crl_is_made_once_for_what_is_revoked_and_openssl_heeds_it(
    controller: Controller, crl: dict[str, Any], tmp_path: Path
) -> None:
    checked, first = controller.run("kms_x509_crl", crl, check=True), controller.run("kms_x509_crl", crl)
    assert (checked["changed"], checked["sign_calls"]) == (True, 0)
    assert (first["changed"], first["sign_calls"], first["revoked_count"]) == (True, 1, 0)
    assert first["crl_number"] == int(controller.clock.now.timestamp()) * 1000 + 7
    unasked = {**crl, "issuer_key_id": "alias/nobody-asks-for-this", "return_content": True}
    again = controller.run("kms_x509_crl", unasked)
    assert (again["changed"], again["sign_calls"], again["crl_number"]) == (False, 0, first["crl_number"])
    assert again["crl"] == Path(crl["path"]).read_text()
    revoke(controller, tmp_path, "bad", "key_compromise")
    planned = controller.run("kms_x509_crl", crl, check=True)
    assert (planned["changed"], planned["reason"]) == (True, "revocations changed")
    assert "key_compromise" in planned["diff"]["after"]["revoked_certificates"][0]
    second = controller.run("kms_x509_crl", {**crl, "backup": True, "mode": "0640"})
    assert (second["changed"], second["revoked_count"], len(second["backup_files"])) == (True, 1, 2)
    assert second["crl_number"] > first["crl_number"]
    Path(crl["der_path"]).unlink()
    restored = controller.run("kms_x509_crl", {**crl, "mode": "0640"})
    assert (restored["changed"], restored["sign_calls"]) == (True, 0)
    read = openssl(
        tmp_path / "root", "crl", "-in", "crl.der", "-inform", "DER", "-noout", "-text", "-verify", "-CAfile", "ca.pem"
    )
    assert [part for part in ("verify OK", "X509v3 CRL Number", "Key Compromise") if part not in read] == []
    assert judged(tmp_path, "good") == "good.pem: OK\n"
    assert "certificate revoked" in judged(tmp_path, "bad")


def test_a_full_crl_that_waits_for_its_day_names_the_delta_crl_that_tells(
    controller: Controller, crl: dict[str, Any], tmp_path: Path
) -> None:
    assert controller.run("kms_x509_crl", crl)["changed"]
    controller.clock.tick()
    waiting = {**crl, "on_revocation": "wait", "delta_crl_urls": [DELTA_URL]}
    full = controller.run("kms_x509_crl", waiting)
    assert full["reason"] == "changed: freshest_crl"
    revoke(controller, tmp_path, "good", "certificate_hold")
    assert controller.run("kms_x509_crl", waiting)["changed"] is False
    issuer = {name: crl[name] for name in ("issuer_path", "issuer_key_id")}
    own = {"path": str(tmp_path / "root" / "delta.pem"), "base_path": crl["path"], "next_update": "+1d"}
    delta = controller.run("kms_x509_crl", {**issuer, **own})
    assert (delta["base_crl_number"], delta["revoked_count"]) == (full["crl_number"], 1)
    assert delta["crl_number"] > full["crl_number"]


def test_a_partition_that_is_too_long_fails_the_task_once_the_others_are_made(
    controller: Controller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crl_shards, "PARTITION_SIZE", 1)
    make_root(controller, tmp_path)
    make_key(controller, tmp_path, "devices", "ECC_NIST_EDWARDS25519")
    assert controller.run("kms_x509_cert", authority_below(tmp_path, "devices"))["changed"]
    url = "http://pki.acme.example/devices/crl-{partition}.der"
    for name in ("first", "second"):
        options = below(tmp_path, name, "devices", crl_distribution_points=[{"full_name": [url]}])
        assert controller.run("kms_x509_cert", options)["changed"]
    ledger = FileLedger(tmp_path / "devices" / "ledger.jsonl", lambda: controller.clock.now)
    serials = [serial_text((1 << 158) + count) for count in range(110)]
    now = controller.clock.now
    ledger.append_all([Revoked(new_id(), now, serial, "superseded", now) for serial in serials])
    crls = {
        "issuer_path": str(tmp_path / "devices" / "ca.pem"),
        "issuer_key_id": "alias/module/devices",
        "path": str(tmp_path / "devices" / "crl-{partition}.pem"),
        "crl_urls": [url],
    }
    checked, done = controller.run("kms_x509_crl", crls, check=True), controller.run("kms_x509_crl", crls)
    for told in (checked, done):
        assert told["failed"]
        assert "crl-0.pem: a CRL of 110 entries is longer than 4096 bytes" in told["msg"]
    assert sorted(path.name for path in (tmp_path / "devices").glob("crl-*")) == ["crl-1.pem"]
