# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whoever misspells a variable is warned, since nothing would be issued from then on."""

from __future__ import annotations

from pathlib import Path

import yaml

from localaws.testing import Account, account, local_aws
from tests.unit.roles.plays import INVENTORY, ask_server, play

__all__ = ["account", "local_aws"]

ROOT = {"name": "root", "certificate_profile": "root_ca", "subject": {"CN": "Root"}, "key": {}}


def test_a_variable_that_is_almost_one_of_the_role_is_warned_of(account: Account, tmp_path: Path) -> None:
    given = {"pki_name": "variables", "pki_authorities": [ROOT], "pki_base_dir": str(tmp_path)}
    given |= {"pki_certificate": [], "pki_owner": "somebody", "pki_base": "http://pki.example"}
    (tmp_path / "hosts").write_text(INVENTORY)
    (tmp_path / "plays.yml").write_text(yaml.safe_dump([play("pki_tree", given, check=True)]))
    arguments = ["-i", str(tmp_path / "hosts"), str(tmp_path / "plays.yml")]
    environment = dict(account.administrator().environment())
    status, out, err = ask_server({"arguments": arguments, "environment": environment})
    assert status == 0, out + err
    told = " ".join(
        (out + err).split()
    )  # newer releases of ansible-core put warnings into results, older ones wrap them
    assert "pki_certificate is no variable of rootstock.pki; did you mean pki_certificates, which is not set?" in told
    assert "pki_base is no variable of rootstock.pki; did you mean pki_base_url, which is not set?" in told
    assert "pki_owner is no variable" not in told
