# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guides say what the code does."""

from __future__ import annotations

from ansible_collections.rootstock.pki.plugins.module_utils._module.certificate_options import CERTIFICATE_OPTIONS
from docs.tables import GUIDES, access_rows, profile_rows, rst_table, with_table


def test_the_table_of_profiles_is_the_one_that_the_code_has() -> None:
    guide = (GUIDES / "guide_profiles.rst").read_text()
    assert guide == with_table(guide, rst_table(profile_rows())), "run: python -m docs.tables"


def test_the_table_of_key_policies_is_the_one_that_the_code_has() -> None:
    guide = (GUIDES / "guide_key_policies.rst").read_text()
    assert guide == with_table(guide, rst_table(access_rows())), "run: python -m docs.tables"


def test_every_profile_option_of_the_guide_exists() -> None:
    guide = (GUIDES / "guide_profiles.rst").read_text()
    named = {"certificate_profile", "key_usage", "extended_key_usage", "basic_constraints"}
    assert named <= CERTIFICATE_OPTIONS.keys()
    assert all(f"``{option}``" in guide for option in named)
