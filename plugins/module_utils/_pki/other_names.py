# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""otherName: a name of a type that somebody registered, such as a Windows UPN (RFC 5280 4.2.1.6)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .attributes import is_oid
from .der import encode, is_one_value, string_of
from .domain_names import shown, to_domain
from .errors import SpecError

if TYPE_CHECKING:
    from cryptography import x509
else:
    try:
        from cryptography import x509
    except ImportError:
        x509 = None  # require_cryptography() in the module says so

UPN = "1.3.6.1.4.1.311.20.2.3"
SMTP_UTF8_MAILBOX = "1.3.6.1.5.5.7.8.9"
XMPP_ADDRESS = "1.3.6.1.5.5.7.8.5"
SRV_NAME = "1.3.6.1.5.5.7.8.7"
FORM = "otherName:<OID>;UTF8:<value>"
_CALLED = {  # OpenSSL's short names
    "msUPN": UPN,
    "id-on-SmtpUTF8Mailbox": SMTP_UTF8_MAILBOX,
    "id-on-xmppAddr": XMPP_ADDRESS,
    "id-on-dnsSRV": SRV_NAME,
}
_KINDS = {UPN: "UTF8", SMTP_UTF8_MAILBOX: "UTF8", XMPP_ADDRESS: "UTF8", SRV_NAME: "IA5STRING"}
_SHOWN_AS = ("UTF8", "IA5STRING", "PRINTABLESTRING")
_HEXADECIMAL = re.compile(r"[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2})*")
_SRV_NAME = re.compile(r"_[A-Za-z0-9-]{1,15}\.(?P<domain>.+)", re.DOTALL)


def to_other_name(text: str) -> x509.OtherName:
    """Return the otherName of ``<OID>;<type>:<value>`` as OpenSSL writes it, or ``<OID>;<DER in hexadecimal>``.

    A UPN, SmtpUTF8Mailbox (RFC 9598 3), XmppAddr (RFC 6120) and SRVName (RFC 4985 2) are checked for what they are.

    Raises:
        SpecError: what is wrong with it.
    """
    called, semicolon, value = text.partition(";")
    oid = _CALLED.get(called, called)
    if not semicolon or not is_oid(oid):
        raise SpecError(f"it does not begin with a dotted OID and a semicolon; write {FORM}")
    der = _value(value)
    if oid in _KINDS:
        der = _known_value(oid, der)
    try:
        return x509.OtherName(x509.ObjectIdentifier(oid), der)
    except ValueError as exc:
        raise SpecError(f"{shown(oid)} cannot be encoded as an OID ({exc}); write a registered one") from exc


def _value(text: str) -> bytes:
    if _HEXADECIMAL.fullmatch(text):
        der = bytes.fromhex(text.replace(":", ""))
        if not is_one_value(der):
            raise SpecError(f"{shown(text)} is not the DER of one value (X.690); write {FORM}")
        return der
    kind, _colon, value = text.partition(":")
    return encode(kind, value)


def _known_value(oid: str, der: bytes) -> bytes:
    kind = _KINDS[oid]
    value = string_of(der, kind)
    if value is None:
        raise SpecError(f"the value of {oid} is of another type than {kind}; write otherName:{oid};{kind}:<value>")
    if oid == SMTP_UTF8_MAILBOX:
        return encode(kind, _utf8_mailbox(value))
    if oid == SRV_NAME:
        return encode(kind, _srv_name(value))
    if not value or any(ord(letter) < 0x20 for letter in value):
        raise SpecError(
            f"the value of {oid} is empty or holds control characters; write a name such as user@example.com"
        )
    return der


def _utf8_mailbox(value: str) -> str:
    local_part, at, domain = value.rpartition("@")
    if not at or not local_part or any(letter.isspace() or ord(letter) < 0x20 for letter in local_part):
        raise SpecError(f"{shown(value)} is no mailbox; write one such as müller@example.com")
    if local_part.isascii():
        raise SpecError(
            f"the local part of {shown(value)} is ASCII, so RFC 9598 3 wants an rfc822Name; write email:{value}"
        )
    if value.startswith("\ufeff"):
        raise SpecError(f"{shown(value)} begins with a byte order mark (RFC 9598 3); remove it")
    return f"{local_part}@{to_domain(domain)}"


def _srv_name(value: str) -> str:
    match = _SRV_NAME.fullmatch(value)
    if not match:
        raise SpecError(f"{shown(value)} is no SRVName (RFC 4985 2); write _service.domain such as _imaps.example.com")
    return f"{value[: match.start('domain')]}{to_domain(match['domain'])}"


def other_name_text(name: x509.OtherName) -> str:
    """Return the inverse of :func:`to_other_name`: text where it means the same octets, else hexadecimal."""
    oid = name.type_id.dotted_string
    for kind in _SHOWN_AS:
        value = string_of(name.value, kind)
        if value is not None and value.isprintable():
            return f"{oid};{kind}:{value}"
    return f"{oid};{name.value.hex(':')}"


def utf8_mailbox_of(name: x509.OtherName) -> str | None:
    """Return the mailbox of an SmtpUTF8Mailbox, None for any other otherName."""
    return string_of(name.value, "UTF8") if name.type_id.dotted_string == SMTP_UTF8_MAILBOX else None
