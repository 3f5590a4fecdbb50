# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""General names from text and back (RFC 5280 4.2.1.6)."""

from __future__ import annotations

import ipaddress
import re
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import SpecError
from ansible_collections.rootstock.pki.plugins.module_utils._pki.general_names import (
    constraint_text,
    general_name_text,
    to_constraint,
    to_general_name,
    to_general_names,
)
from ansible_collections.rootstock.pki.plugins.module_utils._pki.names import to_name
from ansible_collections.rootstock.pki.tests.unit.pki.name_chains import Claim, leaf, pkilint_findings
from ansible_collections.rootstock.pki.tests.unit.pki.texts import HOSTS, NASTY, VALUES, outcome

PREFIXES = ("DNS:", "IP:", "email:", "URI:", "RID:", "dirName:", "otherName:")
LOCAL_PARTS = st.from_regex(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]{1,20}", fullmatch=True)
OIDS = st.lists(st.integers(0, 2**40), max_size=5).map(lambda arcs: ".".join(map(str, [1, 3, *arcs])))
GOOD = st.one_of(
    HOSTS.map("DNS:{}".format),
    HOSTS.map("DNS:*.{}".format),
    st.ip_addresses().map("IP:{}".format),
    st.builds("email:{}@{}".format, LOCAL_PARTS, HOSTS),
    st.builds(
        "URI:{}://{}/{}".format,
        st.sampled_from(["http", "spiffe"]),
        HOSTS,
        st.from_regex(r"[a-z0-9/?=&~]*", fullmatch=True),
    ),
    OIDS.map("RID:{}".format),
    st.builds("otherName:{};UTF8:{}".format, OIDS, VALUES),
)


def problem_of(text: str) -> str:
    with pytest.raises(SpecError) as refusal:
        to_general_name(text)
    return str(refusal.value)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("DNS:web.acme.internal", x509.DNSName("web.acme.internal")),
        ("DNS:WEB.Acme.Internal", x509.DNSName("web.acme.internal")),
        ("DNS:*.acme.internal", x509.DNSName("*.acme.internal")),
        ("DNS:localhost", x509.DNSName("localhost")),
        ("dns:a--b.example", x509.DNSName("a--b.example")),
        ("IP:10.1.2.3", x509.IPAddress(ipaddress.IPv4Address("10.1.2.3"))),
        ("IP:2001:DB8:0:0::1", x509.IPAddress(ipaddress.IPv6Address("2001:db8::1"))),
        ("email:Ann@ACME.example", x509.RFC822Name("Ann@acme.example")),
        ("URI:https://acme.example:8443/a?b#c", x509.UniformResourceIdentifier("https://acme.example:8443/a?b#c")),
        ("URI:urn:uuid:1", x509.UniformResourceIdentifier("urn:uuid:1")),
        ("URI:http://[2001:DB8::1]/", x509.UniformResourceIdentifier("http://[2001:db8::1]/")),
        ("URI:http://u@10.0.0.1", x509.UniformResourceIdentifier("http://u@10.0.0.1")),
        ("URI:ldap://h/CN=a%20b", x509.UniformResourceIdentifier("ldap://h/CN=a%20b")),
        ("RID:1.2.3.4", x509.RegisteredID(x509.ObjectIdentifier("1.2.3.4"))),
        ("dirName:CN=x", x509.DirectoryName(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x")]))),
        ("otherName:1.2.3;UTF8:x", x509.OtherName(x509.ObjectIdentifier("1.2.3"), b"\x0c\x01x")),
    ],
)
def test_every_kind_of_name_has_its_prefix(text: str, name: x509.GeneralName) -> None:
    assert to_general_name(text) == name
    assert to_general_name(general_name_text(name)) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("DNS:*.Bücher.example", "DNS:*.xn--bcher-kva.example"),
        ("email:ann@bücher.example", "email:ann@xn--bcher-kva.example"),
        ("URI:https://bücher.example/ä b?ü".replace(" ", "%20"), "URI:https://xn--bcher-kva.example/%C3%A4%20b?%C3%BC"),
    ],
)
def test_rfc5280_7_international_names_become_ascii(text: str, name: str) -> None:
    assert general_name_text(to_general_name(text)) == name


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("web.acme.internal", "is no general name; write one with a prefix: DNS:, IP:, email:, URI:, RID:, dirName:"),
        ("", "'' is no general name"),
        ("FTP:x", "'FTP:x' is no general name"),
        ("DNS:", "'DNS:': a label is empty; remove the extra dot"),
        ("DNS:a..b", "a label is empty; remove the extra dot"),
        ("DNS:.acme.internal", "a label is empty"),
        ("DNS:acme.internal.", "it ends with a dot; a name in a certificate has none (RFC 5280 4.2.1.6), remove it"),
        ("DNS:foo_bar.internal", "label 'foo_bar' is not made of letters, digits and hyphens"),
        ("DNS:-a.internal", "label '-a' is not made of"),
        ("DNS:a b", "label 'a b' is not made of"),
        ("DNS: a.internal", "label ' a' is not made of"),
        (f"DNS:{'a' * 64}.internal", "is 64 octets long; at most 63 (RFC 1034 3.1); shorten it"),
        (f"DNS:{'ü' * 100_000}", "is too long; at most 63 octets"),
        ("DNS:" + ".".join(["a" * 50] * 6), "it is 305 octets long; a domain name has at most 253"),
        ("DNS:10.0.0.1", "it is an IP address, not a host name; write it as IP:"),
        ("DNS:::1", "it is an IP address"),
        ("DNS:host.300", "its last label '300' is a number, as in an IP address"),
        ("DNS:*", "a * stands only alone as the whole left-most label of a DNS: name (RFC 9525 6.3)"),
        ("DNS:*.", "a label is empty"),
        ("DNS:*.*.internal", "a * stands only alone"),
        ("DNS:w*.internal", "a * stands only alone"),
        ("DNS:a.*.internal", "a * stands only alone"),
        (
            "DNS:xn--zzzzzzzz99999.de",
            "starts as an A-label but is not one (RFC 5891 4.2); write the name in letters",
        ),
        ("DNS:xn--abc-.de", "is not made of"),
        ("DNS:☃.example", "label '☃' has U+2603, not allowed in a name (RFC 5892); remove it"),
        ("IP:10.0.0.0/8", "it is no IPv4 or IPv6 address; write one without a prefix length"),
        ("IP:10.0.0.256", "it is no IPv4 or IPv6 address; write one such as 192.0.2.1 or 2001:db8::1"),
        ("IP:10.0.0.01", "it is no IPv4 or IPv6 address"),
        ("IP:fe80::1%eth0", "an address in a certificate has no zone"),
        ("email:ann", "it has no @; write a mailbox such as user@example.com"),
        ("email:@acme.internal", "its local part '' is no dot-atom"),
        ("email:a..b@acme.internal", "its local part 'a..b' is no dot-atom"),
        ('email:"a b"@acme.internal', "is no dot-atom"),
        ("email:ann@[10.0.0.1]", "is not made of"),
        ("email:ann@10.0.0.1", "it is an IP address"),
        ("email:müller@acme.internal", "write otherName:1.3.6.1.5.5.7.8.9;UTF8:müller@acme.internal"),
        (f"email:{'a' * 65}@b.c", "is no dot-atom of 1 to 64 characters (RFC 5321 4.1.2)"),
        (f"email:{'a' * 60}@{'.'.join(['b' * 50] * 4)}", "it is 264 octets long; a mailbox has at most 254"),
        ("URI:/relative", "it is no absolute URI (RFC 5280 4.2.1.6); write one such as https://example.com/path"),
        ("URI:http:", "it is no absolute URI"),
        ("URI:http://", "'' names no host after //"),
        ("URI:http:///path", "names no host after //"),
        ("URI:http://foo_bar/", "label 'foo_bar' is not made of"),
        ("URI:http://[::1/", "names no host after //"),
        ("URI:http://[::g]/", "is no IPv6 address"),
        ("URI:http://a b/", "is not made of"),
        ("URI:http://a/b c", "it holds ' ', which no URI may (RFC 3986 2); percent-encode it as %20"),
        ("URI:http://a/%zz", "it holds '%', which no URI may (RFC 3986 2); percent-encode it as %25"),
        ("URI:http://a/\ud800", "holds half a character"),
        ("RID:1", "it is no dotted object identifier; write one such as RID:1.2.3.4"),
        ("RID:1.2.", "it is no dotted object identifier"),
        ("RID:3.1", "it is no dotted object identifier"),
        ("RID:1.2." + "9" * 60, "it cannot be encoded"),
        ("RID:1.2." + "9" * 10_000, "it is no dotted object identifier"),
        ("dirName:", "it has no attribute; write one as in RFC 4514: dirName:CN=...,O=...,C=.."),
        ("dirName:/CN=x", "begins with a slash"),
        ("dirName:CN=x,C=de", "C 'de' is no country code"),
    ],
)
def test_a_bad_name_is_refused_with_the_way_out(text: str, sentence: str) -> None:
    assert sentence in problem_of(text)


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(SpecError, match="'17' is no general name; quote it"):
        to_general_name(17)  # type: ignore[arg-type]


def test_all_names_are_judged_before_refusing() -> None:
    with pytest.raises(SpecError) as refusal:
        to_general_names(["DNS:a b", "DNS:fine.internal", "IP:x", "DNS:c.d", "DNS:C.D", "URI:y"])
    problems = str(refusal.value)
    assert [word in problems for word in ("'DNS:a b'", "'IP:x'", "'URI:y'", "fine")] == [True, True, True, False]
    assert "DNS:c.d is there more than once; write it once" in problems


def test_names_keep_their_order() -> None:
    texts = ["DNS:b.internal", "IP:10.0.0.1", "DNS:a.internal"]
    assert list(map(general_name_text, to_general_names(texts))) == texts


@given(GOOD)
def test_a_good_name_survives_text_and_encoding(text: str) -> None:
    name = to_general_name(text)
    assert general_name_text(name) == text
    certificate = leaf(Claim(x509.Name([]), (name,)))
    decoded = x509.load_der_x509_certificate(certificate.public_bytes(Encoding.DER))
    assert list(decoded.extensions.get_extension_for_class(x509.SubjectAlternativeName).value) == [name]


@given(st.sampled_from(["", *PREFIXES]), NASTY)
def test_any_text_is_a_general_name_or_a_spec_error(prefix: str, text: str) -> None:
    made = outcome(lambda: to_general_name(prefix + text))
    if isinstance(made, x509.GeneralName):
        assert to_general_name(general_name_text(made)) == made
        assert x509.SubjectAlternativeName([made]).public_bytes()


@given(st.sampled_from(["", *PREFIXES]), NASTY)
def test_any_text_is_a_constraint_or_a_spec_error(prefix: str, text: str) -> None:
    made = outcome(lambda: to_constraint(prefix + text))
    if isinstance(made, x509.GeneralName):
        assert to_constraint(constraint_text(made)) == made
        assert x509.NameConstraints([made], None).public_bytes()


def test_openssl_reads_every_kind(tmp_path: Path) -> None:
    texts = ["DNS:*.acme.internal", "IP:10.1.2.3", "IP:2001:db8::1", "email:ann@acme.internal", "RID:1.2.3.4"]
    texts += ["URI:https://acme.internal/", "dirName:CN=x,C=DE", "otherName:msUPN;UTF8:ann@acme.internal"]
    path = tmp_path / "leaf.pem"
    path.write_bytes(leaf(Claim(x509.Name([]), tuple(to_general_names(texts)))).public_bytes(Encoding.PEM))
    command = ["openssl", "x509", "-in", str(path), "-noout", "-ext", "subjectAltName"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    patterns = [
        r"DNS:\*\.acme\.internal",
        "IP Address:10.1.2.3",
        "IP Address:2001:DB8:0:0:0:0:0:1",
        "email:ann@acme.internal",
    ]
    patterns += [
        "Registered ID:1.2.3.4",
        "URI:https://acme.internal/",
        "DirName:.*C ?= ?DE.*CN ?= ?x",
        "UPN:+ann@acme.internal",
    ]
    assert [pattern for pattern in patterns if not re.search(pattern, shown)] == []


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("DNS:acme.internal", "DNS:acme.internal"),
        ("DNS:.acme.internal", "DNS:acme.internal"),
        ("DNS:Bücher.example", "DNS:xn--bcher-kva.example"),
        ("DNS:", "DNS:"),
        ("IP:10.0.0.0/8", "IP:10.0.0.0/8"),
        ("IP:10.0.0.0/255.0.0.0", "IP:10.0.0.0/8"),
        ("IP:0.0.0.0/0.0.0.0", "IP:0.0.0.0/0"),
        ("IP:10.1.2.3/32", "IP:10.1.2.3/32"),
        ("IP:2001:db8::/32", "IP:2001:db8::/32"),
        ("IP:2001:DB8::/ffff:ffff::", "IP:2001:db8::/32"),
        ("IP:::/::", "IP:::/0"),
        ("email:Ann@Acme.internal", "email:Ann@acme.internal"),
        ("email:acme.internal", "email:acme.internal"),
        ("email:.acme.internal", "email:.acme.internal"),
        ("URI:acme.internal", "URI:acme.internal"),
        ("URI:.Acme.internal", "URI:.acme.internal"),
        ("dirName:O = Acme, C = DE", "dirName:O=Acme,C=DE"),
        ("dirName:", "dirName:"),
    ],
)
def test_rfc5280_4_2_1_10_the_forms_of_a_constraint(text: str, same: str) -> None:
    assert constraint_text(to_constraint(text)) == same
    assert to_constraint(same) == to_constraint(text)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("acme.internal", "is no name constraint that RFC 5280 4.2.1.10 defines; write one with a prefix: DNS:, IP:"),
        ("RID:1.2.3", "is no name constraint that RFC 5280 4.2.1.10 defines"),
        ("otherName:1.2.3;UTF8:x", "is no name constraint that RFC 5280 4.2.1.10 defines"),
        (
            "DNS:*.acme.internal",
            "a constraint has no wildcard: the domain and all below it are meant anyway; remove the *.",
        ),
        ("DNS:..acme.internal", "a label is empty"),
        ("DNS:.", "a label is empty"),
        ("DNS:10.0.0.0/8", "is not made of"),
        ("IP:10.0.0.1", "it has no prefix length; write a network such as 10.0.0.0/8, or /32 (/128) for one address"),
        ("IP:10.0.0.1/8", "it is no network (10.0.0.1/8 has host bits set); write one such as 10.0.0.0/8"),
        ("IP:10.0.0.0/33", "it is no network"),
        ("IP:10.0.0.0/0.0.0.255", "mask 0.0.0.255 is not ones, then zeros"),
        ("IP:10.0.0.0/255.0.255.0", "mask 255.0.255.0 is not ones, then zeros"),
        ("IP:10.0.0.0/ffff::", "mask ffff:: is not ones, then zeros"),
        ("IP:10.0.0.0/", "it is no network"),
        ("IP:fe80::1%e/128", "a network in a certificate has no zone"),
        ("email:", "a label is empty"),
        ("email:ann@", "a label is empty"),
        ("email:@acme.internal", "its local part '' is no dot-atom"),
        ("email:.ann@acme.internal", "its local part '.ann' is no dot-atom"),
        ("URI:", "a label is empty"),
        ("URI:https://acme.internal", "a URI constraint is about the host alone (RFC 5280 4.2.1.10); write URI:host"),
        ("URI:acme.internal:443", "a URI constraint is about the host alone"),
        ("URI:10.0.0.1", "it is an IP address, not a host name"),
        ("dirName:Acme", "'Acme' is no attribute"),
    ],
)
def test_a_bad_constraint_is_refused_with_the_way_out(text: str, sentence: str) -> None:
    with pytest.raises(SpecError) as refusal:
        to_constraint(text)
    assert sentence in str(refusal.value)
    assert repr(text) in str(refusal.value)


def test_a_constraint_of_another_form_has_a_text_for_messages() -> None:
    assert constraint_text(to_general_name("RID:1.2.3")).startswith("RegisteredID:")
    with pytest.raises(SpecError, match="quote it"):
        to_constraint(None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "DNS:web.acme.internal",
        "DNS:straße.example",
        "IP:10.0.0.1",
        "IP:2001:db8::1",
        "email:o'neil+x@acme.internal",
        "URI:https://acme.internal/",
        "RID:1.3.6.1.4.1.99999.1",
        "dirName:CN=x+UID=7,O=Müller,C=DE",
        "otherName:msUPN;UTF8:ann@acme.internal",
        "otherName:id-on-SmtpUTF8Mailbox;UTF8:müller@bücher.example",
        "otherName:id-on-dnsSRV;IA5:_imaps.acme.internal",
        "otherName:id-on-xmppAddr;UTF8:ann@acme.internal",
    ],
)
def test_pkilint_finds_nothing_in_any_kind(text: str) -> None:
    assert pkilint_findings(leaf(Claim(to_name({"CN": "x"}), (to_general_name(text),)))) == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("DNS:*.acme.internal", "pkix.invalid_domain_name_syntax"),  # RFC 5280 leaves wildcards to RFC 9525
        ("DNS:localhost", "pkix.invalid_domain_name_syntax"),  # RFC 1034 3.5 allows a name of one label
        ("URI:urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "pkix.invalid_uri_syntax"),  # RFC 3986 3 allows it
        ("URI:spiffe://acme.internal/ns", "pkix.invalid_uri_syntax"),  # pkilint knows a few schemes only
    ],
)
def test_what_pkilint_refuses_though_the_standards_allow_it(text: str, code: str) -> None:
    assert pkilint_findings(leaf(Claim(to_name({"CN": "x"}), (to_general_name(text),)))) == [code]
