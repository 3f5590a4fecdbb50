# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that declare who may do what with a key, for proving it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .._keys.access_probes import Expectation, Finding, check_expectations, to_action
from .._pki.errors import SpecError
from .._signer.algorithms import ALGORITHMS

ACCESS_TEST_OPTIONS: dict[str, Any] = {
    "key_id": {"type": "str", "required": True},
    "expected": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "role_arn": {"type": "str", "required": True},
            "session_name": {"type": "str", "default": "rootstock"},
            "external_id": {"type": "str"},
            "allowed": {"type": "list", "elements": "str", "default": []},
            "denied": {"type": "list", "elements": "str", "default": []},
        },
    },
    "simulate": {"type": "bool", "default": False},
    "signing_algorithm": {"type": "str", "choices": list(ALGORITHMS)},
    "message_type": {"type": "str", "default": "auto", "choices": ["auto", "raw", "digest", "external_mu"]},
}


def to_expectations(listed: Iterable[Mapping[str, Any]]) -> list[Expectation]:
    """Return what the task declares.

    Raises:
        SpecError: naming everything that makes no sense.
    """
    expectations = [
        Expectation(
            each["role_arn"],
            each["session_name"],
            each["external_id"],
            _to_actions(each["allowed"]),
            _to_actions(each["denied"]),
        )
        for each in listed
    ]
    problems = check_expectations(expectations)
    if problems:
        raise SpecError("; ".join(problems))
    return expectations


def to_message_type(choice: str) -> str | None:
    """Return the message type in KMS's words; None leaves it to the algorithm."""
    return None if choice == "auto" else choice.upper()


def access_results(findings: Sequence[Finding]) -> dict[str, Any]:
    """Return what the task returns."""
    return {
        "results": [finding.result() for finding in findings],
        "mismatches": [finding.result() for finding in findings if finding.difference()],
    }


def _to_actions(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(to_action(name) for name in names))
