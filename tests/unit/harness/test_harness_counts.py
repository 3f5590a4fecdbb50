# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the test run counts: whatever did not run and pass has failed."""

from __future__ import annotations

import pytest

from tests.harness.stages import (
    Finished,
    call,
    count_integration,
    count_molecule,
    count_pytest,
    count_sanity,
    one_check,
)

SANITY = '$ ansible-test sanity\nRunning sanity test "pep8"\nRunning sanity test "pylint"\n'
TARGETS = "Running kms_key integration test role\n...\nRunning kms_sign integration test role\n"
RECAP = "SCENARIO RECAP\ndefault          : actions=12  successful=7  disabled=0  skipped=0  missing=6  failed={}\n"


@pytest.mark.parametrize(
    ("last", "status", "passed", "failed"),
    [
        ("781 passed in 29.31s", 0, 781, 0),
        ("2 failed, 781 passed, 1 warning in 29.31s", 1, 781, 2),
        ("5 passed, 1 skipped, 2 xfailed in 1.00s", 0, 5, 3),
        ("no tests ran in 0.01s", 5, 0, 1),
        ("5 passed in 1.00s", 3, 5, 1),
    ],
)
def test_a_test_that_pytest_did_not_pass_has_failed(last: str, status: int, passed: int, failed: int) -> None:
    outcome = count_pytest(Finished(status, f"...\n{last}\n"))
    assert (outcome.passed, outcome.failed) == (passed, failed)


@pytest.mark.parametrize(
    ("end", "status", "passed", "failed"),
    [
        ("", 0, 2, 0),
        ("FATAL: The 1 sanity test(s) listed below (out of 2) failed. See error output above.\npylint\n", 1, 1, 1),
        ('WARNING: Skipping sanity test "pep8" on Python 3.11 because it could not be found.\n', 0, 1, 1),
        ('WARNING: Required program "shellcheck" not found.\n', 0, 1, 1),
        ("FATAL: something else\n", 1, 2, 1),
    ],
)
def test_a_sanity_test_that_is_skipped_has_failed(end: str, status: int, passed: int, failed: int) -> None:
    outcome = count_sanity(Finished(status, SANITY + end))
    assert (outcome.passed, outcome.failed) == (passed, failed)


def test_sanity_without_a_target_has_failed() -> None:
    assert count_sanity(Finished(0, "WARNING: All targets skipped.\n")).failed == 1


@pytest.mark.parametrize(
    ("end", "status", "wanted", "passed", "failed"),
    [
        ("", 0, 2, 2, 0),
        ("FATAL: The 1 integration test(s) listed below (out of 2) failed. See above.\nkms_sign\n", 1, 2, 1, 1),
        ("", 0, 3, 2, 1),
        ("FATAL: something else\n", 1, 2, 2, 1),
    ],
)
def test_an_integration_target_that_does_not_run_has_failed(
    end: str, status: int, wanted: int, passed: int, failed: int
) -> None:
    outcome = count_integration(Finished(status, TARGETS + end), wanted)
    assert (outcome.passed, outcome.failed) == (passed, failed)


@pytest.mark.parametrize(
    ("output", "status", "passed", "failed"),
    [(RECAP.format(0), 0, 1, 0), (RECAP.format(1), 1, 0, 1), ("CRITICAL no scenario\n", 1, 0, 1)],
)
def test_molecule_counts_scenarios(output: str, status: int, passed: int, failed: int) -> None:
    outcome = count_molecule(Finished(status, output))
    assert (outcome.passed, outcome.failed) == (passed, failed)


def test_a_missing_tool_has_failed() -> None:
    outcome = one_check(["no-such-tool-anywhere"])
    assert (outcome.passed, outcome.failed) == (0, 1)
    assert "no-such-tool-anywhere" in outcome.output


def test_a_tool_sees_nothing_of_the_users_aws_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    assert "production" not in call(["env"]).output
