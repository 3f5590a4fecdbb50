# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook of AWS's tutorial on digital signatures does each step, and nothing the second time."""

from __future__ import annotations

import json
from pathlib import Path

from localaws.testing import Account, Principal, account, local_aws, policy
from tests.unit.roles.plays import Played, run_playbook

__all__ = ["account", "local_aws"]

TOLD = [
    "SampleText.txt, sent as it is:       Verified OK",
    "SampleLarge.bin, sent as a digest:   Verified OK",
    "Tampered.txt:                        Verification failure",
    "SignerRole, kms:GetPublicKey:        denied",
    "OfflineVerifierRole, kms:Sign:       denied",
    "Another account, kms:GetPublicKey:   not tried",
    "A third party, by presigned URL:     fetched",
    "Encrypted offline, decrypted in KMS: the same text",
]


def tutor(account: Account) -> Principal:
    """Make a user who may do everything; a session's URLs would hold a token, which Ansible hides."""
    iam = account.root.client("iam")
    iam.create_user(UserName="tutor")
    iam.put_user_policy(UserName="tutor", PolicyName="all", PolicyDocument=policy({"Action": "*", "Resource": "*"}))
    key = iam.create_access_key(UserName="tutor")["AccessKey"]
    credentials = {"access_key_id": key["AccessKeyId"], "secret_access_key": key["SecretAccessKey"]}
    return Principal(account.endpoint, credentials, f"arn:aws:iam::{account.account_id}:user/tutor")


def test_each_step_of_the_tutorial_ends_as_it_says_and_the_second_run_changes_nothing(
    account: Account, tmp_path: Path
) -> None:
    made = tmp_path / "tutorial"
    variables = json.dumps({"tutorial_dir": str(made), "tutorial_bucket": "tutorial-keys"})
    credentials = tutor(account).environment()

    def run() -> Played:
        [played] = run_playbook(tmp_path, credentials, "rootstock.pki.sign_and_verify", "--extra-vars", variables)
        return played

    for played in (run(), run()):
        assert played.of("The tutorial is told")[0]["msg"] == TOLD
    assert played.changed() == []
    assert (made / "Decrypted.txt").stat().st_mode & 0o777 == 0o600
    assert not list(made.glob("never.*"))
