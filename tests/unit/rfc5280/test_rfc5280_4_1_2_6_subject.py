# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""RFC 5280 4.1.2.6 and appendix A.1: string types, upper bounds, and where a subject may be empty."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.name import _ASN1Type

from ansible_collections.rootstock.pki.plugins.module_utils._pki.attributes import (
    ATTRIBUTES,
    COUNTRY,
    EMAIL,
    LABEL,
    PRINTABLE,
    UTF8,
)
from tests.unit.rfc5280.office import Office, csr_pem
from tests.unit.rfc5280.reading import pkilint_findings, text_of

STRING_TYPES = {
    UTF8: ("UTF8STRING", "x"),
    PRINTABLE: ("PRINTABLESTRING", "1"),
    COUNTRY: ("PRINTABLESTRING", "DE"),
    EMAIL: ("IA5STRING", "web@acme.example"),
    LABEL: ("IA5STRING", "acme"),
}


def subject_line(certificate: x509.Certificate) -> str:
    found = re.search(r"Subject: (.*)", text_of(certificate))
    assert found
    return found[1]


def bounded() -> Iterator[Any]:
    for row in ATTRIBUTES:
        if row.bound is not None and row.kind in (UTF8, PRINTABLE) and row.bound <= 256:
            yield pytest.param(row.oid, row.bound, id=row.long)


def test_rfc5280_4_1_2_6_every_attribute_has_the_string_type_of_the_appendix(office: Office) -> None:
    subject = {row.oid: STRING_TYPES[row.kind][1] for row in ATTRIBUTES if row.kind != EMAIL}
    certificate = office.certify("web", "tls_client", "root", subject={**subject, "emailAddress": "web@acme.example"})
    found = [part.partition("=")[2].partition(":")[0] for part in subject_line(certificate).split(", ")]
    wanted = [STRING_TYPES[row.kind][0] for row in ATTRIBUTES if row.kind != EMAIL]
    assert found == [*wanted, "IA5STRING"]


def test_rfc5280_4_1_2_6_order_repetition_and_multiple_values_are_kept(office: Office) -> None:
    subject = [
        {"DC": "internal"},
        {"DC": "acme"},
        {"O": "Acme"},
        {"OU": "One"},
        {"OU": "Two"},
        {"CN": "web"},
        {"+UID": "7"},
    ]
    certificate = office.certify("web", "tls_client", "root", subject_ordered=subject)
    line = re.sub(r"[A-Z0-9]+STRING:", "", subject_line(certificate))
    assert line == "DC=internal, DC=acme, O=Acme, OU=One, OU=Two, CN=web + UID=7"


def test_rfc5280_4_1_2_6_letters_beyond_ascii_are_utf8(office: Office) -> None:
    certificate = office.certify(
        "web", "tls_client", "root", subject={"O": "\u0410\u043a\u043c\u0435", "CN": "\u65e5\u672c"}
    )
    assert "O=UTF8STRING:\\D0\\90" in subject_line(certificate)
    assert certificate.subject.rfc4514_string() == "CN=\u65e5\u672c,O=\u0410\u043a\u043c\u0435"
    assert pkilint_findings(certificate) == []


@pytest.mark.parametrize(("oid", "bound"), bounded())
def test_rfc5280_a_1_upper_bounds_hold_to_the_letter(office: Office, oid: str, bound: int) -> None:
    longest = office.certify("web", "tls_client", "root", subject={oid: "1" * bound})
    assert pkilint_findings(longest) == []
    assert f"at most {bound} (RFC 5280 A.1)" in office.refusal(
        "web2", "tls_client", "root", subject={oid: "1" * (bound + 1)}
    )


def test_rfc5280_4_1_2_6_the_subject_of_a_request_gets_the_right_string_types(office: Office) -> None:
    """TeletexString, BMPString and UniversalString are not for new certificates."""
    subject = x509.Name(
        [
            x509.NameAttribute(x509.NameOID.COUNTRY_NAME, "DE"),
            x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Acme", _ASN1Type.T61String),
            x509.NameAttribute(x509.NameOID.ORGANIZATIONAL_UNIT_NAME, "PKI", _ASN1Type.BMPString),
            x509.NameAttribute(x509.NameOID.COMMON_NAME, "web", _ASN1Type.PrintableString),
        ]
    )
    certificate = office.certify("web", "tls_client", "root", csr_content=csr_pem(subject=subject))
    parts = ["C=PRINTABLESTRING:DE", "O=UTF8STRING:Acme", "OU=UTF8STRING:PKI", "CN=UTF8STRING:web"]
    assert subject_line(certificate) == ", ".join(parts)


def test_rfc5280_4_1_2_6_an_end_entity_may_have_an_empty_subject_with_other_names(office: Office) -> None:
    certificate = office.certify("web", "tls_server", "root", subject={}, subject_alt_name=["DNS:web.acme.internal"])
    assert certificate.subject == x509.Name([])
    assert pkilint_findings(certificate) == []
    assert "neither a subject nor a subject_alt_name" in office.refusal("web2", "tls_client", "root", subject={})
