# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""U-labels to A-labels by IDNA2008 (RFC 5891), from the Unicode tables of the standard library alone.

RFC 9549 makes IDNA2008 the rule for certificates. Python's own ``idna`` codec is IDNA2003, which turns a letter such as
the German sharp s into another domain name, so it is not used: its Punycode codec (RFC 3492) is, behind the code point
rules of RFC 5892 and the Bidi rule of RFC 5893. What needs tables the standard library lacks is refused, and can
always be given as an A-label.
"""

from __future__ import annotations

import unicodedata

from .errors import SpecError

_VALID = frozenset("\u00df\u03c2\u06fd\u06fe\u0f0b\u3007")  # RFC 5892 2.6, PVALID
_INVALID = frozenset("\u0640\u07fa\u302e\u302f\u3031\u3032\u3033\u3034\u3035\u303b")  # RFC 5892 2.6, DISALLOWED
_LETTER_DIGITS = frozenset(("Ll", "Lu", "Lo", "Nd", "Lm", "Mn", "Mc"))  # RFC 5892 2.1
_RANGES_DISALLOWED = (  # RFC 5892 2.3 to 2.5 and 2.9: ignorable, musical and combining symbols, old Hangul Jamo
    (0x034F, 0x034F),
    (0x1100, 0x11FF),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x2065, 0x2065),
    (0x20D0, 0x20FF),
    (0xA960, 0xA97C),
    (0xD7B0, 0xD7FB),
    (0xFDD0, 0xFDEF),
    (0xFE00, 0xFE0F),
    (0xFFF0, 0xFFF8),
    (0x1D100, 0x1D24F),
    (0xE0000, 0xE0FFF),
)
_ARABIC_DIGITS = frozenset(map(chr, range(0x0660, 0x066A)))
_PERSIAN_DIGITS = frozenset(map(chr, range(0x06F0, 0x06FA)))
_KANA_OR_HAN = ("HIRAGANA", "KATAKANA LETTER", "CJK UNIFIED IDEOGRAPH", "CJK COMPATIBILITY IDEOGRAPH")
_VIRAMA = 9
_NON_JOINER = "\u200c"
_CURSIVE = (  # scripts whose letters join (Unicode 9.2)
    *("ARABIC", "SYRIAC", "NKO", "MANDAIC", "MONGOLIAN", "PHAGS-PA", "ADLAM", "HANIFI ROHINGYA", "MANICHAEAN"),
    *("PSALTER PAHLAVI", "OLD SOGDIAN", "SOGDIAN", "CHORASMIAN", "OLD UYGHUR"),
)


def u_label_to_ascii(label: str) -> str:
    """Return the A-label of *label*, after lower case and NFC (RFC 5895 2), not checked for length.

    A label that these two turn into ASCII is returned as that.

    Raises:
        SpecError: a code point or an order of them that RFC 5892 or RFC 5893 does not allow, or cannot be judged.
    """
    shown = repr(label[:80])
    if "\u03a3" in label:
        raise SpecError(f"label {shown} has a capital sigma, which stands for two letters; write it in lower case")
    letters = unicodedata.normalize("NFC", label.lower())
    if letters.isascii():
        return letters
    misplaced = _misplaced(letters)
    if misplaced:
        raise SpecError(f"label {shown} {misplaced}")
    bad = [letter for place, letter in enumerate(letters) if not _is_allowed(letters, place)]
    if bad:
        points = ", ".join(f"U+{ord(letter):04X}" for letter in dict.fromkeys(bad[:5]))
        judged = not any(letter == _NON_JOINER or _is_newer(letter) for letter in bad)
        way_out = "remove it" if judged else "remove it, or write the A-label (xn--...)"
        raise SpecError(f"label {shown} has {points}, not allowed in a name (RFC 5892); {way_out}")
    if not _keeps_bidi_rule(letters):
        raise SpecError(f"label {shown} mixes writing directions (RFC 5893 2); separate them by a dot")
    return "xn--" + letters.encode("punycode").decode("ascii")


def u_label_may_be(label: str) -> bool:
    """Tell whether an A-label may encode *label* (RFC 5891 4.2): beyond ASCII, lower case, NFC, and by all rules above.

    Let pass is what cannot be judged: code points newer than this Python, and non-joiners between letters that join.
    """
    if label.isascii() or unicodedata.normalize("NFC", label.lower()) != label or _misplaced(label):
        return False
    allowed = (
        _is_allowed(label, place) or _is_newer(letter) or (letter == _NON_JOINER and _is_between_cursive(label, place))
        for place, letter in enumerate(label)
    )
    return all(allowed) and (any(map(_is_newer, label)) or _keeps_bidi_rule(label))


def _misplaced(letters: str) -> str:
    """Say what stands where it must not, and the way out (RFC 5891 4.2.3.1, 4.2.3.2); empty where nothing does."""
    if unicodedata.category(letters[0]).startswith("M"):
        return "begins with a combining mark (RFC 5891 4.2.3.2); write it after a letter"
    if letters[2:4] == "--" or letters.startswith("-") or letters.endswith("-"):
        return "has a hyphen where IDNA allows none (RFC 5891 4.2.3.1); remove it"
    return ""


def _is_newer(letter: str) -> bool:
    """Tell whether *letter* may have become one after this Python was made; noncharacters never do."""
    point = ord(letter)
    return unicodedata.category(letter) == "Cn" and point & 0xFFFE != 0xFFFE and not _is_in_disallowed_range(point)


def _is_between_cursive(label: str, place: int) -> bool:
    before = (letter for letter in reversed(label[:place]) if unicodedata.category(letter) != "Mn")
    after = (letter for letter in label[place + 1 :] if unicodedata.category(letter) != "Mn")
    return all(_script(next(letters, "")).startswith(_CURSIVE) for letters in (before, after))


def _is_in_disallowed_range(point: int) -> bool:
    return any(low <= point <= high for low, high in _RANGES_DISALLOWED)


def _is_allowed(label: str, place: int) -> bool:
    """Apply the derived property of RFC 5892 2 and 3, then the contextual rules of its appendix A."""
    letter = label[place]
    if letter.isascii():
        return letter.isalnum() or letter == "-"
    if letter in "\u00b7\u0375\u05f3\u05f4\u30fb\u200c\u200d" or letter in _ARABIC_DIGITS | _PERSIAN_DIGITS:
        return _fits_context(label, place)
    if letter in _VALID:
        return True
    if letter in _INVALID or _is_in_disallowed_range(ord(letter)):
        return False
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", letter).casefold())
    return folded == letter and unicodedata.category(letter) in _LETTER_DIGITS


def _fits_context(label: str, place: int) -> bool:
    """Apply RFC 5892 appendix A, but for the joining types of ZERO WIDTH NON-JOINER, whose table is missing."""
    letter, before, after = label[place], label[max(place - 1, 0) : place], label[place + 1 : place + 2]
    if letter in _ARABIC_DIGITS:
        return not _PERSIAN_DIGITS.intersection(label)
    if letter in _PERSIAN_DIGITS:
        return not _ARABIC_DIGITS.intersection(label)
    if letter == "\u00b7":
        return before == "l" and after == "l"
    if letter == "\u0375":
        return _script(after).startswith("GREEK")
    if letter in "\u05f3\u05f4":
        return _script(before).startswith("HEBREW")
    if letter == "\u30fb":
        return any(_script(other).startswith(_KANA_OR_HAN) for other in label)
    return bool(before) and unicodedata.combining(before) == _VIRAMA


def _script(letter: str) -> str:
    return unicodedata.name(letter, "") if letter else ""


def _keeps_bidi_rule(label: str) -> bool:
    """Apply the Bidi rule (RFC 5893 2) to a label; one without right-to-left letters keeps it."""
    classes = [unicodedata.bidirectional(letter) for letter in label]
    if not {"R", "AL", "AN"}.intersection(classes):
        return True
    while classes[-1] == "NSM":
        classes.pop()
    right_to_left = {"R", "AL", "AN", "EN", "ES", "CS", "ET", "ON", "BN", "NSM"}
    return (
        classes[0] in {"R", "AL"}
        and right_to_left.issuperset(classes)
        and classes[-1] in {"R", "AL", "EN", "AN"}
        and not {"EN", "AN"}.issubset(classes)
    )
