# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One piece of signing: record, ask, ask again if need be, verify, only then hand over."""

from __future__ import annotations

import hashlib
import random
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .._pki.errors import AwsError, SignerError
from .verify import Hasher, message_verifies, require_verifiable

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.utils import Buffer

    from .algorithms import AlgorithmRow, PublicKey
    from .ports import MessageSigner, Recorder, SignReply

ATTEMPTS = 5
"""How often one signature is asked for at most."""

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 5.0


@dataclass
class SigningSession:
    """Asks one key in KMS for signatures, and remembers what came of it.

    Args:
        signer: the key, asked once per call.
        recorder: writes every attempt down before KMS is asked.
        public_key: of the same key. None only for bare signatures whose signer may not read it: they are not verified.
        sleep: waits between attempts.
        jitter: a number from 0 up to 1, so that many hosts do not ask again at the same moment.
    Attributes:
        replies: the verified signatures, in order.
        calls: how often kms:Sign was asked, whatever the answer.
    """

    signer: MessageSigner
    recorder: Recorder
    public_key: PublicKey | None
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random
    replies: list[SignReply] = field(default_factory=list)
    calls: int = 0

    def sign_content(self, data: Buffer, row: AlgorithmRow, message_type: str = "") -> bytes:
        """Return the verified signature over the whole of *data*, which is hashed here."""
        hasher = Hasher(row, message_type, self.public_key)
        hasher.update(data)
        return self.sign_message(hasher.finish(), row, hasher.message_type, hashlib.sha256(data).hexdigest())

    def sign_message(self, message: bytes, row: AlgorithmRow, message_type: str, content_sha256: str) -> bytes:
        """Return the verified signature over what `Hasher` made of some content.

        Args:
            content_sha256: lower-case hex, of the content itself, for the record.
        Raises:
            SignerError: what came back is not the key's signature over this message.
            AwsError: KMS refused, or did not answer in ATTEMPTS attempts.
        """
        require_verifiable(row)
        reply = self._ask(message, row, message_type, content_sha256)
        if self.public_key and not message_verifies(self.public_key, reply.signature, message, row, message_type):
            raise SignerError(
                f"{reply.key_arn}: the signature that came back (request {reply.request_id}) is not a {row.name}"
                " signature of what was sent under the expected public key; it was thrown away."
                " Check that certificate, public_key_path and key_id name the same key"
            )
        self.replies.append(reply)
        return reply.signature

    def _ask(self, message: bytes, row: AlgorithmRow, message_type: str, content_sha256: str) -> SignReply:
        for attempt in range(1, ATTEMPTS + 1):
            self.recorder.attempt(content_sha256)
            self.calls += 1
            try:
                return self.signer.sign(message, message_type, row.name)
            except AwsError as exc:
                if not exc.retryable:
                    raise
                last = exc
            if attempt < ATTEMPTS:
                self.sleep(self._pause(attempt))
        told = f"{last}; asked {ATTEMPTS} times, give it some time and run again"
        raise AwsError(told, operation=last.operation, code=last.code, retryable=True) from last

    def _pause(self, attempt: int) -> float:
        """Return seconds: doubled each time, and between half and whole of that by chance."""
        longest: float = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (attempt - 1))
        return longest * (0.5 + 0.5 * self.jitter())
