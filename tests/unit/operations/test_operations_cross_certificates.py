# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cross-certificates: the same key and subject under another issuer, and bundles that hold every path."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from cryptography import x509

from ansible_collections.rootstock.pki.plugins.module_utils._pki.certificates import (
    all_upwards,
    is_self_signed,
    path_upwards,
    to_pem,
)
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import SpecError
from tests.unit.operations.workshop import Workshop, spki_of
from tests.unit.signer.local_kms import local_key


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


def openssl_verifies(
    workshop: Workshop, root: x509.Certificate, bundle: Sequence[x509.Certificate], leaf: x509.Certificate
) -> bool:
    files = {"root.pem": [root], "bundle.pem": list(bundle), "leaf.pem": [leaf]}
    for name, certificates in files.items():
        (workshop.folder / name).write_bytes(to_pem(certificates))
    now = str(int(workshop.clock.now.timestamp()))
    command = ["openssl", "verify", "-x509_strict", "-attime", now, "-CAfile", "root.pem", "-untrusted", "bundle.pem"]
    done = subprocess.run([*command, "leaf.pem"], cwd=workshop.folder, capture_output=True, text=True, check=False)
    return done.stdout.strip() == "leaf.pem: OK"


def cross(workshop: Workshop, authority: str, issuer: str, **options: object) -> x509.Certificate:
    """Certify the key and subject of *authority* by *issuer*, beside the certificate it has."""
    subject = {"organization_name": "Acme", "common_name": authority}
    name = f"{authority}-by-{issuer}"
    given = {"subject": subject, "key_id": authority, **options}
    return workshop.issue(name, "subordinate_ca", issuer, **given)


def test_a_relying_party_with_either_root_verifies_what_the_new_one_issued(workshop: Workshop) -> None:
    old, new = workshop.root("old"), workshop.root("new")
    new_by_old = cross(workshop, "new", "old")
    old_by_new = cross(workshop, "old", "new")
    services = workshop.authority("services", "new", path_length=0)
    planned = workshop.plan(
        "client",
        "tls_client",
        "services",
        above=["new", "new-by-old", "old", "old-by-new"],
        public_key=spki_of(local_key("ECC_NIST_P256", 92)),
    )
    leaf = workshop.carry_out(planned).certificate
    assert set(planned.bundle) == {services, new, new_by_old, old, old_by_new}
    between = [certificate for certificate in planned.bundle if not is_self_signed(certificate)]
    assert openssl_verifies(workshop, old, between, leaf)
    assert openssl_verifies(workshop, new, between, leaf)


def test_the_gate_judges_the_path_to_the_nearest_root(workshop: Workshop) -> None:
    workshop.root("old")
    new = workshop.root("new")
    cross(workshop, "new", "old")
    planned = workshop.plan(
        "services", "subordinate_ca", "new", above=["new-by-old", "old"], key_id=workshop.key("services")
    )
    assert planned.chain == (new,)


def test_the_gate_judges_the_path_over_a_cross_certificate_once_the_root_expired(workshop: Workshop) -> None:
    """Relying parties that trust the newer root validate it so."""
    workshop.root("old", not_after="+900d")
    new = workshop.root("new")
    old_by_new = cross(workshop, "old", "new")
    services = workshop.authority("services", "old-by-new", issuer_key_id="old", not_after="+1500d")
    workshop.clock.forward(days=901)
    subject = {"public_key": spki_of(local_key("ECC_NIST_P256", 92))}
    planned = workshop.plan("client", "tls_client", "services", above=["old", "old-by-new", "new"], **subject)
    assert planned.chain == (services, old_by_new, new)
    leaf = workshop.carry_out(planned).certificate
    assert openssl_verifies(workshop, new, [services, old_by_new], leaf)


def test_a_cross_certificate_of_a_partner_holds_the_partners_constraints(workshop: Workshop) -> None:
    workshop.root("partner")
    ours = workshop.root("ours")
    by_partner = cross(workshop, "ours", "partner", path_length=0)
    assert by_partner.public_key() == ours.public_key()
    assert by_partner.subject == ours.subject
    pool = [by_partner, (workshop.root("partner"))]
    assert len(all_upwards(by_partner, pool)) == 2
    with pytest.raises(SpecError, match="path_length 0 of CN=ours,O=Acme forbids"):
        workshop.plan(
            "below",
            "subordinate_ca",
            "ours-by-partner",
            above=["partner"],
            key_id=workshop.key("below"),
            issuer_key_id="ours",
        )


def test_a_self_issued_certificate_does_not_count_against_the_path_length(workshop: Workshop) -> None:
    """RFC 5280 6.1.4 l: a root's new key certified by its old one lengthens no path."""
    name = {"common_name": "Acme Root"}
    workshop.root("old", subject=name, path_length=1)
    workshop.key("new")
    workshop.issue("new", "subordinate_ca", "old", subject=name, path_length=1)
    workshop.authority("services", "new", above=["old"], path_length=0)
    leaf = workshop.issue(
        "client", "tls_client", "services", above=["new", "old"], public_key=spki_of(local_key("ECC_NIST_P256", 91))
    )
    chain = [workshop.folder / name / "ca.pem" for name in ("services", "new")]
    between = [x509.load_pem_x509_certificate(path.read_bytes()) for path in chain]
    root = x509.load_pem_x509_certificate((workshop.folder / "old" / "ca.pem").read_bytes())
    assert openssl_verifies(workshop, root, between, leaf)


def test_paths_that_go_round_end(workshop: Workshop) -> None:
    old, new = workshop.root("old"), workshop.root("new")
    pool = [cross(workshop, "new", "old"), cross(workshop, "old", "new")]
    assert len(all_upwards(pool[0], [*pool, old, new])) == 4
    assert path_upwards(pool[0], [*pool, old])[-1] == old


def test_a_certificate_that_two_files_have_is_in_the_chain_once(workshop: Workshop) -> None:
    root = workshop.root("root")
    issuer, below = workshop.authority("issuer", "root"), workshop.authority("below", "issuer", above=["root"])
    assert all_upwards(below, [issuer, root, issuer, root]) == (below, issuer, root)
