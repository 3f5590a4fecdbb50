# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# ruff: noqa: RUF001  (letters that look alike are what this is about)
"""U-labels to A-labels (RFC 5891, RFC 5892, RFC 5893), judged by the idna package."""

from __future__ import annotations

import sys
import unicodedata

import idna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.rootstock.pki.plugins.module_utils._pki.domain_names import to_domain, to_label
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import SpecError
from ansible_collections.rootstock.pki.tests.unit.pki.texts import outcome

NOT_ASCII = range(0x80, sys.maxunicode + 1)
HARD = "ßςσΣüÜäéİıſﬁǆ·l٠۰١ءبمאב׳״ー・カかαβ͵क्ष\u200c\u200d\u0301\u0327-1a日本한ᄀʼ\u00adªº"
LABELS = st.one_of(
    st.text(st.sampled_from(HARD), min_size=1, max_size=6),
    st.text(st.characters(categories=["Ll", "Lu", "Lo", "Lm", "Mn", "Mc", "Nd"]), min_size=1, max_size=6),
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=4),
)


def judge(label: str) -> str | None:
    """Return what the idna package makes of *label*, in lower case and NFC, or None where it refuses."""
    letters = unicodedata.normalize("NFC", label.lower())
    try:
        return letters if letters.isascii() else idna.encode(letters, strict=True).decode("ascii")
    except idna.IDNAError:
        return None


@pytest.mark.parametrize(
    ("name", "ascii_name"),
    [
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.Example", "xn--bcher-kva.example"),
        ("bu\u0308cher.example", "xn--bcher-kva.example"),
        ("straße.example", "xn--strae-oqa.example"),
        ("faß.de", "xn--fa-hia.de"),
        ("βόλος.com", "xn--nxasmm1c.com"),
        ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
        ("דוגמה.example", "xn--6dbbec0c.example"),
        ("col·lecció.cat", "xn--collecci-ioa91d.cat"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
        ("K.example", "k.example"),  # KELVIN SIGN is the letter k (NFC)
    ],
)
def test_rfc9549_international_names_become_a_labels(name: str, ascii_name: str) -> None:
    assert to_domain(name) == ascii_name


@pytest.mark.parametrize(
    ("label", "sentence"),
    [
        ("☃", "has U+2603, not allowed in a name (RFC 5892); remove it"),
        ("ａ", "has U+FF41"),
        ("ب\u200cب", "has U+200C, not allowed in a name (RFC 5892); remove it, or write the A-label (xn--...)"),
        ("a\U0001fffd", "has U+1FFFD, not allowed in a name (RFC 5892); remove it, or write the A-label (xn--...)"),
        ("ﬁsh", "has U+FB01"),
        ("a\u200db", "has U+200D"),
        ("a·b", "has U+00B7"),
        ("a。b", "has U+3002"),
        ("ü b", "has U+0020"),
        ("ü_b", "has U+005F"),
        ("\u0301a", "begins with a combining mark (RFC 5891 4.2.3.2)"),
        ("ab--ü", "has a hyphen where IDNA allows none"),
        ("-ü", "has a hyphen where IDNA allows none"),
        ("xn--ü", "has a hyphen where IDNA allows none"),
        ("أa", "mixes writing directions (RFC 5893 2)"),
        ("1ا", "mixes writing directions"),
        ("ا٠۰", "has U+0660, U+06F0"),
        ("ΟΔΟΣ", "has a capital sigma, which stands for two letters; write it in lower case"),
        ("ü" * 60, "octets long; at most 63"),
        ("xn--a", "starts as an A-label but is not one (RFC 5891 4.2)"),
        ("xn--wca", "starts as an A-label but is not one (RFC 5891 4.2)"),
        ("xn--u-ccb", "starts as an A-label but is not one (RFC 5891 4.2)"),
        ("xn--99999999", "starts as an A-label but is not one (RFC 5891 4.2)"),
    ],
)
def test_what_has_no_a_label_is_refused_with_the_way_out(label: str, sentence: str) -> None:
    with pytest.raises(SpecError) as refusal:
        to_label(label)
    assert sentence in str(refusal.value)


@given(LABELS)
def test_every_conversion_is_the_one_of_idna2008(label: str) -> None:
    made = outcome(lambda: to_label(label))
    if isinstance(made, str):
        assert made == judge(label) or (label.isascii() and made == label.lower())


@given(LABELS.filter(lambda label: not label.isascii()))
def test_what_is_refused_has_no_a_label_or_several(label: str) -> None:
    made = outcome(lambda: to_label(label))
    newer = any(unicodedata.category(letter) == "Cn" for letter in label)  # assigned after this Python was made
    needs_joining_types = "\u200c" in label
    if isinstance(made, SpecError) and "Σ" not in label and not newer and not needs_joining_types:
        theirs = judge(label)
        assert theirs is None or not theirs.isalnum() or len(theirs) > 63


@given(st.integers(0, 255))
def test_every_code_point_is_judged_as_idna_does(slice_of_planes: int) -> None:
    for point in NOT_ASCII[slice_of_planes::256]:
        letter = chr(point)
        rtl = unicodedata.bidirectional(letter) in ("R", "AL", "AN")
        label = letter if rtl else f"a{letter}b"
        if unicodedata.category(letter) not in ("Cs", "Cn"):
            made = outcome(lambda: to_label(label))  # noqa: B023
            assert (None if isinstance(made, SpecError) else made) in (judge(label), None), f"U+{point:04X}"


@given(LABELS)
def test_an_a_label_is_taken_as_it_is(label: str) -> None:
    made = outcome(lambda: to_label(label))
    if isinstance(made, str):
        assert to_label(made) == made


def a_label(label: str) -> str:
    return f"xn--{label.encode('punycode').decode('ascii')}"


@given(st.integers(0, 255))
def test_every_code_point_of_an_a_label_is_judged_as_idna_does(slice_of_planes: int) -> None:
    """Whoever registers or looks up a name refuses the same (RFC 5891 4.2, 5.4)."""
    for point in NOT_ASCII[slice_of_planes::256]:
        letter = chr(point)
        if unicodedata.category(letter) not in ("Cs", "Cn") and letter != "\u200c":
            label = letter if unicodedata.bidirectional(letter) in ("R", "AL", "AN") else f"a{letter}b"
            made = outcome(lambda: to_label(a_label(label)))  # noqa: B023
            wanted = None if unicodedata.normalize("NFC", label) != label or label.lower() != label else judge(label)
            assert (None if isinstance(made, SpecError) else made) == wanted, f"U+{point:04X}"


@pytest.mark.parametrize(
    "label",
    [
        *("pay\u200bpal", "\u202eabc", "a\u2044b", "a\u00adb", "a\u2024b", "☃", "ａ", "a·b", "a\u200db", "a\ufe0fb"),
        *("pay\u200cpal", "نامه\u200ca", "a\U000e0041b", "a\ufffeb", "a\ufdd0b", "a\u2065b", "a\ufff0b"),
        *("\u0301a", "ü-", "-ü", "xn--ü", "أa", "1ا", "Ü", "u\u0308"),
    ],
)
def test_rfc5892_an_a_label_hides_nothing_that_is_disallowed(label: str) -> None:
    with pytest.raises(SpecError, match=r"starts as an A-label but is not one \(RFC 5891 4\.2\)"):
        to_label(a_label(label))


@pytest.mark.parametrize(
    "label", ["نامه\u200cای", "ی\u0651\u200cه", "क्\u200cष", "क्\u200dष", "col·lecció", "a\U0001fffdb"]
)
def test_rfc5892_an_a_label_may_have_what_its_context_allows_or_what_is_newer(label: str) -> None:
    assert to_label(a_label(label)) == a_label(label)
    if "\U0001fffd" not in label:
        assert idna.ulabel(a_label(label)) == label
