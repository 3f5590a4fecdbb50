# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates of the wrong kind as issuer, and options that contradict each other about who issues."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from ansible_collections.rootstock.pki.plugins.module_utils._pki.certificates import to_pem
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import SignerError
from tests.unit.corpus.bad_requests import GOOD, Bad, each, refused
from tests.unit.corpus.damage import der_of, replaced
from tests.unit.operations.workshop import START
from tests.unit.rfc5280.foreign import CA, GOOD_CA, SIGNS
from tests.unit.rfc5280.office import Office, csr_pem, public_pem, somebodys_key

WITHOUT_SIGNING = x509.KeyUsage(True, False, False, False, False, False, True, False, False)
CLIENTS = x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.CLIENT_AUTH])
WRONG: dict[str, tuple[Callable[[], x509.Certificate], str]] = {
    "no CA": (
        lambda: replace(GOOD_CA, extensions=((x509.BasicConstraints(ca=False, path_length=None), True),)).certificate(),
        "CN=Foreign is no CA (basic constraints CA:FALSE or absent) and may not issue",
    ),
    "no basic constraints": (lambda: replace(GOOD_CA, extensions=((SIGNS, True),)).certificate(), "is no CA"),
    "version 1": (lambda: replace(GOOD_CA, extensions=()).certificate(), "is no CA"),
    "usage without certificates": (
        lambda: replace(GOOD_CA, extensions=((CA, True), (WITHOUT_SIGNING, True))).certificate(),
        "its key usage lacks key_cert_sign",
    ),
    "expired": (
        lambda: replace(GOOD_CA, end=START).certificate(),
        "the issuer CN=Foreign expired 20260101120000Z; issue it again first",
    ),
    "not yet valid": (
        lambda: replace(GOOD_CA, start=START + timedelta(days=1)).certificate(),
        "is before the issuer CN=Foreign starts at 20260102120000Z",
    ),
    "ends soon": (lambda: replace(GOOD_CA, end=START + timedelta(days=9)).certificate(), "the latest possible is"),
    "no name": (lambda: replace(GOOD_CA, subject="").certificate(), "the issuer has no subject"),
    "for clients": (
        lambda: replace(GOOD_CA, extensions=(*GOOD_CA.extensions, (CLIENTS, False))).certificate(),
        "CN=Foreign does not allow the extended key usage server_auth",
    ),
    "a curve that KMS lacks": (lambda: GOOD_CA.certificate(ec.generate_private_key(ec.BrainpoolP256R1())), "brainpool"),
    "a key that KMS lacks": (
        lambda: replace(GOOD_CA, hash=None).certificate(ed448.Ed448PrivateKey.generate()),
        "Ed448",
    ),
    "a small key": (lambda: GOOD_CA.certificate(rsa.generate_private_key(65537, 1024)), "1024"),  # noqa: S505
}
NO_CERTIFICATE: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "holds no certificate"),
    "text": (lambda: b"no certificate\n", "holds no certificate"),
    "zeros": (lambda: bytes(64), "holds no certificate"),
    "a public key": (lambda: public_pem(somebodys_key()).encode(), "holds no certificate"),
    "a private key": (lambda: private_pem(somebodys_key()), "holds no certificate"),
    "a request": (lambda: csr_pem().encode(), "holds no certificate"),
    "PEM of nothing": (
        lambda: b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
        "not a readable certificate",
    ),
    "PEM of text": (
        lambda: b"-----BEGIN CERTIFICATE-----\nbm90aGluZw==\n-----END CERTIFICATE-----\n",
        "not a readable certificate",
    ),
    "PEM without an end": (lambda: to_pem([GOOD_CA.certificate()])[:-20], "holds no certificate"),
    "DER cut off": (lambda: der_of(GOOD_CA.certificate())[:-9], "not a readable certificate"),
    "DER and more": (lambda: der_of(GOOD_CA.certificate()) + b"x", "not a readable certificate"),
    "DER of a key": (lambda: der_of_key(somebodys_key()), "not a readable certificate"),
    "a good one, then a broken one": (
        lambda: to_pem([GOOD_CA.certificate()]) + b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
        "not a readable certificate",
    ),
}


def private_pem(key: Any) -> bytes:
    pem: bytes = key.private_bytes(Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return pem


def der_of_key(key: Any) -> bytes:
    der: bytes = key.public_key().public_bytes(Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return der


@pytest.fixture
def office(tmp_path: Path) -> Office:
    made = Office(tmp_path)
    made.certify_authority("root", subject={"common_name": "Root"})
    return made


def issued_by(office: Office, says: str, **options: Any) -> str:
    return refused(office, Bad("issuer", says, {**GOOD, **options}, issuer="foreign"))


@pytest.mark.parametrize(("make", "says"), WRONG.values(), ids=WRONG)
def test_a_certificate_of_the_wrong_kind_issues_nothing(
    office: Office, make: Callable[[], x509.Certificate], says: str
) -> None:
    office.put_authority("foreign", make())
    assert issued_by(office, says)


@pytest.mark.parametrize(("make", "says"), NO_CERTIFICATE.values(), ids=NO_CERTIFICATE)
def test_what_is_no_certificate_issues_nothing(office: Office, make: Callable[[], bytes], says: str) -> None:
    office.ca_path("foreign").parent.mkdir()
    office.ca_path("foreign").write_bytes(make())
    assert str(office.ca_path("foreign")) in issued_by(office, says)
    assert refused(office, Bad("content", says, {**GOOD, **_content(office)}, issuer=None))


def _content(office: Office) -> dict[str, Any]:
    """Return the same as text, which is how issuer_content and an inventory have it."""
    text = office.ca_path("foreign").read_bytes().decode("utf-8", "surrogateescape")
    return {"issuer_content": text, "issuer_key_id": "root", "ledger_path": str(office.folder / "ledger.jsonl")}


def test_an_issuer_with_a_weak_signature_issues_nothing(office: Office) -> None:
    (office.folder / "foreign").mkdir()
    (office.folder / "foreign" / "key.pem").write_bytes(private_pem(somebodys_key()))
    command = ["openssl", "req", "-x509", "-sha1", "-key", "key.pem", "-subj", "/CN=Weak", "-out", "ca.pem"]
    subprocess.run(command, cwd=office.folder / "foreign", check=True, capture_output=True)
    assert issued_by(office, "CN=Weak is signed with sha1; issue it again with SHA-256 or better")


def test_every_wrong_thing_about_an_issuer_is_told(office: Office) -> None:
    office.put_authority("foreign", replace(GOOD_CA, subject="", end=START, extensions=()).certificate())
    told = issued_by(office, "is no CA")
    assert all(part in told for part in ("expired", "has no subject"))


def test_a_root_that_was_altered_issues_nothing(office: Office) -> None:
    """Its path length would be another, and no relying party would notice: each has its own copy."""
    root = office.certify_authority("limited", path_length=0)
    altered = replaced(der_of(root), bytes.fromhex("30060101ff020100"), bytes.fromhex("30060101ff020105"))
    office.ca_path("foreign").parent.mkdir()
    office.ca_path("foreign").write_bytes(altered)
    assert issued_by(office, "CN=limited was not signed by the key of CN=limited, as it says; the file is damaged")


def test_an_authority_that_was_altered_issues_nothing_where_its_issuer_is_at_hand(office: Office) -> None:
    services = office.certify_authority("services", "root", path_length=0)
    altered = replaced(der_of(services), bytes.fromhex("30060101ff020100"), bytes.fromhex("30060101ff020105"))
    office.put_authority("foreign", x509.load_der_x509_certificate(altered))
    chain = [str(office.ca_path("root"))]
    assert issued_by(office, "CN=services was not signed by the key of CN=Root", issuer_chain_path=chain)


def test_the_chain_is_judged_as_the_issuer_is(office: Office) -> None:
    office.certify_authority("services", "root")
    (office.folder / "chain.pem").write_text("no certificate")
    chain = {"issuer_chain_path": [str(office.folder / "chain.pem")]}
    assert refused(office, Bad("chain", "chain.pem: holds no certificate", {**GOOD, **chain}, issuer="services"))


@each(
    [
        Bad("root with an issuer", "is self-signed but an issuer is given", {"key_id": "root"}, profile="root_ca"),
        Bad("subordinate without", "needs issuer_path and issuer_key_id", {"key_id": "root"}, "subordinate_ca", None),
        Bad("server without", "needs issuer_path and issuer_key_id", {"key_id": "root"}, issuer=None),
        Bad("self-signed public key", "a self-signed certificate needs key_id", issuer=None),
        Bad("self-signed request", "a self-signed certificate needs key_id", {"csr_content": csr_pem()}, issuer=None),
        Bad("no issuer key", "issuer_key_id is missing; name the KMS key of", {"issuer_key_id": None}),
        Bad("empty issuer key", "issuer_key_id is missing", {"issuer_key_id": ""}),
        Bad(
            "hash that does not fit", "digest sha384 does not fit the issuer's ECC_NIST_P256 key", {"digest": "sha384"}
        ),
        Bad("padding for an EC key", "signature_padding pss is for RSA keys", {"signature_padding": "pss"}),
        Bad("null in a path", "is no path", {"csr_path": "/nowhere\x00.csr"}),
        Bad("no such request", "cannot be read", {"csr_path": "/nowhere/web.csr"}),
        Bad("a folder as request", "cannot be read", {"csr_path": "/"}),
        Bad(
            "private key as public key",
            "is a private key",
            {"public_key_content": private_pem(somebodys_key()).decode()},
        ),
        Bad("text as public key", "not a readable public key", {"public_key_content": "ssh-ed25519 AAAA"}),
        Bad("certificate as request", "not a readable CSR", {"csr_content": to_pem([GOOD_CA.certificate()]).decode()}),
        Bad("request as public key", "not a readable public key", {"public_key_content": csr_pem()}),
        Bad("half a letter as request", "csr_content: holds half a character", {"csr_content": "\ud800"}),
        Bad("half a letter as public key", "not a readable public key", {"public_key_content": "\udc80"}),
    ]
)
def test_options_that_contradict_each_other_are_refused(desk: Office, bad: Bad) -> None:
    assert refused(desk, bad)


def test_a_request_in_der_may_come_as_text(desk: Office) -> None:
    """Ansible reads files into text, where octets that are none become surrogates."""
    der = der_of(x509.load_pem_x509_csr(csr_pem().encode()))
    text = der.decode("utf-8", "surrogateescape")
    planned = desk.proposed("web", "tls_server", "root", csr_content=text, **GOOD)
    assert planned.spec.public_key == somebodys_key().public_key()


def test_an_issuer_whose_key_is_another_is_found_when_it_signs(office: Office) -> None:
    """Only KMS knows whose key it is; what came back is thrown away."""
    office.put_authority("foreign", GOOD_CA.certificate())
    planned = office.proposed("web", "tls_server", "foreign", **GOOD, issuer_key_id="root")
    with pytest.raises(SignerError, match="same key"):
        office.carry_out(planned)
    assert not (office.folder / "certificates").exists()
    assert list((office.folder / "foreign" / "issued").iterdir()) == []
