# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook of AWS's tutorial on digital signatures does each step, and nothing the second time or in check mode."""

from __future__ import annotations

import json
from pathlib import Path

from localaws.server import Server
from localaws.testing import Account, account, local_aws, new_account
from tests.unit.roles.plays import Played, run_playbook

__all__ = ["account", "local_aws"]

TOLD = [
    "SampleText.txt, sent as it is:       Verified OK",
    "SampleLarge.bin, sent as a digest:   Verified OK",
    "Tampered.txt:                        Verification failure",
    "SignerRole, kms:GetPublicKey:        denied",
    "OfflineVerifierRole, kms:Sign:       denied",
    "Another account, kms:GetPublicKey:   allowed",
    "A third party, by presigned URL:     fetched",
    "Encrypted offline, decrypted in KMS: the same text",
]


def leave_files_of_another_account(made: Path) -> None:
    """Leave what a run in another account would leave, a signature, a public key and what was encrypted for it."""
    made.mkdir()
    for name in ("SampleText.txt.sig", "SampleText.enc", "SampleText.none.enc"):
        (made / name).write_bytes(bytes(512))
    (made / "EncryptionPublicKey.pem").write_text("of a key of another account")


def test_each_step_of_the_tutorial_ends_as_it_says_and_the_second_run_changes_nothing(
    account: Account, local_aws: Server, tmp_path: Path
) -> None:
    made, administrator = tmp_path / "tutorial", account.user("tutor", {"Action": "*"})
    partner = new_account(local_aws).role("Partner", {"Action": "kms:GetPublicKey"}, trusted=[administrator.arn])
    names = {"tutorial_dir": str(made), "tutorial_bucket": "tutorial-keys", "tutorial_partner_role_arn": partner.arn}
    names |= {"tutorial_delay": "0"}

    def run(*more: str) -> Played:
        options = ("rootstock.pki.sign_and_verify", "--extra-vars", json.dumps(names), *more)
        [played] = run_playbook(tmp_path, administrator.environment(), *options)
        return played

    planned = run("--check").changed()
    assert len(planned) == 5  # the folder, two roles, two keys
    assert not made.exists()
    leave_files_of_another_account(made)
    local_aws.faults({"action": "error", "operation": "sts:AssumeRole", "status": 403, "code": "AccessDenied"})
    for played in (run(), run()):
        assert played.of("The tutorial is told")[0]["msg"] == TOLD
    assert [fault["fired"] for fault in local_aws.fault_reports()] == [1]  # a role that is not known everywhere yet
    local_aws.faults()
    assert played.changed() == run("--check").changed() == []
    assert (made / "Decrypted.txt").stat().st_mode & 0o777 == 0o600
    assert not list(made.glob("never.*"))
