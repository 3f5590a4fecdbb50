# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A ledger that a merge has damaged is repaired when that is asked for, and nothing of it is lost."""

from __future__ import annotations

from pathlib import Path

from tests.unit.module.controller import Controller


def test_the_damaged_line_alone_is_set_aside_and_the_old_file_kept(controller: Controller, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.jsonl"
    task, repair = {"ledger_path": str(ledger)}, {"ledger_path": str(ledger), "repair": True}
    planned = controller.run("x509_ledger", task, check=True)
    assert (planned["changed"], planned["pending"]) == (False, [f"the ledger {ledger} does not exist"])
    assert f"{ledger} does not exist" in controller.run("x509_ledger", task)["msg"]
    foreign = [{**task, "serial_number": number, "foreign": True} for number in (1, 2, 3)]
    assert all(controller.run("x509_revocation", one)["changed"] for one in foreign)
    assert controller.run("x509_ledger", repair)["changed"] is False
    lines = ledger.read_text().splitlines(keepends=True)
    damaged = "".join([*lines[:2], "<<<<<<< HEAD\n", *lines[2:]])
    ledger.write_text(damaged)
    for module in ("x509_ledger_info", "x509_revocation"):
        told = controller.run(module, task if module == "x509_ledger_info" else foreign[0])
        assert "line 3 is a conflict marker of Git" in told["msg"]
    assert "repair" in controller.run("x509_ledger", task)["msg"]
    checked = controller.run("x509_ledger", repair, check=True)
    assert (checked["changed"], ledger.read_text()) == (True, damaged)
    assert "conflict marker" in checked["diff"]["before"]["line 3"]
    done = controller.run("x509_ledger", repair)
    assert (done["changed"], [line["number"] for line in done["damaged_lines"]]) == (True, [3])
    assert Path(done["kept_path"]).read_text() == damaged
    again = controller.run("x509_ledger", repair)
    assert (again["changed"], again["damaged_lines"]) == (False, [])
    assert not any(controller.run("x509_revocation", {**one, "foreign": False})["changed"] for one in foreign)


def test_the_ledger_that_a_link_stands_for_is_repaired(controller: Controller, tmp_path: Path) -> None:
    store, link = tmp_path / "store", tmp_path / "ledger.jsonl"
    store.mkdir()
    link.symlink_to("store/ledger.jsonl")
    task = {"ledger_path": str(link)}
    assert controller.run("x509_revocation", {**task, "serial_number": 1, "foreign": True})["changed"]
    sound = (store / "ledger.jsonl").read_text()
    (store / "ledger.jsonl").write_text(f"{sound}garbage\n")
    done = controller.run("x509_ledger", {**task, "repair": True})
    assert (link.is_symlink(), (store / "ledger.jsonl").read_text()) == (True, sound)
    assert Path(done["kept_path"]).parent == store


def test_a_byte_order_mark_does_not_matter_and_a_repair_takes_it_off(controller: Controller, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.jsonl"
    task, repair = {"ledger_path": str(ledger)}, {"ledger_path": str(ledger), "repair": True}
    assert controller.run("x509_revocation", {**task, "serial_number": 1, "foreign": True})["changed"]
    sound = ledger.read_bytes()
    ledger.write_bytes(b"\xef\xbb\xbf" + sound)
    assert controller.run("x509_ledger", task)["changed"] is False
    assert controller.run("x509_ledger_info", task)["counts"]
    checked = controller.run("x509_ledger", repair, check=True)
    assert (checked["changed"], list(checked["diff"]["before"])) == (True, ["byte order mark"])
    assert ledger.read_bytes() != sound
    done = controller.run("x509_ledger", repair)
    assert (done["changed"], done["damaged_lines"], ledger.read_bytes()) == (True, [], sound)
    assert Path(done["kept_path"]).read_bytes() == b"\xef\xbb\xbf" + sound
    assert controller.run("x509_ledger", repair)["changed"] is False
