# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many keys at once: what AWS KMS throttles is asked again later, and who waits for the keys does not hear of it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import pytest

from ansible_collections.rootstock.pki.plugins.module_utils._aws.key_store import KmsKeyStore
from ansible_collections.rootstock.pki.plugins.module_utils._keys.desired import DesiredKey
from ansible_collections.rootstock.pki.plugins.module_utils._operations.ensure_key import ensure_key
from ansible_collections.rootstock.pki.plugins.module_utils._operations.read_key import read_key
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import AwsError
from localaws.faults import quota_faults
from localaws.server import Server
from localaws.testing import Account, Principal, new_key

KEYS = 50
HASTE = 1 if os.environ.get("ROOTSTOCK_ROUNDS") == "large" else 4
"""How many times faster than in an account of AWS everything goes, quotas and waiting alike."""

WANTED = DesiredKey("", "", "ECC_NIST_P256", "SIGN_VERIFY", tags={"team": "pki"})


@pytest.fixture
def throttled(local_aws: Server) -> Iterator[Server]:
    """A local AWS that throttles as a real account does."""
    local_aws.faults(*({**fault, "rate": HASTE * int(str(fault["rate"]))} for fault in quota_faults()))
    try:
        yield local_aws
    finally:
        local_aws.faults()


def make_key(who: Principal, number: int, waited: list[float]) -> str:
    """Do what one task does, with clients that ask once."""

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        time.sleep(seconds / HASTE)

    kms, others = who.client("kms"), [partial(who.client, name) for name in ("resourcegroupstaggingapi", "sts")]
    store = KmsKeyStore(kms, lambda: kms, *others, sleep)
    desired = replace(WANTED, alias=f"alias/many/{number:02}")
    return ensure_key(store, desired, read_key(store, desired), None).key.description.key_id


def test_fifty_keys_are_made_at_the_rates_that_kms_allows(account: Account, throttled: Server) -> None:
    admin, waited = account.administrator(), list[float]()
    admin.client("resourcegroupstaggingapi")  # before the runs begin, which share the clients
    with ThreadPoolExecutor(KEYS) as tasks:
        made = list(tasks.map(lambda number: make_key(admin, number, waited), range(KEYS)))
    named = admin.client("kms", retries=True).get_paginator("list_aliases").paginate().build_full_result()["Aliases"]
    assert sorted(alias["TargetKeyId"] for alias in named if alias["AliasName"].startswith("alias/many/")) == sorted(
        made
    )
    assert len(set(made)) == KEYS
    fired = {fault["operation"]: fault["fired"] for fault in throttled.fault_reports() if fault["fired"]}
    assert "kms:CreateKey" in fired
    assert len(waited) == sum(fired.values())


def test_runs_that_do_not_wait_long_enough_are_refused_in_one_sentence(account: Account, throttled: Server) -> None:
    admin, kms = account.administrator(), account.root.client("kms")
    store = KmsKeyStore(admin.client("kms"), lambda: kms, lambda: kms, lambda: kms, bool)
    key = new_key(kms)
    with pytest.raises(AwsError, match=r"kms:CreateAlias on alias/hasty/.* AWS asks for fewer calls"):
        [store.create_alias(f"alias/hasty/{number}", key) for number in range(HASTE * 50)]
    assert any(fault["fired"] for fault in throttled.fault_reports())
