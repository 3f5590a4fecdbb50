# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looking at keys without changing anything."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar

from .._keys.description import KeyDescription
from .._keys.names import ALIAS_TAG
from .._keys.report import KeyReport, Selection
from .._pki.errors import AwsError
from .key_store import KeyStore

T = TypeVar("T")


def find_keys(store: KeyStore, selection: Selection) -> list[KeyDescription]:
    """Return the keys that are meant, and those that were made for such a name and do not have it, oldest first."""
    found = {key.arn: key for key in _described(store, _candidates(store, selection))}
    return sorted(found.values(), key=lambda key: (key.created, key.key_id))


def report_key(store: KeyStore, key: KeyDescription) -> KeyReport:
    """Return everything that may be read of a key."""
    unreadable: dict[str, str] = {}
    return KeyReport(
        key,
        _read(unreadable, "aliases", lambda: tuple(sorted(store.aliases(key.key_id)))),
        _read(unreadable, "tags", lambda: store.tags(key.key_id)),
        _read(unreadable, "policy", lambda: store.policy(key.key_id)),
        _read(unreadable, "last_use", lambda: store.last_use(key.key_id)),
        unreadable,
    )


def _candidates(store: KeyStore, selection: Selection) -> list[str]:
    if selection.tags:
        each = [set(store.find_by_tag(name, value)) for name, value in selection.tags.items()]
        return list(set.intersection(*each))
    if selection.prefix:
        named = [key for alias, key in store.all_aliases().items() if alias.startswith(selection.prefix)]
        return [*named, *_made_for(store, selection.prefix)]
    made = store.find_by_tag(ALIAS_TAG, selection.key_id) if selection.key_id.startswith("alias/") else []
    return [selection.key_id, *made]


def _made_for(store: KeyStore, prefix: str) -> list[str]:
    """Return the keys that were made for a name that begins so; keys whose tags may not be read are those of others."""
    tagged = {arn: _read({}, "tags", partial(store.tags, arn)) or {} for arn in store.find_by_tag(ALIAS_TAG, None)}
    return [arn for arn, tags in tagged.items() if tags.get(ALIAS_TAG, "").startswith(prefix)]


def _described(store: KeyStore, names: Iterable[str]) -> list[KeyDescription]:
    found = (store.describe(name) for name in dict.fromkeys(names))
    return [key for key in found if key and key.manager == "CUSTOMER"]


def _read(unreadable: dict[str, str], facet: str, read: Callable[[], T]) -> T | None:
    try:
        return read()
    except AwsError as exc:
        unreadable[facet] = str(exc)
        return None
