# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cross-certificates with the trees of others, in the plan of a tree."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.rootstock.pki.plugins.filter.tree_plan import tree_plan
from tests.unit.filter.inventories import authority, certificate, names, root, without

FROM_THEM = {"name": "partner", "certificate_path": "in/cross.pem", "trusted_certificate_path": ["in/partner.pem"]}
TREE = [root(cross_certificates=[FROM_THEM]), authority("services", "root"), authority("issuing", "services")]
THEIRS = {
    "name": "partner-ca",
    "issuer": "root",
    "certificate_profile": "subordinate_ca",
    "subject_certificate_path": "in/partner-ca.pem",
    "path_length": 0,
    "name_constraints_permitted": ["DNS:partner.example"],
    "certificate_policies": [{"policy": "1.2.3"}],
    "policy_constraints": {"require_explicit_policy": 0},
    "inhibit_any_policy": 0,
    "not_after": "+365d",
}


def plan(authorities: object = None, certificates: object = (), **more: str) -> dict[str, Any]:
    return tree_plan(
        TREE if authorities is None else authorities,
        certificates,
        pki_name="acme",
        pki_dir="pki",
        base_dir="/srv",
        **more,
    )


def task(made: dict[str, Any], name: str) -> dict[str, Any]:
    return next(options for options in made["certificates"] if options["name"] == name)


def test_what_a_partner_issued_is_checked_beside_what_the_authority_has() -> None:
    made = plan()
    assert made["problems"] == []
    assert made["imports"] == [
        {
            "name": "root-by-partner",
            "src": "/srv/in/cross.pem",
            "path": "/srv/pki/root/cross/partner.pem",
            "public_key_path": "/srv/pki/root/public_key.pem",
            "cross_certificate_of": "/srv/pki/root/ca.pem",
            "trusted_certificate_path": ["/srv/in/partner.pem"],
            "path_length": 2,
            "certificate_profile": "subordinate_ca",
        }
    ]


def test_a_partner_may_allow_fewer_authorities_than_there_are() -> None:
    made = plan([root(cross_certificates=[{**FROM_THEM, "path_length": 0}]), *TREE[1:]])
    assert made["imports"][0]["path_length"] == 0


def test_what_a_partner_issued_is_in_the_chains_of_all_below_but_its_root_is_not_handed_out() -> None:
    made = plan(certificates=[certificate("web", "issuing")])
    chains = {name: task(made, name)["issuer_chain_path"] for name in ("services", "issuing", "web")}
    assert all(chain[-1] == "/srv/in/cross.pem" for chain in chains.values())
    assert made["their_roots"] == []


def test_nothing_waits_for_what_a_partner_issues() -> None:
    told = [(answer["name"], answer["path"], answer["below"]) for answer in plan()["answers"]]
    assert told == [
        ("root-by-partner", "/srv/in/cross.pem", []),
        ("root-by-partner", "/srv/in/partner.pem", []),
        ("root-by-partner", "/srv/pki/root/ca.pem", []),
    ]
    assert plan()["answers"][0]["pending"] == (
        "cross-certificate root-by-partner: /srv/in/cross.pem does not exist yet; have /srv/pki/root/ca.pem certified, "
        "and the next run takes it"
    )


def test_a_partners_authority_is_certified_under_our_restrictions() -> None:
    made = plan(certificates=[THEIRS])
    assert made["problems"] == []
    said = {option: THEIRS[option] for option in THEIRS if option not in ("issuer", "subject_certificate_path")}
    assert task(made, "partner-ca") == {
        **said,
        "return_content": False,
        "path": "/srv/pki/certificates/partner-ca.pem",
        "chain_path": "/srv/pki/certificates/partner-ca.chain.pem",
        "fullchain_path": "/srv/pki/certificates/partner-ca.fullchain.pem",
        "subject_certificate_path": "/srv/in/partner-ca.pem",
        "aws": {},
        "issuer_path": "/srv/pki/root/ca.pem",
        "issuer_chain_path": ["/srv/in/cross.pem"],
        "issuer_key_id": "alias/pki/acme/root",
        "ledger_path": "/srv/pki/root/ledger.jsonl",
    }
    assert names(made["kms_keys"]) == names(made["crls"]) == names(TREE)


@pytest.mark.parametrize("option", ["csr_path", "public_key_path", "subject_certificate_path"])
def test_a_partners_authority_waits_for_what_the_partner_sends(option: str) -> None:
    subject = {"subject": {"CN": "Partner"}} if option == "public_key_path" else {}
    theirs = {**without(THEIRS, "subject_certificate_path"), option: "in/theirs", **subject}
    made = plan([root()], [theirs])
    assert (made["problems"], made["source_files"]) == ([], [])
    assert made["answers"] == [
        {
            "name": "partner-ca",
            "path": "/srv/in/theirs",
            "needed_by": f"certificate partner-ca: {option}",
            "below": ["partner-ca"],
            "pending": "certificate partner-ca: /srv/in/theirs does not exist yet; "
            "get it, and the next run certifies it",
        }
    ]


def test_one_partner_need_not_trust_another() -> None:
    assert plan(TREE[:1], [THEIRS])["imports"][0]["path_length"] == 0


def test_a_partners_authority_counts_among_those_below_a_root_of_others() -> None:
    external = without(authority("ours", ""), "issuer", "not_after")
    external |= {"external": True, "certificate_path": "a.pem", "trusted_certificate_path": ["r.pem"]}
    assert plan([external], [{**THEIRS, "issuer": "ours"}])["imports"][0]["path_length"] == 1


@pytest.mark.parametrize(
    ("cross", "problem"),
    [
        (
            "x",
            "cross_certificates[0]: is 'x'; expected a mapping with name, certificate_path, trusted_certificate_path",
        ),
        (without(FROM_THEM, "name"), "cross_certificates[0]: has no name"),
        (without(FROM_THEM, "certificate_path"), "cross_certificates[0]: has no certificate_path"),
        (without(FROM_THEM, "trusted_certificate_path"), "cross_certificates[0]: has no trusted_certificate_path"),
        (
            {**FROM_THEM, "path_lenght": 1},
            "cross_certificates[0]: unknown option path_lenght; did you mean path_length?",
        ),
        ({**FROM_THEM, "name": "../x"}, "cross_certificates: name ../x does not fit: lower-case letters"),
        (
            {**FROM_THEM, "name": "services"},
            "cross_certificates: name services is an authority of this tree; use cross_",
        ),
    ],
)
def test_a_cross_certificate_that_cannot_be_is_refused_before(cross: object, problem: str) -> None:
    made = plan([root(cross_certificates=[cross]), *TREE[1:]])
    wanted = f"authority root: {problem}"
    assert [found[: len(wanted)] for found in made["problems"]] == [wanted]
    assert (made["imports"], made["answers"]) == ([], [])


@pytest.mark.parametrize(
    ("crosses", "others"), [([FROM_THEM, FROM_THEM], []), ([FROM_THEM], [certificate("root-by-partner", "root")])]
)
def test_two_of_one_name_are_refused(crosses: list[object], others: list[object]) -> None:
    (problem,) = plan([root(cross_certificates=crosses)], others)["problems"]
    assert problem.endswith("partner: root-by-partner is the name of another one; choose another name")


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"subject": {"CN": "x"}}, "subject is that of subject_certificate_path; leave it out"),
        ({"subject_key_identifier": "00"}, "subject_key_identifier is that of subject_certificate_path; leave it out"),
        ({"path_length": 3}, "path_length 3 is more than CN=Root root leaves; at most 1"),
        ({"name_constraints_permitted": ["DNS:other.example"]}, "the permitted DNS:other.example is outside of what"),
        ({"certificate_profile": "root_ca"}, "certificate_profile root_ca is not for certificate entries"),
        ({"certificate_profile": "tls_client"}, "path_length is for authorities, and certificate_profile tls_client"),
        ({"csr_path": "x.csr"}, "has csr_path and subject_certificate_path; expected exactly one of"),
    ],
)
def test_restrictions_that_do_not_fit_are_refused_before_anything_is_read(
    said: dict[str, object], problem: str
) -> None:
    ours = root(path_length=2, name_constraints_permitted=["DNS:partner.example"])
    found = plan([ours], [{**THEIRS, **said}])["problems"]
    assert problem in found[0]
    assert len(found) == 1


def test_constraints_on_directory_names_are_not_held_against_a_name_that_is_in_a_file() -> None:
    ours = root(name_constraints_permitted=["dirName:O=Partner", "DNS:partner.example"])
    assert plan([ours], [THEIRS])["problems"] == []
