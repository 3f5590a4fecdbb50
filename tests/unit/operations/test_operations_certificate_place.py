# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One name has one certificate: two that share it by accident are told from one that changes or moves."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.rootstock.pki.plugins.module_utils._operations.certificate_plan import (
    CertificatePlan,
    plan_certificate,
)
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import SpecError
from tests.unit.operations.workshop import Workshop, spki_of
from tests.unit.signer.local_kms import local_key

KEYS = {which: spki_of(local_key("ECC_NIST_P256", 99, which)) for which in (1, 2)}
OTHER = {"public_key": KEYS[2], "subject": {"common_name": "b"}}


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    made = Workshop(tmp_path / "checkout")
    made.folder.mkdir()
    made.root(not_after="+7300d")
    made.carry_out(server(made, "a"))
    return made


def server(workshop: Workshop, folder: str, **options: Any) -> CertificatePlan:
    """Return the plan of a certificate that is called server, as every one is whose file has that name."""
    given = {"public_key": KEYS[1], "subject": {"common_name": "a"}, **options}
    path = workshop.folder / folder / "server.pem"
    path.parent.mkdir(exist_ok=True)
    task = workshop.task("server", "tls_client", "root", **given)
    task = replace(task, path=str(path), present=path.read_bytes() if path.exists() else None)
    return plan_certificate(task, workshop.ports(task))


@pytest.mark.parametrize(
    "names", [{"subject": {"common_name": "b"}}, {"subject_alt_name": ["DNS:b.acme.internal"]}], ids=" ".join
)
def test_another_certificate_at_another_path_needs_a_name_of_its_own(workshop: Workshop, names: Any) -> None:
    with pytest.raises(SpecError, match=r"server: the name is that of the certificate in .*/a/server\.pem, which has"):
        server(workshop, "b", public_key=KEYS[2], **names)


def test_a_certificate_may_change_altogether_at_its_path(workshop: Workshop) -> None:
    assert server(workshop, "a", **OTHER).reissue


def test_what_is_at_another_path_may_be_replaced_on_purpose(workshop: Workshop) -> None:
    assert server(workshop, "b", **OTHER, force=True).reissue
    (workshop.folder / "a" / "server.pem").unlink()
    assert server(workshop, "b", **OTHER).reissue


@pytest.mark.parametrize("changed", [{}, {"public_key": KEYS[2]}, {"subject": {"common_name": "b"}}], ids=" ".join)
def test_one_that_keeps_its_key_or_its_names_may_move(workshop: Workshop, changed: Any) -> None:
    assert server(workshop, "b", **changed).reissue is bool(changed)
    workshop.clock.forward(days=800)
    assert server(workshop, "b", **changed).reissue


def test_a_copy_of_the_certificate_shows_that_it_moved(workshop: Workshop) -> None:
    shutil.copytree(workshop.folder / "a", workshop.folder / "b")
    assert server(workshop, "b", **OTHER).reissue


@pytest.mark.parametrize("prepare", [lambda _folder: None, shutil.rmtree], ids=["with certificates", "without"])
def test_another_checkout_is_no_other_certificate(workshop: Workshop, prepare: Callable[[Path], object]) -> None:
    """Even while the first one is there."""
    elsewhere = replace(workshop, folder=workshop.folder.with_name("copy"))
    shutil.copytree(workshop.folder, elsewhere.folder)
    prepare(elsewhere.folder / "a")
    assert server(elsewhere, "a", **OTHER).reissue
