# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of CMS messages, and what they mean."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .._pki.certificates import all_upwards, is_self_signed, load_usable_certificates
from .._pki.errors import SpecError
from .._pki.problems import refuse
from .._signer.algorithms import VERIFIABLE
from .._signer.cms import DER, PEM, SMIME, CmsSigner, CmsSpec, cms_algorithm
from .._signer.specs import Content
from .aws import AWS_OPTIONS
from .files import unwritable
from .signing import read_or_note
from .texts import TEXT, octets_of_text

LEAST_CRYPTOGRAPHY = "50"
"""The first with the ASN.1 that messages are written with."""

CONTENT_OPTIONS = ("src", "content")
SIGNER_OPTIONS = ("key_id", "signers")
_SIGNER: dict[str, dict[str, Any]] = {
    "certificate_path": {"type": "path"},
    "signing_algorithm": {"type": "str", "choices": list(VERIFIABLE)},
}

CMS_OPTIONS: dict[str, dict[str, Any]] = {
    "src": {"type": "path"},
    "content": TEXT,
    "dest": {"type": "path", "required": True},
    "format": {"type": "str", "default": DER, "choices": [DER, PEM, SMIME]},
    "detached": {"type": "bool", "default": True},
    "key_id": {"type": "str"},
    **_SIGNER,
    "signers": {
        "type": "list",
        "elements": "dict",
        "options": {
            "key_id": {"type": "str", "required": True},
            **{name: dict(option) for name, option in _SIGNER.items()},
            **AWS_OPTIONS,
        },
    },
    "intermediate_certificates": {"type": "list", "elements": "path", "default": []},
    "root_certificates": {"type": "list", "elements": "path", "default": []},
    "certificates": {"type": "str", "default": "chain", "choices": ["none", "signer", "chain"]},
    "signing_time": {"type": "bool", "default": True},
    "ledger_path": {"type": "path"},
}
CMS_OPTIONS["signers"]["options"]["certificate_path"]["required"] = True


def signer_params(params: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the options of each signer, as in `signers`.

    Raises:
        SpecError: there is nobody to sign, or one is told in two ways.
    """
    own = ("certificate_path", "signing_algorithm")
    if params["signers"] is None:
        return [{"key_id": params["key_id"], "assume_role": None, **{name: params[name] for name in own}}]
    beside = [f"{name}: belongs into signers" for name in own if params[name] is not None]
    refuse([*beside, *([] if params["signers"] else ["signers: is empty, there is nobody to sign"])])
    return list(params["signers"])


def to_cms_spec(params: Mapping[str, Any], missing: list[str]) -> CmsSpec:
    """Return the message that the task asks for; what is not there yet is noted.

    Raises:
        SpecError: options that contradict each other, certificates that cannot be read, algorithms that do not fit
            their keys, or a dest that cannot be written, all in one message; or a content that is no text.
    """
    problems: list[str] = []
    pool = _load(params["intermediate_certificates"], "intermediate_certificates", missing, problems)
    anchors = _load(params["root_certificates"], "root_certificates", missing, problems)
    signers: list[CmsSigner] = []
    for given in signer_params(params):
        found = _load([given["certificate_path"]], "certificate_path", missing, problems)
        pool += found[1:]
        signers += _signer(given, found[:1], problems)
    content = _content(params, missing)
    problems += [*_doubled(signers), *unwritable([params["dest"]], "dest")]
    refuse(problems)
    return CmsSpec(
        content=content,
        dest=params["dest"],
        form=params["format"],
        attached=not params["detached"],
        signing_time=params["signing_time"],
        signers=tuple(signers),
        certificates=_carried(signers, [*pool, *anchors], params["certificates"]),
        intermediates=tuple(pool),
        anchors=tuple(anchors),
    )


def _content(params: Mapping[str, Any], missing: list[str]) -> Content:
    if params["src"] is None:
        return Content("content", octets_of_text(params["content"], "content"))
    if not os.path.lexists(params["src"]):
        missing.append(f"src {params['src']} does not exist yet")
    return Content(params["src"])


def _signer(given: Mapping[str, Any], found: Sequence[Any], problems: list[str]) -> list[CmsSigner]:
    """Return the signer where its certificate is there."""
    try:
        return [
            CmsSigner(given["key_id"], one, cms_algorithm(one.public_key(), given["signing_algorithm"] or "").name)
            for one in found
        ]
    except SpecError as exc:
        problems.append(f"{given['certificate_path']}: {exc}")
        return []


def _load(paths: Sequence[str], option: str, missing: list[str], problems: list[str]) -> list[Any]:
    found: list[Any] = []
    for path in paths:
        try:
            content = read_or_note(path, option, missing)
            found += [] if content is None else load_usable_certificates(content, path)
        except SpecError as exc:  # noqa: PERF203
            problems.append(str(exc))
    return found


def _doubled(signers: Sequence[CmsSigner]) -> Iterator[str]:
    certificates = [signer.certificate for signer in signers]
    if len(set(certificates)) < len(certificates):
        yield "signers: two of them have the same certificate; one signature of each is enough"


def _carried(signers: Sequence[CmsSigner], pool: Sequence[Any], kind: str) -> tuple[Any, ...]:
    """Return the certificates that the message carries; never a root, which its readers have to have already.

    A root that an older one certified is no root to those who trust that one, so its certificate comes along.
    """
    if kind == "none":
        return ()
    found: list[Any] = []
    for signer in signers:
        found.append(signer.certificate)
        if kind == "chain":
            found += [one for one in all_upwards(signer.certificate, pool)[1:] if not is_self_signed(one)]
    return tuple(dict.fromkeys(found))
