# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each authority of a tree may have its key, and sign, in an account of its own."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import botocore.session
import pytest

from localaws.server import Server
from localaws.testing import REGION, Account, Principal, account, local_aws, new_account
from tests.unit.examples.example_tree import run_modules
from tests.unit.module.controller import Controller
from tests.unit.roles.plays import play, run_plays

__all__ = ["account", "local_aws"]


class Accounts(NamedTuple):
    """Who builds the tree, and who makes keys and signs in another account."""

    operator: Principal
    other: Account
    maker: Principal
    signer: Principal


@pytest.fixture
def accounts(account: Account, local_aws: Server, monkeypatch: pytest.MonkeyPatch) -> Accounts:
    monkeypatch.setattr(botocore.session, "create_loader", cache(botocore.session.create_loader))
    operator, other = account.administrator(), new_account(local_aws)
    maker, signer = (
        other.role(name, {"Action": "*"}, trusted=[operator.arn]) for name in ("PkiAdministrator", "ServicesIssuer")
    )
    return Accounts(operator, other, maker, signer)


def tree(key: dict[str, Any]) -> dict[str, Any]:
    """Return a root of the operator's own account, with an authority below it that has *key*."""
    root = {"name": "root", "certificate_profile": "root_ca", "subject": {"CN": "Root"}, "key": {}}
    services = {**root, "name": "services", "issuer": "root", "subject": {"CN": "Services"}, "key": key}
    return {
        "pki_name": "acme",
        "pki_authorities": [root, {**services, "certificate_profile": "subordinate_ca", "not_after": "issuer"}],
    }


def aliases(principal: Principal) -> list[str]:
    listed = principal.client("kms").list_aliases()["Aliases"]
    return [one["AliasName"] for one in listed if not one["AliasName"].startswith("alias/aws/")]


def test_an_authority_has_its_key_and_signs_in_an_account_of_its_own(
    accounts: Accounts, local_aws: Server, tmp_path: Path
) -> None:
    maker, signer = accounts.maker.arn, accounts.signer.arn
    roles = {"administrator_role": {"role_arn": maker}, "assume_role": {"role_arn": signer}}
    services = tree({**roles, "administrators": [maker], "signers": [signer], "verifiers": [signer]})
    local_aws.reset_calls()
    assert all(run_modules(Controller(accounts.operator), services, tmp_path))
    signed = {arn.split("/")[1] for arn in local_aws.calls()["kms:Sign"]}
    assert signed == {"administrator", "ServicesIssuer"}
    assert aliases(accounts.operator) == ["alias/pki/acme/root"]
    assert aliases(accounts.maker) == ["alias/pki/acme/services"]
    assert not any(run_modules(Controller(accounts.operator), services, tmp_path))


def test_a_key_of_another_account_signs_with_the_credentials_of_the_play(accounts: Accounts, tmp_path: Path) -> None:
    key = {"administrator_role": {"role_arn": accounts.maker.arn}, "region": REGION, "account_root": "administer"}
    principals = {"administrators": [accounts.maker.arn], "signers": [accounts.operator.arn]}
    services = tree({**key, **principals, "verifiers": [accounts.operator.arn]})
    assert all(run_modules(Controller(accounts.operator), services, tmp_path))
    assert aliases(accounts.maker) == ["alias/pki/acme/services"]


def test_a_key_made_in_another_account_than_it_signs_in_is_told_before_anything_is_issued(
    accounts: Accounts, tmp_path: Path
) -> None:
    key = {"assume_role": {"role_arn": accounts.signer.arn}}
    [played] = run_plays(
        tmp_path,
        accounts.operator.environment(),
        play("pki_tree", {**tree(key), "pki_base_dir": str(tmp_path)}),
        status=2,
    )
    [told] = [str(result["msg"]) for _task, result in played.results() if "its key arn:" in str(result.get("msg"))]
    assert f"assume_role is in account {accounts.other.account_id}" in told.replace("\n", " ")
    assert "administrator_role" in told
    assert not (tmp_path / "pki" / "root" / "ca.pem").exists()
