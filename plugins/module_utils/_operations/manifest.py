# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A manifest: one line for each of many files, so that one signature covers them all."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from .._pki.errors import SpecError
from .._pki.manifest_lines import DIGEST_OF_LENGTH, read_line, write_line
from .._pki.problems import refuse
from .content import hash_file, of_each_file

DIGESTS = ("sha256", "sha384", "sha512")

_SIGNATURE_SUFFIXES = (".sig", ".p7s")


def signed_by_themselves(manifest_path: str) -> list[str]:
    """Return what no manifest at *manifest_path* lists: itself, others beside it, and their signatures.

    Each is made from the files of the folder; if they listed each other, each would have to be made anew for ever.
    """
    folder = os.path.dirname(os.path.abspath(manifest_path))
    others = [os.path.join(folder, f"{digest.upper()}SUMS") for digest in DIGESTS]
    return [f"{path}{suffix}" for path in (manifest_path, *others) for suffix in ("", *_SIGNATURE_SUFFIXES)]


def files_below(folder: str, without: Sequence[str]) -> list[str]:
    """Return the files in *folder* and the folders below it, in the order of their names.

    Args:
        without: paths to leave out, the manifest itself above all.
    Raises:
        SpecError: a folder cannot be read, or is a link, behind which others may find something else.
    """
    left_out = {os.path.realpath(path) for path in without}
    found: list[str] = []
    links: list[str] = []
    try:
        for here, folders, names in os.walk(folder, onerror=_refuse_to_skip):
            real = os.path.realpath(here)
            links += [path for path in (os.path.join(here, name) for name in folders) if os.path.islink(path)]
            found += [os.path.join(here, name) for name in names if _real(here, real, name) not in left_out]
    except OSError as exc:
        raise SpecError(f"{exc.filename}: cannot be read ({exc.strerror})") from exc
    refuse(
        f"{path}: is a link to a folder, and links are not followed; put the folder itself there, or give files"
        for path in sorted(links)
    )
    return sorted(found)


def _real(here: str, real: str, name: str) -> str:
    """Return the real path of *name* in the folder *here*, whose own is *real*."""
    path = os.path.join(here, name)
    return os.path.realpath(path) if os.path.islink(path) else os.path.join(real, name)


def _refuse_to_skip(error: OSError) -> None:
    raise error


def make_manifest(paths: Sequence[str], manifest_path: str, algorithm: str) -> bytes:
    """Return the manifest of *paths*, as `sha256sum` and its kin write and check it; all cores hash.

    Names are relative to the manifest's folder, so it is checked from there, wherever the folder goes.

    Raises:
        SpecError: there is no file, one is named twice or not below that folder, cannot be read or changes; all such
            files in one message.
    """
    if not paths:
        raise SpecError(f"{manifest_path}: there is no file that it could list")
    folder = os.path.dirname(os.path.abspath(manifest_path))
    names = [_name(path, folder) for path in paths]
    refuse([*_outside(paths, names), *_repeated(names)])
    digests = of_each_file(lambda path: _digest_or_problem(path, algorithm), paths, paths)
    refuse(digest for digest in digests if isinstance(digest, str))
    raw = map(os.fsencode, names)
    lines = [write_line(name, digest) for name, digest in zip(raw, digests, strict=True) if isinstance(digest, bytes)]
    return b"".join(line for _name, line in sorted(zip(names, lines, strict=True)))


def _name(path: str, folder: str) -> str:
    """Return *path* as seen from *folder*; a file called - is written so that the tools do not read their input."""
    whole, start = os.path.abspath(path), os.path.join(folder, "")
    name = whole.removeprefix(start) if whole.startswith(start) else os.path.relpath(path, folder)
    return os.path.join(os.curdir, name) if name == "-" else name


def _outside(paths: Sequence[str], names: Sequence[str]) -> Iterator[str]:
    for path, name in zip(paths, names, strict=True):
        if name.split(os.sep)[0] == os.pardir:
            yield f"{path}: is not below the folder of the manifest; keep the manifest beside or above the files"


def _repeated(names: Sequence[str]) -> Iterator[str]:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            yield f"{name}: is named twice"
        seen.add(name)


def _digest_or_problem(path: str, algorithm: str) -> bytes | str:
    try:
        return hash_file(path, algorithm)
    except SpecError as exc:
        return str(exc)


def check_manifest(manifest: bytes, manifest_path: str) -> list[str]:
    """Return what is wrong with the files that *manifest* lists, as `sha256sum --check` and its kin find it.

    Raises:
        SpecError: it is no manifest.
    """
    listed = [_listed(line, manifest_path) for line in manifest.split(b"\n") if line]
    if not listed:
        raise SpecError(f"{manifest_path}: lists no file")
    folder = os.path.dirname(os.path.abspath(manifest_path))
    paths = [os.path.join(folder, name) for name, _digest in listed]
    work = [(path, *one) for path, one in zip(paths, listed, strict=True)]
    problems = of_each_file(lambda one: _problem(*one), work, paths)
    return [problem for problem in problems if problem]


def _listed(line: bytes, manifest_path: str) -> tuple[str, str]:
    """Return the name and the digest in one line."""
    found = read_line(line)
    if found is None:
        raise SpecError(f"{manifest_path}: is no manifest, a line is not a digest and a name: {line[:80]!r}")
    name, digest = found
    return os.fsdecode(name), digest


def _problem(path: str, name: str, digest: str) -> str:
    found = _digest_or_problem(path, DIGEST_OF_LENGTH[len(digest)])
    if isinstance(found, str):
        return found
    return "" if found.hex() == digest else f"{name}: is not the file that was listed"
