# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the ledgers of a tree say, all of it or the part that was asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.module.authorities import authority_below, below, make_key, make_root
from tests.unit.module.controller import Controller
from tests.unit.module.refusals import Refusal, not_told

PARTS = [
    (["billing"], {"expires_before": "+30d"}),
    (["root", "services", "billing"], {"status": ["valid"]}),
    (["orders"], {"name": ["orders"], "status": ["superseded", "expired"]}),
    (["root"], {"certificate_profile": ["root_ca"]}),
    (["root"], {"limit": 1}),
    ([], {"limit": 0}),
]


def ledgers(folder: Path) -> dict[str, Any]:
    return {"ledger_path": [str(folder / name / "ledger.jsonl") for name in ("root", "services")]}


@pytest.fixture
def issued(controller: Controller, tmp_path: Path) -> list[dict[str, Any]]:
    """Two authorities, the second of which has issued billing, orders and orders again; the last one is revoked."""
    make_root(controller, tmp_path)
    make_key(controller, tmp_path, "services")
    assert controller.run("kms_x509_cert", authority_below(tmp_path, "services"))["changed"]
    made = []
    for name, more in (("billing", {"not_after": "+20d"}), ("orders", {}), ("orders", {"force": True})):
        controller.clock.tick()
        made.append(controller.run("kms_x509_cert", below(tmp_path, name, "services", **more)))
    lost = {"serial_number_hex": made[2]["serial_number_hex"], "reason": "key_compromise"}
    assert controller.run("x509_revocation", {"ledger_path": ledgers(tmp_path)["ledger_path"][1], **lost})["changed"]
    controller.clock.tick()
    return made


def names(told: dict[str, Any]) -> list[str]:
    return [one["name"] for one in told["certificates"]]


def test_ledgers_that_are_missing_are_pending_in_check_mode_and_an_error_otherwise(
    controller: Controller, tmp_path: Path
) -> None:
    planned = controller.run("x509_ledger_info", ledgers(tmp_path), check=True)
    assert planned["changed"] is False
    assert planned["pending"] == [f"{path} does not exist" for path in ledgers(tmp_path)["ledger_path"]]
    assert planned["pending"][0] in controller.run("x509_ledger_info", ledgers(tmp_path))["msg"]


def test_every_certificate_is_told_with_how_it_stands(
    controller: Controller, issued: list[dict[str, Any]], tmp_path: Path
) -> None:
    seen = controller.run("x509_ledger_info", ledgers(tmp_path))
    assert controller.run("x509_ledger_info", ledgers(tmp_path), check=True) == seen
    told = seen["certificates"]
    assert [(one["name"], one["status"]) for one in told] == [
        ("root", "valid"),
        ("services", "valid"),
        ("billing", "valid"),
        ("orders", "revoked"),
        ("orders", "superseded"),
    ]
    assert told[3]["revocation"]["reason"] == "key_compromise"
    assert told[4]["superseded_by"] == told[3]["serial_number_hex"] == issued[2]["serial_number_hex"]
    assert (told[2]["days_left"], Path(told[2]["issued_path"]).is_file()) == (19, True)
    assert (seen["counts"]["valid"], [one["counts"]["revoked"] for one in seen["ledgers"]]) == (3, [0, 1])
    assert (seen["open_intents"], seen["duplicates"], seen["truncated"]) == ([], [], False)
    for wanted, part in PARTS:
        some = controller.run("x509_ledger_info", {**ledgers(tmp_path), **part})
        assert (names(some), some["truncated"], some["counts"]) == (wanted, "limit" in part, seen["counts"]), part


@pytest.mark.usefixtures("issued")
def test_a_ledger_is_told_as_that_of_its_issuer_and_refused_as_that_of_another(
    controller: Controller, tmp_path: Path
) -> None:
    root, services = ledgers(tmp_path)["ledger_path"]
    issuer = {"issuer_path": str(tmp_path / "root" / "ca.pem")}
    own = controller.run("x509_ledger_info", {"ledger_path": root, **issuer})
    both = controller.run("x509_ledger_info", ledgers(tmp_path))
    assert own["ledgers"][0]["authority"] == both["ledgers"][0]["authority"]
    refusals: list[Refusal] = [
        ("ledger of another authority", {"ledger_path": services, **issuer}),
        ("limit: -1 is below 0", {"limit": -1}),
        ("is not understood", {"expires_before": "soon"}),
        ("Is a directory", {"ledger_path": str(tmp_path)}),
        ("holds no certificate", {"issuer_path": root}),
    ]
    assert not_told(controller, "x509_ledger_info", {"ledger_path": root}, refusals) == []


def test_a_run_that_was_killed_leaves_its_intent(
    controller: Controller, issued: list[dict[str, Any]], tmp_path: Path
) -> None:
    killed, services = tmp_path / "killed.jsonl", Path(ledgers(tmp_path)["ledger_path"][1])
    killed.write_text(services.read_text().splitlines(keepends=True)[0])
    told = controller.run("x509_ledger_info", {"ledger_path": str(killed)})
    [intent] = told["open_intents"]
    assert (told["certificates"], intent["name"]) == ([], "billing")
    assert intent["serial_number_hex"] == issued[0]["serial_number_hex"]
