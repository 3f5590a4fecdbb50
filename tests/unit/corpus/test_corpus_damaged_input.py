# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever is wrong with the bytes of a request or of an issuer: a sentence, never a traceback, and no signature."""

from __future__ import annotations

import re
import warnings
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from ansible_collections.rootstock.pki.plugins.module_utils._pki.certificate_info import describe_certificate
from ansible_collections.rootstock.pki.plugins.module_utils._pki.certificates import load_certificates
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import PkiError, SpecError
from tests.unit.corpus.damage import der_of, flips, info_of, quick_or_all, replaced, signed_anew
from tests.unit.pki.texts import outcome
from tests.unit.rfc5280.office import Office, csr_pem, somebodys_key

SAN = x509.SubjectAlternativeName([x509.DNSName("web.acme.internal"), x509.IPAddress(ip_address("10.0.0.1"))])
EXTENSIONS: tuple[tuple[x509.ExtensionType, bool], ...] = (
    (SAN, False),
    (x509.BasicConstraints(ca=False, path_length=None), True),
    (x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.SERVER_AUTH]), False),
    (x509.TLSFeature([x509.TLSFeatureType.status_request]), False),
)
UNREADABLE = re.compile(r"not a readable CSR|does not verify under its own key|part of the CSR cannot be read")


@pytest.fixture
def office(tmp_path: Path) -> Office:
    made = Office(tmp_path)
    made.certify_authority("root")
    return made


def refusal_of_csr(office: Office, content: bytes) -> str:
    (office.folder / "web.csr").write_bytes(content)
    return office.refusal("web", "tls_server", "root", csr_path=str(office.folder / "web.csr"))


def facts_of(content: bytes, now: datetime) -> dict[str, object]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pyca warns of serial numbers that are not positive
        return describe_certificate(load_certificates(content, "web.pem")[0], now)


def test_a_request_with_a_bit_wrong_is_refused(office: Office) -> None:
    csr = x509.load_pem_x509_csr(csr_pem(*EXTENSIONS).encode())
    good = der_of(csr)
    unused_bits = len(good) - len(csr.signature) - 1  # of the signature's BIT STRING; some of them may be unused
    for place, bit, damaged in flips(good):
        if place == unused_bits:
            continue
        assert UNREADABLE.search(refusal_of_csr(office, damaged)), f"bit {bit} of octet {place}"


def test_a_request_that_is_cut_off_is_refused(office: Office) -> None:
    good = csr_pem(*EXTENSIONS).encode()
    for length in quick_or_all(range(1, len(good) - 2), 30):
        assert "not a readable CSR" in refusal_of_csr(office, good[:length]), length


def test_a_request_that_was_signed_in_bad_faith_ends_in_a_plan_or_a_sentence(office: Office) -> None:
    """The signature is right, so every parser below it sees what the attacker wrote."""
    path = office.folder / "web.csr"
    outcomes = set()
    for _place, _bit, damaged in flips(info_of(csr_pem(*EXTENSIONS)), 150):
        path.write_bytes(signed_anew(damaged, somebodys_key()))
        told = office.outcome("web", "tls_server", "root", csr_path=str(path))
        outcomes.add("sentence" if isinstance(told, PkiError) else "plan")
    assert outcomes == {"plan", "sentence"}


@pytest.mark.parametrize(
    ("old", "new", "fragment"),
    [
        ("0603551d25", "0603551d11", "Duplicate 2.5.29.17"),
        ("87040a000001", "a3040a000001", "not supported types"),
        ("0603551d130101ff", "0603551d13010101", "cannot be read"),
    ],
)
def test_extensions_that_cannot_be_read_are_named(office: Office, old: str, new: str, fragment: str) -> None:
    info = replaced(info_of(csr_pem(*EXTENSIONS)), bytes.fromhex(old), bytes.fromhex(new))
    told = refusal_of_csr(office, signed_anew(info, somebodys_key()))
    assert f"{office.folder / 'web.csr'}: a part of the CSR cannot be read" in told
    assert fragment in told


def test_an_issuer_with_a_bit_wrong_ends_in_a_plan_or_a_sentence(office: Office) -> None:
    issuer = office.certify_authority(
        "services",
        "root",
        name_constraints_permitted=["DNS:acme.internal", "IP:10.0.0.0/8"],
        crl_distribution_points=[{"full_name": ["http://pki.acme.example/root.crl"]}],
        certificate_policies=[{"policy": "1.2.3", "user_notice": {"explicit_text": "for tests"}}],
    )
    chain = [str(office.ca_path("root"))]
    asked = {"subject_alt_name": ["DNS:web.acme.internal"], "issuer_chain_path": chain}
    outcomes = set()
    for _place, _bit, damaged in flips(der_of(issuer), 150):
        office.ca_path("services").write_bytes(damaged)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pyca warns of serial numbers that are not positive
            told = office.outcome("web", "tls_server", "services", **asked)
        outcomes.add("sentence" if isinstance(told, PkiError) else "plan")
    assert outcomes == {"plan", "sentence"}


def test_a_certificate_with_a_bit_wrong_is_described_or_refused(office: Office) -> None:
    certificate = office.certify(
        "web",
        "tls_server",
        "root",
        subject_alt_name=["DNS:web.acme.internal", "IP:10.0.0.1"],
        ocsp_must_staple=True,
        crl_distribution_points=[{"full_name": ["http://pki.acme.example/root.crl"]}],
    )
    kinds = set()
    for _place, _bit, damaged in flips(der_of(certificate), 300):
        told = outcome(lambda damaged=damaged: facts_of(damaged, office.clock.now))  # type: ignore[misc]
        kinds.add("sentence" if isinstance(told, SpecError) else "facts")
    assert kinds == {"facts", "sentence"}


def test_a_request_for_a_key_of_no_known_kind_is_refused(office: Office) -> None:
    info = replaced(info_of(csr_pem()), bytes.fromhex("2a8648ce3d0201"), bytes.fromhex("2a8648ce3d0209"))
    assert "not a readable CSR" in refusal_of_csr(office, signed_anew(info, somebodys_key()))


def test_a_request_signed_by_another_key_is_refused(office: Office) -> None:
    forged = signed_anew(info_of(csr_pem(*EXTENSIONS)), ec.generate_private_key(ec.SECP256R1()))
    assert "signature does not verify under its own key" in refusal_of_csr(office, forged)


def test_refusals_are_about_what_was_asked(office: Office) -> None:
    with pytest.raises(SpecError, match=r"csr_content: not a readable CSR"):
        office.proposed("web", "tls_server", "root", csr_content="MIIB")
