# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an authority may not change: roots at all, others while certificates that they issued live."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from .._pki.errors import IssuerError
from .._pki.names import name_text

try:
    from cryptography import x509
except ImportError:
    x509 = None  # type: ignore[assignment]  # require_cryptography() in the module says so

if TYPE_CHECKING:
    from .._ledger.port import Ledger, LedgerState
    from .._pki.certificate import CertificateSpec
    from .._pki.plan import Change
    from .._pki.task import CertificateTask
    from .current_certificate import Found

# Dates and URLs: nobody below notices.
HARMLESS = ("not_before", "not_after", "authority_information_access", "crl_distribution_points", "freshest_crl")
LIVING = ("valid", "on_hold", "superseded", "retired")


def root_warnings(task: CertificateTask, found: Found | None, reason: str) -> tuple[str, ...]:
    """A root that only comes into renewal is left as it is: exchanging trust anchors is a decision of people."""
    is_root = task.issuer is None and not task.reissue_root
    if not is_root or found is None or not reason.startswith("renewal"):
        return ()
    return (f"{task.path or task.request.name}: {reason}; a root is issued again only with reissue_root: true",)


def refuse_root_changes(
    task: CertificateTask, subject: x509.Name, changes: Sequence[Change], state: LedgerState
) -> None:
    """Refuse to issue a self-signed certificate again, also where the former one is lost or expired.

    Raises:
        IssuerError: relying parties hold the former one.
    """
    if task.issuer is not None or task.reissue_root or not changes or not state.by_name(task.request.name):
        return
    raise IssuerError(
        f"{name_text(subject)}: {_fields(changes)} of a root would change, and every relying party holds the present "
        "certificate; restore it where it is lost, use reissue_root: true, or make a new root beside it"
    )


def refuse_identity_drift(
    spec: CertificateSpec, found: Found | None, changes: Sequence[Change], children: Ledger | None, now: datetime
) -> None:
    """Refuse to change name, key or constraints of an authority with certificates that still live.

    Args:
        children: the ledger of what it issued; None for end entities.
    Raises:
        IssuerError: the certificates below would no longer fit it.
    """
    if found is None or children is None or not spec.is_authority or spec.public_key is None:
        return
    drift = [change for change in changes if change.field not in HARMLESS and not _widens(change, found, spec)]
    if not drift:
        return
    records = children.read().certificates
    living = sum(record.status(now) in LIVING and record.serial != found.serial for record in records)
    if living:
        raise IssuerError(
            f"{name_text(found.certificate.subject)}: {_fields(drift)} would change while {living} certificates it "
            "issued are valid; make a new authority beside it instead"
        )


def _widens(change: Change, found: Found, spec: CertificateSpec) -> bool:
    """A longer path length takes nothing away from the certificates below."""
    if change.field != "basic_constraints":
        return False
    before = found.certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length
    after = getattr(spec.extension(x509.BasicConstraints), "path_length", None)
    return after is None or (before is not None and after > before)


def _fields(changes: Sequence[Change]) -> str:
    return ", ".join(change.field for change in changes)
