# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The name constraints that certificates have, with what cryptography does not tell of them (RFC 5280 4.2.1.10)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .constraint_rules import form_of
from .der import encode, parts_of
from .names import name_text

if TYPE_CHECKING:
    from cryptography import x509
else:
    try:
        from cryptography import x509
    except ImportError:
        x509 = None  # require_cryptography() in the module says so

_NAME_CONSTRAINTS = "2.5.29.30"
_PERMITTED = 0xA0


@dataclass(frozen=True)
class HeldConstraints:
    """What one authority allows below it.

    Attributes:
        owner: whose extension it is, for messages.
        bounded: forms of which a subtree has a minimum or a maximum, which no relying party processes.
    """

    extension: x509.NameConstraints
    owner: str = "the issuer's chain"
    bounded: frozenset[str] = frozenset()


def held_constraints(certificates: Iterable[x509.Certificate]) -> list[HeldConstraints]:
    """Return the constraints of those of *certificates* that have some, in their order."""
    return [
        HeldConstraints(one.value, name_text(certificate.subject), frozenset(_bounded_forms(certificate, one.value)))
        for certificate in certificates
        for one in certificate.extensions
        if isinstance(one.value, x509.NameConstraints)
    ]


def _bounded_forms(certificate: x509.Certificate, extension: x509.NameConstraints) -> Iterator[str]:
    """Yield the forms of subtrees that are more than a base: in DER, a minimum that is there is not zero."""
    for subtrees in parts_of(_octets(certificate)):
        names = extension.permitted_subtrees if subtrees[0] == _PERMITTED else extension.excluded_subtrees
        for subtree, name in zip(parts_of(subtrees), names or (), strict=True):
            if len(parts_of(subtree)) > 1:
                yield form_of(name)


def _octets(certificate: x509.Certificate) -> bytes:
    """Return the DER of the extension as it stands in *certificate*, which has it, without the OCTET STRING around."""
    (extensions,) = parts_of(parts_of(certificate.tbs_certificate_bytes)[-1])
    oid = encode("OID", _NAME_CONSTRAINTS)
    value = next(parts[-1] for parts in map(parts_of, parts_of(extensions)) if parts[0] == oid)
    (octets,) = parts_of(value)
    return octets
