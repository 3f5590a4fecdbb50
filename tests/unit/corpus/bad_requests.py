# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One bad request as a value: what is asked, and the sentence that says what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.unit.rfc5280.office import Office

GOOD = {"subject_alt_name": ["DNS:web.acme.internal"]}


@dataclass(frozen=True)
class Bad:
    """A request for a TLS server's certificate, unless it says otherwise, with something wrong in it.

    Attributes:
        says: part of the sentence that the user reads.
        options: what differs from a good request.
    """

    id: str
    says: str
    options: dict[str, Any] = field(default_factory=dict)
    profile: str = "tls_server"
    issuer: str | None = "root"


def each(cases: Iterable[Bad]) -> Callable[[Any], Any]:
    """Return the decorator that makes one test of each case."""
    listed = list(cases)
    assert len({case.id for case in listed}) == len(listed), "an id is there twice"
    return pytest.mark.parametrize("bad", [pytest.param(case, id=case.id) for case in listed])


def refused(office: Office, bad: Bad) -> str:
    """Return the sentence that refuses *bad*, after seeing that it is the expected one and that nothing was done."""
    given = {**(GOOD if bad.profile == "tls_server" else {}), **bad.options}
    told = office.refusal("web", bad.profile, bad.issuer, **given)
    assert bad.says in told, told
    assert "Traceback" not in told
    assert "\n" not in told
    return told
