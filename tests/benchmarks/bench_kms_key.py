# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What kms_key costs where nothing is to be done, beside amazon.aws.kms_key on the same key."""

from __future__ import annotations

from collections.abc import Mapping

from localaws.server import Server, running
from localaws.testing import Principal, new_account
from tests.benchmarks.measure import Row, measure, play_seconds, task_seconds

KEY = {
    "alias": "bench/key",
    "key_spec": "ECC_NIST_P256",
    "key_usage": "SIGN_VERIFY",
    "description": "For the benchmark",
    "tags": {"team": "pki"},
}
OURS: Mapping[str, object] = {"rootstock.pki.kms_key": KEY}
THEIRS: Mapping[str, object] = {"amazon.aws.kms_key": KEY}


def calls(server: Server, task: Mapping[str, object], who: Principal) -> Mapping[str, int]:
    """Return the AWS calls of one task."""
    return measure(server, lambda: play_seconds([task], who))[1]


def rows() -> list[Row]:
    """Return creation, and the no-op of both modules."""
    with running() as server:
        who = new_account(server).administrator()
        created = calls(server, OURS, who)
        theirs, ours = task_seconds(THEIRS, who), task_seconds(OURS, who)
        return [
            Row("kms_key: makes a key", None, created),
            Row("amazon.aws.kms_key: no-op", theirs, calls(server, THEIRS, who)),
            Row(
                "kms_key: no-op",
                ours,
                calls(server, OURS, who),
                f"{ours / theirs:.2f} of amazon.aws.kms_key",
                "at most 0.85 and 3 calls",
            ),
        ]
