# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role that revokes says the same as its module."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from ansible_collections.rootstock.pki.plugins.module_utils._pki.tree_options import (
    REVOCATION_OPTIONS,
    SELECTORS,
    STATES,
)
from ansible_collections.rootstock.pki.plugins.modules.x509_revocation import ARGUMENT_SPEC
from ansible_collections.rootstock.pki.plugins.modules.x509_revocation import SELECTORS as OF_THE_MODULE

ROLE = Path(__file__).resolve().parents[3] / "roles" / "pki_revocation"
OF_THE_ROLE = {"ledger_path", "issuer_path"}
OF_THE_MODULE_ALONE = {"content", "issuer_content"}


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def test_an_entry_can_say_all_that_the_module_can() -> None:
    options = load(ROLE / "meta" / "argument_specs.yml")["argument_specs"]["main"]["options"]
    entry = options["pki_revocations"]["options"]
    assert set(entry) - {"authority"} == set(ARGUMENT_SPEC) - OF_THE_ROLE - OF_THE_MODULE_ALONE


def test_what_the_plan_knows_of_entries_is_what_the_role_does() -> None:
    options = load(ROLE / "meta" / "argument_specs.yml")["argument_specs"]["main"]["options"]
    entry = options["pki_revocations"]["options"]
    assert set(entry) == set(REVOCATION_OPTIONS)
    assert set(SELECTORS) == set(OF_THE_MODULE) - OF_THE_MODULE_ALONE
    assert [*STATES] == entry["state"]["choices"] == ARGUMENT_SPEC["state"]["choices"]


def test_what_an_entry_says_reaches_the_module() -> None:
    options = load(ROLE / "meta" / "argument_specs.yml")["argument_specs"]["main"]["options"]
    entry = options["pki_revocations"]["options"]
    tasks = load(ROLE / "tasks" / "main.yml")[-1]["block"]
    passed = next(task["rootstock.pki.x509_revocation"] for task in tasks if "rootstock.pki.x509_revocation" in task)
    assert set(passed) - OF_THE_ROLE == set(entry) - {"authority"}
