# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A key that others may hold is not certified again by the authority that knows of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509

from ansible_collections.rootstock.pki.plugins.module_utils._ledger.entries import Revoked, new_id
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.files import FileLedger
from ansible_collections.rootstock.pki.plugins.module_utils._operations.certificate_plan import CertificatePlan
from ansible_collections.rootstock.pki.plugins.module_utils._pki.certificates import serial_hex
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import SpecError
from tests.unit.operations.workshop import Workshop, spki_of
from tests.unit.signer.local_kms import local_key


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    made = Workshop(tmp_path)
    made.root()
    made.authority("services", "root", path_length=0)
    return made


def client(workshop: Workshop, name: str = "client", key: int = 97, issuer: str = "services") -> CertificatePlan:
    public_key = spki_of(local_key("ECC_NIST_P256", key))
    return workshop.plan(name, "tls_client", issuer, above=["root"], public_key=public_key)


def revoke(workshop: Workshop, authority: str, certificate: x509.Certificate, reason: str) -> str:
    """Return the serial of the *certificate* that is now revoked."""
    ledger = FileLedger(workshop.folder / authority / "ledger.jsonl", workshop.clock)
    serial, now = serial_hex(certificate.serial_number), workshop.clock.now
    ledger.append(Revoked(new_id(), now, serial, reason, now))
    workshop.clock.forward(minutes=5)
    return serial


def test_the_key_of_a_certificate_is_not_certified_again(workshop: Workshop) -> None:
    serial = revoke(workshop, "services", workshop.carry_out(client(workshop)).certificate, "key_compromise")
    for name in ("client", "another"):
        with pytest.raises(SpecError) as caught:
            client(workshop, name)
        told = f"{name}: the subject key was compromised: {serial}, of the same key, is revoked for key_compromise"
        assert told in str(caught.value)
    assert client(workshop, key=98).plan.reason == f"{serial} is revoked"


@pytest.mark.parametrize("reason", ["key_compromise", "ca_compromise"])
def test_the_key_of_an_authority_is_not_certified_again(workshop: Workshop, reason: str) -> None:
    services = x509.load_pem_x509_certificate((workshop.folder / "services" / "ca.pem").read_bytes())
    revoke(workshop, "root", services, reason)
    with pytest.raises(SpecError, match=f"revoked for {reason}; give services a new key, an authority a new name"):
        workshop.plan("services", "subordinate_ca", "root", path_length=0)


@pytest.mark.parametrize("reason", ["ca_compromise", "superseded", "affiliation_changed", "certificate_hold"])
def test_other_reasons_say_nothing_of_a_key(workshop: Workshop, reason: str) -> None:
    """Where the authority above was compromised, the keys below were not."""
    revoke(workshop, "services", workshop.carry_out(client(workshop)).certificate, reason)
    assert client(workshop, "another").plan.changed


def test_what_is_valid_stays_though_another_of_its_key_is_revoked(workshop: Workshop) -> None:
    workshop.carry_out(client(workshop, "another"))
    revoke(workshop, "services", workshop.carry_out(client(workshop)).certificate, "key_compromise")
    assert not client(workshop, "another").plan.changed


def test_a_serial_of_which_there_is_no_certificate_is_no_matter(workshop: Workshop) -> None:
    certificate = workshop.carry_out(client(workshop)).certificate
    serial = revoke(workshop, "services", certificate, "key_compromise")
    (workshop.folder / "services" / "issued" / f"{serial}.pem").unlink()
    assert client(workshop).plan.changed
