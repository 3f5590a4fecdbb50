# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Death, dropped connections and races against a local AWS: one key for one alias in the end."""

from __future__ import annotations

import multiprocessing
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.rootstock.pki.plugins.module_utils._aws import kms
from ansible_collections.rootstock.pki.plugins.module_utils._aws.key_store import KmsKeyStore
from ansible_collections.rootstock.pki.plugins.module_utils._keys.desired import DesiredKey
from ansible_collections.rootstock.pki.plugins.module_utils._operations.ensure_key import ensure_key
from ansible_collections.rootstock.pki.plugins.module_utils._operations.read_key import read_key
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import PkiError
from localaws.server import Server, running
from localaws.testing import Account, Principal, new_account

LARGE = os.environ.get("ROOTSTOCK_ROUNDS") == "large"
RACES = 20 if LARGE else 2
PROCESSES = 8
MAKER = (
    "kms:CreateAlias",
    "kms:CreateKey",
    "kms:DescribeKey",
    "kms:GetKeyLastUsage",
    "kms:GetKeyPolicy",
    "kms:ListAliases",
    "kms:ListGrants",
    "kms:ListResourceTags",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
    "tag:GetResources",
)
"""What making a key needs; a run needs no more than this to end well."""
CUTS = [(call, when) for call in ("kms:CreateKey", "kms:CreateAlias") for when in ("before", "after")]


def converge(caller: Principal, alias: str) -> str:
    """Do what kms_key does outside check mode and return the ARN of the key."""
    client = caller.client("kms")
    store = KmsKeyStore(
        client, lambda: client, partial(caller.client, "resourcegroupstaggingapi"), partial(caller.client, "sts")
    )
    desired = DesiredKey(alias, "", "ECC_NIST_P256", "SIGN_VERIFY", use="ca", tags={"team": "pki"})
    return str(ensure_key(store, desired, read_key(store, desired), None).key.description.arn)


def keys_of(account: Account, alias: str) -> tuple[list[str], str]:
    """Return the ARNs of the enabled keys that were made for *alias*, and of the one that has it."""
    client = account.root.client("kms")
    found = [kms.describe_key(client, arn) for arn in kms.list_keys(client)]
    alive = [key.arn for key in found if key and key.state == "Enabled"]
    tagged = [arn for arn in alive if kms.list_resource_tags(client, arn)["rootstock:alias"] == alias]
    named = kms.describe_key(client, alias)
    return tagged, named.arn if named else ""


@contextmanager
def fault(server: Server, **what: object) -> Iterator[None]:
    """Let something go wrong, and all be well again afterwards."""
    server.faults(what)
    try:
        yield
    finally:
        server.faults()


@pytest.mark.parametrize(("call", "when"), CUTS)
def test_a_dropped_connection_and_a_rerun_leave_one_key(
    account: Account, local_aws: Server, call: str, when: str
) -> None:
    maker = account.role("maker", {"Action": list(MAKER)})
    with (
        fault(local_aws, action="drop", operation=call, when=when, caller=f"*:{account.account_id}:*"),
        suppress(PkiError),
    ):
        converge(maker, "alias/pki/root")
    arn = converge(maker, "alias/pki/root")
    assert keys_of(account, "alias/pki/root") == ([arn], arn)


@pytest.mark.parametrize(("call", "when"), CUTS)
def test_the_death_of_aws_itself_and_a_rerun_leave_one_key(tmp_path: Path, call: str, when: str) -> None:
    with running(state=tmp_path) as first:
        account = new_account(first)
        first.faults({"action": "die", "operation": call, "when": when})
        with pytest.raises(PkiError):
            converge(account.root, "alias/pki/root")
    with running(state=tmp_path) as second:
        again = Account(second.endpoint, account.account_id)
        arn = converge(again.root, "alias/pki/root")
        assert keys_of(again, "alias/pki/root") == ([arn], arn)


def killed_at(caller: Principal, alias: str, call: str, when: str) -> None:
    """Run until just before or after a call, and die there as from SIGKILL."""

    def die(**_kwargs: Any) -> None:
        os._exit(9)

    client = caller.client("kms")
    name = call.partition(":")[2]
    client.meta.events.register(f"{'before' if when == 'before' else 'after'}-call.kms.{name}", die)
    store = KmsKeyStore(
        client, lambda: client, partial(caller.client, "resourcegroupstaggingapi"), partial(caller.client, "sts")
    )
    desired = DesiredKey(alias, "", "ECC_NIST_P256", "SIGN_VERIFY", use="ca", tags={"team": "pki"})
    ensure_key(store, desired, read_key(store, desired), None)


@pytest.mark.parametrize(("call", "when"), CUTS)
def test_a_killed_run_and_a_rerun_leave_one_key(account: Account, call: str, when: str) -> None:
    maker = account.role("maker", {"Action": list(MAKER)})
    for _round in range(3 if LARGE else 1):
        process = multiprocessing.get_context("fork").Process(
            target=killed_at, args=(maker, "alias/pki/root", call, when)
        )
        process.start()
        process.join(30)
        assert process.exitcode in (9, 0)
    arn = converge(maker, "alias/pki/root")
    assert keys_of(account, "alias/pki/root") == ([arn], arn)


def race(caller: Principal, alias: str, start: Barrier, results: Any) -> None:
    """Wait for the others and run."""
    start.wait(30)
    try:
        results.put(converge(caller, alias))
    except PkiError as exc:
        results.put(str(exc))


@pytest.mark.parametrize("number", range(RACES))
def test_eight_runs_at_once_make_one_key_and_all_report_it(account: Account, number: int) -> None:
    alias = f"alias/pki/race-{number}-{secrets.token_hex(4)}"
    maker = account.role("maker", {"Action": list(MAKER)})
    context = multiprocessing.get_context("fork")
    start, results = context.Barrier(PROCESSES), context.Queue()
    processes = [context.Process(target=race, args=(maker, alias, start, results)) for _number in range(PROCESSES)]
    for process in processes:
        process.start()
    reported = [results.get(timeout=60) for _process in processes]
    for process in processes:
        process.join(30)
    alive, named = keys_of(account, alias)
    assert set(reported) == {named}
    assert alive == [named]
