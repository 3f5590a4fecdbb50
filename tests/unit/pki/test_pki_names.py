# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Distinguished names from options: RFC 5280 4.1.2.4 and the types and bounds of its appendix A.1."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.rootstock.pki.plugins.module_utils._pki.attributes import (
    ATTRIBUTES,
    COUNTRY,
    EMAIL,
    LABEL,
    PRINTABLE,
    UTF8,
    Attribute,
)
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import SpecError
from ansible_collections.rootstock.pki.plugins.module_utils._pki.names import name_text, name_to_list, to_name
from ansible_collections.rootstock.pki.tests.unit.pki.texts import NASTY, VALUES, outcome

TAGS = {UTF8: 0x0C, PRINTABLE: 0x13, COUNTRY: 0x13, EMAIL: 0x16, LABEL: 0x16}
EXAMPLES = {COUNTRY: "DE", EMAIL: "ann@example.com", LABEL: "example"}


def problems_of(subject: object) -> str:
    with pytest.raises(SpecError) as refusal:
        to_name(subject)  # type: ignore[arg-type]
    return str(refusal.value)


def test_a_subject_keeps_the_order_it_is_written_in() -> None:
    name = to_name({"country_name": "DE", "organization_name": "Acme", "common_name": "Acme Root R1"})
    assert name_text(name) == "CN=Acme Root R1,O=Acme,C=DE"
    assert name_to_list(name) == [["countryName", "DE"], ["organizationName", "Acme"], ["commonName", "Acme Root R1"]]


@pytest.mark.parametrize("key", ["CN", "commonName", "common_name", "2.5.4.3", "cn"])
def test_an_attribute_has_all_its_names(key: str) -> None:
    assert to_name({key: "x"}) == x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x")])


@pytest.mark.parametrize("row", ATTRIBUTES, ids=lambda row: row.short)
def test_rfc5280_appendix_a_every_attribute_has_its_string_type_and_bound(row: Attribute) -> None:
    value = EXAMPLES.get(row.kind, "x")
    for key in (row.short, row.long, row.oid):
        name = to_name({key: value})
        assert bytes((TAGS[row.kind], len(value))) + value.encode() in name.public_bytes()
    if row.kind not in EXAMPLES and row.bound:
        assert to_name({row.short: "x" * row.bound})
        problem = problems_of({row.short: "x" * (row.bound + 1)})
        assert f"{row.bound + 1} characters long; at most {row.bound}" in problem


def test_openssl_knows_every_attribute_by_its_oid_and_both_names(tmp_path: Path) -> None:
    asked = [name for row in ATTRIBUTES for name in (row.oid, row.short, row.long)]
    config = tmp_path / "names.cnf"
    fields = "".join(f"f{place}=OID:{name}\n" for place, name in enumerate(asked))
    config.write_text(f"asn1=SEQUENCE:all\n[all]\n{fields}")
    command = ["openssl", "asn1parse", "-genconf", str(config), "-i"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert [line.rpartition(":")[2] for line in lines[1:]] == [row.long for row in ATTRIBUTES for _name in range(3)]


def test_an_attribute_of_an_unlisted_oid_is_a_utf8_string() -> None:
    name = to_name({"1.2.3.4": "x"})
    assert b"\x0c\x01x" in name.public_bytes()
    assert name_to_list(name) == [["1.2.3.4", "x"]]


def test_a_list_of_values_makes_one_rdn_each() -> None:
    name = to_name({"OU": ["a", "b"], "CN": "c"})
    assert [len(rdn) for rdn in name.rdns] == [1, 1, 1]
    assert name_text(name) == "CN=c,OU=b,OU=a"


def test_an_ordered_subject_may_repeat_an_attribute() -> None:
    assert name_text(to_name([{"DC": "internal"}, {"DC": "acme"}, {"CN": "c"}])) == "CN=c,DC=acme,DC=internal"


def test_a_plus_joins_attributes_in_one_rdn() -> None:
    expected = x509.Name(
        [
            x509.RelativeDistinguishedName([x509.NameAttribute(x509.NameOID.COUNTRY_NAME, "DE")]),
            x509.RelativeDistinguishedName(
                [x509.NameAttribute(x509.NameOID.COMMON_NAME, "x"), x509.NameAttribute(x509.NameOID.USER_ID, "7")]
            ),
        ]
    )
    assert to_name([{"C": "DE"}, {"CN": "x"}, {"+UID": "7"}]) == expected
    assert to_name({"C": "DE", "CN": "x", "+UID": "7"}) == expected


def test_an_empty_subject_is_the_empty_name() -> None:
    assert to_name({}) == to_name([]) == x509.Name([])
    assert name_text(x509.Name([])) == ""


def test_email_and_domain_components_are_mailboxes_and_a_labels() -> None:
    name = to_name({"DC": ["example", "bücher"], "emailAddress": "Ann@Bücher.example"})
    assert name_text(name) == "emailAddress=Ann@xn--bcher-kva.example,DC=xn--bcher-kva,DC=example"


@pytest.mark.parametrize(
    ("subject", "sentence"),
    [
        ({"C": "de"}, "subject: C 'de' is no country code; write two upper-case letters of ISO 3166, such as DE"),
        ({"C": "DEU"}, "C 'DEU' is no country code"),
        ({"C": False}, "C is False, which is no string; quote it"),
        ({"serialNumber": 17}, "serialNumber is 17, which is no string; quote it"),
        ({"CN": None}, "CN is None, which is no string; quote it, or leave it out"),
        ({"CN": {"a": "b"}}, "CN is {'a': 'b'}, which is no string"),
        ({"OU": ["a", 1]}, "OU is 1, which is no string"),
        ({"OU": []}, "OU has an empty list of values; leave it out"),
        ({"OU": [[]]}, "OU is [], which is no string"),
        ({"CN": ""}, "CN is empty; leave it out"),
        ({"CN": "  "}, "CN is empty; leave it out"),
        ({"CN": " x"}, "CN ' x' begins or ends with white space"),
        ({"CN": "a\nb"}, "CN 'a\\nb' has U+000A, which no name may hold"),
        ({"CN": "a\x00b"}, "has U+0000"),
        ({"CN": "a\ud800"}, "has U+D800"),
        ({"CN": "x" * 65}, "is 65 characters long; at most 64 (RFC 5280 A.1); shorten it"),
        ({"CN": "ü" * 33}, "is 66 octets of UTF-8 long; at most 64"),
        ({"O": "x" * 100}, "... (100 characters) is 100 characters long; at most 64"),
        ({"serialNumber": "1_2"}, "serialNumber '1_2' is no PrintableString; write letters A to Z, digits"),
        ({"dnQualifier": "ü"}, "dnQualifier 'ü' is no PrintableString"),
        (
            {"DC": "acme.internal"},
            "DC 'acme.internal': label 'acme.internal' is not made of letters, digits and hyphens",
        ),
        ({"emailAddress": "ann"}, "emailAddress 'ann': it has no @; write a mailbox such as user@example.com"),
        ({"comon_name": "x"}, "attribute 'comon_name' is unknown; did you mean commonName? write an OpenSSL name"),
        ({"organisation": "x"}, "did you mean organization"),
        (
            {"zzz": "x"},
            "attribute 'zzz' is unknown; write an OpenSSL name (CN, commonName, common_name) or a dotted OID",
        ),
        ({"": "x"}, "attribute '' is unknown"),
        ({"1.2.": "x"}, "attribute '1.2.' is unknown"),
        ({"3.1.2": "x"}, "attribute '3.1.2' is unknown"),
        ({"1.40.1": "x"}, "attribute '1.40.1' is unknown"),
        ({"2.5.4.45": "x"}, "attribute 2.5.4.45 (x500UniqueIdentifier) takes no text value; leave it out"),
        ({1: "x"}, "attribute 1 is no string; quote it"),
        ({"CN": "x", "commonName": "y"}, "CN and commonName are one attribute; write it once, with a list of values"),
        ({"OU": "x", "+OU": "y"}, "OU and +OU are one attribute"),
        ({"+OU": "y"}, "attribute '+OU' has no attribute before it that it could join; remove the +"),
        ([{"CN": "x"}, {"+CN": "y"}], "CN is twice in one RDN (X.501 9.3); give it an RDN of its own"),
        ([{"CN": "x"}, {"+CN": "x"}], "CN is twice in one RDN"),
        ([{"CN": "x", "O": "y"}], "item 1 of the list is 2 keys; write one attribute an item"),
        ([{"CN": "x"}, {}], "item 2 of the list is 0 keys"),
        (["CN=x"], "item 1 of the list is 'CN=x'"),
        ("CN=x", "subject: 'CN=x' is no mapping and no list; write common_name: ... and so on"),
        (None, "subject: 'None' is no mapping and no list"),
    ],
)
def test_a_bad_subject_is_refused_with_the_way_out(subject: object, sentence: str) -> None:
    assert sentence in problems_of(subject)


def test_all_problems_are_told_at_once() -> None:
    problems = problems_of({"C": "de", "comon_name": "x", "CN": False, "O": "fine", "OU": ""})
    assert problems.count("subject: ") == 4
    assert "fine" not in problems


@given(st.dictionaries(st.sampled_from(["O", "OU", "CN", "L", "+ST", "1.2.3", "title"]), VALUES, min_size=1))
def test_every_name_survives_its_encoding(subject: Mapping[str, str]) -> None:
    entries = list(subject.items())
    name = to_name([{key.removeprefix("+") if not place else key: value} for place, (key, value) in enumerate(entries)])
    decoded = x509.Name.from_bytes(name.public_bytes()) if hasattr(x509.Name, "from_bytes") else name
    assert decoded == name
    assert sorted(value for _key, value in name_to_list(name)) == sorted(subject.values())


ANYTHING = st.recursive(
    st.one_of(NASTY, st.none(), st.booleans(), st.integers(), st.floats()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NASTY, inner, max_size=3)),
    max_leaves=6,
)


@given(
    st.one_of(ANYTHING, st.dictionaries(st.sampled_from(["CN", "C", "DC", "emailAddress", "serialNumber"]), ANYTHING))
)
def test_anything_is_a_name_or_a_spec_error(subject: object) -> None:
    made = outcome(lambda: to_name(subject))  # type: ignore[arg-type]
    assert made.public_bytes() if isinstance(made, x509.Name) else "subject: " in str(made)
