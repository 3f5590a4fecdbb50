# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a certificate takes over from a CSR: no more than its profile is about, and in the profile's way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .constraint_rules import form_of
from .domain_names import shown
from .errors import SpecError
from .extension_words import must_staple
from .extensions import ExtensionOptions, WantedExtension, extensions_of
from .general_names import general_name_text, to_general_names

if TYPE_CHECKING:
    from cryptography import x509

    from .profiles import Profile
else:
    try:
        from cryptography import x509
    except ImportError:
        x509 = None  # require_cryptography() in the module says so


def with_copies(
    options: ExtensionOptions, csr: x509.CertificateSigningRequest, profile: Profile, problems: list[str]
) -> ExtensionOptions:
    """Return *options* with those extensions of *csr* that *profile* copies and the task does not give.

    Args:
        problems: takes what is wrong with them.
    """
    for extension in (one for one in extensions_of(csr) if _is_copied(one, profile)):
        if isinstance(extension.value, x509.SubjectAlternativeName):
            if options.subject_alt_name is None:
                options = options.with_subject_alt_name(_names(tuple(extension.value), profile, problems))
        elif extension.oid not in [one.oid for one in options.more]:
            options = options.with_more(must_staple(critical=False))
    return options


def ignored_extensions(csr: x509.CertificateSigningRequest, profile: Profile) -> list[str]:
    """Return the names of the extensions that *csr* asks for and *profile* does not copy."""
    return [extension.name for extension in extensions_of(csr) if not _is_copied(extension, profile)]


def unfit(option: str, why: SpecError) -> str:
    return f"the CSR's {option} is not fit for a certificate ({why}); give {option} in the task"


def _is_copied(extension: WantedExtension, profile: Profile) -> bool:
    """Tell whether *profile* copies it; of TLS features there is an option for status_request alone (RFC 7633)."""
    if isinstance(extension.value, x509.TLSFeature) and x509.TLSFeatureType.status_request not in extension.value:
        return False
    return extension.name in profile.csr_extensions


def _names(names: Sequence[x509.GeneralName], profile: Profile, problems: list[str]) -> tuple[x509.GeneralName, ...]:
    """Return *names* as they would be had the task given them, by the same rules, and by what *profile* copies."""
    foreign = [shown(general_name_text(name)) for name in names if not _is_named(form_of(name), profile.csr_san_kinds)]
    if foreign:
        kinds = f"no names but of {' or '.join(profile.csr_san_kinds)}" if profile.csr_san_kinds else "no names"
        problems.append(
            f"the CSR's subject_alt_name has {', '.join(foreign)}, and certificate_profile {profile.name} copies "
            f"{kinds} (csr_san_kinds); give subject_alt_name in the task, which may have names of any kind"
        )
    try:
        return tuple(to_general_names([general_name_text(name) for name in names]))
    except SpecError as exc:
        problems.append(unfit("subject_alt_name", exc))
        return tuple(names)


def _is_named(form: str, kinds: Sequence[str]) -> bool:
    """Tell whether *kinds* name *form*: otherName means all of its types, otherName:OID one."""
    kind, _space, _type = form.partition(" ")
    return kind in kinds or form.replace(" ", ":") in kinds
