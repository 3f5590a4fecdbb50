# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Alternative names and name constraints that are malformed, or outside of what the issuer may name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.corpus.bad_requests import Bad, each, refused
from tests.unit.rfc5280.office import Office

LABEL, UNICODE = "is not made of letters, digits and hyphens", "not allowed in a name"
UPN, MAILBOX, SRV = "1.3.6.1.4.1.311.20.2.3", "1.3.6.1.5.5.7.8.9", "1.3.6.1.5.5.7.8.7"

MALFORMED = {
    "no prefix": ("web.acme.internal", "is no general name"),
    "empty": ("", "is no general name"),
    "prefix alone": ("DNS:", "a label is empty"),
    "unknown prefix": ("HOST:web", "is no general name"),
    "space before the prefix": (" DNS:web", "is no general name"),
    "UPN is no prefix": ("UPN:a@b", "is no general name"),
    "dns dots": ("DNS:web..acme", "a label is empty"),
    "dns leading dot": ("DNS:.acme", "a label is empty"),
    "dns trailing dot": ("DNS:web.acme.", "it ends with a dot"),
    "dns space": ("DNS:web acme", LABEL),
    "dns leading space": ("DNS: web", LABEL),
    "dns underscore": ("DNS:_dmarc.acme", LABEL),
    "dns leading hyphen": ("DNS:-web.acme", LABEL),
    "dns trailing hyphen": ("DNS:web-.acme", LABEL),
    "dns newline": ("DNS:web\n", LABEL),
    "dns null": ("DNS:web\x00.evil", LABEL),
    "dns url": ("DNS:https://web.acme", LABEL),
    "dns port": ("DNS:web.acme:443", LABEL),
    "dns address": ("DNS:10.0.0.1", "it is an IP address"),
    "dns six": ("DNS:2001:db8::1", "it is an IP address"),
    "dns numeric end": ("DNS:web.10", "is a number, as in an IP address"),
    "dns octal address": ("DNS:0177.0.0.1", "is a number"),
    "dns label of 64": (f"DNS:{'a' * 64}.acme", "octets long; at most 63"),
    "dns of 254": (f"DNS:{'.'.join(['a' * 49] * 5)}.acme", "a domain name has at most 253"),
    "dns far too long": (f"DNS:{'a' * 5000}", "is too long"),
    "wildcard in the middle": ("DNS:web.*.acme", "a * stands only alone"),
    "wildcard in a label": ("DNS:w*.acme.internal", "a * stands only alone"),
    "wildcard twice": ("DNS:*.*.acme", "a * stands only alone"),
    "wildcard alone": ("DNS:*", "a * stands only alone"),
    "wildcard dot": ("DNS:*.", "a label is empty"),
    "wildcard address": ("DNS:*.10.0.0.1", "it is an IP address"),
    "idna snowman": ("DNS:\u2603.acme", UNICODE),
    "idna emoji": ("DNS:i\u2764.acme", UNICODE),
    "idna combining first": ("DNS:\u0301a.acme", "begins with a combining mark"),
    "idna joiner": ("DNS:a\u200db.acme", UNICODE),
    "idna zero width space": ("DNS:a\u200bb.acme", UNICODE),
    "idna soft hyphen": ("DNS:a\u00adb.acme", UNICODE),
    "idna full stop": ("DNS:web\u3002acme", UNICODE),
    "idna middle dot": ("DNS:a\u00b7b.acme", UNICODE),
    "idna directions": ("DNS:a\u05d0.acme", "mixes writing directions"),
    "idna digits": ("DNS:\u0661\u06f1.acme", UNICODE),
    "idna hyphens": ("DNS:äb--c.acme", "has a hyphen where IDNA allows none"),
    "idna sigma": ("DNS:\u03a3.acme", "has a capital sigma"),
    "idna long": (f"DNS:{'ü' * 63}.acme", "octets long; at most 63"),
    "idna surrogate": ("DNS:a\ud800.acme", UNICODE),
    "a-label of nothing": ("DNS:xn--.acme", LABEL),
    "a-label of ascii": ("DNS:xn--web-.acme", LABEL),
    "a-label that decodes to ascii": ("DNS:xn--abc-.acme", LABEL),
    "a-label broken": ("DNS:xn--99999999.acme", "starts as an A-label but is not one"),
    "ip name": ("IP:localhost", "it is no IPv4 or IPv6 address"),
    "ip short": ("IP:10.0.1", "it is no IPv4 or IPv6 address"),
    "ip octet": ("IP:10.0.0.256", "it is no IPv4 or IPv6 address"),
    "ip leading zero": ("IP:010.0.0.1", "it is no IPv4 or IPv6 address"),
    "ip network": ("IP:10.0.0.0/8", "without a prefix length"),
    "ip port": ("IP:10.0.0.1:443", "it is no IPv4 or IPv6 address"),
    "ip brackets": ("IP:[::1]", "it is no IPv4 or IPv6 address"),
    "ip zone": ("IP:fe80::1%eth0", "has no zone"),
    "ip spaces": ("IP: 10.0.0.1", "it is no IPv4 or IPv6 address"),
    "email no at": ("email:acme.internal", "it has no @"),
    "email dots": ("email:a..b@acme.example", "is no dot-atom"),
    "email long": (f"email:{'a' * 65}@acme.example", "is no dot-atom of 1 to 64"),
    "email name": ("email:Web <web@acme.example>", "is no dot-atom"),
    "email unicode": ("email:wéb@acme.example", "its local part is not ASCII"),
    "email wildcard": ("email:web@*.acme.example", "a * stands only alone"),
    "email copy of uri": ("email:mailto:web@acme.example", "is no dot-atom"),
    "uri relative": ("URI:web/index.html", "it is no absolute URI"),
    "uri no scheme": ("URI://acme.example/", "it is no absolute URI"),
    "uri digit scheme": ("URI:1http://acme.example/", "it is no absolute URI"),
    "uri no host": ("URI:https:///path", "names no host after //"),
    "uri space": ("URI:https://acme.example/a b", "it holds ' '"),
    "uri percent": ("URI:https://acme.example/%zz", "it holds '%'"),
    "uri newline": ("URI:https://acme.example/\n", "it holds"),
    "uri quotes": ('URI:https://acme.example/"x"', "it holds"),
    "uri underscore": ("URI:https://my_host.example/", LABEL),
    "uri surrogate": ("URI:https://acme.example/\ud800", "half a character"),
    "uri two at": ("URI:https://a@b@acme.example/", "names no host"),
    "rid no oid": ("RID:gold", "it is no dotted object identifier"),
    "rid one arc": ("RID:1", "it is no dotted object identifier"),
    "rid arc 3": ("RID:3.1.2", "it is no dotted object identifier"),
    "rid leading zero": ("RID:1.02", "it is no dotted object identifier"),
    "rid long": (f"RID:1.2.{'9' * 300}", "it is no dotted object identifier"),
    "dirName empty": ("dirName:", "it has no attribute"),
    "dirName slash": ("dirName:/CN=web", "begins with a slash"),
    "dirName no equals": ("dirName:web", "is no attribute"),
    "dirName unknown": ("dirName:XX=web", "attribute 'XX' is unknown"),
    "dirName empty value": ("dirName:CN=", "CN is empty"),
    "dirName comma": ("dirName:CN=Doe, John", "is no attribute"),
    "dirName quote": ('dirName:CN="web"', "stands unescaped"),
    "dirName hex": ("dirName:CN=#0c03776562", "is a value in hexadecimal"),
    "dirName long": (f"dirName:CN={'x' * 65}", "at most 64"),
    "otherName no oid": ("otherName:UTF8:web", "does not begin with a dotted OID"),
    "otherName no type": (f"otherName:{UPN};web", "type 'web' is unknown"),
    "otherName wrong type": (f"otherName:{UPN};IA5STRING:web@acme", "is of another type than UTF8"),
    "otherName empty upn": (f"otherName:{UPN};UTF8:", "is empty or holds control characters"),
    "otherName der": ("otherName:1.2.3;0c:05:77:65:62", "is not the DER of one value"),
    "otherName integer": ("otherName:1.2.3;INT:one", "is no value of the type INT"),
    "otherName boolean": ("otherName:1.2.3;BOOL:maybe", "is no value of the type BOOL"),
    "otherName oid value": ("otherName:1.2.3;OID:x", "is no value of the type OID"),
    "otherName ia5": ("otherName:1.2.3;IA5STRING:é", "is no value of the type IA5STRING"),
    "otherName bmp": ("otherName:1.2.3;BMPSTRING:\U0001f600", "has characters beyond U+FFFF"),
    "mailbox ascii": (f"otherName:{MAILBOX};UTF8:web@acme.example", "RFC 9598 3 wants an rfc822Name"),
    "mailbox no at": (f"otherName:{MAILBOX};UTF8:müller", "is no mailbox"),
    "srv no service": (f"otherName:{SRV};IA5STRING:acme.example", "is no SRVName"),
}
CONSTRAINTS = {
    "no prefix": ("acme.internal", "is no name constraint"),
    "rid": ("RID:1.2.3", "is no name constraint that RFC 5280 4.2.1.10 defines"),
    "otherName": (f"otherName:{UPN};UTF8:a", "is no name constraint that RFC 5280 4.2.1.10 defines"),
    "dns wildcard": ("DNS:*.acme.internal", "a constraint has no wildcard"),
    "dns two dots": ("DNS:..acme", "a label is empty"),
    "dns address": ("DNS:10.0.0.1", "it is an IP address"),
    "dns underscore": ("DNS:_acme", LABEL),
    "ip alone": ("IP:10.0.0.0", "it has no prefix length"),
    "ip host bits": ("IP:10.0.0.1/8", "it is no network"),
    "ip prefix": ("IP:10.0.0.0/33", "it is no network"),
    "ip prefix negative": ("IP:10.0.0.0/-1", "it is no network"),
    "ip mask": ("IP:10.0.0.0/255.0.255.0", "it is no network"),
    "ip mask of the other": ("IP:10.0.0.0/ffff::", "it is no network"),
    "ip empty prefix": ("IP:10.0.0.0/", "it is no network"),
    "ip zone": ("IP:fe80::%1/64", "has no zone"),
    "email empty": ("email:", "a label is empty"),
    "email wildcard": ("email:*@acme.example", "write the host alone for all of its mailboxes"),
    "email dots": ("email:..acme.example", "a label is empty"),
    "uri url": ("URI:https://acme.example/", "is about the host alone"),
    "uri empty": ("URI:", "a label is empty"),
    "uri port": ("URI:acme.example:80", "is about the host alone"),
    "dirName slash": ("dirName:/O=Acme", "begins with a slash"),
    "dirName unknown": ("dirName:Org=Acme", "attribute 'Org' is unknown"),
}
ABOVE = {
    "dns": ("DNS:web.acme.example", "is outside of what CN=limited permits (DNS:acme.internal)"),
    "dns suffix without a dot": ("DNS:notacme.internal", "is outside of what"),
    "dns excluded": ("DNS:web.secret.acme.internal", "is excluded by CN=limited (DNS:secret.acme.internal)"),
    "dns wildcard over excluded": ("DNS:*.acme.internal", "is excluded by CN=limited"),
    "ip": ("IP:10.0.0.1", "is excluded by CN=limited (IP:0.0.0.0/0)"),
    "ip six": ("IP:2001:db8::1", "is excluded by CN=limited (IP:::/0)"),
    "email": ("email:web@acme.internal", "is outside of what CN=limited permits (email:excluded.invalid)"),
    "uri": ("URI:https://web.acme.internal/", "is outside of what CN=limited permits (URI:excluded.invalid)"),
    "mailbox": (f"otherName:{MAILBOX};UTF8:müller@acme.internal", "is outside of what"),
}


def malformed() -> Iterator[Bad]:
    for id_, (name, says) in MALFORMED.items():
        yield Bad(f"name: {id_}", says, {"subject_alt_name": ["DNS:web.acme.internal", name]})
    for id_, (base, says) in CONSTRAINTS.items():
        option = "name_constraints_permitted" if len(id_) % 2 else "name_constraints_excluded"
        yield Bad(f"constraint: {id_}", says, {option: [base]}, profile="subordinate_ca")
    yield Bad("name: twice", "is there more than once", {"subject_alt_name": ["DNS:a.acme", "DNS:A.ACME"]})
    yield Bad("name: server without", "needs a subject_alt_name of DNS or IP", {"subject_alt_name": []})
    yield Bad("name: server with a mailbox", "needs a subject_alt_name", {"subject_alt_name": ["email:a@b.example"]})
    mail = {"subject_alt_name": ["DNS:mail.acme"]}
    yield Bad(
        "name: mail without a mailbox", "subject_alt_name of email or otherName", mail, profile="email_protection"
    )
    yield Bad("constraint: end entity", "is for authorities", {"name_constraints_permitted": ["DNS:acme"]})
    yield Bad("constraint: end entity excludes", "is for authorities", {"name_constraints_excluded": ["DNS:acme"]})


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """Return an office whose authority may name hosts of one domain, but for one below it."""
    office = Office(tmp_path_factory.mktemp("limited"))
    office.certify_authority("root")
    bases = {
        "name_constraints_permitted": ["DNS:acme.internal"],
        "name_constraints_excluded": ["DNS:secret.acme.internal"],
    }
    office.certify_authority("limited", "root", **bases)
    return office


@each(malformed())
def test_bad_names_are_refused_with_a_sentence(desk: Office, bad: Bad) -> None:
    assert refused(desk, bad)


@each(Bad(id_, says, {"subject_alt_name": ["DNS:web.acme.internal", name]}) for id_, (name, says) in ABOVE.items())
def test_names_that_an_authority_above_does_not_allow_are_refused(limited: Office, bad: Bad) -> None:
    chain = {"issuer_chain_path": [str(limited.ca_path("root"))], **bad.options}
    assert refused(limited, Bad(bad.id, bad.says, chain, issuer="limited"))


def test_the_subject_is_judged_as_well(limited: Office) -> None:
    mail = {"subject": {"common_name": "web", "email_address": "web@acme.example"}}
    assert refused(limited, Bad("mail", "the subject's emailAddress web@acme.example", mail, issuer="limited"))
    host = {"subject": {"common_name": "web.acme.example"}}
    assert refused(limited, Bad("host", "read as a host by OpenSSL", host, profile="tls_client", issuer="limited"))


def test_every_bad_name_is_told(desk: Office, tmp_path: Path) -> None:
    names = ["DNS:a_b", "IP:x", "email:y", f"URI:{tmp_path}", "RID:z"]
    told = refused(desk, Bad("all", "'DNS:a_b'", {"subject_alt_name": names}))
    assert all(repr(name) in told for name in names)
