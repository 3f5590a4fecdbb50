# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Extensions that a task says in full, from words to values (RFC 5280 4.2)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .der import is_one_value
from .errors import SpecError
from .extensions import WantedExtension
from .general_names import to_general_name, to_general_names
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
_PREFIXED = re.compile(r"(DNS|IP|email|URI|RID|dirName|otherName):")


def said_extensions(options: Options) -> tuple[list[WantedExtension], list[str]]:
    """Return the extensions that *options* say in full, and what is wrong with the others."""
    given = [read for name, read in _READERS.items() if options.get(name) not in (None, [], {}, False)]
    made, problems = try_all(lambda read: read(options), given)
    others, refused = try_all(_other_extension, options.get("other_extensions") or ())
    return [one for one in (*made, *others) if one is not None], [*problems, *refused]


def location(text: str) -> x509.GeneralName:
    """Return a general name; the prefix URI: may be left out of a URL."""
    return to_general_name(text if _PREFIXED.match(text) else f"URI:{text}")


def _access_descriptions(given: Options, methods: Sequence[str]) -> list[x509.AccessDescription]:
    pairs = [(ACCESS_METHODS[method], text) for method in methods for text in given.get(method) or ()]
    return convert_all(lambda pair: x509.AccessDescription(to_oid(pair[0]), location(pair[1])), pairs)


def _authority_information_access(options: Options) -> WantedExtension | None:
    found = _access_descriptions(options["authority_information_access"], ("ocsp", "ca_issuers"))
    return WantedExtension(x509.AuthorityInformationAccess(found), critical=False) if found else None


def _subject_information_access(options: Options) -> WantedExtension | None:
    found = _access_descriptions(options["subject_information_access"], ("ca_repository", "time_stamping"))
    return WantedExtension(x509.SubjectInformationAccess(found), critical=False) if found else None


def _distribution_points(option: str, options: Options) -> list[x509.DistributionPoint]:
    def read(item: Options) -> x509.DistributionPoint:
        full_name, crl_issuer = item.get("full_name") or (), item.get("crl_issuer") or ()
        if not full_name and not crl_issuer:
            raise SpecError(f"{option}: an entry has neither full_name nor crl_issuer; give one")
        reasons = frozenset(_reason(option, str(reason)) for reason in item.get("reasons") or ())
        return x509.DistributionPoint(
            full_name=convert_all(location, full_name) or None,
            relative_name=None,
            reasons=reasons or None,
            crl_issuer=to_general_names(crl_issuer) or None,
        )

    return convert_all(read, options[option])


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


def _policy(item: Options) -> x509.PolicyInformation:
    text = str(item.get("policy") or "")
    qualifiers: list[str | x509.UserNotice] = list(convert_all(_cps, item.get("cps") or ()))
    notice = item.get("user_notice")
    if notice:
        qualifiers.append(_user_notice(notice))
    return x509.PolicyInformation(to_oid(ANY_POLICY if text == "any_policy" else text), qualifiers or None)


def _cps(text: str) -> str:
    value = location(text)
    if not isinstance(value, x509.UniformResourceIdentifier):
        raise SpecError(f"certificate_policies: cps {text} is no URL")
    return value.value


def _user_notice(notice: Options) -> x509.UserNotice:
    text, organization = notice.get("explicit_text") or None, notice.get("organization")
    if text and len(text) > LONGEST_NOTICE:
        raise SpecError(
            f"certificate_policies: explicit_text has {len(text)} characters; RFC 5280 4.2.1.4 allows {LONGEST_NOTICE}"
        )
    if not text and not organization:
        raise SpecError("certificate_policies: user_notice has neither explicit_text nor organization; give one")
    numbers = list(notice.get("notice_numbers") or ())
    return x509.UserNotice(x509.NoticeReference(organization, numbers) if organization else None, text)


def _issuer_alt_name(options: Options) -> WantedExtension:
    return WantedExtension(x509.IssuerAlternativeName(to_general_names(options["issuer_alt_name"])), critical=False)


def _policy_constraints(options: Options) -> WantedExtension:
    given = options["policy_constraints"]
    explicit, mapping = given.get("require_explicit_policy"), given.get("inhibit_policy_mapping")
    if explicit is None and mapping is None:
        raise SpecError("policy_constraints: give require_explicit_policy, inhibit_policy_mapping, or both")
    for skip in (explicit, mapping):
        _refuse_negative("policy_constraints", skip)
    return WantedExtension(x509.PolicyConstraints(explicit, mapping), critical=True)


def _refuse_negative(option: str, skip: int | None) -> None:
    if skip is not None and skip < 0:
        raise SpecError(f"{option}: {skip} is negative; give how many certificates may follow before it holds")


def _inhibit_any_policy(options: Options) -> WantedExtension:
    _refuse_negative("inhibit_any_policy", options["inhibit_any_policy"])
    return WantedExtension(x509.InhibitAnyPolicy(options["inhibit_any_policy"]), critical=True)


def _must_staple(options: Options) -> WantedExtension:
    feature = x509.TLSFeature([x509.TLSFeatureType.status_request])
    return WantedExtension(feature, bool(options.get("ocsp_must_staple_critical")))


def _no_check(_options: Options) -> WantedExtension:
    return WantedExtension(x509.OCSPNoCheck(), critical=False)


def _other_extension(item: Options) -> WantedExtension:
    oid = to_oid(str(item.get("oid") or ""))
    try:
        value = base64.b64decode(str(item.get("value") or ""), validate=True)
    except (binascii.Error, ValueError) as exc:
        raise SpecError(f"other_extensions: the value of {oid.dotted_string} is not base64 ({exc})") from exc
    if not is_one_value(value):
        raise SpecError(f"other_extensions: the value of {oid.dotted_string} is not one DER value in base64")
    return WantedExtension(x509.UnrecognizedExtension(oid, value), bool(item.get("critical")))


_READERS: Mapping[str, Callable[[Options], WantedExtension | None]] = {
    "authority_information_access": _authority_information_access,
    "crl_distribution_points": _crl_distribution_points,
    "freshest_crl": _freshest_crl,
    "certificate_policies": _certificate_policies,
    "issuer_alt_name": _issuer_alt_name,
    "policy_constraints": _policy_constraints,
    "inhibit_any_policy": _inhibit_any_policy,
    "ocsp_must_staple": _must_staple,
    "ocsp_no_check": _no_check,
    "subject_information_access": _subject_information_access,
}
