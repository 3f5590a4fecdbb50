# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""RFC 5280 4.2.1.15: where delta CRLs are, in the syntax of 4.2.1.13, and never critical."""

from __future__ import annotations

import pytest

from tests.unit.rfc5280.office import Office
from tests.unit.rfc5280.reading import Shown, pkilint_findings, shown

DELTA = ["http://pki.acme.example/delta.crl"]


@pytest.mark.parametrize("profile", ["tls_client", "subordinate_ca"])
def test_rfc5280_4_2_1_15_it_is_shown_and_not_critical(office: Office, profile: str) -> None:
    certificate = office.certify("new", profile, "root", freshest_crl=[{"full_name": DELTA}])
    wanted = Shown(critical=False, text=f"Full Name:\nURI:{DELTA[0]}")
    assert shown(certificate)["X509v3 Freshest CRL"] == wanted
    assert pkilint_findings(certificate) == []


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({}, "freshest_crl: an entry has neither full_name nor crl_issuer"),
        ({"full_name": DELTA, "reasons": ["superseded"]}, "freshest_crl: no entry is for all reasons"),
        (
            {"full_name": DELTA, "crl_issuer": ["DNS:acme.example"]},
            "freshest_crl: crl_issuer is the name of an authority",
        ),
        ({"full_name": ["delta.crl"]}, "it is no absolute URI"),
    ],
)
def test_rfc5280_4_2_1_15_entries_of_no_use_are_refused(office: Office, entry: dict[str, list[str]], says: str) -> None:
    assert says in office.refusal("new", "tls_client", "root", freshest_crl=[entry])
