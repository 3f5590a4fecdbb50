# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of a tree: which key, which file, which URL."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.rootstock.pki.plugins.filter.tree_plan import FilterModule, tree_plan

ROOT = {"name": "root", "certificate_profile": "root_ca", "subject": {"CN": "Root"}, "key": {"alias": "pki/acme/root"}}
SERVICES = {
    "name": "services",
    "issuer": "root",
    "certificate_profile": "subordinate_ca",
    "subject": {"CN": "Services"},
    "key": {},
    "not_after": "issuer",
}
WEB = {
    "name": "web",
    "issuer": "services",
    "certificate_profile": "tls_server",
    "csr_path": "csr/web.csr",
    "subject_alt_name": ["DNS:web.acme.internal"],
}

ROLE = {"role_arn": "arn:aws:iam::111122223333:role/root-signer"}


def plan(authorities: object = (ROOT, SERVICES), certificates: object = (WEB,), **more: Any) -> dict[str, Any]:
    place = {"pki_name": "acme", "pki_dir": "pki", "base_dir": "/srv/acme", **more}
    return tree_plan(authorities, certificates, **place)


def task(name: str, **more: str) -> dict[str, Any]:
    return next(options for options in plan(**more)["certificates"] if options["name"] == name)


def test_the_filter_has_the_name_that_the_role_uses() -> None:
    assert FilterModule().filters() == {"tree_plan": tree_plan}


def test_a_root_signs_itself_with_its_own_key_and_gets_no_urls() -> None:
    assert task("root", base_url="http://pki.example") == {
        "name": "root",
        "return_content": True,
        "certificate_profile": "root_ca",
        "subject": {"CN": "Root"},
        "path": "/srv/acme/pki/root/ca.pem",
        "der_path": "/srv/acme/pki/root/ca.der",
        "key_id": "alias/pki/acme/root",
        "aws": {},
    }


def test_an_authority_is_certified_by_its_issuer_from_its_public_key() -> None:
    assert task("services", base_url="http://pki.example/") == {
        "name": "services",
        "return_content": False,
        "certificate_profile": "subordinate_ca",
        "subject": {"CN": "Services"},
        "not_after": "issuer",
        "path": "/srv/acme/pki/services/ca.pem",
        "der_path": "/srv/acme/pki/services/ca.der",
        "fullchain_path": "/srv/acme/pki/services/chain.pem",
        "public_key_path": "/srv/acme/pki/services/public_key.pem",
        "aws": {},
        "issuer_path": "/srv/acme/pki/root/ca.pem",
        "issuer_chain_path": [],
        "issuer_key_id": "alias/pki/acme/root",
        "ledger_path": "/srv/acme/pki/root/ledger.jsonl",
        "authority_information_access": {"ca_issuers": ["URI:http://pki.example/root/ca.der"]},
        "crl_distribution_points": [{"full_name": ["URI:http://pki.example/root/crl.der"]}],
    }


def test_a_certificate_has_its_chains_and_everything_above_it() -> None:
    assert task("web") == {
        "name": "web",
        "return_content": False,
        "certificate_profile": "tls_server",
        "subject_alt_name": ["DNS:web.acme.internal"],
        "path": "/srv/acme/pki/certificates/web.pem",
        "chain_path": "/srv/acme/pki/certificates/web.chain.pem",
        "fullchain_path": "/srv/acme/pki/certificates/web.fullchain.pem",
        "csr_path": "/srv/acme/csr/web.csr",
        "aws": {},
        "issuer_path": "/srv/acme/pki/services/ca.pem",
        "issuer_chain_path": ["/srv/acme/pki/root/ca.pem"],
        "issuer_key_id": "alias/pki/acme/services",
        "ledger_path": "/srv/acme/pki/services/ledger.jsonl",
    }


def test_urls_of_an_entry_stand_in_place_of_those_of_the_tree() -> None:
    web = {**WEB, "authority_information_access": {"ocsp": ["http://ocsp.example"]}}
    options = plan(certificates=[web], base_url="http://pki.example")["certificates"][-1]
    assert options["authority_information_access"] == {"ocsp": ["http://ocsp.example"]}
    assert options["crl_distribution_points"] == [{"full_name": ["URI:http://pki.example/services/crl.der"]}]


def test_a_key_without_an_alias_is_named_for_the_tree_and_the_entry() -> None:
    assert plan()["kms_keys"][1] == {
        "name": "services",
        "alias": "alias/pki/acme/services",
        "key_spec": "ECC_NIST_P256",
        "use": "ca",
        "description": "acme: authority services",
        "aws": {},
    }


PROFILES = {"responder": {"extends": "ocsp_signing", "not_after": "+30d"}}


@pytest.mark.parametrize(
    ("profile", "use"), [("document_signing", "sign"), ("ocsp_signing", "ocsp"), ("responder", "ocsp")]
)
def test_the_use_of_a_key_follows_from_the_profile(profile: str, use: str) -> None:
    signer = {"name": "s", "issuer": "root", "certificate_profile": profile, "subject": {"CN": "S"}, "key": {}}
    made = plan(certificates=[signer], certificate_profiles=PROFILES)
    assert made["kms_keys"][-1]["use"] == use


def test_a_profile_of_the_inventory_reaches_the_tasks_that_need_it() -> None:
    signer = {**WEB, "name": "s", "issuer": "root", "certificate_profile": "responder", "subject": {"CN": "S"}}
    made = plan(certificates=[{**signer, "subject_alt_name": None}], certificate_profiles=PROFILES)
    assert made["problems"] == []
    assert [options.get("certificate_profiles") for options in made["certificates"]] == [None, None, PROFILES]


def test_a_successor_stands_beside_its_predecessor() -> None:
    second = {**ROOT, "generation": 2, "subject": {"CN": "Root R2"}}
    made = plan([ROOT, second, {**SERVICES, "issuer": "root-r2"}], [], base_url="http://pki.example")
    assert made["problems"] == []
    assert [key["alias"] for key in made["kms_keys"][:2]] == ["alias/pki/acme/root", "alias/pki/acme/root/r2"]
    assert [options["path"] for options in made["certificates"][:2]] == [
        "/srv/acme/pki/root/ca.pem",
        "/srv/acme/pki/root-r2/ca.pem",
    ]
    services = made["certificates"][2]
    assert services["issuer_path"] == "/srv/acme/pki/root-r2/ca.pem"
    assert services["issuer_key_id"] == "alias/pki/acme/root/r2"
    assert services["authority_information_access"] == {"ca_issuers": ["URI:http://pki.example/root-r2/ca.der"]}


def test_the_next_generation_of_a_certificate_has_a_new_key() -> None:
    signer = {"name": "s", "issuer": "root", "certificate_profile": "document_signing", "subject": {"CN": "S"}}
    made = plan(certificates=[{**signer, "key": {}, "generation": 3}])
    assert (made["certificates"][-1]["name"], made["certificates"][-1]["key_id"]) == ("s-r3", "alias/pki/acme/s/r3")
    assert made["certificates"][-1]["path"] == "/srv/acme/pki/certificates/s-r3.pem"


def test_a_key_that_exists_has_no_generation() -> None:
    made = plan([{**ROOT, "generation": 2, "key": {"key_id": "1234abcd"}}], [])
    assert (made["certificates"][0]["name"], made["certificates"][0]["key_id"]) == ("root-r2", "1234abcd")


EXTERNAL = {
    "name": "services",
    "certificate_profile": "subordinate_ca",
    "subject": {"CN": "Services"},
    "key": {"assume_role": ROLE},
    "external": True,
    "certificate_path": "in/services.pem",
    "trusted_certificate_path": ["in/root.pem"],
}
ISSUING = {**SERVICES, "name": "issuing", "issuer": "services", "subject": {"CN": "Issuing"}}


def test_an_external_authority_has_a_request_in_place_of_a_certificate() -> None:
    made = plan([EXTERNAL, ISSUING, ROOT])
    assert made["problems"] == []
    assert [options["name"] for options in made["certificates"]] == ["issuing", "root", "web"]
    assert made["requests"] == [
        {
            "name": "services",
            "path": "/srv/acme/pki/services/ca.csr",
            "key_id": "alias/pki/acme/services",
            "certificate_profile": "subordinate_ca",
            "subject": {"CN": "Services"},
            "aws": {"assume_role": ROLE},
        }
    ]
    assert made["imports"] == [
        {
            "name": "services",
            "src": "/srv/acme/in/services.pem",
            "path": "/srv/acme/pki/services/ca.pem",
            "der_path": "/srv/acme/pki/services/ca.der",
            "fullchain_path": "/srv/acme/pki/services/chain.pem",
            "public_key_path": "/srv/acme/pki/services/public_key.pem",
            "trusted_certificate_path": ["/srv/acme/in/root.pem"],
            "path_length": 1,
            "certificate_profile": "subordinate_ca",
        }
    ]


def test_all_that_is_below_an_external_authority_waits_for_its_files() -> None:
    answers = plan([EXTERNAL, ISSUING, ROOT], [{**WEB, "issuer": "issuing"}])["answers"]
    assert [answer["path"] for answer in answers] == ["/srv/acme/in/services.pem", "/srv/acme/in/root.pem"]
    assert [answer["below"] for answer in answers] == [["issuing", "web"]] * 2
    assert answers[0]["pending"] == (
        "authority services: /srv/acme/in/services.pem does not exist yet; have /srv/acme/pki/services/ca.csr signed, "
        "and what is below it is built"
    )


def test_what_is_below_an_external_authority_has_all_that_is_above_it() -> None:
    made = plan([EXTERNAL, ISSUING], [{**WEB, "issuer": "issuing"}])["certificates"]
    assert made[1]["issuer_path"] == "/srv/acme/pki/issuing/ca.pem"
    assert made[1]["issuer_chain_path"] == [
        "/srv/acme/pki/services/ca.pem",
        "/srv/acme/pki/services/chain.pem",
        "/srv/acme/in/root.pem",
    ]


@pytest.mark.parametrize(
    ("paths", "names"),
    [(["a.pem"], ["services"]), (["a.pem", "b.pem"], ["services-1", "services-2"])],
)
def test_roots_of_others_are_handed_out_under_the_name_of_the_authority(paths: list[str], names: list[str]) -> None:
    made = plan([{**EXTERNAL, "trusted_certificate_path": paths}])["their_roots"]
    assert [(found["name"], found["authority"]) for found in made] == [(name, "services") for name in names]
    assert [found["kept"] for found in made] == [f"/srv/acme/pki/trust/{name}.pem" for name in names]


def test_lint_that_is_off_is_false_in_yaml() -> None:
    assert plan([{**ROOT, "lint": False}], [])["certificates"][0]["lint"] == "off"


def test_a_key_that_exists_is_taken_as_it_is() -> None:
    root = {**ROOT, "key": {"key_id": "1234abcd", "key_spec": "RSA_4096"}}
    made = plan([root], [])
    assert made["kms_keys"] == [{"name": "root", "key_id": "1234abcd", "key_spec": "RSA_4096", "use": "ca", "aws": {}}]
    assert made["certificates"][0]["key_id"] == "1234abcd"


def test_a_certificate_is_issued_in_the_region_of_its_issuers_key() -> None:
    root = {**ROOT, "key": {"region": "eu-west-1"}}
    made = plan([root, {**SERVICES, "key": {"region": "us-east-1"}}])
    assert [options["aws"]["region"] for options in made["certificates"]] == ["eu-west-1", "eu-west-1", "us-east-1"]
    assert [options["aws"]["region"] for options in made["public_keys"]] == ["eu-west-1", "us-east-1"]


def test_what_an_authority_issues_is_signed_as_the_role_of_its_key() -> None:
    made = plan([{**ROOT, "key": {"assume_role": ROLE}}, SERVICES])
    assert [options["aws"] for options in made["certificates"]] == [{"assume_role": ROLE}, {"assume_role": ROLE}, {}]
    assert [options["aws"] for options in made["public_keys"]] == [{"assume_role": ROLE}, {}]


def test_keys_are_made_with_the_credentials_of_the_play() -> None:
    made = plan([{**ROOT, "key": {"assume_role": ROLE, "region": "eu-west-1"}}], [])
    assert made["kms_keys"][0]["aws"] == {"region": "eu-west-1"}


@pytest.mark.parametrize("key", [{"assume_role": ROLE}, {"region": "eu-west-1"}])
def test_a_role_that_signs_needs_no_right_to_the_keys_that_it_certifies(key: dict[str, Any]) -> None:
    signer = {
        "name": "s",
        "issuer": "root",
        "certificate_profile": "document_signing",
        "subject": {"CN": "S"},
        "key": {},
    }
    made = plan([{**ROOT, "key": key}], [signer])
    path = "/srv/acme/pki/certificates/s.public_key.pem"
    assert made["public_keys"][1] == {"name": "s", "key_id": "alias/pki/acme/s", "path": path, "aws": {}}
    assert (made["certificates"][1]["public_key_path"], "key_id" in made["certificates"][1]) == (path, False)


def test_the_policy_of_a_key_is_made_of_what_the_entry_says() -> None:
    access = {"signers": ["arn:aws:iam::111122223333:role/s"], "account_root": "administer"}
    (key,) = plan([{**ROOT, "key": access}], [])["kms_keys"]
    assert {option: key[option] for option in access} == access


def test_only_authorities_have_their_public_key_on_disk() -> None:
    assert [options["path"] for options in plan()["public_keys"]] == [
        "/srv/acme/pki/root/public_key.pem",
        "/srv/acme/pki/services/public_key.pem",
    ]


@pytest.mark.parametrize(
    ("pki_dir", "folder"),
    [("pki", "/srv/acme/pki"), ("/var/pki", "/var/pki"), ("../x/./pki", "/srv/x/pki"), ("~/pki", "~/pki")],
)
def test_relative_paths_start_from_the_base_folder(pki_dir: str, folder: str) -> None:
    assert plan(pki_dir=pki_dir)["pki_dir"] == folder
    assert task("root", pki_dir=pki_dir)["path"] == f"{folder}/root/ca.pem"


def test_source_files_are_known_even_where_the_tree_cannot_be_built() -> None:
    made = plan([ROOT])
    assert made["source_files"] == [
        {"name": "web", "path": "/srv/acme/csr/web.csr", "needed_by": "certificate web: csr_path"}
    ]
    assert (made["kms_keys"], made["public_keys"], made["certificates"]) == ([], [], [])
    assert made["problems"] == ["certificate web: issuer services is not in pki_authorities; there are root"]


@pytest.mark.parametrize("url", ["https://pki.example", "pki.example", "ftp://pki.example"])
def test_urls_that_need_a_certificate_to_be_fetched_are_refused(url: str) -> None:
    (problem,) = plan(base_url=url)["problems"]
    assert problem.startswith(f"pki_base_url {url} does not begin with http://")


@pytest.mark.parametrize("pki_name", ["", "Acme", "a/b"])
def test_a_tree_without_a_usable_name_is_refused(pki_name: str) -> None:
    assert plan(pki_name=pki_name)["problems"][0].startswith(f"pki_name {pki_name!r} does not fit")


def test_relative_paths_that_start_nowhere_are_refused() -> None:
    (problem,) = plan(base_dir="")["problems"]
    assert problem.endswith("declare it there or set pki_base_dir")


def test_every_authority_has_a_crl_that_its_own_key_signs() -> None:
    authorities = [{**ROOT, "crl": {"next_update": "+30d"}}, {**SERVICES, "key": {"region": "eu-central-1"}}]
    assert plan(authorities)["crls"] == [
        {
            "name": "root",
            "issuer_path": "/srv/acme/pki/root/ca.pem",
            "issuer_key_id": "alias/pki/acme/root",
            "ledger_path": "/srv/acme/pki/root/ledger.jsonl",
            "path": "/srv/acme/pki/root/crl.pem",
            "der_path": "/srv/acme/pki/root/crl.der",
            "next_update": "+30d",
            "aws": {},
        },
        {
            "name": "services",
            "issuer_path": "/srv/acme/pki/services/ca.pem",
            "issuer_key_id": "alias/pki/acme/services",
            "ledger_path": "/srv/acme/pki/services/ledger.jsonl",
            "path": "/srv/acme/pki/services/crl.pem",
            "der_path": "/srv/acme/pki/services/crl.der",
            "aws": {"region": "eu-central-1"},
        },
    ]


@pytest.mark.parametrize(
    ("more", "partitions"),
    [({"crl": {"partitions": 4}}, {"crl_partitions": 4}), ({"key": {"key_spec": "ECC_NIST_EDWARDS25519"}}, {})],
)
def test_an_authority_with_partitions_names_them_alike_everywhere(
    more: dict[str, Any], partitions: dict[str, int]
) -> None:
    made = plan([ROOT, {**SERVICES, **more}], base_url="http://pki.example")
    url = "http://pki.example/services/crl-{partition}.der"
    crl = made["crls"][-1]
    assert (crl["path"], crl["crl_urls"]) == ("/srv/acme/pki/services/crl-{partition}.pem", [url])
    web = made["certificates"][-1]
    assert web["crl_distribution_points"] == [{"full_name": [f"URI:{url}"]}]
    for options in (crl, web):
        assert {name: value for name, value in options.items() if name == "crl_partitions"} == partitions


@pytest.mark.parametrize("key_spec", ["ECC_NIST_EDWARDS25519", "ECC_NIST_P256"])
def test_an_authority_can_be_kept_at_one_crl(key_spec: str) -> None:
    services = {**SERVICES, "key": {"key_spec": key_spec}, "crl": {"partitions": 1}}
    made = plan([ROOT, services], base_url="http://pki.example")
    crl, web = made["crls"][-1], made["certificates"][-1]
    assert crl["path"] == "/srv/acme/pki/services/crl.pem"
    assert web["crl_distribution_points"] == [{"full_name": ["URI:http://pki.example/services/crl.der"]}]
    assert "crl_partitions" not in {**crl, **web}


@pytest.mark.parametrize(
    ("crl", "problem"),
    [
        ({"partition": 4}, "unknown option partition; did you mean partitions?"),
        ({"partitions": 0}, "partitions is 0; expected a whole number, 1 or more"),
        ({"partitions": "two"}, "partitions is 'two'; expected a whole number, 1 or more"),
        ({"partitions": 4}, "partitions needs pki_base_url, since certificates name their CRL"),
        ({"next_update": ["+7d"]}, "next_update is ['+7d']; expected a string"),
    ],
)
def test_what_makes_no_sense_about_a_crl_is_told(crl: dict[str, Any], problem: str) -> None:
    assert plan([ROOT, {**SERVICES, "crl": crl}], [])["problems"] == [f"authority services: crl: {problem}"]


def test_a_root_has_one_crl() -> None:
    [problem] = plan([{**ROOT, "crl": {"partitions": 4}}], [], base_url="http://pki.example")["problems"]
    assert problem.startswith("authority root: crl: partitions is not for roots; a partition's CRL names itself")
