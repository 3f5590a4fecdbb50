# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An authority with several CRLs: which certificate belongs to which, and the URLs that say so (RFC 5280 5.2.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import SpecError
from .extensions import WantedExtension

try:
    from cryptography import x509
except ImportError:
    x509 = None  # type: ignore[assignment]  # require_cryptography() in the module says so

if TYPE_CHECKING:
    from collections.abc import Iterable

PLACEHOLDER = "{partition}"
"""Stands in URLs and paths for the number of the partition, from 0 on."""

_IN_URL = "%7Bpartition%7D"

OPENED_AS_NEEDED = 0
PARTITION_SIZE = 64
"""Certificates of one partition where CRLs have to stay small: kms:Sign takes 4,096 bytes of an Ed25519 CRL as a whole,
which is about 73 entries with reasons."""
PARTITION_RESERVE = 8
"""How many more runs may put into it that saw it open at the same moment; so none is sent away while it stays open."""

NO_ROOT = (
    "a partition's CRL names itself by its URL, and a root's own certificate names none, so openssl verify "
    "-crl_check_all would find no CRL of the root and refuse everything below it"
)


def has_placeholder(text: str) -> bool:
    return PLACEHOLDER in text or _IN_URL in text


def for_url(text: str) -> str:
    """Return *text* with the placeholder written as a URL may hold it."""
    return text.replace(PLACEHOLDER, _IN_URL)


def fill_in(text: str, partition: int) -> str:
    """Return *text* with the number in place of the placeholder."""
    return text.replace(PLACEHOLDER, str(partition)).replace(_IN_URL, str(partition))


def partition_of(serial_number: int, partitions: int) -> int:
    """Return the partition of a certificate where their number is fixed; serial numbers are random."""
    return serial_number % partitions


def are_partitioned(extensions: Iterable[WantedExtension]) -> bool:
    """Tell whether a URL of a CRL in *extensions* has the placeholder."""
    return any(has_placeholder(name.value) for wanted in extensions for name in _urls(wanted))


def certificate_partitions(given: int | None, extensions: Iterable[WantedExtension]) -> int | None:
    """Return in how many partitions the issuer's CRLs come, by what is said of one of its certificates.

    Raises:
        SpecError: number and URLs contradict each other.
    """
    if are_partitioned(extensions):
        if given is not None and given < 2:
            raise SpecError(f"crl_partitions is {given}; give two or more, or leave it out")
        return given or OPENED_AS_NEEDED
    if given is not None:
        raise SpecError("crl_partitions is given, but no URL of crl_distribution_points has {partition} in it")
    return None


def partitions_text(partitions: int | None) -> str:
    if partitions is None:
        return "without partitions"
    return "with partitions opened as needed" if partitions == OPENED_AS_NEEDED else f"with {partitions} partitions"


def in_partition(extensions: Iterable[WantedExtension], partition: int) -> tuple[WantedExtension, ...]:
    """Return *extensions* with the number in place of the placeholder."""
    return tuple(_filled(wanted, partition) for wanted in extensions)


def _points(wanted: WantedExtension) -> list[x509.DistributionPoint]:
    value = wanted.value
    return list(value) if isinstance(value, (x509.CRLDistributionPoints, x509.FreshestCRL)) else []


def _urls(wanted: WantedExtension) -> list[x509.UniformResourceIdentifier]:
    names = [name for point in _points(wanted) for name in point.full_name or ()]
    return [name for name in names if isinstance(name, x509.UniformResourceIdentifier)]


def _filled(wanted: WantedExtension, partition: int) -> WantedExtension:
    if not any(has_placeholder(name.value) for name in _urls(wanted)):
        return wanted
    points = [
        x509.DistributionPoint(
            [_filled_name(name, partition) for name in point.full_name] if point.full_name else None,
            point.relative_name,
            point.reasons,
            point.crl_issuer,
        )
        for point in _points(wanted)
    ]
    kind = x509.FreshestCRL if isinstance(wanted.value, x509.FreshestCRL) else x509.CRLDistributionPoints
    return WantedExtension(kind(points), wanted.critical)


def _filled_name(name: x509.GeneralName, partition: int) -> x509.GeneralName:
    if isinstance(name, x509.UniformResourceIdentifier):
        return x509.UniformResourceIdentifier(fill_in(name.value, partition))
    return name
