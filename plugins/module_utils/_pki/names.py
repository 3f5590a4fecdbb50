# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Distinguished names from options, for messages and for results (RFC 5280 4.1.2.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .attribute_values import to_attribute
from .attributes import Attribute, attribute_called, attribute_of
from .domain_names import shown
from .errors import SpecError
from .name_texts import name_of, name_text, repeated_types, to_name_from_text
from .problems import convert_all, refuse, try_all

if TYPE_CHECKING:
    from cryptography import x509

__all__ = ["name_text", "name_to_list", "standard_name", "to_name", "to_name_from_text"]


def to_name(subject: Mapping[str, object] | Sequence[Mapping[str, object]]) -> x509.Name:
    """Return the distinguished name that the options ``subject`` or ``subject_ordered`` say, in the order written.

    Args:
        subject: a mapping from attribute to its value or list of values, or a list of one-key mappings. An attribute is
            an OpenSSL short or long name, snake_case, or a dotted OID. With a ``+`` before it, it joins the
            attribute before it in one multi-valued RDN, as in OpenSSL's configuration files.
    Returns:
        String types and upper bounds as RFC 5280 appendix A.1 has them; empty where *subject* is.
    Raises:
        SpecError: with every problem of every attribute.
    """
    rdns: list[list[x509.NameAttribute[str]]] = []
    problems: list[str] = []
    for key, value in _pairs(subject):
        try:
            joins, attribute = _joins_and_attribute(key, bool(rdns))
            made = [to_attribute(attribute, text) for text in _values(attribute.short, value)]
        except SpecError as exc:
            problems.append(f"subject: {exc}")
            continue
        if joins:
            rdns[-1].extend(made)
        else:
            rdns.extend([one] for one in made)
    more = [*_repeated(subject), *repeated_types(rdns)]
    refuse([*problems, *(f"subject: {problem}" for problem in more)])
    return name_of(rdns)


def _pairs(subject: object) -> list[tuple[object, object]]:
    if isinstance(subject, Mapping):
        return list(subject.items())
    if isinstance(subject, Sequence) and not isinstance(subject, (str, bytes)):
        return convert_all(_single_pair, list(enumerate(subject, start=1)))
    raise SpecError(f"subject: {shown(str(subject))} is no mapping and no list; write common_name: ... and so on")


def _single_pair(item: tuple[int, object]) -> tuple[object, object]:
    place, entry = item
    if not isinstance(entry, Mapping) or len(entry) != 1:
        found = f"{len(entry)} keys" if isinstance(entry, Mapping) else shown(str(entry))
        raise SpecError(
            f"subject: item {place} of the list is {found}; write one attribute an item, such as - common_name: ..."
        )
    return next(iter(entry.items()))


def _joins_and_attribute(key: object, has_previous: bool) -> tuple[bool, Attribute]:
    if not isinstance(key, str):
        raise SpecError(f"attribute {key!r} is no string; quote it")
    joins = key.startswith("+")
    if joins and not has_previous:
        raise SpecError(f"attribute {shown(key)} has no attribute before it that it could join; remove the +")
    return joins, attribute_called(key.removeprefix("+"))


def _values(name: str, value: object) -> list[str]:
    values = list(value) if isinstance(value, Sequence) and not isinstance(value, (str, bytes)) else [value]
    if not values:
        raise SpecError(f"{name} has an empty list of values; leave it out")
    texts = [one for one in values if isinstance(one, str)]
    if len(texts) != len(values):
        other = next(one for one in values if not isinstance(one, str))
        raise SpecError(f"{name} is {other!r:.80}, which is no string; quote it, or leave it out")
    return texts


def _repeated(subject: object) -> list[str]:
    """Find attributes that a mapping gives twice under two names; a list may repeat them."""
    if not isinstance(subject, Mapping):
        return []
    by_oid: dict[str, list[str]] = {}
    for key in subject:
        if isinstance(key, str):
            by_oid.setdefault(_oid_or_itself(key.removeprefix("+")), []).append(key)
    return [
        f"{' and '.join(keys)} are one attribute; write it once, with a list of values"
        for keys in by_oid.values()
        if len(keys) > 1
    ]


def _oid_or_itself(name: str) -> str:
    try:
        return attribute_called(name).oid
    except SpecError:
        return name


def standard_name(name: x509.Name) -> x509.Name:
    """Return *name*, which somebody else wrote, with the string types and bounds that to_name() gives.

    Raises:
        SpecError: what RFC 5280 does not allow in it, every problem of every attribute.
    """
    read = [try_all(_standard_attribute, rdn) for rdn in name.rdns]
    rdns = [made for made, _problems in read]
    refuse([*(problem for _made, problems in read for problem in problems), *repeated_types(rdns)])
    return name_of(rdns)


def _standard_attribute(attribute: x509.NameAttribute[str | bytes]) -> x509.NameAttribute[str]:
    oid, value = attribute.oid.dotted_string, attribute.value
    if isinstance(value, bytes):
        raise SpecError(f"attribute {oid} is no text; leave it out")
    return to_attribute(attribute_called(oid), value)


def name_to_list(name: x509.Name) -> list[list[str]]:
    """Return *name* as results show it: [[long name, value], ...] in the order of the certificate."""
    return [
        [attribute_of(one.oid.dotted_string).long, one.value.hex() if isinstance(one.value, bytes) else one.value]
        for one in name
    ]
