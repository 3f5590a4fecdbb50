# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looking at keys without changing anything."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from .._keys.names import ALIAS_TAG, AWS_ALIASES
from .._keys.report import FoundKey, KeyReport, Selection, id_of
from .._pki.errors import AwsError
from .key_store import KeyStore

T = TypeVar("T")


def find_keys(store: KeyStore, selection: Selection) -> list[FoundKey]:
    """Return the keys that are meant, and those that were made for such a name and do not have it, oldest first.

    Keys that may not be described come last.

    Raises:
        AwsError: the one key that is asked about may not be described.
    """
    named = store.describe(selection.key_id) if selection.key_id else None
    found = [FoundKey(named.arn, named)] if named else []
    listed = {id_of(name): name for name in _listed(store, selection)}
    found += [key for name in listed.values() if not (named and name == named.arn) and (key := _found(store, name))]
    return sorted((key for key in found if _is_own(key)), key=_age)


def report_key(store: KeyStore, key: FoundKey) -> KeyReport:
    """Return everything that may be read of a key."""
    unreadable = {"description": key.refusal} if key.refusal else {}
    return KeyReport(
        key,
        _read(unreadable, "aliases", lambda: tuple(sorted(store.aliases(key.key_id)))),
        _read(unreadable, "tags", lambda: store.tags(key.key_id)),
        _read(unreadable, "policy", lambda: store.policy(key.key_id)),
        _read(unreadable, "last_use", lambda: store.last_use(key.key_id)),
        unreadable,
    )


def _listed(store: KeyStore, selection: Selection) -> list[str]:
    """Return the IDs of keys that have such a name, then the ARNs of keys that have such tags."""
    if selection.tags:
        each = [store.find_by_tag(name, value).keys() for name, value in selection.tags.items()]
        return list(set.intersection(*map(set, each)))
    if selection.prefix:
        named = [
            key
            for alias, key in store.all_aliases().items()
            if alias.startswith(selection.prefix) and not alias.startswith(AWS_ALIASES)
        ]
        made = store.find_by_tag(ALIAS_TAG, None)
        return [*named, *(arn for arn, tags in made.items() if tags[ALIAS_TAG].startswith(selection.prefix))]
    return list(store.find_by_tag(ALIAS_TAG, selection.key_id)) if selection.key_id.startswith("alias/") else []


def _found(store: KeyStore, name: str) -> FoundKey | None:
    refused: dict[str, str] = {}
    described = _read(refused, name, lambda: store.describe(name))
    if described is None and not refused:
        return None
    return FoundKey(described.arn if described else name, described, refused.get(name, ""))


def _is_own(key: FoundKey) -> bool:
    return key.description is None or key.description.manager == "CUSTOMER"


def _age(key: FoundKey) -> tuple[bool, str, str]:
    created = key.description.created if key.description else ""
    return (not created, created, key.key_id)


def _read(unreadable: dict[str, str], facet: str, read: Callable[[], T]) -> T | None:
    try:
        return read()
    except AwsError as exc:
        unreadable[facet] = str(exc)
        return None
