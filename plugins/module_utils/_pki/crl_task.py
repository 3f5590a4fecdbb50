# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task that wants CRLs names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .crl import issuing_distribution_point_of
from .crl_partitions import fill_in
from .errors import SpecError
from .extension_words import location
from .extensions import WantedExtension
from .general_names import general_name_text
from .problems import convert_all

try:
    from cryptography import x509
except ImportError:
    x509 = None  # type: ignore[assignment]  # require_cryptography() in the module says so

if TYPE_CHECKING:
    from .task import Source

PEM, DER = "pem", "der"


@dataclass(frozen=True)
class CrlTask:
    """One task that wants a CRL, or one for each partition of an authority.

    Attributes:
        path: where the CRL is kept; with partitions it holds their placeholder, as all paths and URLs here.
        form: PEM or DER, of the file at the path.
        base_path: the full CRL that a delta CRL is made for; empty for a full CRL.
        next_update: relative or absolute time.
        renew_before: how long before next_update the CRL is made again, as a span or a share of its lifetime.
        distribution_point: general names of the CRL itself, as the certificates have them (RFC 5280 5.2.5); of a delta
            CRL empty, or those of its base.
        freshest_crl: general names of the delta CRL (RFC 5280 5.2.6).
        at_once: made again as soon as a revocation is new; otherwise with the next regular one.
        partitions: how many there are; 0 where they are opened as needed, None where there are none.
        partition: which one this is, once it is known.
        compare_entries: say which certificates a new CRL has more or less.
    """

    issuer: Source
    issuer_key_id: str
    ledger_path: str
    path: str
    form: str = PEM
    base_path: str = ""
    next_update: str = "+7d"
    renew_before: str = "33%"
    digest: str = ""
    padding: str = "pkcs1v15"
    distribution_point: tuple[str, ...] = ()
    freshest_crl: tuple[str, ...] = ()
    at_once: bool = True
    force: bool = False
    partitions: int | None = None
    partition: int | None = None
    compare_entries: bool = True

    @property
    def is_delta(self) -> bool:
        return bool(self.base_path)

    @property
    def part(self) -> str:
        """What full and delta CRLs of the same certificates have in common: their sequence of numbers."""
        return "full" if self.partition is None else f"partition-{self.partition}"

    @property
    def scope(self) -> str:
        """What the ledger calls this CRL among those of its authority."""
        return delta_scope(self.part) if self.is_delta else self.part

    def of_partition(self, partition: int) -> CrlTask:
        """Return the task of one partition, its placeholders filled in."""
        return replace(
            self,
            partition=partition,
            path=fill_in(self.path, partition),
            base_path=fill_in(self.base_path, partition),
            distribution_point=tuple(fill_in(text, partition) for text in self.distribution_point),
            freshest_crl=tuple(fill_in(text, partition) for text in self.freshest_crl),
        )

    def of_base(self, base: x509.CertificateRevocationList) -> CrlTask:
        """Return the task of a delta CRL with the scope of its base (RFC 5280 5.2.4).

        Raises:
            SpecError: the task names another scope.
        """
        point = issuing_distribution_point_of(base)
        names = [general_name_text(name).removeprefix("URI:") for name in (point and point.full_name) or ()]
        wanted = replace(self, distribution_point=tuple(names))
        given = self if self.distribution_point else wanted
        if given.issuing_distribution_point() != point:
            raise SpecError(
                f"{self.path}: crl_urls has {', '.join(given.distribution_point)}, and the base CRL {self.base_path} "
                f"{', '.join(names) or 'none'}; relying parties join a delta CRL with its base only where both are the "
                "same (RFC 5280 5.2.4), so leave crl_urls out"
            )
        return wanted

    def issuing_distribution_point(self) -> x509.IssuingDistributionPoint | None:
        """Return what says which CRL this is (RFC 5280 5.2.5).

        Raises:
            SpecError: a name is none; all problems in one message.
        """
        if not self.distribution_point:
            return None
        return x509.IssuingDistributionPoint(
            full_name=convert_all(location, self.distribution_point),
            relative_name=None,
            only_contains_user_certs=False,
            only_contains_ca_certs=False,
            only_some_reasons=None,
            indirect_crl=False,
            only_contains_attribute_certs=False,
        )

    def extensions(self) -> tuple[WantedExtension, ...]:
        """Return what the task itself puts into the CRL.

        Raises:
            SpecError: a name is none; all problems in one message.
        """
        found = []
        scope = self.issuing_distribution_point()
        if scope is not None:
            found.append(WantedExtension(scope, critical=True))
        if self.freshest_crl:
            point = x509.DistributionPoint(convert_all(location, self.freshest_crl), None, None, None)
            found.append(WantedExtension(x509.FreshestCRL([point]), critical=False))
        return tuple(found)

    def words(self) -> Mapping[str, str]:
        """Return the options whose change makes a new CRL."""
        return {
            "next_update": self.next_update,
            "distribution_point": ", ".join(self.distribution_point),
            "freshest_crl": ", ".join(self.freshest_crl),
        }


def delta_scope(part: str) -> str:
    return "delta" if part == "full" else f"{part}-delta"


def part_of(scope: str) -> str:
    """Return whose sequence of numbers a scope shares: the inverse of delta_scope() too."""
    return "full" if scope == "delta" else scope.removesuffix("-delta")
