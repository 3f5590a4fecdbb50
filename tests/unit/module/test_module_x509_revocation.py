# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A certificate is put on hold, released and revoked, whichever way the task names it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.rootstock.pki.plugins.filter.to_serial import to_serial
from tests.unit.module.authorities import below, make_key, make_root
from tests.unit.module.controller import Controller


@pytest.fixture
def badge(controller: Controller, tmp_path: Path) -> dict[str, Any]:
    """What was told of a certificate when it was issued."""
    make_root(controller, tmp_path)
    return controller.run("kms_x509_cert", below(tmp_path, "badge"))


def ledger(folder: Path) -> str:
    return str(folder / "root" / "ledger.jsonl")


def test_what_is_missing_is_pending_in_check_mode_and_an_error_otherwise(
    controller: Controller, tmp_path: Path
) -> None:
    issuer = str(tmp_path / "root" / "ca.pem")
    task = {"ledger_path": ledger(tmp_path), "path": str(tmp_path / "badge.pem"), "issuer_path": issuer}
    planned = controller.run("x509_revocation", task, check=True)
    assert (planned["changed"], len(planned["pending"])) == (False, 2)
    assert f"{ledger(tmp_path)} does not exist" in controller.run("x509_revocation", task)["msg"]


def test_a_hold_is_planned_in_the_diff_made_once_and_ended_by_the_content(
    controller: Controller, badge: dict[str, Any], tmp_path: Path
) -> None:
    hold = {
        "ledger_path": ledger(tmp_path),
        "path": str(tmp_path / "badge.pem"),
        "issuer_path": str(tmp_path / "root" / "ca.pem"),
        "reason": "certificate_hold",
    }
    planned = controller.run("x509_revocation", hold, check=True)
    serial = badge["serial_number_hex"]
    assert (planned["changed"], planned["certificates"][0]["status"]) == (True, "valid")
    assert planned["diff"]["before"][serial] == "not revoked"
    assert planned["diff"]["after"][serial].startswith("on hold since ")
    done, again = controller.run("x509_revocation", hold), controller.run("x509_revocation", hold)
    [told] = done["certificates"]
    assert (told["status"], told["serial_number"], done["sign_calls"]) == ("on_hold", badge["serial_number"], 0)
    assert (again["changed"], again["certificates"]) == (False, done["certificates"])
    content = (tmp_path / "badge.pem").read_text()
    release = {"ledger_path": ledger(tmp_path), "content": content, "state": "released"}
    released = controller.run("x509_revocation", release)
    assert (released["changed"], released["certificates"][0]["status"]) == (True, "valid")
    assert not controller.run("x509_revocation", release)["changed"]
    assert not controller.run("kms_x509_cert", below(tmp_path, "badge"))["changed"]


def test_a_serial_number_may_be_written_in_any_way_and_a_successor_is_issued(
    controller: Controller, badge: dict[str, Any], tmp_path: Path
) -> None:
    usual, serial = {"ledger_path": ledger(tmp_path)}, badge["serial_number_hex"]
    lost = {"reason": "key_compromise", "invalidity_date": "20260101000000Z"}
    revoked = controller.run("x509_revocation", {**usual, **lost, "serial_number_hex": serial})
    revocation = revoked["certificates"][0]["revocation"]
    assert (revocation["reason"], revocation["invalidity_date"]) == ("key_compromise", "20260101000000Z")
    for named in (
        {**lost, "serial_number_hex": serial},
        {"serial_number": badge["serial_number"]},
        {"serial_number_hex": to_serial(badge["serial_number"])},
        {"serial_number_hex": serial.lower()},
        {"name": "badge"},
    ):
        assert controller.run("x509_revocation", {**usual, **named})["changed"] is False, named
    controller.clock.tick()
    assert "the subject key was compromised" in controller.run("kms_x509_cert", below(tmp_path, "badge"))["msg"]
    another_key = make_key(controller, tmp_path, "badge")
    successor = controller.run("kms_x509_cert", below(tmp_path, "badge", public_key_path=another_key))
    assert successor["changed"]
    assert successor["serial_number"] != badge["serial_number"]
    old = {"name": "badge", "issued_before": "20260101000000Z"}
    older = controller.run("x509_revocation", {**usual, **old})
    assert (older["changed"], older["certificates"]) == (False, [])
    by_name = controller.run("x509_revocation", {**usual, "name": "badge"})
    assert by_name["changed"]
    assert [one["status"] for one in by_name["certificates"]] == ["revoked", "revoked"]


def test_a_serial_number_that_nobody_recorded_is_revoked_as_foreign(controller: Controller, tmp_path: Path) -> None:
    foreign = {"ledger_path": str(tmp_path / "ledger.jsonl"), "serial_number": 2583, "foreign": True}
    told = controller.run("x509_revocation", foreign)
    [known] = told["certificates"]
    assert (told["changed"], known["serial_number_hex"], known["name"]) == (True, "0A17", None)
