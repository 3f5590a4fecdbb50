# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""RFC 5280 4.2.1.5: policy mappings are for authorities alone, never of any policy, and at least one."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography import x509

from ansible_collections.rootstock.pki.plugins.module_utils._pki.der import encode, wrap
from tests.unit.rfc5280.office import Office
from tests.unit.rfc5280.reading import Shown, openssl_refuses, shown

ANY, ONE, OTHER = "2.5.29.32.0", "1.2.3.4", "1.2.3.5"
ANY_POLICY = {"certificate_policies": [{"policy": "any_policy"}]}


def mapping(*pairs: tuple[str, str], critical: bool = True) -> dict[str, Any]:
    """Return the option that says policy mappings, which is for extensions that have none of their own."""
    der = wrap(0x30, b"".join(wrap(0x30, encode("OID", one) + encode("OID", other)) for one, other in pairs))
    return {"other_extensions": [{"oid": "2.5.29.33", "value": base64.b64encode(der).decode(), "critical": critical}]}


@pytest.mark.parametrize("critical", [True, False])
def test_rfc5280_4_2_1_5_an_authority_may_map_policies(office: Office, critical: bool) -> None:
    certificate = office.certify_authority("services", "root", **ANY_POLICY, **mapping((ONE, OTHER), critical=critical))
    assert shown(certificate)["X509v3 Policy Mappings"] == Shown(critical, f"{ONE}:{OTHER}")
    root = x509.load_pem_x509_certificate(office.ca_path("root").read_bytes())
    leaf = office.certify("web", "tls_client", "services", certificate_policies=[{"policy": OTHER}])
    assert openssl_refuses(office.folder, [root, certificate, leaf], office.clock.now, "-policy", ONE) == ""


@pytest.mark.parametrize(
    ("pairs", "says"),
    [
        ([(ONE, ANY)], "maps any policy (RFC 5280 6.1.4 a); issue it without that mapping"),
        ([(ANY, ONE)], "maps any policy (RFC 5280 6.1.4 a); issue it without that mapping"),
        ([(ONE, OTHER), (OTHER, ANY)], "maps any policy (RFC 5280 6.1.4 a); issue it without that mapping"),
        ([], "that cannot be read, no mapping, where RFC 5280 4.2.1.5 has one or more"),
    ],
)
def test_rfc5280_4_2_1_5_what_spoils_the_authority_itself_is_not_signed(
    office: Office, pairs: list[tuple[str, str]], says: str
) -> None:
    for name in ("services", "new"):
        office.key(name)
    told = office.refusal("services", "subordinate_ca", "root", **ANY_POLICY, **mapping(*pairs))
    assert told.partition("CN=services")[2].endswith(says)
    assert says in office.refusal("new", "root_ca", **mapping(*pairs))


@pytest.mark.parametrize("critical", [True, False])
@pytest.mark.parametrize("profile", ["tls_client", "custom"])
def test_rfc5280_4_2_1_5_end_entities_have_none(office: Office, profile: str, critical: bool) -> None:
    told = office.refusal("web", profile, "root", **mapping((ONE, OTHER), critical=critical))
    assert f"2.5.29.33 (policy mappings) is for authorities, and certificate_profile {profile} is none" in told
