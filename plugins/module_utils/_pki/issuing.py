# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether one certificate stands above another: by name, signature and key identifier (RFC 5280 4.2.1.1, 6.1.3 a)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from .certificate_fields import ISSUER, SUBJECT, field_of, with_field
from .name_matching import is_same_name
from .names import name_text
from .pss_keys import may_sign_so

try:
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
except ImportError:
    InvalidSignature = UnsupportedAlgorithm = ValueError  # type: ignore[misc,assignment]  # the module reports it

SIGNED, FORGED, UNKNOWN = "signed", "forged", "not to be told"
OTHER_NAME, RESTRICTED = "of another name", "restricted"


@lru_cache(maxsize=256)
def signature_verdict(certificate: x509.Certificate, issuer: x509.Certificate) -> str:
    """Verify once what is asked often: the way up, whether it ends, and which ways there are."""
    try:
        namesake = _namesake(issuer, certificate)
        if namesake is None:
            return OTHER_NAME
        if not may_sign_so(issuer, certificate):
            return RESTRICTED
        certificate.verify_directly_issued_by(namesake)
    except (InvalidSignature, ValueError, TypeError, KeyError, UnsupportedAlgorithm) as exc:
        return FORGED if isinstance(exc, InvalidSignature) else UNKNOWN  # KeyError: a string type that is unknown
    return SIGNED


def _namesake(issuer: x509.Certificate, certificate: x509.Certificate) -> x509.Certificate | None:
    """Return *issuer* under the name that *certificate* calls it by, None where that is another one (RFC 5280 7.1).

    The library compares names octet by octet, and would not look at the signature.
    """
    called = field_of(certificate, ISSUER)
    if called == field_of(issuer, SUBJECT):
        return issuer
    return with_field(issuer, SUBJECT, called) if is_same_name(certificate.issuer, issuer.subject) else None


@lru_cache(maxsize=256)
def identified(certificate: x509.Certificate, issuer: x509.Certificate) -> frozenset[bool]:
    """Return whether the authority key identifier means *issuer*, by key and by issuer and serial number (4.2.1.1).

    What it does not say, or nobody can read, is no answer: there are none, one, or two that may differ.
    """
    told, held = _value(certificate, "AuthorityKeyIdentifier"), _value(issuer, "SubjectKeyIdentifier")
    answers = set()
    if told is not None and told.key_identifier is not None and held is not None:
        answers.add(told.key_identifier == held.digest)
    if told is not None and told.authority_cert_serial_number is not None:
        names = [name.value for name in told.authority_cert_issuer if isinstance(name, x509.DirectoryName)]
        same = told.authority_cert_serial_number == issuer.serial_number
        answers.add(same and all(is_same_name(name, issuer.issuer) for name in names[:1]))  # the first, as OpenSSL
    return frozenset(answers)


def signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """True where *issuer* is named in *certificate* and its key made the signature (RFC 5280 6.1.3 a)."""
    return signature_verdict(certificate, issuer) == SIGNED


def issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """True where *issuer* may stand above *certificate*: it signed it, and no key identifier means another one.

    That is how relying parties look for it: of two certificates of one authority they may take only one.
    """
    return signed_by(certificate, issuer) and False not in identified(certificate, issuer)


def broken_link(last: x509.Certificate, pool: Sequence[x509.Certificate]) -> str:
    """Say which certificate should stand above the *last* of a path, and does not; empty where none should.

    Args:
        pool: certificates that may be above it; itself is looked at as well.
    """
    if issued_by(last, last):
        return ""
    return next(filter(None, (_why_apart(last, above) for above in (last, *pool))), "")


def _why_apart(certificate: x509.Certificate, above: x509.Certificate) -> str:
    who, whose = name_text(certificate.subject), name_text(above.subject)
    verdict, answers = signature_verdict(certificate, above), identified(certificate, above)
    if verdict == SIGNED:
        return (
            f"{who} was signed by the key of {whose}, but its authority key identifier means another certificate (RFC "
            "5280 4.2.1.1), so relying parties find no path; give the one it means, or have it issued again"
        )
    itself = above is certificate and _value(certificate, "AuthorityKeyIdentifier") is None
    if verdict == FORGED and (True in answers or itself):
        return f"{who} was not signed by the key of {whose}, as it says; the file is damaged or of another authority"
    if True not in answers or above is certificate:  # what is wrong with itself is the gate's to say
        return ""
    reason = {
        OTHER_NAME: f"it calls its issuer {name_text(certificate.issuer)}",
        RESTRICTED: "that one's key is restricted to RSASSA-PSS, and signs otherwise (RFC 4055 1.2)",
    }.get(verdict, "its signature cannot be verified here")
    return (
        f"{who} means {whose} by its authority key identifier (RFC 5280 4.2.1.1), but {reason}, so that what is "
        "allowed above it cannot be known; give the certificate that it was issued under, or have it issued again"
    )


def _value(certificate: x509.Certificate, kind: str) -> Any:
    """Return an extension; None where there is none, or one that cannot be read, which is for others to say."""
    try:
        return certificate.extensions.get_extension_for_class(getattr(x509, kind)).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType, ValueError, KeyError):
        return None
