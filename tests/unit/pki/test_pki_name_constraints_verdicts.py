# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Our verdict on names under constraints beside OpenSSL's and pyca's, over generated chains (RFC 5280 4.2.1.10)."""

from __future__ import annotations

import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.name import _ASN1Type
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.rootstock.pki.plugins.module_utils._pki.general_names import to_constraint, to_general_name
from ansible_collections.rootstock.pki.plugins.module_utils._pki.held_constraints import HeldConstraints
from ansible_collections.rootstock.pki.plugins.module_utils._pki.name_constraints import check_names
from ansible_collections.rootstock.pki.plugins.module_utils._pki.names import to_name_from_text
from ansible_collections.rootstock.pki.tests.unit.pki.name_chains import (
    SUBORDINATE,
    Claim,
    constrained_root,
    leaf,
    openssl_accepts,
    pyca_accepts,
    subordinate,
)

DNS_AND_IP_BASES = [
    "DNS:acme.internal",
    "DNS:web.acme.internal",
    "DNS:internal",
    "DNS:acme.example",
    "DNS:xn--mller-kva.example",
    "IP:10.0.0.0/8",
    "IP:10.1.0.0/16",
    "IP:10.1.2.3/32",
    "IP:0.0.0.0/0",
    "IP:::/0",
    "IP:2001:db8::/32",
    "IP:2001:db8:1::/48",
    "IP:::ffff:0:0/96",
]
BASES = [
    *DNS_AND_IP_BASES,
    "DNS:",
    "email:acme.internal",
    "email:.acme.internal",
    "email:ann@acme.internal",
    "email:Ann@acme.internal",
    "email:acme.example",
    "email:excluded.invalid",
    "URI:acme.internal",
    "URI:.acme.internal",
    "URI:www.acme.internal",
    "URI:excluded.invalid",
    "dirName:",
    "dirName:C=DE",
    "dirName:O=Acme,C=DE",
    "dirName:OU=Web,O=Acme,C=DE",
    "dirName:O=Other,C=DE",
    "dirName:O=acme  corp,C=DE",
    "dirName:CN=x+OU=y,C=DE",
]
DNS_AND_IP_NAMES = [
    "DNS:acme.internal",
    "DNS:web.acme.internal",
    "DNS:a.web.acme.internal",
    "DNS:*.web.acme.internal",
    "DNS:evilacme.internal",
    "DNS:internal",
    "DNS:acme.example",
    "DNS:*.acme.example",
    "DNS:www.müller.example",
    "IP:10.1.2.3",
    "IP:10.2.0.1",
    "IP:192.168.0.1",
    "IP:2001:db8::1",
    "IP:2001:db8:1::1",
    "IP:fe80::1",
    "IP:::ffff:10.1.2.3",
]
NAMES = [
    *DNS_AND_IP_NAMES,
    "email:ann@acme.internal",
    "email:ANN@acme.internal",
    "email:bob@ACME.internal",
    "email:bob@mail.acme.internal",
    "email:bob@a.mail.acme.internal",
    "email:bob@acme.example",
    "email:x@evilacme.internal",
    "URI:http://acme.internal/",
    "URI:https://www.acme.internal:8443/x",
    "URI:http://WWW.acme.internal",
    "URI:http://a.www.acme.internal/?x",
    "URI:urn:uuid:1",
    "URI:spiffe://acme.example/ns",
    "URI:mailto:a@acme.internal",
    "RID:1.2.3",
    "otherName:msUPN;UTF8:a@acme.internal",
    "dirName:CN=a,O=Acme,C=DE",
    "dirName:CN=a,O=ACME,C=DE",
    "dirName:CN=a,O=Other,C=DE",
    "dirName:C=DE",
    "dirName:CN=a,O=Acme Corp,C=DE",
    "dirName:CN=q,CN=x+OU=y,C=DE",
    "dirName:CN=q,OU=Y+CN=X,C=DE",
]
SUBJECTS = [
    "",
    "CN=plain",
    "CN=web.acme.internal",
    "CN=www.evil.example",
    "CN=a,O=Acme,C=DE",
    "CN=a,OU=Web,O=Acme,C=DE",
    "CN=a,O=aCME,C=DE",
    "CN=a,O=Other,C=DE",
    "CN=a,O=Acme   Corp,C=DE",
    "emailAddress=ann@acme.internal,CN=x",
    "emailAddress=bob@acme.example,CN=x",
]


def extensions_of(bases: list[str]) -> st.SearchStrategy[x509.NameConstraints]:
    some = st.lists(st.sampled_from(bases).map(to_constraint), max_size=3)
    return st.tuples(some, some).filter(any).map(lambda both: x509.NameConstraints(both[0] or None, both[1] or None))


def claims_of(names: list[str], subjects: list[str], least: int) -> st.SearchStrategy[list[Claim]]:
    some = st.lists(st.sampled_from(names).map(to_general_name), min_size=least, max_size=2).map(tuple)
    one = st.builds(Claim, st.sampled_from(subjects).map(to_name_from_text), some)
    return st.lists(one.filter(lambda claim: claim.names or claim.subject.rdns), min_size=12, max_size=12)


def allows(claim: Claim, *constraints: x509.NameConstraints) -> bool:
    return not check_names(claim.names, claim.subject, list(map(HeldConstraints, constraints)))


@given(extensions_of(BASES), claims_of(NAMES, SUBJECTS, 0))
def test_openssl_agrees_under_one_authority(constraints: x509.NameConstraints, claims: list[Claim]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        verdicts = openssl_accepts(constrained_root(constraints), list(map(leaf, claims)), Path(folder))
    assert verdicts == [allows(claim, constraints) for claim in claims]


@given(extensions_of(BASES), extensions_of(BASES), claims_of(NAMES, SUBJECTS, 0))
def test_openssl_agrees_under_two_authorities(
    upper: x509.NameConstraints, lower: x509.NameConstraints, claims: list[Claim]
) -> None:
    leaves = [leaf(claim, "subordinate") for claim in claims]
    with tempfile.TemporaryDirectory() as folder:
        verdicts = openssl_accepts(constrained_root(upper), leaves, Path(folder), subordinate(lower))
    authority = not check_names([], SUBORDINATE, [HeldConstraints(upper)], common_name_is_host=False)
    assert verdicts == [authority and allows(claim, upper, lower) for claim in claims]


@given(extensions_of(DNS_AND_IP_BASES), claims_of(DNS_AND_IP_NAMES, ["", "CN=plain"], 1))
def test_pyca_agrees_on_hosts_and_addresses(constraints: x509.NameConstraints, claims: list[Claim]) -> None:
    root = constrained_root(constraints)
    assert [pyca_accepts(root, leaf(claim)) for claim in claims] == [allows(claim, constraints) for claim in claims]


def organisation(value: str, kind: _ASN1Type) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, value, kind)])


def test_openssl_agrees_that_the_string_type_does_not_matter(tmp_path: Path) -> None:
    base = x509.DirectoryName(organisation("Acme Corp", _ASN1Type.PrintableString))
    constraints = x509.NameConstraints([base], None)
    claims = [Claim(organisation(value, _ASN1Type.UTF8String), ()) for value in ("acme  CORP", "Acme", "AcmeCorp")]
    verdicts = openssl_accepts(constrained_root(constraints), list(map(leaf, claims)), tmp_path)
    assert verdicts == [allows(claim, constraints) for claim in claims] == [True, False, False]


PERMITTED_ORGANIZATION = "Müller  & Co"
ORGANIZATIONS = {
    "Müller  & Co": True,
    "MüLLER & CO": True,
    "müller\t&\n co": True,
    "Müller & Co Ltd": False,
    "MÜLLER & CO": False,
    "Mu\u0308ller & Co": False,
    "Müller\u00a0& Co": False,
    "M\u00adüller & Co": False,
    "Müller & \u2102o": False,
    "Müller & Co\u200b": False,
}


@pytest.mark.parametrize("permitted", [True, False])
def test_a_permitted_directory_name_is_read_as_openssl_does_and_an_excluded_one_at_least_so(
    permitted: bool, tmp_path: Path
) -> None:
    base = [x509.DirectoryName(organisation(PERMITTED_ORGANIZATION, _ASN1Type.UTF8String))]
    constraints = x509.NameConstraints(base if permitted else None, None if permitted else base)
    claims = [Claim(organisation(value, _ASN1Type.UTF8String), ()) for value in ORGANIZATIONS]
    verdicts = openssl_accepts(constrained_root(constraints), list(map(leaf, claims)), tmp_path)
    assert verdicts == [inside == permitted for inside in ORGANIZATIONS.values()]
    allowed = [allows(claim, constraints) for claim in claims]
    assert allowed == (verdicts if permitted else [value == "Müller & Co Ltd" for value in ORGANIZATIONS])


def openssl_version() -> str:
    return subprocess.run(["openssl", "version"], capture_output=True, text=True, check=True).stdout.split()[1]


@dataclass(frozen=True)
class Difference:
    """A case in which OpenSSL 3.0 decides otherwise, and why we do not follow it; a later one may have come round."""

    reason: str
    name: str
    permitted: str = ""
    excluded: str = ""
    ours: bool = False

    @property
    def constraints(self) -> x509.NameConstraints:
        permitted = [to_constraint(self.permitted)] if self.permitted else None
        return x509.NameConstraints(permitted, [to_constraint(self.excluded)] if self.excluded else None)

    @property
    def claim(self) -> Claim:
        if self.name.startswith("subject:"):
            return Claim(to_name_from_text(self.name.removeprefix("subject:")), ())
        return Claim(to_name_from_text("CN=x"), (to_general_name(self.name),))


MAILBOX = "otherName:id-on-SmtpUTF8Mailbox;UTF8:ü@mail.acme.internal"
A_MAILBOX = "otherName:id-on-SmtpUTF8Mailbox;UTF8:ü@bücher.example"
DIFFERENCES = (
    Difference("a wildcard also claims the excluded host", "DNS:*.acme.internal", excluded="DNS:hr.acme.internal"),
    Difference(
        "RFC 5280 4.2.1.10 rejects a URI whose host is an address", "URI:http://10.1.2.3/", excluded="URI:acme.internal"
    ),
    Difference(
        "RFC 5280 4.2.1.10 rejects a URI whose host is an address", "URI:http://[::1]/", excluded="URI:acme.internal"
    ),
    Difference("OpenSSL takes the user for the host", "URI:http://u:p@acme.internal/", excluded="URI:acme.internal"),
    Difference(
        "OpenSSL takes the user for the host", "URI:http://acme.internal:p@evil/", permitted="URI:acme.internal"
    ),
    Difference("OpenSSL takes the query for the host", "URI:http://acme.internal?x", excluded="URI:acme.internal"),
    Difference("OpenSSL takes the query for the host", "URI:http://evil?x.internal", permitted="URI:.internal"),
    Difference("OpenSSL takes the fragment for the host", "URI:http://evil#x.internal", permitted="URI:.internal"),
    Difference("OpenSSL 3.0 reads .domain as ..domain for UTF-8 mailboxes", MAILBOX, excluded="email:.acme.internal"),
    Difference(
        "OpenSSL 3.0 reads .domain as ..domain for UTF-8 mailboxes",
        MAILBOX,
        permitted="email:.acme.internal",
        ours=True,
    ),
    Difference(
        "RFC 9598 has A-labels where OpenSSL follows RFC 8398", A_MAILBOX, excluded="email:xn--bcher-kva.example"
    ),
    Difference(
        "RFC 9598 has A-labels where OpenSSL follows RFC 8398", A_MAILBOX, permitted="email:bücher.example", ours=True
    ),
    Difference("OpenSSL folds the case of ASCII only", "dirName:O=MÜLLER", excluded="dirName:O=Müller"),
    Difference("OpenSSL does not normalise", "dirName:O=Mu\u0308ller", excluded="dirName:O=Müller"),
    Difference("a host that is an address has no domain", "subject:CN=10.1.2.3", permitted="DNS:"),
)


@pytest.mark.parametrize("case", DIFFERENCES, ids=lambda case: f"{case.reason} {case.name}")
def test_where_openssl_decides_otherwise(case: Difference, tmp_path: Path) -> None:
    assert allows(case.claim, case.constraints) is case.ours
    theirs = openssl_accepts(constrained_root(case.constraints), [leaf(case.claim)], tmp_path)
    assert theirs == [not case.ours] or not openssl_version().startswith("3.0.")
