# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What signing a large file costs, beside `openssl dgst` with the same hash over the same file."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from localaws.server import Server, running
from localaws.testing import Principal, new_account, new_key
from tests.benchmarks.measure import Row, measure, play_seconds
from tests.harness.environment import CHECKOUT, environment

GIB = 1024**3
ROUNDS = 3


def rows() -> list[Row]:
    """Return files of 1 and 4 GiB; they are sparse, so that no disk is measured."""
    with running() as server, tempfile.TemporaryDirectory() as folder:
        who = new_account(server).administrator()
        key = new_key(who.client("kms"), "RSA_2048")
        return [row for size in (1, 4) for row in of_size(server, who, key, Path(folder), size)]


def of_size(server: Server, who: Principal, key: str, folder: Path, size: int) -> list[Row]:
    """Return one size: OpenSSL, hashing and signing in one process, and the whole task."""
    path = folder / f"{size}GiB"
    with path.open("wb") as file:
        file.truncate(size * GIB)
    task = {"rootstock.pki.kms_sign": {"key_id": key, "src": str(path), "dest": f"{path}.sig"}}
    taken: dict[str, list[float]] = {"openssl": [], "signing": [], "task": [], "empty": []}
    memory = 0
    calls: Mapping[str, int] = {}
    for _round in range(ROUNDS):
        taken["openssl"].append(seconds(["openssl", "dgst", "-sha512", str(path)], who))
        one, memory = signing(who, key, path)
        taken["signing"].append(one)
        taken["empty"].append(play_seconds([], who))
        Path(f"{path}.sig").unlink(missing_ok=True)
        whole, calls = measure(server, lambda: play_seconds([task], who))
        taken["task"].append(whole)
    middle = {name: statistics.median(values) for name, values in taken.items()}
    whole = middle["task"] - middle["empty"]
    return [
        Row(f"openssl dgst -sha512: {size} GiB", middle["openssl"]),
        Row(
            f"kms_sign: {size} GiB, hash, sign and verify",
            middle["signing"],
            None,
            f"{middle['signing'] / middle['openssl']:.2f} of openssl, {memory} MB at most",
            "at most 1.05 and 100 MB",
        ),
        Row(f"kms_sign: {size} GiB, the whole task", whole, calls, f"{whole / middle['openssl']:.2f} of openssl"),
    ]


def seconds(command: list[str], who: Principal) -> float:
    began = time.perf_counter()
    subprocess.run(command, env=environment_of(who), capture_output=True, check=True)
    return time.perf_counter() - began


def environment_of(who: Principal) -> Mapping[str, str]:
    return {**environment(), **who.environment(), "PYTHONPATH": str(CHECKOUT)}


def signing(who: Principal, key: str, path: Path) -> tuple[float, int]:
    """Sign in a process of its own; return the seconds without its start, and its largest size in MB."""
    command = [sys.executable, "-m", "tests.benchmarks.bench_kms_sign", key, str(path)]
    ran = subprocess.run(command, env=environment_of(who), stdout=subprocess.PIPE, text=True, check=True)
    told = json.loads(ran.stdout)
    return float(told["seconds"]), int(told["megabytes"])


def sign_once(key_id: str, path: str) -> dict[str, float]:
    """Do what the module does once it is started: look at the key, hash, sign, verify."""
    import resource
    from datetime import datetime, timezone

    import boto3

    from ansible_collections.rootstock.pki.plugins.module_utils._aws.kms import KmsSigner
    from ansible_collections.rootstock.pki.plugins.module_utils._aws.signing_keys import KmsSigningKeys
    from ansible_collections.rootstock.pki.plugins.module_utils._operations.making_signatures import make_signatures
    from ansible_collections.rootstock.pki.plugins.module_utils._operations.sign_file import PlanningPorts, SigningPorts
    from ansible_collections.rootstock.pki.plugins.module_utils._operations.sign_files import plan_signatures
    from ansible_collections.rootstock.pki.plugins.module_utils._operations.signing_key import find_signing_key
    from ansible_collections.rootstock.pki.plugins.module_utils._signer.specs import Content, SignatureSpec

    client = boto3.client("kms")
    keys = KmsSigningKeys(client)
    clock: Callable[[], datetime] = lambda: datetime.now(timezone.utc)  # noqa: E731
    began = time.perf_counter()
    key = find_signing_key(keys, key_id, None, "")
    spec = SignatureSpec(Content(path), "")
    works = plan_signatures([spec], key, (), lambda _dest: None, PlanningPorts(keys, None, clock()))
    make_signatures(works, SigningPorts(KmsSigner(client, key_id), lambda _work, _content: None, None, "", clock))
    taken = time.perf_counter() - began
    return {"seconds": taken, "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}


if __name__ == "__main__":
    print(json.dumps(sign_once(*sys.argv[1:])))
