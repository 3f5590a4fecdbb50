# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What calls came in, and what goes wrong with them on demand."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from fnmatch import fnmatchcase
from typing import Any

THROTTLED = "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls."
ACTIONS = ("die", "drop", "throttle", "error", "delay")

KMS_QUOTAS = {  # calls a second, account and Region, by the developer guide
    **dict.fromkeys(("kms:CreateKey", "kms:CreateAlias", "kms:UpdateAlias", "kms:EnableKey", "kms:DisableKey"), 5),
    **dict.fromkeys(("kms:CancelKeyDeletion", "kms:ReplicateKey", "kms:GetKeyLastUsage"), 5),
    "kms:TagResource": 10,
    **dict.fromkeys(("kms:DeleteAlias", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"), 15),
    **dict.fromkeys(("kms:CreateGrant", "kms:RevokeGrant", "kms:RetireGrant"), 50),
    "kms:ListGrants": 100,
    **dict.fromkeys(("kms:ListAliases", "kms:ListKeys"), 500),
    **dict.fromkeys(("kms:Sign", "kms:Verify", "kms:GetKeyPolicy"), 1000),
    **dict.fromkeys(("kms:GetPublicKey", "kms:DescribeKey"), 2000),
}


def quota_faults() -> list[dict[str, object]]:
    """Return the throttling of a real account, to be asked of a server: `server.faults(*quota_faults())`."""
    return [{"action": "throttle", "operation": name, "rate": rate} for name, rate in KMS_QUOTAS.items()]


class HangUpError(Exception):
    """The client gets no answer: its connection closes."""


@dataclass(frozen=True)
class Call:
    """One call: an IAM action such as `kms:Sign`, the ARN and account that signed it."""

    operation: str
    caller: str
    account: str


@dataclass
class Fault:
    """One thing to go wrong, with the calls it takes: the n-th ones, a share, or those above a rate."""

    action: str
    operation: str = "*"
    caller: str = "*"
    when: str = "before"
    call: int = 1
    times: int = 1
    share: float = 0
    rate: float = 0
    seconds: float = 0
    status: int = 500
    code: str = "KMSInternalException"
    message: str = "The request was rejected because an internal exception occurred."
    seen: int = 0
    fired: int = 0
    passed: dict[str, deque[float]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if self.action not in ACTIONS:
            raise ValueError(f"action {self.action!r} is none of {', '.join(ACTIONS)}")
        if self.when not in ("before", "after"):
            raise ValueError(f"when {self.when!r} is neither before nor after")
        if self.action == "throttle":
            self.status, self.code, self.message = 400, "ThrottlingException", THROTTLED

    def takes(self, call: Call) -> bool:
        """Say whether this call is one of those to go wrong, and remember it."""
        if not (fnmatchcase(call.operation, self.operation) and fnmatchcase(call.caller, self.caller)):
            return False
        self.seen += 1
        taken = self._above_rate(call.account) if self.rate else self._chosen()
        self.fired += taken
        return taken

    def _chosen(self) -> bool:
        if self.share:
            return int(self.seen * self.share / 100) > int((self.seen - 1) * self.share / 100)
        return self.seen >= self.call and (self.times == 0 or self.seen < self.call + self.times)

    def _above_rate(self, account: str) -> bool:
        now = time.monotonic()
        passed = self.passed.setdefault(account, deque())
        while passed and passed[0] <= now - 1:
            passed.popleft()
        if len(passed) >= self.rate:
            return True
        passed.append(now)
        return False


def to_faults(described: object) -> list[Fault]:
    """Read a JSON list of faults, or one.

    Raises:
        ValueError: a field that no fault has, or a value that means nothing.
    """
    items: list[Any] = described if isinstance(described, list) else [described]
    known = {f.name for f in fields(Fault)} - {"seen", "fired", "passed"}
    for item in items:
        if not isinstance(item, dict) or "action" not in item:
            raise ValueError(f"a fault is an object with an action, not {item!r}")
        if unknown := sorted(set(item) - known):
            raise ValueError(f"a fault has no {', '.join(unknown)}; it has {', '.join(sorted(known))}")
    return [Fault(**item) for item in items]


class Control:
    """The counts and faults of one running server."""

    def __init__(self) -> None:
        self.counts: Counter[Call] = Counter()
        self.faults: Sequence[Fault] = ()

    def arrive(self, call: Call) -> list[Fault]:
        """Count a call and choose what is to go wrong with it."""
        self.counts[call] += 1
        return [fault for fault in self.faults if fault.takes(call)]

    def answer(self, method: str, path: str, body: Any) -> object:
        """Answer a control request; `None` where there is no such endpoint."""
        if (method, path) == ("GET", "/_localaws/calls"):
            return self._calls()
        if (method, path) == ("DELETE", "/_localaws/calls"):
            self.counts.clear()
            return {}
        if path == "/_localaws/faults" and method in ("GET", "PUT", "DELETE"):
            if method != "GET":
                self.faults = to_faults(body) if method == "PUT" else ()
            return [{k: v for k, v in asdict(fault).items() if k != "passed"} for fault in self.faults]
        return None

    def _calls(self) -> Mapping[str, Mapping[str, int]]:
        table: dict[str, dict[str, int]] = {}
        for call, count in sorted(self.counts.items(), key=lambda item: (item[0].operation, item[0].caller)):
            table.setdefault(call.operation, {})[call.caller] = count
        return table
