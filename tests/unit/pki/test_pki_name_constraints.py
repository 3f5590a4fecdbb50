# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Name constraints of RFC 5280 4.2.1.10, rule by rule, and the constraints that forbid all other kinds of names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from cryptography import x509

from ansible_collections.rootstock.pki.plugins.module_utils._pki.general_names import (
    constraint_text,
    to_constraint,
    to_general_name,
)
from ansible_collections.rootstock.pki.plugins.module_utils._pki.held_constraints import HeldConstraints
from ansible_collections.rootstock.pki.plugins.module_utils._pki.name_constraints import (
    NameConstraintSet,
    check_names,
    exclude_others,
    exclusions_for_others,
    permissions_for_others,
)
from ansible_collections.rootstock.pki.plugins.module_utils._pki.names import to_name_from_text
from ansible_collections.rootstock.pki.tests.unit.pki.name_chains import (
    Claim,
    constrained_root,
    leaf,
    openssl_accepts,
    pkilint_findings,
    pyca_accepts,
)


def constraints(permitted: Sequence[str] = (), excluded: Sequence[str] = ()) -> x509.NameConstraints:
    return x509.NameConstraints(list(map(to_constraint, permitted)) or None, list(map(to_constraint, excluded)) or None)


def raw(permitted: Sequence[x509.GeneralName] = (), excluded: Sequence[x509.GeneralName] = ()) -> x509.NameConstraints:
    return x509.NameConstraints(list(permitted) or None, list(excluded) or None)


def problems_of(names: Sequence[str], subject: str, *extensions: x509.NameConstraints) -> list[str]:
    return check_names(
        list(map(to_general_name, names)), to_name_from_text(subject), list(map(HeldConstraints, extensions))
    )


@pytest.mark.parametrize(
    ("base", "inside", "outside"),
    [
        ("DNS:acme.internal", "DNS:acme.internal", "DNS:internal"),
        ("DNS:acme.internal", "DNS:web.acme.internal", "DNS:webacme.internal"),
        ("DNS:acme.internal", "DNS:a.b.acme.internal", "DNS:acme.internal.example"),
        ("DNS:acme.internal", "DNS:*.acme.internal", "DNS:*.acme.example"),
        ("DNS:bücher.example", "DNS:www.bücher.example", "DNS:www.bucher.example"),
        ("IP:10.0.0.0/8", "IP:10.255.0.1", "IP:11.0.0.1"),
        ("IP:10.1.2.3/32", "IP:10.1.2.3", "IP:10.1.2.4"),
        ("IP:2001:db8::/32", "IP:2001:db8:ffff::1", "IP:2001:db9::1"),
        ("IP:10.0.0.0/8", "IP:10.0.0.1", "IP:::ffff:10.0.0.1"),
        ("email:ann@acme.internal", "email:ann@ACME.internal", "email:Ann@acme.internal"),
        ("email:acme.internal", "email:bob@acme.internal", "email:bob@mail.acme.internal"),
        ("email:.acme.internal", "email:bob@mail.acme.internal", "email:bob@acme.internal"),
        (
            "email:acme.internal",
            "otherName:1.3.6.1.5.5.7.8.9;UTF8:ü@acme.internal",
            "otherName:1.3.6.1.5.5.7.8.9;UTF8:ü@b.c",
        ),
        ("URI:acme.internal", "URI:https://acme.internal:8443/x", "URI:https://www.acme.internal"),
        ("URI:.acme.internal", "URI:https://WWW.acme.internal/", "URI:https://acme.internal/"),
        ("URI:acme.internal", "URI:spiffe://acme.internal/ns", "URI:https://acme.internal.example/"),
        ("dirName:O=Acme,C=DE", "dirName:CN=x,O=ACME,C=DE", "dirName:O=Acme,CN=x,C=DE"),
        ("dirName:O=Acme Corp,C=DE", "dirName:O=acme  corp,C=DE", "dirName:C=DE"),
        ("dirName:O=Müller,C=DE", "dirName:CN=x,O=MüLLER,C=DE", "dirName:O=Muller,C=DE"),
    ],
)
def test_rfc5280_4_2_1_10_a_name_is_inside_or_outside(base: str, inside: str, outside: str) -> None:
    assert problems_of([inside], "", constraints([base])) == []
    assert len(problems_of([inside], "", constraints([], [base]))) == 1
    assert len(problems_of([outside], "", constraints([base]))) == 1
    assert problems_of([outside], "", constraints([], [base])) == []


def test_a_form_without_constraints_is_free() -> None:
    free = ["IP:10.0.0.1", "email:a@b.c", "URI:urn:a:b", "RID:1.2.3", "otherName:1.2.3;UTF8:x", "dirName:CN=x"]
    assert problems_of(free, "CN=x", constraints(["DNS:acme.internal"], ["DNS:evil.acme.internal"])) == []


def test_the_excluded_wins_over_the_permitted() -> None:
    extension = constraints(["DNS:acme.internal"], ["DNS:hr.acme.internal"])
    assert problems_of(["DNS:web.acme.internal"], "", extension) == []
    assert "is excluded by" in problems_of(["DNS:a.hr.acme.internal"], "", extension)[0]


def test_rfc5280_6_1_4_every_authority_above_must_allow_a_name() -> None:
    above = [constraints(["DNS:acme.internal"]), constraints(["DNS:web.acme.internal", "DNS:acme.example"])]
    assert problems_of(["DNS:www.web.acme.internal"], "", *above) == []
    assert len(problems_of(["DNS:acme.example"], "", *above)) == 1
    assert len(problems_of(["DNS:mail.acme.internal"], "", *above)) == 1


def test_a_problem_names_the_name_the_owner_the_constraint_and_the_way_out() -> None:
    above = [
        HeldConstraints(constraints(["DNS:acme.internal", "DNS:acme.example"]), "CN=Root"),
        HeldConstraints(constraints([], ["IP:0.0.0.0/0"]), "CN=Services"),
    ]
    names = [to_general_name("DNS:evil.example"), to_general_name("IP:10.0.0.1")]
    advice = "leave the name out, or let an authority issue that allows it"
    assert check_names(names, x509.Name([]), above) == [
        f"DNS:evil.example is outside of what CN=Root permits (DNS:acme.internal, DNS:acme.example); {advice}",
        f"IP:10.0.0.1 is excluded by CN=Services (IP:0.0.0.0/0); {advice}",
    ]


def test_directory_constraints_reach_the_subject() -> None:
    extension = constraints(["dirName:O=Acme,C=DE"])
    assert problems_of([], "CN=x,O=Acme,C=DE", extension) == []
    assert problems_of([], "", extension) == []
    assert "the subject CN=x,O=Other,C=DE is outside" in problems_of([], "CN=x,O=Other,C=DE", extension)[0]


def test_email_constraints_reach_the_email_address_of_the_subject() -> None:
    extension = constraints(["email:acme.internal"])
    assert problems_of([], "emailAddress=ann@acme.internal", extension) == []
    problem = problems_of(["email:ann@acme.internal"], "emailAddress=ann@evil.example", extension)[0]
    assert problem.startswith("the subject's emailAddress ann@evil.example is outside of what")


def test_a_common_name_that_looks_like_a_host_is_one_for_openssl() -> None:
    extension = constraints(["DNS:acme.internal"])
    assert problems_of([], "CN=web.acme.internal", extension) == []
    assert problems_of([], "CN=Acme Signer 1.0", extension) == []
    assert problems_of(["DNS:acme.internal"], "CN=www.evil.example", extension) == []
    problem = problems_of([], "CN=www.evil.example", extension)[0]
    assert "common name www.evil.example, read as a host by OpenSSL, is outside" in problem
    assert "take a common name that does not look like a host" in problem
    authority = to_name_from_text("CN=www.evil.example")
    assert check_names([], authority, [HeldConstraints(extension)], common_name_is_host=False) == []


@pytest.mark.parametrize("name_", ["otherName:1.2.3;UTF8:x", "RID:1.2.3"])
def test_constrained_forms_without_defined_rules_are_refused(name_: str) -> None:
    extension = raw([to_general_name(name_)])
    assert "is of a form whose constraints RFC 5280 leaves undefined" in problems_of([name_], "", extension)[0]
    assert problems_of(["DNS:x", "otherName:1.2.4;UTF8:x"], "CN=x", extension) == []


@pytest.mark.parametrize(
    ("name_", "base"),
    [
        (x509.DNSName("foo_bar.acme.internal"), "DNS:acme.internal"),
        (x509.DNSName("web.acme.internal."), "DNS:acme.internal"),
        (x509.DNSName("w*.acme.internal"), "DNS:acme.internal"),
        (x509.RFC822Name('"a@b"@acme.internal'), "email:acme.internal"),
        (x509.RFC822Name("ann"), "email:acme.internal"),
        (x509.UniformResourceIdentifier("urn:a:b"), "URI:acme.internal"),
        (x509.UniformResourceIdentifier("http://10.0.0.1/"), "URI:acme.internal"),
        (x509.UniformResourceIdentifier("http://[::1]/"), "URI:acme.internal"),
        (x509.UniformResourceIdentifier("http://acme.internal@evil.example/"), "URI:acme.internal"),
        (x509.UniformResourceIdentifier("http://foo_bar/"), "URI:acme.internal"),
        (x509.UniformResourceIdentifier("acme.internal"), "URI:acme.internal"),
    ],
)
def test_a_foreign_name_that_cannot_be_judged_is_refused_under_constraints(name_: x509.GeneralName, base: str) -> None:
    for extension in (constraints([base]), constraints([], [base])):
        problems = check_names([name_], x509.Name([]), [HeldConstraints(extension)])
        assert len(problems) == 1
        assert "so the constraints of the issuer's chain on" in problems[0]
    assert check_names([name_], x509.Name([]), [HeldConstraints(constraints(["dirName:O=Acme"]))]) == []


@pytest.mark.parametrize(
    ("base", "name_"),
    [
        (x509.RFC822Name._init_without_validation(""), "email:ann@acme.internal"),
        (x509.RFC822Name._init_without_validation("@acme.internal"), "email:ann@acme.internal"),
        (x509.UniformResourceIdentifier(""), "URI:http://acme.internal/"),
        (x509.UniformResourceIdentifier("http://acme.internal/"), "URI:http://acme.internal/"),
        (x509.DNSName("acme.internal."), "DNS:web.acme.internal"),
        (x509.DNSName("."), "DNS:web.acme.internal"),
    ],
)
def test_a_foreign_constraint_without_a_meaning_allows_nothing(base: x509.GeneralName, name_: str) -> None:
    for extension in (raw([base]), raw([], [base])):
        problems = problems_of([name_], "", extension)
        assert len(problems) == 1
        assert "falls under a constraint of the issuer's chain that has no defined meaning" in problems[0]


def test_a_foreign_leading_dot_is_read_the_strict_way() -> None:
    dotted = x509.DNSName(".acme.internal")
    assert problems_of(["DNS:web.acme.internal"], "", raw([dotted])) == []
    assert len(problems_of(["DNS:acme.internal"], "", raw([dotted]))) == 1
    assert len(problems_of(["DNS:acme.internal"], "", raw([], [dotted]))) == 1


def test_a_wildcard_claims_the_excluded_hosts_it_stands_for() -> None:
    extension = constraints([], ["DNS:hr.acme.internal"])
    assert len(problems_of(["DNS:*.acme.internal"], "", extension)) == 1
    assert problems_of(["DNS:*.web.acme.internal"], "", extension) == []
    assert problems_of(["DNS:*.internal"], "", extension) == []


EVERY_KIND = (
    "DNS:www.evil.example",
    "DNS:*.evil.example",
    "DNS:localhost",
    "IP:192.0.2.1",
    "IP:2001:db8::1",
    "email:ann@evil.example",
    "otherName:1.3.6.1.5.5.7.8.9;UTF8:ü@evil.example",
    "URI:https://www.evil.example/",
    "URI:spiffe://evil/x",
    "URI:urn:uuid:1",
    "URI:https://192.0.2.1/",
    "DNS:www.acme.internal",
    "IP:10.0.0.1",
    "IP:fd00::1",
    "email:ann@acme.internal",
    "URI:https://www.acme.internal/",
)
PERMITTED = {  # what is permitted, and what of EVERY_KIND that allows
    "DNS": (["DNS:acme.internal"], ["DNS:www.acme.internal"]),
    "IPv4": (["IP:10.0.0.0/8"], ["IP:10.0.0.1"]),
    "IPv6": (["IP:fd00::/8"], ["IP:fd00::1"]),
    "both": (["IP:10.0.0.0/8", "IP:fd00::/8"], ["IP:10.0.0.1", "IP:fd00::1"]),
    "email": (["email:acme.internal", "email:.acme.internal"], ["email:ann@acme.internal"]),
    "URI": (["URI:.acme.internal"], ["URI:https://www.acme.internal/"]),
    "dirName": (["dirName:O=Acme"], []),
    "two": (["DNS:acme.internal", "email:acme.internal"], ["DNS:www.acme.internal", "email:ann@acme.internal"]),
}


def closed(permitted: Sequence[str]) -> x509.NameConstraints:
    made = exclude_others(list(map(to_constraint, permitted)))
    return x509.NameConstraints(made.permitted, made.excluded or None)


def test_what_forbids_the_other_kinds() -> None:
    permitted = [to_constraint("DNS:acme.internal")]
    assert list(map(constraint_text, exclusions_for_others(permitted))) == ["IP:0.0.0.0/0", "IP:::/0"]
    assert list(map(constraint_text, exclusions_for_others([]))) == ["DNS:", "IP:0.0.0.0/0", "IP:::/0"]
    nobody = ["email:excluded.invalid", "URI:excluded.invalid"]
    assert list(map(constraint_text, permissions_for_others(permitted))) == nobody
    everything = list(map(to_constraint, ["DNS:a", "IP:10.0.0.0/8", "IP:fd00::/8", "email:a", "URI:a"]))
    assert exclude_others(everything) == NameConstraintSet(tuple(everything), ())


def test_what_is_excluded_already_is_not_excluded_twice() -> None:
    every_address = tuple(map(to_constraint, ["IP:::/0", "IP:0.0.0.0/0"]))
    assert exclude_others([to_constraint("DNS:acme.internal")], every_address).excluded == every_address


@pytest.mark.parametrize(("permitted", "allowed"), PERMITTED.values(), ids=PERMITTED)
def test_openssl_honours_that_other_kinds_are_excluded(
    permitted: list[str], allowed: list[str], tmp_path: Path
) -> None:
    extension = closed(permitted)
    subject = to_name_from_text("CN=someone,O=Acme")
    leaves = [leaf(Claim(subject, (to_general_name(text),))) for text in EVERY_KIND]
    verdicts = openssl_accepts(constrained_root(extension), leaves, tmp_path)
    assert [text for text, accepted in zip(EVERY_KIND, verdicts, strict=True) if accepted] == allowed
    assert [text for text in EVERY_KIND if not problems_of([text], "CN=someone,O=Acme", extension)] == allowed


@pytest.mark.parametrize(("permitted", "allowed"), [PERMITTED[key] for key in PERMITTED if key != "dirName"])
def test_pyca_honours_that_other_kinds_are_excluded(permitted: list[str], allowed: list[str]) -> None:
    """But for what it does not read: URIs, which it refuses, and the otherName, which it lets pass."""
    root = constrained_root(closed(permitted))
    read = [text for text in EVERY_KIND if not text.startswith("otherName")]
    accepted = [
        text for text in read if pyca_accepts(root, leaf(Claim(to_name_from_text("CN=x"), (to_general_name(text),))))
    ]
    assert accepted == [text for text in allowed if not text.startswith("URI:")]


@pytest.mark.parametrize("permitted", [permitted for permitted, _allowed in PERMITTED.values()], ids=PERMITTED)
def test_pkilint_finds_nothing_in_a_constrained_authority(permitted: list[str]) -> None:
    assert pkilint_findings(constrained_root(closed(permitted))) == []


def test_pkilint_finds_what_an_excluded_empty_mailbox_would_be() -> None:
    empty = x509.RFC822Name._init_without_validation("")
    assert "pkix.invalid_email_address_syntax" in pkilint_findings(constrained_root(raw([], [empty])))
