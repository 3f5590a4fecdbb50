# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a name lies within the base of a name constraint, form by form (RFC 5280 4.2.1.10)."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .constraint_forms import constraint_text, to_constraint
from .domain_names import to_domain, to_wildcard_domain
from .errors import SpecError
from .name_matching import is_surely_within, is_within
from .problems import try_all
from .uris import host_of

if TYPE_CHECKING:
    from cryptography import x509
else:
    try:
        from cryptography import x509
    except ImportError:
        x509 = None  # require_cryptography() in the module says so

_FORMS = {
    "DNSName": "DNS",
    "IPAddress": "IP",
    "RFC822Name": "email",
    "UniformResourceIdentifier": "URI",
    "DirectoryName": "dirName",
    "RegisteredID": "RID",
}
_WITH_SYNTAX = ("DNS", "IP", "email", "URI")


@dataclass(frozen=True)
class Rule:
    """How names of one form are judged.

    Args:
        problem_of: says why a name cannot be judged; empty where it can.
        matches: tells whether a name lies within a base. The third argument is True for an excluded base: what could be
            read in two ways is then read the wide way, and the narrow way otherwise.
    """

    problem_of: Callable[[object], str]
    matches: Callable[[object, object, bool], bool]


def form_of(name: x509.GeneralName) -> str:
    """Return the name form that a constraint is about: a prefix of general names; each kind of otherName is its own."""
    if isinstance(name, x509.OtherName):
        return f"otherName {name.type_id.dotted_string}"
    kind = type(name).__name__
    return _FORMS.get(kind, kind)


def rule_of(form: str) -> Rule:
    """Return how names of *form* are judged; of a form without defined constraints, no name can be."""
    return _RULES.get(form, _UNDEFINED)


def malformed(bases: Iterable[x509.GeneralName]) -> str:
    """Say which of *bases* is no constraint that RFC 5280 defines, such as the empty mailbox; empty where all are.

    A relying party must reject what it cannot process, and NSS and OpenSSL read the empty one as all and none.
    """
    texts = [constraint_text(base) for base in bases if form_of(base) in _WITH_SYNTAX]
    return "; ".join(try_all(to_constraint, texts)[1])


def _dns_matches(value: object, base: object, excluding: bool) -> bool:
    """Zero or more labels before the base; a wildcard claims every host it stands for, the excluded too.

    A leading dot has no meaning in RFC 5280. OpenSSL then wants one label at least, others do not.
    """
    name, written = str(value).lower(), str(base).lower()
    domain = written.removeprefix(".")
    if not domain or name.endswith(f".{domain}"):
        return True
    if excluding and name.startswith("*.") and domain.partition(".")[2] == name[2:]:
        return True
    return name == domain and (excluding or domain == written)


def _email_matches(value: object, base: object, _excluding: bool) -> bool:
    """A mailbox, a host, or all hosts below ``.domain``; local parts are compared exactly (RFC 5280 7.5)."""
    local_part, _at, host = str(value).rpartition("@")
    wanted, at, wanted_host = str(base).rpartition("@")
    return _host_matches(to_domain(host), wanted_host) and (not at or wanted == local_part)


def _uri_matches(value: object, base: object, _excluding: bool) -> bool:
    return _host_matches(to_domain(host_of(str(value)) or ""), str(base))


def _host_matches(host: str, base: str) -> bool:
    wanted = base.lower()
    return host.endswith(wanted) if wanted.startswith(".") else host == wanted


def _ip_matches(value: object, base: object, _excluding: bool) -> bool:
    if isinstance(value, ipaddress.IPv4Address) and isinstance(base, ipaddress.IPv4Network):
        return value in base
    return isinstance(value, ipaddress.IPv6Address) and isinstance(base, ipaddress.IPv6Network) and value in base


def _directory_name_matches(value: object, base: object, excluding: bool) -> bool:
    """Within the base as RFC 5280 7.1 compares names, for a permitted one also as OpenSSL does."""
    matches = is_within if excluding else is_surely_within
    return isinstance(value, x509.Name) and isinstance(base, x509.Name) and matches(value, base)


def _never(_value: object, _base: object, _excluding: bool) -> bool:
    return False


def _dns_problem(value: object) -> str:
    return _problem_of(to_wildcard_domain, str(value))


def _email_problem(value: object) -> str:
    local_part, at, host = str(value).rpartition("@")
    if not at or local_part.startswith('"'):
        return "is no plain mailbox"
    return _problem_of(to_domain, host)


def _uri_problem(value: object) -> str:
    host = host_of(str(value))
    return _problem_of(to_domain, host) if host else "names no host by a domain name alone"


def _problem_of(read: Callable[[str], object], text: str) -> str:
    try:
        read(text)
    except SpecError as exc:
        return f"cannot be judged ({exc})"
    return ""


def _readable(_value: object) -> str:
    return ""


def _undefined(_value: object) -> str:
    return "is of a form whose constraints RFC 5280 leaves undefined"


_RULES: Mapping[str, Rule] = {
    "DNS": Rule(_dns_problem, _dns_matches),
    "IP": Rule(_readable, _ip_matches),
    "email": Rule(_email_problem, _email_matches),
    "URI": Rule(_uri_problem, _uri_matches),
    "dirName": Rule(_readable, _directory_name_matches),
}
_UNDEFINED = Rule(_undefined, _never)
