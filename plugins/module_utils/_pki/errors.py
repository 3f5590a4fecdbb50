# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can go wrong, told to the user in one sentence: the object, what was found, what was expected, the way out."""

from __future__ import annotations


class PkiError(Exception):
    """Root of every error that a module turns into fail_json."""


class SpecError(PkiError):
    """The task asks for something impossible or contradictory."""


class IssuerError(PkiError):
    """The issuer cannot or must not issue what was asked."""


class SignerError(PkiError):
    """No valid signature could be had."""


class LedgerError(PkiError):
    """The record of what was issued is damaged, foreign or in use."""


class KeyStateError(PkiError):
    """A KMS key or alias is not in the state that the task needs."""


class NoKeyError(KeyStateError):
    """There is no such key in KMS."""

    def __init__(self, key_id: str) -> None:
        super().__init__(f"the KMS key {key_id} does not exist yet; create it with kms_key")


class DisabledKeyError(KeyStateError):
    """The KMS key is disabled, and the call needs one that is not."""


class AwsError(PkiError):
    """AWS refused a call or could not be reached.

    Attributes:
        operation: name of the API operation, such as Sign.
        code: AWS error code, or the botocore exception's name where no answer came.
        retryable: True where the same call may succeed a moment later.
        unsure: True where AWS may have done the work all the same.
    """

    def __init__(
        self, message: str, *, operation: str, code: str, retryable: bool = False, unsure: bool | None = None
    ) -> None:
        super().__init__(message)
        self.operation = operation
        self.code = code
        self.retryable = retryable
        self.unsure = retryable if unsure is None else unsure
