# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role revokes from any folder, and what it cannot revoke does not keep the world from learning of the rest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from localaws.testing import Account, account, local_aws
from tests.unit.module.authorities import below, make_root
from tests.unit.module.controller import Controller
from tests.unit.roles.plays import play, run_playbook, run_plays

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


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "- pki_revocations is missing; say what is to be revoked, such as pki_revocations: [{"),
        ({"pki_revocations": {"authority": "root", "name": "web"}}, "'name': 'web'}; expected a list, such as [{"),
        ({"pki_revocations": [{"authority": "root"}], "pki_authorities": None}, "- pki_authorities is empty"),
    ],
)
def test_the_playbook_answers_what_is_no_list_of_revocations_in_sentences(
    account: Account, tmp_path: Path, given: dict[str, Any], told: str
) -> None:
    root = {"name": "root", "certificate_profile": "root_ca", "subject": {"CN": "Root"}, "key": {}}
    variables = {"pki_name": "refused", "pki_base_dir": str(tmp_path), "pki_authorities": [root], **given}
    more = ("--extra-vars", json.dumps(variables))
    [played] = run_playbook(tmp_path, account.root.environment(), "rootstock.pki.revoke", *more, status=2)
    assert played.failure().startswith("Nothing was revoked:\n- ")
    assert told in played.failure()
