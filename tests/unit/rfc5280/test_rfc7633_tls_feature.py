# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""RFC 7633: a server that has to staple says so in its certificate; a request may ask for it."""

from __future__ import annotations

import pytest
from cryptography import x509

from tests.unit.rfc5280.office import Office, csr_pem
from tests.unit.rfc5280.reading import Shown, openssl_refuses, pkilint_findings, shown

NAMES = {"subject_alt_name": ["DNS:web.acme.internal"]}
STAPLE = (x509.TLSFeature([x509.TLSFeatureType.status_request]), False)


@pytest.mark.parametrize("critical", [False, True])
def test_rfc7633_status_request_is_shown_and_critical_only_when_asked(office: Office, critical: bool) -> None:
    asked = {"ocsp_must_staple": True, "ocsp_must_staple_critical": critical}
    certificate = office.certify("web", "tls_server", "root", **NAMES, **asked)
    assert shown(certificate)["TLS Feature"] == Shown(critical, "status_request")
    assert pkilint_findings(certificate) == []


def test_rfc7633_it_is_not_there_unless_asked(office: Office) -> None:
    assert "TLS Feature" not in shown(office.certify("web", "tls_server", "root", **NAMES))


@pytest.mark.parametrize(("profile", "copied"), [("tls_server", True), ("tls_peer", True), ("tls_client", False)])
def test_rfc7633_a_request_may_ask_where_the_profile_copies_it(office: Office, profile: str, copied: bool) -> None:
    options = {"csr_content": csr_pem(STAPLE), **NAMES}
    planned = office.proposed("web", profile, "root", **options)
    assert ("TLS Feature" in shown(office.certify("web", profile, "root", **options))) == copied
    assert planned.ignored_csr_extensions == (() if copied else ("ocsp_must_staple",))


V1, V2 = x509.TLSFeatureType.status_request, x509.TLSFeatureType.status_request_v2


@pytest.mark.parametrize("critical", [False, True])
@pytest.mark.parametrize("features", [[V1], [V1, V2], [V2, V1], [V2]])
def test_rfc7633_a_request_gets_what_the_option_would_give(
    office: Office, features: list[x509.TLSFeatureType], critical: bool
) -> None:
    options = {"csr_content": csr_pem((x509.TLSFeature(features), critical)), **NAMES}
    planned = office.proposed("web", "tls_server", "root", **options)
    certificate = office.certify("web", "tls_server", "root", **options)
    copied = V1 in features
    assert shown(certificate).get("TLS Feature") == (Shown(False, "status_request") if copied else None)
    assert planned.ignored_csr_extensions == (() if copied else ("ocsp_must_staple",))
    root = x509.load_pem_x509_certificate(office.ca_path("root").read_bytes())
    assert openssl_refuses(office.folder, [root, certificate], office.clock.now) == ""


def test_rfc7633_it_is_not_for_other_extensions_to_say(office: Office) -> None:
    other = [{"oid": "1.3.6.1.5.5.7.1.24", "value": "MAMCAQU="}]
    told = office.refusal("web", "tls_server", "root", other_extensions=other, **NAMES)
    assert "is ocsp_must_staple, which other options say" in told
