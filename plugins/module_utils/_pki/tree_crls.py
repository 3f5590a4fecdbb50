# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The CRLs of a tree: where they are, what certificates say of them, and the tasks that make them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .crl_partitions import NO_ROOT, PLACEHOLDER
from .tree_options import AUTHORITY

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .tree_entries import Entry
    from .tree_place import Place

ED25519 = "ECC_NIST_EDWARDS25519"


def _options(authority: Entry) -> Mapping[str, object]:
    given = authority.options.get("crl")
    return given if isinstance(given, Mapping) else {}


def _partitions(authority: Entry) -> int | None:
    given = str(_options(authority).get("partitions") or "")
    return int(given) if given.isdecimal() else None


def _file(authority: Entry, place: Place, ending: str) -> str:
    """Return the name of an authority's CRL.

    An authority with an Ed25519 key needs partitions, but for a root, which issues little.
    """
    by_key = place.base_url and authority.key_spec == ED25519 and authority.issuer
    partitioned = _partitions(authority) or by_key
    return f"crl-{PLACEHOLDER}{ending}" if partitioned else f"crl{ending}"


def crl_pointers(issuer: Entry, place: Place) -> dict[str, object]:
    """Return what a certificate says of its issuer's CRL (RFC 5280 4.2.1.13)."""
    partitions = _partitions(issuer)
    url = place.url(issuer.name, _file(issuer, place, ".der"))
    return {
        "crl_distribution_points": [{"full_name": [f"URI:{url}"]}],
        **({"crl_partitions": partitions} if partitions else {}),
    }


def crls(
    order: Sequence[Entry],
    place: Place,
    key_id: Callable[[Entry], str],
    aws: Callable[[Entry], dict[str, object]],
) -> list[dict[str, object]]:
    """Return the options of one kms_x509_crl task per authority."""
    return [
        {
            "name": entry.name,
            "issuer_path": place.of_authority(entry.name, "ca.pem"),
            "issuer_key_id": key_id(entry),
            "path": place.of_authority(entry.name, _file(entry, place, ".pem")),
            "der_path": place.of_authority(entry.name, _file(entry, place, ".der")),
            **_said(entry, place),
            **aws(entry),
        }
        for entry in order
        if entry.kind == AUTHORITY
    ]


def _said(authority: Entry, place: Place) -> dict[str, object]:
    """Return what the inventory says of an authority's CRL, and the URL that a partition's names itself by."""
    given = _options(authority)
    said = {option: given[option] for option in ("next_update", "renew_before") if given.get(option)}
    for option in ("digest", "signature_padding"):
        if authority.options.get(option):
            said[option] = authority.options[option]
    if PLACEHOLDER in _file(authority, place, ""):
        said["crl_urls"] = [place.url(authority.name, _file(authority, place, ".der"))]
        partitions = _partitions(authority)
        said |= {"crl_partitions": partitions} if partitions else {}
    return said


def crl_problems(authority: Entry, place: Place) -> list[str]:
    """Return what is wrong with what the inventory says of an authority's CRL."""
    given = authority.options.get("crl")
    if given is None:
        return []
    if not isinstance(given, Mapping):
        return [f"{authority.label}: crl is no mapping; write next_update, renew_before or partitions in it"]
    problems = [
        f"{authority.label}: crl has no option {option}; there are next_update, renew_before and partitions"
        for option in given
        if option not in ("next_update", "renew_before", "partitions")
    ]
    partitions = given.get("partitions")
    if partitions is not None and (not str(partitions).isdecimal() or int(str(partitions)) < 2):
        problems.append(f"{authority.label}: crl.partitions is {partitions}; give two or more, or leave it out")
    elif partitions is not None and not authority.issuer and not authority.external:
        problems.append(f"{authority.label}: crl.partitions is not for roots; {NO_ROOT}")
    elif partitions is not None and authority.key_spec == ED25519:
        problems.append(f"{authority.label}: crl.partitions is not for Ed25519 keys, which open them as needed")
    elif partitions is not None and not place.base_url:
        problems.append(f"{authority.label}: crl.partitions needs pki_base_url, since certificates name their CRL")
    return problems
