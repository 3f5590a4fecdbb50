# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Distinguished names as text (RFC 4514), and when two are the same (RFC 5280 7.1)."""

from __future__ import annotations

import subprocess
import sys
import unicodedata
from pathlib import Path
from stringprep import map_table_b2

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.name import _ASN1Type
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import SpecError
from ansible_collections.rootstock.pki.plugins.module_utils._pki.name_matching import is_same_name, is_within, prepare
from ansible_collections.rootstock.pki.plugins.module_utils._pki.names import (
    name_text,
    name_to_list,
    to_name,
    to_name_from_text,
)
from ansible_collections.rootstock.pki.tests.unit.pki.name_chains import Claim, leaf
from ansible_collections.rootstock.pki.tests.unit.pki.texts import NASTY, VALUES, outcome

TYPES = ["CN", "O", "OU", "L", "ST", "street", "title", "1.2.3", "organizationIdentifier"]
NAMES = st.lists(st.tuples(st.sampled_from(TYPES), VALUES, st.booleans()), min_size=1, max_size=5).map(
    lambda parts: to_name(
        [
            {(f"+{key}" if joins and place and key not in [k for k, _v, _j in parts[:place]] else key): value}
            for place, (key, value, joins) in enumerate(parts)
        ]
    )
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Acme, Inc.", r"CN=Acme\, Inc."),
        ("#1", r"CN=\#1"),
        ("a#1", "CN=a#1"),
        ('say "hi"', r"CN=say \"hi\""),
        ("a+b<c>d;e\\f", r"CN=a\+b\<c\>d\;e\\f"),
        ("a=b", "CN=a=b"),
        ("Müller", "CN=Müller"),
        ("a\u200bb", r"CN=a\E2\80\8Bb"),
    ],
)
def test_rfc4514_2_4_special_characters_are_escaped(value: str, text: str) -> None:
    name = to_name({"CN": value})
    assert name_text(name) == text
    assert to_name_from_text(text) == name


def test_rfc4514_2_3_foreign_values_are_shown_whatever_they_are() -> None:
    unique_id = x509.NameAttribute(x509.NameOID.X500_UNIQUE_IDENTIFIER, b"\x00\xff", _ASN1Type.BitString)
    blank = x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, " a\nb ")
    name = x509.Name([unique_id, blank])
    assert name_text(name) == r"O=\ a\0Ab\ ,2.5.4.45=#00ff"
    assert name_to_list(name) == [["2.5.4.45", "00ff"], ["organizationName", " a\nb "]]


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("CN = x , O = Acme  Corp", "CN=x,O=Acme  Corp"),
        ("cn=x,o=y", "CN=x,O=y"),
        (r"CN=\4D\C3\BCller", "CN=Müller"),
        (r"CN=a\2Cb", r"CN=a\,b"),
        ("CN=x+UID=y,C=DE", "UID=y+CN=x,C=DE"),
        ("2.5.4.3=x", "CN=x"),
        ("", ""),
        ("  ", ""),
    ],
)
def test_one_name_has_several_spellings(text: str, same: str) -> None:
    assert to_name_from_text(text) == to_name_from_text(same)


def test_a_name_reads_from_the_most_specific_attribute() -> None:
    assert to_name_from_text("CN=x,O=y,C=DE") == to_name({"C": "DE", "O": "y", "CN": "x"})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("/C=DE/O=Acme", "begins with a slash; write the name as in RFC 4514"),
        ("Acme", "'Acme' is no attribute; write type=value"),
        ("CN=a, b", "' b' is no attribute; write type=value, and a comma inside a value as \\,"),
        ("CN=x,", "'' is no attribute"),
        ("CN=", "CN is empty; leave it out"),
        ("XN=x", "attribute 'XN' is unknown"),
        ('CN="x"', "stands unescaped in a name"),
        ("CN=a;O=b", "stands unescaped"),
        ("CN=#0c0178", "is a value in hexadecimal; write it as text"),
        (r"CN=\C3", "is no UTF-8; write the letter itself"),
        ("CN=x\\", "stands unescaped"),
        (r"CN=\x", "stands unescaped"),
        ("CN=a+CN=b", "CN is twice in one RDN"),
        (r"CN=\ x", "begins or ends with white space"),
    ],
)
def test_text_that_is_no_name_is_refused_with_the_way_out(text: str, sentence: str) -> None:
    with pytest.raises(SpecError) as refusal:
        to_name_from_text(text)
    assert sentence in str(refusal.value)


@given(NAMES)
def test_a_name_survives_its_text(name: x509.Name) -> None:
    assert to_name_from_text(name_text(name)) == name


@given(NASTY)
def test_any_text_is_a_name_or_a_spec_error(text: str) -> None:
    for candidate in (text, f"CN={text}", f"CN=x+O={text},{text}=y"):
        made = outcome(lambda: to_name_from_text(candidate))  # noqa: B023
        assert isinstance(made, SpecError) or to_name_from_text(name_text(made)) == made


def test_openssl_shows_the_same_text(tmp_path: Path) -> None:
    name = to_name([{"C": "DE"}, {"O": 'Acme, "Inc"'}, {"OU": "#1"}, {"CN": "a+b;c"}, {"+UID": "7"}])
    path = tmp_path / "leaf.pem"
    path.write_bytes(leaf(Claim(name, ())).public_bytes(Encoding.PEM))
    shown = subprocess.run(
        ["openssl", "x509", "-in", str(path), "-noout", "-subject", "-nameopt", "RFC2253"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert to_name_from_text(shown.removeprefix("subject=").strip()) == name


def of(*values: str, kind: _ASN1Type = _ASN1Type.UTF8String) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, value, kind) for value in values])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (of("Acme"), of("ACME")),
        (of("Acme"), of("Acme", kind=_ASN1Type.PrintableString)),
        (of("Acme Corp"), of("  Acme \t  Corp ")),
        (of("Müller"), of("MÜLLER")),
        (of("Müller"), of("Mu\u0308ller")),
        (of("Straße"), of("STRASSE")),
        (of("ﬁsh"), of("FISH")),
        (of("Acme\u00a0Corp"), of("acme corp")),
        (of("Ac\u00adme"), of("acme")),
        (of("a", "b"), of("A", "B")),
        (to_name_from_text("CN=x+UID=y"), to_name_from_text("UID=Y+CN=X")),
    ],
)
def test_rfc5280_7_1_names_that_match(one: x509.Name, other: x509.Name) -> None:
    assert is_same_name(one, other)
    assert is_within(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (of("Acme"), of("Acme", "Acme")),
        (of("a", "b"), of("b", "a")),
        (of("Acme Corp"), of("AcmeCorp")),
        (of("Acme"), to_name_from_text("CN=Acme")),
        (to_name_from_text("CN=x+UID=y"), to_name_from_text("CN=x,UID=y")),
        (to_name_from_text("CN=x+UID=y"), to_name_from_text("CN=x")),
        (x509.Name([]), of("Acme")),
    ],
)
def test_rfc5280_7_1_names_that_do_not_match(one: x509.Name, other: x509.Name) -> None:
    assert not is_same_name(one, other)


def test_rfc5280_7_1_a_subtree_is_a_beginning() -> None:
    base = to_name_from_text("O=Acme,C=DE")
    assert is_within(to_name_from_text("CN=x,O=ACME,C=DE"), base)
    assert is_within(base, x509.Name([]))
    assert not is_within(to_name_from_text("C=DE"), base)
    assert not is_within(to_name_from_text("CN=x,C=DE,O=Acme"), base)


@given(VALUES)
def test_rfc4518_preparing_twice_changes_nothing(value: str) -> None:
    assert prepare(prepare(value)) == prepare(value)


@given(st.integers(0, 1023))
def test_rfc4518_2_2_every_code_point_of_unicode_3_2_folds_as_its_table_says(slice_of_planes: int) -> None:
    points = range(slice_of_planes, sys.maxunicode + 1, 1024)
    letters = [chr(point) for point in points if unicodedata.ucd_3_2_0.category(chr(point)) not in ("Cn", "Cs")]
    assert [letter for letter in letters if prepare(f"x{letter}x") != prepare(f"x{map_table_b2(letter)}x")] == []


@given(NAMES, NAMES)
def test_rfc5280_7_1_matching_is_reflexive_and_symmetric(left: x509.Name, right: x509.Name) -> None:
    assert is_same_name(left, left)
    assert is_same_name(left, right) == is_same_name(right, left)
    assert not (is_within(left, right) and is_within(right, left)) or is_same_name(left, right)
