# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every option of an inventory that can be wrong is told before anything is made, by the plan of the tree alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from ansible_collections.rootstock.pki.plugins.filter.tree_plan import tree_plan
from ansible_collections.rootstock.pki.plugins.module_utils._pki.tree_options import (
    ADMINISTRATOR_ROLE,
    AUTHORITY_OPTIONS,
    CERTIFICATE_OPTIONS,
    CRL_OPTIONS,
    CROSS_OPTIONS,
    KEY_OPTIONS,
    PRINCIPALS,
)
from tests.unit.filter.inventories import authority, certificate, root, without

BASE_URL = "http://pki.example"
LOCATIONS = {"full_name": ["URI:http://pki.example/{partition}.crl"]}
SERVICES = authority("services", "root")
EXTERNAL = {
    **without(authority("external", ""), "issuer", "not_after"),
    "external": True,
    "certificate_path": "external.pem",
    "trusted_certificate_path": ["their-root.pem"],
}
PARTNER = {"name": "partner", "certificate_path": "by-partner.pem", "trusted_certificate_path": ["partner.pem"]}

# Values that have the right shape, and mean what cannot be.
OF_BOTH: Mapping[str, object] = {
    "name": "Services",
    "generation": 0,
    "issuer": "nobody",
    "certificate_profile": "no_profile",
    "key": {"key_spec": "SYMMETRIC_DEFAULT"},
    "subject": {"CM": "x"},
    "subject_ordered": [{"CN": "beside the subject"}],
    "subject_alt_name": ["services"],
    "subject_alt_name_critical": "perhaps",
    "not_before": "yesterday",
    "not_after": "in a year",
    "renew_before": "30 days",
    "digest": "sha512",
    "signature_padding": "pss",
    "authority_information_access": {"ca_issuers": ["nowhere"]},
    "crl_distribution_points": [{}],
    "crl_partitions": 4,
    "freshest_crl": [{}],
    "issuer_alt_name": ["nobody"],
    "key_usage": ["sing"],
    "key_usage_critical": "perhaps",
    "extended_key_usage": ["surfing"],
    "extended_key_usage_critical": "perhaps",
    "certificate_policies": [{"policy": "no.oid"}],
    "certificate_policies_critical": "perhaps",
    "subject_information_access": {"ca_repository": ["nowhere"]},
    "subject_key_identifier": "no hex",
    "other_extensions": [{"oid": "2.5.29.19", "value": "30:00"}],
    "lint": "loud",
    "path_length": -1,
    "name_constraints_permitted": ["services"],
    "name_constraints_excluded": ["services"],
    "name_constraints_exclude_others": "perhaps",
    "policy_constraints": {"require_explicit_policy": -1},
    "inhibit_any_policy": -1,
}
OF_AUTHORITIES: Mapping[str, object] = {
    **OF_BOTH,
    "reissue_root": "perhaps",
    "crl": {"next_update": "7 days"},
    "cross_signed_by": ["nobody"],
    "cross_certificates": [{**PARTNER, "name": "The Partner"}],
    "external": "perhaps",
    "certificate_path": "not-external.pem",
    "trusted_certificate_path": ["not-external.pem"],
}
OF_CERTIFICATES: Mapping[str, object] = {
    **OF_BOTH,
    "csr_path": "beside-the-key.csr",
    "public_key_path": "beside-the-key.pem",
    "subject_certificate_path": "beside-the-key.pem",
    "basic_constraints": ["CA:PERHAPS"],
    "ocsp_must_staple": "perhaps",
    "ocsp_must_staple_critical": "perhaps",
    "ocsp_no_check": "perhaps",
}
OF_CRLS = [
    {"next_update": "7 days"},
    {"next_update": "-1d"},
    {"next_update": "+1d", "renew_before": "+2d"},
    {"renew_before": "+8d"},
    {"renew_before": "soon"},
    {"renew_before": "150%"},
    {"next_update": "99999999999d"},
]
OF_CROSS_CERTIFICATES: Mapping[str, object] = {
    "name": "root",
    "certificate_path": "",
    "trusted_certificate_path": [],
    "path_length": -1,
}


def plan(authorities: object, certificates: object = (), base_url: str = BASE_URL) -> dict[str, Any]:
    return tree_plan(authorities, certificates, pki_name="acme", pki_dir="pki", base_dir="/srv/acme", base_url=base_url)


# Values of key that KMS or kms_key would refuse; region and roles are for AWS to judge.
OF_KEYS: Mapping[str, Mapping[str, object]] = {
    "alias": {"alias": "alias/aws/services"},
    "key_id": {"key_id": "1234abcd-12ab-34cd-56ef-1234567890ab", "alias": "aws/services"},
    "key_spec": {"key_spec": "RSA_1024"},
    "description": {"description": "x" * 9000},
    "tags": {"tags": {"rootstock:use": "sign"}},
    "policy": {"policy": {"Statement": [{"Effect": "Allow", "Principal": "*"}]}},
    **{option: {option: ["not an ARN"]} for option in (*PRINCIPALS, "break_glass_principals")},
    "signing_algorithms": {"signing_algorithms": ["ECDSA_SHA_256"]},
    "account_root": {"account_root": "everything"},
    "minimum_pending_window": {"minimum_pending_window": 3},
}


def problems(*services: object, certificates: object = (), base_url: str = BASE_URL) -> list[str]:
    found: list[str] = plan([root(), *services], certificates, base_url)["problems"]
    return found


def test_no_option_is_left_out_of_these_tables() -> None:
    assert set(OF_AUTHORITIES) == set(AUTHORITY_OPTIONS)
    assert set(OF_CERTIFICATES) == set(CERTIFICATE_OPTIONS)
    assert set(OF_CROSS_CERTIFICATES) == set(CROSS_OPTIONS)
    assert set(OF_KEYS) == set(KEY_OPTIONS) - {"purge_tags", "region", ADMINISTRATOR_ROLE}
    assert {*CRL_OPTIONS} == {*(option for given in OF_CRLS for option in given), "partitions"}


@pytest.mark.parametrize("option", OF_KEYS)
def test_a_key_that_could_not_be_made_is_told_with_the_entry_that_it_is_for(option: str) -> None:
    told = problems(authority("services", "root", key=OF_KEYS[option]))
    assert told != []
    assert all("services" in problem for problem in told)
    assert problems(certificates=[certificate("signer", key=OF_KEYS[option])]) != []


def test_a_key_that_could_not_be_made_is_told_beside_whatever_else_is_wrong() -> None:
    told = problems(authority("services", "nobody", key=OF_KEYS["policy"]))
    assert any("issuer nobody" in problem for problem in told)
    assert any("the key of services: policy" in problem for problem in told)


@pytest.mark.parametrize("option", OF_AUTHORITIES)
def test_a_value_of_an_authority_that_cannot_be_is_told(option: str) -> None:
    assert problems(SERVICES) == []
    assert problems({**SERVICES, option: OF_AUTHORITIES[option]}) != []


@pytest.mark.parametrize("option", OF_CERTIFICATES)
def test_a_value_of_a_certificate_that_cannot_be_is_told(option: str) -> None:
    signer = certificate("signer", "services")
    assert problems(SERVICES, certificates=[signer]) == []
    assert problems(SERVICES, certificates=[{**signer, option: OF_CERTIFICATES[option]}]) != []


@pytest.mark.parametrize("option", OF_CROSS_CERTIFICATES)
def test_a_value_of_a_cross_certificate_that_cannot_be_is_told(option: str) -> None:
    assert problems({**SERVICES, "cross_certificates": [PARTNER]}) == []
    wrong = {**PARTNER, option: OF_CROSS_CERTIFICATES[option]}
    assert problems({**SERVICES, "cross_certificates": [wrong]}) != []


@pytest.mark.parametrize("crl", OF_CRLS)
@pytest.mark.parametrize("entry", [SERVICES, EXTERNAL])
def test_a_crl_that_could_not_be_made_is_told(entry: Mapping[str, Any], crl: Mapping[str, str]) -> None:
    [problem] = problems({**entry, "crl": crl})
    assert problem.startswith(f"authority {entry['name']}: crl: ")


@pytest.mark.parametrize(
    "crl", [{"next_update": "+1d"}, {"renew_before": "6d"}, {"next_update": "+9d", "renew_before": "8d"}, {}]
)
def test_a_crl_that_can_be_made_is_let_pass(crl: Mapping[str, str]) -> None:
    assert problems({**SERVICES, "crl": crl}) == []


def test_a_fixed_next_update_that_is_over_is_told_while_there_is_no_authority() -> None:
    """Later the task that makes this CRL fails, and nothing but that."""
    made = plan([root(), {**SERVICES, "crl": {"next_update": "20200101000000Z"}}])
    assert made["problems"] == []
    [dated] = made["dated_problems"]
    assert dated["path"] == "/srv/acme/pki/services/ca.pem"
    assert dated["problem"].startswith("authority services: crl: next_update 20200101000000Z is not later than ")


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"crl_partitions": 4}, "crl_partitions is given, but no URL of crl_distribution_points has {partition} in it"),
        ({"crl_partitions": 1, "crl_distribution_points": [LOCATIONS]}, "crl_partitions is 1; give two or more"),
        ({"crl_partitions": 4, "crl_distribution_points": [LOCATIONS]}, "its CRL is that of an authority with 4"),
        ({"crl_distribution_points": [LOCATIONS]}, "its CRL is that of an authority with partitions opened as needed"),
        ({"freshest_crl": [LOCATIONS]}, "its CRL is that of an authority with partitions opened as needed"),
    ],
)
def test_a_certificate_that_says_otherwise_of_its_crl_than_its_authority_is_told(
    more: Mapping[str, object], problem: str
) -> None:
    [found] = problems(SERVICES, certificates=[certificate("signer", "services", **more)])
    assert found.startswith(f"certificate signer: {problem}")


@pytest.mark.parametrize("more", [{"crl": {"partitions": 4}}, {"key": {"key_spec": "ECC_NIST_EDWARDS25519"}}])
def test_a_certificate_below_partitions_names_one_of_them(more: Mapping[str, object]) -> None:
    partitions = {} if "key" in more else {"crl_partitions": 4}
    own = certificate("own", "services", crl_distribution_points=[LOCATIONS], **partitions)
    none = certificate("none", "services", crl_distribution_points=[])
    elsewhere = certificate("elsewhere", "services", crl_distribution_points=[{"full_name": ["URI:http://x.example"]}])
    assert problems({**SERVICES, **more}, certificates=[certificate("signer", "services"), own]) == []
    found = problems({**SERVICES, **more}, certificates=[none, elsewhere])
    told = "its CRL is that of an authority without partitions, and authority services has CRLs with "
    assert [problem.partition(told)[0] for problem in found] == ["certificate none: ", "certificate elsewhere: "]
