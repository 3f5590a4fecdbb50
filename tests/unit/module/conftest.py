# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules that run in the process of the test, against the local AWS."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from functools import cache

import botocore.session
import pytest

from localaws.testing import Account, account, local_aws
from tests.unit.module.controller import Controller

__all__ = ["account", "local_aws"]


@pytest.fixture(autouse=True)
def usual_umask() -> Iterator[None]:
    """Files of a test have the modes that they have for most people; a module may set a umask of its own."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture
def controller(account: Account, monkeypatch: pytest.MonkeyPatch) -> Controller:
    made = Controller(account.administrator())
    made.clock.stop(monkeypatch)
    # Each task has a session of its own; reading the descriptions of the services once saves most of its time.
    monkeypatch.setattr(botocore.session, "create_loader", cache(botocore.session.create_loader))
    return made


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again at once where AWS does not answer."""
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
