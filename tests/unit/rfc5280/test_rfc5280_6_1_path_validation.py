# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""RFC 5280 6.1: what the gate lets pass, OpenSSL validates; what it refuses, OpenSSL refuses once signed."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import AuthorityInformationAccessOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.rootstock.pki.plugins.module_utils._pki.certificate import (
    CertificateSpec,
    Validity,
    certificate_builder,
    specify,
)
from ansible_collections.rootstock.pki.plugins.module_utils._pki.der import encode, wrap
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import SpecError
from ansible_collections.rootstock.pki.plugins.module_utils._pki.extensions import WantedExtension
from ansible_collections.rootstock.pki.plugins.module_utils._pki.gate import Proposal, gate
from ansible_collections.rootstock.pki.plugins.module_utils._pki.path_validation import PathQuestion, validate_path
from ansible_collections.rootstock.pki.plugins.module_utils._pki.request import to_request
from tests.unit.matrix.judges import pyca_verdict
from tests.unit.pki.texts import outcome
from tests.unit.rfc5280.office import Office
from tests.unit.rfc5280.reading import openssl_refuses
from tests.unit.signer.local_kms import local_key

NOW = datetime(2026, 6, 1, tzinfo=timezone.utc)
PERIOD = Validity(NOW - timedelta(days=1), NOW + timedelta(days=300))
LONGER = Validity(PERIOD.not_before, PERIOD.not_after + timedelta(days=300))
MANY = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
POLICIES = ("any_policy", "1.2.3.1", "1.2.3.2")
POLICY = ("certificate_policies", [{"policy": "1.2.3.1"}])


@dataclass(frozen=True)
class Link:
    """One certificate of a path in the words of a task; the key and the name come from its place."""

    options: tuple[tuple[str, Any], ...] = ()
    self_issued: bool = False


def spec_of(link: Link, place: int, names: Sequence[str], last: bool) -> CertificateSpec:
    options = {"subject": {"common_name": names[place]}, **dict(link.options)}
    options["certificate_profile"] = "root_ca" if place == 0 else "tls_client" if last else "subordinate_ca"
    return specify(to_request(f"link{place}", options), key(place).public_key(), None)


def key(place: int) -> Any:
    return local_key("ECC_NIST_P256", 600, place)


def signed(path: Sequence[Link]) -> tuple[list[x509.Certificate], list[str]]:
    """Return the certificates of *path*, signed whatever the gate says, and what it says of each."""
    names = ["Root"]
    for place, link in enumerate(path[1:], 1):
        names.append(names[-1] if link.self_issued else f"Link {place}")
    made: list[x509.Certificate] = []
    told: list[str] = []
    for place, link in enumerate(path):
        spec = spec_of(link, place, names, last=place == len(path) - 1)
        chain = tuple(reversed(made))
        refused = outcome(lambda spec=spec, chain=chain: gate(Proposal(spec, chain, PERIOD, NOW)))  # type: ignore[misc]
        told.append(str(refused) if isinstance(refused, SpecError) else "")
        builder = certificate_builder(spec, made[-1] if made else None, 100 + place, PERIOD)
        made.append(builder.sign(key(max(place - 1, 0)), hashes.SHA256()))
    return made, told


def judged(path: Sequence[Link], folder: Path, *options: str) -> tuple[list[str], str]:
    made, told = signed(path)
    return told, openssl_refuses(folder, made, NOW, *options)


def policies() -> st.SearchStrategy[tuple[tuple[str, Any], ...]]:
    chosen = st.lists(st.sampled_from(POLICIES), unique=True, max_size=2)
    return chosen.map(lambda names: (("certificate_policies", [{"policy": name} for name in names]),) if names else ())


def mapping(*pairs: tuple[str, str]) -> dict[str, Any]:
    """Return policy mappings as a task gives them, in Base64 of their DER."""
    content = b"".join(wrap(0x30, encode("OID", one) + encode("OID", other)) for one, other in pairs)
    return {"oid": "2.5.29.33", "value": base64.b64encode(wrap(0x30, content)).decode(), "critical": True}


def mappings() -> st.SearchStrategy[tuple[tuple[str, Any], ...]]:
    named = st.sampled_from(POLICIES[1:])
    chosen = st.lists(st.tuples(named, named), unique=True, max_size=2)
    return chosen.map(lambda pairs: (("other_extensions", [mapping(*pairs)]),) if pairs else ())


def counts() -> st.SearchStrategy[tuple[tuple[str, Any], ...]]:
    explicit = st.sampled_from([(), (("policy_constraints", {"require_explicit_policy": 0}),)])
    later = st.sampled_from(
        [
            (("policy_constraints", {"require_explicit_policy": 1}),),
            (("policy_constraints", {"require_explicit_policy": 0, "inhibit_policy_mapping": 0}),),
            (("policy_constraints", {"inhibit_policy_mapping": 1}),),
        ]
    )
    inhibit = st.sampled_from([(), (("inhibit_any_policy", 0),), (("inhibit_any_policy", 1),)])
    return st.tuples(st.one_of(explicit, later), inhibit).map(lambda parts: parts[0] + parts[1])


def authorities() -> st.SearchStrategy[Link]:
    return st.builds(
        lambda one, other, third, itself: Link(one + other + third, itself),
        policies(),
        counts(),
        mappings(),
        st.booleans(),
    )


@MANY
@given(st.lists(authorities(), max_size=3), policies())
def test_rfc5280_6_1_3_to_6_1_5_the_gate_path_validation_and_openssl_agree_on_policies(
    tmp_path: Path, between: list[Link], own: tuple[tuple[str, Any], ...]
) -> None:
    made, told = signed([Link(), *between, Link(own)])
    verdict = openssl_refuses(tmp_path, made, NOW, "-policy", "anyPolicy")
    assert bool(told[-1]) == ("no explicit policy" in verdict), (told, verdict)
    problems = validate_path(PathQuestion(made[-1], made[1:-1], made[:1], NOW)).problems
    assert bool(problems) == bool(verdict), (problems, verdict)


def lengths() -> st.SearchStrategy[Link]:
    length = st.sampled_from([(), (("path_length", 0),), (("path_length", 1),), (("path_length", 2),)])
    return st.builds(Link, length, st.booleans())


@MANY
@given(lengths(), st.lists(lengths(), max_size=3))
def test_rfc5280_6_1_4_l_and_m_the_gate_and_openssl_agree_on_path_lengths(
    tmp_path: Path, root: Link, between: list[Link]
) -> None:
    """The gate refuses more: a path length that those above leave no room for, which no path has used up yet."""
    told, verdict = judged([Link(root.options), *between, Link()], tmp_path)
    forbidden = any("forbids issuing the CA" in one for one in told)
    assert forbidden == ("path length constraint exceeded" in verdict), (told, verdict)


def test_rfc5280_6_1_a_path_of_five_that_holds_to_everything_is_validated(tmp_path: Path) -> None:
    hosts = ("name_constraints_permitted", ["DNS:acme.internal"])
    path = [
        Link((("path_length", 3),)),
        Link((POLICY, ("policy_constraints", {"require_explicit_policy": 0}), ("inhibit_any_policy", 0))),
        Link((POLICY, hosts, ("path_length", 1))),
        Link((POLICY, ("extended_key_usage", ["client_auth"]), ("path_length", 0))),
        Link((POLICY, ("subject_alt_name", ["DNS:web.acme.internal"]))),
    ]
    told, verdict = judged(path, tmp_path, "-policy", "anyPolicy", "-purpose", "sslclient")
    assert (set(told), verdict) == ({""}, "")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({}, "CN=services requires a policy (RFC 5280 6.1.5), one of 1.2.3.1; give certificate_policies"),
        ({"certificate_policies": [{"policy": "1.2.3.2"}]}, "CN=services requires a policy"),
        ({"certificate_policies": [{"policy": "any_policy"}]}, "CN=services requires a policy"),
    ],
)
def test_rfc5280_6_1_5_a_certificate_without_the_policy_that_is_required_is_refused(
    office: Office, options: dict[str, Any], says: str
) -> None:
    demand = {"policy_constraints": {"require_explicit_policy": 0}, "inhibit_any_policy": 0}
    office.certify_authority("services", "root", certificate_policies=[{"policy": "1.2.3.1"}], **demand)
    assert says in office.refusal("web", "tls_client", "services", **options)


def test_rfc5280_6_1_3_f_an_authority_that_demands_a_policy_has_one_itself(office: Office) -> None:
    office.key("services")
    demand = {"policy_constraints": {"require_explicit_policy": 0}}
    told = office.refusal("services", "subordinate_ca", "root", **demand)
    assert "CN=services requires a policy (RFC 5280 6.1.5); give certificate_policies" in told


@pytest.mark.parametrize("policy", ["1.2.3.4.1", "1.2.3.4.2"])
def test_rfc5280_6_1_4_b_policies_are_mapped(office: Office, policy: str) -> None:
    demand = {"policy_constraints": {"require_explicit_policy": 0}, "certificate_policies": [{"policy": "1.2.3.4.1"}]}
    equivalent = mapping(("1.2.3.4.1", "1.2.3.4.2"))
    services = office.certify_authority("services", "root", other_extensions=[equivalent], **demand)
    own = {"certificate_policies": [{"policy": policy}]}
    if policy == "1.2.3.4.1":
        says = "CN=services requires a policy (RFC 5280 6.1.5), one of 1.2.3.4.2; give certificate_policies"
        assert says in office.refusal("web", "tls_client", "services", **own)
        return
    leaf = office.certify("web", "tls_client", "services", **own)
    root = office.certify_authority("root", subject={"common_name": "Root"})
    assert openssl_refuses(office.folder, [root, services, leaf], office.clock.now, "-policy", "1.2.3.4.1") == ""


def test_rfc5280_6_1_4_a_any_policy_is_not_mapped(tmp_path: Path) -> None:
    """OpenSSL looks at the mappings of authorities with policies alone."""
    path = [Link(), Link((POLICY, ("other_extensions", [mapping(("1.2.3.1", "2.5.29.32.0"))]))), Link()]
    told, verdict = judged(path, tmp_path, "-policy", "anyPolicy")
    assert "CN=Link 1 maps any policy (RFC 5280 6.1.4 a); issue it without that mapping" in told[-1]
    assert "invalid or inconsistent certificate policy extension" in verdict


UNREADABLE = ["3000", "3000ff", "30053003060100", "300730050602", "3003020101", "30060604800102ff", "0500"]


@pytest.mark.parametrize("der", UNREADABLE)
def test_rfc5280_4_2_1_5_mappings_that_cannot_be_read_are_told(tmp_path: Path, der: str) -> None:
    damaged = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.33"), bytes.fromhex(der))
    made, _told = signed([Link(), Link()])
    builder = certificate_builder(spec_of(Link((POLICY,)), 1, ["Root", "Link 1"], last=False), made[0], 7, PERIOD)
    issuer = builder.add_extension(damaged, False).sign(key(0), hashes.SHA256())
    spec = spec_of(Link(), 2, ["Root", "Link 1", "Link 2"], last=True)
    leaf = certificate_builder(spec, issuer, 8, PERIOD).sign(key(1), hashes.SHA256())
    says = "CN=Link 1: has policy mappings (2.5.29.33) that cannot be read"
    assert says in str(outcome(lambda: gate(Proposal(spec, (issuer, made[0]), PERIOD, NOW))))
    (problem,) = validate_path(PathQuestion(leaf, [issuer], made[:1], NOW)).problems
    assert says in problem
    assert "invalid or inconsistent" in openssl_refuses(tmp_path, [made[0], issuer, leaf], NOW, "-policy", "anyPolicy")


def test_rfc5280_6_1_3_a_pyca_and_openssl_accept_what_the_gate_let_pass(office: Office) -> None:
    root = office.certify_authority("root", subject={"common_name": "Root"})
    services = office.certify_authority("services", "root", path_length=0)
    leaf = office.certify("web", "tls_client", "services")
    leaf.verify_directly_issued_by(services)
    services.verify_directly_issued_by(root)
    assert openssl_refuses(office.folder, [root, services, leaf], office.clock.now) == ""


@pytest.mark.parametrize(
    ("seconds", "openssl", "pyca"),
    [(-1, True, True), (0, False, True), (1, False, False)],
    ids=["before", "at", "after"],
)
def test_rfc5280_6_1_3_a_2_the_last_second_belongs_to_the_period_but_not_for_openssl(
    office: Office, seconds: int, openssl: bool, pyca: bool
) -> None:
    root = office.certify_authority("root", subject={"common_name": "Root"})
    names = {"subject_alt_name": ["DNS:web.acme.internal"]}
    leaf = office.certify("web", "tls_server", "root", not_after="+1d", **names)
    moment = leaf.not_valid_after_utc + timedelta(seconds=seconds)
    assert (openssl_refuses(office.folder, [root, leaf], moment) == "") == openssl
    assert (pyca_verdict(root, leaf, moment, "web.acme.internal") == "") == pyca


def test_rfc5280_6_1_4_k_and_n_what_may_not_issue_is_refused_by_both(tmp_path: Path) -> None:
    made, _told = signed([Link(), Link()])
    below = certificate_builder(spec_of(Link(), 2, ["Root", "Link 1", "x"], last=True), made[1], 7, PERIOD)
    leaf = below.sign(key(1), hashes.SHA256())
    assert "invalid CA certificate" in openssl_refuses(tmp_path, [*made, leaf], NOW)
    with pytest.raises(SpecError, match="is no CA"):
        gate(Proposal(spec_of(Link(), 2, ["Root", "Link 1", "x"], last=True), (made[1], made[0]), PERIOD, NOW))


def test_rfc5280_6_1_3_a_2_nothing_is_issued_below_a_root_that_expired(tmp_path: Path) -> None:
    root, names, later = signed([Link()])[0][0], ["Root", "Link 1", "Link 2"], PERIOD.not_after
    below = certificate_builder(spec_of(Link(), 1, names, last=False), root, 7, LONGER).sign(key(0), hashes.SHA256())
    spec = spec_of(Link(), 2, names, last=True)
    told = outcome(lambda: gate(Proposal(spec, (below, root), Validity(later, later + timedelta(days=9)), later)))
    assert "CN=Root above the issuer is valid from 20260531000000Z to 20270328000000Z, not at" in str(told)
    leaf = certificate_builder(spec, below, 8, LONGER).sign(key(1), hashes.SHA256())
    told = openssl_refuses(tmp_path, [root, below, leaf], later + timedelta(seconds=1))
    assert "error 10 at 2 depth lookup: certificate has expired" in told


CRITICAL: dict[str, x509.ExtensionType] = {
    "policy mappings": x509.UnrecognizedExtension(
        x509.ObjectIdentifier("2.5.29.33"), bytes.fromhex("3010300e06042a03040106062a03040506")
    ),
    "policies": x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier("1.2.3.4"), None)]),
    "policy constraints": x509.PolicyConstraints(None, 0),
    "inhibit any policy": x509.InhibitAnyPolicy(0),
    "purposes": x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.CLIENT_AUTH]),
    "alternative name": x509.SubjectAlternativeName([x509.DNSName("acme.internal")]),
    "name constraints": x509.NameConstraints([x509.DNSName("acme.internal")], None),
    "distribution points": x509.CRLDistributionPoints(
        [x509.DistributionPoint([x509.UniformResourceIdentifier("http://a.example/crl")], None, None, None)]
    ),
    "access to its issuer": x509.AuthorityInformationAccess(
        [x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier("http://a.example"))]
    ),
    "issuer's other name": x509.IssuerAlternativeName([x509.DNSName("acme.internal")]),
    "TLS feature": x509.TLSFeature([x509.TLSFeatureType.status_request]),
    "somebody's own": x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"),
}


@pytest.mark.parametrize("value", CRITICAL.values(), ids=CRITICAL)
def test_rfc5280_6_1_4_o_the_gate_and_openssl_agree_on_critical_extensions_of_an_authority(
    tmp_path: Path, value: x509.ExtensionType
) -> None:
    root = signed([Link()])[0][0]
    wanted = spec_of(Link(), 1, ["Root", "Link 1"], last=False)
    wanted = replace(wanted, extensions=(*wanted.extensions, WantedExtension(value, critical=True)))
    issuer = certificate_builder(wanted, root, 7, PERIOD).sign(key(0), hashes.SHA256())
    spec = spec_of(Link(), 2, ["Root", "Link 1", "Link 2"], last=True)
    leaf = certificate_builder(spec, issuer, 8, PERIOD).sign(key(1), hashes.SHA256())
    verdict = openssl_refuses(tmp_path, [root, issuer, leaf], NOW)
    for proposal in (Proposal(spec, (issuer, root), PERIOD, NOW), Proposal(wanted, (root,), PERIOD, NOW)):
        told = outcome(lambda proposal=proposal: gate(proposal))  # type: ignore[misc]
        assert ("CN=Link 1 has the critical extension" in str(told)) == ("unhandled critical extension" in verdict)
