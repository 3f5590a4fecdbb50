# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests that are signed as they should be, and ask for what their profile does not give."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.name import _ASN1Type

from ansible_collections.rootstock.pki.plugins.module_utils._operations.certificate_plan import CertificatePlan
from ansible_collections.rootstock.pki.plugins.module_utils._pki.der import encode
from ansible_collections.rootstock.pki.plugins.module_utils._pki.general_names import general_name_text
from ansible_collections.rootstock.pki.plugins.module_utils._pki.profiles import PROFILES, Profile
from tests.unit.corpus.bad_requests import Bad, refused
from tests.unit.rfc5280.office import Office, csr_pem

OID = x509.NameOID
CA = (x509.BasicConstraints(ca=True, path_length=None), True)
DNS = x509.DNSName("web.acme.internal")


def san(*names: x509.GeneralName) -> tuple[x509.ExtensionType, bool]:
    return x509.SubjectAlternativeName(names), False


def attribute(oid: x509.ObjectIdentifier, value: Any, kind: _ASN1Type | None = None) -> x509.NameAttribute[Any]:
    """Return an attribute that a sloppy client might write, whatever is wrong with it."""
    return x509.NameAttribute(oid, value, kind, _validate=False)


SUBJECTS = {
    "country in lower case": (attribute(OID.COUNTRY_NAME, "de"), "C 'de' is no country code"),
    "country of three letters": (attribute(OID.COUNTRY_NAME, "DEU"), "C 'DEU' is no country code"),
    "common name of 65": (attribute(OID.COMMON_NAME, "x" * 65), "CN 'xxxxx"),
    "organization of 65": (attribute(OID.ORGANIZATION_NAME, "x" * 65), "65 characters long; at most 64"),
    "spaces": (attribute(OID.ORGANIZATION_NAME, " Acme"), "begins or ends with white space"),
    "control character": (attribute(OID.ORGANIZATION_NAME, "Ac\x00me"), "has U+0000"),
    "mailbox": (attribute(OID.EMAIL_ADDRESS, "nobody"), "it has no @"),
    "serial number": (attribute(OID.SERIAL_NUMBER, "a@b", _ASN1Type.UTF8String), "is no PrintableString"),
    "bit string": (attribute(OID.X500_UNIQUE_IDENTIFIER, b"\x01", _ASN1Type.BitString), "is no text"),
    "telephone number": (attribute(x509.ObjectIdentifier("2.5.4.20"), "+49 1"), "takes no text value"),
}
NAMES = {
    "underscore": (x509.DNSName("a_b.acme.internal"), "'DNS:a_b.acme.internal'"),
    "space": (x509.DNSName("a b"), "is not made of"),
    "wildcard inside": (x509.DNSName("w*.acme.internal"), "a * stands only alone"),
    "wildcard alone": (x509.DNSName("*"), "a * stands only alone"),
    "address as host": (x509.DNSName("10.0.0.1"), "it is an IP address"),
    "url as host": (x509.DNSName("https://web"), "is not made of"),
    "leading dot": (x509.DNSName(".acme.internal"), "a label is empty"),
    "empty": (x509.DNSName(""), "a label is empty"),
    "empty label": (x509.DNSName("a..b"), "a label is empty"),
    "no a-label": (x509.DNSName("xn--99999999.acme"), "starts as an A-label but is not one"),
    "no mailbox": (x509.RFC822Name("web"), "it has no @"),
    "relative uri": (x509.UniformResourceIdentifier("index.html"), "it is no absolute URI"),
    "twice": (DNS, "is there more than once"),
    "directory name": (x509.DirectoryName(x509.Name([attribute(OID.COUNTRY_NAME, "de")])), "is no country code"),
}


def asked(office: Office, says: str, csr: str, profile: str = "tls_server", **options: Any) -> str:
    return refused(office, Bad("csr", says, {"subject_alt_name": None, "csr_content": csr, **options}, profile))


@pytest.mark.parametrize("profile", [name for name, profile in PROFILES.items() if not profile.ca])
def test_no_end_entity_becomes_an_authority(desk: Office, profile: str) -> None:
    """Whatever else is in it, and whatever the profile copies."""
    names = {"subject_alt_name": ["DNS:web.acme.internal", "email:web@acme.internal"]}
    assert asked(desk, "the CSR asks for CA:TRUE", csr_pem(CA), profile, **names)


@pytest.mark.filterwarnings("ignore:Attribute's length")
@pytest.mark.parametrize(("wrong", "says"), SUBJECTS.values(), ids=SUBJECTS)
def test_the_subject_of_a_request_is_judged_as_one_of_a_task(desk: Office, wrong: Any, says: str) -> None:
    told = asked(desk, says, csr_pem(san(DNS), subject=x509.Name([wrong])))
    assert "the CSR's subject is not fit for a certificate" in told
    assert told.endswith("give subject in the task")


@pytest.mark.parametrize(("wrong", "says"), NAMES.values(), ids=NAMES)
def test_the_names_of_a_request_are_judged_as_those_of_a_task(desk: Office, wrong: Any, says: str) -> None:
    told = asked(desk, says, csr_pem(san(DNS, wrong)))
    assert "the CSR's subject_alt_name is not fit for a certificate" in told


def test_a_request_with_neither_subject_nor_names_is_refused(desk: Office) -> None:
    nobody = csr_pem(subject=x509.Name([]))
    assert asked(desk, "has neither a subject nor a subject_alt_name", nobody, subject=None)


def test_names_that_the_profile_does_not_copy_are_no_names(desk: Office) -> None:
    """A code signer's request that names a host names nobody."""
    nobody = csr_pem(san(DNS), subject=x509.Name([]))
    assert asked(desk, "has neither a subject nor a subject_alt_name", nobody, "code_signing", subject=None)


def test_everything_wrong_with_a_request_is_told(desk: Office) -> None:
    wrong = x509.Name([attribute(OID.COUNTRY_NAME, "de")])
    told = asked(desk, "asks for CA:TRUE", csr_pem(CA, san(x509.DNSName("a_b")), subject=wrong))
    assert "the CSR's subject is" in told
    assert "the CSR's subject_alt_name is" in told


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: rsa.generate_private_key(65537, 1024), "the RSA key has 1024 bits"),  # noqa: S505
        (lambda: ec.generate_private_key(ec.SECP224R1()), "the curve secp224r1 is not one of"),
        (lambda: ec.generate_private_key(ec.BrainpoolP384R1()), "the curve brainpoolP384r1 is not one of"),
        (lambda: dsa.generate_private_key(2048), "a DSAPublicKey key fits no certificate_profile"),
    ],
    ids=["small RSA", "small curve", "another curve", "DSA"],
)
def test_keys_that_fit_no_certificate_are_refused(desk: Office, make: Any, says: str) -> None:
    assert asked(desk, says, csr_pem(san(DNS), key=make()))


def test_an_edwards_curve_that_kms_lacks_is_refused(desk: Office) -> None:
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([attribute(OID.COMMON_NAME, "web")]))
    csr = builder.add_extension(*san(DNS)).sign(ed448.Ed448PrivateKey.generate(), None)
    pem = csr.public_bytes(Encoding.PEM).decode()
    assert asked(desk, "a Ed448PublicKey key fits no certificate_profile", pem)


UPN = x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3"), encode("UTF8", "administrator@corp.example"))
UTF8_MAILBOX = x509.OtherName(x509.ObjectIdentifier("1.3.6.1.5.5.7.8.9"), encode("UTF8", "müller@acme.example"))
KINDS: dict[str, x509.GeneralName] = {
    "DNS": DNS,
    "IP": x509.IPAddress(ip_address("10.0.0.1")),
    "email": x509.RFC822Name("web@acme.internal"),
    "URI": x509.UniformResourceIdentifier("spiffe://acme.internal/web"),
    "RID": x509.RegisteredID(x509.ObjectIdentifier("1.2.3.4")),
    "dirName": x509.DirectoryName(x509.Name([attribute(OID.COMMON_NAME, "web")])),
    "otherName:1.3.6.1.4.1.311.20.2.3": UPN,
    "otherName:1.3.6.1.5.5.7.8.9": UTF8_MAILBOX,
}
COPYING = [profile for profile in PROFILES.values() if "subject_alt_name" in profile.csr_extensions]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("profile", COPYING, ids=lambda profile: profile.name)
def test_a_request_gives_names_of_the_kinds_that_its_profile_copies_and_no_others(
    desk: Office, profile: Profile, kind: str
) -> None:
    needed = next((KINDS[one] for one in profile.csr_san_kinds if one != kind), DNS)
    csr = csr_pem(san(needed, KINDS[kind]))
    if kind in profile.csr_san_kinds:
        names = desk.proposed("web", profile.name, "root", csr_content=csr).spec.extension(x509.SubjectAlternativeName)
        assert list(names or ()) == [needed, KINDS[kind]]
        return
    told = asked(desk, f"the CSR's subject_alt_name has '{general_name_text(KINDS[kind])}', and", csr, profile.name)
    assert f"certificate_profile {profile.name} copies no names but of {' or '.join(profile.csr_san_kinds)}" in told
    assert told.endswith("give subject_alt_name in the task, which may have names of any kind")
    task = {"subject_alt_name": list(map(general_name_text, (needed, KINDS[kind])))}
    assert desk.proposed("web", profile.name, "root", csr_content=csr, **task).plan.changed


def test_no_profile_copies_names_by_which_people_log_on() -> None:
    assert COPYING
    for profile in COPYING:
        assert profile.csr_san_kinds
        assert not {"otherName", "otherName:1.3.6.1.4.1.311.20.2.3"} & set(profile.csr_san_kinds)


@pytest.mark.parametrize(
    ("kinds", "copied"),
    [
        (["DNS", "otherName"], True),
        (["DNS", "otherName:1.3.6.1.4.1.311.20.2.3"], True),
        (["DNS", "otherName:1.3.6.1.5.5.7.8.9"], False),
        ([], False),
    ],
)
def test_a_profile_of_ones_own_says_what_is_copied(desk: Office, kinds: list[str], copied: bool) -> None:
    profiles = {"certificate_profiles": {"own": {"extends": "tls_client", "csr_san_kinds": kinds}}}
    outcome = desk.outcome("web", "own", "root", csr_content=csr_pem(san(DNS, UPN)), **profiles)
    assert ("certificate_profile own copies no names" in str(outcome)) != copied
    assert isinstance(outcome, CertificatePlan) == copied


def test_a_server_may_not_take_names_that_no_server_has(desk: Office) -> None:
    csr = csr_pem(san(x509.RFC822Name("web@acme.internal")))
    assert asked(desk, "has 'email:web@acme.internal', and certificate_profile tls_server copies no names but of", csr)
    assert asked(desk, "needs a subject_alt_name of DNS or IP", csr, subject_alt_name=["email:web@acme.internal"])
