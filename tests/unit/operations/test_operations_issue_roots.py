# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A root stays as it is: relying parties hold it, whatever became of its file, its name or its key."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.rootstock.pki.plugins.module_utils._operations.certificate_plan import plan_certificate
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import IssuerError
from tests.unit.operations.test_operations_issue_certificate import tls
from tests.unit.operations.workshop import Workshop


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


def test_a_root_is_issued_again_only_when_the_task_says_so(workshop: Workshop) -> None:
    workshop.root()
    with pytest.raises(IssuerError, match="reissue_root"):
        workshop.plan("root", "root_ca", path_length=3)
    with pytest.raises(IssuerError, match="reissue_root"):
        workshop.plan("root", "root_ca", force=True)
    assert workshop.plan("root", "root_ca", path_length=3, reissue_root=True).reissue


def test_a_root_whose_key_is_not_here_is_not_said_to_differ(workshop: Workshop) -> None:
    workshop.root()
    workshop.keys.clear()
    with pytest.raises(IssuerError, match=r"the KMS key root does not exist .* account and region of its key"):
        workshop.plan("root", "root_ca")


def test_a_root_whose_file_is_lost_is_not_quietly_replaced(workshop: Workshop) -> None:
    workshop.root()
    (workshop.folder / "root" / "ca.pem").unlink()
    for copy in (workshop.folder / "root" / "issued").iterdir():
        copy.unlink()
    with pytest.raises(IssuerError, match="restore it where it is lost"):
        workshop.plan("root", "root_ca")


def lose_intent(workshop: Workshop, authority: str, place: int) -> None:
    """Take away what a repaired ledger would lack: the line *place* was damaged."""
    path = workshop.folder / authority / "ledger.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    assert '"kind":"intent"' in lines.pop(place)
    path.write_text("".join(lines))


def test_a_root_whose_name_the_ledger_lost_is_not_quietly_replaced(workshop: Workshop) -> None:
    root = workshop.root()
    lose_intent(workshop, "root", 0)
    planned = workshop.plan("root", "root_ca")
    assert (planned.plan.changed, planned.certificate) == (False, root)
    for changed in ({"path_length": 3}, {"force": True}):
        with pytest.raises(IssuerError, match="reissue_root"):
            workshop.plan("root", "root_ca", **changed)
    workshop.clock.forward(days=30_000)
    with pytest.raises(IssuerError, match="reissue_root"):
        workshop.plan("root", "root_ca")


def test_a_root_that_the_task_calls_otherwise_is_not_quietly_replaced(workshop: Workshop) -> None:
    workshop.root()
    task = workshop.task("root", "root_ca")
    renamed = replace(task, request=replace(task.request, name="other"))
    with pytest.raises(IssuerError, match="reissue_root"):
        plan_certificate(renamed, workshop.ports(renamed))


def test_a_certificate_whose_name_the_ledger_lost_stands_until_something_differs(workshop: Workshop) -> None:
    workshop.root()
    first = workshop.carry_out(tls(workshop)).certificate
    lose_intent(workshop, "root", 2)
    planned = tls(workshop)
    assert (planned.plan.changed, planned.certificate) == (False, first)
    assert tls(workshop, force=True).reissue
    workshop.clock.forward(days=365)
    assert tls(workshop).reissue


def test_a_root_that_comes_into_renewal_warns_and_stays(workshop: Workshop) -> None:
    workshop.root(not_after="+3000d")
    workshop.clock.forward(days=2500)
    again = workshop.plan("root", "root_ca", not_after="+3000d")
    assert not again.plan.changed
    assert "reissue_root" in again.warnings[0]
