# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Death before and after every call and every write of making a CRL: the rerun converges, numbers only rise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.rootstock.pki.plugins.module_utils._ledger import lines
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.files import FileLedger
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.holders import this_holder
from ansible_collections.rootstock.pki.plugins.module_utils._operations import make_crl as flow
from tests.unit.operations.crl_desk import CrlDesk, number, serials
from tests.unit.signer.local_kms import LocalSigner


class Death(BaseException):
    """The process was killed here."""


@dataclass
class Reaper:
    """Kills at one moment: moments are counted over all wrapped functions, two for each call."""

    at: int
    moment: int = 0

    def pass_by(self) -> None:
        self.moment += 1
        if self.moment == self.at:
            raise Death

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*arguments: Any, **named: Any) -> Any:
            self.pass_by()
            result = function(*arguments, **named)
            self.pass_by()
            return result

        return watched


WRAPPED: tuple[tuple[Any, str], ...] = (
    (lines.os, "fsync"),
    (FileLedger, "claim"),
    (FileLedger, "append_all"),
    (LocalSigner, "sign"),
    (Path, "write_bytes"),
)


def run(desk: CrlDesk, reaper: Reaper, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        for owner, name in WRAPPED:
            patched.setattr(owner, name, reaper.around(getattr(owner, name)))
        desk.make()


def revoked_desk(folder: Path) -> CrlDesk:
    """Return an authority whose CRL is one revocation behind."""
    desk = CrlDesk(folder)
    desk.make()
    desk.revoke("0A17")
    return desk


def test_whenever_a_run_dies_the_next_one_converges(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = replace(this_holder(), started="1")
    monkeypatch.setattr(flow, "this_holder", lambda: ended)
    undisturbed = Reaper(at=0)
    run(revoked_desk(tmp_path / "undisturbed"), undisturbed, monkeypatch)
    assert undisturbed.moment > 10
    for at in range(1, undisturbed.moment + 1):
        desk = revoked_desk(tmp_path / str(at))
        before = number(desk.crl())
        with pytest.raises(Death):
            run(desk, Reaper(at), monkeypatch)
        assert serials(desk.make()) == {0x0A17}
        calls = desk.sign_calls
        kept = desk.path().read_bytes()
        desk.make()
        assert (desk.sign_calls, desk.path().read_bytes()) == (calls, kept), "a third run signs nothing"
        assert calls <= 4
        assert_recorded(desk, before)


def assert_recorded(desk: CrlDesk, before: int) -> None:
    """The CRL at the path is the ledger's last one, and no number was used for two contents."""
    state = desk.ledger.read()
    last = state.last_crl("full")
    assert last is not None
    assert last.number == number(desk.crl()) > before
    assert state.open_intents == ()
    begun = [line for line in desk.shop.ledger_lines("root") if '"purpose":"crl"' in line]
    contents: dict[int, set[str]] = {}
    for line in begun:
        contents.setdefault(int(line.split('"number":"')[1].split('"')[0]), set()).add(
            line.split('"content_sha256":"')[1].split('"')[0]
        )
    assert all(len(found) == 1 for found in contents.values())
    assert len(begun) >= desk.sign_calls - 1, "every signature that was asked for has its line"
    assert [crl.number for crl in state.crls] == sorted({crl.number for crl in state.crls})
