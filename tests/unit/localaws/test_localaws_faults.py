# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What goes wrong on demand: throttling, failures, latency; by number, share, rate, operation and caller."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws.faults import KMS_QUOTAS, quota_faults
from localaws.server import Server
from localaws.testing import Account, Principal, new_key, refused

THROTTLED = "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls."


@pytest.fixture
def faulty(local_aws: Server) -> Iterator[Server]:
    """The server, well again after the test."""
    yield local_aws
    local_aws.faults()


@pytest.fixture
def kms(admin: Principal) -> Any:
    return admin.client("kms")


def outcomes(kms: Any, count: int) -> list[bool]:
    """Call *count* times and say which calls succeeded."""

    def succeeds() -> bool:
        try:
            kms.list_keys()
        except ClientError:
            return False
        return True

    return [succeeds() for _unused in range(count)]


def test_throttling_is_said_in_awss_words_and_by_default_once(faulty: Server, kms: Any) -> None:
    faulty.faults({"action": "throttle", "operation": "kms:ListKeys"})
    assert refused(kms.list_keys) == ("ThrottlingException", THROTTLED, 400)
    assert kms.list_keys()["Keys"] == []


def test_botocore_rides_over_throttling_and_each_try_is_counted(faulty: Server, admin: Principal) -> None:
    faulty.faults({"action": "throttle", "operation": "kms:ListKeys", "times": 2})
    faulty.reset_calls()
    assert admin.client("kms", retries=True).list_keys()["Keys"] == []
    assert faulty.count("kms:ListKeys") == 3


def test_the_nth_calls_are_taken(faulty: Server, kms: Any) -> None:
    faulty.faults({"action": "throttle", "operation": "kms:ListKeys", "call": 2, "times": 2})
    assert outcomes(kms, 5) == [True, False, False, True, True]
    faulty.faults({"action": "throttle", "operation": "kms:ListKeys", "call": 2, "times": 0})
    assert outcomes(kms, 4) == [True, False, False, False]


def test_a_share_of_the_calls_is_taken_exactly(faulty: Server, kms: Any) -> None:
    faulty.faults({"action": "throttle", "operation": "kms:*", "share": 25})
    found = outcomes(kms, 20)
    assert found.count(False) == 5
    assert found[:8] == [True, True, True, False] * 2


def test_calls_above_a_rate_are_taken_account_by_account(faulty: Server, kms: Any) -> None:
    faulty.faults({"action": "throttle", "operation": "kms:ListKeys", "rate": 5})
    start = time.monotonic()
    assert outcomes(kms, 7) == [True] * 5 + [False] * 2
    time.sleep(max(0.0, 1.1 - (time.monotonic() - start)))
    assert outcomes(kms, 1) == [True]


def test_quotas_are_awss(faulty: Server, kms: Any) -> None:
    assert (KMS_QUOTAS["kms:CreateKey"], KMS_QUOTAS["kms:CreateAlias"], KMS_QUOTAS["kms:PutKeyPolicy"]) == (5, 5, 15)
    faulty.faults(*quota_faults())
    for _unused in range(5):
        new_key(kms)
    assert refused(new_key, kms=kms)[0] == "ThrottlingException"


def test_5xx_before_and_after_the_work(faulty: Server, kms: Any) -> None:
    faulty.faults({"action": "error", "operation": "kms:CreateKey"})
    code, _unused, status = refused(new_key, kms=kms)
    assert (code, status, kms.list_keys()["Keys"]) == ("KMSInternalException", 500, [])
    faulty.faults({"action": "error", "operation": "kms:CreateKey", "when": "after", "status": 503})
    assert refused(new_key, kms=kms)[2] == 503
    assert len(kms.list_keys()["Keys"]) == 1


def test_any_error_can_be_asked_for(faulty: Server, kms: Any) -> None:
    wanted = {"code": "MalformedPolicyDocumentException", "message": "not yet visible", "status": 400}
    faulty.faults({"action": "error", "operation": "kms:ListKeys", **wanted})
    assert refused(kms.list_keys) == (wanted["code"], wanted["message"], 400)


def test_other_services_fail_in_their_own_protocol(faulty: Server, admin: Principal) -> None:
    said = {"code": "ServiceUnavailable", "message": "later", "status": 503}
    for operation, service, call in (("sts:*", "sts", "get_caller_identity"), ("s3:*", "s3", "list_buckets")):
        faulty.faults({"action": "error", "operation": operation, **said})
        assert refused(getattr(admin.client(service), call)) == ("ServiceUnavailable", "later", 503)


def test_latency_before_and_after(faulty: Server, kms: Any) -> None:
    for when in ("before", "after"):
        faulty.faults({"action": "delay", "operation": "kms:ListKeys", "seconds": 0.3, "when": when})
        start = time.monotonic()
        kms.list_keys()
        assert time.monotonic() - start >= 0.3


def test_only_one_caller_suffers(faulty: Server, account: Account, kms: Any) -> None:
    other = account.role("other", {"Action": "kms:*"})
    faulty.faults({"action": "throttle", "caller": "*:assumed-role/other/*", "times": 0})
    assert kms.list_keys()["Keys"] == []
    assert refused(other.client("kms").list_keys)[0] == "ThrottlingException"


def test_a_request_id_is_told_even_then(faulty: Server, kms: Any) -> None:
    faulty.faults({"action": "throttle", "operation": "kms:ListKeys"})
    with pytest.raises(ClientError) as caught:
        kms.list_keys()
    assert caught.value.response["ResponseMetadata"]["RequestId"]
