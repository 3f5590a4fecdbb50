# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""RFC 5280 4.2.1.7: issuer alternative names, encoded as those of subjects, and never critical."""

from __future__ import annotations

import pytest

from tests.unit.rfc5280.office import Office
from tests.unit.rfc5280.reading import Shown, pkilint_findings, shown


@pytest.mark.parametrize("profile", ["tls_client", "subordinate_ca"])
def test_rfc5280_4_2_1_7_names_are_shown_and_not_critical(office: Office, profile: str) -> None:
    names = ["DNS:pki.acme.example", "email:pki@acme.example", "URI:https://pki.acme.example/", "dirName:O=Acme"]
    certificate = office.certify("new", profile, "root", issuer_alt_name=names)
    text = "DNS:pki.acme.example, email:pki@acme.example, URI:https://pki.acme.example/, DirName:/O=Acme"
    assert shown(certificate)["X509v3 Issuer Alternative Name"] == Shown(critical=False, text=text)
    assert pkilint_findings(certificate) == []


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["pki.acme.example"], "is no general name"),
        (["DNS:a_b"], "is not made of letters, digits and hyphens"),
        (["email:pki@acme.example", "email:pki@ACME.example"], "is there more than once"),
    ],
)
def test_rfc5280_4_2_1_7_names_that_are_none_are_refused(office: Office, names: list[str], says: str) -> None:
    assert says in office.refusal("new", "tls_client", "root", issuer_alt_name=names)
