# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""RFC 5280 4.2.1.6: every kind of alternative name, and critical where there is no other name."""

from __future__ import annotations

import pytest
from cryptography import x509

from tests.unit.rfc5280.office import Office, csr_pem
from tests.unit.rfc5280.reading import Shown, openssl_refuses, pkilint_findings, shown

SAN = "X509v3 Subject Alternative Name"
KINDS = {
    "DNS:web.acme.internal": "DNS:web.acme.internal",
    "DNS:*.acme.internal": "DNS:*.acme.internal",
    "DNS:WEB.Acme.Internal": "DNS:web.acme.internal",
    "DNS:bücher.example": "DNS:xn--bcher-kva.example",
    "IP:10.0.0.1": "IP Address:10.0.0.1",
    "IP:2001:db8::1": "IP Address:2001:DB8:0:0:0:0:0:1",
    "IP:::ffff:10.0.0.1": "IP Address:0:0:0:0:0:FFFF:A00:1",
    "email:web@bücher.example": "email:web@xn--bcher-kva.example",
    "URI:https://acme.example/a?b#c": "URI:https://acme.example/a?b#c",
    "URI:spiffe://acme.internal/web": "URI:spiffe://acme.internal/web",
    "RID:1.3.6.1.4.1.99999": "Registered ID:1.3.6.1.4.1.99999",
    "dirName:CN=web,O=Acme": "DirName:/O=Acme/CN=web",
    "otherName:1.3.6.1.4.1.311.20.2.3;UTF8:web@acme.internal": "othername: UPN::web@acme.internal",
    "otherName:1.3.6.1.5.5.7.8.9;UTF8:müller@acme.example": "othername: SmtpUTF8Mailbox::müller@acme.example",
    "otherName:1.3.6.1.5.5.7.8.5;UTF8:web@acme.example": "othername: XmppAddr::web@acme.example",
    "otherName:1.3.6.1.5.5.7.8.7;IA5STRING:_imaps.acme.example": "othername: SRVName::_imaps.acme.example",
}

ACCEPTED = {
    # RFC 5280 4.2.1.6 gives the wildcard no meaning; RFC 9525 6.3 does, and every TLS client follows it.
    "DNS:*.acme.internal": ["pkix.invalid_domain_name_syntax"],
    # pkilint knows a list of schemes; RFC 3986 and the SPIFFE standard know this one too.
    "URI:spiffe://acme.internal/web": ["pkix.invalid_uri_syntax"],
}


@pytest.mark.parametrize(("name", "text"), KINDS.items(), ids=KINDS)
def test_rfc5280_4_2_1_6_openssl_reads_the_name_that_was_asked_for(office: Office, name: str, text: str) -> None:
    certificate = office.certify("web", "tls_client", "root", subject_alt_name=[name])
    assert shown(certificate)[SAN] == Shown(critical=False, text=text)
    assert set(pkilint_findings(certificate)) <= set(ACCEPTED.get(name, ()))


def test_rfc9598_3_a_mailbox_beyond_ascii_is_enough_for_mail(office: Office) -> None:
    name = "otherName:1.3.6.1.5.5.7.8.9;UTF8:müller@acme.example"
    certificate = office.certify("mail", "email_protection", "root", subject_alt_name=[name])
    assert shown(certificate)[SAN].text == KINDS[name]
    root = x509.load_pem_x509_certificate(office.ca_path("root").read_bytes())
    assert openssl_refuses(office.folder, [root, certificate], office.clock.now, "-purpose", "smimesign") == ""


def test_rfc5280_4_2_1_6_all_kinds_stand_together_in_the_order_written(office: Office) -> None:
    names = {name: text for name, text in KINDS.items() if not name.startswith("DNS:WEB")}
    certificate = office.certify("web", "tls_client", "root", subject_alt_name=list(names))
    assert shown(certificate)[SAN].text == ", ".join(names.values())


def test_rfc5280_4_2_1_6_it_is_critical_where_the_subject_is_empty(office: Office) -> None:
    certificate = office.certify("web", "tls_server", "root", subject={}, subject_alt_name=["DNS:web.acme.internal"])
    assert shown(certificate)[SAN] == Shown(critical=True, text="DNS:web.acme.internal")
    root = x509.load_pem_x509_certificate(office.ca_path("root").read_bytes())
    assert openssl_refuses(office.folder, [root, certificate], office.clock.now) == ""


def test_rfc5280_4_2_1_6_it_is_critical_where_the_subject_of_the_request_is_empty(office: Office) -> None:
    names = x509.SubjectAlternativeName([x509.DNSName("web.acme.internal")])
    csr = csr_pem((names, False), subject=x509.Name([]))
    assert shown(office.certify("web", "tls_server", "root", csr_content=csr))[SAN].critical


def test_rfc5280_4_2_1_6_it_is_critical_when_asked(office: Office) -> None:
    names = {"subject_alt_name": ["DNS:web.acme.internal"], "subject_alt_name_critical": True}
    assert shown(office.certify("web", "tls_server", "root", **names))[SAN].critical


def test_rfc5280_4_2_1_6_no_names_no_extension(office: Office) -> None:
    assert SAN not in shown(office.certify("web", "tls_client", "root", subject_alt_name=[]))


def test_rfc5280_4_2_1_6_the_names_of_a_task_stand_instead_of_those_of_the_request(office: Office) -> None:
    csr = csr_pem((x509.SubjectAlternativeName([x509.DNSName("evil.example")]), False))
    certificate = office.certify(
        "web", "tls_server", "root", csr_content=csr, subject_alt_name=["DNS:web.acme.internal"]
    )
    assert shown(certificate)[SAN].text == "DNS:web.acme.internal"


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["web.acme.internal"], "is no general name; write one with a prefix"),
        (["DNS: "], "is not made of letters, digits and hyphens"),
        (["DNS:10.0.0.1"], "it is an IP address, not a host name; write it as IP:"),
        (["DNS:w*.acme.internal"], "a * stands only alone as the whole left-most label"),
        (["IP:10.0.0.0/8"], "it is no IPv4 or IPv6 address; write one without a prefix length"),
        (["email:acme.internal"], "it has no @"),
        (["URI:/relative"], "it is no absolute URI (RFC 5280 4.2.1.6)"),
        (["URI:https:///nowhere"], "names no host after // (RFC 5280 4.2.1.6)"),
        (["DNS:web.acme.internal", "DNS:web.acme.internal"], "is there more than once"),
    ],
)
def test_rfc5280_4_2_1_6_names_that_are_none_are_refused(office: Office, names: list[str], says: str) -> None:
    assert says in office.refusal("web", "tls_client", "root", subject_alt_name=names)
