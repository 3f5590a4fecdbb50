# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Name constraints: which names a CA's certificate allows below it (RFC 5280 4.2.1.10)."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .constraint_forms import constraint_text, to_constraint
from .domain_names import looks_like_a_host, to_domain, to_wildcard_domain
from .errors import SpecError
from .general_names import general_name_text
from .name_matching import is_within
from .names import name_text
from .other_names import utf8_mailbox_of
from .problems import try_all
from .uris import host_of

if TYPE_CHECKING:
    from cryptography import x509
else:
    try:
        from cryptography import x509
    except ImportError:
        x509 = None  # require_cryptography() in the module says so

_EMAIL_ADDRESS = "1.2.840.113549.1.9.1"
_COMMON_NAME = "2.5.4.3"
_NOBODY = "excluded.invalid"  # RFC 6761 6.4: no host of this name will ever exist
_EVERY_NETWORK = ("0.0.0.0/0", "::/0")


@dataclass(frozen=True)
class NameConstraintSet:
    """The permitted and excluded subtrees of one CA certificate, as bases of RFC 5280 4.2.1.10."""

    permitted: tuple[x509.GeneralName, ...] = ()
    excluded: tuple[x509.GeneralName, ...] = ()


@dataclass(frozen=True)
class _Held:
    """A name that a certificate claims: of what form, where it stands, and what a message calls it."""

    form: str
    value: object
    text: str
    advice: str = "leave the name out, or let an authority issue that allows it"


def check_names(
    names: Sequence[x509.GeneralName],
    subject: x509.Name,
    constraints: Sequence[x509.NameConstraints],
    *,
    issuers: Sequence[str] = (),
    common_name_is_host: bool = True,
) -> list[str]:
    """Return a problem for every name that a CA above does not allow (RFC 5280 4.2.1.10, 6.1.3 b and c).

    Judged are *names*, the subject where it is not empty, and its emailAddress attributes where *names* hold no
    mailbox. A name of a form that is constrained but not defined by RFC 5280 (otherName, RID) is refused, as is every
    spelling that relying parties could read in two ways. A mailbox in an SmtpUTF8Mailbox falls under the constraints
    on email (RFC 9598 6).

    Args:
        names: the subject alternative names.
        constraints: the extension of each CA certificate above that has one. A self-issued CA certificate is itself
            exempt (RFC 5280 6.1.3): do not ask about it.
        issuers: whose extension each of *constraints* is, for the messages.
        common_name_is_host: False for a CA. OpenSSL reads an end entity's common name as a host name where it looks
            like one and *names* hold no DNS name: outside the constraints, the certificate would be of no use.
    """
    held = [*map(_held, names), *_held_by_subject(names, subject, common_name_is_host)]
    owners = [*issuers, *("the issuer's chain" for _ in constraints)]
    return list(
        dict.fromkeys(
            problem
            for extension, owner in zip(constraints, owners, strict=False)
            for name in held
            for problem in _judge(name, extension, owner)
        )
    )


def _held(name: x509.GeneralName) -> _Held:
    if isinstance(name, x509.OtherName):
        mailbox = utf8_mailbox_of(name)
        form = "email" if mailbox is not None else f"otherName {name.type_id.dotted_string}"
        return _Held(form, mailbox if mailbox is not None else name.value, general_name_text(name))
    return _Held(_form(name), name.value, general_name_text(name))


def _held_by_subject(names: Sequence[x509.GeneralName], subject: x509.Name, common_name_is_host: bool) -> list[_Held]:
    found = [_Held("dirName", subject, f"the subject {name_text(subject)}")] if subject.rdns else []
    kinds = {_form(name) for name in names}
    for one in subject:
        oid, value = one.oid.dotted_string, str(one.value)
        if oid == _EMAIL_ADDRESS and "email" not in kinds:
            found.append(_Held("email", value, f"the subject's emailAddress {value}"))
        if oid == _COMMON_NAME and common_name_is_host and "DNS" not in kinds and looks_like_a_host(value):
            advice = "add a DNS name that is allowed, or take a common name that does not look like a host"
            found.append(
                _Held("DNS", value, f"the subject's common name {value}, which OpenSSL takes for a host", advice)
            )
    return found


def _form(name: x509.GeneralName) -> str:
    if isinstance(name, x509.OtherName):
        return f"otherName {name.type_id.dotted_string}"
    for kind, form in _FORMS.items():
        if isinstance(name, getattr(x509, kind)):
            return form
    return type(name).__name__


_WITH_SYNTAX = ("DNS", "IP", "email", "URI")
_FORMS = {
    "DNSName": "DNS",
    "IPAddress": "IP",
    "RFC822Name": "email",
    "UniformResourceIdentifier": "URI",
    "DirectoryName": "dirName",
    "RegisteredID": "RID",
}


def _judge(name: _Held, extension: x509.NameConstraints, owner: str) -> list[str]:
    permitted = [base for base in extension.permitted_subtrees or () if _form(base) == name.form]
    excluded = [base for base in extension.excluded_subtrees or () if _form(base) == name.form]
    if not permitted and not excluded:
        return []
    problem_of, matches = _RULES.get(name.form, (_unreadable, _never))
    problem = problem_of(name.value) or _bases_problem([*permitted, *excluded])
    if problem:
        return [f"{name.text} {problem}, so the constraints of {owner} on {name.form} forbid it; {name.advice}"]
    hit = next((base for base in excluded if matches(name.value, base.value, True)), None)
    if hit is not None:
        return [f"{name.text} is excluded by {owner} ({constraint_text(hit)}); {name.advice}"]
    if permitted and not any(matches(name.value, base.value, False) for base in permitted):
        allowed = ", ".join(map(constraint_text, permitted))
        return [f"{name.text} is outside of what {owner} permits ({allowed}); {name.advice}"]
    return []


def _bases_problem(bases: Iterable[x509.GeneralName]) -> str:
    """Refuse to judge by a base that is no constraint of RFC 5280, as 4.2.1.10 demands."""
    _made, problems = try_all(to_constraint, [constraint_text(base) for base in bases if _form(base) in _WITH_SYNTAX])
    return f"cannot be judged by a constraint that is malformed ({'; '.join(problems)})" if problems else ""


def _dns_matches(value: object, base: object, excluding: bool) -> bool:
    """Zero or more labels before the base; a wildcard claims every host it stands for, the excluded too."""
    name, domain = str(value).lower(), str(base).lower()
    bare = domain.removeprefix(".")
    if not bare:
        return True
    if excluding and name.startswith("*.") and bare.partition(".")[2] == name[2:]:
        return True
    return name.endswith(f".{bare}") or (name == bare and (excluding or bare == domain))


def _email_matches(value: object, base: object, excluding: bool) -> bool:
    """A mailbox, a host, or all hosts below ``.domain``."""
    local_part, _at, host = str(value).rpartition("@")
    wanted, at, wanted_host = str(base).rpartition("@")
    return _host_matches(to_domain(host), wanted_host, excluding) and (not at or wanted == local_part)


def _uri_matches(value: object, base: object, excluding: bool) -> bool:
    return _host_matches((host_of(str(value)) or "").lower(), str(base), excluding)


def _host_matches(host: str, base: str, excluding: bool) -> bool:
    wanted = base.lower()
    if not wanted:  # RFC 5280 leaves it open; NSS reads every host, OpenSSL none: whichever forbids
        return excluding
    return host.endswith(wanted) if wanted.startswith(".") else host == wanted


def _ip_matches(value: object, base: object, _excluding: bool) -> bool:
    if isinstance(value, ipaddress.IPv4Address) and isinstance(base, ipaddress.IPv4Network):
        return value in base
    return isinstance(value, ipaddress.IPv6Address) and isinstance(base, ipaddress.IPv6Network) and value in base


def _directory_name_matches(value: object, base: object, _excluding: bool) -> bool:
    return isinstance(value, x509.Name) and isinstance(base, x509.Name) and is_within(value, base)


def _never(_value: object, _base: object, _excluding: bool) -> bool:
    return False


def _dns_problem(value: object) -> str:
    return _problem_of(to_wildcard_domain, str(value))


def _email_problem(value: object) -> str:
    _local_part, at, host = str(value).rpartition("@")
    return _problem_of(to_domain, host) if at else "has no @"


def _uri_problem(value: object) -> str:
    host = host_of(str(value))
    return _problem_of(to_domain, host) if host else "names no host by its domain name (RFC 5280 4.2.1.10)"


def _problem_of(read: Callable[[str], object], text: str) -> str:
    try:
        read(text)
    except SpecError as exc:
        return f"cannot be judged ({exc})"
    return ""


def _readable(_value: object) -> str:
    return ""


def _unreadable(_value: object) -> str:
    return "is of a form whose constraints RFC 5280 does not define"


# form -> (why a name of it cannot be judged, whether it lies within a base)
_RULES: Mapping[str, tuple[Callable[[object], str], Callable[[object, object, bool], bool]]] = {
    "DNS": (_dns_problem, _dns_matches),
    "IP": (_readable, _ip_matches),
    "email": (_email_problem, _email_matches),
    "URI": (_uri_problem, _uri_matches),
    "dirName": (_readable, _directory_name_matches),
}


def exclude_others(
    permitted: Sequence[x509.GeneralName], excluded: Sequence[x509.GeneralName] = ()
) -> NameConstraintSet:
    """Return the constraints that allow only what *permitted* names: kinds not named there are forbidden altogether."""
    more = [name for name in exclusions_for_others(permitted) if name not in excluded]
    return NameConstraintSet((*permitted, *permissions_for_others(permitted)), (*excluded, *more))


def exclusions_for_others(permitted: Sequence[x509.GeneralName]) -> list[x509.GeneralName]:
    """Return the excluded subtrees that forbid every DNS name and IP address where *permitted* names none.

    An empty dNSName is every name (any number of labels before it), 0.0.0.0/0 and ::/0 are every address. For the other
    forms see :func:`permissions_for_others`. dirName is left out: excluding the empty name would forbid every
    subject, and any other name forbids nothing in particular; permit a directory name to constrain subjects.
    """
    others: list[x509.GeneralName] = [] if _names_form("DNS", permitted) else [x509.DNSName("")]
    versions = {name.value.version for name in permitted if isinstance(name, x509.IPAddress)}
    networks = (ipaddress.ip_network(every) for every in _EVERY_NETWORK)
    return others + [x509.IPAddress(network) for network in networks if network.version not in versions]


def permissions_for_others(permitted: Sequence[x509.GeneralName]) -> list[x509.GeneralName]:
    """Return the permitted subtrees that forbid every mailbox and every URI where *permitted* names none.

    An excluded base that means every mailbox or URI does not exist: RFC 5280 leaves the empty one open, and OpenSSL
    reads it as none. A permitted host that never exists (RFC 6761 6.4) forbids all others with every relying party.
    """
    others: list[x509.GeneralName] = [] if _names_form("email", permitted) else [x509.RFC822Name(_NOBODY)]
    return others if _names_form("URI", permitted) else [*others, x509.UniformResourceIdentifier(_NOBODY)]


def _names_form(form: str, names: Iterable[x509.GeneralName]) -> bool:
    return any(_form(name) == form for name in names)
