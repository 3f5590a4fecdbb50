# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""RFC 5280 4.2.1.9: basic constraints are critical, and a path length is for authorities."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.rootstock.pki.plugins.module_utils._pki.profiles import PROFILES
from tests.unit.rfc5280.office import Office
from tests.unit.rfc5280.reading import Shown, openssl_refuses, pkilint_findings, shown

BC = "X509v3 Basic Constraints"
CA_USAGE = ["key_cert_sign", "crl_sign"]


def test_rfc5280_4_2_1_9_root_basic_constraints_is_critical(office: Office) -> None:
    assert shown(office.certify_authority("new"))[BC] == Shown(critical=True, text="CA:TRUE")


@pytest.mark.parametrize("length", [0, 1, 7, 2**31 - 1])
def test_rfc5280_4_2_1_9_the_path_length_is_shown(office: Office, length: int) -> None:
    certificate = office.certify_authority("services", "root", path_length=length)
    assert shown(certificate)[BC] == Shown(critical=True, text=f"CA:TRUE, pathlen:{length}")
    assert pkilint_findings(certificate) == []


@pytest.mark.parametrize("profile", [name for name, profile in PROFILES.items() if not profile.ca])
def test_rfc5280_4_2_1_9_end_entities_say_that_they_are_none(office: Office, profile: str) -> None:
    names = ["DNS:web.acme.internal", "email:web@acme.internal"]
    assert shown(office.certify("web", profile, "root", subject_alt_name=names))[BC] == Shown(True, "CA:FALSE")


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["CA:TRUE"], "CA:TRUE"),
        (["CA:TRUE", "pathlen:0"], "CA:TRUE, pathlen:0"),
        (["pathlen:3", "CA:TRUE"], "CA:TRUE, pathlen:3"),
        (["CA:FALSE"], "CA:FALSE"),
        ([], "CA:FALSE"),
    ],
)
def test_rfc5280_4_2_1_9_custom_certificates_say_it_themselves(office: Office, words: list[str], text: str) -> None:
    usage = {"key_usage": CA_USAGE} if "CA:TRUE" in words else {}
    certificate = office.certify("own", "custom", "root", basic_constraints=words, **usage)
    assert shown(certificate)[BC] == Shown(critical=True, text=text)
    root = office.certify_authority("root", subject={"common_name": "Root"})
    assert openssl_refuses(office.folder, [root, certificate], office.clock.now) == ""


@pytest.mark.parametrize(
    ("profile", "options", "says"),
    [
        (
            "tls_client",
            {"path_length": 0},
            "path_length is for authorities, and certificate_profile tls_client is none",
        ),
        ("subordinate_ca", {"path_length": -1}, "path_length: -1 is negative"),
        ("subordinate_ca", {"path_length": 2**31}, "is more than 2147483647"),
        ("subordinate_ca", {"basic_constraints": ["CA:TRUE"]}, "is for certificate_profile custom"),
        ("custom", {"basic_constraints": ["CA:YES"]}, "basic_constraints: CA:YES is unknown"),
        ("custom", {"basic_constraints": ["CA:TRUE", "CA:FALSE"]}, "has both CA:TRUE and CA:FALSE"),
        ("custom", {"basic_constraints": ["pathlen:0"]}, "path_length is for authorities"),
        ("custom", {"basic_constraints": ["CA:TRUE"]}, "an authority needs a key_usage"),
        ("custom", {"basic_constraints": ["CA:TRUE", "pathlen:1"], "path_length": 2}, "said to be 1 and 2"),
    ],
)
def test_rfc5280_4_2_1_9_constraints_that_contradict_are_refused(
    office: Office, profile: str, options: dict[str, Any], says: str
) -> None:
    assert says in office.refusal("new", profile, "root", **options)
