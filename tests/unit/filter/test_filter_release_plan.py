# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of a release: what belongs to it, what the role made, and what it must not touch."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest

from ansible_collections.rootstock.pki.plugins.filter.release_plan import FilterModule, release_plan
from ansible_collections.rootstock.pki.plugins.module_utils._pki.manifest_lines import write_line

Folder = dict[str, bytes]

USUAL = ["SHA256SUMS", "SHA256SUMS.sig", "SHA256SUMS.p7s", "certificates.pem", "verify.sh"]
FILES = {"a": b"one", "docs/b": b"two", "py.typed": b""}


def plan(folder: Folder, *, top: str = "dist", skipped: dict[str, str] | None = None, **options: Any) -> dict[str, Any]:
    """Return the plan of a folder that find listed as it stands at *top*."""
    folders = {name.rpartition("/")[0] for name in folder} - {""}
    found = [
        *({"path": f"{top}/{name}", "isdir": True, "islnk": False, "size": 4096} for name in folders),
        *({"path": f"{top}/{name}", "isdir": False, "islnk": False, "size": len(folder[name])} for name in folder),
    ]
    traces = [name for name in folder if name == "certificates.pem" or name.endswith("SUMS")]
    records = [{"source": f"{top}/{name}", "content": base64.b64encode(folder[name]).decode()} for name in traces]
    return release_plan({"files": found, "skipped_paths": skipped or {}}, records, directory="~/dist", **options)


def signed(folder: Folder, digest: str = "sha256", each: bool = True) -> Folder:
    """Return the folder as the role leaves it."""
    planned = plan(folder, manifest_digest=digest, each=each)
    assert planned["problems"] == []
    left = {name: content for name, content in folder.items() if f"dist/{name}" not in planned["stale"]}
    names = [path.removeprefix("dist/") for path in planned["files"]]
    lines = [write_line(name.encode(), hashlib.new(digest, folder[name]).digest()) for name in names]
    made = {"certificates.pem": planned["record"].encode() + b"-----BEGIN", "verify.sh": b"#!/bin/sh"}
    for suffix, content in {"": b"".join(lines), ".sig": b"signature", ".p7s": b"message"}.items():
        made[f"{digest.upper()}SUMS{suffix}"] = content
    return {**left, **made, **{f"{path.removeprefix('dist/')}.sig": b"sig" for path in planned["signed_files"]}}


def test_the_filter_has_the_name_that_the_role_uses() -> None:
    assert FilterModule().filters() == {"release_plan": release_plan}


@pytest.mark.parametrize("top", ["dist", "/srv/v1,2", "../dist", "a b/c"])
def test_everything_in_the_folder_is_signed_and_empty_files_are_only_listed(top: str) -> None:
    planned = plan(FILES, top=top)
    assert planned["problems"] == []
    assert planned["dir"] == top
    assert planned["files"] == [f"{top}/a", f"{top}/docs/b", f"{top}/py.typed"]
    assert planned["signed_files"] == [f"{top}/a", f"{top}/docs/b"]


def test_a_release_may_stand_where_the_task_runs() -> None:
    listed = [{"path": name, "isdir": False, "islnk": False, "size": 1} for name in ("a", "b")]
    planned = release_plan({"files": listed, "skipped_paths": {}}, [], directory=".")
    assert (planned["dir"], planned["files"]) == (".", ["a", "b"])


@pytest.mark.parametrize("each", [True, False])
def test_what_an_earlier_run_made_is_not_signed_again(each: bool) -> None:
    planned = plan(signed(FILES, each=each), each=each)
    assert (planned["problems"], planned["stale"]) == ([], [])
    assert planned["files"] == plan(FILES)["files"]


def test_the_signature_of_a_file_that_is_gone_goes_too() -> None:
    folder = signed({**FILES, "back\\slash": b"three"})
    del folder["docs/b"]
    folder["a"] = b""
    planned = plan(folder)
    assert (planned["problems"], planned["stale"]) == ([], ["dist/a.sig", "dist/docs/b.sig"])
    assert planned["files"] == ["dist/a", "dist/back\\slash", "dist/py.typed"]


def test_what_the_options_no_longer_ask_for_goes_too() -> None:
    folder = signed(FILES)
    assert plan(folder, each=False)["stale"] == ["dist/a.sig", "dist/docs/b.sig"]
    planned = plan(folder, manifest_digest="sha512")
    assert planned["stale"] == ["dist/SHA256SUMS", "dist/SHA256SUMS.p7s", "dist/SHA256SUMS.sig"]
    assert planned["files"] == plan(FILES)["files"]
    assert signed(folder, "sha512", each=False) == signed(FILES, "sha512", each=False)


@pytest.mark.parametrize("name", [*USUAL, "a.sig", "docs/b.sig"])
def test_files_of_others_are_not_overwritten(name: str) -> None:
    problem = f"dist/{name}: would be overwritten, and this role did not make it; move it out of the folder"
    assert plan({**FILES, name: b"of somebody else"})["problems"] == [problem]


def test_files_of_others_at_names_that_this_release_does_not_use_are_signed() -> None:
    others = {"SHA512SUMS": b"", "x.sig": b"of x, which is elsewhere", "docs/verify.sh": b"", "py.typed.sig": b"x"}
    folder = {**FILES, **others}
    assert plan(folder)["files"] == sorted(f"dist/{name}" for name in folder)
    again = plan(signed(folder))
    assert (again["problems"], again["stale"]) == ([], [])
    assert again["files"] == sorted(f"dist/{name}" for name in folder)
    alone = signed({"a": b"one", "a.sig": b"GPG"}, each=False)
    assert plan(alone, each=False)["files"] == ["dist/a", "dist/a.sig"]
    assert plan({**alone, "b": b"", "b.sig": b"GPG"}, each=False)["stale"] == []


def test_a_signature_of_others_beside_a_new_file_is_not_overwritten_either() -> None:
    assert (
        "dist/new.sig: would be overwritten" in plan({**signed(FILES), "new": b"x", "new.sig": b"GPG"})["problems"][0]
    )


def test_a_run_that_died_is_taken_up() -> None:
    whole = signed(FILES)
    for missing in (["verify.sh"], ["a.sig", "verify.sh"], [name for name in whole if name.startswith("SHA")]):
        left = {name: content for name, content in whole.items() if name not in missing}
        if "SHA256SUMS" in missing:
            left = {name: content for name, content in left.items() if not name.endswith(".sig")}
        planned = plan(left)
        assert (planned["problems"], planned["stale"]) == ([], [])
        assert planned["files"] == plan(FILES)["files"]


def test_a_folder_that_cannot_be_read_is_not_left_out() -> None:
    planned = plan(FILES, skipped={"dist/private": "[Errno 13] Permission denied"})
    assert planned["problems"] == ["dist/private: cannot be read ([Errno 13] Permission denied)"]


def test_a_folder_without_files_is_no_release() -> None:
    problem = "sign_release_dir ~/dist: there is no file that could be signed"
    assert plan({})["problems"] == [problem]
    assert plan(dict.fromkeys(USUAL, b"") | {"certificates.pem": plan(FILES)["record"].encode()})["problems"] == [
        problem
    ]


def test_names_that_a_shell_script_cannot_read_are_refused() -> None:
    assert plan({"two\nlines": b"x"})["problems"] == [
        "'dist/two\\nlines': has a line break in its name, which a shell script cannot read"
    ]


def test_links_are_refused() -> None:
    listed = [{"path": "dist/a", "isdir": False, "islnk": True, "size": 1}]
    planned = release_plan({"files": listed, "skipped_paths": {}}, [], directory="dist")
    assert planned["problems"][0].startswith("dist/a: is a link; put the file itself there")


@pytest.mark.parametrize(
    ("top", "ledger_path", "inside"),
    [
        ("dist", "dist/ledger.jsonl", True),
        ("dist", "./dist/log/../ledger.jsonl", True),
        ("dist", "dist-ledger.jsonl", False),
        ("dist", "", False),
        ("/srv/dist", "/srv/dist/log/ledger.jsonl", True),
        ("/srv/dist", "/srv/ledger.jsonl", False),
        (".", "ledger.jsonl", True),
        (".", "../ledger.jsonl", False),
        (".", "/srv/ledger.jsonl", False),
    ],
)
def test_a_ledger_in_the_folder_would_change_what_is_signed(top: str, ledger_path: str, inside: bool) -> None:
    found = plan(FILES, top=top, ledger_path=ledger_path)["problems"]
    wanted = f"sign_release_ledger_path {ledger_path}: is in the folder that is signed; keep the ledger outside of it"
    assert found == ([wanted] if inside else [])
