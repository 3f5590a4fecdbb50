# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever the options say: a certificate that can be read back, or a sentence; no other exception, ever."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.rootstock.pki.plugins.module_utils._module.certificate_options import CERTIFICATE_OPTIONS
from ansible_collections.rootstock.pki.plugins.module_utils._pki.certificate import (
    CertificateRequest,
    CertificateSpec,
    Validity,
    certificate_builder,
    describe_spec,
    specify,
    validity,
)
from ansible_collections.rootstock.pki.plugins.module_utils._pki.current import differences
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import SpecError
from ansible_collections.rootstock.pki.plugins.module_utils._pki.gate import Proposal, gate
from ansible_collections.rootstock.pki.plugins.module_utils._pki.profiles import PROFILES
from ansible_collections.rootstock.pki.plugins.module_utils._pki.request import to_request
from tests.unit.corpus.damage import der_of
from tests.unit.corpus.option_values import ANYTHING, values
from tests.unit.pki.texts import outcome
from tests.unit.rfc5280.office import somebodys_key

NOW = datetime(2026, 6, 1, tzinfo=timezone.utc)
LITTLE_SAID = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
MOST = st.sampled_from(["custom", "custom", "subordinate_ca", "subordinate_ca", "root_ca", *PROFILES])


@st.composite
def requests(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a few options that are said, beside a subject."""
    names = draw(st.lists(st.sampled_from(sorted(CERTIFICATE_OPTIONS)), max_size=4, unique=True))
    said = {name: draw(values(name, CERTIFICATE_OPTIONS[name]), label=name) for name in names}
    return {"subject": {"common_name": "web"}, **said, "certificate_profile": draw(MOST)}


@cache
def root() -> x509.Certificate:
    options = {"certificate_profile": "root_ca", "subject": {"common_name": "Root"}, "not_after": "99991231235959Z"}
    spec = specify(to_request("root", options), somebodys_key().public_key(), None)
    return signed(spec, None, validity(spec.lifetime, None, NOW))


def signed(spec: CertificateSpec, issuer: x509.Certificate | None, period: Validity) -> x509.Certificate:
    return certificate_builder(spec, issuer, 7, period).sign(somebodys_key(), hashes.SHA256())


def certify(options: dict[str, Any]) -> tuple[CertificateSpec, x509.Certificate, x509.Certificate | None]:
    """Go the way of a task up to the signature, which a local key makes."""
    issuer = None if options["certificate_profile"] == "root_ca" else root()
    spec = specify(to_request("web", options), somebodys_key().public_key(), None)
    period = validity(spec.lifetime, issuer, NOW)
    assert describe_spec(spec, issuer, period)["certificate_profile"] == options["certificate_profile"]
    gate(Proposal(spec, () if issuer is None else (issuer,), period, NOW))
    return spec, signed(spec, issuer, period), issuer


@LITTLE_SAID
@given(requests())
def test_any_options_end_in_a_request_or_a_sentence(options: dict[str, Any]) -> None:
    told = outcome(lambda: to_request("web", options))
    assert isinstance(told, CertificateRequest) or str(told).strip()


@LITTLE_SAID
@given(requests())
def test_what_passes_the_gate_can_be_read_back_and_is_what_was_asked(options: dict[str, Any]) -> None:
    passed = outcome(lambda: certify(options))
    if isinstance(passed, SpecError):
        return
    spec, certificate, issuer = passed
    again = x509.load_der_x509_certificate(der_of(certificate))
    assert differences(again, spec, issuer, "sha256") == ()


NESTED: dict[str, Callable[[Any], dict[str, Any]]] = {
    "points": lambda value: {"crl_distribution_points": [value]},
    "point": lambda value: {"freshest_crl": [{"full_name": value, "reasons": value}]},
    "urls": lambda value: {"authority_information_access": {"ca_issuers": value}},
    "policies": lambda value: {"certificate_policies": [value]},
    "notice": lambda value: {"certificate_policies": [{"policy": "1.2.3", "user_notice": value}]},
    "notice parts": lambda value: {
        "certificate_policies": [
            {"policy": value, "cps": value},
            {"policy": "1.2.3", "user_notice": {"explicit_text": value}},
            {"policy": "1.2.4", "user_notice": {"organization": "Acme", "notice_numbers": value}},
        ]
    },
    "numbers": lambda value: {"policy_constraints": value, "inhibit_any_policy": value},
    "others": lambda value: {"other_extensions": [value]},
    "other": lambda value: {"other_extensions": [{"oid": value, "value": value}, {"oid": "1.2.3", "value": value}]},
    "subject": lambda value: {"subject": {"CN": value}},
    "subject_ordered": lambda value: {"subject_ordered": [value]},
    "path_length": lambda value: {"path_length": value},
    "profiles": lambda value: {"certificate_profiles": {"own": value}, "certificate_profile": "own"},
    "profile": lambda value: {
        "certificate_profiles": {"own": {"extends": "custom", "key_usage": value, "longest": value}},
        "certificate_profile": "own",
    },
}


@given(st.sampled_from(sorted(NESTED)), ANYTHING)
def test_what_an_inventory_says_inside_an_option_is_a_request_or_a_sentence(where: str, value: Any) -> None:
    """The argument spec checks what a module gets; what a filter gets is checked by nobody before."""
    options = {"certificate_profile": "custom", "subject": {"CN": "web"}, **NESTED[where](value)}
    assert isinstance(outcome(lambda: to_request("web", options)), (CertificateRequest, SpecError))
