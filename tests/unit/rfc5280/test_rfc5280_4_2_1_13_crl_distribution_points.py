# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""RFC 5280 4.2.1.13: where CRLs are, for which reasons, and who signs them; one entry at least is for all reasons."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ansible_collections.rootstock.pki.plugins.module_utils._module.certificate_options import CRL_REASONS
from tests.unit.rfc5280.office import Office
from tests.unit.rfc5280.reading import Shown, pkilint_findings, shown

CDP = "X509v3 CRL Distribution Points"
ALL = {"full_name": ["http://pki.acme.example/all.crl"]}
TITLES = {
    "key_compromise": "Key Compromise",
    "ca_compromise": "CA Compromise",
    "affiliation_changed": "Affiliation Changed",
    "superseded": "Superseded",
    "cessation_of_operation": "Cessation Of Operation",
    "certificate_hold": "Certificate Hold",
    "privilege_withdrawn": "Privilege Withdrawn",
    "aa_compromise": "AA Compromise",
}


def points(office: Office, *entries: dict[str, Any]) -> Shown:
    certificate = office.certify("web", "tls_client", "root", crl_distribution_points=list(entries))
    assert pkilint_findings(certificate) == []
    found = shown(certificate)[CDP]
    return Shown(found.critical, re.sub(r"\s+", " ", found.text))


def test_rfc5280_4_2_1_13_names_are_shown_and_not_critical(office: Office) -> None:
    ldap = "ldap://ldap.acme.example/CN=CRL,O=Acme?certificateRevocationList"
    found = points(
        office, {"full_name": ["http://pki.acme.example/all.crl", f"URI:{ldap}"]}, {"full_name": ["dirName:CN=CRL"]}
    )
    text = f"Full Name: URI:http://pki.acme.example/all.crl URI:{ldap} Full Name: DirName:CN = CRL"
    assert found == Shown(critical=False, text=text)


@pytest.mark.parametrize("reason", CRL_REASONS)
def test_rfc5280_4_2_1_13_each_reason_is_shown(office: Office, reason: str) -> None:
    found = points(office, ALL, {"full_name": ["http://pki.acme.example/some.crl"], "reasons": [reason]})
    assert found.text.endswith(f"Reasons: {TITLES[reason]}")


def test_rfc5280_4_2_1_13_another_signer_of_the_crl_is_named(office: Office) -> None:
    found = points(office, {**ALL, "crl_issuer": ["dirName:CN=Acme CRLs,O=Acme"]})
    assert found.text == "Full Name: URI:http://pki.acme.example/all.crl CRL Issuer: DirName:O = Acme, CN = Acme CRLs"
    assert points(office, {"crl_issuer": ["dirName:CN=Acme CRLs"]}).text == "CRL Issuer: DirName:CN = Acme CRLs"


def test_rfc5280_4_2_1_13_a_name_relative_to_the_signer_of_the_crl_is_shown(office: Office) -> None:
    relative = {"relative_name": ["CN=All", "OU=CRLs"]}
    assert points(office, relative).text == "Relative Name: CN = All + OU = CRLs"
    named = points(office, {**relative, "crl_issuer": ["dirName:CN=Acme CRLs"]})
    assert named.text == "Relative Name: CN = All + OU = CRLs CRL Issuer: DirName:CN = Acme CRLs"


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        ([{**ALL, "relative_name": ["CN=All"]}], "an entry has both full_name and relative_name"),
        ([{"relative_name": ["All"]}], "relative_name All is no part of a name; write it as CN=Some CRL"),
        ([{"relative_name": ["CM=All"]}], "attribute 'CM' is unknown"),
        (
            [{"relative_name": ["CN=All"], "crl_issuer": ["dirName:CN=One", "dirName:CN=Two"]}],
            "relative_name is relative to one crl_issuer",
        ),
        ([{}], "an entry has neither full_name nor crl_issuer"),
        ([{"reasons": ["superseded"]}], "an entry has neither full_name nor crl_issuer"),
        ([{**ALL, "reasons": ["superseded"]}], "no entry is for all reasons, and RFC 5280 4.2.1.13 wants one"),
        ([{**ALL, "crl_issuer": ["URI:http://acme.example/"]}], "crl_issuer is the name of an authority"),
        ([{"full_name": ["all.crl"]}], "it is no absolute URI"),
        ([{"full_name": ["uri:all.crl"]}], "it is no absolute URI"),
    ],
)
def test_rfc5280_4_2_1_13_entries_that_no_relying_party_can_use_are_refused(
    office: Office, entries: list[dict[str, Any]], says: str
) -> None:
    assert says in office.refusal("web", "tls_client", "root", crl_distribution_points=entries)
