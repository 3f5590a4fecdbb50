# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Authorities with keys and folders of their own, and what openssl makes and judges beside them."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from tests.unit.module.controller import Controller


def openssl(folder: Path, *arguments: str | Path) -> str:
    """Run openssl, which has to succeed, and return what it said."""
    done = subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def make_key(controller: Controller, folder: Path, name: str, key_spec: str = "ECC_NIST_P256") -> str:
    """Make a key of that name, keep its public key in the folder of that name, and return the path of that."""
    assert controller.run("kms_key", {"alias": f"module/{name}", "key_spec": key_spec})["changed"]
    path = str(folder / name / "public_key.pem")
    assert controller.run("kms_public_key", {"key_id": f"alias/module/{name}", "path": path})["changed"]
    return path


def root_options(folder: Path, name: str = "root", **more: Any) -> dict[str, Any]:
    return {
        "path": str(folder / name / "ca.pem"),
        "name": name,
        "certificate_profile": "root_ca",
        "key_id": f"alias/module/{name}",
        "subject": {"organization_name": "Acme", "common_name": f"Acme {name}"},
        **more,
    }


def make_root(controller: Controller, folder: Path, name: str = "root", **more: Any) -> dict[str, Any]:
    """Make a root and return what was told of its certificate."""
    make_key(controller, folder, name, **{option: more.pop(option) for option in ("key_spec",) if option in more})
    made = controller.run("kms_x509_cert", root_options(folder, name, **more))
    assert made["sign_calls"] == 1
    return made


def below(folder: Path, name: str, issuer: str = "root", **more: Any) -> dict[str, Any]:
    """Return the options of a client's certificate, whose key is the issuer's own unless told otherwise."""
    return {
        "path": str(folder / f"{name}.pem"),
        "certificate_profile": "tls_client",
        "public_key_path": str(folder / issuer / "public_key.pem"),
        "issuer_path": str(folder / issuer / "ca.pem"),
        "issuer_key_id": f"alias/module/{issuer}",
        "subject": {"common_name": name},
        **more,
    }


def authority_below(folder: Path, name: str, issuer: str = "root", **more: Any) -> dict[str, Any]:
    """Return the options of an authority that has a key of its own."""
    own = {
        "name": name,
        "path": str(folder / name / "ca.pem"),
        "certificate_profile": "subordinate_ca",
        "public_key_path": str(folder / name / "public_key.pem"),
    }
    return {**below(folder, name, issuer), **own, **more}
