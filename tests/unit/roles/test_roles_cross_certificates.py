# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""With cross-certificates in the inventory, whoever trusts one of several roots verifies what is below all of them."""

from __future__ import annotations

import subprocess
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtensionOID
from cryptography.x509.verification import PolicyBuilder, Store

from ansible_collections.rootstock.pki.plugins.filter.tree_plan import tree_plan
from ansible_collections.rootstock.pki.plugins.module_utils._pki.tree_entries import OF_CROSSES
from ansible_collections.rootstock.pki.plugins.module_utils._pki.tree_options import AUTHORITY_OPTIONS
from tests.unit.examples.example_tree import issue
from tests.unit.operations.workshop import Clock, Workshop


def root(name: str, **more: object) -> dict[str, Any]:
    entry = {"name": name, "certificate_profile": "root_ca", "subject": {"CN": f"Authority {name}"}, "key": {}}
    return {**entry, **more}


def authority(name: str, issuer: str, **more: object) -> dict[str, Any]:
    return {
        **root(name),
        "certificate_profile": "subordinate_ca",
        "issuer": issuer,
        "not_after": "issuer",
        **more,
    }


def leaf(name: str, issuer: str) -> dict[str, Any]:
    signing = {"certificate_profile": "document_signing", "subject": {"CN": name}, "key": {}}
    return {"name": name, "issuer": issuer, **signing}


def plan(
    authorities: list[dict[str, Any]], certificates: list[dict[str, Any]], folder: Path, **more: Any
) -> dict[str, Any]:
    return tree_plan(authorities, certificates, pki_name="x", pki_dir="pki", base_dir=str(folder), **more)


def build(made: dict[str, Any], folder: Path) -> None:
    """Make the keys, then every certificate, as the role does."""
    assert made["problems"] == []
    workshop = Workshop(folder, clock=Clock(datetime.fromtimestamp(int(time.time()), timezone.utc)))
    for key in made["kms_keys"]:
        workshop.key(key["alias"], key["key_spec"])
    for public_key in made["public_keys"]:
        Path(public_key["path"]).parent.mkdir(parents=True)
        Path(public_key["path"]).write_bytes(workshop.public_key(public_key["key_id"]) or b"")
    for options in made["certificates"]:
        Path(options["path"]).parent.mkdir(exist_ok=True)
        issue(workshop, options)


def verifies(folder: Path, name: str, trusted: str) -> bool:
    """Ask openssl, as somebody who trusts one root and has what the holder of the certificate sends."""
    certificates = folder / "pki" / "certificates"
    command = ["openssl", "verify", "-x509_strict", "-no-CApath", "-CAfile", str(folder / "pki" / trusted / "ca.pem")]
    command += ["-untrusted", str(certificates / f"{name}.chain.pem"), str(certificates / f"{name}.pem")]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


ROLLOVER = [
    authority("new-services", "root-r2"),
    root("root", generation=2, subject={"CN": "Root R2"}, cross_signed_by=["root"]),
    authority("old-services", "root"),
    root("root", cross_signed_by=["root-r2"]),
]
LEAVES = [leaf("new", "new-services"), leaf("old", "old-services"), leaf("direct", "root-r2")]


@pytest.fixture(scope="module")
def rollover(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rollover")
    build(plan(ROLLOVER, LEAVES, folder), folder)
    return folder


@pytest.mark.parametrize("trusted", ["root", "root-r2"])
@pytest.mark.parametrize("name", [entry["name"] for entry in LEAVES])
def test_whoever_trusts_the_old_or_the_new_root_verifies_every_certificate(
    rollover: Path, name: str, trusted: str
) -> None:
    assert verifies(rollover, name, trusted)


def test_without_cross_certificates_each_root_stands_alone(tmp_path: Path) -> None:
    alone = [{option: value for option, value in one.items() if option != "cross_signed_by"} for one in ROLLOVER]
    build(plan(alone, LEAVES, tmp_path), tmp_path)
    assert verifies(tmp_path, "new", "root-r2")
    assert not verifies(tmp_path, "new", "root")


def test_a_cross_certificate_has_the_key_and_the_subject_of_its_authority(rollover: Path) -> None:
    folder = rollover / "pki" / "root-r2"
    own, cross = (x509.load_pem_x509_certificate((folder / path).read_bytes()) for path in ("ca.pem", "cross/root.pem"))
    assert (cross.subject, cross.public_key()) == (own.subject, own.public_key())
    old = x509.load_pem_x509_certificate((rollover / "pki" / "root" / "ca.pem").read_bytes())
    assert cross.issuer == old.subject
    assert cross.not_valid_after_utc == old.not_valid_after_utc
    assert '"root-r2-by-root"' in (rollover / "pki" / "root" / "ledger.jsonl").read_text()


def test_chains_lead_to_each_root_once(rollover: Path) -> None:
    chain = x509.load_pem_x509_certificates((rollover / "pki" / "certificates" / "new.chain.pem").read_bytes())
    issuers = [(one.subject.rfc4514_string(), one.issuer.rfc4514_string()) for one in chain]
    assert issuers == [("CN=Authority new-services", "CN=Root R2"), ("CN=Root R2", "CN=Authority root")]


def test_an_authority_in_the_middle_is_found_from_the_root_of_a_partner(tmp_path: Path) -> None:
    tree = [
        root("ours"),
        authority("services", "ours", cross_signed_by=["bridge"], path_length=1),
        authority("issuing", "services"),
        root("theirs"),
        authority("bridge", "theirs", name_constraints_excluded=["DNS:secret.example"]),
    ]
    client = {**leaf("l", "issuing"), "certificate_profile": "tls_client", "subject_alt_name": ["DNS:l.example"]}
    build(plan(tree, [client], tmp_path), tmp_path)
    assert [finds_a_path(tmp_path, "l", trusted) for trusted in ("ours", "theirs")] == [True, True]


def finds_a_path(folder: Path, name: str, trusted: str) -> bool:
    """Ask pyca, which tries every path; openssl tries one, unless they part at a root."""
    certificates = folder / "pki" / "certificates"
    chain = x509.load_pem_x509_certificates((certificates / f"{name}.chain.pem").read_bytes())
    own = x509.load_pem_x509_certificate((certificates / f"{name}.pem").read_bytes())
    anchor = x509.load_pem_x509_certificate((folder / "pki" / trusted / "ca.pem").read_bytes())
    verifier = PolicyBuilder().store(Store([anchor])).build_client_verifier()
    return verifier.verify(own, chain).chain[-1] == anchor


def test_cross_certificates_come_after_both_authorities_and_before_what_is_below() -> None:
    made = plan(ROLLOVER, LEAVES, Path("/srv"))
    names = [options["name"] for options in made["certificates"]]
    assert names == [
        "root-r2",
        "root",
        "root-r2-by-root",
        "new-services",
        "root-by-root-r2",
        "old-services",
        "new",
        "old",
        "direct",
    ]


RING = [entry for name in "abc" for entry in (root(name), authority(f"{name}-services", name, path_length=1))]
for ring_member, ring_issuer in ((1, "b-services"), (3, "c-services"), (5, "a-services")):
    RING[ring_member]["cross_signed_by"] = [ring_issuer]


@pytest.mark.parametrize(("tree", "leaves"), [(ROLLOVER, LEAVES), (RING, [leaf("web", "a-services")])])
def test_no_certificate_needs_what_is_issued_after_it(tree: list[dict[str, Any]], leaves: list[dict[str, Any]]) -> None:
    made = plan(tree, leaves, Path("/srv"))["certificates"]
    there: set[str] = set()
    for options in made:
        assert set(options.get("issuer_chain_path", ())) <= there, options["name"]
        there.add(options["path"])
    assert len(made[-1]["issuer_chain_path"]) > 1


def test_a_cross_certificate_is_what_its_authority_is_and_lives_as_long_as_its_issuer() -> None:
    second = {**ROLLOVER[1], "path_length": 2, "name_constraints_permitted": ["DNS:acme.internal"], "not_after": "+99d"}
    made = plan([second, {**ROLLOVER[3], "cross_signed_by": []}], [], Path("/srv"))
    assert made["problems"] == []
    assert made["certificates"][-1] == {
        "name": "root-r2-by-root",
        "return_content": False,
        "certificate_profile": "subordinate_ca",
        "subject": {"CN": "Root R2"},
        "path_length": 2,
        "name_constraints_permitted": ["DNS:acme.internal"],
        "not_after": "issuer",
        "path": "/srv/pki/root-r2/cross/root.pem",
        "authority_ledger_path": "/srv/pki/root-r2/ledger.jsonl",
        "public_key_path": "/srv/pki/root-r2/public_key.pem",
        "aws": {},
        "issuer_path": "/srv/pki/root/ca.pem",
        "issuer_chain_path": [],
        "issuer_key_id": "alias/pki/x/root",
        "ledger_path": "/srv/pki/root/ledger.jsonl",
    }


RESTRICTIONS: dict[str, Any] = {
    "subject_alt_name": ["email:ca@acme.internal"],
    "key_usage": ["key_cert_sign", "crl_sign", "digital_signature"],
    "extended_key_usage": ["client_auth"],
    "extended_key_usage_critical": True,
    "certificate_policies": [{"policy": "1.3.6.1.4.1.32473.1"}],
    "certificate_policies_critical": True,
    "policy_constraints": {"require_explicit_policy": 0},
    "inhibit_any_policy": 0,
    "other_extensions": [{"oid": "1.3.6.1.4.1.32473.2", "value": "BQA="}],
    "subject_information_access": {"ca_repository": ["URI:http://pki.acme.example/"]},
}
PROFILES = {
    "strict_root": {"extends": "root_ca", "extended_key_usage": ["client_auth"], "longest": "10950d"},
    "strict": {"extends": "subordinate_ca", "extended_key_usage": ["client_auth"], "not_after": "+9d", "longest": "9d"},
}
OF_THE_ISSUER = (ExtensionOID.AUTHORITY_KEY_IDENTIFIER,)


def extensions(path: Path) -> set[x509.Extension[x509.ExtensionType]]:
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    return {extension for extension in certificate.extensions if extension.oid not in OF_THE_ISSUER}


@pytest.mark.parametrize(
    "restricted",
    [
        authority("a", "ours", **RESTRICTIONS),
        root("a", **RESTRICTIONS),
        authority("a", "ours", certificate_profile="strict", not_after="+9d"),
        root("a", certificate_profile="strict_root"),
    ],
)
def test_a_cross_certificate_allows_no_more_than_the_certificate_of_its_authority(
    restricted: dict[str, Any], tmp_path: Path
) -> None:
    tree = [root("ours"), {**restricted, "cross_signed_by": ["theirs"]}, root("theirs", not_after="+12000d")]
    build(plan(tree, [], tmp_path, certificate_profiles=PROFILES), tmp_path)
    own, cross = (tmp_path / "pki" / "a" / name for name in ("ca.pem", "cross/theirs.pem"))
    assert extensions(cross) == extensions(own)
    assert len(extensions(own)) > len(extensions(tmp_path / "pki" / "ours" / "ca.pem"))


def test_whatever_is_said_of_an_authority_is_said_of_its_cross_certificates_or_of_its_own_alone() -> None:
    own_alone = {
        *("name", "generation", "issuer", "key", "cross_signed_by", "cross_certificates", "reissue_root"),
        *("external", "certificate_path", "trusted_certificate_path"),
        *("not_before", "not_after", "renew_before", "digest", "signature_padding", "issuer_alt_name"),
        *("authority_information_access", "crl", "crl_distribution_points", "crl_partitions", "freshest_crl"),
        "certificate_profile",
    }
    assert set(AUTHORITY_OPTIONS) - own_alone == set(OF_CROSSES)


@pytest.mark.parametrize(("key_spec", "said"), [("RSA_2048", True), ("ECC_NIST_P384", False)])
def test_a_cross_certificate_and_a_crl_are_signed_as_their_authority_signs(key_spec: str, said: bool) -> None:
    chosen = {"digest": "sha512", "signature_padding": "pss"}
    top = root("top", key={"key_spec": "RSA_2048"}, **chosen)
    signer = authority("signer", "top", key={"key_spec": key_spec}, **chosen)
    made = plan([top, signer, root("ours", cross_signed_by=["signer"])], [], Path("/srv"))
    assert made["problems"] == []
    (cross,) = (options for options in made["certificates"] if options["name"] == "ours-by-signer")
    (crl,) = (options for options in made["crls"] if options["name"] == "signer")
    expected = chosen if said else {}
    for task in (cross, crl):
        assert {option: task[option] for option in chosen if option in task} == expected


def test_what_a_cross_certificate_lacks_waits_with_it() -> None:
    external = {
        **{
            option: value
            for option, value in authority("corporate", "").items()
            if option not in ("issuer", "not_after")
        },
        "external": True,
        "certificate_path": "c.pem",
        "trusted_certificate_path": ["r.pem"],
    }
    tree = [external, root("ours", cross_signed_by=["corporate"]), authority("a", "ours")]
    (answer, _root) = plan(tree, [], Path("/srv"))["answers"]
    assert answer["below"] == ["ours-by-corporate"]


@pytest.mark.parametrize(
    ("tree", "problem"),
    [
        ([root("a", cross_signed_by=["b"])], "authority a: cross_signed_by b is not in pki_authorities; there are a"),
        ([root("a", cross_signed_by=["a"])], "authority a: cross_signed_by a is the authority itself; leave it out"),
        (
            [root("a"), authority("b", "a", cross_signed_by=["a"])],
            "authority b: cross_signed_by a is its issuer anyway; leave it out",
        ),
        (
            [root("a", cross_signed_by=["b"]), authority("b", "a")],
            "authority a: cross_signed_by b is below it, so no path would lead further up; leave it out",
        ),
        (
            [root("a", cross_signed_by=["b"]), root("b"), root("a-by-b")],
            "authority a: cross_signed_by b: a-by-b cannot be its name in the ledger; choose a shorter or another name",
        ),
        (
            [root("a", path_length=3, cross_signed_by=["b"]), root("b", path_length=2)],
            "cross-certificate a-by-b: path_length 3 is more than CN=Authority b leaves; at most 1",
        ),
    ],
)
def test_a_cross_certificate_that_cannot_be_is_refused_before(tree: list[dict[str, Any]], problem: str) -> None:
    assert plan(tree, [], Path("/srv"))["problems"] == [problem]
