# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a ledger says of one certificate: nothing of others', and nothing that it does not know."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from ansible_collections.rootstock.pki.plugins.module_utils._ledger.entries import Released, Retired, Revoked, new_id
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.files import FileLedger
from ansible_collections.rootstock.pki.plugins.module_utils._operations.ledger_standing import ledger_standing
from ansible_collections.rootstock.pki.plugins.module_utils._pki.certificates import serial_hex
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import LedgerError
from tests.unit.operations.workshop import Workshop, spki_of
from tests.unit.signer.local_kms import local_key

VALID = {"status": "valid", "name": "web", "revocation": None, "superseded_by": None}


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    made = Workshop(tmp_path)
    made.root()
    return made


def web(workshop: Workshop, **options: Any) -> x509.Certificate:
    return workshop.issue("web", "tls_server", "root", **server(**options))


def server(**options: Any) -> dict[str, Any]:
    key = spki_of(local_key("ECC_NIST_P256", 99))
    return {"public_key": key, "subject_alt_name": ["DNS:web.acme.internal"], **options}


def ledger(workshop: Workshop, authority: str = "root") -> FileLedger:
    return FileLedger(workshop.folder / authority / "ledger.jsonl", workshop.clock)


def issuer_of(workshop: Workshop, authority: str = "root") -> x509.Certificate:
    return x509.load_pem_x509_certificate((workshop.folder / authority / "ca.pem").read_bytes())


def standing(
    workshop: Workshop, certificate: x509.Certificate, authority: str = "root", issuer: x509.Certificate | None = None
) -> tuple[str | None, dict[str, Any] | None]:
    return ledger_standing(ledger(workshop, authority).read(), certificate, issuer, workshop.clock())


def revoke(workshop: Workshop, serial: str, reason: str = "key_compromise", **more: Any) -> Revoked:
    entry = Revoked(new_id(), workshop.clock(), serial, reason, workshop.clock(), **more)
    ledger(workshop).append(entry)
    return entry


def test_a_certificate_that_was_issued_here_is_valid_under_its_name_and_profile(workshop: Workshop) -> None:
    assert standing(workshop, web(workshop)) == ("tls_server", VALID)


def test_the_successor_of_a_superseded_certificate_is_named(workshop: Workshop) -> None:
    first = web(workshop)
    second = web(workshop, force=True)
    expected = {**VALID, "status": "superseded", "superseded_by": serial_hex(second.serial_number)}
    assert standing(workshop, first) == ("tls_server", expected)
    assert standing(workshop, second) == ("tls_server", VALID)


def test_a_revocation_is_told_with_its_reason_and_times(workshop: Workshop) -> None:
    certificate = web(workshop)
    since = workshop.clock()
    workshop.clock.forward(days=1)
    revoke(workshop, serial_hex(certificate.serial_number), invalidity_date=since)
    told = {"reason": "key_compromise", "revoked_at": "20260102120000Z", "invalidity_date": "20260101120000Z"}
    assert standing(workshop, certificate)[1] == {**VALID, "status": "revoked", "revocation": told}


def test_a_hold_is_told_until_it_is_released(workshop: Workshop) -> None:
    certificate = web(workshop)
    serial = serial_hex(certificate.serial_number)
    held = revoke(workshop, serial, "certificate_hold")
    facts = standing(workshop, certificate)[1] or {}
    assert (facts["status"], facts["revocation"]["reason"]) == ("on_hold", "certificate_hold")
    ledger(workshop).append(Released(new_id(), workshop.clock(), serial, held.id))
    assert standing(workshop, certificate)[1] == VALID


def test_an_expired_and_a_retired_certificate_are_called_so(workshop: Workshop) -> None:
    certificate = web(workshop)
    ledger(workshop).append(Retired(new_id(), workshop.clock(), serial_hex(certificate.serial_number)))
    assert standing(workshop, certificate)[1] == {**VALID, "status": "retired"}
    workshop.clock.forward(days=400)
    assert standing(workshop, certificate)[1] == {**VALID, "status": "expired"}


def test_the_ledger_of_another_authority_knows_nothing_of_it(workshop: Workshop) -> None:
    workshop.root("other")
    certificate = web(workshop)
    assert standing(workshop, certificate, "other") == (None, None)
    assert standing(workshop, certificate, "other", issuer_of(workshop)) == (None, None)


def test_the_same_serial_under_another_authority_is_another_certificate(workshop: Workshop) -> None:
    certificate = web(workshop)
    workshop.root("other")
    workshop.serial = certificate.serial_number - 1
    namesake = workshop.issue("mail", "tls_server", "other", **server())
    assert namesake.serial_number == certificate.serial_number
    assert standing(workshop, namesake) == (None, None)
    assert standing(workshop, namesake, "root", issuer_of(workshop, "other")) == (None, None)


def test_a_second_certificate_of_one_serial_and_issuer_is_an_error(workshop: Workshop) -> None:
    certificate, issuer = web(workshop), issuer_of(workshop)
    forged = (
        x509.CertificateBuilder()
        .subject_name(certificate.subject)
        .issuer_name(issuer.subject)
        .public_key(certificate.public_key())
        .serial_number(certificate.serial_number)
        .not_valid_before(certificate.not_valid_before_utc)
        .not_valid_after(certificate.not_valid_after_utc)
        .sign(workshop.keys["root"], hashes.SHA256())
    )
    assert standing(workshop, forged) == (None, None)
    with pytest.raises(LedgerError, match=r"another certificate, web, .*; one of the two was signed without"):
        standing(workshop, forged, "root", issuer)


def test_a_certificate_whose_outcome_was_never_recorded_shows_its_open_intent(workshop: Workshop) -> None:
    certificate = web(workshop)
    without_outcome(workshop)
    assert standing(workshop, certificate) == ("tls_server", {**VALID, "status": "open_intent"})
    revoke(workshop, serial_hex(certificate.serial_number))
    facts = standing(workshop, certificate)[1] or {}
    assert (facts["status"], facts["name"]) == ("revoked", "web")


def without_outcome(workshop: Workshop) -> None:
    """Make the ledger what it was before the last outcome was written."""
    path = workshop.folder / "root" / "ledger.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))


def test_a_revocation_of_an_unrecorded_serial_counts_under_its_issuer_alone(workshop: Workshop) -> None:
    workshop.root("other")
    elsewhere = workshop.issue("mail", "tls_server", "other", **server())
    revoke(workshop, serial_hex(elsewhere.serial_number))
    assert standing(workshop, elsewhere) == (None, None)
    assert standing(workshop, elsewhere, "root", issuer_of(workshop, "other")) == (None, None)
    profile, facts = standing(workshop, elsewhere, "root", issuer_of(workshop))
    assert (profile, (facts or {})["status"], (facts or {})["name"]) == (None, "revoked", None)
