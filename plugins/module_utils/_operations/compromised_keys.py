# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keys that others may hold, by what the ledger says of their certificates."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .._ledger.entries import COMPROMISES, KEY_COMPROMISE
from .._ledger.files import issued_path
from .._pki.certificates import load_certificates, spki
from .issued_copy import read_issued

if TYPE_CHECKING:
    from .._ledger.port import LedgerState
    from .._pki.certificate import CertificateSpec


def compromise_problems(spec: CertificateSpec, ledger_path: str, state: LedgerState) -> list[str]:
    """Return a problem where a certificate of the same key was revoked because the key was compromised.

    Of other reasons than key_compromise, which are about authorities, an end entity's key is none the worse.
    """
    if spec.public_key is None:
        return []
    reasons = COMPROMISES if spec.is_authority else (KEY_COMPROMISE,)
    wanted = spki(spec.public_key)
    for revocation in state.revocations:
        if revocation.reason in reasons and _is_of(wanted, issued_path(Path(ledger_path), revocation.serial)):
            told = (
                f"the subject key was compromised: {revocation.serial}, of the same key, is revoked for "
                f"{revocation.reason}; give {spec.name} a new key, an authority a new name and subject as well"
            )
            return [told]
    return []


def _is_of(public_key: bytes, path: Path) -> bool:
    content = read_issued(path)
    return content is not None and public_key in load_certificates(content, str(path))[0].tbs_certificate_bytes
