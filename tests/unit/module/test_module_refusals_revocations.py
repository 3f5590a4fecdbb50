# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What x509_revocation refuses, each in one sentence."""

from __future__ import annotations

from pathlib import Path

from tests.unit.module.controller import Controller
from tests.unit.module.refusals import Refusal, not_told


def make_root(controller: Controller, folder: Path, name: str) -> int:
    """Make a root and return its serial number."""
    assert controller.run("kms_key", {"alias": f"refusals/{name}", "use": "ca"})["changed"]
    options = {
        "path": str(folder / name / "ca.pem"),
        "name": name,
        "certificate_profile": "root_ca",
        "key_id": f"alias/refusals/{name}",
        "subject": {"common_name": name},
    }
    serial: int = controller.run("kms_x509_cert", options)["serial_number"]
    return serial


def test_what_must_not_be_recorded(controller: Controller, tmp_path: Path) -> None:
    serial = make_root(controller, tmp_path, "root")
    make_root(controller, tmp_path, "other")
    ledger = tmp_path / "root" / "ledger.jsonl"
    usual = {"ledger_path": str(ledger)}
    lost = {**usual, "serial_number": serial, "reason": "key_compromise"}
    assert controller.run("x509_revocation", lost)["changed"]
    before = ledger.read_text()
    assert not_told(controller, "x509_revocation", usual, refusals(tmp_path, serial)) == []
    assert ledger.read_text() == before


def refusals(folder: Path, revoked: int) -> list[Refusal]:
    other = str(folder / "other" / "ca.pem")
    return [
        ("is not in this ledger", {"serial_number": 1}),
        ("no certificate is named nobody", {"name": "nobody"}),
        ("mutually exclusive", {"serial_number": revoked, "serial_number_hex": "0A17"}),
        ("one of the following is required", {}),
        ("is no text of hex digits", {"serial_number_hex": "0xfg"}),
        ("value of reason must be one of", {"serial_number": revoked, "reason": "remove_from_crl"}),
        ("cannot become superseded", {"serial_number": revoked, "reason": "superseded"}),
        ("only a hold can be released", {"serial_number": revoked, "state": "released"}),
        ("go with state: revoked only", {"serial_number": revoked, "state": "released", "reason": "superseded"}),
        ("is in the future", {"serial_number": revoked, "revocation_date": "+1h"}),
        ("is not understood", {"serial_number": revoked, "invalidity_date": "yesterday"}),
        ("cannot be read", {"path": str(folder / "missing.pem")}),
        ("holds no certificate", {"path": str(folder / "other" / "ledger.jsonl")}),
        ("ledger of another authority", {"serial_number": revoked, "issuer_path": other}),
        ("is not in this ledger", {"path": other}),
        ("cannot be told", {"path": other, "foreign": True}),
        (
            "was not signed by the issuer given",
            {"path": other, "issuer_path": str(folder / "root" / "ca.pem"), "foreign": True},
        ),
    ]
