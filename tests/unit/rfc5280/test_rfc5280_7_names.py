# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""RFC 5280 7 (with RFC 9549): internationalized names in certificates, and when two names are the same."""

from __future__ import annotations

import pytest

from tests.unit.rfc5280.office import Office
from tests.unit.rfc5280.reading import openssl_refuses, pkilint_findings, shown

SAN = "X509v3 Subject Alternative Name"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("DNS:straße.example", "DNS:xn--strae-oqa.example"),
        ("DNS:BÜCHER.example", "DNS:xn--bcher-kva.example"),
        ("DNS:xn--bcher-kva.example", "DNS:xn--bcher-kva.example"),
        ("DNS:*.bücher.example", "DNS:*.xn--bcher-kva.example"),
        ("DNS:例え.example", "DNS:xn--r8jz45g.example"),
        ("email:web@bücher.example", "email:web@xn--bcher-kva.example"),
        ("URI:https://bücher.example/ü", "URI:https://xn--bcher-kva.example/%C3%BC"),
    ],
)
def test_rfc5280_7_2_to_7_5_u_labels_become_a_labels(office: Office, name: str, text: str) -> None:
    certificate = office.certify("web", "tls_client", "root", subject_alt_name=[name])
    assert shown(certificate)[SAN].text == text


def test_rfc5280_7_3_domain_components_are_a_labels_too(office: Office) -> None:
    certificate = office.certify("web", "tls_client", "root", subject={"CN": "web", "DC": ["bücher"]})
    assert certificate.subject.rfc4514_string() == "DC=xn--bcher-kva,CN=web"


HIDDEN = "xn--paypal-df0c"  # with a ZERO WIDTH SPACE


@pytest.mark.parametrize(
    "name",
    [
        *("DNS:\u2603.example", "DNS:xn--99999999.example", "email:web@\u2603.example"),
        *(f"DNS:{HIDDEN}.example", f"email:web@{HIDDEN}.example", f"URI:https://{HIDDEN}.example/"),
    ],
)
def test_rfc5280_7_2_names_that_idna_does_not_allow_are_refused(office: Office, name: str) -> None:
    assert "label" in office.refusal("web", "tls_client", "root", subject_alt_name=[name])


@pytest.mark.parametrize(
    "subject",
    [
        {"C": "DE", "O": "acme", "CN": "web"},
        {"C": "DE", "O": "ACME", "CN": "web"},
        {"C": "DE", "O": "Acme", "OU": "Unit", "CN": "web"},
    ],
)
def test_rfc5280_7_1_names_are_compared_without_case(office: Office, subject: dict[str, str]) -> None:
    bases = {"name_constraints_permitted": ["dirName:O=Acme,C=DE"], "name_constraints_exclude_others": False}
    services = office.certify_authority("services", "root", subject={"C": "DE", "O": "Acme"}, **bases)
    leaf = office.certify("web", "tls_client", "services", subject=subject)
    root = office.certify_authority("root", subject={"common_name": "Root"})
    assert openssl_refuses(office.folder, [root, services, leaf], office.clock.now) == ""
    assert pkilint_findings(leaf) == []


def test_rfc5280_7_1_names_outside_of_a_directory_constraint_are_refused(office: Office) -> None:
    bases = {"name_constraints_permitted": ["dirName:O=Acme,C=DE"], "name_constraints_exclude_others": False}
    office.certify_authority("services", "root", subject={"C": "DE", "O": "Acme"}, **bases)
    for subject in ({"C": "DE", "O": "Acme Europe"}, {"O": "Acme", "C": "DE"}, {"CN": "web"}):
        assert "is outside of what O=Acme,C=DE permits" in office.refusal(
            "web", "tls_client", "services", subject=subject
        )
