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
MANAGED = {**KEY, "aliases": ["bench/second"], "use": "sign"}
OURS: Mapping[str, object] = {"rootstock.pki.kms_key": KEY}
THEIRS: Mapping[str, object] = {"amazon.aws.kms_key": KEY}


def calls(server: Server, task: Mapping[str, object], who: Principal) -> Mapping[str, int]:
    """Return the AWS calls of one task."""
    return measure(server, lambda: play_seconds([task], who))[1]


def managed(who: Principal) -> Mapping[str, object]:
    """Return a task that manages all that can be managed, the key policy made of lists."""
    lists = {name: [who.arn] for name in ("administrators", "signers", "verifiers")}
    return {"rootstock.pki.kms_key": {**MANAGED, **lists}}


def rows() -> list[Row]:
    """Return creation, and the no-op of both modules, for a plain key and one of which everything is managed."""
    with running() as server:
        who = new_account(server).administrator()
        created = calls(server, OURS, who)
        theirs, ours = task_seconds(THEIRS, who), task_seconds(OURS, who)
        their_calls = calls(server, THEIRS, who)
        rows = [
            Row("kms_key: makes a key", None, created),
            Row("amazon.aws.kms_key: no-op", theirs, their_calls),
            compared("kms_key: no-op", ours, calls(server, OURS, who), theirs, "at most 0.85 and 3 calls"),
        ]
        play_seconds([managed(who)], who)
        everything = task_seconds(managed(who), who)
        told = "1 call and 1 for each of tags, policy, aliases"
        rows.append(compared("kms_key: no-op, all managed", everything, calls(server, managed(who), who), theirs, told))
        return rows


def compared(what: str, ours: float, made: Mapping[str, int], theirs: float, wanted: str) -> Row:
    return Row(what, ours, made, f"{ours / theirs:.2f} of amazon.aws.kms_key", wanted)
