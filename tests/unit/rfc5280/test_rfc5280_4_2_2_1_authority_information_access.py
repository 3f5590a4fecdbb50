# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""RFC 5280 4.2.2.1: where the issuer's certificate and its OCSP responder are; never critical."""

from __future__ import annotations

import pytest

from tests.unit.rfc5280.office import Office
from tests.unit.rfc5280.reading import Shown, pkilint_findings, shown

AIA = "Authority Information Access"


def test_rfc5280_4_2_2_1_both_methods_are_shown_and_not_critical(office: Office) -> None:
    places = {
        "ca_issuers": ["http://pki.acme.example/ca.der", "URI:http://backup.acme.example/ca.der"],
        "ocsp": ["http://ocsp.acme.example/"],
    }
    certificate = office.certify("web", "tls_client", "root", authority_information_access=places)
    text = (
        "OCSP - URI:http://ocsp.acme.example/\n"
        "CA Issuers - URI:http://pki.acme.example/ca.der\n"
        "CA Issuers - URI:http://backup.acme.example/ca.der"
    )
    assert shown(certificate)[AIA] == Shown(critical=False, text=text)
    assert pkilint_findings(certificate) == []


def test_rfc5280_4_2_2_1_without_a_place_there_is_no_extension(office: Office) -> None:
    empty: dict[str, list[str]] = {"ca_issuers": [], "ocsp": []}
    assert AIA not in shown(office.certify("web", "tls_client", "root", authority_information_access=empty))


def test_rfc5280_4_2_2_1_a_host_beyond_ascii_becomes_an_a_label(office: Office) -> None:
    places = {"ca_issuers": ["http://bücher.example/ca.der"]}
    found = shown(office.certify("web", "tls_client", "root", authority_information_access=places))
    assert found[AIA].text == "CA Issuers - URI:http://xn--bcher-kva.example/ca.der"


@pytest.mark.parametrize("method", ["ca_issuers", "ocsp"])
@pytest.mark.parametrize(
    ("place", "says"),
    [
        ("ca.der", "it is no absolute URI"),
        ("//pki.acme.example/ca.der", "it is no absolute URI"),
        ("http:///ca.der", "names no host after //"),
        ("http://pki acme/ca.der", "is not made of letters, digits and hyphens"),
        ("http://pki.acme.example/a b", "it holds ' '"),
        ("", "it is no absolute URI"),
    ],
)
def test_rfc5280_4_2_2_1_places_that_are_none_are_refused(office: Office, method: str, place: str, says: str) -> None:
    assert says in office.refusal("web", "tls_client", "root", authority_information_access={method: [place]})
