# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Policy mappings (RFC 5280 4.2.1.5) out of their DER: cryptography has no type for them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

from .der import TAGS, header

_SEQUENCE = 0x30
_ARCS = re.compile(rb"(?:(?!\x80)[\x80-\xff]*[\x00-\x7f])+", re.DOTALL)


def read_policy_mappings(der: bytes) -> Mapping[str, frozenset[str]]:
    """Return the policies of the subject's domain by the one of the issuer's that they are equivalent to.

    Raises:
        ValueError: this is no DER of policy mappings.
    """
    (pairs,) = _contents(der, _SEQUENCE, 1)
    found: defaultdict[str, set[str]] = defaultdict(set)
    for pair in _contents(pairs, _SEQUENCE):
        issuers, subjects = _contents(pair, TAGS["OID"], 2)
        found[_dotted(issuers)].add(_dotted(subjects))
    if not found:
        raise ValueError("no mapping, where RFC 5280 4.2.1.5 has one or more")
    return {policy: frozenset(others) for policy, others in found.items()}


def _contents(data: bytes, tag: int, number: int | None = None) -> list[bytes]:
    """Return the contents of the values in *data*, that all have *tag*."""
    found = list(_values(data))
    if any(one != tag for one, _content in found) or number not in (None, len(found)):
        raise ValueError("other values than policy mappings have")
    return [content for _tag, content in found]


def _values(data: bytes) -> Iterator[tuple[int, bytes]]:
    while data:
        tag, head, size = data[0], 2, int.from_bytes(data[1:2], "big")
        if size >= 0x80:
            head += size & 0x7F
            size = int.from_bytes(data[2:head], "big")
        if len(data) < head + size or header(tag, size) != data[:head]:
            raise ValueError("a length that is not the length of what follows")
        yield tag, data[head : head + size]
        data = data[head + size :]


def _dotted(content: bytes) -> str:
    """Return the object identifier that *content* encodes (X.690 8.19)."""
    if not _ARCS.fullmatch(content):
        raise ValueError("an object identifier that is none")
    arcs = [0]
    for octet in content:
        arcs[-1] = arcs[-1] << 7 | octet & 0x7F
        if octet < 0x80:
            arcs.append(0)
    first = min(arcs[0] // 40, 2)
    return ".".join(str(arc) for arc in (first, arcs[0] - 40 * first, *arcs[1:-1]))
