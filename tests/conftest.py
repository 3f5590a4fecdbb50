# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How much property tests try, little in `make test`, much in `make test-all`; and what all tests read once."""

from __future__ import annotations

import gc
import os
from functools import cache

import botocore.session
import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "quick",
    max_examples=25,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("thorough", settings.get_profile("quick"), max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

# Each module run in the process of a test would read and parse AWS's descriptions of its services anew.
botocore.session.create_loader = cache(botocore.session.create_loader)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that no worker is still at it when the others have ended."""
    items.sort(key=lambda item: "tests/unit/roles" not in item.path.as_posix())


def pytest_collection_finish() -> None:
    """Spare the thousands of tests that were found from every garbage collection that follows."""
    gc.collect()
    gc.freeze()
