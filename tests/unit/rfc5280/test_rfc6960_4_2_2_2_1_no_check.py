# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""RFC 6960 4.2.2.2.1: relying parties need not ask for the revocation of a responder's certificate."""

from __future__ import annotations

from tests.unit.rfc5280.office import Office
from tests.unit.rfc5280.reading import Shown, openssl_refuses, pkilint_findings, shown

TITLE = "OCSP No Check"


def test_rfc6960_4_2_2_2_1_responders_have_it_and_it_is_not_critical(office: Office) -> None:
    responder = office.certify("ocsp", "ocsp_signing", "root")
    assert shown(responder)[TITLE] == Shown(critical=False, text="")
    assert pkilint_findings(responder) == []
    root = office.certify_authority("root", subject={"common_name": "Root"})
    assert openssl_refuses(office.folder, [root, responder], office.clock.now, "-purpose", "ocsphelper") == ""


def test_rfc6960_4_2_2_2_1_the_option_adds_it_once(office: Office) -> None:
    responder = office.certify("ocsp", "ocsp_signing", "root", ocsp_no_check=True)
    assert list(shown(responder)).count(TITLE) == 1
    assert TITLE in shown(office.certify("other", "custom", "root", ocsp_no_check=True))
    assert TITLE not in shown(office.certify("web", "tls_client", "root"))


def test_rfc6960_4_2_2_2_1_responders_do_not_live_long(office: Office) -> None:
    """Who cannot be revoked is replaced often."""
    told = office.refusal("ocsp", "ocsp_signing", "root", not_after="+399d")
    assert "longer than the 397d of certificate_profile ocsp_signing" in told
