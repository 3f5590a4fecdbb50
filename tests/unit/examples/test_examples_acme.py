# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the example's inventory leads to is judged by others: openssl, cryptography's verifier, pkilint."""

from __future__ import annotations

import subprocess
from datetime import datetime, timezone
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store
from pkilint.bin import lint_pkix_cert, lint_pkix_signer_signee_cert_chain

from ansible_collections.rootstock.pki.plugins.module_utils._pki.extensions import EXTENSION_NAMES
from tests.unit.examples.example_tree import BuiltTree, inventory

ACCEPTED_FINDINGS: dict[str, str] = {}
"""Findings of pkilint at level warning or above that are knowingly accepted: code -> reason. There are none."""

VARIABLES = inventory()
AUTHORITIES = [entry["name"] for entry in VARIABLES["pki_authorities"]]
CERTIFICATES = [entry["name"] for entry in VARIABLES["pki_certificates"]]
ISSUED = [
    entry["name"] for entry in [*VARIABLES["pki_authorities"], *VARIABLES["pki_certificates"]] if "issuer" in entry
]
PURPOSES = {"web": "sslserver", "billing": "sslclient"}


def is_ml_dsa(tree: BuiltTree, name: str) -> bool:
    return tree.key_spec((tree.above(name) or [name])[-1]).startswith("ML_DSA")


def openssl(*arguments: str | Path) -> str:
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_example_shows_what_it_is_meant_to_show() -> None:
    keys = {entry["name"]: entry["key"]["key_spec"] for entry in VARIABLES["pki_authorities"]}
    assert keys == {
        "root": "ECC_NIST_P384",
        "services": "ECC_NIST_P256",
        "people": "RSA_4096",
        "pq-root": "ML_DSA_87",
        "pq-services": "ML_DSA_65",
    }
    sources = {
        entry["certificate_profile"]: {"key", "csr_path", "public_key_path"} & set(entry)
        for entry in VARIABLES["pki_certificates"]
    }
    assert sources == {
        "tls_server": {"csr_path"},
        "tls_client": {"public_key_path"},
        "document_signing": {"key"},
        "code_signing": {"key"},
    }


@pytest.mark.parametrize("name", [*AUTHORITIES, *CERTIFICATES])
def test_openssl_accepts_every_chain_strictly(tree: BuiltTree, name: str) -> None:
    above = tree.above(name)
    if is_ml_dsa(tree, name):
        # The openssl command knows ML-DSA from 3.5 on.
        tree.certificate(name).verify_directly_issued_by(tree.certificate((above or [name])[0]))
        return
    *between, root = above or [name]
    untrusted = [part for authority in between for part in ("-untrusted", tree.options(authority)["path"])]
    purpose = ["-purpose", PURPOSES[name]] if name in PURPOSES else []
    said = openssl(
        "verify",
        "-x509_strict",
        *purpose,
        "-CAfile",
        tree.options(root)["path"],
        *untrusted,
        tree.options(name)["path"],
    )
    assert said.endswith(": OK\n")


@pytest.mark.parametrize("name", PURPOSES)
def test_cryptography_accepts_the_tls_certificates(tree: BuiltTree, name: str) -> None:
    *between, root = tree.above(name)
    builder = PolicyBuilder().store(Store([tree.certificate(root)])).time(datetime.now(timezone.utc))
    chain = [tree.certificate(authority) for authority in between]
    if name == "web":
        builder.build_server_verifier(x509.DNSName("web.acme.internal")).verify(tree.certificate(name), chain)
    else:
        builder.build_client_verifier().verify(tree.certificate(name), chain)


def findings(said: str) -> list[str]:
    """Return the codes of pkilint's findings, which stand indented below where they were found."""
    return [line.split()[0] for line in said.splitlines() if line.startswith("    ")]


@pytest.mark.parametrize("name", [*AUTHORITIES, *CERTIFICATES])
def test_pkilint_finds_nothing_in_any_certificate(
    tree: BuiltTree, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    lint_pkix_cert.main(["lint", "--severity", "WARNING", tree.options(name)["path"]])
    assert [code for code in findings(capsys.readouterr().out) if code not in ACCEPTED_FINDINGS] == []


@pytest.mark.parametrize("name", ISSUED)
def test_pkilint_finds_nothing_between_issuer_and_subject(
    tree: BuiltTree, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [tree.options(tree.above(name)[0])["path"], tree.options(name)["path"]]
    lint_pkix_signer_signee_cert_chain.main(["lint", "--severity", "WARNING", *paths])
    assert [code for code in findings(capsys.readouterr().out) if code not in ACCEPTED_FINDINGS] == []


def test_pkilint_is_heard(tree: BuiltTree, capsys: pytest.CaptureFixture[str]) -> None:
    lint_pkix_cert.main(["lint", "--severity", "INFO", tree.options("root")["path"]])
    assert findings(capsys.readouterr().out) == ["pkix.subject_key_identifier_method_1_identified"]


@pytest.mark.parametrize("name", [*AUTHORITIES, *CERTIFICATES])
def test_urls_stand_in_every_certificate_except_roots(tree: BuiltTree, name: str) -> None:
    found = {EXTENSION_NAMES[extension.oid.dotted_string] for extension in tree.certificate(name).extensions}
    urls = {"authority_information_access", "crl_distribution_points"}
    assert found & urls == (urls if name in ISSUED else set())


@pytest.mark.parametrize("name", ISSUED)
def test_urls_name_the_issuer(tree: BuiltTree, name: str) -> None:
    issuer = tree.above(name)[0]
    options = tree.options(name)
    assert options["authority_information_access"] == {"ca_issuers": [f"URI:http://pki.acme.example/{issuer}/ca.der"]}
    assert options["crl_distribution_points"] == [{"full_name": [f"URI:http://pki.acme.example/{issuer}/crl.der"]}]


def test_chains_lead_up_to_the_root_without_it(tree: BuiltTree) -> None:
    pki = tree.folder / "pki"
    services = (pki / "services" / "ca.pem").read_bytes()
    web = (pki / "certificates" / "web.pem").read_bytes()
    assert (pki / "services" / "chain.pem").read_bytes() == services
    assert (pki / "certificates" / "web.chain.pem").read_bytes() == services
    assert (pki / "certificates" / "web.fullchain.pem").read_bytes() == web + services
    assert not (pki / "root" / "chain.pem").exists()
