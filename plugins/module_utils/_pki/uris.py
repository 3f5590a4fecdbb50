# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""URIs as certificates hold them: absolute, ASCII, with the host in A-labels (RFC 5280 4.2.1.6, 7.4)."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import quote

from .domain_names import is_ip_address, shown, to_domain
from .errors import SpecError

_URI = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):(?://(?P<authority>[^/?#]*))?(?P<rest>.*)", re.DOTALL)
_AUTHORITY = re.compile(r"(?:(?P<user>[^@]*)@)?(?P<host>\[[^\]]*\]|[^:@\[\]]*)(?P<port>:[0-9]*)?")
_URI_CHARACTERS = re.compile(r"(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*")
_KEPT = "".join(map(chr, range(128)))


def to_uri(text: str) -> str:
    """Return *text* as a URI: the host in A-labels, other letters beyond ASCII percent-encoded as UTF-8 (RFC 3987 3.1).

    Raises:
        SpecError: relative, without a host where ``//`` promises one, or with characters that no URI holds.
    """
    match = _URI.fullmatch(text)
    if not match or not text.partition(":")[2]:
        raise SpecError("it is no absolute URI (RFC 5280 4.2.1.6); write one such as https://example.com/path")
    authority = match["authority"]
    start = f"{match['scheme']}:" if authority is None else f"{match['scheme']}://{_authority(authority)}"
    uri = start + _percent_encoded(match["rest"])
    if not _URI_CHARACTERS.fullmatch(uri):
        bad = _URI_CHARACTERS.match(uri)
        place = bad.end() if bad else 0
        raise SpecError(
            f"it holds {uri[place]!r}, which no URI may (RFC 3986 2); percent-encode it as %{ord(uri[place]):02X}"
        )
    return uri


def _authority(text: str) -> str:
    match = _AUTHORITY.fullmatch(text)
    if not match or not match["host"]:
        raise SpecError(
            f"{shown(text)} names no host after // (RFC 5280 4.2.1.6); write one such as https://example.com/"
        )
    user = "" if match["user"] is None else f"{_percent_encoded(match['user'])}@"
    return f"{user}{_host(match['host'])}{match['port'] or ''}"


def _host(text: str) -> str:
    if text.startswith("["):
        try:
            return f"[{ipaddress.IPv6Address(text[1:-1])}]"
        except ValueError as exc:
            raise SpecError(f"host {shown(text)} is no IPv6 address ({exc}); write one such as [2001:db8::1]") from exc
    return text if is_ip_address(text) else to_domain(text)


def _percent_encoded(text: str) -> str:
    try:
        return quote(text, safe=_KEPT)
    except UnicodeEncodeError as exc:
        raise SpecError(f"{shown(text)} holds half a character (a lone surrogate); remove it") from exc


def host_of(uri: str) -> str | None:
    """Return the host of *uri* that a name constraint is about, as a domain name (RFC 5280 4.2.1.10).

    None where there is none: no authority, or an address. None too where OpenSSL reads another host than RFC 3986 has
    it: with a user before it, or a ``?`` or ``#`` right after it.
    """
    match = _URI.fullmatch(uri)
    authority = _AUTHORITY.fullmatch(match["authority"] or "") if match else None
    if not match or not authority or authority["user"] is not None or match["rest"][:1] in ("?", "#"):
        return None
    host = authority["host"]
    return None if not host or host.startswith("[") or is_ip_address(host) else host
