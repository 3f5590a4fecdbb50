# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The gate refuses before signing what path validation would refuse after it, and says everything at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from functools import cache
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, rsa

from ansible_collections.rootstock.pki.plugins.module_utils._pki.certificate import (
    CertificateSpec,
    Validity,
    certificate_builder,
    specify,
)
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import SpecError
from ansible_collections.rootstock.pki.plugins.module_utils._pki.extensions import (
    WantedExtension,
    to_extended_key_usage,
    to_key_usage,
)
from ansible_collections.rootstock.pki.plugins.module_utils._pki.gate import Proposal, gate
from ansible_collections.rootstock.pki.plugins.module_utils._pki.request import to_request

NOW = datetime(2026, 6, 1, tzinfo=timezone.utc)
YEAR = timedelta(days=365)
PERIOD = Validity(NOW - timedelta(minutes=10), NOW + YEAR)


@cache
def key() -> Any:
    return ec.generate_private_key(ec.SECP256R1())


def spec(profile: str, public_key: Any = None, **options: Any) -> CertificateSpec:
    """Return what a task with *options* asks for."""
    given = {"certificate_profile": profile, "subject": {"common_name": "Acme"}, **options}
    return specify(to_request("web", given), public_key or key().public_key(), None)


def authority(
    name: str,
    issuer: x509.Certificate | None = None,
    *extra: Any,
    period: Validity = PERIOD,
    **options: Any,
) -> x509.Certificate:
    """Return an authority made without the gate, so that it can be wrong; *extra* replaces extensions of its kind."""
    wanted = spec("subordinate_ca", key().public_key(), **{"subject": {"common_name": name}, **options})
    kept = tuple(e for e in wanted.extensions if not any(isinstance(e.value, type(one.value)) for one in extra))
    builder = certificate_builder(replace(wanted, extensions=(*kept, *extra)), issuer, 7, period)
    return builder.sign(key(), hashes.SHA256())


def wanted(value: Any, critical: bool = True) -> Any:
    return WantedExtension(value, critical)


def refusal(asked: CertificateSpec, *chain: x509.Certificate, period: Validity | None = PERIOD) -> str:
    with pytest.raises(SpecError) as caught:
        gate(Proposal(asked, chain, period, NOW))
    return str(caught.value)


def passes(asked: CertificateSpec, *chain: x509.Certificate, period: Validity | None = PERIOD) -> bool:
    gate(Proposal(asked, chain, period, NOW))
    return True


SERVER: Mapping[str, Any] = {"subject_alt_name": ["DNS:web.acme.internal"]}


def test_what_is_right_passes() -> None:
    root = authority("Root")
    assert passes(spec("tls_server", **SERVER), authority("Services", root, path_length=0), root)
    assert passes(spec("root_ca"))


def test_every_problem_is_told_in_one_message() -> None:
    told = refusal(spec("tls_server"), authority("Root"), period=Validity(NOW, NOW + 4 * YEAR))
    assert "needs a subject_alt_name" in told
    assert "past the end of the issuer" in told
    assert "longer than the 825d of" in told


def test_a_root_signs_itself_and_nothing_else_does() -> None:
    assert "is self-signed but an issuer is given" in refusal(spec("root_ca"), authority("Root"))
    assert "needs issuer_path" in refusal(spec("tls_server", **SERVER))


def test_an_authority_needs_a_subject() -> None:
    names = ["dirName:CN=Acme"]
    assert "needs a subject" in refusal(spec("root_ca", subject={}, subject_alt_name=names))


@pytest.mark.parametrize(
    ("start", "end", "sentence"),
    [
        (NOW, NOW, "is not later than"),
        (NOW - 2 * YEAR, NOW - YEAR / 2, "is not later than"),
        (NOW, NOW + YEAR + timedelta(seconds=1), "the latest possible is 20270601000000Z, or not_after: issuer"),
        (NOW - YEAR, NOW + YEAR, "is before the issuer CN=Root starts"),
    ],
)
def test_validity_lies_within_the_issuers(start: datetime, end: datetime, sentence: str) -> None:
    assert sentence in refusal(spec("tls_client"), authority("Root"), period=Validity(start, end))


def test_an_expired_issuer_issues_nothing() -> None:
    expired = authority("Root", period=Validity(NOW - 2 * YEAR, NOW - YEAR))
    assert "the issuer CN=Root expired 20250601000000Z" in refusal(spec("tls_client"), expired)


def test_only_an_authority_issues() -> None:
    no_ca = authority("Root", None, wanted(x509.BasicConstraints(ca=False, path_length=None)))
    assert "is no CA" in refusal(spec("tls_client"), no_ca)
    no_signer = authority("Root", None, wanted(to_key_usage(["crl_sign"])))
    assert "lacks key_cert_sign" in refusal(spec("tls_client"), no_signer)


def test_rfc5280_6_1_4_m_the_path_length_above_limits_the_authorities_below() -> None:
    root = authority("Root", path_length=1)
    middle = authority("Middle", root, path_length=0)
    assert "path_length 0 of CN=Middle forbids issuing the CA CN=Acme" in refusal(spec("subordinate_ca"), middle, root)
    assert "path_length 1 of CN=Root forbids" in refusal(spec("subordinate_ca"), authority("Free", root), root)
    assert passes(spec("subordinate_ca", path_length=0), root)
    assert "path_length 3 is more than CN=Root leaves; at most 0" in refusal(
        spec("subordinate_ca", path_length=3), root
    )


def test_purposes_nest() -> None:
    purposes = wanted(to_extended_key_usage(["client_auth"]), critical=False)
    limited = authority("Clients", None, purposes)
    assert passes(spec("tls_client"), limited)
    assert "CN=Clients does not allow the extended key usage server_auth" in refusal(
        spec("tls_server", **SERVER), limited
    )
    any_purpose = wanted(to_extended_key_usage(["any_extended_key_usage"]), critical=False)
    anything = authority("Any", None, any_purpose)
    assert passes(spec("tls_client"), anything)


def test_rfc5280_4_2_1_10_names_stay_within_the_constraints_of_every_authority_above() -> None:
    root = authority("Root", name_constraints_permitted=["DNS:acme.internal"], name_constraints_exclude_others=False)
    middle = authority("Middle", root)
    assert passes(spec("tls_server", **SERVER), middle, root)
    told = refusal(spec("tls_server", subject_alt_name=["DNS:acme.example", "IP:10.0.0.1"]), middle, root)
    assert "DNS:acme.example is outside of what CN=Root permits (DNS:acme.internal)" in told
    assert "10.0.0.1" not in told


def test_kinds_that_are_not_named_are_excluded_unless_said_otherwise() -> None:
    root = authority("Root", name_constraints_permitted=["DNS:acme.internal"])
    told = refusal(spec("tls_server", subject_alt_name=["IP:10.0.0.1", "IP:fe80::1"]), root)
    assert "IP:10.0.0.1 is excluded by CN=Root" in told
    assert "IP:fe80::1 is excluded by CN=Root" in told


OTHER_KINDS = ("otherName:1.3.6.1.4.1.311.20.2.3;UTF8:ann@acme.example", "RID:1.2.3", "dirName:O=Others")


def test_kinds_that_no_constraint_can_exclude_are_not_issued_where_others_are_excluded() -> None:
    named = {"subject_alt_name": ["DNS:www.acme.internal", *OTHER_KINDS]}
    closed = authority("Root", name_constraints_permitted=["DNS:acme.internal"])
    told = refusal(spec("tls_server", **named), authority("Middle", closed), closed)
    assert told.count("is of a kind that CN=Root does not name, and it excludes others") == len(OTHER_KINDS)
    open_ = authority("Root", name_constraints_permitted=["DNS:acme.internal"], name_constraints_exclude_others=False)
    assert passes(spec("tls_server", **named), open_)
    assert passes(spec("tls_server", **named), authority("Root", name_constraints_excluded=["DNS:acme.example"]))
    gate(Proposal(spec("tls_server", **named), (closed,), None, NOW, foreign=True))


def test_a_directory_name_and_a_mailbox_that_are_permitted_are_named_kinds() -> None:
    permitted = ["DNS:acme.internal", "dirName:O=Acme", "email:acme.internal"]
    root = authority("Root", name_constraints_permitted=permitted, subject={"organization_name": "Acme"})
    names = ["DNS:www.acme.internal", "dirName:OU=Web,O=Acme", "otherName:1.3.6.1.5.5.7.8.9;UTF8:ü@acme.internal"]
    server = spec("tls_server", subject_alt_name=names, subject={"organization_name": "Acme"})
    assert passes(server, root)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: rsa.generate_private_key(65537, 1024), "1024 bits"),  # noqa: S505
        (lambda: ec.generate_private_key(ec.BrainpoolP256R1()), "brainpoolP256r1"),
        (ed448.Ed448PrivateKey.generate, "fits no certificate_profile"),
        (lambda: dsa.generate_private_key(2048), "fits no certificate_profile"),
    ],
)
def test_weak_and_unfit_keys_are_refused(make: Any, sentence: str) -> None:
    assert sentence in refusal(spec("tls_client", make().public_key()), authority("Root"))


def test_options_of_authorities_do_not_fit_other_profiles() -> None:
    with pytest.raises(SpecError) as caught:
        spec("tls_client", path_length=0, name_constraints_permitted=["DNS:acme.internal"])
    assert "path_length is for authorities" in str(caught.value)
    assert "name_constraints_permitted is for authorities" in str(caught.value)


def test_while_the_issuer_is_pending_the_rest_is_gated() -> None:
    with pytest.raises(SpecError, match="subject_alt_name"):
        gate(Proposal(spec("tls_server"), (), None, NOW, issuer_pending=True))
    gate(Proposal(spec("tls_server", **SERVER), (), None, NOW, issuer_pending=True))


def test_constraints_that_permit_nothing_are_refused() -> None:
    root = authority("Root", name_constraints_permitted=["DNS:acme.internal"], name_constraints_exclude_others=False)
    elsewhere = spec(
        "subordinate_ca", name_constraints_permitted=["DNS:acme.example"], name_constraints_exclude_others=False
    )
    assert "DNS:acme.example" in refusal(elsewhere, root)
