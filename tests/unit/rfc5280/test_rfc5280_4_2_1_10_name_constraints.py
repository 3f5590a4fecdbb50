# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""RFC 5280 4.2.1.10: name constraints are critical, for authorities alone, and hold for everything below."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.name import _ASN1Type

from ansible_collections.rootstock.pki.plugins.module_utils._pki.certificates import to_pem
from ansible_collections.rootstock.pki.plugins.module_utils._pki.der import wrap
from ansible_collections.rootstock.pki.plugins.module_utils._pki.general_names import to_general_name
from ansible_collections.rootstock.pki.plugins.module_utils._pki.path_validation import PathQuestion, validate_path
from tests.unit.rfc5280.foreign import GOOD_CA, Foreign
from tests.unit.rfc5280.office import Office, somebodys_key
from tests.unit.rfc5280.reading import openssl_refuses, pkilint_findings, shown

NC = "X509v3 Name Constraints"
EVERY_OTHER = ["email:excluded.invalid", "URI:excluded.invalid"]
EVERY_ADDRESS = ["IP:0.0.0.0/0.0.0.0", "IP:0:0:0:0:0:0:0:0/0:0:0:0:0:0:0:0"]


def constrained(office: Office, **options: Any) -> tuple[list[str], list[str]]:
    """Return permitted and excluded subtrees as OpenSSL shows them."""
    found = shown(office.certify_authority("services", "root", **options))[NC]
    assert found.critical
    permitted, _word, excluded = found.text.partition("Excluded:")
    return permitted.removeprefix("Permitted:").split("\n")[1:], excluded.split("\n")[1:]


@pytest.mark.parametrize(
    ("base", "text"),
    [
        ("DNS:acme.internal", "DNS:acme.internal"),
        ("DNS:.acme.internal", "DNS:acme.internal"),
        ("DNS:bücher.example", "DNS:xn--bcher-kva.example"),
        ("IP:10.0.0.0/8", "IP:10.0.0.0/255.0.0.0"),
        ("IP:10.0.0.0/255.0.0.0", "IP:10.0.0.0/255.0.0.0"),
        ("IP:2001:db8::/32", "IP:2001:DB8:0:0:0:0:0:0/FFFF:FFFF:0:0:0:0:0:0"),
        ("email:acme.example", "email:acme.example"),
        ("email:.acme.example", "email:.acme.example"),
        ("email:pki@acme.example", "email:pki@acme.example"),
        ("URI:acme.example", "URI:acme.example"),
        ("URI:.acme.example", "URI:.acme.example"),
        ("dirName:O=Acme,C=DE", "DirName:C = DE, O = Acme"),
    ],
)
def test_rfc5280_4_2_1_10_every_form_is_shown_as_permitted_and_as_excluded(
    office: Office, base: str, text: str
) -> None:
    alone = {"name_constraints_exclude_others": False, "subject": {"C": "DE", "O": "Acme"}}
    assert constrained(office, name_constraints_permitted=[base], **alone) == ([text], [])
    found = constrained(office, name_constraints_excluded=[base], subject={"CN": "Other"})
    assert [one for one in found[1] if one] == [text]


def test_rfc5280_4_2_1_10_kinds_that_are_not_named_are_closed(office: Office) -> None:
    permitted, excluded = constrained(office, name_constraints_permitted=["DNS:acme.internal"])
    assert [one for one in permitted if one] == ["DNS:acme.internal", *EVERY_OTHER]
    assert excluded == EVERY_ADDRESS
    permitted, excluded = constrained(office, name_constraints_permitted=["email:acme.example"])
    assert [one for one in permitted if one] == ["email:acme.example", "URI:excluded.invalid"]
    assert excluded == ["DNS:", *EVERY_ADDRESS]


def test_rfc5280_4_2_1_10_pkilint_agrees(office: Office) -> None:
    closed = office.certify_authority("closed", "root", name_constraints_permitted=["DNS:acme.internal"])
    assert pkilint_findings(closed) == []


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("DNS:web.acme.internal", ""),
        ("DNS:acme.internal", ""),
        ("DNS:web.acme.example", "is outside of what CN=services permits (DNS:acme.internal)"),
        ("DNS:web.secret.acme.internal", "is excluded by CN=services (DNS:secret.acme.internal)"),
        ("IP:10.1.2.3", ""),
        ("IP:11.1.2.3", "is outside of what CN=services permits (IP:10.0.0.0/8)"),
        ("IP:2001:db8::1", "is excluded by CN=services (IP:::/0)"),
        ("email:web@acme.internal", "is outside of what CN=services permits (email:excluded.invalid)"),
        ("URI:https://acme.internal/", "is outside of what CN=services permits (URI:excluded.invalid)"),
    ],
)
def test_rfc5280_4_2_1_10_the_gate_and_openssl_say_the_same(office: Office, name: str, says: str) -> None:
    bases = {"name_constraints_permitted": ["DNS:acme.internal", "IP:10.0.0.0/8"]}
    excluded = {"name_constraints_excluded": ["DNS:secret.acme.internal"]}
    services = office.certify_authority("services", "root", **bases, **excluded)
    root = office.certify_authority("root", subject={"common_name": "Root"})
    asked = {"subject": {}, "subject_alt_name": [name], "issuer_chain_path": [str(office.ca_path("root"))]}
    if says:
        assert says in office.refusal("web", "tls_client", "services", **asked)
        return
    leaf = office.certify("web", "tls_client", "services", **asked)
    assert openssl_refuses(office.folder, [root, services, leaf], office.clock.now) == ""


def test_rfc5280_4_2_1_10_constraints_of_every_authority_above_hold(office: Office) -> None:
    office.certify_authority("outer", "root", name_constraints_permitted=["DNS:acme.internal"])
    office.certify_authority("inner", "outer", name_constraints_permitted=["DNS:web.acme.internal"])
    chain = {"issuer_chain_path": [str(office.ca_path("outer")), str(office.ca_path("root"))]}
    told = office.refusal("web", "tls_client", "inner", subject_alt_name=["DNS:acme.example"], **chain)
    assert "permits (DNS:web.acme.internal)" in told
    assert "permits (DNS:acme.internal)" in told


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"name_constraints_permitted": ["acme.internal"]}, "is no name constraint that RFC 5280 4.2.1.10 defines"),
        ({"name_constraints_excluded": ["RID:1.2.3"]}, "is no name constraint that RFC 5280 4.2.1.10 defines"),
        ({"name_constraints_permitted": ["DNS:*.acme.internal"]}, "a constraint has no wildcard"),
        ({"name_constraints_permitted": ["IP:10.0.0.1"]}, "it has no prefix length"),
        ({"name_constraints_permitted": ["URI:https://acme.example"]}, "is about the host alone (RFC 5280 4.2.1.10)"),
        ({"name_constraints_permitted": ["DNS:a.example", "DNS:A.example"]}, "is there more than once"),
        (
            {"name_constraints_permitted": ["DNS:a.example"], "name_constraints_excluded": ["DNS:example"]},
            "the permitted DNS:a.example lies within its own excluded DNS:example",
        ),
    ],
)
def test_rfc5280_4_2_1_10_constraints_without_sense_are_refused(
    office: Office, options: dict[str, Any], says: str
) -> None:
    office.key("new")
    assert says in office.refusal("new", "subordinate_ca", "root", **options)


def test_rfc5280_4_2_1_10_a_constraint_outside_of_those_above_is_refused(office: Office) -> None:
    office.certify_authority("outer", "root", name_constraints_permitted=["DNS:acme.internal"])
    told = office.refusal("inner", "subordinate_ca", "outer", name_constraints_permitted=["DNS:acme.example"])
    assert "the permitted DNS:acme.example is outside of what CN=outer permits" in told


@pytest.mark.parametrize("option", ["name_constraints_permitted", "name_constraints_excluded"])
def test_rfc5280_4_2_1_10_end_entities_have_none(office: Office, option: str) -> None:
    assert f"{option} is for authorities" in office.refusal("web", "tls_client", "root", **{option: ["DNS:a.example"]})


@pytest.mark.parametrize("kind", [_ASN1Type.IA5String, _ASN1Type.UTF8String])
def test_rfc5280_4_1_2_6_a_mailbox_that_comes_in_another_string_type_is_refused_below_constraints(
    office: Office, kind: _ASN1Type
) -> None:
    """OpenSSL compares no other, and says "unsupported or invalid name syntax" whatever is constrained."""
    options = {"name_constraints_permitted": ["DNS:acme.internal"], "name_constraints_exclude_others": False}
    services = office.certify_authority("services", "root", **options)
    address = x509.NameAttribute(x509.NameOID.EMAIL_ADDRESS, "a@acme.internal", kind)
    theirs = to_pem([GOOD_CA.certificate(subject=x509.Name([address]))]).decode()
    free = office.certify("free", "subordinate_ca", "root", subject_certificate_content=theirs)
    root = office.certify_authority("root", subject={"common_name": "Root"})
    assert openssl_refuses(office.folder, [root, free], office.clock.now) == ""
    if kind is _ASN1Type.IA5String:
        bound = office.certify("bound", "subordinate_ca", "services", subject_certificate_content=theirs)
        assert openssl_refuses(office.folder, [root, services, bound], office.clock.now) == ""
    else:
        told = office.refusal("bound", "subordinate_ca", "services", subject_certificate_content=theirs)
        assert "the subject's emailAddress a@acme.internal is no IA5String" in told


def foreign_authority(office: Office, *extensions: x509.ExtensionType) -> x509.Certificate:
    """Return the certificate of an authority whose key we have, and that somebody else gave *extensions*."""
    office.key("foreign")
    identifier = x509.SubjectKeyIdentifier.from_public_key(office.keys["foreign"].public_key())
    more = tuple((value, True) for value in extensions)
    made = Foreign(extensions=(*GOOD_CA.extensions, (identifier, False), *more)).certificate(office.keys["foreign"])
    office.put_authority("foreign", made)
    return made


def issued_by(issuer: x509.Certificate, key: Any, name: str) -> x509.Certificate:
    """Return what an authority that asks nobody would issue for *name*."""
    now, public = issuer.not_valid_before_utc, somebodys_key().public_key()
    builder = x509.CertificateBuilder(issuer.subject, x509.Name([]), public, 8, now, now + timedelta(days=30))
    builder = builder.add_extension(x509.SubjectAlternativeName([to_general_name(name)]), critical=True)
    aki = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
    return builder.add_extension(aki, critical=False).sign(key, hashes.SHA256())


def subtree(*fields: bytes) -> x509.UnrecognizedExtension:
    base = wrap(0x82, b"acme.internal")
    value = wrap(0x30, wrap(0xA0, wrap(0x30, base + b"".join(fields))))
    return x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.30"), value)


@pytest.mark.parametrize("name", ["DNS:a.acme.internal", "email:a@acme.internal"])
@pytest.mark.parametrize(
    "fields", [[], [wrap(0x81, b"\x01")], [wrap(0x80, b"\x01")], [wrap(0x80, b"\x01"), wrap(0x81, b"\x02")]]
)
def test_rfc5280_4_2_1_10_a_minimum_or_maximum_rejects_names_of_its_form_as_openssl_does(
    office: Office, fields: list[bytes], name: str
) -> None:
    above = foreign_authority(office, subtree(*fields))
    bad = bool(fields) and name.startswith("DNS:")
    leaf = issued_by(above, office.keys["foreign"], name)
    told = openssl_refuses(office.folder, [above, leaf], office.clock.now)
    assert ("name constraints minimum and maximum not supported" in told) == bool(told) == bad
    verdict = validate_path(PathQuestion(leaf, [], [above], office.clock.now))
    assert ["with a minimum or maximum" in problem for problem in verdict.problems] == [True] * bad
    outcome = office.outcome("web", "tls_client", "foreign", subject={}, subject_alt_name=[name])
    assert ("with a minimum or maximum" in str(outcome)) == bad
