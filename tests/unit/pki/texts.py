# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Texts that users might write, well and badly."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from hypothesis import strategies as st

from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import SpecError

Made = TypeVar("Made")


def outcome(make: Callable[[], Made]) -> Made | SpecError:
    """Return what *make* returns, or the SpecError it raises; any other exception is a failure."""
    try:
        return make()
    except SpecError as refusal:
        return refusal


MARKS = st.sampled_from(
    [*":;,=+/\\.@*[]()#\"<> -_%!|&?'", "\x00", "\n", "\u00a0", "\u200b", "\ud800", "ß", "ü", "xn--", "日"]
)
NASTY = st.lists(
    st.one_of(
        st.text(max_size=4),
        MARKS,
        st.sampled_from(["DNS", "CN", "UTF8", "1.2.3", "10.0.0.1", "example", "99999999999"]),
    ),
    max_size=12,
).map("".join)
"""Text made of the pieces that grammars trip over."""

LDH_LABELS = st.from_regex(r"[a-z](?:[a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True).filter(
    lambda label: label[2:4] != "--"
)
HOSTS = st.lists(LDH_LABELS, min_size=1, max_size=4).map(".".join)
LETTERS = st.characters(exclude_categories=["C", "Z"], exclude_characters="\ufffd")
WORDS = st.text(st.one_of(st.characters(codec="ascii", categories=["L", "N"]), LETTERS), min_size=1, max_size=12)
VALUES = st.lists(WORDS, min_size=1, max_size=3).map(" ".join).filter(lambda text: len(text.encode()) <= 64)
"""Values that an attribute of UTF8String may have."""
