# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task that signs files asks of a key besides its signature."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .._keys.names import USE_TAG
from .._pki.errors import AwsError, KeyStateError, NoKeyError
from .errors import DENIED, ask, code_of
from .kms import PublicKeyReply, describe_key, find_public_key, list_resource_tags

LONGEST_SIGNATURE = 6144
"""Octets that kms:Verify takes."""


@dataclass(frozen=True)
class KmsSigningKeys:
    """Keys of one account and region, for somebody who may be allowed to do little with them."""

    client: Any

    def public_key(self, key_id: str) -> PublicKeyReply | None:
        """Return the public key (kms:GetPublicKey); empty where that is not allowed, None where there is no key."""
        try:
            return find_public_key(self.client, key_id)
        except AwsError as exc:
            if exc.code in DENIED:
                return PublicKeyReply(b"", "", "", "", ())
            raise

    def verify(self, key_id: str, message: bytes, message_type: str, signature: bytes, signing_algorithm: str) -> bool:
        """Ask KMS whether a signature is right (kms:Verify)."""
        if not 0 < len(signature) <= LONGEST_SIGNATURE:
            return False
        try:
            ask(
                self.client,
                "Verify",
                key_id,
                KeyId=key_id,
                Message=message,
                MessageType=message_type,
                Signature=signature,
                SigningAlgorithm=signing_algorithm,
            )
        except AwsError as exc:
            if exc.code == "KMSInvalidSignatureException":
                return False
            raise
        return True

    def use_of(self, key_id: str) -> str | None:
        """Return the use that the key is tagged for (kms:ListResourceTags; kms:DescribeKey where it is named by alias).

        Empty where it has no such tag, None where its tags may not be read.

        Raises:
            NoKeyError: there is no such key.
        """
        try:
            return list_resource_tags(self.client, self._name_without_alias(key_id)).get(USE_TAG, "")
        except AwsError as exc:
            if exc.code in DENIED:
                return None
            raise
        except KeyStateError as exc:
            if code_of(exc) == "NotFoundException":
                raise NoKeyError(key_id) from exc
            raise

    def _name_without_alias(self, key_id: str) -> str:
        if "alias/" not in key_id:
            return key_id
        found = describe_key(self.client, key_id)
        if found is None:
            raise NoKeyError(key_id)
        return found.arn


@dataclass(frozen=True)
class LateSigningKeys:
    """Keys that may not be asked for at all: the client is made when the first one is."""

    make_client: Callable[[], Any]

    @cached_property
    def _keys(self) -> KmsSigningKeys:
        return KmsSigningKeys(self.make_client())

    def public_key(self, key_id: str) -> PublicKeyReply | None:
        """See KmsSigningKeys."""
        return self._keys.public_key(key_id)

    def use_of(self, key_id: str) -> str | None:
        """See KmsSigningKeys."""
        return self._keys.use_of(key_id)
