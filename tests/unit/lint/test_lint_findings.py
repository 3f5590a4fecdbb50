# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""pkilint's findings as values: all of them, the gravest first, and a sentence where it is not installed."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta, timezone
from functools import cache
from importlib import util
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from pkilint.validation import ValidationFindingSeverity

from ansible_collections.rootstock.pki.plugins.module_utils._lint import lint as room
from ansible_collections.rootstock.pki.plugins.module_utils._lint.lint import SEVERITIES, Finding, lint
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import SpecError
from ansible_collections.rootstock.pki.plugins.module_utils._pki.usages import KEY_USAGES

NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Acme")])
START = datetime(2026, 1, 1, tzinfo=timezone.utc)


@cache
def key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def certificate(*extensions: tuple[x509.ExtensionType, bool]) -> bytes:
    builder = (
        x509.CertificateBuilder()
        .subject_name(NAME)
        .issuer_name(NAME)
        .public_key(key().public_key())
        .serial_number(7)
        .not_valid_before(START)
        .not_valid_after(START + timedelta(days=9))
    )
    for value, critical in extensions:
        builder = builder.add_extension(value, critical)
    return builder.sign(key(), hashes.SHA256()).public_bytes(Encoding.DER)


def crl(*extensions: x509.ExtensionType) -> bytes:
    builder = x509.CertificateRevocationListBuilder().issuer_name(NAME)
    builder = builder.last_update(START).next_update(START + timedelta(days=1))
    for value in extensions:
        builder = builder.add_extension(value, critical=False)
    return builder.sign(key(), hashes.SHA256()).public_bytes(Encoding.DER)


def codes(findings: list[Finding], severity: str) -> list[str]:
    return [finding.code for finding in findings if finding.severity == severity]


AUTHORITY = (x509.BasicConstraints(ca=True, path_length=None), True)


def test_an_authority_without_key_identifiers_is_found() -> None:
    found = lint(certificate(AUTHORITY))
    assert codes(found, "error") == ["pkix.certificate_skid_ca_missing", "pkix.ca_certificate_no_ku_extension"]
    assert found[1].message == "certificate.tbsCertificate.extensions"


def test_a_sound_certificate_has_nothing_grave() -> None:
    ski = x509.SubjectKeyIdentifier.from_public_key(key().public_key())
    usage = dict.fromkeys(KEY_USAGES, False) | {"key_cert_sign": True, "crl_sign": True}
    extensions: list[tuple[Any, bool]] = [
        AUTHORITY,
        (x509.KeyUsage(**usage), True),
        (ski, False),
        (x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(ski), False),
    ]
    grave = [finding for finding in lint(certificate(*extensions)) if finding.severity in SEVERITIES[:3]]
    assert grave == []


def test_the_gravest_come_first() -> None:
    broken = (x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.15"), b"\x01"), True)
    found = [finding.severity for finding in lint(certificate(AUTHORITY, broken))]
    assert found[0] == "fatal"
    assert found == sorted(found, key=SEVERITIES.index)


def test_severities_are_those_of_pkilint() -> None:
    assert [severity.name.lower() for severity in sorted(ValidationFindingSeverity)] == list(SEVERITIES)


def test_a_crl_is_linted_as_one() -> None:
    assert "pkix.crl_number_missing" in codes(lint(crl(), "crl"), "error")
    assert "pkix.crl_number_missing" not in codes(lint(crl(x509.CRLNumber(1)), "crl"), "error")


@pytest.mark.parametrize("der", [b"", b"\x30", b"no DER", b"\x30\x03\x02\x01\x07"])
def test_what_cannot_be_parsed_is_refused_with_a_sentence(der: bytes) -> None:
    with pytest.raises(SpecError, match="lint: pkilint cannot parse the certificate"):
        lint(der)


def test_without_pkilint_linting_asks_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    find = util.find_spec

    def hidden(name: str) -> object:
        return None if name == "pkilint" else find(name)

    monkeypatch.setattr(room, "find_spec", hidden)
    with pytest.raises(SpecError, match="needs the Python library pkilint where the module runs; install it, or use"):
        lint(certificate())


def test_an_error_inside_pkilint_is_a_finding_and_prints_nothing(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from pkilint.pkix.certificate.certificate_extension import BasicConstraintsValidator

    def fail(_self: object, _node: object) -> None:
        raise RuntimeError("unforeseen")

    lint(certificate())
    monkeypatch.setattr(BasicConstraintsValidator, "validate", fail)
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    found = lint(certificate(AUTHORITY))
    assert (found[0].severity, found[0].code) == ("fatal", "base.unhandled_exception")
    assert "unforeseen" in found[0].message
    assert capfd.readouterr().err == ""
