# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of a release: what is signed, what an earlier run made, and what stands in the way."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from posixpath import basename, dirname, join, normpath
from typing import Any

from .errors import SpecError
from .manifest_lines import DIGEST_OF_LENGTH, read_line
from .tree_options import found, is_list, text_problems

CERTIFICATES = "certificates.pem"
SCRIPT = "verify.sh"
SUFFIX = ".sig"

_RECORD = "# Made by the role rootstock.pki.sign_release: {manifest}"
_EACH = f", *{SUFFIX}"
_RECORDED = re.compile(rf"{_RECORD.format(manifest='(?P<manifest>SHA[0-9]+SUMS)')}(?P<each>{re.escape(_EACH)})?\n")
_EMPTY = frozenset(hashlib.new(name).hexdigest() for name in DIGEST_OF_LENGTH.values())


@dataclass(frozen=True)
class Release:
    """A folder as it was found.

    Args:
        entries: what is in it and below, by name as seen from it, as ansible.builtin.find describes it.
        earlier: names of what an earlier run made, whether or not it is still there.
        manifest: name of the manifest that is wanted.
        each: whether each file is to have a signature of its own.
    """

    entries: Mapping[str, Mapping[str, Any]]
    earlier: frozenset[str]
    manifest: str
    each: bool

    @cached_property
    def files(self) -> list[str]:
        """What is signed: all but what the role makes, or made."""
        own = {*self.earlier, *_fixed(self.manifest)}
        return sorted(name for name, entry in self.entries.items() if not entry["isdir"] and name not in own)

    @cached_property
    def signed_files(self) -> list[str]:
        """What has a signature of its own; in an empty file there is nothing to sign."""
        return [name for name in self.files if self.entries[name]["size"]] if self.each else []

    @cached_property
    def outputs(self) -> list[str]:
        return [*_fixed(self.manifest), *(f"{name}{SUFFIX}" for name in self.signed_files)]

    def stale(self) -> list[str]:
        """Return what an earlier run made and this one does not."""
        return sorted((self.earlier - {*self.outputs}).intersection(self.entries))

    def problems(self) -> Iterator[str]:
        """Yield what forbids to sign it."""
        for entry in self.entries.values():
            if entry["islnk"]:
                yield (
                    f"{entry['path']}: is a link; put the file itself there, since whoever unpacks the release may find"
                    " something else behind it"
                )
        for name in self.files:
            if "\n" in name or "\r" in name:
                path = self.entries[name]["path"]
                yield f"{path!r}: has a line break in its name, which a shell script cannot read"
        for name in self.outputs:
            if name in self.entries and name not in self.earlier:
                path = self.entries[name]["path"]
                yield f"{path}: would be overwritten, and this role did not make it; move it out of the folder"


def plan_release(
    listed: Mapping[str, Any], records: Mapping[str, bytes], directory: str, digest: str, each: bool
) -> dict[str, Any]:
    """Return what the tasks of the role need to know.

    Args:
        listed: what ansible.builtin.find returned for *directory* and everything below it.
        records: content of what is at its top and may tell of an earlier run, by name.
        digest: what the files are hashed with.
    """
    top = _top([entry["path"] for entry in listed["files"]])
    start = join(top, "")
    entries = {entry["path"].removeprefix(start): entry for entry in listed["files"]}
    release = Release(entries, _made_earlier(records), f"{digest.upper()}SUMS", each)
    unseen = [f"{path}: cannot be read ({reason})" for path, reason in sorted(listed["skipped_paths"].items())]
    if not unseen and not release.files:
        unseen = [f"sign_release_dir {directory}: there is no file that could be signed"]
    return {
        "problems": [*unseen, *release.problems()],
        "dir": top or ".",
        "files": [entries[name]["path"] for name in release.files],
        "signed_files": [entries[name]["path"] for name in release.signed_files],
        "stale": [entries[name]["path"] for name in release.stale()],
        "record": record(release.manifest, each),
    }


def option_problems(digest: object, each: object, ledger_path: object) -> list[str]:
    """Return which options have values that no release can be planned with."""
    problems = text_problems({"sign_release_ledger_path": ledger_path})
    if digest not in DIGEST_OF_LENGTH.values():
        words = ", ".join(DIGEST_OF_LENGTH.values())
        problems.append(f"sign_release_manifest_digest is {found(digest)}; there are {words}")
    return problems + (
        [] if isinstance(each, bool) else [f"sign_release_each is {found(each)}; expected true or false"]
    )


def to_listing(given: object) -> Mapping[str, Any]:
    """Return what ansible.builtin.find returned.

    Raises:
        SpecError: it is something else.
    """
    if isinstance(given, Mapping):
        files, skipped = given.get("files"), given.get("skipped_paths")
        read = isinstance(skipped, Mapping) and all(isinstance(path, str) for path in skipped)
        if read and is_list(files) and all(_is_entry(one) for one in files):
            return given
    raise SpecError("the input is not what ansible.builtin.find returned; give its whole result")


def _is_entry(given: object) -> bool:
    if not isinstance(given, Mapping) or not {"isdir", "islnk", "size"} <= given.keys():
        return False
    return isinstance(given.get("path"), str)


def to_contents(given: Any) -> dict[str, bytes]:
    """Return the files that ansible.builtin.slurp read, by the names that they have in their folder.

    Raises:
        SpecError: it is something else.
    """
    try:
        read = [(basename(one["source"]), base64.b64decode(one["content"])) for one in given]
    except (TypeError, KeyError, ValueError) as exc:
        raise SpecError("records are not what ansible.builtin.slurp returned; give a list of its results") from exc
    return dict(read)


def ledger_problems(top: str, ledger_path: str) -> list[str]:
    """Return what is wrong with a ledger that would change the release with each signature of it."""
    start, path = normpath(top), normpath(ledger_path)
    inside = not path.startswith(("/", "..")) if start == "." else path.startswith(join(start, ""))
    if not ledger_path or not inside:
        return []
    return [f"sign_release_ledger_path {ledger_path}: is in the folder that is signed; keep the ledger outside of it"]


def record(manifest: str, each: bool) -> str:
    """Return the line in the file of certificates that tells later runs what this one made."""
    return f"{_RECORD.format(manifest=manifest)}{_EACH if each else ''}\n"


def _top(paths: Sequence[str]) -> str:
    """Return the folder that *paths* were found in as they write it: without ~, dots and slashes too many.

    They are all that is in it and below, so the one with the fewest steps is right in it.
    """
    return dirname(min(paths, key=lambda path: path.count("/"), default=""))


def _fixed(manifest: str) -> list[str]:
    return [manifest, f"{manifest}{SUFFIX}", f"{manifest}.p7s", CERTIFICATES, SCRIPT]


def _made_earlier(records: Mapping[str, bytes]) -> frozenset[str]:
    """Return what an earlier run made; what its manifest lists was there before it."""
    told = _RECORDED.match(records.get(CERTIFICATES, b"").decode("utf-8", "replace"))
    if not told:
        return frozenset()
    lines = (read_line(line) for line in records.get(told["manifest"], b"").split(b"\n"))
    listed = {normpath(line[0].decode("utf-8", "surrogateescape")): line[1] for line in lines if line}
    signed = [f"{name}{SUFFIX}" for name, digest in listed.items() if digest not in _EMPTY] if told["each"] else []
    return frozenset([*_fixed(told["manifest"]), *signed]).difference(listed)
