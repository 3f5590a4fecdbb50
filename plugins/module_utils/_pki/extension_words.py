# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Extensions that a task says in full, from words to values (RFC 5280 4.2)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeGuard

from .crl_partitions import for_url
from .domain_names import shown
from .errors import SpecError
from .extensions import WantedExtension
from .general_names import to_general_name, to_general_names
from .names import to_name
from .other_extensions import other_extension
from .problems import convert_all, try_all
from .usages import to_oid

try:
    from cryptography import x509
except ImportError:
    x509 = None  # type: ignore[assignment]  # require_cryptography() in the module says so

Options = Mapping[str, Any]

# RFC 5280 4.2.2
ACCESS_METHODS: Mapping[str, str] = {
    "ocsp": "1.3.6.1.5.5.7.48.1",
    "ca_issuers": "1.3.6.1.5.5.7.48.2",
    "time_stamping": "1.3.6.1.5.5.7.48.3",
    "ca_repository": "1.3.6.1.5.5.7.48.5",
}
ANY_POLICY = "2.5.29.32.0"
LONGEST_NOTICE = 200
LARGEST_NUMBER = 2**31 - 1
"""RFC 5280 sets no bound; libraries hold such a number in a C int."""
_PREFIXED = re.compile(r"(DNS|IP|email|URI|RID|dirName|otherName):", re.IGNORECASE)


def said_extensions(options: Options) -> tuple[list[WantedExtension], list[str]]:
    """Return the extensions that *options* say in full, and what is wrong with the others."""
    given = [read for name, read in _READERS.items() if _is_said(options.get(name))]
    made, problems = try_all(lambda read: read(options), given)
    others, refused = try_all(other_extension, options.get("other_extensions") or ())
    return [one for one in (*made, *others) if one is not None], [*problems, *refused]


def _is_said(value: object) -> bool:
    """Tell whether an option asks for its extension; 0 does, as inhibit_any_policy has it."""
    return value is not None and value is not False and value not in ([], {})


def location(text: str) -> x509.GeneralName:
    """Return a general name; the prefix URI: may be left out of a URL."""
    return to_general_name(text if _PREFIXED.match(text) else f"URI:{text}")


def texts_of(option: str, item: object, part: str) -> list[str]:
    """Return the list of texts that *item* has as *part*; empty where it has none."""
    value = _entry(option, item).get(part) or ()
    if not is_list(value) or not all(isinstance(text, str) for text in value):
        raise SpecError(f"{option}: {part} is {shown(str(value))}; write a list of texts")
    return list(value)


def is_list(value: object) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))


def _entry(option: str, item: object) -> Options:
    if not isinstance(item, Mapping):
        raise SpecError(f"{option}: {shown(str(item))} is no dictionary; write its parts by name")
    return item


def count(option: str, number: object) -> int | None:
    """Return *number*, of certificates that may follow.

    Raises:
        SpecError: it is none, or cannot be written.
    """
    if number is None:
        return None
    if not isinstance(number, int) or isinstance(number, bool):
        raise SpecError(f"{option}: {shown(str(number))} is no whole number; give one")
    if not 0 <= number <= LARGEST_NUMBER:
        said = "negative" if number < 0 else f"more than {LARGEST_NUMBER}"
        raise SpecError(f"{option}: {number} is {said}; give how many certificates may follow before it holds")
    return number


def _access_descriptions(option: str, options: Options, methods: Sequence[str]) -> list[x509.AccessDescription]:
    given = options[option]
    pairs = [(ACCESS_METHODS[method], text) for method in methods for text in texts_of(option, given, method)]
    return convert_all(lambda pair: x509.AccessDescription(to_oid(pair[0]), location(pair[1])), pairs)


def _authority_information_access(options: Options) -> WantedExtension | None:
    found = _access_descriptions("authority_information_access", options, ("ocsp", "ca_issuers"))
    return WantedExtension(x509.AuthorityInformationAccess(found), critical=False) if found else None


def _subject_information_access(options: Options) -> WantedExtension | None:
    found = _access_descriptions("subject_information_access", options, ("ca_repository", "time_stamping"))
    return WantedExtension(x509.SubjectInformationAccess(found), critical=False) if found else None


def _distribution_points(option: str, options: Options) -> list[x509.DistributionPoint]:
    def read(item: object) -> x509.DistributionPoint:
        full_name, crl_issuer = texts_of(option, item, "full_name"), texts_of(option, item, "crl_issuer")
        relative_name = texts_of(option, item, "relative_name")
        if full_name and relative_name:
            raise SpecError(f"{option}: an entry has both full_name and relative_name; give one (RFC 5280 4.2.1.13)")
        if not full_name and not relative_name and not crl_issuer:
            raise SpecError(f"{option}: an entry has neither full_name nor crl_issuer; give one")
        if len(crl_issuer) > 1 and relative_name:
            raise SpecError(f"{option}: relative_name is relative to one crl_issuer (RFC 5280 4.2.1.13); give one")
        reasons = frozenset(_reason(option, reason) for reason in texts_of(option, item, "reasons"))
        return x509.DistributionPoint(
            full_name=convert_all(location, map(for_url, full_name)) or None,
            relative_name=_relative_name(option, relative_name) if relative_name else None,
            reasons=reasons or None,
            crl_issuer=_crl_issuer(option, crl_issuer) or None,
        )

    points = convert_all(read, options[option])
    if all(point.reasons for point in points):
        raise SpecError(
            f"{option}: no entry is for all reasons, and RFC 5280 4.2.1.13 wants one; leave reasons out there"
        )
    return points


def _relative_name(option: str, texts: Sequence[str]) -> x509.RelativeDistinguishedName:
    pairs = [text.partition("=") for text in texts]
    if not all(separator for _name, separator, _value in pairs):
        raise SpecError(f"{option}: relative_name {', '.join(texts)} is no part of a name; write it as CN=Some CRL")
    return x509.RelativeDistinguishedName(
        attribute for name, _separator, value in pairs for attribute in to_name({name.strip(): value.strip()})
    )


def _crl_issuer(option: str, texts: Sequence[str]) -> list[x509.GeneralName]:
    names = to_general_names(texts)
    if not all(isinstance(name, x509.DirectoryName) for name in names):
        raise SpecError(f"{option}: crl_issuer is the name of an authority (RFC 5280 4.2.1.13); write dirName:CN=...")
    return names


def _reason(option: str, reason: str) -> x509.ReasonFlags:
    if reason in ("unspecified", "remove_from_crl") or reason not in x509.ReasonFlags.__members__:
        raise SpecError(f"{option}: the reason {reason} is unknown; RFC 5280 4.2.1.13 has those such as key_compromise")
    return x509.ReasonFlags[reason]


def _crl_distribution_points(options: Options) -> WantedExtension:
    points = _distribution_points("crl_distribution_points", options)
    return WantedExtension(x509.CRLDistributionPoints(points), critical=False)


def _freshest_crl(options: Options) -> WantedExtension:
    return WantedExtension(x509.FreshestCRL(_distribution_points("freshest_crl", options)), critical=False)


def _certificate_policies(options: Options) -> WantedExtension:
    policies = convert_all(_policy, options["certificate_policies"])
    if len({policy.policy_identifier for policy in policies}) < len(policies):
        raise SpecError("certificate_policies: a policy stands there twice, which RFC 5280 4.2.1.4 forbids")
    return WantedExtension(x509.CertificatePolicies(policies), bool(options.get("certificate_policies_critical")))


def _policy(item: object) -> x509.PolicyInformation:
    policy = _entry("certificate_policies", item)
    text, notice = str(policy.get("policy") or ""), policy.get("user_notice")
    cps = texts_of("certificate_policies", policy, "cps")
    qualifiers: list[str | x509.UserNotice] = list(convert_all(_cps, cps))
    if notice:
        qualifiers.append(_user_notice(_entry("certificate_policies", notice)))
    return x509.PolicyInformation(to_oid(ANY_POLICY if text == "any_policy" else text), qualifiers or None)


def _cps(text: str) -> str:
    value = location(text)
    if not isinstance(value, x509.UniformResourceIdentifier):
        raise SpecError(f"certificate_policies: cps {text} is no URL")
    return value.value


def _user_notice(notice: Options) -> x509.UserNotice:
    text, organization = (_display_text(part, notice.get(part)) for part in ("explicit_text", "organization"))
    if not text and not organization:
        raise SpecError("certificate_policies: user_notice has neither explicit_text nor organization; give one")
    given = notice.get("notice_numbers") or ()
    if not is_list(given):
        raise SpecError(f"certificate_policies: notice_numbers is {shown(str(given))}; write a list of numbers")
    numbers = [count("certificate_policies: notice_numbers", number) or 0 for number in given]
    if numbers and not organization:
        raise SpecError("certificate_policies: notice_numbers are an organization's; give organization too")
    return x509.UserNotice(x509.NoticeReference(organization, numbers) if organization else None, text)


def _display_text(part: str, given: object) -> str | None:
    text = "" if given is None else str(given)
    if len(text) > LONGEST_NOTICE:
        raise SpecError(
            f"certificate_policies: {part} has {len(text)} characters; RFC 5280 4.2.1.4 allows {LONGEST_NOTICE}"
        )
    bad = next((letter for letter in text if unicodedata.category(letter) in ("Cc", "Cs")), None)
    if bad is not None:
        raise SpecError(f"certificate_policies: {part} has U+{ord(bad):04X}, which is no text to show; remove it")
    return text or None


def _issuer_alt_name(options: Options) -> WantedExtension:
    return WantedExtension(x509.IssuerAlternativeName(to_general_names(options["issuer_alt_name"])), critical=False)


def _policy_constraints(options: Options) -> WantedExtension:
    given = _entry("policy_constraints", options["policy_constraints"])
    explicit, mapping = given.get("require_explicit_policy"), given.get("inhibit_policy_mapping")
    if explicit is None and mapping is None:
        raise SpecError("policy_constraints: give require_explicit_policy, inhibit_policy_mapping, or both")
    counts = convert_all(lambda skip: count("policy_constraints", skip), (explicit, mapping))
    return WantedExtension(x509.PolicyConstraints(*counts), critical=True)


def _inhibit_any_policy(options: Options) -> WantedExtension:
    skip = count("inhibit_any_policy", options["inhibit_any_policy"])
    return WantedExtension(x509.InhibitAnyPolicy(skip or 0), critical=True)


def must_staple(*, critical: bool) -> WantedExtension:
    """Return the demand that a server staples the answer of its OCSP responder (RFC 7633)."""
    return WantedExtension(x509.TLSFeature([x509.TLSFeatureType.status_request]), critical)


def _no_check(_options: Options) -> WantedExtension:
    return WantedExtension(x509.OCSPNoCheck(), critical=False)


_READERS: Mapping[str, Callable[[Options], WantedExtension | None]] = {
    "authority_information_access": _authority_information_access,
    "crl_distribution_points": _crl_distribution_points,
    "freshest_crl": _freshest_crl,
    "certificate_policies": _certificate_policies,
    "issuer_alt_name": _issuer_alt_name,
    "policy_constraints": _policy_constraints,
    "inhibit_any_policy": _inhibit_any_policy,
    "ocsp_must_staple": lambda options: must_staple(critical=bool(options.get("ocsp_must_staple_critical"))),
    "ocsp_no_check": _no_check,
    "subject_information_access": _subject_information_access,
}
