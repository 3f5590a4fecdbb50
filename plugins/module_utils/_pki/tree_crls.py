# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The CRLs of a tree: where they are, what certificates say of them, and the tasks that make them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .crl import crl_period
from .crl_partitions import NO_ROOT, OPENED_AS_NEEDED, PLACEHOLDER, certificate_partitions, partitions_text
from .crl_task import CrlTask
from .errors import SpecError
from .extension_words import said_extensions
from .task import LEDGER_NAME
from .tree_accounts import used_key_id, used_with
from .tree_entries import in_shape, option_problems, signature_options
from .tree_options import AUTHORITY, CRL_OPTIONS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from .tree_entries import Entry
    from .tree_place import Place

ED25519 = "ECC_NIST_EDWARDS25519"
ONE_CRL = 1
_OF_CRLS = ("crl_distribution_points", "freshest_crl")
_TIMES = ("next_update", "renew_before")


def _written(authority: Entry) -> Mapping[str, object]:
    given = authority.options.get("crl")
    return given if isinstance(given, Mapping) else {}


def _options(authority: Entry) -> Mapping[str, object]:
    return in_shape(_written(authority), CRL_OPTIONS)


def _said_partitions(authority: Entry) -> int:
    """Return in how many CRLs the inventory says that an authority lists what it revokes; 0 where it does not say."""
    given = _options(authority).get("partitions")
    return given if isinstance(given, int) else 0


def _partitions(authority: Entry) -> int | None:
    said = _said_partitions(authority)
    return said if said > ONE_CRL else None


def _are_opened_as_needed(authority: Entry, place: Place) -> bool:
    """True for an Ed25519 key, which cannot sign long CRLs, but that of a root, which issues little."""
    by_key = authority.key_spec == ED25519 and bool(authority.issuer)
    return by_key and bool(place.base_url) and _said_partitions(authority) != ONE_CRL


def _kept_partitions(authority: Entry, place: Place) -> int | None:
    """Return in how many partitions the CRLs of an authority come, as whatever it issues has to say."""
    return OPENED_AS_NEEDED if _are_opened_as_needed(authority, place) else _partitions(authority)


def _file(authority: Entry, place: Place, ending: str) -> str:
    """Return the name of an authority's CRL, or CRLs."""
    partitioned = _kept_partitions(authority, place) is not None
    return f"crl-{PLACEHOLDER}{ending}" if partitioned else f"crl{ending}"


def crl_pointers(issuer: Entry, place: Place) -> dict[str, object]:
    """Return what a certificate says of its issuer's CRL (RFC 5280 4.2.1.13)."""
    partitions = _partitions(issuer)
    url = place.url(issuer.name, _file(issuer, place, ".der"))
    return {
        "crl_distribution_points": [{"full_name": [f"URI:{url}"]}],
        **({"crl_partitions": partitions} if partitions else {}),
    }


def crls(order: Sequence[Entry], place: Place) -> list[dict[str, object]]:
    """Return the options of one kms_x509_crl task per authority."""
    return [
        {
            "name": entry.name,
            "issuer_path": place.of_authority(entry.name, "ca.pem"),
            "issuer_key_id": used_key_id(entry),
            "ledger_path": place.of_authority(entry.name, LEDGER_NAME),
            "path": place.of_authority(entry.name, _file(entry, place, ".pem")),
            "der_path": place.of_authority(entry.name, _file(entry, place, ".der")),
            **_said(entry, place),
            **used_with(entry),
        }
        for entry in order
        if entry.kind == AUTHORITY
    ]


def _said(authority: Entry, place: Place) -> dict[str, object]:
    """Return what the inventory says of an authority's CRL, and the URL that a partition's names itself by."""
    given = _options(authority)
    said = {option: given[option] for option in _TIMES if given.get(option)}
    said |= signature_options(authority)
    if PLACEHOLDER in _file(authority, place, ""):
        said["crl_urls"] = [place.url(authority.name, _file(authority, place, ".der"))]
        partitions = _partitions(authority)
        said |= {"crl_partitions": partitions} if partitions else {}
    return said


def crl_problems(authority: Entry, place: Place) -> list[str]:
    """Return what is wrong with what the inventory says of an authority's CRL, but for its times."""
    problems = option_problems(f"{authority.label}: crl", _written(authority), CRL_OPTIONS)
    return problems + [f"{authority.label}: crl: partitions {text}" for text in _partition_problems(authority, place)]


def _partition_problems(authority: Entry, place: Place) -> list[str]:
    if _said_partitions(authority) <= ONE_CRL:
        return []
    if not authority.issuer and not authority.external:
        return [f"is not for roots; {NO_ROOT}"]
    if authority.key_spec == ED25519:
        return ["is not for Ed25519 keys, which open them as needed; give 1 for one CRL, or leave it out"]
    return [] if place.base_url else ["needs pki_base_url, since certificates name their CRL"]


def crl_time_problems(authority: Entry, now: datetime) -> list[str]:
    """Return what is wrong with the times of an authority's CRL if that is made *now*."""
    given = _options(authority)
    next_update, renew_before = (str(given.get(option) or getattr(CrlTask, option)) for option in _TIMES)
    try:
        crl_period(next_update, renew_before, now)
    except SpecError as exc:
        return [f"{authority.label}: crl: {exc}"]
    return []


def certificate_crl_problems(entry: Entry, issuer: Entry, said: Mapping[str, object], place: Place) -> list[str]:
    """Return why a certificate does not fit the CRLs of its issuer.

    Args:
        said: options of the certificate, among them what it says of CRLs.
    """
    extensions, refused = said_extensions({option: said.get(option) for option in _OF_CRLS})
    kept, given = _kept_partitions(issuer, place), said.get("crl_partitions")
    if refused:
        return []  # the gate says so
    try:
        partitions = certificate_partitions(given if isinstance(given, int) else None, extensions)
    except SpecError as exc:
        return [f"{entry.label}: {exc}"]
    if partitions == kept:
        return []
    told = (
        f"its CRL is that of an authority {partitions_text(partitions)}, and {issuer.label} has CRLs "
        f"{partitions_text(kept)}; leave crl_partitions and crl_distribution_points to the tree, or give crl of "
        f"{issuer.name} as many partitions"
    )
    return [f"{entry.label}: {told}"]
