# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Name constraints: which names a CA's certificate allows below it (RFC 5280 4.2.1.10)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .constraint_forms import constraint_text
from .constraint_rules import form_of, malformed, rule_of
from .der import TAGS, parts_of
from .domain_names import looks_like_a_host
from .general_names import general_name_text
from .names import name_text
from .other_names import utf8_mailbox_of

if TYPE_CHECKING:
    from cryptography import x509

    from .held_constraints import HeldConstraints
else:
    try:
        from cryptography import x509
    except ImportError:
        x509 = None  # require_cryptography() in the module says so

_EMAIL_ADDRESS = "1.2.840.113549.1.9.1"
_COMMON_NAME = "2.5.4.3"
NOBODY = "excluded.invalid"  # RFC 6761 6.4: no host of this name will ever exist
_EVERY_NETWORK = ("0.0.0.0/0", "::/0")


@dataclass(frozen=True)
class NameConstraintSet:
    """The permitted and excluded subtrees of one CA certificate, as bases of RFC 5280 4.2.1.10."""

    permitted: tuple[x509.GeneralName, ...] = ()
    excluded: tuple[x509.GeneralName, ...] = ()


@dataclass(frozen=True)
class _Held:
    """A name that a certificate claims: of what form, its value, what a message calls it, and why nobody reads it."""

    form: str
    value: object
    text: str
    problem: str = ""
    advice: str = "leave the name out, or let an authority issue that allows it"


def check_names(
    names: Sequence[x509.GeneralName],
    subject: x509.Name,
    constraints: Sequence[HeldConstraints],
    *,
    common_name_is_host: bool = True,
) -> list[str]:
    """Return a problem for every name that a CA above does not allow (RFC 5280 4.2.1.10, 6.1.3 b and c).

    Judged are *names*, the subject where it is not empty, and its emailAddress attributes (also where *names* hold a
    mailbox: RFC 5280 does not ask for that, but OpenSSL does it). The mailbox of an SmtpUTF8Mailbox falls under the
    constraints on email (RFC 9598 6). A name of a form that is constrained but whose constraints RFC 5280 leaves
    undefined (otherName, RID) is refused, and so is a name that relying parties read in different ways.

    Args:
        names: the subject alternative names.
        constraints: those of each CA certificate above that has some. A self-issued CA certificate is itself exempt
            (RFC 5280 6.1.3): do not ask about it.
        common_name_is_host: False for a CA. OpenSSL reads an end entity's common name as a host name where it looks
            like one and *names* hold no DNS name: outside the constraints, the certificate would be of no use.
    """
    held = [*map(_held, names), *_held_by_subject(names, subject, common_name_is_host)]
    problems = (_judge(name, above) for above in constraints for name in held)
    return [problem for problem in dict.fromkeys(problems) if problem]


def check_unnamed_kinds(names: Sequence[x509.GeneralName], constraints: Sequence[HeldConstraints]) -> list[str]:
    """Return a problem for every name of a kind that a CA above excludes without being able to say so.

    Of DNS, IP, email and URI :func:`exclude_others` writes into the CA's certificate that they are excluded. For other
    kinds RFC 5280 4.2.1.10 knows no such constraint; that all of those four are constrained tells that it was meant.
    Only who issues can honour that: relying parties cannot.

    Args:
        names, constraints: as check_names() has them.
    """
    return [
        f"{name.text} is of a kind that {above.owner} does not name, and it excludes others "
        f"(name_constraints_exclude_others); {name.advice}"
        for above in constraints
        if _is_closed(*_subtrees(above))
        for name in map(_held, names)
        if not any(_names_form(name.form, bases) for bases in _subtrees(above))
    ]


def _subtrees(above: HeldConstraints) -> tuple[Sequence[x509.GeneralName], Sequence[x509.GeneralName]]:
    """Return the permitted and the excluded bases."""
    return above.extension.permitted_subtrees or (), above.extension.excluded_subtrees or ()


def _is_closed(permitted: Sequence[x509.GeneralName], excluded: Sequence[x509.GeneralName]) -> bool:
    """Tell whether there is nothing left for exclude_others() to add."""
    if not permitted or permissions_for_others(permitted):
        return False
    return all(name in excluded for name in exclusions_for_others(permitted))


def _held(name: x509.GeneralName) -> _Held:
    mailbox = utf8_mailbox_of(name) if isinstance(name, x509.OtherName) else None
    if mailbox is not None:
        return _Held("email", mailbox, general_name_text(name))
    return _Held(form_of(name), name.value, general_name_text(name))


def _held_by_subject(names: Sequence[x509.GeneralName], subject: x509.Name, common_name_is_host: bool) -> list[_Held]:
    found = [_Held("dirName", subject, f"the subject {name_text(subject)}")] if subject.rdns else []
    reads_common_name = common_name_is_host and not _names_form("DNS", names)
    for one in subject:
        oid, value = one.oid.dotted_string, str(one.value)
        if oid == _EMAIL_ADDRESS:
            found.append(_Held("email", value, f"the subject's emailAddress {value}", _mailbox_problem(one)))
        if oid == _COMMON_NAME and reads_common_name and looks_like_a_host(value):
            advice = "add a DNS name that is allowed, or take a common name that does not look like a host"
            text = f"the subject's common name {value}, read as a host by OpenSSL,"
            found.append(_Held("DNS", value, text, advice=advice))
    return found


def _mailbox_problem(attribute: x509.NameAttribute[str | bytes]) -> str:
    """Return why nobody compares an emailAddress of the subject; empty where it is of the type it has to be."""
    rdn = parts_of(x509.Name([attribute]).public_bytes())[0]
    _oid, value = parts_of(parts_of(rdn)[0])
    return "" if value[0] == TAGS["IA5STRING"] else "is no IA5String, as which alone it can be compared (4.1.2.6)"


def _judge(name: _Held, above: HeldConstraints) -> str:
    """Return what is wrong with *name* under one CA's constraints; empty where nothing is."""
    if name.problem:
        return f"{name.text} {name.problem}, so the constraints of {above.owner} forbid it; {name.advice}"
    permitted, excluded = ([base for base in bases if form_of(base) == name.form] for bases in _subtrees(above))
    if not permitted and not excluded:
        return ""
    rule, owner = rule_of(name.form), above.owner
    problem = rule.problem_of(name.value)
    if problem:
        return f"{name.text} {problem}, so the constraints of {owner} on {name.form} forbid it; {name.advice}"
    unclear = malformed([*permitted, *excluded])
    if unclear:
        return f"{name.text} falls under a constraint of {owner} that has no defined meaning ({unclear}); {name.advice}"
    if name.form in above.bounded:
        return (
            f"{name.text} falls under a constraint of {owner} with a minimum or maximum, which relying parties reject "
            f"(RFC 5280 4.2.1.10); {name.advice}"
        )
    hit = next((base for base in excluded if rule.matches(name.value, base.value, True)), None)
    if hit is not None:
        return f"{name.text} is excluded by {owner} ({constraint_text(hit)}); {name.advice}"
    if permitted and not any(rule.matches(name.value, base.value, False) for base in permitted):
        allowed = ", ".join(map(constraint_text, permitted))
        return f"{name.text} is outside of what {owner} permits ({allowed}); {name.advice}"
    return ""


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
    others: list[x509.GeneralName] = [] if _names_form("email", permitted) else [x509.RFC822Name(NOBODY)]
    return others if _names_form("URI", permitted) else [*others, x509.UniformResourceIdentifier(NOBODY)]


def _names_form(form: str, names: Iterable[x509.GeneralName]) -> bool:
    return any(form_of(name) == form for name in names)
