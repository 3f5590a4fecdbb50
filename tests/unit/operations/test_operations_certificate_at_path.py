# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is at a certificate's path: nothing, a piece of it, or what is not to be lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from ansible_collections.rootstock.pki.plugins.module_utils._operations.certificate_plan import CertificatePlan
from ansible_collections.rootstock.pki.plugins.module_utils._pki.certificates import serial_hex, to_pem
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import LedgerError, SpecError
from tests.unit.operations.workshop import Workshop, spki_of
from tests.unit.signer.local_kms import local_key


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    made = Workshop(tmp_path)
    made.root()
    return made


@pytest.fixture
def issued(workshop: Workshop) -> x509.Certificate:
    return workshop.carry_out(client(workshop)).certificate


def client(workshop: Workshop, **options: Any) -> CertificatePlan:
    return workshop.plan("web", "tls_client", "root", public_key=spki_of(local_key("ECC_NIST_P256", 99)), **options)


def at_path(workshop: Workshop) -> Path:
    return workshop.folder / "certificates" / "web.pem"


def test_a_certificate_lost_from_its_path_comes_back_from_the_ledgers_copy(
    workshop: Workshop, issued: x509.Certificate
) -> None:
    at_path(workshop).unlink()
    again = client(workshop)
    assert (again.reissue, again.certificate) == (False, issued)


def test_a_certificate_that_is_cut_off_comes_back_from_the_ledgers_copy(
    workshop: Workshop, issued: x509.Certificate
) -> None:
    at_path(workshop).write_bytes(to_pem([issued])[:200])
    again = client(workshop)
    assert (again.reissue, again.certificate) == (False, issued)


@pytest.mark.parametrize("content", [b"-----BEGIN PRIVATE KEY-----\n", b"-----BEGIN CERTIFICATE-----\nAAAA"])
@pytest.mark.parametrize("copy_is_there", [True, False])
def test_what_cannot_be_read_is_replaced_by_force_alone(
    workshop: Workshop, issued: x509.Certificate, content: bytes, copy_is_there: bool
) -> None:
    at_path(workshop).write_bytes(content)
    if not copy_is_there:
        (workshop.folder / "root" / "issued" / f"{serial_hex(issued.serial_number)}.pem").unlink()
    way_out = r"web\.pem: holds no certificate; .*; move the file away and run again, or use force"
    with pytest.raises(SpecError, match=way_out):
        client(workshop)
    assert client(workshop, force=True).reissue


def test_a_certificate_that_the_ledger_does_not_know_is_not_overwritten(workshop: Workshop) -> None:
    foreign = Workshop(workshop.folder / "other", serial=0xF0).root()
    at_path(workshop).parent.mkdir()
    at_path(workshop).write_bytes(to_pem([foreign]))
    with pytest.raises(LedgerError, match="does not know"):
        client(workshop)
    assert client(workshop, force=True).reissue
