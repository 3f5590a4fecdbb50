# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What kms_x509_cert refuses, each in one sentence and before anything is signed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from tests.unit.module.controller import Controller
from tests.unit.module.refusals import Refusal, not_told

URL = "http://a.example/"
OPTIONS: list[Refusal] = [
    ("is outside of what CN=Services,O=Acme permits", {"subject_alt_name": ["DNS:acme.example"]}),
    ("IP:10.0.0.1 is excluded by", {"subject_alt_name": ["DNS:web.acme.internal", "IP:10.0.0.1"]}),
    ("forbids issuing the CA", {"certificate_profile": "subordinate_ca", "subject_alt_name": None}),
    ("the latest possible is", {"not_after": "+4000d", "certificate_profile": "document_signing"}),
    ("does not exist", {"not_after": "20260231000000Z"}),
    ("not shorter than the lifetime", {"renew_before": "500d"}),
    ("is not usable", {"name": "../escape"}),
    ("digest sha512 does not fit", {"digest": "sha512"}),
    ("is for RSA keys", {"signature_padding": "pss"}),
    ("did you mean tls_server?", {"certificate_profile": "tls_sever"}),
    ("extends has to name one of", {"certificate_profile": "own", "certificate_profiles": {"own": {"extends": "web"}}}),
    ("is no country code", {"subject": {"country_name": "de"}}),
    ("key_usage: sign is unknown", {"key_usage": ["sign"]}),
    ("does not fit a EC key", {"key_usage": ["key_encipherment"]}),
    ("stands alone and is critical", {"extended_key_usage": ["server_auth", "time_stamping"]}),
    ("is not an object identifier", {"certificate_policies": [{"policy": "gold"}]}),
    ("is for authorities", {"inhibit_any_policy": 0}),
    ("no entry is for all reasons", {"crl_distribution_points": [{"full_name": [URL], "reasons": ["superseded"]}]}),
    ("it is no absolute URI", {"authority_information_access": {"ocsp": ["responder"]}}),
    ("which other options say", {"other_extensions": [{"oid": "2.5.29.15", "value": "AwIHgA=="}]}),
    ("is not hexadecimal", {"subject_key_identifier": "xyz"}),
    ("issuer_key_id is missing", {"issuer_key_id": None}),
]
KEYS: list[Refusal] = [
    ("is not a ECDSA_SHA_256 signature", {"name": "other", "issuer_key_id": "alias/refusals/root"}),
    ("does not exist", {"issuer_key_id": "alias/refusals/nobody"}),
    ("127.0.0.1:1", {"endpoint_url": "http://127.0.0.1:1"}),
    ("disabled", {"name": "disabled"}),
]


@pytest.fixture
def web(controller: Controller, tmp_path: Path) -> dict[str, Any]:
    """The options of a certificate that the authority services would issue."""
    for name in ("root", "services"):
        assert controller.run("kms_key", {"alias": f"refusals/{name}", "use": "ca"})["changed"]
    public_key = str(tmp_path / "services.pem")
    assert controller.run("kms_public_key", {"key_id": "alias/refusals/services", "path": public_key})["changed"]
    for authority in (root(tmp_path), services(tmp_path)):
        assert controller.run("kms_x509_cert", authority)["sign_calls"] == 1
    (tmp_path / "web.csr").write_bytes(request(ec.generate_private_key(ec.SECP256R1())).public_bytes(Encoding.PEM))
    return {
        "path": str(tmp_path / "web.pem"),
        "certificate_profile": "tls_server",
        "csr_path": str(tmp_path / "web.csr"),
        "issuer_path": str(tmp_path / "services" / "ca.pem"),
        "issuer_chain_path": [str(tmp_path / "root" / "ca.pem")],
        "issuer_key_id": "alias/refusals/services",
        "subject_alt_name": ["DNS:web.acme.internal"],
    }


def root(folder: Path) -> dict[str, Any]:
    return {
        "path": str(folder / "root" / "ca.pem"),
        "name": "root",
        "certificate_profile": "root_ca",
        "key_id": "alias/refusals/root",
        "subject": {"organization_name": "Acme", "common_name": "Root"},
    }


def services(folder: Path) -> dict[str, Any]:
    return {
        "path": str(folder / "services" / "ca.pem"),
        "name": "services",
        "certificate_profile": "subordinate_ca",
        "public_key_path": str(folder / "services.pem"),
        "issuer_path": str(folder / "root" / "ca.pem"),
        "issuer_key_id": "alias/refusals/root",
        "subject": {"organization_name": "Acme", "common_name": "Services"},
        "path_length": 0,
        "name_constraints_permitted": ["DNS:acme.internal"],
    }


def request(key: ec.EllipticCurvePrivateKey, *extensions: x509.ExtensionType) -> x509.CertificateSigningRequest:
    builder = x509.CertificateSigningRequestBuilder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "web")]))
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(key, hashes.SHA256())


def test_options_that_must_not_be_signed(web: dict[str, Any], controller: Controller, tmp_path: Path) -> None:
    before = lines(tmp_path)
    assert not_told(controller, "kms_x509_cert", web, OPTIONS) == []
    assert lines(tmp_path) == before
    assert not Path(web["path"]).exists()


def lines(folder: Path) -> dict[str, int]:
    """Return how many lines each authority's ledger has."""
    return {str(path): len(path.read_text().splitlines()) for path in folder.glob("*/ledger.jsonl")}


def test_files_that_are_not_what_they_are_said_to_be(
    web: dict[str, Any], controller: Controller, tmp_path: Path
) -> None:
    files = make_files(tmp_path)
    refusals: list[Refusal] = [
        ("cannot be read", {"csr_path": str(tmp_path / "missing.csr")}),
        ("not a readable CSR", {"csr_path": files["broken"]}),
        ("signature does not verify under its own key", {"csr_path": files["forged"]}),
        ("asks for CA:TRUE", {"csr_path": files["authority"]}),
        ("the CSR's subject_alt_name is not fit", {"csr_path": files["names"], "subject_alt_name": None}),
        ("holds no certificate", {"issuer_path": files["broken"]}),
        ("what it allows cannot be known", {"issuer_chain_path": [str(tmp_path / "rot" / "ca.pem")]}),
        ("web.csr is not a folder or not writable", {"path": f"{web['csr_path']}/web.pem", "name": "web"}),
        ("it has a NUL in it", {"fullchain_path": f"{tmp_path}/a\0b"}),
    ]
    before = lines(tmp_path)
    assert not_told(controller, "kms_x509_cert", web, refusals) == []
    assert lines(tmp_path) == before


def make_files(folder: Path) -> dict[str, str]:
    key = ec.generate_private_key(ec.SECP256R1())
    good = request(key).public_bytes(Encoding.DER)
    contents = {
        "broken": b"-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----\n",
        "forged": good[:-1] + bytes([good[-1] ^ 1]),
        "authority": request(key, x509.BasicConstraints(ca=True, path_length=None)).public_bytes(Encoding.PEM),
        "names": request(key, x509.SubjectAlternativeName([x509.DNSName("a_b.acme.internal")])).public_bytes(
            Encoding.PEM
        ),
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return {name: str(folder / name) for name in contents}


@pytest.mark.usefixtures("impatient")
def test_keys_that_do_not_sign(web: dict[str, Any], controller: Controller) -> None:
    kms = controller.principal.client("kms")
    kms.disable_key(KeyId=kms.describe_key(KeyId="alias/refusals/services")["KeyMetadata"]["KeyId"])
    assert not_told(controller, "kms_x509_cert", web, KEYS) == []
    assert not Path(web["path"]).exists()


def test_a_damaged_ledger_is_named_with_its_line(web: dict[str, Any], controller: Controller, tmp_path: Path) -> None:
    ledger = tmp_path / "services" / "ledger.jsonl"
    ledger.write_text("not JSON\n")
    refusals: list[Refusal] = [("line 1 is not a JSON object", {})]
    assert not_told(controller, "kms_x509_cert", web, refusals) == []
    assert ledger.read_text() == "not JSON\n"
