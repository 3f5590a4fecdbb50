# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lists come in pages, as a client must expect."""

from __future__ import annotations

from typing import Any

import pytest

from localaws.testing import Account, new_key


@pytest.fixture
def kms(account: Account) -> Any:
    return account.administrator().client("kms")


def test_aliases_come_in_pages_of_50_and_by_key(kms: Any) -> None:
    first, second = new_key(kms), new_key(kms)
    for number in range(50):
        kms.create_alias(AliasName=f"alias/{number}", TargetKeyId=first)
    kms.create_alias(AliasName="alias/other", TargetKeyId=second)
    page = kms.list_aliases()
    assert (len(page["Aliases"]), page["Truncated"]) == (50, True)
    rest = kms.list_aliases(Marker=page["NextMarker"])
    assert (len(rest["Aliases"]), rest["Truncated"], "NextMarker" in rest) == (2, False, False)
    assert [alias["AliasName"] for alias in kms.list_aliases(KeyId=second)["Aliases"]] == ["alias/other"]
    pages = kms.get_paginator("list_aliases").paginate(PaginationConfig={"PageSize": 7})
    assert len({alias["AliasName"] for page in pages for alias in page["Aliases"]}) == 52


def test_an_alias_of_awss_own_may_stand_for_no_key(kms: Any) -> None:
    [own] = kms.list_aliases()["Aliases"]
    assert own["AliasName"].startswith("alias/aws/")
    assert "TargetKeyId" not in own


def test_keys_come_in_pages_of_100(kms: Any) -> None:
    for _unused in range(101):
        kms.create_key()
    page = kms.list_keys()
    assert (len(page["Keys"]), page["Truncated"]) == (100, True)
    found = [key["KeyArn"] for page in kms.get_paginator("list_keys").paginate() for key in page["Keys"]]
    assert len(set(found)) == len(found) == 101
    assert len(kms.list_keys(Limit=1000)["Keys"]) == 101
