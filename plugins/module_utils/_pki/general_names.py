# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""General names from text and back, with community.crypto's prefixes (RFC 5280 4.2.1.6)."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from .attributes import is_oid
from .constraint_forms import constraint_text, to_constraint
from .domain_names import shown, to_mailbox, to_wildcard_domain
from .errors import SpecError
from .names import name_text, to_name_from_text
from .other_names import other_name_text, to_other_name
from .problems import refuse, try_all
from .uris import to_uri

if TYPE_CHECKING:
    from cryptography import x509
else:
    try:
        from cryptography import x509
    except ImportError:
        x509 = None  # require_cryptography() in the module says so

__all__ = ["constraint_text", "general_name_text", "to_constraint", "to_general_name", "to_general_names"]


def to_general_name(text: str) -> x509.GeneralName:
    """Return the general name that *text* says, with one of the prefixes DNS: IP: email: URI: RID: dirName: otherName:.

    IDNA: U-labels become A-labels by IDNA2008 (RFC 9549). A wildcard is the whole left-most label of a DNS name
    (RFC 9525 6.3). Domain names become lower case.

    Raises:
        SpecError: what is wrong with it and how to write it.
    """
    if not isinstance(text, str):
        raise SpecError(f'{shown(repr(text))} is no general name; quote it, such as "DNS:host.example.com"')
    prefix, colon, value = text.partition(":")
    make = _MAKERS.get(prefix.lower()) if colon else None
    if make is None:
        raise SpecError(f"{shown(text)} is no general name; write one with a prefix: {', '.join(_PREFIXES)}")
    try:
        return make(value)
    except SpecError as exc:
        raise SpecError(f"{shown(text)}: {exc}") from exc


def to_general_names(texts: Sequence[str]) -> list[x509.GeneralName]:
    """Return the general names of *texts*, in order.

    Raises:
        SpecError: with every problem of every name, and every name that is there twice.
    """
    names, problems = try_all(to_general_name, texts)
    twice = [name for place, name in enumerate(names) if name in names[:place]]
    refuse([*problems, *(f"{general_name_text(name)} is there more than once; write it once" for name in twice)])
    return names


def general_name_text(name: x509.GeneralName) -> str:
    """Return *name* with its prefix: the inverse of :func:`to_general_name`, for messages and results."""
    if isinstance(name, x509.DNSName):
        return f"DNS:{name.value}"
    if isinstance(name, x509.IPAddress):
        return f"IP:{name.value}"
    if isinstance(name, x509.RFC822Name):
        return f"email:{name.value}"
    if isinstance(name, x509.UniformResourceIdentifier):
        return f"URI:{name.value}"
    if isinstance(name, x509.RegisteredID):
        return f"RID:{name.value.dotted_string}"
    if isinstance(name, x509.DirectoryName):
        return f"dirName:{name_text(name.value)}"
    if isinstance(name, x509.OtherName):
        return f"otherName:{other_name_text(name)}"
    raise SpecError(f"a general name of the kind {type(name).__name__} has no text form; leave it out")


def _dns_name(value: str) -> x509.GeneralName:
    return x509.DNSName(to_wildcard_domain(value))


def _ip_address(value: str) -> x509.GeneralName:
    try:
        address = ipaddress.ip_address(value)
    except ValueError as exc:
        hint = "without a prefix length" if "/" in value else "such as 192.0.2.1 or 2001:db8::1"
        raise SpecError(f"it is no IPv4 or IPv6 address; write one {hint}") from exc
    if getattr(address, "scope_id", None):
        raise SpecError("an address in a certificate has no zone (RFC 5280 4.2.1.6); remove what follows the %")
    return x509.IPAddress(address)


def _mailbox(value: str) -> x509.GeneralName:
    return x509.RFC822Name(to_mailbox(value))


def _uri(value: str) -> x509.GeneralName:
    return x509.UniformResourceIdentifier(to_uri(value))


def _registered_id(value: str) -> x509.GeneralName:
    if not is_oid(value):
        raise SpecError("it is no dotted object identifier; write one such as RID:1.2.3.4")
    try:
        return x509.RegisteredID(x509.ObjectIdentifier(value))
    except ValueError as exc:
        raise SpecError(f"it cannot be encoded ({exc}); write a registered object identifier") from exc


def _directory_name(value: str) -> x509.GeneralName:
    name = to_name_from_text(value)
    if not name.rdns:
        raise SpecError("it has no attribute; write one as in RFC 4514: dirName:CN=...,O=...,C=..")
    return x509.DirectoryName(name)


def _other_name(value: str) -> x509.GeneralName:
    return to_other_name(value)


_MAKERS: Mapping[str, Callable[[str], x509.GeneralName]] = {
    "dns": _dns_name,
    "ip": _ip_address,
    "email": _mailbox,
    "uri": _uri,
    "rid": _registered_id,
    "dirname": _directory_name,
    "othername": _other_name,
}
_PREFIXES = ("DNS:", "IP:", "email:", "URI:", "RID:", "dirName:", "otherName:")
