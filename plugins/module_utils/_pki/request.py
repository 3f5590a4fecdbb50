# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task or an inventory says of a certificate, in words, becomes a request."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from .certificate import CertificateRequest, Lifetime
from .errors import SpecError
from .extension_words import count, said_extensions
from .extensions import ExtensionOptions
from .general_names import to_constraint, to_general_names
from .names import to_name
from .problems import refuse, try_all
from .profiles import profile_named
from .usages import extended_key_usages, key_usages

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_BASIC_CONSTRAINT = re.compile(r"CA:TRUE|CA:FALSE|pathlen:[0-9]{1,3}")
_HEX = re.compile(r"[0-9A-Fa-f]{2}(:?[0-9A-Fa-f]{2})*")
NOT_BEFORE, RENEW_BEFORE = "-10m", "33%"

Parsed = TypeVar("Parsed")


def to_request(name: str, options: Mapping[str, Any]) -> CertificateRequest:
    """Return the request that *options* make; an option that is absent or None has its default.

    Args:
        name: what the ledger calls the certificate.
        options: as kms_x509_cert has them; other options are not looked at.
    Raises:
        SpecError: what is wrong with them, all in one message.
    """
    profile = profile_named(str(options["certificate_profile"]), options.get("certificate_profiles"))
    problems: list[str] = [] if NAME.fullmatch(name) else [_bad_name(name)]
    subject = _collect(problems, lambda: _subject(options))
    extensions = _extension_options(options, problems)
    refuse(problems)
    lifetime = Lifetime(
        options.get("not_before") or NOT_BEFORE,
        options.get("not_after") or profile.not_after,
        options.get("renew_before") or RENEW_BEFORE,
    )
    return CertificateRequest(name, profile, subject, extensions, lifetime)


def _bad_name(name: str) -> str:
    return (
        f"the name {name!r} is not usable; give a name of at most 63 lower-case letters, digits, dots, underscores "
        "and hyphens that begins with a letter or digit"
    )


def _collect(problems: list[str], parse: Callable[[], Parsed]) -> Parsed | None:
    try:
        return parse()
    except SpecError as exc:
        problems.append(str(exc))
        return None


def _subject(options: Mapping[str, Any]) -> Any:
    ordered = options.get("subject_ordered")
    given = options.get("subject") if ordered is None else ordered
    return None if given is None else to_name(given)


def _extension_options(options: Mapping[str, Any], problems: list[str]) -> ExtensionOptions:
    names, purposes, usages = (options.get(name) for name in ("subject_alt_name", "extended_key_usage", "key_usage"))
    exclude_others, usage_critical = options.get("name_constraints_exclude_others"), options.get("key_usage_critical")
    more, refused = said_extensions(options)
    problems += refused
    return ExtensionOptions(
        subject_alt_name=None if names is None else tuple(_collect(problems, lambda: to_general_names(names)) or ()),
        subject_alt_name_critical=bool(options.get("subject_alt_name_critical")),
        key_usage=None if usages is None else _collect(problems, lambda: key_usages(usages)),
        key_usage_critical=usage_critical is None or bool(usage_critical),
        extended_key_usage=None if purposes is None else _collect(problems, lambda: extended_key_usages(purposes)),
        extended_key_usage_critical=options.get("extended_key_usage_critical"),
        basic_constraints=_collect(problems, lambda: _basic_constraints(options)),
        path_length=_collect(problems, lambda: _path_length(options)),
        name_constraints_permitted=_constraints(options.get("name_constraints_permitted"), problems),
        name_constraints_excluded=_constraints(options.get("name_constraints_excluded"), problems),
        name_constraints_exclude_others=exclude_others is None or bool(exclude_others),
        subject_key_identifier=_collect(problems, lambda: _key_identifier(options)) or b"",
        more=tuple(more),
    )


def _basic_constraints(options: Mapping[str, Any]) -> bool | None:
    given = options.get("basic_constraints")
    if given is None:
        return None
    unknown = [item for item in given if not _BASIC_CONSTRAINT.fullmatch(item)]
    if unknown:
        raise SpecError(f"basic_constraints: {', '.join(unknown)} is unknown; write CA:TRUE, CA:FALSE or pathlen:0")
    if {"CA:TRUE", "CA:FALSE"} <= set(given):
        raise SpecError("basic_constraints: has both CA:TRUE and CA:FALSE; give one")
    return "CA:TRUE" in given


def _path_length(options: Mapping[str, Any]) -> int | None:
    """Return the path length, from its own option or from basic_constraints, as in pathlen:0."""
    given = count("path_length", options.get("path_length"))
    words = [word for word in options.get("basic_constraints") or () if _BASIC_CONSTRAINT.fullmatch(word)]
    lengths = {int(word.removeprefix("pathlen:")) for word in words if word.startswith("pathlen:")}
    lengths |= set() if given is None else {given}
    if len(lengths) > 1:
        raise SpecError(f"the path length is said to be {' and '.join(map(str, sorted(lengths)))}; give one")
    return next(iter(lengths), None)


def _key_identifier(options: Mapping[str, Any]) -> bytes:
    text = options.get("subject_key_identifier") or ""
    if text and not _HEX.fullmatch(text):
        raise SpecError(f"subject_key_identifier {text!r} is not hexadecimal; write one such as 00:1A:2B")
    return bytes.fromhex(text.replace(":", ""))


def _constraints(texts: Sequence[str] | None, problems: list[str]) -> tuple[Any, ...]:
    made, refused = try_all(to_constraint, texts or ())
    problems += refused
    return tuple(made)
