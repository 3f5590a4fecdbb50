# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An authority stays who it is while what it issued lives: in a file, in a pipe, or taken from somebody else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from ansible_collections.rootstock.pki.plugins.module_utils._ledger.files import FileLedger
from ansible_collections.rootstock.pki.plugins.module_utils._module.certificates import to_task
from ansible_collections.rootstock.pki.plugins.module_utils._operations.authority_identity import (
    refuse_drift_of_imported,
)
from ansible_collections.rootstock.pki.plugins.module_utils._operations.certificate_plan import (
    CertificatePlan,
    plan_certificate,
)
from ansible_collections.rootstock.pki.plugins.module_utils._pki.certificate import certificate_builder, validity
from ansible_collections.rootstock.pki.plugins.module_utils._pki.certificates import to_pem
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import IssuerError
from tests.unit.rfc5280.office import Office, module_params

LIMITS: dict[str, Any] = {
    "path_length": 1,
    "name_constraints_permitted": ["DNS:acme.internal"],
    "extended_key_usage": ["client_auth", "server_auth"],
    "certificate_policies": [{"policy": "1.2.3"}],
}
LIVING = "1 certificates it issued are valid; make a new authority beside it instead"


@pytest.fixture
def office(tmp_path: Path) -> Office:
    made = Office(tmp_path)
    made.certify_authority("root")
    made.certify_authority("services", "root", **LIMITS)
    return made


def issue_client(office: Office, **options: Any) -> None:
    asked = {"certificate_policies": LIMITS["certificate_policies"], "not_after": "+30d", **options}
    office.certify("client", "tls_client", "services", **asked)


def services(office: Office) -> x509.Certificate:
    return x509.load_pem_x509_certificate(office.ca_path("services").read_bytes())


def piped(office: Office, **options: Any) -> CertificatePlan:
    """Plan the authority's certificate as kms_x509_cert_pipe does: it has no file."""
    given = {
        "path": "none",
        "name": "services",
        "certificate_profile": "subordinate_ca",
        "key_id": "services",
        "subject": {"common_name": "services"},
        "issuer_path": str(office.ca_path("root")),
        "issuer_key_id": "root",
        **LIMITS,
        **options,
    }
    task = to_task(module_params(given), "", to_pem([services(office)]))
    return plan_certificate(task, office.ports(task))


def test_in_a_pipe_the_ledger_of_an_authority_has_to_be_named_before_it_changes(office: Office) -> None:
    with pytest.raises(IssuerError, match=r"CN=services: subject would change, .* own ledger in authority_ledger_path"):
        piped(office, subject={"common_name": "Another"})
    assert not piped(office).plan.changed
    assert piped(office, not_after="+900d").plan.reason == "changed: not_after"


def test_in_a_pipe_an_authority_with_living_certificates_keeps_its_identity(office: Office) -> None:
    own = {"authority_ledger_path": str(office.folder / "services" / "ledger.jsonl")}
    assert piped(office, **own, path_length=0).plan.changed
    issue_client(office)
    with pytest.raises(IssuerError, match=f"basic_constraints would change while {LIVING}"):
        piped(office, **own, path_length=0)


def test_the_ledger_of_an_authority_may_be_elsewhere(office: Office) -> None:
    elsewhere = str(office.folder / "ledgers" / "services.jsonl")
    (office.folder / "ledgers").mkdir()
    issue_client(office, ledger_path=elsewhere)
    changed = {**LIMITS, "path_length": 0}
    assert office.proposed("services", "subordinate_ca", "root", **changed).plan.changed
    told = office.refusal("services", "subordinate_ca", "root", **changed, authority_ledger_path=elsewhere)
    assert LIVING in told


def test_what_was_no_authority_may_become_one(office: Office) -> None:
    office.certify("web", "custom", "root")
    authority = {"basic_constraints": ["CA:TRUE", "pathlen:0"], "key_usage": ["key_cert_sign"]}
    assert "basic_constraints" in str(office.proposed("web", "custom", "root", **authority).plan.reason)


def answer(office: Office, **changed: Any) -> x509.Certificate:
    """Return another certificate for the key of services, by somebody who keeps no ledger of ours."""
    given = {"key_id": "services", "subject": {"common_name": "services"}, **LIMITS, **changed}
    issuer = given.pop("issuer", "root")
    planned = office.proposed("elsewhere", "subordinate_ca", issuer, **given)
    period = validity(planned.spec.lifetime, planned.issuer, office.clock.now)
    return certificate_builder(planned.spec, planned.issuer, 7, period).sign(office.keys[issuer], hashes.SHA256())


def is_taken(office: Office, certificate: x509.Certificate) -> bool:
    own = FileLedger(office.folder / "services" / "ledger.jsonl", office.clock)
    refuse_drift_of_imported(services(office), certificate, own, office.clock.now)
    return True


DRIFT = {
    "subject": {"subject": {"common_name": "Renamed"}},
    "public_key, subject_key_identifier": {"key_id": "root"},
    "subject_key_identifier": {"subject_key_identifier": "00:11"},
    "basic_constraints": {"path_length": 0},
    "name_constraints": {"name_constraints_permitted": ["DNS:acme.example"]},
    "extended_key_usage": {"extended_key_usage": ["client_auth"]},
    "certificate_policies": {"certificate_policies": [{"policy": "1.2.4"}]},
    "key_usage": {"key_usage": ["key_cert_sign"]},
}


@pytest.mark.parametrize(("fields", "changed"), DRIFT.items(), ids=DRIFT)
def test_an_answer_that_says_something_else_of_an_authority_waits_for_what_it_issued(
    office: Office, fields: str, changed: dict[str, Any]
) -> None:
    other = answer(office, **changed)
    assert is_taken(office, other)
    issue_client(office)
    with pytest.raises(IssuerError, match=f"CN=services: {fields} would change while {LIVING}"):
        is_taken(office, other)
    office.clock.forward(days=31)
    assert is_taken(office, other)


@pytest.mark.parametrize(
    "changed",
    [
        {"not_after": "+900d"},
        {"path_length": 2},
        {"issuer": "other-root"},
        {"authority_information_access": {"ca_issuers": ["http://pki.acme.example/other.cer"]}},
        {"other_extensions": [{"oid": "1.3.6.1.4.1.311.21.1", "value": "AgEB"}]},
    ],
    ids=str,
)
def test_an_answer_that_takes_nothing_away_is_taken(office: Office, changed: dict[str, Any]) -> None:
    office.certify_authority("other-root")
    issue_client(office)
    assert is_taken(office, answer(office, **changed))
