# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whenever a run that revokes dies, the next one revokes the rest, and nothing twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.rootstock.pki.plugins.module_utils._ledger import lines
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.files import FileLedger
from ansible_collections.rootstock.pki.plugins.module_utils._operations.revoke import (
    RevocationSpec,
    plan_revocation,
    record,
    targets_of_name,
)
from tests.unit.operations.test_operations_issue_crash import Death, Reaper
from tests.unit.operations.workshop import Workshop, spki_of
from tests.unit.signer.local_kms import local_key

SPEC = RevocationSpec(reason="key_compromise")
WRAPPED: tuple[tuple[Any, str], ...] = ((FileLedger, "append"), (lines.os, "write"), (lines.os, "fsync"))
CERTIFICATES = 3


def shop(folder: Path) -> Workshop:
    """Return a workshop that issued several certificates of one name."""
    made = Workshop(folder)
    made.root()
    for _certificate in range(CERTIFICATES):
        made.issue("web", "tls_client", "root", public_key=spki_of(local_key("ECC_NIST_P256", 93)), force=True)
    return made


def revoke(workshop: Workshop) -> bool:
    """Do what a run of the module does, and tell whether it changed anything."""
    ledger = FileLedger(workshop.folder / "root" / "ledger.jsonl", workshop.clock)
    state, now = ledger.read(), workshop.clock()
    planned = plan_revocation(state, targets_of_name(state, "web", SPEC, now, "root"), SPEC, now, "root")
    record(planned, ledger)
    return planned.plan.changed


def dying(workshop: Workshop, monkeypatch: pytest.MonkeyPatch, at: int) -> int:
    """Revoke, but die at one moment; return how many there are."""
    reaper = Reaper(at)
    with monkeypatch.context() as patched:
        for owner, name in WRAPPED:
            patched.setattr(owner, name, reaper.around(getattr(owner, name)))
        revoke(workshop)
    return reaper.moment


def test_whenever_a_run_dies_the_next_one_converges(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    count = dying(shop(tmp_path / "undisturbed"), monkeypatch, 0)
    assert count >= 2 * len(WRAPPED) * CERTIFICATES
    for at in range(1, count + 1):
        workshop = shop(tmp_path / str(at))
        with pytest.raises(Death):
            dying(workshop, monkeypatch, at)
        revoke(workshop)
        assert not revoke(workshop)
        kinds = [line for line in workshop.ledger_lines("root") if '"kind":"revoked"' in line]
        assert len(kinds) == CERTIFICATES
