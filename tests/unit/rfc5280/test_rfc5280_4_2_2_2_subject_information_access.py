# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""RFC 5280 4.2.2.2: what the subject offers, an authority's repository or a timestamping service; never critical."""

from __future__ import annotations

import pytest

from tests.unit.rfc5280.office import Office
from tests.unit.rfc5280.reading import Shown, pkilint_findings, shown

SIA = "Subject Information Access"


def test_rfc5280_4_2_2_2_the_repository_of_an_authority_is_shown_and_not_critical(office: Office) -> None:
    places = {"ca_repository": ["http://pki.acme.example/services/", "ldap://ldap.acme.example/CN=Services"]}
    certificate = office.certify_authority("services", "root", subject_information_access=places)
    text = "\n".join(f"CA Repository - URI:{place}" for place in places["ca_repository"])
    assert shown(certificate)[SIA] == Shown(critical=False, text=text)
    assert pkilint_findings(certificate) == []


def test_rfc5280_4_2_2_2_a_timestamping_service_is_shown(office: Office) -> None:
    places = {"time_stamping": ["http://tsa.acme.example/"]}
    certificate = office.certify("tsa", "timestamping", "root", subject_information_access=places)
    assert shown(certificate)[SIA] == Shown(critical=False, text="AD Time Stamping - URI:http://tsa.acme.example/")
    assert pkilint_findings(certificate) == []


@pytest.mark.parametrize("method", ["ca_repository", "time_stamping"])
@pytest.mark.parametrize("place", ["repository", "http:///", "http://[::1::]/"])
def test_rfc5280_4_2_2_2_places_that_are_none_are_refused(office: Office, method: str, place: str) -> None:
    told = office.refusal("tsa", "timestamping", "root", subject_information_access={method: [place]})
    assert f"'URI:{place}'" in told
