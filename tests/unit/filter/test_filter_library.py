# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A library that is too old where Ansible runs is named with the version that is needed, whatever filter needs it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.rootstock.pki.plugins.filter.access_plan import access_plan
from ansible_collections.rootstock.pki.plugins.filter.issuance_order import issuance_order
from ansible_collections.rootstock.pki.plugins.filter.service_plan import service_plan
from ansible_collections.rootstock.pki.plugins.filter.tree_plan import tree_plan
from ansible_collections.rootstock.pki.plugins.filter.x509_cert_info import x509_cert_info
from ansible_collections.rootstock.pki.plugins.module_utils._module.aws import require_cryptography
from ansible_collections.rootstock.pki.plugins.module_utils._pki import library
from tests.harness.environment import CHECKOUT
from tests.unit.filter.inventories import certificate, root

PLACE = {"pki_name": "acme", "pki_dir": "pki", "base_dir": "/srv/acme"}
NEEDED = "this needs cryptography >= 45 where Ansible runs; found {}. Install it there"
PLANS: list[Callable[[], Any]] = [
    lambda: tree_plan([root()], [certificate("signer")], **PLACE),
    lambda: service_plan([root()], [certificate("signer")], **PLACE),
    lambda: access_plan([root()], [certificate("signer")], pki_name="acme"),
]
REFUSING: list[Callable[[], Any]] = [
    lambda: issuance_order([root()], [certificate("signer")]),
    lambda: x509_cert_info("-----BEGIN CERTIFICATE-----"),
]


class RefusalError(Exception):
    """What a module fails with."""


class Module:
    """What require_cryptography() asks of a module."""

    def fail_json(self, msg: str) -> None:
        raise RefusalError(msg)


def install(monkeypatch: pytest.MonkeyPatch, release: str) -> None:
    monkeypatch.setattr(library, "find_spec", lambda _name: release or None)
    monkeypatch.setattr(library, "version", lambda _name: release)


@pytest.mark.parametrize("release", ["", "3.4.8", "38.0.4", "44.0.3"])
def test_a_controller_whose_library_is_too_old_is_told_so(release: str, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, release)
    says = NEEDED.format(release or "none")
    assert [plan()["problems"] for plan in PLANS] == [[says]] * len(PLANS)
    for refusing in REFUSING:
        with pytest.raises(AnsibleFilterError, match=re.escape(says)):
            refusing()


@pytest.mark.parametrize("release", ["45.0.0", "45", "50.0.1", "100.0.0"])
def test_a_controller_whose_library_is_new_enough_is_not(release: str, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, release)
    assert [plan()["problems"] for plan in PLANS] == [[]] * len(PLANS)
    assert len(issuance_order([root()])) == 1
    with pytest.raises(AnsibleFilterError, match="not a readable certificate"):
        x509_cert_info("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----")


def test_modules_ask_for_the_same_version_or_for_a_newer_one(monkeypatch: pytest.MonkeyPatch) -> None:
    module: Any = Module()
    for release, minimum, says in (
        ("38.0.4", {}, "this task needs cryptography >= 45; found 38.0.4. Install a newer one"),
        ("49.0.0", {"minimum": "50"}, "this task needs cryptography >= 50; found 49.0.0. Install a newer one"),
        ("", {}, "Failed to import the required Python library (cryptography >= 45)"),
    ):
        install(monkeypatch, release)
        with pytest.raises(RefusalError, match=re.escape(says)):
            require_cryptography(module, **minimum)
    install(monkeypatch, "45.0.0")
    require_cryptography(module)


def test_what_is_installed_by_the_book_is_new_enough() -> None:
    """A library that is there already is upgraded by pip only where the command names a version."""
    required = dict(re.findall(r"^(\w+)>=([0-9]+\.[0-9]+)", (CHECKOUT / "requirements.txt").read_text(), re.MULTILINE))
    [command] = re.findall(r"^pip install (.*?) +#", (CHECKOUT / "README.md").read_text(), re.MULTILINE)
    asked = dict(re.findall(r"'(\w+)>=([0-9.]+)'", command))
    assert asked == {name: required[name] for name in ("boto3", "cryptography")}
    assert required["cryptography"] == f"{library.LEAST}.0"
