# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Name constraints from text and back: the forms that RFC 5280 4.2.1.10 defines."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from .domain_names import shown, to_domain, to_mailbox
from .errors import SpecError
from .names import name_text, to_name_from_text

if TYPE_CHECKING:
    from cryptography import x509
else:
    try:
        from cryptography import x509
    except ImportError:
        x509 = None  # require_cryptography() in the module says so


def to_constraint(text: str) -> x509.GeneralName:
    """Return the base of a name constraint (RFC 5280 4.2.1.10).

    ``DNS:acme.internal`` means the domain and all below it; a leading dot changes nothing and is dropped, since
    RFC 5280 gives it no meaning there. ``DNS:`` alone means every DNS name. ``IP:10.0.0.0/8`` or with a mask.
    ``email:`` takes a mailbox, a host, or ``.domain`` (hosts below it). ``URI:`` takes a host or ``.domain``.
    ``dirName:`` takes an RFC 4514 name and means all that begin with it; empty, every name.

    Raises:
        SpecError: what is wrong with it and how to write it.
    """
    if not isinstance(text, str):
        raise SpecError(f'{shown(repr(text))} is no name constraint; quote it, such as "DNS:example.com"')
    prefix, colon, value = text.partition(":")
    make = _MAKERS.get(prefix.lower()) if colon else None
    if make is None:
        raise SpecError(
            f"{shown(text)} is no name constraint that RFC 5280 4.2.1.10 defines; write one with a prefix: "
            "DNS:, IP:, email:, URI: or dirName:"
        )
    try:
        return make(value)
    except SpecError as exc:
        raise SpecError(f"{shown(text)}: {exc}") from exc


def constraint_text(name: x509.GeneralName) -> str:
    """Return the inverse of :func:`to_constraint`; kinds it does not take are shown by their class and value."""
    if isinstance(name, x509.DirectoryName):
        return f"dirName:{name_text(name.value)}"
    for kind, prefix in _PREFIXES.items():
        if isinstance(name, getattr(x509, kind)):
            return f"{prefix}:{name.value}"
    return f"{type(name).__name__}:{name!r}"


_PREFIXES = {"DNSName": "DNS", "IPAddress": "IP", "RFC822Name": "email", "UniformResourceIdentifier": "URI"}


def _dns(value: str) -> x509.GeneralName:
    if "*" in value:
        raise SpecError("a constraint has no wildcard: the domain and all below it are meant anyway; remove the *.")
    return x509.DNSName(to_domain(value.removeprefix(".")) if value else "")


def _ip(value: str) -> x509.GeneralName:
    address, slash, mask = value.partition("/")
    if not slash:
        raise SpecError("it has no prefix length; write a network such as 10.0.0.0/8, or /32 (/128) for one address")
    if "%" in address:
        raise SpecError("a network in a certificate has no zone (RFC 5280 4.2.1.10); remove what follows the %")
    try:
        start = ipaddress.ip_address(address)
        prefix = int(mask) if mask.isascii() and mask.isdigit() and len(mask) < 4 else _prefix_of(mask, start.version)
        return x509.IPAddress(ipaddress.ip_network((start.packed, prefix)))
    except ValueError as exc:
        raise SpecError(f"it is no network ({exc}); write one such as 10.0.0.0/8 or 2001:db8::/32") from exc


def _prefix_of(mask: str, version: int) -> int:
    parsed = ipaddress.ip_address(mask)
    ones = int(parsed)
    hosts = (1 << parsed.max_prefixlen) - 1 - ones
    if parsed.version != version or hosts & (hosts + 1):
        raise ValueError(f"mask {mask} is not ones, then zeros")
    return ones.bit_count()


def _email(value: str) -> x509.GeneralName:
    if value.startswith("*@"):
        raise SpecError("a constraint has no wildcard; write the host alone for all of its mailboxes")
    return x509.RFC822Name(to_mailbox(value) if "@" in value else _host_or_domain(value))


def _uri(value: str) -> x509.GeneralName:
    if "/" in value or ":" in value:
        raise SpecError("a URI constraint is about the host alone (RFC 5280 4.2.1.10); write URI:host or URI:.domain")
    return x509.UniformResourceIdentifier(_host_or_domain(value))


def _host_or_domain(value: str) -> str:
    return f".{to_domain(value[1:])}" if value.startswith(".") else to_domain(value)


def _directory_name(value: str) -> x509.GeneralName:
    return x509.DirectoryName(to_name_from_text(value))


_MAKERS: Mapping[str, Callable[[str], x509.GeneralName]] = {
    "dns": _dns,
    "ip": _ip,
    "email": _email,
    "uri": _uri,
    "dirname": _directory_name,
}
