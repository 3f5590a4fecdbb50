# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Paths are judged as OpenSSL judges them; where we are stricter, the case says so."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.name import _ASN1Type

from ansible_collections.rootstock.pki.plugins.module_utils._pki.path_validation import (
    ANY_PURPOSE,
    MOST_STEPS,
    PathQuestion,
    PathVerdict,
    validate_path,
)

NOW = datetime.now(timezone.utc).replace(microsecond=0)
DAY = timedelta(days=1)
ROOT, MIDDLE, LEAF = "Root", "Middle", "Leaf"


@cache
def key(*_holder: str) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)] if name else [])


def usage(*names: str) -> x509.KeyUsage:
    kinds = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    kinds += ("key_cert_sign", "crl_sign", "encipher_only", "decipher_only")
    return x509.KeyUsage(**{kind: kind in names for kind in kinds})


def purposes(*oids: str) -> x509.ExtendedKeyUsage:
    return x509.ExtendedKeyUsage([x509.ObjectIdentifier(oid) for oid in oids])


@dataclass(frozen=True)
class Made:
    """One certificate to be made; what it leaves out is as it should be."""

    name: str
    issuer: str
    extensions: tuple[tuple[x509.ExtensionType, bool], ...]
    start: datetime = NOW - DAY
    end: datetime = NOW + 30 * DAY
    signer: str = ""
    holder: str = ""
    subject: x509.Name | None = None

    def certificate(self) -> x509.Certificate:
        subject = named(self.name) if self.subject is None else self.subject
        names, public_key = (named(self.issuer), subject), key(self.holder or self.name).public_key()
        builder = x509.CertificateBuilder(*names, public_key, 1000 + len(self.name), self.start, self.end)
        above = key(self.signer or self.issuer)
        held = x509.AuthorityKeyIdentifier.from_issuer_public_key(above.public_key())
        identifiers = ((x509.SubjectKeyIdentifier.from_public_key(public_key), False), (held, False))
        for value, critical in (*self.extensions, *identifiers):
            builder = builder.add_extension(value, critical)
        return builder.sign(above, hashes.SHA256())


def ca(path_length: int | None = None) -> tuple[tuple[x509.ExtensionType, bool], ...]:
    return ((x509.BasicConstraints(True, path_length), True), (usage("key_cert_sign", "crl_sign"), True))


SIGNS = (usage("digital_signature"), True)
STAMPS = "1.3.6.1.5.5.7.3.8"
CODE, MAIL, CLIENT = "1.3.6.1.5.5.7.3.3", "1.3.6.1.5.5.7.3.4", "1.3.6.1.5.5.7.3.2"
GOOD = {ROOT: Made(ROOT, ROOT, ca()), MIDDLE: Made(MIDDLE, ROOT, ca()), LEAF: Made(LEAF, MIDDLE, (SIGNS,))}
UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
ELSEWHERE = x509.NameConstraints([x509.DNSName("acme.internal")], None)
PLACES = x509.CRLDistributionPoints(
    [x509.DistributionPoint([x509.UniformResourceIdentifier("http://a.example/crl")], None, None, None)]
)
WEB = x509.SubjectAlternativeName([x509.DNSName("web.other.example")])


def with_(name: str, **changed: Any) -> dict[str, Made]:
    return {**GOOD, name: replace(GOOD[name], **changed)}


POLICY, OTHER_POLICY, ANY = "1.2.3.1", "1.2.3.2", "2.5.29.32.0"
MAPPING = bytes.fromhex("300c300a06032a030106032a0302")


def policies(middle: str, *leaf: str, mapped: bool = False) -> dict[str, Made]:
    """Return a path whose intermediate authority requires a policy, all in extensions that are critical."""

    def held(*oids: str) -> tuple[x509.ExtensionType, bool]:
        named = [x509.PolicyInformation(x509.ObjectIdentifier(oid), None) for oid in oids]
        return x509.CertificatePolicies(named), True

    demand = ((x509.PolicyConstraints(0, None), True), (x509.InhibitAnyPolicy(0), True))
    mapping = ((x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.33"), MAPPING), True),) if mapped else ()
    made = with_(MIDDLE, extensions=(*ca(), held(middle), *demand, *mapping))
    return {**made, LEAF: replace(GOOD[LEAF], extensions=(SIGNS, *((held(*leaf),) if leaf else ())))}


def mailbox(kind: _ASN1Type, constraint: x509.GeneralName | None) -> dict[str, Made]:
    """Return a path to somebody whose mailbox stands in the subject, below an authority with a constraint."""
    constraints = () if constraint is None else ((x509.NameConstraints([constraint], None), True),)
    address = x509.NameAttribute(x509.NameOID.EMAIL_ADDRESS, "a@acme.internal", kind)
    subject = x509.Name([*named(LEAF), address])
    return {**with_(MIDDLE, extensions=(*ca(), *constraints)), LEAF: replace(GOOD[LEAF], subject=subject)}


MAILBOXES, HOSTS = x509.RFC822Name("acme.internal"), x509.DNSName("acme.internal")
NAMELESS = {MIDDLE: replace(GOOD[MIDDLE], name=""), LEAF: replace(GOOD[LEAF], issuer="")}
CASES: dict[str, tuple[dict[str, Made], str]] = {
    "as it should be": (GOOD, ""),
    "leaf expired": (with_(LEAF, end=NOW - timedelta(hours=1)), "Leaf: was valid until"),
    "leaf not yet valid": (with_(LEAF, start=NOW + DAY), "Leaf: is valid from"),
    "middle expired": (with_(MIDDLE, end=NOW - timedelta(hours=1)), "Middle: was valid until"),
    "root expired": (with_(ROOT, end=NOW - timedelta(hours=1)), "Root: was valid until"),
    "middle is no CA": (with_(MIDDLE, extensions=((x509.BasicConstraints(False, None), True),)), "Middle: is no CA"),
    "middle says nothing": (with_(MIDDLE, extensions=()), "Middle: is no CA"),
    "middle may not sign": (
        with_(MIDDLE, extensions=((x509.BasicConstraints(True, None), True), (usage("crl_sign"), True))),
        "Middle: may not sign certificates",
    ),
    "path too long": (with_(ROOT, extensions=ca(0)), "Root: has path length 0, and 1 CAs follow"),
    "path long enough": (with_(MIDDLE, extensions=ca(0)), ""),
    "critical and unknown": (with_(LEAF, extensions=(SIGNS, (UNKNOWN, True))), "understands, 1.2.3.4"),
    "unknown and not critical": (with_(LEAF, extensions=(SIGNS, (UNKNOWN, False))), ""),
    "critical and unknown above": (with_(MIDDLE, extensions=(*ca(), (UNKNOWN, True))), "Middle: has critical"),
    "name not permitted": (
        {
            **with_(MIDDLE, extensions=(*ca(), (ELSEWHERE, True))),
            LEAF: replace(GOOD[LEAF], extensions=(SIGNS, (WEB, False))),
        },
        "web.other.example",
    ),
    "policy required and kept": (policies(POLICY, POLICY), ""),
    "policy required and another had": (
        policies(POLICY, OTHER_POLICY),
        "CN=Leaf: has no policy that its path allows; CN=Middle requires a policy (RFC 5280 6.1.5), one of 1.2.3.1",
    ),
    "policy required and none had": (policies(POLICY), "CN=Leaf: has no policy that its path allows"),
    "any policy had where that is inhibited": (policies(POLICY, ANY), "CN=Leaf: has no policy that its path allows"),
    "policy required that is mapped": (policies(POLICY, OTHER_POLICY, mapped=True), ""),
    "policy given twice": (
        policies(POLICY, POLICY, POLICY),
        "CN=Leaf: has one policy twice in its certificate policies",
    ),
    "critical distribution points": (with_(LEAF, extensions=(SIGNS, (PLACES, True))), ""),
    "critical distribution points above": (with_(MIDDLE, extensions=(*ca(), (PLACES, True))), ""),
    "issuer without a name": ({**GOOD, **NAMELESS}, "CN=Leaf: the issuer has no subject, which every issuer needs"),
    "mailbox in an IA5String": (mailbox(_ASN1Type.IA5String, MAILBOXES), ""),
    "mailbox in a UTF8String": (
        mailbox(_ASN1Type.UTF8String, MAILBOXES),
        "emailAddress a@acme.internal is no IA5String",
    ),
    "mailbox in a UTF8String below hosts": (mailbox(_ASN1Type.UTF8String, HOSTS), "is no IA5String"),
    "mailbox in a UTF8String without constraints": (mailbox(_ASN1Type.UTF8String, None), ""),
    "foreign signature": (with_(LEAF, signer="somebody else"), "does not lead up to a trusted certificate"),
}


def question(made: dict[str, Made], **changed: Any) -> PathQuestion:
    given = {name: one.certificate() for name, one in made.items()}
    asked = PathQuestion(given[LEAF], [given[MIDDLE]], [given[ROOT]], NOW)
    return replace(asked, **changed)


def openssl_accepts(asked: PathQuestion, folder: Path, *options: str) -> bool:
    def put(name: str, certificates: Sequence[x509.Certificate]) -> str:
        (folder / name).write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in certificates))
        return str(folder / name)

    files = ["-CAfile", put("ca", asked.anchors), "-untrusted", put("untrusted", asked.intermediates)]
    command = ["openssl", "verify", "-x509_strict", "-auth_level", "1", "-policy", "anyPolicy", *files, *options]
    command.append(put("leaf", [asked.certificate]))
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("case", list(CASES))
def test_the_verdict_is_told_and_openssl_has_the_same(case: str, tmp_path: Path) -> None:
    made, problem = CASES[case]
    asked = question(made)
    verdict = validate_path(asked)
    assert problem in "; ".join(verdict.problems)
    assert bool(verdict.problems) == bool(problem)
    assert openssl_accepts(asked, tmp_path) == (not problem)


def test_all_problems_are_told_at_once() -> None:
    made = {**with_(LEAF, end=NOW - timedelta(hours=1)), ROOT: replace(GOOD[ROOT], extensions=ca(0))}
    problems = validate_path(question(made)).problems
    assert len(problems) == 2


def test_the_time_of_the_question_counts() -> None:
    for at, valid in ((NOW, True), (NOW - 2 * DAY, False), (NOW + 31 * DAY, False)):
        assert (validate_path(question(GOOD, at=at)).problems == ()) is valid


def test_the_path_is_returned_nearest_first() -> None:
    asked = question(GOOD)
    assert validate_path(asked).path == (asked.certificate, asked.intermediates[0], asked.anchors[0])


@pytest.mark.parametrize(
    ("leaf", "middle", "purpose", "valid"),
    [
        ((CODE,), (), "code_signing", True),
        ((CODE,), (), ANY_PURPOSE, True),
        ((CODE,), (), "email_protection", False),
        ((), (), "code_signing", True),
        ((CODE,), (MAIL,), "code_signing", False),
        ((CODE,), (CODE, MAIL), "code_signing", True),
        (("2.5.29.37.0",), (), "code_signing", True),
        (("1.2.3.4.5",), (), "1.2.3.4.5", True),
    ],
)
def test_the_purpose_is_allowed_by_every_certificate_of_the_path(
    leaf: tuple[str, ...], middle: tuple[str, ...], purpose: str, valid: bool
) -> None:
    made = with_(LEAF, extensions=(SIGNS, *(((purposes(*leaf), False),) if leaf else ())))
    made[MIDDLE] = replace(GOOD[MIDDLE], extensions=(*ca(), *(((purposes(*middle), False),) if middle else ())))
    assert (validate_path(question(made, purpose=purpose)).problems == ()) is valid


@pytest.mark.parametrize(
    ("oids", "critical", "valid"),
    [((STAMPS,), True, True), ((STAMPS,), False, False), ((STAMPS, CODE), True, False), ((), False, False)],
)
def test_rfc3161_2_3_a_timestamping_service_is_for_that_alone(
    oids: tuple[str, ...], critical: bool, valid: bool, tmp_path: Path
) -> None:
    made = with_(LEAF, extensions=(SIGNS, *(((purposes(*oids), critical),) if oids else ())))
    made[MIDDLE] = replace(GOOD[MIDDLE], extensions=(*ca(), (purposes(STAMPS, CODE), False)))
    asked = question(made, purpose="time_stamping")
    problems = "; ".join(validate_path(asked).problems)
    assert ("CN=Leaf: is for no timestamping service" in problems, not problems) == (not valid, valid)
    assert openssl_accepts(asked, tmp_path, "-purpose", "timestampsign") is valid
    assert validate_path(question(made, purpose=ANY_PURPOSE)).problems == ()


def test_a_certificate_that_is_not_for_signatures_is_refused() -> None:
    made = with_(LEAF, extensions=((usage("key_encipherment"), True),))
    assert "is not for signatures" in validate_path(question(made)).problems[0]


def test_an_intermediate_may_be_trusted_itself() -> None:
    asked = question(GOOD)
    verdict = validate_path(replace(asked, anchors=asked.intermediates, intermediates=[]))
    assert (verdict.problems, len(verdict.path)) == ((), 2)


def test_a_certificate_may_be_trusted_itself() -> None:
    asked = question(GOOD)
    assert validate_path(replace(asked, anchors=[asked.certificate])).path == (asked.certificate,)


def test_another_root_of_the_same_name_is_not_the_one_trusted() -> None:
    other = replace(GOOD[ROOT], holder="other", signer="other").certificate()
    assert "does not lead up" in validate_path(question(GOOD, anchors=[other])).problems[0]


def test_of_two_paths_the_valid_one_is_taken() -> None:
    asked = question(GOOD)
    expired = replace(GOOD[MIDDLE], end=NOW - timedelta(hours=1)).certificate()
    for intermediates in ([expired, *asked.intermediates], [*asked.intermediates, expired]):
        assert validate_path(replace(asked, intermediates=intermediates)).problems == ()


def test_a_certificate_signed_with_sha1_is_not_taken(tmp_path: Path) -> None:
    def put(name: str, content: bytes) -> str:
        (tmp_path / name).write_bytes(content)
        return str(tmp_path / name)

    def private(holder: str) -> bytes:
        return key(holder).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    asked = question(GOOD)
    issuer = put("ca.pem", asked.intermediates[0].public_bytes(Encoding.PEM))
    signer = put("ca.key", private(MIDDLE))
    ask = ["openssl", "req", "-new", "-key", put("leaf", private(LEAF)), "-subj", "/CN=Leaf"]
    request = subprocess.run(ask, capture_output=True, check=True).stdout
    sign = ["openssl", "x509", "-req", "-sha1", "-set_serial", "7", "-days", "9", "-CA", issuer, "-CAkey", signer]
    weak = subprocess.run(sign, input=request, capture_output=True, check=True).stdout
    verdict = validate_path(replace(asked, certificate=x509.load_pem_x509_certificate(weak)))
    assert verdict.problems


def test_certificates_that_sign_each_other_in_a_ring_end_the_search() -> None:
    ring = [f"Ring {number}" for number in range(9)]
    crossed = [Made(name, issuer, ca()).certificate() for name in ring for issuer in ring if name != issuer]
    leaf = Made(LEAF, ring[0], (SIGNS,)).certificate()
    verdict = validate_path(PathQuestion(leaf, crossed, [GOOD[ROOT].certificate()], NOW))
    assert "does not lead up" in verdict.problems[0]
    assert MOST_STEPS <= 1000


def test_a_path_of_another_kind_of_key_is_judged_too() -> None:
    private = ed25519.Ed25519PrivateKey.generate()
    builder = x509.CertificateBuilder(named("Ed"), named("Ed"), private.public_key(), 7, NOW - DAY, NOW + DAY)
    for value, critical in ca():
        builder = builder.add_extension(value, critical)
    certificate = builder.sign(private, None)
    verdict: PathVerdict = validate_path(PathQuestion(certificate, [], [certificate], NOW))
    assert verdict.problems == (
        "CN=Ed: is not for signatures (key usage lacks digital_signature and content_commitment)",
    )
