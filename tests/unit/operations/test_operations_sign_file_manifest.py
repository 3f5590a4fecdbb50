# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Manifests, judged by sha256sum and its kin."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.rootstock.pki.plugins.module_utils._operations.manifest import (
    DIGESTS,
    files_below,
    make_manifest,
    signed_by_themselves,
)
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import SpecError

FILE_NAMES = st.binary(min_size=1, max_size=40).filter(
    lambda name: not set(name) & {0, 47} and name not in (b".", b"..")
)


def fill(folder: Path, *names: str) -> list[str]:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(f"content of {name}".encode())
    return [str(folder / name) for name in names]


def check(tool: str, manifest: bytes, folder: Path) -> subprocess.CompletedProcess[bytes]:
    (folder / "SUMS").write_bytes(manifest)
    return subprocess.run([tool, "--check", "--strict", "SUMS"], cwd=folder, capture_output=True, check=False)


@pytest.mark.parametrize("algorithm", DIGESTS)
def test_the_tool_of_each_digest_checks_the_manifest_and_finds_a_tampered_file(algorithm: str, tmp_path: Path) -> None:
    paths = fill(tmp_path, "a", "b/c", "b/d e", "empty")
    (tmp_path / "empty").write_bytes(b"")
    manifest = make_manifest(paths, str(tmp_path / "SUMS"), algorithm)
    assert check(f"{algorithm}sum", manifest, tmp_path).stdout.count(b": OK") == 4
    (tmp_path / "b/c").write_bytes(b"tampered")
    failed = check(f"{algorithm}sum", manifest, tmp_path)
    assert failed.returncode == 1
    assert b"b/c: FAILED" in failed.stdout


def test_lines_are_in_the_order_of_names_whatever_the_order_of_files(tmp_path: Path) -> None:
    paths = fill(tmp_path, "b", "a", "c/a")
    manifest = make_manifest(paths, str(tmp_path / "SUMS"), "sha256")
    assert manifest == make_manifest(paths[::-1], str(tmp_path / "SUMS"), "sha256")
    assert manifest.splitlines()[0] == hashlib.sha256(b"content of a").hexdigest().encode() + b"  a"


@example(names={b"-", b"\\", b"a\nb", b"\r", b" "})
@given(names=st.sets(FILE_NAMES, min_size=1, max_size=5))
def test_names_of_any_bytes_are_written_as_the_tool_reads_them(
    names: set[bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("names")
    for name in names:
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_bytes(name)
    paths = files_below(str(folder), [str(folder / "SUMS")])
    checked = check("sha256sum", make_manifest(paths, str(folder / "SUMS"), "sha256"), folder)
    assert checked.returncode == 0, checked.stderr
    assert checked.stdout.count(b": OK\n") == len(names)


def test_a_folder_gives_all_files_below_it_but_the_manifest_and_its_signature(tmp_path: Path) -> None:
    fill(tmp_path, "a", "b/c", "SHA256SUMS", "SHA256SUMS.sig", "b/SHA256SUMS")
    without = [str(tmp_path / "SHA256SUMS"), str(tmp_path / "SHA256SUMS.sig")]
    assert files_below(str(tmp_path), without) == [str(tmp_path / name) for name in ("a", "b/SHA256SUMS", "b/c")]


def test_manifests_beside_the_manifest_and_their_signatures_are_left_out_and_those_elsewhere_listed(
    tmp_path: Path,
) -> None:
    fill(tmp_path, "a", "own", "own.sig", "SHA256SUMS", "SHA512SUMS", "SHA512SUMS.sig", "SHA384SUMS.p7s")
    fill(tmp_path, "a.sig", "SHA512SUMS.txt", "b/SHA512SUMS", "b/own")
    listed = files_below(str(tmp_path), signed_by_themselves(str(tmp_path / "own")))
    assert listed == [str(tmp_path / name) for name in ("SHA512SUMS.txt", "a", "a.sig", "b/SHA512SUMS", "b/own")]


def test_links_to_folders_are_refused_and_links_to_files_listed(tmp_path: Path) -> None:
    fill(tmp_path, "elsewhere/a", "release/b/c")
    release = tmp_path / "release"
    (release / "file").symlink_to(tmp_path / "elsewhere/a")
    assert files_below(str(release), []) == [str(release / "b/c"), str(release / "file")]
    (release / "b/up").symlink_to(release)
    (release / "linked").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SpecError, match=r"b/up: is a link to a folder, and links .*/linked: is a link to a folder"):
        files_below(str(release), [])


def test_the_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    fill(tmp_path, "release/a", "release/SHA256SUMS")
    (tmp_path / "latest").symlink_to(tmp_path / "release")
    without = signed_by_themselves(str(tmp_path / "latest/SHA256SUMS"))
    assert files_below(str(tmp_path / "latest"), without) == [str(tmp_path / "latest/a")]


def test_all_files_that_cannot_be_read_are_named_in_one_message(tmp_path: Path) -> None:
    paths = fill(tmp_path, "a")
    (tmp_path / "folder").mkdir()
    (tmp_path / "dangling").symlink_to(tmp_path / "nothing")
    with pytest.raises(SpecError) as refused:
        make_manifest([*paths, str(tmp_path / "folder"), str(tmp_path / "dangling")], str(tmp_path / "SUMS"), "sha256")
    for name in ("folder: cannot be read (Is a directory)", "dangling: cannot be read (No such file or directory)"):
        assert name in str(refused.value)


def test_files_elsewhere_and_files_named_twice_are_refused_in_one_message(tmp_path: Path) -> None:
    paths = fill(tmp_path, "a", "release/b")
    with pytest.raises(SpecError, match=r"/a: is not below the folder of the manifest.*; b: is named twice"):
        make_manifest([*paths, paths[1]], str(tmp_path / "release/SUMS"), "sha256")


def test_a_folder_that_cannot_be_read_is_told_and_an_empty_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="nothing: cannot be read"):
        files_below(str(tmp_path / "nothing"), [])
    with pytest.raises(SpecError, match="there is no file that it could list"):
        make_manifest(files_below(str(tmp_path), []), str(tmp_path / "SUMS"), "sha256")
