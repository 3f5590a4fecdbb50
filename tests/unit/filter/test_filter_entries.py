# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Entries are refused that are wrong by themselves, or that the gate would refuse once something is made."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.rootstock.pki.plugins.filter.issuance_order import issuance_order
from ansible_collections.rootstock.pki.plugins.module_utils._pki.tree_gate import HASHES
from ansible_collections.rootstock.pki.plugins.module_utils._pki.tree_options import KEY_SPECS
from ansible_collections.rootstock.pki.plugins.module_utils._signer.algorithms import ALGORITHMS
from ansible_collections.rootstock.pki.plugins.module_utils._signer.algorithms import KEY_SPECS as SIGNING_KEYS
from tests.unit.filter.inventories import (
    Options,
    authority,
    certificate,
    names,
    refusal,
    root,
    without,
)


@pytest.mark.parametrize("name", ["Root", "-root", ".", "../x", "a/b", "a b", "", "ä", "a" * 64, 7, ["a"]])
def test_a_name_that_could_not_be_a_path_and_an_alias_is_refused(name: object) -> None:
    problems = refusal([root(), {**root(), "name": name}])
    assert problems[0].startswith(f"pki_authorities[1]: name {name!r} does not fit")


def test_a_name_of_the_tree_that_could_not_be_an_alias_is_refused() -> None:
    assert refusal([root()], pki_name="Acme")[0].startswith("pki_name 'Acme' does not fit")


@pytest.mark.parametrize("entry", [None, "root", 7, ["root"]])
def test_an_entry_that_is_no_mapping_is_refused_by_its_place(entry: object) -> None:
    assert refusal([root(), entry])[0].startswith("pki_authorities[1]: is ")


def test_an_entry_without_a_name_is_refused_by_its_place() -> None:
    assert refusal([root()], [without(certificate("x"), "name")]) == ["pki_certificates[0]: has no name"]


@pytest.mark.parametrize("authorities", [None, [], {}, "root"])
def test_a_tree_without_authorities_is_refused(authorities: object) -> None:
    assert refusal(authorities)[0].startswith("pki_authorities is ")


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        (without(root(), "subject"), "authority root: has no subject"),
        (without(root(), "key"), "authority root: has no key"),
        (
            root(subject_ordered=[{"CN": "x"}]),
            "authority root: has both subject and subject_ordered; one of them names it",
        ),
        (root(subjet={}), "authority root: unknown option subjet; did you mean subject?"),
        (
            root(csr_path="x.csr"),
            "authority root: unknown option csr_path; there are name, generation, issuer",
        ),
        (root(key={"keyspec": "RSA_2048"}), "authority root: key: unknown option keyspec; did you mean key_spec?"),
        (root(key={"key_spec": "RSA_1024"}), "authority root: key_spec RSA_1024 cannot sign; there are RSA_2048"),
        (root(key={"key_spec": "SYMMETRIC_DEFAULT"}), "authority root: key_spec SYMMETRIC_DEFAULT cannot sign"),
        (root(key={"alias": "aws/root"}), "authority root: key alias aws/root begins with aws/, which belongs to AWS"),
        (root(key={"alias": "pki:root"}), "authority root: key alias 'pki:root' does not fit"),
        (root("r.1"), "authority r.1: its name cannot be part of an alias because of the dot; give key an alias"),
        (
            root(key={"policy": {}, "signers": ["111122223333"]}),
            "authority root: key has both policy and signers; the lists make a policy of their own",
        ),
        (root(generation=0), "authority root: generation is 0; expected a whole number, 1 or more"),
        (root(generation="two"), "authority root: generation is 'two'; expected a whole number, 1 or more"),
        (root("a" * 62, generation=2), f"pki_authorities[1]: name '{'a' * 62}-r2' does not fit"),
        (root(lint="loud"), "authority root: lint is 'loud'; expected off, warn or error"),
        (root(other_extensions=[{"oid": "x"}]), "authority root: 'x' is not an ob"),
        (root(key={"assume_role": {}}), "authority root: key: assume_role has no role_arn; name the role"),
        (
            root(key={"assume_role": {"role_arn": "x", "name": "y"}}),
            "authority root: key: assume_role: unknown option name",
        ),
        (
            root(key={"administrator_role": {}}),
            "authority root: key: administrator_role has no role_arn; name the role",
        ),
        (root(key="pki/root"), "authority root: key is 'pki/root'; expected a mapping"),
        (root(path_length=-1), "authority root: path_length is -1; expected a whole number, 0 or more"),
        (root(path_length=True), "authority root: path_length is True; expected a whole number, 0 or more"),
        (root(reissue_root="maybe"), "authority root: reissue_root is 'maybe'; expected true or false"),
        (root(subject="CN=Root"), "authority root: subject is 'CN=Root'; expected a mapping"),
        (
            root(name_constraints_permitted="DNS:a"),
            "authority root: name_constraints_permitted is 'DNS:a'; expected a list",
        ),
        (root(certificate_profile="root"), "authority root: unknown certificate_profile root; did you mean root_ca?"),
        (
            root(certificate_profile=None),
            "authority root: has no certificate_profile; there are root_ca, subordinate_ca",
        ),
        (
            root(certificate_profile="tls_server"),
            "authority root: certificate_profile tls_server is not for authority entries",
        ),
        (root(certificate_profile="subordinate_ca"), "authority root: is a subordinate_ca without an issuer; name one"),
        (root("certificates"), "authority certificates: the folder certificates holds other files of the tree"),
        (root("trust"), "authority trust: the folder trust holds other files of the tree; choose another name"),
        (root("bundle"), "authority bundle: trust/bundle.pem holds all roots; choose another name"),
    ],
)
def test_an_authority_that_is_wrong_by_itself_is_refused(entry: Options, problem: str) -> None:
    assert [found[: len(problem)] for found in refusal([root("other"), entry])] == [problem]


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        (without(certificate("web"), "issuer"), "certificate web: has no issuer; name the authority that issues it"),
        (without(certificate("web"), "subject"), "certificate web: has no subject"),
        (
            without(certificate("web"), "key"),
            "certificate web: says of no key that it is for; expected exactly one of key",
        ),
        (certificate("web", csr_path="a.csr"), "certificate web: has key and csr_path; expected exactly one of key"),
        (certificate("web", public_key_path="a.pem"), "certificate web: has key and public_key_path; expected exactly"),
        (
            certificate("web", key={"assume_role": {"role_arn": "x"}}),
            "certificate web: key: unknown option assume_role; there are alias, key_id",
        ),
        (certificate("web", path_length=0), "certificate web: path_length is for authorities, and certificate_profile"),
        (
            certificate("ca", certificate_profile="subordinate_ca"),
            "certificate ca: certificate_profile subordinate_ca is",
        ),
        (certificate("web", certificate_profile="root_ca"), "certificate web: certificate_profile root_ca is not for"),
        (
            certificate("web.chain", key={"alias": "x"}),
            "certificate web.chain: web.chain.pem would be the chain file of web",
        ),
        (
            certificate("w.fullchain", key={"alias": "x"}),
            "certificate w.fullchain: w.fullchain.pem would be the fullchain",
        ),
    ],
)
def test_a_certificate_that_is_wrong_by_itself_is_refused(entry: Options, problem: str) -> None:
    assert [found[: len(problem)] for found in refusal([root()], [entry])] == [problem]


@pytest.mark.parametrize(
    ("profiles", "problem"),
    [
        (["web"], "pki_certificate_profiles is ['web']; expected a mapping"),
        ({"web": {"extends": "tls"}}, "pki_certificate_profiles: certificate profile web: extends has to name one of"),
        ({"web": {"extends": "tls_server", "years": 2}}, "pki_certificate_profiles: certificate profile web: years is"),
        ({"tls_server": {"extends": "custom"}}, "pki_certificate_profiles: certificate profile tls_server is built in"),
    ],
)
def test_a_profile_that_is_wrong_is_refused_once(profiles: object, problem: str) -> None:
    assert [found[: len(problem)] for found in refusal([root()], certificate_profiles=profiles)] == [problem]


def test_an_entry_of_a_profile_that_is_wrong_is_refused_too() -> None:
    profiles = {"web": {"extends": "tls"}}
    problems = refusal([root()], [certificate("w", certificate_profile="web")], certificate_profiles=profiles)
    assert problems[1:] == [
        "certificate w: certificate_profile web cannot be used; mend it in pki_certificate_profiles"
    ]


def test_the_rules_of_a_profile_of_the_inventory_hold() -> None:
    profiles = {"short": {"extends": "document_signing", "not_after": "+9d", "longest": "10d"}}
    entry = certificate("w", certificate_profile="short")
    assert len(issuance_order([root()], [entry], certificate_profiles=profiles)) == 2
    (problem,) = refusal([root()], [{**entry, "not_after": "+20d"}], certificate_profiles=profiles)
    assert "longer than" in problem


def test_an_authority_may_have_a_profile_of_the_inventory() -> None:
    profiles = {"issuing": {"extends": "subordinate_ca", "longest": "400d"}}
    tree = [root(), authority("a", "root", certificate_profile="issuing", not_after="+300d")]
    assert len(issuance_order(tree, certificate_profiles=profiles)) == 2


def external(name: str = "services", **more: object) -> dict[str, Any]:
    files = {"external": True, "certificate_path": "in/services.pem", "trusted_certificate_path": ["in/root.pem"]}
    return {**without(authority(name, ""), "issuer", "not_after"), **files, **more}


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        (external(certificate_path=None), "authority services: is external and has no certificate_path"),
        (external(trusted_certificate_path=[]), "authority services: is external and has no trusted_certificate_path"),
        (external(issuer="other"), "authority services: is external, so issuer is not yours to say; leave it out"),
        (external(not_after="+9d"), "authority services: is external, so not_after is not yours to say; leave it out"),
        (external(certificate_profile="root_ca"), "authority services: is external and a root_ca; only a root signs"),
        (external(digest="sha512"), "authority services: digest sha512 does not fit the issuer's ECC_NIST_P256 key"),
        (external(subject={"CM": "x"}), "authority services: subject: attribute 'CM' is unknown"),
        (
            external(external="no", issuer="other", trusted_certificate_path=None),
            "authority services: has certificate_",
        ),
    ],
)
def test_an_external_authority_that_is_wrong_is_refused(entry: Options, problem: str) -> None:
    assert [found[: len(problem)] for found in refusal([root("other"), entry])] == [problem]


def test_a_tree_may_begin_with_an_external_authority() -> None:
    assert names(issuance_order([authority("a", "services"), external()], [certificate("web", "a")])) == [
        "services",
        "a",
        "web",
    ]


def test_what_an_external_authority_asks_for_holds_for_all_that_is_below() -> None:
    services = external(path_length=0, name_constraints_permitted=["DNS:acme.internal"])
    web = certificate("web", "services", subject_alt_name=["DNS:web.example.com"])
    problems = refusal([services, authority("a", "services")], [web])
    assert [problem.partition(":")[0] for problem in problems] == ["authority a", "certificate web"]


def test_how_long_an_external_authority_lives_is_for_its_issuer_to_say() -> None:
    assert len(issuance_order([external()], [certificate("web", "services", not_after="+3650d")])) == 2


def test_a_root_with_an_issuer_is_refused() -> None:
    problems = refusal([root(), root("other", issuer="root")])
    assert problems == ["authority other: is a root_ca and has the issuer root; leave issuer out or use subordinate_ca"]


@pytest.mark.parametrize("name", ["certificates", "trust", "bundle"])
def test_names_of_folders_are_free_for_certificates(name: str) -> None:
    assert names(issuance_order([root()], [certificate(name)])) == ["root", name]


def test_templates_may_yield_strings_for_numbers_and_flags() -> None:
    entry = root(path_length="1", reissue_root="False", name_constraints_exclude_others="true")
    assert len(issuance_order([entry, authority("a", "root", path_length="0")])) == 2


def test_a_csr_may_hold_all_the_names() -> None:
    assert len(issuance_order([root()], [without(certificate("web", csr_path="web.csr"), "key", "subject")])) == 2


# What the gate would refuse


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"not_after": "+7300d"}, "is past the end of the issuer"),
        ({"not_after": "soon"}, "time 'soon' is not understood"),
        (
            {"not_after": "+10d", "renew_before": "11d"},
            "renew_before '11d' is not shorter than the lifetime of 10 days",
        ),
        ({"not_before": "+20d", "not_after": "+10d"}, "is not later than"),
        ({"path_length": 3}, "path_length 3 is more than CN=Root root leaves; at most 1"),
        ({"subject": {"CM": "x"}}, "subject: attribute 'CM' is unknown"),
        ({"name_constraints_permitted": ["acme.internal"]}, "acme.internal"),
        ({"digest": "sha512"}, "digest sha512 does not fit the issuer's ECC_NIST_P256 key; its hash is sha256"),
        ({"signature_padding": "pss"}, "signature_padding pss is for RSA keys, and the issuer's key is ECC_NIST_P256"),
        ({"crl_distribution_points": [{}]}, "crl_distribution_points: an entry has neither full_name nor crl_issuer"),
    ],
)
def test_an_authority_that_the_gate_would_refuse_is_refused_before(more: Options, problem: str) -> None:
    (found,) = refusal([root(path_length=2, not_after="+7300d"), authority("a", "root", **more)])
    assert found.startswith("authority a: ")
    assert problem in found


def test_times_that_cannot_be_are_told_beside_what_else_the_gate_would_refuse() -> None:
    entry = authority("a", "root", not_after="soon", path_length=3)
    assert len(refusal([root(path_length=2, not_after="+7300d"), entry])) == 2


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"certificate_profile": "tls_server"}, "needs a subject_alt_name of DNS or IP"),
        ({"subject_alt_name": ["DNS:web.example.com"]}, "DNS:web.example.com is outside of what"),
        ({"subject_alt_name": ["IP:10.0.0.1"]}, "IP:10.0.0.1 is excluded"),
        ({"subject_alt_name": ["web.acme.internal"]}, "web.acme.internal"),
        ({"certificate_profile": "tls_client", "not_after": "+900d"}, "longer than"),
    ],
)
def test_a_certificate_that_the_gate_would_refuse_is_refused_before(more: Options, problem: str) -> None:
    services = authority("services", "root", name_constraints_permitted=["DNS:acme.internal"])
    (found,) = refusal([root(), services], [certificate("web", "services", **more)])
    assert found.startswith("certificate web: ")
    assert problem in found


def test_a_path_length_that_cannot_hold_what_is_below_is_refused() -> None:
    tree = [root(path_length=1), authority("a", "root"), authority("b", "a"), authority("c", "b")]
    problems = refusal(tree)
    assert [problem.partition(": path_length 1 of CN=Root root forbids")[0] for problem in problems] == [
        "authority b",
        "authority c",
    ]


def test_name_constraints_hold_for_all_that_is_below() -> None:
    tree = [root(name_constraints_permitted=["DNS:acme.internal"]), authority("a", "root"), authority("b", "a")]
    web = certificate("web", "b", subject_alt_name=["DNS:web.example.com"])
    assert len(refusal(tree, [web])) == 1
    assert len(issuance_order(tree, [{**web, "subject_alt_name": ["DNS:web.acme.internal"]}])) == 4


def test_equal_relative_ends_are_refused_since_the_issuer_is_made_first() -> None:
    (problem,) = refusal([root(not_after="+10d"), authority("a", "root", not_after="+10d")])
    assert problem.endswith("or not_after: issuer")


def test_what_is_below_a_broken_authority_is_checked_by_itself() -> None:
    problems = refusal([root(subjet={})], [certificate("web", not_after="soon")])
    assert [problem.partition(":")[0] for problem in problems] == ["authority root", "certificate web"]


def test_the_table_of_hashes_agrees_with_the_table_of_the_signer() -> None:
    signing = {spec: row for spec, row in SIGNING_KEYS.items() if row.signing_algorithms}
    assert tuple(signing) == KEY_SPECS
    fixed = {spec: ALGORITHMS[row.x509_default].hash for spec, row in signing.items() if row.family != "RSA"}
    assert fixed == HASHES


def csr(name: str, **more: object) -> dict[str, Any]:
    return {**without(certificate(name), "key"), "csr_path": f"{name}.csr", **more}


RSA_KEY = {"key_spec": "RSA_2048"}
ENCIPHERS = ["digital_signature", "key_encipherment"]


@pytest.mark.parametrize(
    "entry",
    [
        certificate("w", key=RSA_KEY, key_usage=ENCIPHERS),
        certificate("w", key=RSA_KEY, certificate_profile="transport"),
        certificate("w", key_usage=["key_agreement"]),
        {**without(certificate("w", key_usage=ENCIPHERS), "key"), "public_key_path": "rsa.pem"},
        csr("w", key_usage=ENCIPHERS),
        csr("w", certificate_profile="tls_server"),
        certificate("w", certificate_profile="iam_roles_anywhere", key=RSA_KEY),
        csr("w", certificate_profile="iam_roles_anywhere"),
    ],
)
def test_a_certificate_that_the_gate_would_let_pass_is_let_pass(entry: Options) -> None:
    profiles = {"transport": {"extends": "document_signing", "key_usage": ENCIPHERS}}
    assert names(issuance_order([root()], [entry], certificate_profiles=profiles)) == ["root", "w"]


@pytest.mark.parametrize("key_spec", KEY_SPECS)
def test_every_key_that_can_sign_may_be_an_authoritys_and_a_certificates(key_spec: str) -> None:
    key = {"key_spec": key_spec}
    tree = [root(key=key), authority("a", "root", key=key)]
    assert len(issuance_order(tree, [certificate("w", "a", key=key)])) == 3


@pytest.mark.parametrize(
    ("key_spec", "more", "problem"),
    [
        ("RSA_2048", {"key_usage": ["key_agreement"]}, "key_usage key_agreement does not fit a RSA key"),
        ("ECC_NIST_P256", {"key_usage": ENCIPHERS}, "key_usage key_encipherment does not fit a EC key"),
        ("ML_DSA_44", {"key_usage": ENCIPHERS}, "key_usage key_encipherment does not fit a ML-DSA key"),
        (
            "ML_DSA_44",
            {"certificate_profile": "iam_roles_anywhere"},
            "the subject key is ML_DSA_44, and certificate_profile iam_roles_anywhere allows RSA_2048, RSA_3072, ",
        ),
    ],
)
def test_a_key_that_does_not_fit_its_certificate_is_refused(key_spec: str, more: Options, problem: str) -> None:
    (found,) = refusal([root()], [certificate("w", key={"key_spec": key_spec}, **more)])
    assert found.startswith(f"certificate w: {problem}")


def test_names_that_no_profile_copies_from_a_request_have_to_be_in_the_inventory() -> None:
    profiles = {"own_names": {"extends": "tls_server", "csr_extensions": []}}
    (problem,) = refusal([root()], [csr("w", certificate_profile="own_names")], certificate_profiles=profiles)
    assert "needs a subject_alt_name of DNS or IP" in problem
    (problem,) = refusal([root()], [csr("w", certificate_profile="tls_server", subject_alt_name=["URI:http://x.y"])])
    assert "needs a subject_alt_name of DNS or IP" in problem
