# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Extensions that are wrong, or that contradict the profile or each other."""

from __future__ import annotations

import base64
from typing import Any

from tests.unit.corpus.bad_requests import Bad, each, refused
from tests.unit.rfc5280.office import Office

HUGE = 2**63


def other(oid: str, der: str, **more: Any) -> dict[str, Any]:
    """Return the option other_extensions with one entry; *der* is in hexadecimal."""
    return {"other_extensions": [{"oid": oid, "value": base64.b64encode(bytes.fromhex(der)).decode(), **more}]}


def policies(**policy: Any) -> dict[str, Any]:
    return {"certificate_policies": [{"policy": "1.2.3.4", **policy}]}


def notice(**parts: Any) -> dict[str, Any]:
    return policies(user_notice=parts)


def points(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"crl_distribution_points": list(entries)}


CRL = ["http://pki.acme.example/root.crl"]
AUTHORITY = {"profile": "subordinate_ca"}
CUSTOM = {"profile": "custom"}

USAGES = [
    Bad("ku-unknown", "key_usage: sign_everything is unknown", {"key_usage": ["sign_everything"]}),
    Bad("ku-two-unknown", "key_usage: one, two is unknown", {"key_usage": ["one", "digital_signature", "two"]}),
    Bad("ku-eku-word", "key_usage: server_auth is unknown", {"key_usage": ["server_auth"]}),
    Bad("ku-empty-word", "key_usage:  is unknown", {"key_usage": [""]}),
    Bad("ku-end-entity-signs-certificates", "is for authorities alone", {"key_usage": ["key_cert_sign"]}),
    Bad("ku-encipher-only", "mean something with key_agreement alone", {"key_usage": ["encipher_only"]}),
    Bad("ku-decipher-only", "mean something with key_agreement alone", {"key_usage": ["decipher_only"]}),
    Bad("ku-ec-transports-keys", "key_encipherment does not fit a EC key", {"key_usage": ["key_encipherment"]}),
    Bad("ku-ec-encrypts", "data_encipherment does not fit a EC key", {"key_usage": ["data_encipherment"]}),
    Bad("ku-ca-signs-no-certificates", "needs key_usage key_cert_sign", {"key_usage": ["crl_sign"]}, **AUTHORITY),
    Bad("ku-ca-has-none", "an authority needs a key_usage", {"key_usage": []}, **AUTHORITY),
    Bad("eku-unknown", "extended_key_usage: web is unknown", {"extended_key_usage": ["web"]}),
    Bad(
        "eku-ku-word", "extended_key_usage: digital_signature is unknown", {"extended_key_usage": ["digital_signature"]}
    ),
    Bad("eku-one-arc", "extended_key_usage: 1 is unknown", {"extended_key_usage": ["1"]}),
    Bad("eku-leading-zero", "extended_key_usage: 1.02 is unknown", {"extended_key_usage": ["1.02"]}),
    Bad("eku-arc-3", "extended_key_usage: 3.1.2 is unknown", {"extended_key_usage": ["3.1.2"]}),
    Bad("eku-second-arc", "'1.40.1' is not an object identifier", {"extended_key_usage": ["1.40.1"]}),
    Bad("eku-trailing-dot", "extended_key_usage: 1.2. is unknown", {"extended_key_usage": ["1.2."]}),
    Bad("eku-other-digits", "is unknown", {"extended_key_usage": ["1.2.\u0663"]}),
    Bad(
        "eku-stamps-and-serves",
        "stands alone and is critical",
        {"extended_key_usage": ["time_stamping", "server_auth"]},
    ),
    Bad("eku-stamps-not-critical", "and is critical", {"extended_key_usage_critical": False}, profile="timestamping"),
    Bad(
        "eku-stamps-and-signs",
        "leave the others out",
        {"extended_key_usage": ["time_stamping", "code_signing"]},
        profile="timestamping",
    ),
]
CONSTRAINTS = [
    Bad(
        "bc-for-custom-alone", "basic_constraints is for certificate_profile custom", {"basic_constraints": ["CA:TRUE"]}
    ),
    Bad("bc-unknown", "basic_constraints: CA:MAYBE is unknown", {"basic_constraints": ["CA:MAYBE"]}, **CUSTOM),
    Bad("bc-lower-case", "basic_constraints: ca:true is unknown", {"basic_constraints": ["ca:true"]}, **CUSTOM),
    Bad("bc-both", "has both CA:TRUE and CA:FALSE", {"basic_constraints": ["CA:TRUE", "CA:FALSE"]}, **CUSTOM),
    Bad("bc-negative", "pathlen:-1 is unknown", {"basic_constraints": ["CA:TRUE", "pathlen:-1"]}, **CUSTOM),
    Bad("bc-no-number", "pathlen:x is unknown", {"basic_constraints": ["CA:TRUE", "pathlen:x"]}, **CUSTOM),
    Bad("bc-digits", "pathlen:1000 is unknown", {"basic_constraints": ["CA:TRUE", "pathlen:1000"]}, **CUSTOM),
    Bad(
        "bc-two-lengths",
        "the path length is said to be 0 and 1",
        {"basic_constraints": ["CA:TRUE", "pathlen:0", "pathlen:1"]},
        **CUSTOM,
    ),
    Bad(
        "bc-length-twice",
        "the path length is said to be 1 and 2",
        {"basic_constraints": ["CA:TRUE", "pathlen:2"], "path_length": 1},
        **CUSTOM,
    ),
    Bad("bc-length-alone", "path_length is for authorities", {"basic_constraints": ["pathlen:0"]}, **CUSTOM),
    Bad(
        "bc-no-ca-with-length",
        "path_length is for authorities",
        {"basic_constraints": ["CA:FALSE", "pathlen:0"]},
        **CUSTOM,
    ),
    Bad("bc-custom-ca-without-usage", "an authority needs a key_usage", {"basic_constraints": ["CA:TRUE"]}, **CUSTOM),
    Bad("path-length-negative", "path_length: -1 is negative", {"path_length": -1}, **AUTHORITY),
    Bad("path-length-huge", f"path_length: {HUGE} is more than 2147483647", {"path_length": HUGE}, **AUTHORITY),
    Bad("path-length-end-entity", "path_length is for authorities", {"path_length": 0}),
    Bad(
        "policy-constraints-end-entity",
        "policy_constraints is for authorities",
        {"policy_constraints": {"require_explicit_policy": 0}},
    ),
    Bad(
        "policy-constraints-empty",
        "give require_explicit_policy, inhibit_policy_mapping",
        {"policy_constraints": {}},
        **AUTHORITY,
    ),
    Bad(
        "policy-constraints-negative",
        "policy_constraints: -1 is negative",
        {"policy_constraints": {"require_explicit_policy": -1}},
        **AUTHORITY,
    ),
    Bad(
        "policy-constraints-huge",
        "is more than 2147483647",
        {"policy_constraints": {"inhibit_policy_mapping": HUGE}},
        **AUTHORITY,
    ),
    Bad("inhibit-end-entity", "inhibit_any_policy is for authorities", {"inhibit_any_policy": 0}),
    Bad("inhibit-negative", "inhibit_any_policy: -1 is negative", {"inhibit_any_policy": -1}, **AUTHORITY),
    Bad("inhibit-huge", "is more than 2147483647", {"inhibit_any_policy": HUGE}, **AUTHORITY),
]
POLICIES = [
    Bad("policy-no-oid", "'gold' is not an object identifier", policies(policy="gold")),
    Bad("policy-empty", "'' is not an object identifier", policies(policy="")),
    Bad("policy-one-arc", "'2' is not an object identifier", policies(policy="2")),
    Bad("policy-first-arc", "'9.1' is not an object identifier", policies(policy="9.1")),
    Bad("policy-second-arc", "'0.40' is not an object identifier", policies(policy="0.40")),
    Bad("policy-leading-zero", "'1.02.3' is not an object identifier", policies(policy="1.02.3")),
    Bad("policy-huge-arc", "is not an object identifier", policies(policy=f"1.2.{10**39}")),
    Bad("policy-trailing-dot", "'1.2.' is not an object identifier", policies(policy="1.2.")),
    Bad(
        "policy-twice",
        "a policy stands there twice",
        {"certificate_policies": [{"policy": "1.2.3"}, {"policy": "1.2.3"}]},
    ),
    Bad(
        "policy-any-twice",
        "a policy stands there twice",
        {"certificate_policies": [{"policy": "any_policy"}, {"policy": "2.5.29.32.0"}]},
    ),
    Bad("policy-cps-no-url", "it is no absolute URI", policies(cps=["see our site"])),
    Bad("policy-cps-other-name", "cps DNS:acme.example is no URL", policies(cps=["DNS:acme.example"])),
    Bad("policy-cps-no-host", "names no host after //", policies(cps=["https:///cps"])),
    Bad(
        "notice-empty",
        "user_notice has neither explicit_text nor organization",
        notice(explicit_text="", organization=""),
    ),
    Bad("notice-long", "explicit_text has 201 characters", notice(explicit_text="x" * 201)),
    Bad(
        "notice-long-organization",
        "organization has 201 characters",
        notice(organization="x" * 201, notice_numbers=[1]),
    ),
    Bad("notice-control", "explicit_text has U+000A", notice(explicit_text="two\nlines")),
    Bad("notice-half-a-letter", "explicit_text has U+D800", notice(explicit_text="\ud800")),
    Bad("notice-half-a-letter-organization", "organization has U+DC80", notice(organization="\udc80")),
    Bad("notice-negative", "notice_numbers: -1 is negative", notice(organization="Acme", notice_numbers=[-1])),
    Bad("notice-huge", "is more than 2147483647", notice(organization="Acme", notice_numbers=[HUGE])),
    Bad(
        "notice-numbers-of-nobody",
        "notice_numbers are an organization's",
        notice(explicit_text="x", notice_numbers=[1]),
    ),
]
WHERE = [
    Bad("cdp-nothing", "has neither full_name nor crl_issuer", points({})),
    Bad("cdp-reasons-alone", "has neither full_name nor crl_issuer", points({"reasons": ["key_compromise"]})),
    Bad("cdp-relative", "it is no absolute URI", points({"full_name": ["root.crl"]})),
    Bad("cdp-no-host", "names no host after //", points({"full_name": ["http:///root.crl"]})),
    Bad("cdp-space", "it holds ' ', which no URI may", points({"full_name": ["http://acme.example/a b.crl"]})),
    Bad("cdp-some-reasons", "no entry is for all reasons", points({"full_name": CRL, "reasons": ["key_compromise"]})),
    Bad(
        "cdp-issuer-no-name",
        "crl_issuer is the name of an authority",
        points({"full_name": CRL, "crl_issuer": ["DNS:acme.example"]}),
    ),
    Bad("cdp-issuer-prefix", "is no general name", points({"crl_issuer": ["CN=Acme"]})),
    Bad("freshest-nothing", "freshest_crl: an entry has neither", {"freshest_crl": [{}]}),
    Bad(
        "freshest-some-reasons",
        "freshest_crl: no entry is for all reasons",
        {"freshest_crl": [{"full_name": CRL, "reasons": ["superseded"]}]},
    ),
    Bad("aia-relative", "it is no absolute URI", {"authority_information_access": {"ca_issuers": ["root.der"]}}),
    Bad("aia-ocsp-relative", "it is no absolute URI", {"authority_information_access": {"ocsp": ["ocsp"]}}),
    Bad(
        "aia-bad-host",
        "label 'under_score' is not made of",
        {"authority_information_access": {"ocsp": ["http://under_score.example/"]}},
    ),
    Bad("aia-bad-port", "names no host", {"authority_information_access": {"ocsp": ["http://acme.example:port/"]}}),
    Bad("aia-bad-ipv6", "is no IPv6 address", {"authority_information_access": {"ocsp": ["http://[::1::2]/"]}}),
    Bad("sia-relative", "it is no absolute URI", {"subject_information_access": {"ca_repository": ["repository"]}}),
    Bad("sia-time-stamping", "it is no absolute URI", {"subject_information_access": {"time_stamping": ["tsa"]}}),
    Bad("ian-no-prefix", "is no general name", {"issuer_alt_name": ["acme.example"]}),
    Bad("ian-twice", "is there more than once", {"issuer_alt_name": ["DNS:acme.example", "DNS:ACME.example"]}),
]
OTHERS = [
    Bad("other-no-oid", "'nothing' is not an object identifier", other("nothing", "0500")),
    Bad("other-no-base64", "is not base64", {"other_extensions": [{"oid": "1.2.3.4", "value": "***"}]}),
    Bad("other-no-padding", "is not base64", {"other_extensions": [{"oid": "1.2.3.4", "value": "BQA"}]}),
    Bad("other-beyond-ascii", "is not base64", {"other_extensions": [{"oid": "1.2.3.4", "value": "é"}]}),
    Bad("other-empty", "is not one DER value", other("1.2.3.4", "")),
    Bad("other-cut-off", "is not one DER value", other("1.2.3.4", "0403aabb")),
    Bad("other-rest", "is not one DER value", other("1.2.3.4", "050000")),
    Bad("other-long-length", "is not one DER value", other("1.2.3.4", "048101aa")),
    Bad("other-indefinite", "is not one DER value", other("1.2.3.4", "30800000")),
    Bad(
        "other-basic-constraints",
        "2.5.29.19 is basic_constraints, which other options say",
        other("2.5.29.19", "30030101ff"),
    ),
    Bad("other-key-usage", "2.5.29.15 is key_usage", other("2.5.29.15", "03020106")),
    Bad("other-names", "2.5.29.17 is subject_alt_name", other("2.5.29.17", "3000")),
    Bad("other-ski", "2.5.29.14 is subject_key_identifier", other("2.5.29.14", "040100")),
    Bad("other-aki", "2.5.29.35 is authority_key_identifier", other("2.5.29.35", "3000")),
    Bad("other-policies", "2.5.29.32 is certificate_policies", other("2.5.29.32", "0500")),
    Bad("other-name-constraints", "2.5.29.30 is name_constraints", other("2.5.29.30", "3000")),
    Bad("other-period-malformed", "is not what this extension holds", other("2.5.29.16", "0500")),
    Bad("other-timestamps-malformed", "is not what this extension holds", other("1.3.6.1.4.1.11129.2.4.2", "0400")),
    Bad("other-poison-malformed", "is not what this extension holds", other("1.3.6.1.4.1.11129.2.4.3", "0400")),
    Bad(
        "other-twice",
        "the extension 1.2.3.4 is given twice",
        {
            "other_extensions": [
                *other("1.2.3.4", "0500")["other_extensions"],
                *other("1.2.3.4", "0500")["other_extensions"],
            ]
        },
    ),
    Bad("ski-no-hex", "subject_key_identifier 'xyz' is not hexadecimal", {"subject_key_identifier": "xyz"}),
    Bad("ski-odd", "subject_key_identifier '001' is not hexadecimal", {"subject_key_identifier": "001"}),
    Bad("ski-colons", "is not hexadecimal", {"subject_key_identifier": "00::1A"}),
    Bad("ski-no-octet", "is not hexadecimal", {"subject_key_identifier": ":"}),
]


@each([*USAGES, *CONSTRAINTS, *POLICIES, *WHERE, *OTHERS])
def test_bad_extensions_are_refused_with_a_sentence(desk: Office, bad: Bad) -> None:
    assert refused(desk, bad)


def test_problems_of_several_extensions_are_told_together(desk: Office) -> None:
    together = Bad(
        "several",
        "key_usage: sign is unknown",
        {
            "key_usage": ["sign"],
            "subject_key_identifier": "x",
            **points({}),
            **policies(policy="gold"),
            **other("x", ""),
        },
    )
    told = refused(desk, together)
    parts = ("subject_key_identifier 'x'", "neither full_name", "'gold' is not", "'x' is not an object identifier")
    assert all(part in told for part in parts)
