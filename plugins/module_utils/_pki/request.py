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
from .extensions import DistributionPoint, ExtensionOptions
from .general_names import to_constraint, to_general_names
from .names import to_name
from .problems import refuse, try_all
from .profiles import profile_named

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
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
    profile = profile_named(str(options["certificate_profile"]))
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
    access = options.get("authority_information_access") or {}
    names = options.get("subject_alt_name")
    exclude_others = options.get("name_constraints_exclude_others")
    points, refused = try_all(_distribution_point, options.get("crl_distribution_points") or ())
    problems += refused
    return ExtensionOptions(
        subject_alt_name=None if names is None else tuple(_collect(problems, lambda: to_general_names(names)) or ()),
        subject_alt_name_critical=bool(options.get("subject_alt_name_critical")),
        path_length=options.get("path_length"),
        name_constraints_permitted=_constraints(options.get("name_constraints_permitted"), problems),
        name_constraints_excluded=_constraints(options.get("name_constraints_excluded"), problems),
        name_constraints_exclude_others=exclude_others is None or bool(exclude_others),
        ca_issuers=_collect(problems, lambda: _urls(access.get("ca_issuers") or ())) or (),
        ocsp=_collect(problems, lambda: _urls(access.get("ocsp") or ())) or (),
        crl_distribution_points=tuple(points),
    )


def _constraints(texts: Sequence[str] | None, problems: list[str]) -> tuple[Any, ...]:
    made, refused = try_all(to_constraint, texts or ())
    problems += refused
    return tuple(made)


def _urls(texts: Sequence[str]) -> tuple[Any, ...]:
    """Access locations are URLs, so the prefix may be left out."""
    return tuple(to_general_names([text if text.startswith("URI:") else f"URI:{text}" for text in texts]))


def _distribution_point(item: Mapping[str, Any]) -> DistributionPoint:
    full_name, crl_issuer = item.get("full_name") or (), item.get("crl_issuer") or ()
    if not full_name and not crl_issuer:
        raise SpecError("crl_distribution_points: an entry has neither full_name nor crl_issuer; give one")
    return DistributionPoint(
        tuple(to_general_names(full_name)), tuple(to_general_names(crl_issuer)), tuple(item.get("reasons") or ())
    )
