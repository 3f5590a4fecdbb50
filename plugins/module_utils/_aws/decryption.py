# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decryption in KMS."""

from __future__ import annotations

from typing import Any

from .errors import ask


def decrypt(client: Any, key_id: str, ciphertext: bytes, encryption_algorithm: str) -> bytes:
    """Return the plaintext of *ciphertext* (kms:Decrypt), at most 4,096 bytes."""
    answer = ask(
        client,
        "Decrypt",
        key_id,
        KeyId=key_id,
        CiphertextBlob=ciphertext,
        EncryptionAlgorithm=encryption_algorithm,
    )
    return bytes(answer["Plaintext"])
