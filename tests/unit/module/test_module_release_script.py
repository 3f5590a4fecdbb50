# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""verify.sh of a release: it accepts what was signed and nothing else, with openssl alone."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from jinja2 import Environment, FileSystemLoader

from ansible_collections.rootstock.pki.plugins.module_utils._operations.cms_gate import check_signers
from ansible_collections.rootstock.pki.plugins.module_utils._signer.cms import CmsSigner, CmsSpec
from ansible_collections.rootstock.pki.plugins.module_utils._signer.specs import Content
from tests.unit.cms.cms_people import (
    CLIENT,
    CODE,
    DOCUMENT,
    MAIL,
    NOW,
    OCSP,
    authority,
    authority_key,
    certify,
    purposes,
    put_pem,
    usage,
)
from tests.unit.module.controller import Controller

TEMPLATES = Path(__file__).resolve().parents[3] / "roles" / "sign_release" / "templates"
NAMES = ("acme.tar.gz", "a b", "-x", "back\\slash", "docs/manual.pdf", ".hidden", "[ab]*")
EMPTY = "py.typed"
OPENSSL = subprocess.run(["openssl", "version"], capture_output=True, text=True, check=True).stdout.split()[1]
KNOWS_ML_DSA = tuple(int(part) for part in OPENSSL.split(".")[:2]) >= (3, 5)
ALGORITHMS = [
    ("ECC_NIST_P256", "ECDSA_SHA_256", "sha256"),
    ("ECC_NIST_P384", "ECDSA_SHA_384", "sha384"),
    ("RSA_2048", "RSASSA_PKCS1_V1_5_SHA_512", "sha512"),
    ("RSA_2048", "RSASSA_PSS_SHA_256", "sha256"),
    ("ECC_NIST_EDWARDS25519", "ED25519_SHA_512", "sha512"),
    *([("ML_DSA_44", "ML_DSA_SHAKE_256", "sha256")] if KNOWS_ML_DSA else []),
]
"""What can be tried with the installed OpenSSL."""


def make_pki(controller: Controller, folder: Path, key_spec: str, profile: str = "code_signing") -> Path:
    """Make a root and a signer below it, and return the root's certificate."""
    assert controller.run("kms_key", {"alias": "release/root", "use": "ca"})["changed"]
    assert controller.run("kms_key", {"alias": "release/signer", "use": "sign", "key_spec": key_spec})["changed"]
    root = {
        "path": str(folder / "root" / "ca.pem"),
        "name": "root",
        "certificate_profile": "root_ca",
        "key_id": "alias/release/root",
        "subject": {"common_name": "Root"},
    }
    signer = {
        "path": str(folder / "signer.pem"),
        "certificate_profile": profile,
        "key_id": "alias/release/signer",
        "issuer_path": root["path"],
        "issuer_key_id": "alias/release/root",
        "subject": {"organization_name": "Acme", "common_name": "Releases"},
    }
    for options in (root, signer):
        assert controller.run("kms_x509_cert", options)["sign_calls"] == 1
    return folder / "root" / "ca.pem"


def make_release(controller: Controller, folder: Path, algorithm: str, digest: str = "sha256") -> Path:
    """Do what the role does, and return the folder of the release."""
    release = folder / "release"
    for name in NAMES:
        (release / name).parent.mkdir(parents=True, exist_ok=True)
        (release / name).write_text(f"content of {name}\n")
    (release / EMPTY).touch()
    usual = {"key_id": "alias/release/signer", "signing_algorithm": algorithm}
    files = {**usual, "files": [str(release / name) for name in NAMES], "public_key_path": str(folder / "signer.pem")}
    sums = {"manifest": True, "manifest_path": str(release / f"{digest.upper()}SUMS"), "manifest_digest": digest}
    manifest = {**files, **sums, "files": [*files["files"], str(release / EMPTY)]}
    message = {**usual, "src": manifest["manifest_path"], "certificate_path": str(folder / "signer.pem")}
    assert controller.run("kms_sign", manifest)["sign_calls"] == 1
    assert controller.run("kms_cms_sign", {**message, "dest": f"{message['src']}.p7s"})["sign_calls"] == 1
    assert controller.run("kms_sign", files)["sign_calls"] == len(NAMES)
    (release / "certificates.pem").write_bytes((folder / "signer.pem").read_bytes())
    (release / "verify.sh").write_text(script(algorithm, digest))
    return release


def script(algorithm: str, digest: str = "sha256") -> str:
    templates = Environment(loader=FileSystemLoader(TEMPLATES), trim_blocks=True, autoescape=False)  # noqa: S701
    templates.filters |= {"basename": os.path.basename, "bool": bool}
    return templates.get_template("verify.sh.j2").render(
        algorithm=algorithm,
        sign_release_manifest_path=f"release/{digest.upper()}SUMS",
        sign_release_manifest_digest=digest,
        sign_release_each=True,
    )


def verify(release: Path, root: Path) -> tuple[int, str]:
    command = ["sh", str(release / "verify.sh"), str(root)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=release.parent)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(("key_spec", "algorithm", "digest"), ALGORITHMS)
def test_a_release_is_accepted(
    controller: Controller, tmp_path: Path, key_spec: str, algorithm: str, digest: str
) -> None:
    root = make_pki(controller, tmp_path, key_spec)
    release = make_release(controller, tmp_path, algorithm, digest)
    assert verify(release, root) == (0, f"OK: {len(NAMES) + 1} files, signed by CN=Releases,O=Acme\n")


def flip(path: Path) -> None:
    """Change one bit near the end: of what was signed, or of a signature, which is what a message ends with."""
    content = bytearray(path.read_bytes())
    content[-2] ^= 1
    path.write_bytes(content)


def replace_signer(path: Path) -> None:
    """Put a certificate there that signed nothing."""
    path.write_bytes((path.parent.parent.parent / "root" / "ca.pem").read_bytes())


def replace_with_link(path: Path) -> None:
    path.rename(path.parent.parent / "elsewhere")
    path.symlink_to(path.parent.parent / "elsewhere")


TAMPERING: list[tuple[str, Callable[[Path], Any], str]] = [
    ("acme.tar.gz", flip, "acme.tar.gz is not the file that was signed"),
    ("docs/manual.pdf", Path.unlink, "docs/manual.pdf is missing"),
    ("a b.sig", flip, "a b.sig is not the signature of a b"),
    ("a b.sig", Path.unlink, "a b.sig is not the signature of a b"),
    ("SHA256SUMS", flip, "SHA256SUMS.sig is not the signature of SHA256SUMS"),
    ("SHA256SUMS.sig", flip, "SHA256SUMS.sig is not the signature of SHA256SUMS"),
    ("SHA256SUMS.p7s", flip, "SHA256SUMS.p7s is not the signature of SHA256SUMS"),
    ("SHA256SUMS.p7s", Path.unlink, "SHA256SUMS.p7s is not the signature of SHA256SUMS"),
    (EMPTY, lambda path: path.write_text("more"), "py.typed is not the file that was signed"),
    ("certificates.pem", replace_signer, "is that of an authority"),
    ("more", Path.touch, "does not list ./more"),
    ("docs/more.sig", Path.touch, "does not list ./docs/more.sig"),
    ("acme.tar.gz", replace_with_link, "OK: "),
]


def test_a_release_that_was_tampered_with_is_not(controller: Controller, tmp_path: Path) -> None:
    root = make_pki(controller, tmp_path, "ECC_NIST_P256")
    release = make_release(controller, tmp_path, "ECDSA_SHA_256")
    wrong = []
    for name, tamper, sentence in TAMPERING:
        copy = tmp_path / "copy" / "release"
        subprocess.run(["rm", "-rf", str(copy.parent)], check=True)
        copy.parent.mkdir()
        subprocess.run(["cp", "-a", str(release), str(copy)], check=True)
        tamper(copy / name)
        status, said = verify(copy, root)
        if sentence not in said or status != (0 if sentence == "OK: " else 1):
            wrong.append((name, sentence, status, said))
    assert wrong == []


def test_another_root_and_a_certificate_for_something_else_are_not_accepted(
    controller: Controller, tmp_path: Path
) -> None:
    root = make_pki(controller, tmp_path, "ECC_NIST_P256", profile="tls_client")
    release = tmp_path / "release"
    release.mkdir()
    (release / "certificates.pem").write_bytes((tmp_path / "signer.pem").read_bytes())
    (release / "verify.sh").write_text(script("ECDSA_SHA_256"))
    assert verify(release, root) == (1, "NOT OK: the certificate in certificates.pem is not one for signing files\n")
    status, said = verify(release, tmp_path / "signer.pem")
    assert status == 1
    assert said.startswith("NOT OK: certificates.pem does not lead up to ")


ACCEPTED = "NOT OK: SHA256SUMS.sig is not the signature of SHA256SUMS"
FOR_SOMETHING_ELSE = "NOT OK: the certificate in certificates.pem is not one for signing files"
RESERVED = "NOT OK: the certificate in certificates.pem is that of an authority or of its responder"
KINDS: list[tuple[list[x509.ExtensionType], str]] = [
    ([], ACCEPTED),
    ([purposes(DOCUMENT)], ACCEPTED),
    ([purposes(MAIL, CLIENT)], ACCEPTED),
    ([purposes("2.5.29.37.0")], ACCEPTED),
    ([x509.BasicConstraints(ca=False, path_length=None), purposes(CODE)], ACCEPTED),
    ([purposes(CLIENT)], FOR_SOMETHING_ELSE),
    ([purposes(CODE, OCSP)], RESERVED),
    ([x509.BasicConstraints(ca=True, path_length=None)], RESERVED),
]


@pytest.mark.parametrize(("extensions", "sentence"), KINDS)
def test_certificates_are_accepted_that_the_role_signs_with(
    tmp_path: Path, extensions: list[x509.ExtensionType], sentence: str
) -> None:
    issuer, key = authority("Middle", "Middle"), authority_key("signer").public_key()
    authority_key_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key())  # type: ignore[arg-type]
    is_authority = any(isinstance(one, x509.BasicConstraints) and one.ca for one in extensions)
    usages = ("digital_signature", *(["key_cert_sign"] if is_authority else []))
    given = [(one, isinstance(one, x509.BasicConstraints)) for one in (authority_key_id, *extensions)]
    signer = certify(key, (usage(*usages), True), *given)
    put_pem(tmp_path / "certificates.pem", signer)
    put_pem(tmp_path / "root.pem", issuer)
    (tmp_path / "verify.sh").write_text(script("ECDSA_SHA_256"))
    assert verify(tmp_path, tmp_path / "root.pem") == (1, f"{sentence}\n")
    signers = (CmsSigner("alias/signer", signer, "ECDSA_SHA_256"),)
    spec = CmsSpec(Content("release"), "release.p7s", "DER", False, True, signers, (signer,), (), (issuer,))
    assert (not list(check_signers(spec, NOW))) == (sentence == ACCEPTED)


def test_it_says_how_it_is_used(tmp_path: Path) -> None:
    (tmp_path / "verify.sh").write_text(script("ECDSA_SHA_256"))
    assert verify(tmp_path, tmp_path / "nothing") == (2, "usage: sh verify.sh ROOT.pem\n")
