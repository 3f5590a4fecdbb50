# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""kms_cms_sign and kms_verify against the local AWS: roles of the signers, least rights, and what is never asked."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from localaws.testing import policy
from tests.unit.module.controller import Controller
from tests.unit.module.refusals import Refusal, not_told

CHAIR, CLERK = "alias/cms/chair", "alias/cms/clerk"


def role(controller: Controller, name: str, *actions: str) -> str:
    """Make a role that the account may assume, with some rights on keys, and return its ARN."""
    iam = controller.principal.client("iam")
    account_id = controller.principal.arn.split(":")[4]
    trust = policy({"Principal": {"AWS": f"arn:aws:iam::{account_id}:root"}, "Action": "sts:AssumeRole"})
    arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    may = policy({"Action": list(actions), "Resource": "*"})
    iam.put_role_policy(RoleName=name, PolicyName="signs", PolicyDocument=may)
    return arn


@pytest.fixture
def office(controller: Controller, tmp_path: Path) -> Path:
    """A root, and two people with keys and certificates."""
    done = [controller.run("kms_key", {"alias": "cms/root", "use": "ca"})]
    done += [controller.run("kms_key", {"alias": alias, "use": "sign"}) for alias in (CHAIR, CLERK)]
    root = {
        "path": str(tmp_path / "root" / "ca.pem"),
        "certificate_profile": "root_ca",
        "key_id": "alias/cms/root",
        "subject": {"common_name": "Root"},
    }
    done.append(controller.run("kms_x509_cert", root))
    for alias in (CHAIR, CLERK):
        name = alias.rpartition("/")[2]
        wanted = {
            "path": str(tmp_path / f"{name}.pem"),
            "certificate_profile": "document_signing",
            "key_id": alias,
            "issuer_path": root["path"],
            "issuer_key_id": "alias/cms/root",
            "subject": {"common_name": name},
        }
        done.append(controller.run("kms_x509_cert", wanted))
    assert [one for one in done if one.get("failed")] == []
    return tmp_path


def signer(office: Path, alias: str, role_arn: str) -> dict[str, Any]:
    path = str(office / f"{alias.rpartition('/')[2]}.pem")
    return {"key_id": alias, "certificate_path": path, "assume_role": {"role_arn": role_arn}}


def minutes(office: Path, **options: Any) -> dict[str, Any]:
    return {"content": "minutes", "dest": str(office / "minutes.p7m"), "detached": False, **options}


def test_each_signer_has_a_role_that_may_do_nothing_but_sign(controller: Controller, office: Path) -> None:
    signers = [
        signer(office, CHAIR, role(controller, "Chair", "kms:Sign")),
        signer(office, CLERK, role(controller, "Clerk", "kms:Sign")),
    ]
    ledger = office / "signatures.jsonl"
    options = minutes(office, signers=signers, ledger_path=str(ledger))
    done, again = controller.run("kms_cms_sign", options), controller.run("kms_cms_sign", options)
    assert (done["changed"], done["sign_calls"], again["changed"], again["sign_calls"]) == (True, 2, False, 0)
    outcomes = [json.loads(line) for line in ledger.read_text().splitlines()][2:]
    assert [one["caller_arn"].split("/")[1] for one in outcomes] == ["Chair", "Clerk"]
    asked = {"format": "cms", "signature_path": options["dest"], "root_certificates": [str(office / "root" / "ca.pem")]}
    verdict = controller.run("kms_verify", asked)
    assert sorted(one["subject"] for one in verdict["signers"]) == ["CN=chair", "CN=clerk"]


FORMS = [
    ({"dest": "attached.pem", "detached": False, "format": "pem"}, "-binary -inform PEM -in attached.pem"),
    ({"dest": "contract.p7s"}, "-binary -inform DER -in contract.p7s -content contract"),
    ({"dest": "contract.eml", "format": "smime"}, "-in contract.eml"),
]


def test_the_signer_of_the_task_has_to_have_signed(controller: Controller, office: Path) -> None:
    signed = contract(office)
    assert controller.run("kms_cms_sign", signed)["changed"]
    asked = {"format": "cms", "src": signed["src"], "signature_path": signed["dest"]}
    asked["root_certificates"] = signed["root_certificates"]
    assert controller.run("kms_verify", {**asked, "certificate_path": str(office / "chair.pem")})["valid"]
    told = controller.run("kms_verify", {**asked, "certificate_content": (office / "clerk.pem").read_text()})
    assert told["failed"]
    assert "it is signed by CN=chair (" in told["msg"]
    assert "expected CN=clerk (" in told["msg"]


def contract(office: Path, **options: Any) -> dict[str, Any]:
    """Return the options of a message over a file by the chair."""
    (office / "contract").write_text("We agree.\n")
    dest = str(office / options.pop("dest", "contract.p7s"))
    usual = {"src": str(office / "contract"), "key_id": CHAIR, "certificate_path": str(office / "chair.pem")}
    return {**usual, "root_certificates": [str(office / "root" / "ca.pem")], "dest": dest, **options}


@pytest.mark.parametrize(("options", "read"), FORMS)
def test_openssl_and_kms_verify_accept_every_form(
    controller: Controller, office: Path, options: dict[str, Any], read: str
) -> None:
    signed = contract(office, **options)
    assert [controller.run("kms_cms_sign", signed)["sign_calls"] for _turn in range(2)] == [1, 0]
    trust = ["-CAfile", "root/ca.pem", "-purpose", "any", "-out", "read"]
    subprocess.run(["openssl", "cms", "-verify", *read.split(), *trust], cwd=office, check=True, capture_output=True)
    asked = {"format": "cms", "signature_path": signed["dest"], "root_certificates": signed["root_certificates"]}
    detached = {"src": signed["src"]} if "-content" in read else {}
    asked |= {**detached, "fail_on_invalid": False}
    verdict = controller.run("kms_verify", {**asked, "purpose": "document_signing"})
    assert (verdict["valid"], verdict["signers"][0]["chain"]) == (True, ["CN=chair", "CN=Root"])
    other = controller.run("kms_verify", {**asked, "purpose": "code_signing"})
    assert not other["valid"]
    assert "is for document_signing, not for code_signing" in other["reason"]


def test_a_renewed_certificate_signs_anew_and_once(controller: Controller, office: Path) -> None:
    signed = contract(office)
    assert controller.run("kms_cms_sign", signed)["sign_calls"] == 1
    renewal = {
        "path": str(office / "chair.pem"),
        "certificate_profile": "document_signing",
        "key_id": CHAIR,
        "issuer_path": str(office / "root" / "ca.pem"),
        "issuer_key_id": "alias/cms/root",
        "subject": {"common_name": "chair"},
        "not_after": "+30d",
    }
    assert controller.run("kms_x509_cert", renewal)["changed"]
    told = [controller.run("kms_cms_sign", signed) for _turn in range(2)]
    assert [one["sign_calls"] for one in told] == [1, 0]
    assert "is not signed with the certificates of CN=chair" in told[0]["reason"]


def test_what_must_not_be_signed_is_refused(controller: Controller, office: Path) -> None:
    root = str(office / "root" / "ca.pem")
    refusals: list[Refusal] = [
        (f"CN=chair: its certificate is not of the key {CLERK}", {"key_id": CLERK}),
        ("CN=Root: is the certificate of an authority", {"key_id": "alias/cms/root", "certificate_path": root}),
        ("signing_algorithm ECDSA_SHA_512 does not fit", {"signing_algorithm": "ECDSA_SHA_512"}),
        ("the KMS key alias/cms/later does not exist yet", {"key_id": "alias/cms/later"}),
    ]
    assert not_told(controller, "kms_cms_sign", contract(office), refusals) == []
    assert not (office / "contract.p7s").exists()


def test_a_role_that_may_not_sign_is_told_and_nothing_is_written(controller: Controller, office: Path) -> None:
    signers = [signer(office, CHAIR, role(controller, "Guest", "kms:DescribeKey"))]
    told = controller.run("kms_cms_sign", minutes(office, signers=signers))
    assert told["failed"]
    assert "kms:Sign" in told["msg"]
    assert not (office / "minutes.p7m").exists()


def test_aws_is_not_asked_about_a_message_that_is_right(controller: Controller, office: Path) -> None:
    options = minutes(office, key_id=CHAIR, certificate_path=str(office / "chair.pem"))
    assert controller.run("kms_cms_sign", options)["changed"]
    nowhere = {**options, "endpoint_url": "http://127.0.0.1:9"}
    told = controller.run("kms_cms_sign", nowhere)
    assert (told.get("failed", False), told["changed"]) == (False, False)


def test_the_key_of_an_authority_is_refused_whatever_certificate_it_is_given(
    controller: Controller, office: Path
) -> None:
    wanted = {
        "path": str(office / "posing.pem"),
        "certificate_profile": "document_signing",
        "key_id": "alias/cms/root",
        "issuer_path": str(office / "root" / "ca.pem"),
        "issuer_key_id": "alias/cms/root",
        "subject": {"common_name": "posing"},
    }
    certified = controller.run("kms_x509_cert", wanted)
    path = wanted["path"] if not certified.get("failed") else str(office / "root" / "ca.pem")
    told = controller.run("kms_cms_sign", minutes(office, key_id="alias/cms/root", certificate_path=path))
    assert told["failed"]
    assert "rootstock:use=ca" in told["msg"] or "is the certificate of an authority" in told["msg"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"src": "x", "content": "y"}, "mutually exclusive"),
        ({"key_id": CHAIR}, "certificate_path"),
        ({"key_id": CHAIR, "signers": []}, "mutually exclusive"),
        ({}, "key_id, signers"),
    ],
)
def test_options_that_do_not_fit_together_are_told(
    controller: Controller, tmp_path: Path, options: dict[str, Any], sentence: str
) -> None:
    told = controller.run("kms_cms_sign", minutes(tmp_path, **options))
    assert told["failed"]
    assert sentence in told["msg"]


def test_a_message_is_not_verified_without_somebody_to_trust(controller: Controller, tmp_path: Path) -> None:
    told = controller.run("kms_verify", {"format": "cms", "signature_path": str(tmp_path / "message")})
    assert "root_certificates: are needed for format cms" in told["msg"]


def test_a_message_that_is_not_there_yet_is_pending(controller: Controller, tmp_path: Path) -> None:
    gone = {"format": "cms", "signature_path": str(tmp_path / "message"), "root_certificates": [str(tmp_path / "root")]}
    told = controller.run("kms_verify", gone, check=True)
    assert len(told["pending"]) == 2
    assert controller.run("kms_verify", gone)["failed"]
