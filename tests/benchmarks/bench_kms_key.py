# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What kms_key costs where nothing is to be done, beside amazon.aws.kms_key on the same key."""

from __future__ import annotations

from collections.abc import Mapping

from localaws.server import Server, running
from localaws.testing import Principal, new_account
from tests.benchmarks.measure import AS_IN_A_REGION, Row, measure, play_seconds, tasks_seconds

KEY = {
    "alias": "bench/key",
    "key_spec": "ECC_NIST_P256",
    "key_usage": "SIGN_VERIFY",
    "description": "For the benchmark",
    "tags": {"team": "pki"},
}
MANAGED = {**KEY, "alias": "bench/managed", "aliases": ["bench/second"], "use": "sign"}
OURS: Mapping[str, object] = {"rootstock.pki.kms_key": KEY}
LEAST: Mapping[str, object] = {"two_calls": {"alias": KEY["alias"]}}
THEIRS: Mapping[str, object] = {"amazon.aws.kms_key": KEY}


def calls(server: Server, task: Mapping[str, object], who: Principal) -> Mapping[str, int]:
    """Return the AWS calls of one task."""
    return measure(server, lambda: play_seconds([task], who))[1]


def managed(who: Principal) -> Mapping[str, object]:
    """Return a task that manages all that can be managed, the key policy made of lists."""
    lists = {name: [who.arn] for name in ("administrators", "signers", "verifiers")}
    return {"rootstock.pki.kms_key": {**MANAGED, **lists}}


def rows() -> list[Row]:
    """Return creation, and no-ops beside those of amazon.aws, with answers at once and as late as those of a region."""
    with running() as server:
        who = new_account(server).administrator()
        created = calls(server, OURS, who)
        rows = [Row("kms_key: makes a key", None, created), *beside_theirs(server, who)]
        server.faults({"action": "delay", "seconds": AS_IN_A_REGION, "times": 0})
        return [*rows, *beside_theirs(server, who, f", {AS_IN_A_REGION * 1000:.0f} ms a call")]


def beside_theirs(server: Server, who: Principal, under: str = "") -> list[Row]:
    """Return the no-op of both modules, that of everything managed, and what nobody who asks twice could undercut."""
    play_seconds([managed(who)], who)
    theirs, least, ours, everything = tasks_seconds([THEIRS, LEAST, OURS, managed(who)], who)
    told = "1 call and 1 for each of tags, policy, aliases"
    return [
        Row(f"amazon.aws.kms_key: no-op{under}", theirs, calls(server, THEIRS, who)),
        compared(f"two calls with boto3 and nothing else{under}", least, calls(server, LEAST, who), theirs),
        compared(f"kms_key: no-op{under}", ours, calls(server, OURS, who), theirs, "at most 0.85 and 3 calls"),
        compared(f"kms_key: no-op, all managed{under}", everything, calls(server, managed(who), who), theirs, told),
    ]


def compared(what: str, ours: float, made: Mapping[str, int], theirs: float, wanted: str = "") -> Row:
    return Row(what, ours, made, f"{ours / theirs:.2f} of amazon.aws.kms_key", wanted)
