# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The local AWS that these tests try."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from localaws.server import Server
from localaws.testing import Account, Principal, account, local_aws, new_account, new_key

__all__ = ["account", "local_aws"]


@pytest.fixture
def admin(account: Account) -> Principal:
    """A role that IAM allows everything, in the account of the test's own."""
    return account.administrator()


@pytest.fixture(scope="module")
def shared_account(local_aws: Server) -> Account:
    """An account for all tests of a file that do not mind each other."""
    return new_account(local_aws)


@pytest.fixture(scope="module")
def kms(shared_account: Account) -> Any:
    """KMS as a role that IAM allows everything, in the shared account."""
    return shared_account.administrator().client("kms")


@pytest.fixture(scope="module")
def shared_key(kms: Any) -> Callable[[str], str]:
    """A signing key of a spec, for tests that only use it."""
    return cache(lambda spec: new_key(kms, spec))
