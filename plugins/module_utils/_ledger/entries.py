# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lines of a ledger: one frozen type for each kind; every line names its schema version and its authority."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Union

from .._pki.errors import LedgerError

SCHEMA_VERSION = 1

UNSPECIFIED = "unspecified"
CERTIFICATE_HOLD = "certificate_hold"

# RFC 5280 5.3.1, in the words of community.crypto; remove_from_crl is no reason to revoke (see Released).
REASONS = (
    UNSPECIFIED,
    "key_compromise",
    "ca_compromise",
    "affiliation_changed",
    "superseded",
    "cessation_of_operation",
    CERTIFICATE_HOLD,
    "privilege_withdrawn",
    "aa_compromise",
)

# These outrank the other reasons: what else was said of the certificate matters less.
KEY_COMPROMISE = "key_compromise"
COMPROMISES = (KEY_COMPROMISE, "ca_compromise", "aa_compromise")

PURPOSES = ("certificate", "crl", "csr", "file", "manifest", "cms", "ocsp")


@dataclass(frozen=True)
class Holder:
    """The process that claims a name.

    Attributes:
        host: name of the machine, for people.
        pid: process id there.
        started: when the process started, in clock ticks since boot; empty where the system does not tell.
        space: boot and pid namespace in which *pid* means something; empty where the system does not tell.
    """

    host: str
    pid: int
    started: str = ""
    space: str = ""


@dataclass(frozen=True)
class Intent:
    """Something is about to be signed; written before kms:Sign, and the claim on the name until an outcome follows.

    Attributes:
        id: random, from new_id(); outcomes refer to it.
        name: the certificate's name in the inventory or its path; a claim holds for (purpose, name).
        serial: upper-case hex with an even number of digits, empty where there is none.
        content_sha256: SHA-256 of the TBS structure or of the content, lower-case hex.
        lifetime: the option texts, such as {"not_before": "-1h", "not_after": "+825d"}: a no-op compares these.
        replaces: serial of the certificate that was current when the name was claimed; set by claim().
        authority: which authority's ledger this is, see authority_of(); set by the ledger.
    """

    id: str
    time: datetime
    purpose: str
    name: str
    serial: str
    subject: str
    content_sha256: str
    key_arn: str
    profile: str
    holder: Holder
    lifetime: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, str] = field(default_factory=dict)
    replaces: str = ""
    authority: str = ""


@dataclass(frozen=True)
class Attempt:
    """One more kms:Sign of an intent, written before it is asked; *number* 2 is the first repetition.

    Attributes:
        serial: the intent's; set by the ledger.
    """

    id: str
    time: datetime
    intent: str
    number: int
    serial: str = ""
    authority: str = ""


@dataclass(frozen=True)
class Issued:
    """A certificate was signed, verified and stored.

    Attributes:
        key_arn: ARN of the key that signed; empty where a later run found the certificate and recorded it.
    """

    id: str
    time: datetime
    intent: str
    serial: str
    certificate_sha256: str
    request_id: str
    caller_arn: str
    not_before: datetime
    not_after: datetime
    key_arn: str = ""
    authority: str = ""


@dataclass(frozen=True)
class Signed:
    """Something without a serial was signed and verified: a CSR, a file, a manifest, a CMS message."""

    id: str
    time: datetime
    intent: str
    request_id: str
    caller_arn: str
    details: Mapping[str, str] = field(default_factory=dict)
    authority: str = ""


@dataclass(frozen=True)
class Refused:
    """An intent that ended without a signature: AWS said no to every attempt, nobody asked it, or its run kept none.

    Attributes:
        serial: the intent's; set by the ledger.
    """

    id: str
    time: datetime
    intent: str
    reason: str
    serial: str = ""
    authority: str = ""


@dataclass(frozen=True)
class Adopted:
    """A certificate of this authority that was made elsewhere is from now on kept here."""

    id: str
    time: datetime
    name: str
    serial: str
    subject: str
    profile: str
    certificate_sha256: str
    not_before: datetime
    not_after: datetime
    authority: str = ""


@dataclass(frozen=True)
class Revoked:
    """A serial is revoked or put on hold (RFC 5280 5.3).

    Attributes:
        reason: one of REASONS.
        revoked_at: the revocationDate of the CRL entry.
        invalidity_date: since when the key is suspected (RFC 5280 5.3.2), where known.
        not_after: end of life of a certificate that is not in this ledger, where known, so that CRLs can drop it.
    """

    id: str
    time: datetime
    serial: str
    reason: str
    revoked_at: datetime
    invalidity_date: datetime | None = None
    not_after: datetime | None = None
    authority: str = ""


@dataclass(frozen=True)
class Released:
    """One hold ends: *revocation* is the id of the Revoked line, so a hold made elsewhere meanwhile stays."""

    id: str
    time: datetime
    serial: str
    revocation: str
    authority: str = ""


@dataclass(frozen=True)
class Crl:
    """A CRL was signed, verified and stored.

    Attributes:
        scope: which CRL this is where an authority has several, such as full, delta or a partition's name.
        number: CRL number (RFC 5280 5.2.3).
        base_number: number of the CRL that a delta CRL builds on, else None.
        mark: what it covers, LedgerState.revocation_mark at the time.
    """

    id: str
    time: datetime
    intent: str
    scope: str
    number: int
    this_update: datetime
    next_update: datetime
    crl_sha256: str
    mark: str
    request_id: str
    caller_arn: str
    base_number: int | None = None
    details: Mapping[str, str] = field(default_factory=dict)
    authority: str = ""


@dataclass(frozen=True)
class Superseded:
    """The certificate *serial* is replaced by *by*; needed only where no claim on the name says so."""

    id: str
    time: datetime
    serial: str
    by: str
    authority: str = ""


@dataclass(frozen=True)
class Retired:
    """The certificate is out of use and not to be renewed; it stays valid until it expires or is revoked."""

    id: str
    time: datetime
    serial: str
    authority: str = ""


OUTCOMES = (Issued, Signed, Refused, Crl)

Entry = Union[  # noqa: UP007  # pylint takes | between classes for a mistake
    Intent, Attempt, Issued, Signed, Refused, Crl, Adopted, Revoked, Released, Superseded, Retired
]


def new_id() -> str:
    """Return a fresh id of a line: 32 hex digits, so lines of two branches never share one."""
    return secrets.token_hex(16)


def authority_of(public_key_info: bytes) -> str:
    """Return how the ledger names an authority: the SHA-256 of its key's SubjectPublicKeyInfo (DER), lower-case hex.

    The key is what outlasts a re-issue of the authority's certificate and a replica of the key in another region.
    """
    return hashlib.sha256(public_key_info).hexdigest()


def serial_text(serial_number: int) -> str:
    """Return a serial number as the ledger and file names write it: upper-case hex, whole octets."""
    digits = f"{serial_number:X}"
    return digits.zfill(len(digits) + len(digits) % 2)


_SERIAL = re.compile(r"(?:[0-9A-F]{2}){1,32}")


def require_serial(text: str) -> str:
    """Return *text* if it is a serial as serial_text() writes it.

    Raises:
        LedgerError: it is not.
    """
    if not _SERIAL.fullmatch(text):
        raise LedgerError(f"{text!r} is not a serial number in upper-case hex with whole octets, such as 0A1B2C")
    return text
