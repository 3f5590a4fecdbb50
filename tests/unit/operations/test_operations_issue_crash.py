# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Death before and after every call and every write of issuing: the rerun converges, nothing stays unrecorded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.rootstock.pki.plugins.module_utils._ledger.files import FileLedger
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.holders import this_holder
from ansible_collections.rootstock.pki.plugins.module_utils._operations import issue_certificate as flow
from ansible_collections.rootstock.pki.plugins.module_utils._operations import issued_copy
from ansible_collections.rootstock.pki.plugins.module_utils._pki.certificates import load_certificates
from tests.unit.operations.workshop import Workshop, spki_of
from tests.unit.signer.local_kms import LocalSigner, local_key


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


WEB_KEY = spki_of(local_key("ECC_NIST_P256", 93))
WRAPPED: tuple[tuple[Any, str], ...] = (
    (flow, "store"),
    (issued_copy.os, "fsync"),
    (issued_copy.os, "replace"),
    (FileLedger, "claim"),
    (FileLedger, "append"),
    (LocalSigner, "sign"),
    (Path, "write_bytes"),
)


def issue(workshop: Workshop) -> bytes:
    """Issue as a process would that has ended since, and return what lies at the path."""
    key = spki_of(local_key("ECC_NIST_P256", 93))
    workshop.issue("web", "tls_client", "root", public_key=key)
    return (workshop.folder / "certificates" / "web.pem").read_bytes()


def moments(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> int:
    """Return how many moments one undisturbed run has."""
    reaper = Reaper(at=0)
    with monkeypatch.context() as patched:
        for owner, name in WRAPPED:
            patched.setattr(owner, name, reaper.around(getattr(owner, name)))
        issue(workshop)
    return reaper.moment


def test_whenever_a_run_dies_the_next_one_converges(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = replace(this_holder(), started="1")
    monkeypatch.setattr(flow, "this_holder", lambda: ended)
    first = Workshop(tmp_path / "undisturbed")
    first.root()
    count = moments(first, monkeypatch)
    assert count > 10
    for at in range(1, count + 1):
        workshop = Workshop(tmp_path / str(at))
        workshop.root()
        reaper = Reaper(at)
        with monkeypatch.context() as patched:
            for owner, name in WRAPPED:
                patched.setattr(owner, name, reaper.around(getattr(owner, name)))
            with pytest.raises(Death):
                issue(workshop)
        kept = issue(workshop)
        signatures = len(workshop.signers["root"].asked)
        assert issue(workshop) == kept
        assert len(workshop.signers["root"].asked) == signatures, "a third run signs nothing"
        assert signatures <= 3
        assert_all_recorded(workshop, kept)


def test_a_copy_that_a_dying_run_had_written_in_full_is_completed_and_not_signed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = replace(this_holder(), started="1")
    monkeypatch.setattr(flow, "this_holder", lambda: ended)
    workshop = Workshop(tmp_path)
    workshop.root()
    with monkeypatch.context() as patched:
        patched.setattr(issued_copy.os, "replace", Reaper(at=1).around(issued_copy.os.replace))
        with pytest.raises(Death):
            issue(workshop)
    kept, asked = issue(workshop), len(workshop.signers["root"].asked)
    assert asked == 2, "the root and one certificate"
    assert_all_recorded(workshop, kept)


def test_a_copy_that_was_written_in_full_is_kept_though_another_certificate_is_issued(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = replace(this_holder(), started="1")
    monkeypatch.setattr(flow, "this_holder", lambda: ended)
    workshop = Workshop(tmp_path)
    workshop.root()
    with monkeypatch.context() as patched:
        patched.setattr(issued_copy.os, "replace", Reaper(at=1).around(issued_copy.os.replace))
        with pytest.raises(Death):
            issue(workshop)
    [left] = workshop.plan("web", "tls_client", "root", public_key=WEB_KEY).left
    workshop.issue("web", "tls_client", "root", public_key=WEB_KEY, force=True)
    issued = workshop.folder / "root" / "issued"
    assert load_certificates((issued / f"{left.serial}.pem").read_bytes(), "kept")
    assert not list(issued.glob(".*"))


def assert_all_recorded(workshop: Workshop, kept: bytes) -> None:
    """Every certificate on disk is in the ledger, and every signature asked for has its intent."""
    state = workshop.plan("web", "tls_client", "root", public_key=spki_of(local_key("ECC_NIST_P256", 93))).ledger.read()
    assert not list((workshop.folder / "root" / "issued").glob(".*")), "nothing half-written is left"
    for path in (workshop.folder / "root" / "issued").glob("*.pem"):
        assert state.by_serial(path.stem) is not None
        load_certificates(path.read_bytes(), path.name)
    current = state.current("web", workshop.clock())
    assert current is not None
    assert (workshop.folder / "root" / "issued" / f"{current.serial}.pem").read_bytes() == kept
    lines = workshop.ledger_lines("root")
    assert sum('"kind":"intent"' in line for line in lines) >= len(workshop.signers["root"].asked)
