# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options that say whose ledger it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .._pki.certificates import load_certificates, sha256_hex, spki
from .aws import require_cryptography
from .files import octets_of, read_if_there

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

ISSUER_OPTIONS: Mapping[str, Any] = {
    "issuer_path": {"type": "path"},
    "issuer_content": {"type": "str"},
}


@dataclass(frozen=True)
class LedgerIssuer:
    """The authority of a ledger, as the task names it.

    Attributes:
        certificate: None where the task names none, or it does not exist yet.
        authority: how its ledger names it; empty where the task names none.
        missing: what has to exist first.
    """

    certificate: Any = None
    authority: str = ""
    missing: tuple[str, ...] = ()


def load_issuer(module: AnsibleModule) -> LedgerIssuer:
    """Return the authority that the task names with ISSUER_OPTIONS.

    Raises:
        SpecError: the file cannot be read, or holds no certificate.
    """
    path, content = module.params["issuer_path"], module.params["issuer_content"]
    if path is None and content is None:
        return LedgerIssuer()
    require_cryptography(module)
    found = read_if_there(path) if path is not None else octets_of(content, "issuer_content")
    if found is None:
        return LedgerIssuer(missing=(f"{path} does not exist",))
    certificate = load_certificates(found, path or "issuer_content")[0]
    return LedgerIssuer(certificate, sha256_hex(spki(certificate.public_key())))
