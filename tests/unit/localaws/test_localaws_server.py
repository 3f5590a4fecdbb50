# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The server: how it starts, stops, keeps its state, counts, and fails on demand."""

from __future__ import annotations

import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.error
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError
from cryptography.hazmat.primitives.serialization import load_der_public_key

from localaws.server import CHECKOUT, Server, running
from localaws.testing import Account, new_account, new_key


def kms_of(account: Account, **options: Any) -> Any:
    return account.administrator().client("kms", **options)


def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    command, pipe = [sys.executable, "-m", "localaws", *arguments], subprocess.PIPE
    return subprocess.Popen(
        command, cwd=CHECKOUT, env={**os.environ, **environment}, stdout=pipe, stderr=pipe, text=True
    )


def test_first_line_is_the_endpoint_and_sigterm_stops_with_status_0() -> None:
    process = start("--port", "0")
    assert process.stdout is not None
    endpoint = process.stdout.readline()
    assert re.fullmatch(r"http://127\.0\.0\.1:[1-9][0-9]*\n", endpoint)
    assert new_account(Server(endpoint.strip(), process)).root.client("sts").get_caller_identity()["Account"]
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (0, "", "")


def test_it_listens_on_loopback_only(local_aws: Server) -> None:
    sockets = [os.readlink(link) for link in Path(f"/proc/{local_aws.process.pid}/fd").iterdir() if link.exists()]
    inodes = {re.sub(r"\D", "", name) for name in sockets if name.startswith("socket:")}
    tables = [Path(f"/proc/net/{name}") for name in ("tcp", "tcp6", "udp", "udp6")]
    rows = [row.split() for table in tables for row in table.read_text().splitlines()[1:]]
    listening = [row[1].partition(":")[0] for row in rows if row[9] in inodes and row[3] in ("0A", "07")]
    assert listening == ["0100007F"]


def test_a_port_in_use_is_said_in_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = start("--port", str(taken.getsockname()[1]))
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (2, "")
    assert "cannot be had" in err
    assert "Traceback" not in err


def test_another_ministack_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "ministack-1.5.34.dist-info").mkdir()
    (tmp_path / "ministack-1.5.34.dist-info" / "METADATA").write_text("Name: ministack\nVersion: 1.5.34\n")
    process = start("--port", "0", PYTHONPATH=str(tmp_path))
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (2, "")
    assert "1.5.33" in err
    assert "1.5.34" in err


def test_variables_of_the_user_do_not_make_anybody_root() -> None:
    process = start("--port", "0", AWS_ACCESS_KEY_ID="AKIAUSERUSERUSERUSER", SERVICES="s3")
    assert process.stdout is not None
    server = Server(process.stdout.readline().strip(), process)
    root = new_account(server).root
    stranger = type(root)(server.endpoint, {"access_key_id": "AKIAUSERUSERUSERUSER", "secret_access_key": "x"}, "")
    with pytest.raises(ClientError, match="UnrecognizedClientException"):
        stranger.client("kms").list_keys()
    assert root.client("kms").list_keys()["Keys"] == []
    assert server.stop() == 0
    process.communicate()


def test_it_stops_with_the_process_that_started_it() -> None:
    script = f"import subprocess, sys, os; sys.path.insert(0, {str(CHECKOUT)!r})\n"
    script += "from localaws.server import running\nwith running() as s: print(s.process.pid, flush=True); os._exit(1)"
    pid = int(subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False).stdout)
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize("spec", ["ECC_NIST_P256", "ML_DSA_44", "ML_DSA_87"])
def test_state_keeps_keys_of_every_kind(tmp_path: Path, spec: str) -> None:
    state = tmp_path / "state"
    with running(state=state) as server:
        account = new_account(server)
        key_id = new_key(kms_of(account), spec)
        before = account.root.client("kms").get_public_key(KeyId=key_id)["PublicKey"]
        assert server.stop() == 0
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in state.iterdir()} == {0o600}
    with running(state=state) as server:
        kms = Account(server.endpoint, account.account_id).root.client("kms")
        assert kms.get_public_key(KeyId=key_id)["PublicKey"] == before
        assert kms.describe_key(KeyId=key_id)["KeyMetadata"]["KeySpec"] == spec
        if spec.startswith("ML_DSA"):
            signed = kms.sign(KeyId=key_id, Message=b"kept", SigningAlgorithm="ML_DSA_SHAKE_256")["Signature"]
            load_der_public_key(before).verify(signed, b"kept")  # type: ignore[union-attr, call-arg, arg-type]


def test_calls_are_counted_by_operation_and_caller() -> None:
    with running() as server:
        account = new_account(server)
        kms, other = kms_of(account), account.role("other", {"Action": "kms:*"})
        key_id = new_key(kms)
        kms.describe_key(KeyId=key_id)
        other.client("kms").describe_key(KeyId=key_id)
        with pytest.raises(ClientError, match="NotFoundException"):
            other.client("kms").describe_key(KeyId="alias/none")
        session = f"arn:aws:sts::{account.account_id}:assumed-role"
        calls = server.calls()
        assert calls["kms:CreateKey"] == {f"{session}/administrator/test": 1}
        assert calls["kms:DescribeKey"] == {f"{session}/administrator/test": 1, f"{session}/other/test": 2}
        assert calls["sts:AssumeRole"] == {account.root.arn: 2}
        assert server.count("kms:DescribeKey") == 3
        server.reset_calls()
        assert server.calls() == {}


def test_a_dropped_connection_before_the_work_leaves_nothing(local_aws: Server, account: Account) -> None:
    kms = kms_of(account)
    local_aws.faults({"action": "drop", "operation": "kms:CreateKey", "caller": f"*:{account.account_id}:*", "call": 2})
    new_key(kms)
    with pytest.raises(ConnectionClosedError):
        new_key(kms)
    assert len(kms.list_keys()["Keys"]) == 1
    new_key(kms)
    assert [(report["seen"], report["fired"]) for report in local_aws.fault_reports()] == [(3, 1)]
    local_aws.faults()


def test_a_dropped_connection_after_the_work_leaves_it_done(local_aws: Server, account: Account) -> None:
    kms = kms_of(account)
    local_aws.faults({"action": "drop", "operation": "kms:CreateKey", "when": "after"})
    with pytest.raises(ConnectionClosedError):
        new_key(kms)
    assert len(kms.list_keys()["Keys"]) == 1
    local_aws.faults()


def test_a_retry_after_a_dropped_answer_makes_a_second_key(local_aws: Server, account: Account) -> None:
    kms = kms_of(account, retries=True)
    local_aws.faults({"action": "drop", "operation": "kms:CreateKey", "when": "after"})
    new_key(kms)
    assert len(kms.list_keys()["Keys"]) == 2
    local_aws.faults()


@pytest.mark.parametrize(("when", "left"), [("before", 0), ("after", 1)])
def test_death_before_and_after_the_nth_call(tmp_path: Path, when: str, left: int) -> None:
    with running(state=tmp_path / "state") as server:
        account = new_account(server)
        kms = kms_of(account)
        server.faults({"action": "die", "operation": "kms:CreateKey", "when": when})
        with pytest.raises(ConnectionClosedError):
            new_key(kms)
        assert server.process.wait(timeout=10) == 70
        with pytest.raises(EndpointConnectionError):
            new_key(kms)
    with running(state=tmp_path / "state") as server:
        keys = Account(server.endpoint, account.account_id).root.client("kms").list_keys()["Keys"]
        assert len(keys) == left


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"action": "explode"}, "die, drop"),
        ({"action": "drop", "when": "during"}, "neither before nor after"),
        ({"action": "drop", "nth": 3}, "nth"),
        ({"operation": "kms:Sign"}, "action"),
    ],
)
def test_a_fault_that_means_nothing_is_refused(local_aws: Server, fault: dict[str, object], said: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        local_aws.faults(fault)
    assert caught.value.code == 400
    assert said in caught.value.read().decode()
