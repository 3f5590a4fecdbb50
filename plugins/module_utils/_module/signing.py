# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of signatures over files, and what they mean."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

from .._pki.errors import SpecError
from .._pki.problems import refuse
from .._signer.algorithms import ALGORITHMS
from .._signer.specs import MANIFEST, Content, SignatureSpec
from .files import read_file, unwritable
from .places import Place
from .texts import TEXT, octets_of_text

MESSAGE_TYPES = {"auto": "", "raw": "RAW", "digest": "DIGEST", "external_mu": "EXTERNAL_MU"}
DIGEST_SIZES = {"sha256": 32, "sha384": 48, "sha512": 64, "mu": 64}
CONTENT_OPTIONS = ("src", "content", "files", "digest_value")
SUFFIX = ".sig"

OUTPUT_OPTIONS = ("dest", "manifest_path")
MANIFEST_OPTIONS = ("manifest_path", "manifest_digest")
MANIFEST_DIGEST = "sha256"

LARGEST_SIGNATURE = 16 * 1024
"""Bytes; what is larger is no signature, and is not read to find out."""

SIGNATURE_OPTIONS: dict[str, dict[str, Any]] = {
    "key_id": {"type": "str", "required": True},
    "src": {"type": "path"},
    "content": TEXT,
    "files": {"type": "list", "elements": "path"},
    "digest_value": {"type": "str"},
    "digest_algorithm": {"type": "str", "choices": list(DIGEST_SIZES)},
    "allow_blind_digest": {"type": "bool", "default": False},
    "dest": {"type": "path"},
    "format": {"type": "str", "default": "raw", "choices": ["raw", "base64", "p1363"]},
    "manifest": {"type": "bool", "default": False},
    "manifest_path": {"type": "path"},
    "manifest_digest": {"type": "str", "choices": ["sha256", "sha384", "sha512"]},
    "signing_algorithm": {"type": "str", "choices": list(ALGORITHMS)},
    "message_type": {"type": "str", "default": "auto", "choices": list(MESSAGE_TYPES)},
    "public_key_path": {"type": "path"},
    "ledger_path": {"type": "path"},
}


def check_signing_options(params: Mapping[str, Any]) -> None:
    """Refuse what would be ignored, so that nobody takes a signature for another one."""
    strays = [] if params["manifest"] else [name for name in MANIFEST_OPTIONS if params[name] is not None]
    manifest = [f"{name}: is of a manifest; set manifest to true, or leave it out" for name in strays]
    refuse([*digest_problems(params), *manifest])


def digest_problems(params: Mapping[str, Any]) -> Iterator[str]:
    if params["digest_algorithm"] is not None and params["digest_value"] is None:
        yield (
            "digest_algorithm: tells what made digest_value, which is not given; what a content is hashed with is part"
            " of signing_algorithm"
        )


def to_signature_specs(params: Mapping[str, Any]) -> list[SignatureSpec]:
    """Return the signatures that the task asks for, one for each file; not for manifests.

    Raises:
        SpecError: options that contradict each other, or places that cannot be written; all in one message.
    """
    if params["digest_value"] is not None:
        wanted = [(_to_digest(params), params["dest"] or "")]
    elif params["content"] is not None:
        wanted = [(Content("content", octets_of_text(params["content"], "content")), params["dest"] or "")]
    elif params["files"] is not None:
        wanted = [(Content(path), _beside(path, params["dest"])) for path in params["files"]]
    else:
        wanted = [(Content(params["src"]), params["dest"] or "")]
    dests = [dest for _content, dest in wanted if dest]
    refuse([*unwritable(dests, "dest"), *([] if wanted else ["files: is empty, there is nothing to sign"])])
    return [_spec(params, content, dest) for content, dest in wanted]


def _spec(params: Mapping[str, Any], content: Content, dest: str) -> SignatureSpec:
    return SignatureSpec(
        content=content,
        dest=dest,
        signing_algorithm=params["signing_algorithm"] or "",
        message_type=MESSAGE_TYPES[params["message_type"]],
        format=params["format"],
    )


def to_manifest_path(params: Mapping[str, Any]) -> str:
    """Return where the manifest is kept: in the folder that it lists, unless the task says otherwise.

    Raises:
        SpecError: the options do not go with a manifest, or it cannot be written.
    """
    if params["content"] is not None or params["digest_value"] is not None:
        raise SpecError("manifest: lists files; give files, or a folder as src")
    if params["files"] is not None and not params["manifest_path"]:
        raise SpecError("manifest: of files needs manifest_path")
    name = f"{manifest_digest(params).upper()}SUMS"
    path: str = params["manifest_path"] or os.path.join(params["src"], name)
    refuse([*unwritable([path], "manifest_path"), *_ledger_problems(params)])
    return path


def _ledger_problems(params: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with a ledger that each signature would change behind the manifest's back."""
    folder, ledger_path = params["src"], params["ledger_path"]
    if folder and ledger_path and os.path.realpath(ledger_path).startswith(os.path.join(os.path.realpath(folder), "")):
        yield f"ledger_path {ledger_path}: is in {folder}, the folder that is signed; keep the ledger outside of it"


def manifest_digest(params: Mapping[str, Any]) -> str:
    """Return what the files of a manifest are hashed with."""
    return params["manifest_digest"] or MANIFEST_DIGEST


def to_manifest_spec(params: Mapping[str, Any], manifest_path: str, manifest: bytes | None) -> SignatureSpec:
    """Return the one signature over a manifest; *manifest* is None while its files are not there yet."""
    dest = _manifest_dest(params, manifest_path)
    content = Content(manifest_path, manifest or b"")
    refuse(unwritable([dest], "dest"))
    spec = _spec(params, content, dest)
    return SignatureSpec(content, dest, spec.signing_algorithm, spec.message_type, spec.format, MANIFEST)


def _manifest_dest(params: Mapping[str, Any], manifest_path: str) -> str:
    dest: str = params["dest"] or f"{manifest_path}{SUFFIX}"
    return dest


def signature_places(params: Mapping[str, Any], manifest_path: str) -> list[Place]:
    """Return the files that the task writes; those of `files` are called by what is signed.

    Args:
        manifest_path: empty where there is no manifest.
    """
    if manifest_path:
        return [Place("dest", _manifest_dest(params, manifest_path)), Place("manifest_path", manifest_path)]
    if params["files"] is not None:
        return [Place(f"the signature over {path}", _beside(path, params["dest"])) for path in params["files"]]
    return [Place("dest", params["dest"])] if params["dest"] else []


def _to_digest(params: Mapping[str, Any]) -> Content:
    if not params["allow_blind_digest"]:
        raise SpecError(
            "digest_value: nobody here can see what it is a digest of, so allow_blind_digest has to be true;"
            " or give src, and the digest is made here"
        )
    if params["message_type"] != "auto":
        raise SpecError("message_type: is not a choice with digest_value, which is sent as it is")
    return to_digest_content(params)


def to_digest_content(params: Mapping[str, Any]) -> Content:
    """Return the digest of the task.

    Raises:
        SpecError: it is none of its algorithm.
    """
    algorithm = params["digest_algorithm"]
    if algorithm is None:
        raise SpecError("digest_value: needs digest_algorithm")
    try:
        digest = bytes.fromhex(params["digest_value"])
    except ValueError as exc:
        raise SpecError("digest_value: is not written in hexadecimal digits") from exc
    if len(digest) != DIGEST_SIZES[algorithm]:
        raise SpecError(f"digest_value: has {len(digest)} octets; {algorithm} makes {DIGEST_SIZES[algorithm]}")
    return Content("digest_value", digest=digest, digest_algorithm=algorithm)


def _beside(path: str, folder: str | None) -> str:
    return f"{os.path.join(folder, os.path.basename(path)) if folder else path}{SUFFIX}"


def read_current(dest: str) -> bytes | None:
    """Return what is at dest; nothing at all of something larger than any signature, None where there is nothing."""
    if not dest or not os.path.exists(dest):
        return None
    return read_file(dest) if os.path.getsize(dest) <= LARGEST_SIGNATURE else b""


def read_or_note(path: str | None, option: str, missing: list[str]) -> bytes | None:
    """Return the content of the file that *option* names; a missing one is noted and is an error outside check mode."""
    if path is None:
        return None
    if not os.path.exists(path):
        missing.append(f"{option} {path} does not exist yet")
        return None
    return read_file(path)
