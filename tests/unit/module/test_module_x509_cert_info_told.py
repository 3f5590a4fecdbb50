# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is told of a certificate: what stands in it, and how it stands with its issuer and the ledger."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.module.authorities import below, make_key, make_root
from tests.unit.module.controller import Controller
from tests.unit.module.refusals import Refusal, not_told


@pytest.fixture
def issued(controller: Controller, tmp_path: Path) -> dict[str, Any]:
    """What was told of a server's certificate when it was issued, below a root with name constraints."""
    make_root(controller, tmp_path, key_spec="ECC_NIST_P384")
    make_key(controller, tmp_path, "web", "RSA_2048")
    controller.clock.tick()
    return controller.run("kms_x509_cert", web(tmp_path))


def web(folder: Path) -> dict[str, Any]:
    own = {
        "certificate_profile": "tls_server",
        "not_after": "+400d12h",
        "public_key_path": str(folder / "web" / "public_key.pem"),
        "subject": {"common_name": "web.acme.internal"},
        "subject_alt_name": ["DNS:web.acme.internal", "IP:2001:db8::1"],
        "authority_information_access": {"ca_issuers": ["http://pki.acme.example/root.cer"]},
        "crl_distribution_points": [{"full_name": ["URI:http://pki.acme.example/root.crl"]}],
    }
    return below(folder, "web", **own)


def question(folder: Path) -> dict[str, Any]:
    return {
        "path": str(folder / "web.pem"),
        "issuer_path": str(folder / "root" / "ca.pem"),
        "ledger_path": str(folder / "root" / "ledger.jsonl"),
    }


def test_files_that_are_missing_are_pending_in_check_mode_and_an_error_otherwise(
    controller: Controller, tmp_path: Path
) -> None:
    planned = controller.run("x509_cert_info", question(tmp_path), check=True)
    assert planned["changed"] is False
    assert planned["pending"] == [f"{path} does not exist" for path in question(tmp_path).values()]
    assert planned["pending"][0] in controller.run("x509_cert_info", question(tmp_path))["msg"]


def test_a_certificate_is_told_with_where_it_comes_from_and_how_it_stands(
    controller: Controller, issued: dict[str, Any], tmp_path: Path
) -> None:
    asked = {**question(tmp_path), "valid_at": {"tomorrow": "+1d", "much_later": "+401d"}}
    seen = controller.run("x509_cert_info", asked)
    assert controller.run("x509_cert_info", asked, check=True) == seen
    assert {
        "changed": False,
        "issuer_match": True,
        "certificate_profile": "tls_server",
        "ledger": {"name": "web", "status": "valid", "revocation": None, "superseded_by": None},
        "serial_number_hex": issued["serial_number_hex"],
        "valid_at": {"tomorrow": True, "much_later": False},
        "days_left": 400,
        "issuer_uri": "http://pki.acme.example/root.cer",
        "crl_uris": ["http://pki.acme.example/root.crl"],
        "sign_calls": 0,
    }.items() <= seen.items()


def test_a_root_of_ml_dsa_has_the_name_of_its_key_and_its_constraints(controller: Controller, tmp_path: Path) -> None:
    permitted = ["DNS:acme.internal", "IP:2001:db8::/32"]
    make_root(controller, tmp_path, "future", key_spec="ML_DSA_65", name_constraints_permitted=permitted)
    content = (tmp_path / "future" / "ca.pem").read_text()
    told = controller.run("x509_cert_info", {"content": content})
    assert told["public_key_type"] == "ML-DSA-65"
    assert told["name_constraints_permitted"][:2] == permitted
    assert told["name_constraints_excluded"] == ["IP:0.0.0.0/0"]
    assert (told["issuer_match"], told["ledger"]) == (None, None)


def test_a_successor_is_named_and_a_stranger_knows_nothing(
    controller: Controller, issued: dict[str, Any], tmp_path: Path
) -> None:
    make_root(controller, tmp_path, "future")
    controller.clock.tick()
    second = controller.run("kms_x509_cert", {**web(tmp_path), "force": True})
    ledger = question(tmp_path)["ledger_path"]
    first = controller.run("x509_cert_info", {"path": issued["issued_path"], "ledger_path": ledger})
    assert first["ledger"]["status"] == "superseded"
    assert first["ledger"]["superseded_by"] == second["serial_number_hex"]
    other = {name: question(tmp_path)[name].replace("/root/", "/future/") for name in ("issuer_path", "ledger_path")}
    stranger = controller.run("x509_cert_info", {**question(tmp_path), **other})
    known = [stranger[name] for name in ("issuer_match", "ledger", "certificate_profile")]
    assert known == [False, None, None]


@pytest.mark.usefixtures("issued")
def test_nothing_is_said_of_what_is_no_certificate(controller: Controller, tmp_path: Path) -> None:
    make_root(controller, tmp_path, "future")
    path, issuer, ledger = (question(tmp_path)[name] for name in ("path", "issuer_path", "ledger_path"))
    refusals: list[Refusal] = [
        ("holds no certificate", {"path": ledger}),
        ("cannot be read (Is a directory)", {"path": str(tmp_path)}),
        ("holds no certificate", {"issuer_content": "nothing"}),
        ("time 'soon' is not understood", {"valid_at": {"then": "soon"}}),
        (
            "this is the ledger of another authority",
            {"issuer_path": issuer, "ledger_path": ledger.replace("/root/", "/future/")},
        ),
        ("line 1 is not a JSON object", {"ledger_path": path}),
    ]
    assert not_told(controller, "x509_cert_info", {"path": path}, refusals) == []
