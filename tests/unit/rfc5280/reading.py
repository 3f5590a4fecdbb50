# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates as OpenSSL and pkilint read them, which did not make them."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from ansible_collections.rootstock.pki.plugins.module_utils._pki.certificates import to_pem
from tests.unit.matrix.judges import pkilint_findings

__all__ = ["Shown", "asn1_of", "openssl_refuses", "pkilint_findings", "shown", "text_of"]

_TITLE = re.compile(r" {12}(?P<title>\S.*?): ?(?P<critical>critical)? *")


@dataclass(frozen=True)
class Shown:
    """One extension as OpenSSL shows it: its lines, joined."""

    critical: bool
    text: str


def _openssl(arguments: Sequence[str], certificate: x509.Certificate) -> str:
    pem = certificate.public_bytes(Encoding.PEM)
    run = subprocess.run(["openssl", *arguments], input=pem, capture_output=True, check=True)
    return run.stdout.decode()


def text_of(certificate: x509.Certificate) -> str:
    """Return what `openssl x509 -text` prints, names in the order of the certificate with their string types."""
    options = "esc_msb,utf8,show_type,sname,sep_comma_plus_space"
    return _openssl(["x509", "-noout", "-text", "-nameopt", options], certificate)


def shown(certificate: x509.Certificate) -> dict[str, Shown]:
    """Return the extensions of *certificate* by OpenSSL's title."""
    _before, _title, rest = text_of(certificate).partition("X509v3 extensions:\n")
    found: dict[str, tuple[bool, list[str]]] = {}
    lines: list[str] = []
    for line in rest.splitlines():
        title = _TITLE.fullmatch(line)
        if title:
            lines = []
            found[title["title"]] = (title["critical"] is not None, lines)
        elif line.startswith(" " * 16) or not line.strip():
            lines.append(line.strip())
        else:
            break
    return {title: Shown(critical, "\n".join(text).strip()) for title, (critical, text) in found.items()}


def asn1_of(certificate: x509.Certificate) -> list[str]:
    """Return the lines of `openssl asn1parse`."""
    return _openssl(["asn1parse"], certificate).splitlines()


def openssl_refuses(
    folder: Path,
    certificates: Sequence[x509.Certificate],
    at: datetime,
    *options: str,
) -> str:
    """Return what OpenSSL says against a path, the root first and the end entity last; empty where it accepts it."""
    root, leaf, between = certificates[0], certificates[-1], certificates[1:-1]
    for name, content in {"root.pem": [root], "between.pem": between, "leaf.pem": [leaf]}.items():
        (folder / name).write_bytes(to_pem(content))
    command = ["openssl", "verify", "-x509_strict", "-attime", str(int(at.timestamp())), "-CAfile", "root.pem"]
    command += ["-untrusted", "between.pem"] if between else []
    run = subprocess.run([*command, *options, "leaf.pem"], cwd=folder, capture_output=True, text=True, check=False)
    return "" if run.stdout.strip() == "leaf.pem: OK" else run.stderr
