# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of signing services: what is made for each on top of a tree, and what none may be."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.rootstock.pki.plugins.filter.service_plan import FilterModule, service_plan

ROOT = {"name": "root", "certificate_profile": "root_ca", "subject": {"CN": "Root"}, "key": {"alias": "pki/acme/root"}}
PEOPLE = {
    "name": "people",
    "issuer": "root",
    "certificate_profile": "subordinate_ca",
    "subject": {"CN": "People"},
    "key": {},
}
RELEASES = {
    "name": "releases",
    "issuer": "people",
    "certificate_profile": "code_signing",
    "subject": {"CN": "Releases"},
    "key": {"key_spec": "RSA_3072", "verifiers": ["arn:aws:iam::111122223333:role/Web"], "region": "eu-west-1"},
}
WEB = {
    "name": "web",
    "issuer": "people",
    "certificate_profile": "tls_server",
    "csr_path": "web.csr",
    "subject_alt_name": ["DNS:web.acme.internal"],
}


def plan(*services: dict[str, Any], **more: Any) -> dict[str, Any]:
    place = {"pki_name": "acme", "pki_dir": "pki", "base_dir": "/srv/acme", **more}
    return service_plan([ROOT, PEOPLE], list(services), [WEB], **place)


def changed(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in {**RELEASES, **options}.items() if value is not None}


def test_the_filter_has_the_name_that_the_role_uses() -> None:
    assert FilterModule().filters() == {"service_plan": service_plan}


def test_keys_are_declared_as_signing_access_takes_them() -> None:
    assert plan(RELEASES)["kms_keys"] == [
        {
            "alias": "pki/acme/releases",
            "key_spec": "RSA_3072",
            "use": "sign",
            "description": "acme: certificate releases",
            "verifiers": ["arn:aws:iam::111122223333:role/Web"],
            "region": "eu-west-1",
        }
    ]


def test_a_service_in_another_account_has_a_role_that_makes_its_key() -> None:
    maker = {"role_arn": "arn:aws:iam::444455556666:role/Maker"}
    made = plan(changed(key={"administrator_role": maker}))
    assert (made["problems"], made["kms_keys"][0]["administrator_role"]) == ([], maker)
    assert made["public_keys"][0]["aws"] == {"assume_role": maker}


def test_only_certificates_of_services_are_issued() -> None:
    made = plan(RELEASES)
    assert [one["name"] for one in made["certificates"]] == ["releases"]
    assert made["certificates"][0]["issuer_path"] == "/srv/acme/pki/people/ca.pem"
    assert [one["name"] for one in made["public_keys"]] == ["releases"]


def test_whoever_signs_is_told_what_with() -> None:
    second = changed(generation=2, subject={"CN": "Releases 2"})
    assert plan(RELEASES, second)["services"] == [
        {
            "name": name,
            "key_id": f"alias/pki/acme/{alias}",
            "certificate_path": f"/srv/acme/pki/certificates/{name}.fullchain.pem",
            "root_certificate_path": "/srv/acme/pki/trust/root.pem",
        }
        for name, alias in (("releases", "releases"), ("releases-r2", "releases/r2"))
    ]


def test_a_profile_that_extends_one_for_signing_will_do() -> None:
    own = {"own": {"extends": "code_signing", "longest": "2000d"}}
    assert plan(changed(certificate_profile="own"), certificate_profiles=own)["problems"] == []


@pytest.mark.parametrize(
    ("service", "sentence"),
    [
        (changed(key={"alias": "pki/acme/root"}), "alias pki/acme/root is the key of authority root and certificate"),
        (changed(key=None, csr_path="x.csr"), "service releases: has no key with an alias; key: {} asks for one"),
        (changed(key={"key_id": "1234abcd-12ab-34cd-56ef-1234567890ab"}), "has no key with an alias"),
        (changed(key={"policy": "{}"}), "service releases: its key cannot have policy, only alias, key_spec,"),
        (changed(key={"signers": ["nobody"]}), "the key of releases: signers: "),
        (changed(certificate_profile="tls_client"), "service releases: tls_client certificates are not for signing"),
        (changed(certificate_profile="ocsp_signing"), "ocsp_signing certificates are not for signing files"),
        (changed(name="web"), "name web is given 2 times"),
        (changed(issuer="peple"), "did you mean people?"),
    ],
)
def test_what_is_no_service_is_said_and_nothing_planned(service: dict[str, Any], sentence: str) -> None:
    made = plan(service)
    assert any(sentence in problem for problem in made["problems"]), made["problems"]
    assert made["kms_keys"] == made["certificates"] == made["services"] == []


def test_what_others_issued_to_the_authorities_is_known_and_looked_for() -> None:
    theirs = {"name": "partner", "certificate_path": "in/cross.pem", "trusted_certificate_path": ["in/partner.pem"]}
    place = {"pki_name": "x", "pki_dir": "pki", "base_dir": "/s"}
    made = service_plan([{**ROOT, "cross_certificates": [theirs]}, PEOPLE], [RELEASES], **place)
    assert made["certificates"][0]["issuer_chain_path"][-1] == made["imports"][0]["src"] == "/s/in/cross.pem"
    looked_for = [answer["path"] for answer in made["answers"]]
    assert looked_for == ["/s/in/cross.pem", "/s/in/partner.pem", "/s/pki/root/ca.pem"]
