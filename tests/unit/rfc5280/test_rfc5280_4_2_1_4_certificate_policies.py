# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""RFC 5280 4.2.1.4: policies with CPS and user notice, each once, critical only when asked."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.rfc5280.office import Office
from tests.unit.rfc5280.reading import Shown, pkilint_findings, shown

POLICIES = "X509v3 Certificate Policies"


def certified(office: Office, *policies: dict[str, Any], **options: Any) -> Shown:
    return shown(office.certify("web", "tls_client", "root", certificate_policies=list(policies), **options))[POLICIES]


def test_rfc5280_4_2_1_4_policies_stand_in_the_order_written_and_are_not_critical(office: Office) -> None:
    found = certified(office, {"policy": "2.23.140.1.2.2"}, {"policy": "1.3.6.1.4.1.99999.1"})
    assert found == Shown(critical=False, text="Policy: 2.23.140.1.2.2\nPolicy: 1.3.6.1.4.1.99999.1")


def test_rfc5280_4_2_1_4_they_are_critical_when_asked(office: Office) -> None:
    assert certified(office, {"policy": "1.2.3.4"}, certificate_policies_critical=True).critical


@pytest.mark.parametrize("word", ["any_policy", "2.5.29.32.0"])
def test_rfc5280_4_2_1_4_any_policy_has_a_word(office: Office, word: str) -> None:
    assert certified(office, {"policy": word}).text == "Policy: X509v3 Any Policy"


def test_rfc5280_4_2_1_4_qualifiers_are_shown_as_they_were_said(office: Office) -> None:
    notice = {"explicit_text": "Für Tests", "organization": "Acme", "notice_numbers": [1, 7]}
    cps = ["https://acme.example/cps", "http://acme.example/cps-old"]
    found = certified(office, {"policy": "1.2.3.4", "cps": cps, "user_notice": notice})
    assert found.text.splitlines() == [
        "Policy: 1.2.3.4",
        "CPS: https://acme.example/cps",
        "CPS: http://acme.example/cps-old",
        "User Notice:",
        "Organization: Acme",
        "Numbers: 1, 7",
        "Explicit Text: Für Tests",
    ]


def test_rfc5280_4_2_1_4_pkilint_warns_of_a_notice_reference_and_of_nothing_else(office: Office) -> None:
    """Conforming CAs SHOULD NOT use the noticeRef option; who asks for it gets it, and hears it with lint: warn."""
    plain = {"policy": "1.2.3.4", "cps": ["https://acme.example/cps"], "user_notice": {"explicit_text": "x" * 200}}
    assert pkilint_findings(office.certify("a", "tls_client", "root", certificate_policies=[plain])) == []
    reference = {"policy": "1.2.3.4", "user_notice": {"organization": "Acme", "notice_numbers": [1]}}
    certificate = office.certify("b", "tls_client", "root", certificate_policies=[reference])
    assert pkilint_findings(certificate) == ["pkix.certificate_policies_usernotice_has_noticeref"]


@pytest.mark.parametrize(
    ("policies", "says"),
    [
        ([{"policy": "gold"}], "'gold' is not an object identifier"),
        ([{"policy": "1.2.3"}, {"policy": "1.2.3"}], "a policy stands there twice, which RFC 5280 4.2.1.4 forbids"),
        (
            [{"policy": "1.2.3", "user_notice": {"explicit_text": "x" * 201}}],
            "201 characters; RFC 5280 4.2.1.4 allows 200",
        ),
        ([{"policy": "1.2.3", "user_notice": {}}], "has neither explicit_text nor organization"),
        ([{"policy": "1.2.3", "user_notice": {"explicit_text": "a\tb"}}], "has U+0009"),
        ([{"policy": "1.2.3", "cps": ["cps.html"]}], "it is no absolute URI"),
        ([{"policy": "1.2.3", "cps": ["email:pki@acme.example"]}], "is no URL"),
    ],
)
def test_rfc5280_4_2_1_4_what_no_policy_may_be_is_refused(
    office: Office, policies: list[dict[str, Any]], says: str
) -> None:
    assert says in office.refusal("web", "tls_client", "root", certificate_policies=policies)
