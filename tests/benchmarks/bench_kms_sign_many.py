# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What signing many small files costs, beside nothing but Sign; and a manifest of many, beside sha256sum."""

from __future__ import annotations

import hashlib
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ansible_collections.rootstock.pki.plugins.module_utils._aws.kms import KmsSigner
from ansible_collections.rootstock.pki.plugins.module_utils._aws.signing_keys import KmsSigningKeys
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.files import FileLedger
from ansible_collections.rootstock.pki.plugins.module_utils._operations.making_signatures import (
    AT_ONCE,
    make_signatures,
)
from ansible_collections.rootstock.pki.plugins.module_utils._operations.manifest import files_below, make_manifest
from ansible_collections.rootstock.pki.plugins.module_utils._operations.sign_file import (
    PlanningPorts,
    SigningPorts,
    SigningWork,
)
from ansible_collections.rootstock.pki.plugins.module_utils._operations.sign_files import plan_signatures
from ansible_collections.rootstock.pki.plugins.module_utils._operations.signing_key import find_signing_key
from ansible_collections.rootstock.pki.plugins.module_utils._signer.specs import Content, SignatureSpec
from localaws.server import Server, running
from localaws.testing import Principal, new_account, new_key
from tests.benchmarks.measure import AS_IN_A_REGION, Row, measure, play_seconds

FILES, LISTED = 1000, 10_000
ROUNDS = 5
IN_MEMORY = Path("/dev/shm")


def rows() -> list[Row]:
    """Return many files without a ledger and with one, and a manifest."""
    with running() as server, tempfile.TemporaryDirectory() as folder:
        who = new_account(server).administrator()
        client = who.client("kms")
        key = new_key(client)
        rows = many_files(client, key, Path(folder) / "at-once")
        server.faults({"operation": "kms:Sign", "action": "delay", "seconds": AS_IN_A_REGION, "times": 0})
        rows += many_files(client, key, Path(folder) / "later", f", {1000 * AS_IN_A_REGION:.0f} ms a call")
        server.faults()
        return [*rows, *manifest(server, who, key, Path(folder) / "listed")]


def many_files(client: Any, key: str, folder: Path, when: str = "") -> list[Row]:
    """Sign files in memory, where that is to be had, so that no disk is measured; the ledger is on one.

    Each round does the same three ways one after the other, because what else the machine does comes and goes.
    """
    folder.mkdir()
    taken: dict[str, list[float]] = {"alone": [], "signed": [], "recorded": []}
    with tempfile.TemporaryDirectory(dir=IN_MEMORY if IN_MEMORY.is_dir() else None) as files:
        paths = fill(Path(files) / "files", FILES)
        for number in range(ROUNDS):
            ledger = FileLedger(folder / f"{number}.jsonl", now)
            taken["alone"].append(seconds(lambda: bare_signs(client, key, FILES)))
            taken["signed"].append(seconds(lambda: sign_all(client, key, paths)))
            taken["recorded"].append(seconds(lambda: sign_all(client, key, paths, ledger)))  # noqa: B023  # used at once
    what = f"kms_sign: {FILES} small files, {AT_ONCE} at once{when}"
    alone = Row(
        f"Sign alone: {FILES} times, {AT_ONCE} at once{when}", statistics.median(taken["alone"]), {"kms:Sign": FILES}
    )
    return [
        alone,
        beside(what, taken["alone"], taken["signed"]),
        beside(f"{what}, with a ledger", taken["alone"], taken["recorded"]),
    ]


def beside(what: str, alone: list[float], ours: list[float]) -> Row:
    rate = statistics.median(bare / own for bare, own in zip(alone, ours, strict=True))
    return Row(what, statistics.median(ours), None, f"{rate:.2f} of the rate of Sign alone", "at least 0.90")


def manifest(server: Server, who: Principal, key: str, folder: Path) -> list[Row]:
    return [*small_ones(server, who, key, folder / "small"), *larger_ones(folder / "larger")]


def larger_ones(folder: Path) -> list[Row]:
    """Hash files that are worth a thread each; they are sparse, so that no disk is measured."""
    for path in fill(folder, LISTED):
        os.truncate(path, 256 * 1024)
    tool, ours = hashing(folder, "openssl", "dgst", "-sha256")
    what = f"{LISTED} files of 256 KiB"
    told = f"{ours / tool:.2f} of openssl, which takes one core of {os.cpu_count()}"
    return [
        Row(f"openssl dgst -sha256: {what}", tool),
        Row(f"kms_sign: manifest of {what}, hashing alone", ours, None, told),
    ]


def hashing(folder: Path, *tool_and_options: str) -> tuple[float, float]:
    """Return the seconds that a tool and we take for the same files."""
    command = [*tool_and_options, *names(folder)]
    tool, ours = [], []
    for _round in range(ROUNDS):
        tool.append(seconds(lambda: subprocess.run(command, cwd=folder, capture_output=True, check=True)))
        ours.append(seconds(lambda: list_all(folder)))
    return min(tool), min(ours)


def list_all(folder: Path) -> None:
    make_manifest(files_below(str(folder), []), str(folder / "SHA256SUMS"), "sha256")


def small_ones(server: Server, who: Principal, key: str, folder: Path) -> list[Row]:
    fill(folder, LISTED)
    tool, ours = hashing(folder, "sha256sum")
    task = {"rootstock.pki.kms_sign": {"key_id": key, "src": str(folder), "manifest": True}}
    empty = play_seconds([], who)
    whole, calls = measure(server, lambda: play_seconds([task], who))
    return [
        Row(f"sha256sum: {LISTED} files", tool),
        Row(f"kms_sign: manifest of {LISTED} files, hashing alone", ours, None, f"{ours / tool:.2f} of sha256sum"),
        Row(f"kms_sign: manifest of {LISTED} files, the whole task", whole - empty, calls, "", "1 Sign"),
    ]


def fill(folder: Path, count: int) -> list[Path]:
    folder.mkdir(parents=True)
    paths = [folder / f"{number:05}" for number in range(count)]
    for path in paths:
        path.write_bytes(path.name.encode() * 400)
    return paths


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def seconds(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def now() -> datetime:
    return datetime.now(timezone.utc)


def bare_signs(client: Any, key: str, count: int) -> None:
    digest = hashlib.sha256(b"").digest()

    def sign(_number: int) -> object:
        return client.sign(KeyId=key, Message=digest, MessageType="DIGEST", SigningAlgorithm="ECDSA_SHA_256")

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(sign, range(count)))


def sign_all(client: Any, key_id: str, paths: list[Path], ledger: FileLedger | None = None) -> None:
    """Do what the module does once it is started; nothing is at dest."""

    def keep(work: SigningWork, content: bytes) -> None:
        Path(work.spec.dest).write_bytes(content)

    keys = KmsSigningKeys(client)
    specs = [SignatureSpec(Content(str(path)), f"{path}.sig") for path in paths]
    planning = PlanningPorts(keys, ledger.read() if ledger else None, now())
    works = plan_signatures(specs, find_signing_key(keys, key_id, None, ""), (), lambda _dest: None, planning)
    make_signatures(works, SigningPorts(KmsSigner(client, key_id), keep, ledger, "", now))
