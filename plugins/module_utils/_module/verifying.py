# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of a signature that is to be judged, and what they mean."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from .._pki.certificates import load_certificates
from .._pki.errors import SpecError
from .._pki.path_validation import ANY_PURPOSE, PathQuestion
from .._pki.problems import refuse
from .._pki.times import to_time
from .._pki.usages import extended_key_usages
from .._signer.algorithms import VERIFIABLE
from .._signer.specs import Content
from .files import octets_of
from .signing import DIGEST_SIZES, digest_problems, read_or_note, to_digest_content
from .texts import TEXT, octets_of_text

CMS = "cms"
"""The format of a signature that is a CMS message, which tells itself how it was signed and by whom."""

PLAIN_FORMATS = ("raw", "base64", "p1363")
CONTENT_OPTIONS = ("src", "content", "digest_value")
SIGNATURE_OPTIONS = ("signature", "signature_path")
KEY_OPTIONS = ("public_key_path", "public_key_content", "certificate_path", "certificate_content", "key_id")
NOT_FOR_CMS = (
    "signature",
    "content",
    "digest_value",
    "digest_algorithm",
    "signing_algorithm",
    "public_key_path",
    "public_key_content",
    "key_id",
)
TRUST_OPTIONS = ("intermediate_certificates", "root_certificates", "valid_at", "purpose")

VERIFY_OPTIONS: dict[str, dict[str, Any]] = {
    "src": {"type": "path"},
    "content": TEXT,
    "digest_value": {"type": "str"},
    "digest_algorithm": {"type": "str", "choices": list(DIGEST_SIZES)},
    "manifest": {"type": "bool", "default": False},
    "signature": {"type": "str"},
    "signature_path": {"type": "path"},
    "format": {"type": "str", "default": "raw", "choices": [*PLAIN_FORMATS, CMS]},
    "signing_algorithm": {"type": "str", "choices": list(VERIFIABLE)},
    "public_key_path": {"type": "path"},
    "public_key_content": {"type": "str", "no_log": False},
    "certificate_path": {"type": "path"},
    "certificate_content": {"type": "str"},
    "key_id": {"type": "str"},
    "intermediate_certificates": {"type": "list", "elements": "path", "default": []},
    "root_certificates": {"type": "list", "elements": "path"},
    "valid_at": {"type": "str"},
    "purpose": {"type": "str"},
    "fail_on_invalid": {"type": "bool", "default": True},
}


def to_content(params: Mapping[str, Any], missing: list[str]) -> Content:
    """Return what was signed; a file that is not there is noted.

    Raises:
        SpecError: the digest is none, the content is no text, or a manifest is not a file.
    """
    if params["manifest"]:
        if params["src"] is None:
            raise SpecError("manifest: is the file in src")
        return Content(params["src"], read_or_note(params["src"], "src", missing))
    if params["digest_value"] is not None:
        return to_digest_content(params)
    if params["content"] is not None:
        return Content("content", octets_of_text(params["content"], "content"))
    if not os.path.lexists(params["src"]):
        missing.append(f"src {params['src']} does not exist yet")
    return Content(params["src"])


def to_signature(params: Mapping[str, Any], missing: list[str]) -> bytes | None:
    """Return the signature as its format writes it: kms_sign returns Base64 of the octets whatever the format.

    Raises:
        SpecError: it is not in Base64, or cannot be read.
    """
    if params["signature"] is None:
        return read_or_note(params["signature_path"], "signature_path", missing)
    text = "".join(params["signature"].split())
    if params["format"] == "base64":
        return text.encode(errors="replace")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as exc:
        raise SpecError("signature: is not in Base64, as kms_sign returns it") from exc


def to_public_key(params: Mapping[str, Any], missing: list[str]) -> bytes | None:
    """Return the public key of the task, None where it is a certificate's or in KMS."""
    if params["public_key_content"] is not None:
        return octets_of(params["public_key_content"], "public_key_content")
    return read_or_note(params["public_key_path"], "public_key_path", missing)


def to_path_question(params: Mapping[str, Any], now: datetime, missing: list[str]) -> PathQuestion | None:
    """Return what is asked about the certificate; None where the task has none, or its file is not there.

    Without root_certificates the certificate is trusted itself, and its time and purpose are checked all the same.

    Raises:
        SpecError: a certificate cannot be read, or the time or the purpose is none.
    """
    if not _has_certificate(params):
        return None
    content = _certificate(params, missing)
    intermediates = _load_all(params["intermediate_certificates"], "intermediate_certificates", missing)
    roots = _load_all(params["root_certificates"] or (), "root_certificates", missing)
    if content is None or missing:
        return None
    certificate, *more = load_certificates(content, params["certificate_path"] or "certificate_content")
    trusted = roots or [certificate]
    return PathQuestion(certificate, [*more, *intermediates], trusted, to_moment(params, now), to_purpose(params))


def check_plain_options(params: Mapping[str, Any]) -> None:
    """Refuse what would not be looked at, so that nobody takes it for checked."""
    problems = [*digest_problems(params), *_trust_problems(params)]
    trusting = [name for name in TRUST_OPTIONS if params[name]]
    if trusting and not _has_certificate(params):
        problems.append(
            f"{', '.join(trusting)}: judged of a certificate alone, and a key by itself has none;"
            " give certificate_path or certificate_content"
        )
    refuse(problems)


def check_cms_options(params: Mapping[str, Any]) -> None:
    """Refuse what has no meaning beside a CMS message, and a message that is to be trusted because it says so."""
    problems = [f"{name}: is not for format cms" for name in NOT_FOR_CMS if params[name] is not None]
    if params["manifest"] and params["src"] is None:
        problems.append("manifest: is the file in src, so it needs a detached message")
    if params["signature_path"] is None:
        problems.append("signature_path: is needed for format cms")
    problems += _trust_problems(params)
    if params["root_certificates"] is None and not _has_certificate(params):
        problems.append(
            "root_certificates: are needed for format cms, or certificate_path; what the message carries proves nothing"
        )
    refuse(problems)


def _trust_problems(params: Mapping[str, Any]) -> list[str]:
    """Refuse a list of roots with none in it, as of a search that found nothing: it does not say whom to trust."""
    if params["root_certificates"] is None or params["root_certificates"]:
        return []
    return ["root_certificates: is empty; name the roots, or leave it out to trust the certificate that is given"]


def _has_certificate(params: Mapping[str, Any]) -> bool:
    return params["certificate_path"] is not None or params["certificate_content"] is not None


def to_trust(params: Mapping[str, Any], missing: list[str]) -> tuple[Any | None, list[Any], list[Any]]:
    """Return the certificate of somebody who has to have signed, those that a message may need, and those trusted.

    Without root_certificates the first one, which the task gives then, is trusted itself.

    Raises:
        SpecError: a certificate cannot be read.
    """
    content = _certificate(params, missing)
    given = params["certificate_path"] or "certificate_content"
    own = () if content is None else load_certificates(content, given)
    intermediates = _load_all(params["intermediate_certificates"], "intermediate_certificates", missing)
    roots = _load_all(params["root_certificates"] or (), "root_certificates", missing)
    return next(iter(own), None), [*own, *intermediates], roots or list(own[:1])


def _certificate(params: Mapping[str, Any], missing: list[str]) -> bytes | None:
    if params["certificate_content"] is not None:
        return octets_of(params["certificate_content"], "certificate_content")
    return read_or_note(params["certificate_path"], "certificate_path", missing)


def to_moment(params: Mapping[str, Any], now: datetime) -> datetime:
    """Return when the certificates have to be valid.

    Raises:
        SpecError: it is no time.
    """
    return to_time(params["valid_at"], now) if params["valid_at"] else now


def to_purpose(params: Mapping[str, Any]) -> str:
    """Return the extended key usage that is asked for.

    Raises:
        SpecError: it is none.
    """
    return extended_key_usages([params["purpose"]], "purpose")[0] if params["purpose"] else ANY_PURPOSE


def _load_all(paths: Sequence[str], option: str, missing: list[str]) -> list[Any]:
    found: list[Any] = []
    for path in paths:
        content = read_or_note(path, option, missing)
        found += [] if content is None else load_certificates(content, path)
    return found
