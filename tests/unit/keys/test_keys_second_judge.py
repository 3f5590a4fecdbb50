# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A policy engine that is not ours decides under generated key policies as the guide says.

@cloud-copilot/iam-simulate weighs key policies as AWS KMS does. It needs Node.js, and the tests do not: its verdicts
are written down with a digest of all that they rest on, so that they hold for these very policies and no others.
`make judge` asks it again.
"""

from __future__ import annotations

import json
from collections import Counter

import pytest

from tests.unit.keys.second_judge.__main__ import VERDICTS
from tests.unit.keys.second_judge.questions import KEY, Question, questions

WORDS = {"Allowed", "ExplicitlyDenied", "ImplicitlyDenied"}


@pytest.fixture(scope="module")
def asked() -> list[Question]:
    return questions()


@pytest.fixture(scope="module")
def verdicts() -> dict[str, list[str]]:
    told: dict[str, list[str]] = json.loads(VERDICTS.read_text())
    return told


def test_the_judge_was_asked_about_the_policies_of_today(asked: list[Question], verdicts: dict[str, list[str]]) -> None:
    today = {question.name: question.digest() for question in asked}
    recorded = {name: digest for name, (digest, _verdict) in verdicts.items()}
    assert len(today) == len(asked)
    assert today == recorded, "generated key policies changed; run make judge"


def test_the_judge_decides_every_request_as_the_guide_says(
    asked: list[Question], verdicts: dict[str, list[str]]
) -> None:
    assert {verdict for _digest, verdict in verdicts.values()} == WORDS
    decided = {question.name: verdicts[question.name][1] == "Allowed" for question in asked}
    assert decided == {question.name: question.allowed for question in asked}


def test_every_role_is_judged_both_ways_on_the_one_key(asked: list[Question]) -> None:
    both = Counter((question.simulation["request"]["principal"], question.allowed) for question in asked)
    assert {allowed for _who, allowed in both} == {True, False}
    assert {question.simulation["request"]["resource"]["resource"] for question in asked} == {KEY}
    assert len({who for who, _allowed in both}) == 10
