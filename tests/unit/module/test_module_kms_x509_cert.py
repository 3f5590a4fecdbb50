# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What kms_x509_cert plans, it does with one signature; files come back without any."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.module.authorities import authority_below, below, make_key, make_root, openssl, root_options
from tests.unit.module.controller import Controller

DOUBT = "pkix.name_domain_components_invalid_domain_name"


@pytest.fixture
def web(controller: Controller, tmp_path: Path) -> dict[str, Any]:
    """The options of a server's certificate, below two authorities that are not made yet."""
    make_root(controller, tmp_path)
    make_key(controller, tmp_path, "services")
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "web.key"]
    openssl(tmp_path, "req", "-new", *new_key, "-out", "web.csr", "-subj", "/CN=web.acme.internal")
    options = {
        "certificate_profile": "tls_server",
        "csr_path": str(tmp_path / "web.csr"),
        "issuer_chain_path": [str(tmp_path / "root" / "ca.pem")],
        "subject_alt_name": ["DNS:web.acme.internal"],
        "chain_path": str(tmp_path / "web.chain.pem"),
        "fullchain_path": str(tmp_path / "web.fullchain.pem"),
        "mode": "0640",
    }
    options = below(tmp_path, "web", "services", **options)
    return {name: value for name, value in options.items() if name not in ("public_key_path", "subject")}


def services(folder: Path) -> dict[str, Any]:
    return authority_below(folder, "services", path_length=0, name_constraints_permitted=["DNS:acme.internal"])


def test_a_key_that_is_missing_is_pending_in_check_mode_and_an_error_otherwise(
    controller: Controller, tmp_path: Path
) -> None:
    planned = controller.run("kms_x509_cert", root_options(tmp_path), check=True)
    told = "the KMS key alias/module/root does not exist yet; create it with kms_key"
    assert (planned["changed"], planned["pending"], planned["sign_calls"]) == (True, [told], 0)
    assert planned["diff"]["after"]["subject"] == "CN=Acme root,O=Acme"
    assert "create it with kms_key" in controller.run("kms_x509_cert", root_options(tmp_path))["msg"]


def test_a_content_is_returned_and_a_copy_kept(controller: Controller, tmp_path: Path) -> None:
    made = make_root(controller, tmp_path)
    assert Path(made["issued_path"]).is_file()
    again = controller.run("kms_x509_cert", {**root_options(tmp_path), "return_content": True})
    assert (again["changed"], again["serial_number_hex"]) == (False, made["serial_number_hex"])
    assert again["certificate"] == (tmp_path / "root" / "ca.pem").read_text()


def test_two_certificates_whose_files_have_one_name_need_two_names(controller: Controller, tmp_path: Path) -> None:
    make_root(controller, tmp_path)
    first, second = (
        below(tmp_path, f"{name}/server", public_key_path=make_key(controller, tmp_path, name)) for name in "ab"
    )
    assert controller.run("kms_x509_cert", first)["changed"]
    assert "give this one a name of its own" in controller.run("kms_x509_cert", second, check=True)["msg"]
    second["name"] = "b"
    assert controller.run("kms_x509_cert", second)["changed"]
    assert [controller.run("kms_x509_cert", task)["changed"] for task in (first, second)] == [False, False]


def test_a_content_moves_to_another_issuer_where_the_ledger_of_the_former_one_is_named(
    controller: Controller, tmp_path: Path
) -> None:
    for name in ("root", "root-r2"):
        make_root(controller, tmp_path, name)
    leaf = below(tmp_path, "leaf", return_content=True)
    content = controller.run("kms_x509_cert", leaf)["certificate"]
    own = {"name": "leaf", "content": content, "public_key_path": leaf["public_key_path"]}
    moved = {**below(tmp_path, "leaf", "root-r2"), **own}
    del moved["path"]
    assert "does not know" in controller.run("kms_x509_cert_pipe", moved)["msg"]
    moved["former_ledger_path"] = [str(tmp_path / "root" / "ledger.jsonl")]
    told = controller.run("kms_x509_cert_pipe", moved)
    assert (told["sign_calls"], told["reason"]) == (1, "changed: issuer, authority_key_identifier")


def test_a_tree_is_planned_before_its_issuers_are_there_and_a_lost_file_costs_no_signature(
    controller: Controller, web: dict[str, Any], tmp_path: Path
) -> None:
    planned = controller.run("kms_x509_cert", web, check=True)
    assert "does not exist yet; issue it first" in str(planned["pending"])
    for options in (services(tmp_path), web):
        assert controller.run("kms_x509_cert", options)["sign_calls"] == 1
        assert controller.run("kms_x509_cert", options, check=True)["changed"] is False
    assert verified(tmp_path) == "web.pem: OK\n"
    files = [Path(web[option]) for option in ("path", "chain_path", "fullchain_path")]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o640}
    Path(web["path"]).unlink()
    restored = controller.run("kms_x509_cert", web)
    assert (restored["changed"], restored["sign_calls"]) == (True, 0)
    assert verified(tmp_path) == "web.pem: OK\n"
    changed = controller.run("kms_x509_cert", {**web, "subject_alt_name": ["DNS:www.acme.internal"]}, check=True)
    assert (changed["changed"], changed["reason"]) == (True, "changed: subject_alt_name")
    assert changed["diff"]["before"]["subject_alt_name"] == ["DNS:web.acme.internal"]
    assert changed["diff"]["after"]["subject_alt_name"] == ["DNS:www.acme.internal"]


def verified(folder: Path) -> str:
    """Have OpenSSL verify the server's certificate as a client does."""
    trusted = ["-CAfile", "root/ca.pem", "-untrusted", "web.chain.pem"]
    return openssl(folder, "verify", "-x509_strict", "-purpose", "sslserver", *trusted, "web.pem")


def test_what_pkilint_finds_is_a_warning_or_an_error_before_anything_is_signed(
    controller: Controller, web: dict[str, Any], tmp_path: Path
) -> None:
    controller.run("kms_x509_cert", services(tmp_path))
    subject = {"domain_component": "acme", "common_name": "web.acme.internal"}
    doubtful = {**web, "name": "doubtful", "path": str(tmp_path / "doubtful.pem"), "subject": subject}
    checked = controller.run("kms_x509_cert", {**doubtful, "lint": "warn"}, check=True)
    assert [finding["code"] for finding in checked["lint_findings"]] == [DOUBT]
    assert json.dumps(checked["warnings"]).count(f"lint error {DOUBT}") == 1
    assert f"lint error {DOUBT}" in controller.run("kms_x509_cert", {**doubtful, "lint": "error"})["msg"]
    assert not (tmp_path / "doubtful.pem").exists()
    done = controller.run("kms_x509_cert", {**doubtful, "lint": "warn"})
    assert (done["changed"], done["lint_findings"]) == (True, checked["lint_findings"])
    again = controller.run("kms_x509_cert", {**doubtful, "lint": "error"}, check=True)
    assert (again["changed"], again["lint_findings"]) == (False, [])
    good = controller.run("kms_x509_cert", {**web, "lint": "error", "force": True})
    assert (good["changed"], good["lint_findings"]) == (True, [])


def test_what_is_refused_leaves_the_certificate_as_it_was(
    controller: Controller, web: dict[str, Any], tmp_path: Path
) -> None:
    for options in (services(tmp_path), web):
        assert controller.run("kms_x509_cert", options)["changed"]
    outside = controller.run("kms_x509_cert", {**web, "subject_alt_name": ["DNS:acme.example"]})
    other_key = controller.run("kms_x509_cert", {**web, "issuer_key_id": "alias/module/root", "force": True})
    assert "is outside of what CN=services permits" in outside["msg"]
    assert "is not a ECDSA_SHA_256 signature" in other_key["msg"]
    assert controller.run("kms_x509_cert", web, check=True)["changed"] is False
