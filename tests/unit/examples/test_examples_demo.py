# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The demo sees what it says that it checks, and fails where that does not hold."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from examples import demo
from tests.unit.signer.local_kms import local_key

ANSIBLE_SAYS = """
PLAY [The PKI of the inventory stands] *****************************************

TASK [rootstock.pki.pki_tree : Every key exists in KMS] ************************
changed: [localhost] => (item=root)
changed: [localhost] => (item=services)

TASK [rootstock.pki.pki_tree : The tree can be built] **************************
ok: [localhost]

PLAY RECAP *********************************************************************
localhost                  : ok=10   changed=1    unreachable=0    failed=0    skipped=0    rescued=0    ignored=0
"""


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
@pytest.mark.parametrize("key_spec", ["ECC_NIST_P256", "ML_DSA_65"])
def test_private_keys_are_found(encoding: Encoding, key_spec: str) -> None:
    key = local_key(key_spec)
    assert demo.holds_private_key(key.private_bytes(encoding, PrivateFormat.PKCS8, NoEncryption()))
    assert not demo.holds_private_key(key.public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo))


def test_a_private_key_below_the_tree_fails_the_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "PKI", tmp_path)
    (tmp_path / "note.txt").write_text("nothing\n")
    assert demo.count_files_without_keys() == 1
    (tmp_path / "left.key").write_text("-----BEGIN EC PRIVATE KEY-----\n")
    with pytest.raises(demo.DemoError, match=r"left\.key"):
        demo.count_files_without_keys()


def test_an_empty_tree_fails_the_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "PKI", tmp_path)
    with pytest.raises(demo.DemoError, match="is empty"):
        demo.count_files_without_keys()


def test_what_changed_is_said_task_by_task_and_logged_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "LOG", tmp_path / "ansible.log")
    lines = list(demo.logged(iter(ANSIBLE_SAYS.splitlines(keepends=True)), quiet=False))
    assert capsys.readouterr().out.split() == ["Every", "key", "exists", "in", "KMS", "2"]
    assert "".join(lines) == (tmp_path / "ansible.log").read_text() == ANSIBLE_SAYS


def test_openssl_that_says_something_else_fails_the_demo(tmp_path: Path) -> None:
    assert demo.openssl("version").startswith("OpenSSL ")
    with pytest.raises(demo.DemoError, match="ended with 1: "):
        demo.openssl("x509", "-in", tmp_path / "missing.pem")


def test_two_demos_do_not_share_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "HERE", tmp_path / "demo")
    monkeypatch.setattr(demo, "LOCK", tmp_path / "demo.lock")
    with demo.alone(), pytest.raises(demo.DemoError, match="another demo is running"), demo.alone():
        pass


def test_what_a_demo_that_was_killed_left_running_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "HERE", tmp_path / "demo")
    monkeypatch.setattr(demo, "LOCK", tmp_path / "demo.lock")
    ours, others = (
        subprocess.Popen(["sleep", "60"], env={**os.environ, demo.MARK: str(folder)}, start_new_session=True)
        for folder in (tmp_path / "demo", tmp_path / "other")
    )
    try:
        with demo.alone():
            assert ours.wait(timeout=10) == -signal.SIGKILL
            assert others.poll() is None
    finally:
        others.kill()
        others.wait()
