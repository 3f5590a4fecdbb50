# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Host names and mailboxes as certificates hold them: A-labels, letters, digits and hyphens (RFC 5280 7.2)."""

from __future__ import annotations

import ipaddress
import re

from .errors import SpecError
from .u_labels import u_label_may_be, u_label_to_ascii

LDH = "letters, digits and hyphens, with no hyphen at either end"
_LDH_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
_HOST_LIKE = re.compile(r"\w(?:[\w-]*\w)?(?:\.\w(?:[\w-]*\w)?)+", re.ASCII)
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL_PART = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_FEW = 80
_FAR_TOO_LONG = 1000  # characters not worth converting


def shown(text: str) -> str:
    """Return *text* quoted for a message, cut where it is long."""
    return repr(text) if len(text) <= _FEW else f"{text[:_FEW]!r}... ({len(text)} characters)"


def to_label(label: str) -> str:
    """Return one DNS label as lower-case ASCII; a U-label becomes its A-label (RFC 5890 2.3.2.1, RFC 9549).

    Raises:
        SpecError: empty, longer than 63 octets, other characters than RFC 1034 allows, or not convertible.
    """
    if not label:
        raise SpecError("a label is empty; remove the extra dot")
    if len(label) > _FAR_TOO_LONG:
        raise SpecError(f"label {shown(label)} is too long; at most 63 octets (RFC 1034 3.1); shorten it")
    ascii_label = label.lower() if label.isascii() else u_label_to_ascii(label)
    if not _LDH_LABEL.fullmatch(ascii_label):
        raise SpecError(f"label {shown(label)} is not made of {LDH} (RFC 1034 3.5); rename it")
    if len(ascii_label) > 63:
        raise SpecError(
            f"label {shown(label)} is {len(ascii_label)} octets long; at most 63 (RFC 1034 3.1); shorten it"
        )
    if ascii_label.startswith("xn--"):
        _check_a_label(ascii_label)
    return ascii_label


def _check_a_label(label: str) -> None:
    """Refuse what only looks like an A-label; the letters of others may be newer than this Python."""
    try:
        letters = label[4:].encode("ascii").decode("punycode")
        real = u_label_may_be(letters) and letters.encode("punycode").decode("ascii") == label[4:]
    except (UnicodeError, OverflowError, ValueError):
        real = False
    if not real:
        raise SpecError(
            f"label {shown(label)} starts as an A-label but is not one (RFC 5891 4.2); write the name in letters"
        )


def to_domain(text: str) -> str:
    """Return a domain name as RFC 5280 4.2.1.6 wants a dNSName: LDH labels, no final dot, at most 253 octets.

    Raises:
        SpecError: not a domain name; an IP address; a wildcard.
    """
    if is_ip_address(text):
        raise SpecError("it is an IP address, not a host name; write it as IP:")
    if text.endswith(".") and len(text) > 1:
        raise SpecError("it ends with a dot; a name in a certificate has none (RFC 5280 4.2.1.6), remove it")
    if "*" in text:
        raise SpecError(
            "a * stands only alone as the whole left-most label of a DNS: name (RFC 9525 6.3); write *.example.com"
        )
    labels = [to_label(label) for label in text.split(".")]
    if labels[-1].isdigit():
        raise SpecError(
            f"its last label {shown(labels[-1])} is a number, as in an IP address (RFC 1123 2.1); complete the name"
        )
    domain = ".".join(labels)
    if len(domain) > 253:
        raise SpecError(f"it is {len(domain)} octets long; a domain name has at most 253 (RFC 1034 3.1); shorten it")
    return domain


def to_wildcard_domain(text: str) -> str:
    """Return a domain name whose left-most label may be ``*`` (RFC 9525 6.3)."""
    return f"*.{to_domain(text[2:])}" if text.startswith("*.") else to_domain(text)


def looks_like_a_host(text: str) -> bool:
    """Tell whether OpenSSL takes a common name for a host name: labels with a dot between them."""
    return _HOST_LIKE.fullmatch(text) is not None


def is_ip_address(text: str) -> bool:
    """Tell whether *text* is an IPv4 or IPv6 address."""
    if not text[-1:].isdigit() and ":" not in text:
        return False
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def to_mailbox(text: str) -> str:
    """Return ``local-part@domain`` as an rfc822Name holds it, the domain in A-labels (RFC 5280 4.2.1.6, 7.5).

    The local part is a dot-atom: quoted strings and address literals of RFC 5321 are refused, since two spellings
    of one mailbox would slip past a name constraint.
    """
    local_part, at, domain = text.rpartition("@")
    if not at:
        raise SpecError("it has no @; write a mailbox such as user@example.com")
    if not local_part.isascii():
        raise SpecError(
            "its local part is not ASCII, which an rfc822Name cannot hold (RFC 9598); write "
            f"otherName:1.3.6.1.5.5.7.8.9;UTF8:{text}"
        )
    if not _LOCAL_PART.fullmatch(local_part) or len(local_part) > 64:
        raise SpecError(
            f"its local part {shown(local_part)} is no dot-atom of 1 to 64 characters (RFC 5321 4.1.2); "
            "write one such as first.last"
        )
    mailbox = f"{local_part}@{to_domain(domain)}"
    if len(mailbox) > 254:
        raise SpecError(f"it is {len(mailbox)} octets long; a mailbox has at most 254 (RFC 5321 4.5.3.1.3); shorten it")
    return mailbox
