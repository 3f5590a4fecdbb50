# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an authority may not change: roots at all, others while certificates that they issued live."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from .._pki.certificates import serial_hex
from .._pki.current import certificate_changes
from .._pki.errors import IssuerError
from .._pki.gate import find_extension
from .._pki.names import name_text

try:
    from cryptography import x509
except ImportError:
    x509 = None  # type: ignore[assignment]  # require_cryptography() in the module says so

from .current_certificate import is_known_at_path

if TYPE_CHECKING:
    from .._ledger.port import Ledger, LedgerState
    from .._pki.certificate import CertificateSpec
    from .._pki.plan import Change
    from .._pki.task import CertificateTask
    from .current_certificate import Found

# Dates and URLs: nobody below notices.
HARMLESS = ("not_before", "not_after", "authority_information_access", "crl_distribution_points", "freshest_crl")
# What those below build upon. Somebody else's certificates say more, such as the version of the issuer's software.
IDENTITY = (
    "subject",
    "public_key",
    "subject_key_identifier",
    "basic_constraints",
    "key_usage",
    "extended_key_usage",
    "name_constraints",
    "certificate_policies",
    "policy_constraints",
    "inhibit_any_policy",
)
LIVING = ("valid", "on_hold", "superseded", "retired")


def root_warnings(task: CertificateTask, found: Found | None, reason: str) -> tuple[str, ...]:
    """A root that only comes into renewal is left as it is: exchanging trust anchors is a decision of people."""
    is_root = task.issuer is None and not task.reissue_root
    if not is_root or found is None or not reason.startswith("renewal"):
        return ()
    return (f"{task.path or task.request.name}: {reason}; a root is issued again only with reissue_root: true",)


def refuse_root_changes(
    task: CertificateTask, subject: x509.Name, changes: Sequence[Change], state: LedgerState, missing: Sequence[str]
) -> None:
    """Refuse to issue a self-signed certificate again, also where the former one is lost, expired or of another name.

    Args:
        missing: why there is no key, where there is none.
    Raises:
        IssuerError: relying parties hold the former one.
    """
    if task.issuer is not None or task.reissue_root or not changes:
        return
    if not (state.by_name(task.request.name) or is_known_at_path(task, state)):
        return
    if missing:
        raise IssuerError(
            f"{name_text(subject)}: {'; '.join(missing)}, says AWS, and this root was issued for it before; use the "
            "account and region of its key, or make a new root beside it"
        )
    raise IssuerError(
        f"{name_text(subject)}: {_fields(changes)} of a root would change, and every relying party holds the present "
        "certificate; restore it where it is lost, use reissue_root: true, or make a new root beside it"
    )


def refuse_identity_drift(
    spec: CertificateSpec, found: Found | None, changes: Sequence[Change], children: Ledger | None, now: datetime
) -> None:
    """Refuse to change name, key or constraints of an authority with certificates that still live.

    Args:
        children: the ledger of what it issued; None where nobody says which.
    Raises:
        IssuerError: the certificates below would no longer fit it, or nobody can tell.
    """
    if found is None or not spec.is_authority or spec.public_key is None:
        return
    length = getattr(spec.extension(x509.BasicConstraints), "path_length", None)
    differing = [change for change in changes if change.field not in HARMLESS]
    drift = [change for change in differing if not _widens(change, found.certificate, length)]
    _refuse_while_children_live(found.certificate, drift, children, now)


def refuse_drift_of_imported(
    present: x509.Certificate, certificate: x509.Certificate, children: Ledger, now: datetime
) -> None:
    """Refuse to put *certificate* in the place of *present* where what *present* issued would no longer fit.

    Raises:
        IssuerError: it says something else of the authority than *present*, whose certificates still live.
    """
    constraints = find_extension(present, x509.BasicConstraints)
    if constraints is None or not constraints.ca:
        return
    length = getattr(find_extension(certificate, x509.BasicConstraints), "path_length", None)
    differing = [change for change in certificate_changes(present, certificate) if change.field in IDENTITY]
    drift = [change for change in differing if not _widens(change, present, length)]
    _refuse_while_children_live(present, drift, children, now)


def _refuse_while_children_live(
    authority: x509.Certificate, drift: Sequence[Change], children: Ledger | None, now: datetime
) -> None:
    if not drift:
        return
    who = name_text(authority.subject)
    if children is None:
        raise IssuerError(
            f"{who}: {_fields(drift)} would change, and nothing says which certificates it issued; "
            "name its own ledger in authority_ledger_path"
        )
    serial = serial_hex(authority.serial_number)
    records = children.read().certificates
    living = sum(record.status(now) in LIVING and record.serial != serial for record in records)
    if living:
        raise IssuerError(
            f"{who}: {_fields(drift)} would change while {living} certificates it "
            "issued are valid; make a new authority beside it instead"
        )


def _widens(change: Change, certificate: x509.Certificate, path_length: int | None) -> bool:
    """A longer path length takes nothing away from the certificates below."""
    if change.field != "basic_constraints":
        return False
    before = getattr(find_extension(certificate, x509.BasicConstraints), "path_length", None)
    return path_length is None or (before is not None and path_length > before)


def _fields(changes: Sequence[Change]) -> str:
    return ", ".join(change.field for change in changes)
