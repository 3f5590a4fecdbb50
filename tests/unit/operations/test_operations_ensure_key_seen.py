# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What KMS was told is waited for until it shows it, whichever of its servers answers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from ansible_collections.rootstock.pki.plugins.module_utils._keys.description import KeyDescription
from ansible_collections.rootstock.pki.plugins.module_utils._operations.ensure_key import TIMES_SEEN, ensure_key
from ansible_collections.rootstock.pki.plugins.module_utils._operations.read_key import read_key
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import KeyStateError
from tests.unit.operations.memory_keys import Keys, MemoryKeyStore
from tests.unit.operations.test_operations_ensure_key import BARE, CREATION, SEEN, WANTED, converge


@dataclass
class LateStore(MemoryKeyStore):
    """Of its servers some answer for a while what was true before a change (eventual consistency)."""

    stale: list[KeyDescription | None] = field(default_factory=list)

    def describe(self, key_id: str) -> KeyDescription | None:
        found = super().describe(key_id)
        changed = set(self.calls) & {"create_alias", "move_alias", "cancel_deletion"}
        return self.stale.pop(0) if changed and self.stale else found


def late(account: Keys, *stale: KeyDescription | None) -> LateStore:
    """Return the store of *account* that answers *stale* first, once something was changed."""
    store = LateStore(account)
    store.stale = list(stale)
    return store


def test_a_new_key_is_handed_over_when_its_alias_was_seen_several_times_in_a_row() -> None:
    account = Keys()
    converge(MemoryKeyStore(account), replace(BARE, alias="alias/two"))
    former = MemoryKeyStore(account).describe("alias/two")
    store = late(account, None, former, None)
    waits: list[float] = []
    ensure_key(store, WANTED, read_key(store, WANTED), None, waits.append)
    assert (store.calls, waits) == ([*CREATION, *SEEN], [0.2])
    assert store.stale == []


def test_a_new_alias_that_is_never_seen_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(
        KeyStateError, match=r"alias/pki/root: it was given to .*key-1, and DescribeKey does not .* run"
    ):
        converge(late(Keys(), *[None] * 100))


def test_a_moved_alias_is_handed_over_when_it_no_longer_names_the_former_key() -> None:
    account = Keys()
    converge(MemoryKeyStore(account), replace(BARE, alias="alias/two"))
    converge(MemoryKeyStore(account), BARE)
    former = MemoryKeyStore(account).describe("alias/two")
    store = late(account, *[former] * 4)
    desired = replace(BARE, aliases=("alias/two",), move_alias=True)
    waits: list[float] = []
    ensure_key(store, desired, read_key(store, desired), None, waits.append)
    assert waits == [0.2, 0.5]
    assert store.calls[-1 - 3 * TIMES_SEEN :] == ["move_alias", *SEEN * 3]


def test_a_key_whose_deletion_was_cancelled_is_changed_when_that_is_seen() -> None:
    account = Keys()
    converge(MemoryKeyStore(account))
    MemoryKeyStore(account).schedule_deletion("key-1", 7)
    store = late(account, MemoryKeyStore(account).describe("key-1"))
    desired = replace(BARE, cancel_deletion=True, enabled=True)
    waits: list[float] = []
    ensure_key(store, desired, read_key(store, desired), None, waits.append)
    assert (store.calls, waits) == (["describe", "cancel_deletion", *SEEN * 2, "enable"], [0.2])


def test_a_key_of_our_own_making_is_not_read_before_it_gets_more_names() -> None:
    store = MemoryKeyStore(Keys())
    converge(store, replace(BARE, aliases=("alias/two",)))
    assert store.calls == [
        *("describe", "describe", "find_by_tag", "create for alias/pki/root", "create_alias", *SEEN),
        *("describe", "create_alias", *SEEN),
    ]
