# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a certificate is kept, by which two certificates of one name are told from one that changes."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from .._pki.certificates import load_certificates, serial_hex
from .._pki.errors import SpecError

if TYPE_CHECKING:
    from .._ledger.port import LedgerState
    from .._pki.plan import Change
    from .._pki.task import CertificateTask

PATH = "path"
NAMES = frozenset({"subject", "subject_alt_name"})


def place_of(task: CertificateTask) -> dict[str, str]:
    """Return what an intent says of the place: relative to the ledger, so that it holds in other checkouts too."""
    return {PATH: os.path.relpath(task.path, _folder(task))} if task.path else {}


def kept_elsewhere(
    task: CertificateTask, serial: str, changes: Iterable[Change], state: LedgerState
) -> tuple[str, ...]:
    """Return a problem where the current certificate of the name is somebody else's: of another task, for another path.

    A certificate that gets another key and other names may be a new one that happens to have the same name, such as
    b/server.pem after a/server.pem. It is one where the file that the current one was issued for still holds it.

    Args:
        serial: of the current certificate.
        changes: what the task wants to be different in it.
    """
    fields = {change.field for change in changes}
    if task.force or not task.path or "public_key" not in fields or not fields & NAMES:
        return ()
    intent = state.intent_of(serial)
    recorded = intent.details.get(PATH, "") if intent is not None else ""
    other = os.path.normpath(os.path.join(_folder(task), recorded))
    if not recorded or not _holds(other, serial) or _holds(task.path, serial):
        return ()
    told = (
        f"the name is that of the certificate in {other}, which has another key and other names: give this one a name "
        "of its own with the option name, or remove that file or use force: true if this one takes its place"
    )
    return (told,)


def _folder(task: CertificateTask) -> str:
    return os.path.dirname(os.path.abspath(task.ledger_path))


def _holds(path: str, serial: str) -> bool:
    try:
        found = load_certificates(Path(path).read_bytes(), path)
    except (OSError, SpecError):
        return False
    return any(serial_hex(certificate.serial_number) == serial for certificate in found)
