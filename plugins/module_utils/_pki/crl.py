# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a CRL should be, and the TBSCertList that says so (RFC 5280 5); bytes to CRLs and back."""

from __future__ import annotations

import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, NamedTuple

from .certificates import asn1_time
from .errors import SpecError
from .extensions import WantedExtension, authority_key_identifier
from .gate import find_extension
from .name_matching import is_same_name
from .names import name_text
from .pss_keys import may_sign_so
from .times import renew_time, to_time

try:
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
except ImportError:
    UnsupportedAlgorithm = ValueError  # type: ignore[misc,assignment]  # require_cryptography() in the module says so

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

UNSPECIFIED, REMOVE_FROM_CRL = "unspecified", "remove_from_crl"
_BEGIN, _END = b"-----BEGIN X509 CRL-----", b"-----END X509 CRL-----"
_LINE = 64
_NUMBER_BITS = 159  # 20 octets, the first bit being the sign


class CrlEntry(NamedTuple):
    """One revoked certificate (RFC 5280 5.3); times are UTC-aware.

    Attributes:
        reason: a reason of the ledger, or REMOVE_FROM_CRL, which delta CRLs alone may have.
    """

    serial_number: int
    revoked_at: datetime
    reason: str
    invalidity_date: datetime | None


@dataclass(frozen=True)
class CrlSpec:
    """What a CRL should be, but for its entries.

    Attributes:
        base_number: of the CRL that a delta CRL builds on; None for a full one.
        extensions: all but number, authority key identifier and delta indicator.
    """

    issuer: x509.Certificate
    number: int
    this_update: datetime
    next_update: datetime
    base_number: int | None = None
    extensions: tuple[WantedExtension, ...] = ()


def next_number(last: int, milliseconds: int) -> int:
    """Return a CRL number above *last* (RFC 5280 5.2.3), at least the time in *milliseconds* since 1970.

    The time keeps two branches of a Git repository, which know nothing of each other's last one, from the same number.

    Raises:
        SpecError: it would have more than 20 octets.
    """
    number = max(last + 1, milliseconds)
    if number.bit_length() > _NUMBER_BITS:
        raise SpecError(
            f"the last CRL has the number {last}, and any above that has more than the 20 octets that RFC 5280 5.2.3 "
            "allows; move the file away if nobody uses that CRL, or make a new authority"
        )
    return number


def to_revoked(entries: Iterable[CrlEntry]) -> list[x509.RevokedCertificate]:
    """Return *entries* as the builder takes them.

    They share the objects of their extensions and skip the builder's own steps, which is half the work for a million.
    """
    shared: dict[tuple[str, datetime | None], list[x509.Extension[x509.ExtensionType]]] = {}
    made, builder = [], x509.RevokedCertificateBuilder
    for serial_number, revoked_at, reason, invalidity_date in entries:
        key = (reason, invalidity_date)
        extensions = shared.get(key)
        if extensions is None:
            extensions = shared[key] = _entry_extensions(reason, invalidity_date)
        made.append(builder(serial_number, revoked_at, extensions).build())
    return made


def _entry_extensions(reason: str, invalidity_date: datetime | None) -> list[x509.Extension[x509.ExtensionType]]:
    """Return reason and invalidity date; RFC 5280 5.3.1 wants unspecified to be left out."""
    values: list[x509.ExtensionType] = []
    if reason != UNSPECIFIED:
        values.append(x509.CRLReason(x509.ReasonFlags[reason]))
    if invalidity_date is not None:
        values.append(x509.InvalidityDate(invalidity_date.replace(tzinfo=None)))
    return [x509.Extension(value.oid, critical=False, value=value) for value in values]


def crl_builder(spec: CrlSpec, revoked: list[x509.RevokedCertificate]) -> x509.CertificateRevocationListBuilder:
    """Return the builder whose sign() makes the CRL.

    The list is handed over at once: the builder's own method copies it for each certificate that is added.
    """
    builder = x509.CertificateRevocationListBuilder(
        issuer_name=spec.issuer.subject,
        last_update=spec.this_update.replace(tzinfo=None),
        next_update=spec.next_update.replace(tzinfo=None),
        revoked_certificates=revoked,
    )
    builder = builder.add_extension(authority_key_identifier(spec.issuer), critical=False)
    builder = builder.add_extension(x509.CRLNumber(spec.number), critical=False)
    if spec.base_number is not None:
        builder = builder.add_extension(x509.DeltaCRLIndicator(spec.base_number), critical=True)
    for extension in spec.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    return builder


def crl_period(next_update: str, renew_before: str, now: datetime) -> tuple[datetime, datetime]:
    """Return thisUpdate and nextUpdate of a CRL made at *now*.

    Raises:
        SpecError: nextUpdate is not later, or *renew_before* is not shorter than the time between.
    """
    this_update = now.replace(microsecond=0)
    end = to_time(next_update, this_update)
    if end <= this_update:
        raise SpecError(f"next_update {asn1_time(end)} is not later than {asn1_time(this_update)}; give a later one")
    renew_time(this_update, end, renew_before)
    return this_update, end


def check_crl_issuer(issuer: x509.Certificate, now: datetime) -> list[str]:
    """Return why *issuer* may not sign a CRL now (RFC 5280 4.2.1.3, 6.3.3 f)."""
    who, problems = name_text(issuer.subject), []
    constraints = find_extension(issuer, x509.BasicConstraints)
    usage = find_extension(issuer, x509.KeyUsage)
    if constraints is None or not constraints.ca:
        problems.append(f"{who} is no CA (basic constraints CA:FALSE or absent) and may not sign CRLs")
    elif usage is not None and not usage.crl_sign:
        problems.append(f"{who} may not sign CRLs: its key usage lacks crl_sign; issue it again with it")
    if issuer.not_valid_after_utc <= now:
        problems.append(f"{who} expired {asn1_time(issuer.not_valid_after_utc)}; issue it again first")
    if issuer.not_valid_before_utc > now:
        problems.append(f"{who} is not valid before {asn1_time(issuer.not_valid_before_utc)}")
    return problems


def crl_der(content: bytes | None) -> bytes | None:
    """Return the DER of the one CRL in *content*, PEM or DER; None where there is none, or what could be one."""
    if not content:
        return None
    if content[:1] == b"\x30":
        return content
    begin = content.find(_BEGIN)
    end = content.find(_END, begin)
    if begin < 0 or end < 0 or content.find(_BEGIN, end) >= 0:
        return None
    try:
        return binascii.a2b_base64(memoryview(content)[begin + len(_BEGIN) : end])
    except binascii.Error:
        return None


def load_crl(content: bytes, source: str) -> x509.CertificateRevocationList:
    """Return the CRL in *content*, PEM or DER.

    Args:
        source: where the bytes come from, for messages.
    Raises:
        SpecError: there is none, more than one, or it cannot be parsed.
    """
    der = crl_der(content)
    if der is None:
        raise SpecError(f"{source}: holds no CRL; expected one in PEM or DER")
    try:
        return x509.load_der_x509_crl(der)
    except (ValueError, TypeError, x509.InvalidVersion) as exc:
        raise SpecError(f"{source}: not a readable CRL ({exc}); expected X.509 in PEM or DER") from exc


def crl_to_der(crl: x509.CertificateRevocationList) -> bytes:
    return crl.public_bytes(serialization.Encoding.DER)


def crl_pem(der: bytes) -> bytes:
    """Return *der* in PEM (RFC 7468); the library would encode the whole CRL anew."""
    text = binascii.b2a_base64(der, newline=False)
    lines = [text[at : at + _LINE] for at in range(0, len(text), _LINE)]
    return b"\n".join([_BEGIN, *lines, _END, b""])


def crl_signed_by(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    """True where *crl* names *issuer* and the issuer's key signed it."""
    key: CertificatePublicKeyTypes = issuer.public_key()
    try:
        named = is_same_name(crl.issuer, issuer.subject) and may_sign_so(issuer, crl)
        return named and crl.is_signature_valid(key)  # type: ignore[arg-type]
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False


def crl_number_of(crl: x509.CertificateRevocationList) -> int | None:
    try:
        return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    except x509.ExtensionNotFound:
        return None


def issuing_distribution_point_of(crl: x509.CertificateRevocationList) -> x509.IssuingDistributionPoint | None:
    try:
        return crl.extensions.get_extension_for_class(x509.IssuingDistributionPoint).value
    except x509.ExtensionNotFound:
        return None


def crl_entries(crl: x509.CertificateRevocationList) -> Iterable[CrlEntry]:
    """Yield the entries of *crl* in its order."""
    for revoked in crl:
        reason, since = UNSPECIFIED, None
        for extension in revoked.extensions:
            if isinstance(extension.value, x509.CRLReason):
                reason = extension.value.reason.name
            elif isinstance(extension.value, x509.InvalidityDate):
                since = extension.value.invalidity_date_utc
        yield CrlEntry(revoked.serial_number, revoked.revocation_date_utc, reason, since)


def crl_times(crl: x509.CertificateRevocationList) -> tuple[datetime, datetime]:
    """Return thisUpdate and nextUpdate; a CRL without the second is good for no time at all."""
    end = crl.next_update_utc or crl.last_update_utc
    return crl.last_update_utc.astimezone(timezone.utc), end.astimezone(timezone.utc)
