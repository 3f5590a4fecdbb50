# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A certificate is renewed where it gains time by that; else it stays, and a warning says why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from ansible_collections.rootstock.pki.plugins.module_utils._operations.certificate_plan import CertificatePlan
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import SpecError
from tests.unit.operations.workshop import Workshop, spki_of
from tests.unit.signer.local_kms import local_key

ENDS = {"20260401120000Z": "give a later one", "issuer": "issue the issuer again first"}


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    """A root that lives for 90 days, and an authority below it that lives as long."""
    made = Workshop(tmp_path)
    made.root(not_after="20260401120000Z")
    made.authority("services", "root", not_after="20260401120000Z")
    return made


def client(workshop: Workshop, not_after: str, **options: Any) -> CertificatePlan:
    key = spki_of(local_key("ECC_NIST_P256", 96))
    given = {"public_key": key, "above": ["root"], "not_after": not_after, **options}
    return workshop.plan("client", "tls_client", "services", **given)


def issued(workshop: Workshop, not_after: str, **options: Any) -> x509.Certificate:
    certificate: x509.Certificate = workshop.carry_out(client(workshop, not_after, **options)).certificate
    return certificate


@pytest.mark.parametrize("renew_before", ["33%", "30d"])
@pytest.mark.parametrize(("not_after", "way"), ENDS.items())
def test_a_certificate_whose_end_is_fixed_is_issued_once(
    workshop: Workshop, not_after: str, way: str, renew_before: str
) -> None:
    issued(workshop, not_after, renew_before=renew_before)
    warnings = []
    for _fortnight in range(6):
        workshop.clock.forward(days=14)
        again = client(workshop, not_after, renew_before=renew_before)
        assert not again.plan.changed
        warnings += again.warnings
    assert "client: renewal: valid until 20260401120000Z, renewed from 202603" in warnings[0]
    assert f"but not_after {not_after} is no later; {way}" in warnings[0]
    assert len(warnings) == 2


@pytest.mark.parametrize("renew_before", ["48h", "99.9%"])
def test_a_certificate_that_would_be_due_again_at_once_is_refused(workshop: Workshop, renew_before: str) -> None:
    with pytest.raises(SpecError, match="not shorter than the lifetime of 2 days: every run would renew"):
        client(workshop, "+2d", renew_before=renew_before)
    issued(workshop, "+2d", renew_before="47h")
    assert not client(workshop, "+2d", renew_before="47h").plan.changed


def test_a_change_is_made_in_the_last_days_too(workshop: Workshop) -> None:
    issued(workshop, "issuer", renew_before="30d")
    workshop.clock.forward(days=80)
    changed = client(workshop, "issuer", renew_before="30d", subject_alt_name=["DNS:client.acme.internal"])
    assert (changed.plan.reason, changed.warnings) == ("changed: subject_alt_name", ())
    workshop.carry_out(changed)
    kept = client(workshop, "issuer", renew_before="30d", subject_alt_name=["DNS:client.acme.internal"])
    assert (kept.plan.changed, len(kept.warnings)) == (False, 1)


def test_it_is_renewed_once_its_issuer_lives_longer(workshop: Workshop) -> None:
    issued(workshop, "issuer", renew_before="30d")
    workshop.clock.forward(days=70)
    workshop.root(not_after="+3000d", reissue_root=True)
    services = workshop.authority("services", "root", not_after="+600d")
    again = client(workshop, "issuer", renew_before="30d")
    assert again.plan.reason.startswith("renewal: valid until 20260401120000Z")
    assert workshop.carry_out(again).certificate.not_valid_after_utc == services.not_valid_after_utc
    assert not client(workshop, "issuer", renew_before="30d").plan.changed


def test_force_issues_it_again_all_the_same(workshop: Workshop) -> None:
    issued(workshop, "issuer")
    workshop.clock.forward(days=80)
    assert client(workshop, "issuer", force=True).plan.reason == "force"


@pytest.mark.parametrize("words", ["now and then", "-3d"])
def test_words_that_mean_nothing_are_refused_for_a_fixed_end_too(workshop: Workshop, words: str) -> None:
    with pytest.raises(SpecError, match="renew_before"):
        client(workshop, "issuer", renew_before=words)
