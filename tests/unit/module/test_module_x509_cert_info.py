# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""x509_cert_info runs where there is no AWS library, and only who lints needs a linter."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
import yaml

from ansible_collections.rootstock.pki.plugins.module_utils._pki.certificate_info import describe_certificate
from ansible_collections.rootstock.pki.plugins.modules import x509_cert_info
from tests.unit.pki.test_pki_certificate_info import EVERY_EXTENSION, NOW, certificate

MODULES = "ansible_collections.rootstock.pki.plugins.modules"
HEAVY = "{name.partition('.')[0] for name in sys.modules} & {'boto3', 'botocore', 'pkilint'}"


def loaded(module: str) -> list[str]:
    """Return which of the libraries that take long a module brings in."""
    code = f"import sys, json, {MODULES}.{module}; print(json.dumps(sorted({HEAVY})))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    names: list[str] = json.loads(ended.stdout)
    return names


def test_describing_certificates_loads_no_aws_library() -> None:
    assert loaded("x509_cert_info") == []


@pytest.mark.parametrize("module", ["kms_x509_cert", "kms_x509_cert_pipe"])
def test_issuing_certificates_loads_no_linter_unless_asked(module: str) -> None:
    assert "pkilint" not in loaded(module)


def test_every_field_of_a_certificate_is_documented_and_nothing_else() -> None:
    documented: dict[str, Any] = yaml.safe_load(x509_cert_info.RETURN)
    beyond = {"valid_at", "issuer_match", "certificate_profile", "ledger", "pending", "sign_calls"}
    assert set(describe_certificate(certificate(EVERY_EXTENSION), NOW)) | beyond == set(documented)
