# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""RFC 5280 4.2.1.14: inhibitAnyPolicy is critical, for authorities alone, and 0 is a number like any other."""

from __future__ import annotations

import pytest

from ansible_collections.rootstock.pki.plugins.module_utils._pki.path_validation import PathQuestion, validate_path
from tests.unit.rfc5280.office import Office
from tests.unit.rfc5280.reading import Shown, pkilint_findings, shown

IAP = "X509v3 Inhibit Any Policy"


@pytest.mark.parametrize("skip", [0, 1, 2**31 - 1])
def test_rfc5280_4_2_1_14_the_number_is_shown_and_critical(office: Office, skip: int) -> None:
    certificate = office.certify_authority("services", "root", inhibit_any_policy=skip)
    assert shown(certificate)[IAP] == Shown(critical=True, text=str(skip))
    assert pkilint_findings(certificate) == []
    root = office.certify_authority("root", subject={"common_name": "Root"})
    leaf = office.certify("web", "tls_client", "services")
    assert validate_path(PathQuestion(leaf, [certificate], [root], office.clock.now)).problems == ()


@pytest.mark.parametrize(
    ("profile", "skip", "says"),
    [
        ("subordinate_ca", -1, "inhibit_any_policy: -1 is negative"),
        ("subordinate_ca", 2**31, "is more than 2147483647"),
        ("tls_client", 0, "inhibit_any_policy is for authorities"),
    ],
)
def test_rfc5280_4_2_1_14_numbers_without_sense_are_refused(office: Office, profile: str, skip: int, says: str) -> None:
    assert says in office.refusal("new", profile, "root", inhibit_any_policy=skip)
