# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What cannot be made fails the role, and keeps nobody from what can."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from localaws.testing import Account, account, local_aws, new_key
from tests.unit.module.authorities import make_root
from tests.unit.module.controller import Controller, StoppedClock
from tests.unit.roles.plays import play, run_plays
from tests.unit.signer.local_kms import local_key

__all__ = ["account", "local_aws"]

CRLS = "Every authority has a CRL that is fresh"
ROOT = {"name": "root", "certificate_profile": "root_ca", "subject": {"CN": "Root"}, "key": {"alias": "failing/root"}}
WEB = {
    "name": "web",
    "issuer": "root",
    "certificate_profile": "tls_server",
    "csr_path": "web.csr",
    "subject_alt_name": ["DNS:web.acme.internal"],
}


def tree(folder: Path, **more: Any) -> dict[str, Any]:
    return {"pki_name": "failing", "pki_base_dir": str(folder), "pki_authorities": [ROOT], **more}


def test_a_certificate_that_cannot_be_issued_does_not_keep_crls_from_being_made(
    account: Account, tmp_path: Path
) -> None:
    request = x509.CertificateSigningRequestBuilder(x509.Name([])).add_extension(x509.BasicConstraints(True, 0), True)
    signed = request.sign(local_key("ECC_NIST_P256"), SHA256())
    (tmp_path / "web.csr").write_bytes(signed.public_bytes(Encoding.PEM))
    given = tree(tmp_path, pki_certificates=[WEB])
    [played] = run_plays(tmp_path, account.administrator().environment(), play("pki_tree", given), status=2)
    assert "the CSR asks for CA:TRUE" in str(played.of("Every certificate is issued, issuers first"))
    crl = x509.load_pem_x509_crl((tmp_path / "pki" / "root" / "crl.pem").read_bytes())
    root = x509.load_pem_x509_certificate((tmp_path / "pki" / "root" / "ca.pem").read_bytes())
    assert crl.is_signature_valid(root.public_key())  # type: ignore[arg-type]


@pytest.mark.parametrize("named", [False, True])
def test_in_another_region_nothing_is_made_and_nothing_overwritten(
    account: Account, tmp_path: Path, named: bool
) -> None:
    principal = account.administrator()
    signer = {**WEB, "name": "signer", "certificate_profile": "code_signing", "key": {}, "subject": {"CN": "Signer"}}
    del signer["csr_path"], signer["subject_alt_name"]
    given = tree(tmp_path, pki_certificates=[signer])
    run_plays(tmp_path, principal.environment(), play("pki_tree", given))
    before = {path: path.read_bytes() for path in (tmp_path / "pki").rglob("*") if path.is_file()}
    elsewhere = {**principal.environment(), "AWS_REGION": "us-west-2", "AWS_DEFAULT_REGION": "us-west-2"}
    kms = principal.client("kms", region="us-west-2")
    if named:  # by another tree of the same names
        kms.create_alias(AliasName="alias/failing/root", TargetKeyId=new_key(kms))
    keys = len(kms.list_keys()["Keys"])
    played = run_plays(tmp_path, elsewhere, play("pki_tree", given, check=True), status=2)
    played += run_plays(tmp_path, elsewhere, play("pki_tree", given), status=2)
    for one in played:
        assert "with these credentials in us-west-2, alias/failing/root " in one.failure()
        assert ("another key" if named else "names no key") in one.failure()
        assert not any(task.endswith("Every key exists in KMS") for task, _results in one.tasks)
    assert len(kms.list_keys()["Keys"]) == keys
    assert {path: path.read_bytes() for path in (tmp_path / "pki").rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("role", "given"),
    [
        ("pki_tree", {}),
        ("pki_revocation", {"pki_revocations": [{"authority": "root", "name": "web"}]}),
        ("signing_service", {"signing_services": [], "signing_service_administrators": []}),
    ],
)
def test_variables_that_the_validation_of_a_role_took_for_strings_are_refused_by_their_names(
    role: str, given: dict[str, Any], tmp_path: Path
) -> None:
    variables = {**tree(tmp_path), **given, "pki_name": 2026, "pki_dir": None}
    [played] = run_plays(tmp_path, {}, play(role, variables), status=2)
    told = played.failure()
    assert "- pki_name is 2026; expected a string, so put it between quotes\n" in told
    assert "- pki_dir is empty; expected a string\n" in told


def test_where_no_authority_could_be_made_there_is_nothing_to_say_of_crls(account: Account, tmp_path: Path) -> None:
    principal = account.administrator()
    kms = principal.client("kms")
    kms.create_alias(AliasName="alias/failing/root", TargetKeyId=new_key(kms, "RSA_2048"))
    [played] = run_plays(tmp_path, principal.environment(), play("pki_tree", tree(tmp_path)), status=2)
    assert "RSA_2048" in played.failure()
    assert played.of(CRLS) == []


def test_what_an_earlier_use_of_the_role_in_the_play_issued_is_not_taken_for_issued_now(
    account: Account, tmp_path: Path
) -> None:
    principal = account.administrator()
    kms = principal.client("kms")
    kms.create_alias(AliasName="alias/failing/other", TargetKeyId=new_key(kms, "RSA_2048"))
    other = {**tree(tmp_path), "pki_dir": "other", "pki_authorities": [{**ROOT, "key": {"alias": "failing/other"}}]}
    roles = [{"role": "rootstock.pki.pki_tree", "vars": given} for given in (tree(tmp_path), other)]
    [played] = run_plays(tmp_path, principal.environment(), {**play("pki_tree", {}), "roles": roles}, status=2)
    failed = [(task, result["msg"]) for task, result in played.results() if result.get("failed")]
    assert [task.rpartition(" : ")[2] for task, _msg in failed] == ["Every key exists in KMS"]
    assert "RSA_2048" in failed[0][1]
    assert played.of(CRLS) == []
    assert (tmp_path / "pki" / "root" / "crl.pem").exists()


def test_fixed_times_that_fit_what_exists_are_taken_and_others_refused_before_anything_is_made(
    account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, principal = datetime.now(timezone.utc).replace(microsecond=0), account.administrator()
    earlier = Controller(principal, StoppedClock(now - timedelta(days=30)))
    earlier.clock.stop(monkeypatch)
    make_root(earlier, tmp_path / "pki", subject={"CN": "Root"})
    begin = now - timedelta(days=20)
    below = {**ROOT, "name": "below", "issuer": "root", "certificate_profile": "subordinate_ca"}
    below |= {"subject": {"CN": "Below"}, "key": {}, "not_before": f"{begin:%Y%m%d%H%M%SZ}"}
    root = {**ROOT, "key": {"alias": "module/root"}}
    given = tree(tmp_path) | {"pki_authorities": [root, below]}
    elsewhere = {**given, "pki_dir": "elsewhere"}
    made, refused = run_plays(
        tmp_path, principal.environment(), play("pki_tree", given), play("pki_tree", elsewhere), status=2
    )
    assert [result["changed"] for result in made.of("Every certificate is issued, issuers first")] == [True, True]
    found = x509.load_pem_x509_certificate((tmp_path / "pki" / "below" / "ca.pem").read_bytes())
    assert found.not_valid_before_utc == begin
    assert "is before the issuer CN=Root starts" in refused.failure()
    assert not (tmp_path / "elsewhere").exists()
