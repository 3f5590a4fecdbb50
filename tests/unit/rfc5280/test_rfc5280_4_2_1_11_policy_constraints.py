# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""RFC 5280 4.2.1.11: policy constraints are critical, for authorities alone, and never empty."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.rootstock.pki.plugins.module_utils._pki.path_validation import PathQuestion, validate_path
from tests.unit.rfc5280.office import Office
from tests.unit.rfc5280.reading import Shown, openssl_refuses, pkilint_findings, shown

PC = "X509v3 Policy Constraints"


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"require_explicit_policy": 0}, "Require Explicit Policy:0"),
        ({"inhibit_policy_mapping": 0}, "Inhibit Policy Mapping:0"),
        (
            {"require_explicit_policy": 3, "inhibit_policy_mapping": 1},
            "Require Explicit Policy:3, Inhibit Policy Mapping:1",
        ),
    ],
)
def test_rfc5280_4_2_1_11_they_are_shown_and_critical(office: Office, options: dict[str, int], text: str) -> None:
    policies = [{"policy": "1.2.3.4"}]
    certificate = office.certify_authority(
        "services", "root", policy_constraints=options, certificate_policies=policies
    )
    assert shown(certificate)[PC] == Shown(critical=True, text=text)
    assert pkilint_findings(certificate) == []


def test_rfc5280_4_2_1_11_openssl_holds_those_below_to_the_policy(office: Office) -> None:
    policies = {"certificate_policies": [{"policy": "1.2.3.4"}]}
    constraints = {"policy_constraints": {"require_explicit_policy": 0}}
    services = office.certify_authority("services", "root", **policies, **constraints)
    root = office.certify_authority("root", subject={"common_name": "Root"})
    leaf = office.certify("web", "tls_client", "services", **policies)
    assert openssl_refuses(office.folder, [root, services, leaf], office.clock.now, "-policy", "anyPolicy") == ""
    assert validate_path(PathQuestion(leaf, [services], [root], office.clock.now)).problems == ()
    assert "CN=services requires a policy (RFC 5280 6.1.5), one of 1.2.3.4" in office.refusal(
        "web", "tls_client", "services"
    )


@pytest.mark.parametrize(
    ("profile", "options", "says"),
    [
        ("subordinate_ca", {}, "give require_explicit_policy, inhibit_policy_mapping, or both"),
        ("subordinate_ca", {"require_explicit_policy": -1}, "policy_constraints: -1 is negative"),
        ("subordinate_ca", {"inhibit_policy_mapping": 2**31}, "is more than 2147483647"),
        ("tls_client", {"require_explicit_policy": 0}, "policy_constraints is for authorities"),
    ],
)
def test_rfc5280_4_2_1_11_constraints_without_sense_are_refused(
    office: Office, profile: str, options: dict[str, Any], says: str
) -> None:
    assert says in office.refusal("new", profile, "root", policy_constraints=options)
