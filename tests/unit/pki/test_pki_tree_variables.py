# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Variables whose names are almost those of an inventory are told, and those of users left alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from ansible_collections.rootstock.pki.plugins.module_utils._pki.tree_variables import (
    INVENTORY_VARIABLES,
    variable_warnings,
)

CHECKOUT = Path(__file__).resolve().parents[3]
NEEDED = ("pki_name", "pki_authorities")


def test_the_variables_are_those_of_the_roles_and_playbooks() -> None:
    specs = [yaml.safe_load(path.read_text()) for path in CHECKOUT.glob("roles/*/meta/argument_specs.yml")]
    of_roles = {name for spec in specs for name in spec["argument_specs"]["main"]["options"]}
    of_playbooks = {
        name for path in CHECKOUT.glob("playbooks/*.yml") for name in re.findall(r"pki_\w+", path.read_text())
    }
    known = {name for name in of_roles | of_playbooks if name.startswith("pki_")} - {"pki_tree", "pki_revocation"}
    assert set(INVENTORY_VARIABLES) == known


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("pki_certificate", "pki_certificates"),
        ("pki_certificats", "pki_certificates"),
        ("pki_certificates_profiles", "pki_certificate_profiles"),
        ("pki_cert_profiles", "pki_certificate_profiles"),
        ("pki_baseurl", "pki_base_url"),
        ("pki_basedir", "pki_base_dir"),
        ("pki_revocation", "pki_revocations"),
        ("pki_hosts", "pki_host"),
    ],
)
def test_a_variable_that_is_almost_one_of_ours_is_told_while_that_is_not_set(written: str, meant: str) -> None:
    told = f"{written} is no variable of rootstock.pki; did you mean {meant}, which is not set?"
    assert variable_warnings([*NEEDED, written]) == [told]
    assert variable_warnings([*INVENTORY_VARIABLES, written]) == []


@pytest.mark.parametrize(
    "name",
    [
        "pki_x",
        "pki_owner",
        "pki_contact_email",
        "pki_admin_role_arn",
        "pki_aws_region",
        "pki_tree_plan",
        "pki_tree_certificates",
        "pki_revocation_plan",
        "pki_tree_revoked",
        "certificates",
        "my_pki_certificate",
    ],
)
def test_variables_of_users_and_of_the_roles_are_left_alone(name: str) -> None:
    assert variable_warnings([*NEEDED, name]) == []
