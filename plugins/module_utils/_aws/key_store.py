# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The keys of one account and region, as the operations see them."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from .._keys.description import KeyDescription, LastUse
from .._keys.desired import NewKey
from .._pki.errors import PkiError
from . import kms, sts
from .clients import aws_client, kms_client, signing_client
from .errors import code_of
from .tagging import find_by_tag

T = TypeVar("T")
DELAYS = (0.5, 1.0, 2.0, 4.0, 8.0)
THROTTLED = "ThrottlingException"
UNSEEN = "NotFoundException"
WAITS = {
    THROTTLED: (*DELAYS, 8.0, 8.0, 8.0),
    "InvalidPrincipals": (*DELAYS, *(8.0,) * 8),
    "KMSInvalidStateException": DELAYS,
    UNSEEN: DELAYS,
}
"""Seconds until the next attempts, by what AWS answers.

What was just written in KMS is not seen everywhere at once, nor is a key that was just made, and a principal that was
just made for up to a minute.
Where AWS asks for fewer calls (CreateKey, CreateAlias, UpdateAlias: 5 a second, PutKeyPolicy: 15) the seconds are those
on average, enough for 50 runs that begin at once: each waits a while of its own, or all would come again together.
"""


@dataclass(frozen=True)
class KmsKeyStore:
    """Fits the operations' KeyStore by shape.

    Args:
        client: KMS, with botocore's retries.
        single_client: makes a KMS client without retries; asked for only when a key is made.
        tagging_client: makes a client of the tagging API; asked for only when orphans are looked for.
        sts_client: makes a client of STS; asked for only when the account of a new key matters.
        spread: gives numbers from 0 to 1, by which runs that were throttled together part.
    """

    client: Any
    single_client: Callable[[], Any]
    tagging_client: Callable[[], Any]
    sts_client: Callable[[], Any]
    sleep: Callable[[float], None] = time.sleep
    spread: Callable[[], float] = random.random

    def describe(self, key_id: str) -> KeyDescription | None:
        """Return what *key_id* is, or None where there is no such key."""
        return kms.describe_key(self.client, key_id)

    def create(self, new: NewKey, about: str) -> KeyDescription:
        """Make one key; asked again only where KMS said that it made none."""
        client = self.single_client()
        return self._patiently(lambda: kms.create_key(client, new, about), "InvalidPrincipals")

    def create_alias(self, alias: str, key_id: str) -> bool:
        """Give *alias* to a key; False where the alias exists already."""
        return self._patiently(lambda: kms.create_alias(self.client, alias, key_id))

    def move_alias(self, alias: str, key_id: str) -> None:
        """Take *alias* from the key that has it and give it to another."""
        self._patiently(lambda: kms.update_alias(self.client, alias, key_id))

    def aliases(self, key_id: str) -> list[str]:
        """Return the aliases of a key."""
        return kms.list_aliases(self.client, key_id)

    def has_grants(self, key_id: str) -> bool:
        """Return whether the key has grants."""
        return kms.has_grants(self.client, key_id)

    def last_use(self, key_id: str) -> LastUse:
        """Return when the key was last used."""
        return kms.last_use(self.client, key_id)

    def all_aliases(self) -> dict[str, str]:
        """Return all aliases of the account and region that name a key, with the IDs of their keys."""
        return kms.all_aliases(self.client)

    def find_by_tag(self, name: str, value: str | None) -> dict[str, dict[str, str]]:
        """Return the keys that carry a tag, with any value for None: all of their tags by their ARNs."""
        return find_by_tag(self.tagging_client(), self.client, name, value)

    def tags(self, key_id: str) -> dict[str, str]:
        """Return all tags of a key."""
        return kms.list_resource_tags(self.client, key_id)

    def set_tags(self, key_id: str, tags: Mapping[str, str]) -> None:
        """Set *tags*, leaving others as they are."""
        self._patiently(lambda: kms.tag_resource(self.client, key_id, tags))

    def remove_tags(self, key_id: str, names: Sequence[str]) -> None:
        """Remove the tags called *names*."""
        self._patiently(lambda: kms.untag_resource(self.client, key_id, names))

    def policy(self, key_id: str) -> dict[str, Any]:
        """Return the key policy."""
        return kms.get_key_policy(self.client, key_id)

    def put_policy(self, key_id: str, policy: Mapping[str, Any], bypass_lockout_check: bool) -> None:
        """Replace the key policy; asked again while KMS does not see a principal that may be new."""
        self._patiently(
            lambda: kms.put_key_policy(self.client, key_id, policy, bypass_lockout_check), "InvalidPrincipals"
        )

    def set_description(self, key_id: str, description: str) -> None:
        """Set the description."""
        self._patiently(lambda: kms.update_key_description(self.client, key_id, description))

    def enable(self, key_id: str) -> None:
        """Let the key be used; asked again while KMS has not yet seen that its deletion was cancelled."""
        self._patiently(lambda: kms.enable_key(self.client, key_id), "KMSInvalidStateException")

    def disable(self, key_id: str) -> None:
        """Let nobody use the key."""
        self._patiently(lambda: kms.disable_key(self.client, key_id))

    def cancel_deletion(self, key_id: str) -> None:
        """Keep a key that is pending deletion; it is disabled then."""
        self._patiently(lambda: kms.cancel_key_deletion(self.client, key_id))

    def account_root(self) -> str:
        """Return the ARN of the root of the account."""
        return sts.account_root(self.sts_client())

    def public_key(self, key_id: str) -> bytes:
        """Return the SubjectPublicKeyInfo of the key in DER."""
        return kms.get_public_key(self.client, key_id).der

    def schedule_deletion(self, key_id: str, days: int) -> str:
        """Have the key deleted after *days* and return when that is."""
        return self._patiently(lambda: kms.schedule_key_deletion(self.client, key_id, days))

    def _patiently(self, call: Callable[[], T], *codes: str) -> T:
        """Ask again after a while where AWS answers with one of *codes*, has no time, or does not see the key yet."""
        waits = {code: iter(WAITS[code]) for code in (THROTTLED, UNSEEN, *codes)}
        while True:
            try:
                return call()
            except PkiError as exc:
                code = code_of(exc)
                seconds = next(waits.get(code, iter(())), None)
                if seconds is None:
                    raise
            self.sleep(seconds * (0.5 + self.spread()) if code == THROTTLED else seconds)


def open_key_store(module: Any) -> KmsKeyStore:
    """Return the keys of the account that an AnsibleAWSModule's options lead to."""
    return KmsKeyStore(
        kms_client(module),
        partial(signing_client, module),
        partial(aws_client, module, "resourcegroupstaggingapi"),
        partial(aws_client, module, "sts"),
    )
