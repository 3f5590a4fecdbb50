# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role revokes from any folder, and what it cannot revoke does not keep the world from learning of the rest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cryptography import x509

from localaws.testing import Account, account, local_aws
from tests.unit.module.authorities import below, make_root
from tests.unit.module.controller import Controller
from tests.unit.roles.plays import play, run_plays

__all__ = ["account", "local_aws"]


def make_tree(controller: Controller, folder: Path) -> dict[str, Any]:
    """Make a root with one certificate, and return the variables that describe it."""
    made = folder / "pki"
    make_root(controller, made)
    assert controller.run("kms_x509_cert", below(made, "badge"))["changed"]
    subject = {"organization_name": "Acme", "common_name": "Acme root"}
    root = {"name": "root", "certificate_profile": "root_ca", "subject": subject, "key": {"alias": "module/root"}}
    return {"pki_name": "refused", "pki_base_dir": str(folder), "pki_authorities": [root]}


def test_a_revocation_is_published_where_another_is_refused(account: Account, tmp_path: Path) -> None:
    principal = account.administrator()
    given = make_tree(Controller(principal), tmp_path)
    entries = [
        {"authority": "root", "serial_number_hex": "0A17"},
        {"authority": "root", "path": "pki/badge.pem", "reason": "key_compromise"},
    ]
    [played] = run_plays(
        tmp_path, principal.environment(), play("pki_revocation", {**given, "pki_revocations": entries}), status=2
    )
    assert "the serial number 0A17 is not in this ledger" in played.failure()
    crl = x509.load_pem_x509_crl((tmp_path / "pki" / "root" / "crl.pem").read_bytes())
    badge = x509.load_pem_x509_certificate((tmp_path / "pki" / "badge.pem").read_bytes())
    assert [entry.serial_number for entry in crl] == [badge.serial_number]
