# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests, in files and pipes, and certificates that come back for them or never were in a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.module.authorities import below, make_key, openssl, root_options
from tests.unit.module.controller import Controller, StoppedClock


@pytest.fixture
def request_options(tmp_path: Path) -> dict[str, Any]:
    return {
        "path": str(tmp_path / "services" / "ca.csr"),
        "name": "services",
        "key_id": "alias/module/services",
        "certificate_profile": "subordinate_ca",
        "subject": {"organization_name": "Acme", "common_name": "Acme Services S1"},
        "path_length": 0,
    }


def without_path(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name != "path"}


def test_a_request_is_signed_once_and_openssl_accepts_it(
    controller: Controller, request_options: dict[str, Any], tmp_path: Path
) -> None:
    assert controller.run("kms_x509_csr", request_options, check=True)["pending"]
    make_key(controller, tmp_path, "services", "RSA_2048")
    assert controller.run("kms_x509_csr", request_options)["sign_calls"] == 1
    again = controller.run("kms_x509_csr", {**request_options, "return_content": True})
    assert (again["changed"], again["sign_calls"]) == (False, 0)
    other = controller.run("kms_x509_csr", {**request_options, "subject": {"common_name": "Another"}}, check=True)
    assert other["reason"] == "changed: subject"
    read = openssl(tmp_path, "req", "-in", "services/ca.csr", "-noout", "-verify", "-subject", "-text")
    assert "verify OK" in read
    assert "CA:TRUE, pathlen:0" in read
    pipe = {"content": again["csr"], "ledger_path": str(tmp_path / "services" / "ledger.jsonl")}
    piped = controller.run("kms_x509_csr_pipe", {**without_path(request_options), **pipe})
    assert (piped["changed"], piped["csr"]) == (False, again["csr"])


def test_a_pipe_makes_a_request_with_any_padding(controller: Controller, tmp_path: Path) -> None:
    make_key(controller, tmp_path, "services", "RSA_2048")
    options = {
        "name": "piped",
        "key_id": "alias/module/services",
        "ledger_path": str(tmp_path / "piped" / "ledger.jsonl"),
        "certificate_profile": "custom",
        "subject": {"common_name": "Piped"},
        "signature_padding": "pss",
        "digest": "sha384",
    }
    told = controller.run("kms_x509_csr_pipe", options)
    assert (told["changed"], told["sign_calls"]) == (True, 1)
    (tmp_path / "piped.csr").write_text(told["csr"])
    read = openssl(tmp_path, "req", "-in", "piped.csr", "-noout", "-verify", "-text")
    assert [part for part in ("verify OK", "rsassaPss", "sha384") if part not in read] == []


def test_a_certificate_in_a_pipe_is_signed_once_and_comes_back_to_who_lost_it(
    controller: Controller, tmp_path: Path
) -> None:
    make_key(controller, tmp_path, "root")
    own = {"ledger_path": str(tmp_path / "root" / "ledger.jsonl")}
    root = controller.run("kms_x509_cert_pipe", {**without_path(root_options(tmp_path)), **own})
    assert (root["sign_calls"], root["chain"]) == (1, "")
    issuer = {"issuer_content": root["certificate"], "issuer_path": None, "name": "client", **own}
    client = {**without_path(below(tmp_path, "client")), **issuer}
    client = {name: value for name, value in client.items() if value is not None}
    assert controller.run("kms_x509_cert_pipe", client, check=True)["changed"]
    done = controller.run("kms_x509_cert_pipe", client)
    assert done["sign_calls"] == 1
    again = controller.run("kms_x509_cert_pipe", {**client, "content": done["certificate"]})
    assert (again["changed"], again["certificate"]) == (False, done["certificate"])
    lost = controller.run("kms_x509_cert_pipe", client)
    assert (lost["changed"], lost["sign_calls"], lost["certificate"]) == (True, 0, done["certificate"])


def test_an_authority_whose_certificate_was_taken_issues_below_somebody_elses_root(
    controller: Controller, request_options: dict[str, Any], tmp_path: Path
) -> None:
    make_key(controller, tmp_path, "services")
    assert controller.run("kms_x509_csr", request_options)["changed"]
    partner = make_partner(tmp_path)
    controller.clock.now = StoppedClock().now  # it is later than when the test began, also for openssl
    taken = {
        "src": str(tmp_path / "services.pem"),
        "path": str(tmp_path / "services" / "ca.pem"),
        "public_key_path": str(tmp_path / "services" / "public_key.pem"),
        "trusted_certificate_path": [partner],
        "fullchain_path": str(tmp_path / "services" / "chain.pem"),
    }
    assert "is of the key" in controller.run("x509_cert_import", {**taken, "src": partner})["msg"]
    nowhere = controller.run("x509_cert_import", {**taken, "trusted_certificate_path": []})
    assert "trusted_certificate_path: is empty; name the roots, or leave it out" in nowhere["msg"]
    anywhere = {name: value for name, value in taken.items() if name != "trusted_certificate_path"}
    assert controller.run("x509_cert_import", anywhere, check=True)["changed"]
    early = {**taken, "public_key_path": str(tmp_path / "later.pem")}
    planned = controller.run("x509_cert_import", early, check=True)
    told = f"the public key {tmp_path}/later.pem does not exist yet; write it with kms_public_key"
    assert (planned["changed"], planned["pending"]) == (True, [told])
    assert controller.run("x509_cert_import", early)["msg"] == told
    assert not Path(taken["path"]).exists()
    assert controller.run("x509_cert_import", taken)["changed"]
    assert controller.run("x509_cert_import", taken)["changed"] is False
    client = below(tmp_path, "client", "services", issuer_chain_path=[partner], not_after="+10d")
    assert controller.run("kms_x509_cert", client)["changed"]
    openssl(tmp_path, "verify", "-x509_strict", "-CAfile", partner, "-untrusted", "services/chain.pem", "client.pem")
    before = Path(taken["path"]).read_bytes()
    sign_request(tmp_path, "-subj", "/CN=Renamed")
    told = controller.run("x509_cert_import", taken)["msg"]
    assert "subject would change while 1 certificates it issued are valid; make a new authority beside it" in told
    assert Path(taken["path"]).read_bytes() == before
    sign_request(tmp_path)
    assert controller.run("x509_cert_import", taken)["changed"]


def make_partner(folder: Path) -> str:
    """Make a root with openssl, have it sign the request, and return the root's path."""
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "partner.key"]
    usage = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"]
    openssl(folder, "req", "-x509", *new_key, "-out", "partner.pem", "-subj", "/CN=Partner", "-days", "100", *usage)
    sign_request(folder)
    return str(folder / "partner.pem")


def sign_request(folder: Path, *more: str) -> None:
    """Have the partner answer the request, once more with another serial number."""
    authority = ["-CA", "partner.pem", "-CAkey", "partner.key", "-CAcreateserial", "-days", "50", *more]
    copied = ["-copy_extensions", "copyall", "-out", "services.pem"]
    openssl(folder, "x509", "-req", "-in", "services/ca.csr", *authority, *copied)
