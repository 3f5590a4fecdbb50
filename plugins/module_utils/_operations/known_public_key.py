# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The public half of a key in KMS, also while the key is disabled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._pki.certificate_fields import SPKI, field_of
from .._pki.certificates import csr_spki, load_csr, load_usable_certificates
from .._pki.errors import DisabledKeyError, SpecError

if TYPE_CHECKING:
    from collections.abc import Callable

    from .certificate_inputs import PublicKeys


def public_key_of(keys: PublicKeys, key_id: str, remembered: Callable[[], bytes | None]) -> bytes | None:
    """Return the DER SubjectPublicKeyInfo, or None where there is no such key.

    A root's key is often disabled between two ceremonies, and whether KMS gives out its public half then is not to be
    relied on. What was made with the key before tells it too.

    Args:
        remembered: the SubjectPublicKeyInfo in what was made before, None where there is nothing.
    Raises:
        DisabledKeyError: KMS does not give it out, and nothing was made with it before.
    """
    try:
        return keys.public_key(key_id)
    except DisabledKeyError:
        found = remembered()
        if found is None:
            raise
        return found


def spki_of_certificate(content: bytes | None, source: str) -> bytes | None:
    """Return the subject's key of the first certificate in *content*, None where there is none to read."""
    try:
        return field_of(load_usable_certificates(content, source)[0], SPKI) if content else None
    except SpecError:
        return None


def spki_of_csr(content: bytes | None, source: str) -> bytes | None:
    """Return the key of the request in *content*, None where there is none to read."""
    try:
        return csr_spki(load_csr(content, source)) if content else None
    except SpecError:
        return None
