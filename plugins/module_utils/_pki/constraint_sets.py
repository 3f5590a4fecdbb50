# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether name constraints make sense: in themselves, and below those of the CAs above (RFC 5280 4.2.1.10)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .constraint_forms import constraint_text
from .constraint_rules import form_of, rule_of
from .name_constraints import NOBODY

if TYPE_CHECKING:
    from cryptography import x509

    from .held_constraints import HeldConstraints


def check_constraints(constraints: x509.NameConstraints, above: Sequence[HeldConstraints] = ()) -> list[str]:
    """Return a problem for every constraint that could never have an effect as written.

    Those are: one that is there twice; a permitted one inside an excluded one; and one that permits only what a CA
    above forbids (every certificate would be refused, RFC 5280 6.1.3).

    Args:
        constraints: those of the CA to be issued.
        above: those of each CA certificate above that has some.
    """
    permitted, excluded = constraints.permitted_subtrees or [], constraints.excluded_subtrees or []
    return [
        *_repeated("permitted", permitted),
        *_repeated("excluded", excluded),
        *_inside(permitted, excluded, "its own"),
        *(problem for upper in above for problem in _useless(permitted, upper.extension, upper.owner)),
    ]


def _repeated(word: str, bases: Sequence[x509.GeneralName]) -> list[str]:
    twice = dict.fromkeys(constraint_text(base) for place, base in enumerate(bases) if base in bases[:place])
    return [f"the {word} {text} is there more than once; write it once" for text in twice]


def _inside(permitted: Sequence[x509.GeneralName], excluded: Sequence[x509.GeneralName], whose: str) -> list[str]:
    found = ((base, next((wide for wide in excluded if covers(wide, base)), None)) for base in permitted)
    return [
        f"the permitted {constraint_text(base)} lies within {whose} excluded {constraint_text(wide)}, so that it "
        "permits nothing; remove one of them"
        for base, wide in found
        if wide is not None
    ]


def _useless(permitted: Sequence[x509.GeneralName], upper: x509.NameConstraints, owner: str) -> list[str]:
    problems = _inside(permitted, upper.excluded_subtrees or [], f"{owner}'s")
    for base in permitted:
        allowed = [wide for wide in upper.permitted_subtrees or [] if form_of(wide) == form_of(base)]
        if allowed and base.value != NOBODY and not any(covers(wide, base) or covers(base, wide) for wide in allowed):
            texts = ", ".join(map(constraint_text, allowed))
            problems.append(
                f"the permitted {constraint_text(base)} is outside of what {owner} permits ({texts}), so that it "
                "permits nothing; choose one inside, or leave it out"
            )
    return problems


def covers(wide: x509.GeneralName, narrow: x509.GeneralName) -> bool:
    """Tell whether every name in the subtree of *narrow* is in the subtree of *wide* too."""
    form = form_of(wide)
    if form != form_of(narrow):
        return False
    if form == "IP":
        return wide.value.version == narrow.value.version and bool(narrow.value.subnet_of(wide.value))
    return wide == narrow or rule_of(form).matches(_some_name(form, narrow.value), wide.value, False)


def _some_name(form: str, base: object) -> object:
    """Return a name in the subtree of *base* that lies in as few other subtrees as possible."""
    if form not in ("email", "URI") or (form == "email" and "@" in str(base)):
        return base
    host = f"some-host{base}" if str(base).startswith(".") else str(base)
    return f"*@{host}" if form == "email" else f"some://{host}"
