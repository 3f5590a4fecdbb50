# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check mode says exactly what the run then does, module by module; the roles have a test like this of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from localaws.testing import policy
from tests.unit.module.controller import MODULES, Controller

Options = Mapping[str, Any]
SIGNER = "alias/predicts/signer"
AUDITOR = "auditor"


@dataclass(frozen=True)
class Case:
    """One task.

    Attributes:
        changes: the first run changes something; the second never does.
        again: options of the second run beside those of the first, by what that returned.
    """

    what: str
    module: str
    options: Options
    changes: bool = True
    again: Callable[[dict[str, Any]], Options] = lambda _done: {}


def kept(what: str, module: str, options: Options) -> Case:
    """Return a task that only reads."""
    return Case(what, module, options, changes=False)


def keys() -> list[Case]:
    signer = {"alias": "predicts/signer", "use": "sign", "tags": {"Team": "PKI"}}
    unused = {"alias": "predicts/unused"}
    return [
        Case("a root's key", "kms_key", {"alias": "predicts/root", "use": "ca"}),
        Case("a signer's key", "kms_key", signer),
        Case("other tags", "kms_key", {**signer, "tags": {"Team": "Web"}}),
        Case("a description", "kms_key", {"alias": "predicts/signer", "description": "Signs files"}),
        Case("a key that is disabled", "kms_key", {**unused, "enabled": False}),
        Case("a key that is deleted", "kms_key", {**unused, "state": "absent", "force": True}),
        Case("a key that decrypts", "kms_key", {"alias": "predicts/box", "use": "encrypt", **BOX}),
        kept("what a key is", "kms_key_info", {"alias": "predicts/signer"}),
    ]


BOX = {"key_spec": "RSA_2048", "key_usage": "ENCRYPT_DECRYPT"}


def certificates(folder: Path) -> list[Case]:
    root = {
        "path": str(folder / "root" / "ca.pem"),
        "name": "root",
        "certificate_profile": "root_ca",
        "key_id": "alias/predicts/root",
        "subject": {"common_name": "Root"},
    }
    client = {
        "path": str(folder / "client.pem"),
        "certificate_profile": "code_signing",
        "public_key_path": str(folder / "signer.pem"),
        "issuer_path": root["path"],
        "issuer_key_id": "alias/predicts/root",
        "subject": {"common_name": "client"},
    }
    other = {**client, "subject": {"common_name": "other"}}
    signer = {
        **client,
        "path": str(folder / "document-signer.pem"),
        "certificate_profile": "document_signing",
        "subject": {"common_name": "signer"},
    }
    piped = {**{name: value for name, value in client.items() if name != "path"}, "name": "piped"}
    request = {
        "path": str(folder / "signer.csr"),
        "certificate_profile": "tls_server",
        "key_id": SIGNER,
        "subject": {"common_name": "web.acme.internal"},
        "subject_alt_name": ["DNS:web.acme.internal"],
    }
    piped_request = {**request, "name": "piped", "ledger_path": str(folder / "piped.jsonl"), "path": None}
    taken = {
        "src": client["path"],
        "path": str(folder / "taken" / "client.pem"),
        "public_key_path": str(folder / "signer.pem"),
        "certificate_profile": "code_signing",
    }
    return [
        Case("a public key", "kms_public_key", {"key_id": SIGNER, "path": str(folder / "signer.pem")}),
        Case("a root", "kms_x509_cert", root),
        Case("a client", "kms_x509_cert", client),
        Case("another name", "kms_x509_cert", other),
        Case("another mode", "kms_x509_cert", {**other, "mode": "0600"}),
        Case("other modes", "kms_x509_cert", {**other, "der_path": str(folder / "client.der"), "mode": "u=rw,go=r"}),
        Case("another mode and name", "kms_x509_cert", {**client, "mode": "0640"}),
        Case("the other name", "kms_x509_cert", other),
        Case("another chain file", "kms_x509_cert", {**other, "fullchain_path": str(folder / "full.pem")}),
        Case("a renewal", "kms_x509_cert", {**other, "not_after": "+30d"}),
        Case("a signer's certificate", "kms_x509_cert", signer),
        Case("a certificate in a pipe", "kms_x509_cert_pipe", piped, again=lambda done: content(done["certificate"])),
        Case("a request", "kms_x509_csr", request),
        Case("another request", "kms_x509_csr", {**request, "subject_alt_name": ["DNS:www.acme.internal"]}),
        Case("a request in a pipe", "kms_x509_csr_pipe", given(piped_request), again=lambda done: content(done["csr"])),
        Case("somebody's certificate", "x509_cert_import", taken),
        kept("what a certificate says", "x509_cert_info", {"path": client["path"]}),
    ]


def given(options: Options) -> Options:
    return {name: value for name, value in options.items() if value is not None}


def content(text: str) -> Options:
    return {"content": text}


def revocations(folder: Path) -> list[Case]:
    ledger = str(folder / "root" / "ledger.jsonl")
    crl = {
        "path": str(folder / "root" / "crl.pem"),
        "issuer_path": str(folder / "root" / "ca.pem"),
        "issuer_key_id": "alias/predicts/root",
    }
    hold = {"ledger_path": ledger, "name": "client", "reason": "certificate_hold"}
    repair = {"ledger_path": str(folder / "damaged.jsonl"), "repair": True}
    return [
        Case("the first CRL", "kms_x509_crl", crl),
        Case("a hold", "x509_revocation", hold),
        Case("a CRL that says so", "kms_x509_crl", crl),
        Case("a release", "x509_revocation", {"ledger_path": ledger, "name": "client", "state": "released"}),
        Case(
            "a certificate out of use", "x509_revocation", {"ledger_path": ledger, "name": "client", "state": "retired"}
        ),
        Case("a CRL that is good for longer", "kms_x509_crl", {**crl, "next_update": "+9d"}),
        kept("what a CRL says", "x509_crl_info", {"path": crl["path"]}),
        kept("what a ledger says", "x509_ledger_info", {"ledger_path": [ledger]}),
        Case("a ledger that is repaired", "x509_ledger", repair),
    ]


def signatures(folder: Path, auditor_arn: str) -> list[Case]:
    signed = {"key_id": SIGNER, "content": "released", "dest": str(folder / "content.sig")}
    message = {
        "key_id": SIGNER,
        "certificate_path": str(folder / "document-signer.pem"),
        "content": "released",
        "dest": str(folder / "content.p7s"),
    }
    verified = {"content": "other", "signature_path": signed["dest"], "public_key_path": str(folder / "signer.pem")}
    message = {
        "key_id": SIGNER,
        "src": str(folder / "signer.pem"),
        "dest": str(folder / "signer.p7s"),
        "certificate_path": str(folder / "client.pem"),
    }
    files = [signed["dest"], str(folder / "signer.pem")]
    access = {"role_arn": auditor_arn, "allowed": ["kms:DescribeKey"], "denied": ["kms:Sign"]}
    box = {"key_id": "alias/predicts/box", "src": str(folder / "box"), "dest": str(folder / "plain")}
    return [
        Case("a signature", "kms_sign", signed),
        Case("a signature of other content", "kms_sign", {**signed, "content": "other"}),
        Case("a signature that all may read", "kms_sign", {**signed, "content": "other", "mode": "0604"}),
        Case("signatures", "kms_sign", {"key_id": SIGNER, "files": files}),
        Case("signatures that some may read", "kms_sign", {"key_id": SIGNER, "files": files, "mode": "0640"}),
        Case("a CMS message", "kms_cms_sign", message),
        Case(
            "a CMS message in PEM",
            "kms_cms_sign",
            {**message, "format": "pem", "ledger_path": str(folder / "cms.jsonl")},
        ),
        Case("a CMS message with its content", "kms_cms_sign", {**message, "detached": False}),
        kept("whether a signature is right", "kms_verify", verified),
        Case("a CMS message", "kms_cms_sign", message),
        Case("a CMS message with its content", "kms_cms_sign", {**message, "detached": False}),
        kept("who may do what", "kms_access_test", {"key_id": SIGNER, "expected": [access]}),
        Case("a secret", "kms_decrypt", box),
        Case("another secret", "kms_decrypt", {**box, "mode": "0640"}),
        Case("a secret that was not kept", "kms_decrypt", {**box, "dest": str(folder / "damaged.jsonl")}),
    ]


@pytest.fixture
def cases(controller: Controller, tmp_path: Path) -> list[Case]:
    """Every case, in an order in which each finds what it needs."""
    auditor = make_auditor(controller)
    (tmp_path / "damaged.jsonl").write_text("{}\n")
    return [*keys(), *certificates(tmp_path), *revocations(tmp_path), *signatures(tmp_path, auditor)]


def make_auditor(controller: Controller) -> str:
    """Make a role that may look at keys, and return its ARN."""
    iam = controller.principal.client("iam")
    account_id = controller.principal.arn.split(":")[4]
    trust = policy({"Principal": {"AWS": f"arn:aws:iam::{account_id}:root"}, "Action": "sts:AssumeRole"})
    arn: str = iam.create_role(RoleName=AUDITOR, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    may = policy({"Action": "kms:DescribeKey", "Resource": "*"})
    iam.put_role_policy(RoleName=AUDITOR, PolicyName="looks", PolicyDocument=may)
    return arn


def fill_box(controller: Controller, path: Path) -> None:
    encrypted = controller.principal.client("kms").encrypt(
        KeyId="alias/predicts/box", Plaintext=b"secret", EncryptionAlgorithm="RSAES_OAEP_SHA_256"
    )
    path.write_bytes(encrypted["CiphertextBlob"])


def verdict(told: dict[str, Any]) -> tuple[bool, Any]:
    assert not told.get("failed"), told
    return told["changed"], told.get("diff")


def test_check_mode_predicts_what_every_module_does(cases: list[Case], controller: Controller, tmp_path: Path) -> None:
    assert {case.module for case in cases} == set(MODULES)
    for case in cases:
        if case.module == "kms_decrypt":
            fill_box(controller, tmp_path / "box")
        controller.clock.tick()
        predicted = controller.run(case.module, case.options, check=True)
        done = controller.run(case.module, case.options)
        assert (case.what, verdict(predicted)) == (case.what, verdict(done))
        assert (case.what, done["changed"]) == (case.what, case.changes)
        controller.clock.tick()
        options = {**case.options, **case.again(done)}
        predicted = controller.run(case.module, options, check=True)
        done = controller.run(case.module, options)
        assert (case.what, verdict(predicted)) == (case.what, verdict(done))
        assert (case.what, done["changed"]) == (case.what, False)
