# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A key that is disabled between two ceremonies: what was made with it stands, and nothing is signed with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import DisabledKeyError
from tests.unit.operations.workshop import Workshop


@dataclass
class Vault(Workshop):
    """KMS gives out the public halves of disabled keys no more than it signs with them."""

    disabled: set[str] = field(default_factory=set)

    def public_key(self, key_id: str) -> bytes | None:
        if key_id in self.disabled:
            raise DisabledKeyError(f"{key_id} is disabled")
        return super().public_key(key_id)


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path)


def test_a_roots_certificate_stands_while_its_key_is_disabled(vault: Vault) -> None:
    root = vault.root()
    vault.disabled = {"root"}
    planned = vault.plan("root", "root_ca")
    assert (planned.plan.changed, planned.certificate) == (False, root)


def test_below_a_root_whose_key_is_disabled_others_go_on_issuing(vault: Vault) -> None:
    vault.root()
    services = vault.authority("services", "root")
    vault.disabled = {"root"}
    vault.key("web")
    leaf = vault.issue("web", "tls_server", "services", subject_alt_name=["DNS:a.example"])
    leaf.verify_directly_issued_by(services)
    assert not vault.plan("services", "subordinate_ca", "root").plan.changed


@pytest.mark.parametrize("content", [None, b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_a_disabled_key_of_which_nothing_is_known_is_an_error(vault: Vault, content: bytes | None) -> None:
    vault.key("root")
    vault.disabled = {"root"}
    if content is not None:
        (vault.folder / "root").mkdir()
        (vault.folder / "root" / "ca.pem").write_bytes(content)
    with pytest.raises(DisabledKeyError, match="root is disabled"):
        vault.plan("root", "root_ca")
