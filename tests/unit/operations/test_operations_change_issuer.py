# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A certificate moves from one authority to another whose ledgers are both known; another one is not lost for it."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509

from ansible_collections.rootstock.pki.plugins.module_utils._operations.certificate_plan import CertificatePlan
from ansible_collections.rootstock.pki.plugins.module_utils._pki.certificates import serial_hex
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import IssuerError, LedgerError
from ansible_collections.rootstock.pki.plugins.module_utils._pki.issuing import signed_by
from tests.unit.operations.workshop import Workshop, spki_of
from tests.unit.signer.local_kms import local_key

WEB_KEY = spki_of(local_key("ECC_NIST_P256", 92))
AUTHORITIES = ("root", "services", "services-r2", "other")


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    """An authority and its successor, with a certificate that the first one issued."""
    made = Workshop(tmp_path)
    made.root()
    for name in ("services", "services-r2", "other"):
        made.authority(name, "root")
    made.carry_out(web(made, "services"))
    return made


def web(workshop: Workshop, issuer: str, *, known: tuple[str, ...] = AUTHORITIES, **more: object) -> CertificatePlan:
    former = tuple(str(workshop.folder / name / "ledger.jsonl") for name in known)
    return workshop.plan("web", "tls_client", issuer, above=["root"], public_key=WEB_KEY, former_ledgers=former, **more)


def certificate_of(workshop: Workshop, name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate((workshop.folder / name).read_bytes())


def test_a_certificate_moves_to_another_issuer_with_that_as_the_reason(workshop: Workshop) -> None:
    planned = web(workshop, "services-r2")
    assert planned.plan.reason == "changed: issuer, authority_key_identifier"
    assert planned.plan.diff["before"]["issuer"] == "CN=services,O=Acme"
    moved = workshop.carry_out(planned).certificate
    assert signed_by(moved, certificate_of(workshop, "services-r2/ca.pem"))
    assert not web(workshop, "services-r2").plan.changed


def test_what_the_former_issuer_issued_stays_in_its_ledger_and_valid(workshop: Workshop) -> None:
    before = workshop.ledger_lines("services")
    former = serial_hex(certificate_of(workshop, "certificates/web.pem").serial_number)
    workshop.carry_out(web(workshop, "services-r2"))
    assert workshop.ledger_lines("services") == before
    assert (workshop.folder / "services" / "issued" / f"{former}.pem").exists()


def test_a_certificate_that_moves_back_is_the_former_one_again(workshop: Workshop) -> None:
    former = certificate_of(workshop, "certificates/web.pem")
    workshop.carry_out(web(workshop, "services-r2"))
    back = workshop.carry_out(web(workshop, "services"))
    assert (back.certificate, back.sign_calls) == (former, 0)


def test_a_move_is_planned_before_the_new_issuer_exists(workshop: Workshop) -> None:
    planned = web(workshop, "services-r3")
    assert planned.plan.pending
    assert planned.plan.diff["after"]["subject"] == "CN=web,O=Acme"


@pytest.mark.parametrize("known", [(), ("root", "services-r2", "other")])
def test_a_certificate_that_no_ledger_knows_is_kept(workshop: Workshop, known: tuple[str, ...]) -> None:
    with pytest.raises(LedgerError, match="does not know; name the ledger that does in"):
        web(workshop, "services-r2", known=known)


def test_a_certificate_that_its_own_issuers_ledger_lost_is_kept(workshop: Workshop) -> None:
    ledger = workshop.folder / "services" / "ledger.jsonl"
    ledger.rename(workshop.folder / "other.jsonl")
    former = (str(workshop.folder / "other.jsonl"),)
    with pytest.raises(LedgerError, match="does not know"):
        workshop.plan("web", "tls_client", "services", above=["root"], public_key=WEB_KEY, former_ledgers=former)


def test_an_authority_does_not_move_away_from_under_what_it_issued(workshop: Workshop) -> None:
    workshop.root("root-r2")
    former = (str(workshop.folder / "root" / "ledger.jsonl"),)
    with pytest.raises(IssuerError, match="issuer, authority_key_identifier would change while 1 certificates"):
        workshop.plan("services", "subordinate_ca", "root-r2", former_ledgers=former)
    moved = workshop.issue("other", "subordinate_ca", "root-r2", former_ledgers=former)
    assert signed_by(moved, certificate_of(workshop, "root-r2/ca.pem"))
