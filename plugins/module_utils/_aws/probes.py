# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Trying what somebody may do with a key, as that somebody and without changing anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._keys.access_probes import ALLOWED, DENIED, DRY_RUN, UNTESTED, Verdict
from .._pki.errors import PkiError
from . import errors
from .errors import action_of, ask, code_of

WOULD_SUCCEED = "DryRunOperationException"
JUDGED = ("KMSInvalidSignatureException", "KMSInvalidMacException")
"""What kms:Verify and kms:VerifyMac may say to something made up, only to those who may verify."""


@dataclass(frozen=True)
class KmsProber:
    """Somebody who tries; give it a client with the credentials of the role."""

    client: Any

    def attempt(self, how: str, action: str, key_arn: str, params: Mapping[str, Any]) -> Verdict:
        """Return whether *action* is allowed, tried by DRY_RUN or CALL."""
        attempt = dry_run if how == DRY_RUN else call
        return attempt(self.client, action.partition(":")[2], key_arn, params)


def dry_run(client: Any, operation: str, key_arn: str, params: Mapping[str, Any]) -> Verdict:
    """Ask AWS whether it would do *operation*, and have it not done."""
    try:
        ask(client, operation, key_arn, KeyId=key_arn, DryRun=True, **params)
    except PkiError as exc:
        if code_of(exc) in (WOULD_SUCCEED, *JUDGED):
            return Verdict(ALLOWED)
        return _refused(exc)
    return Verdict(UNTESTED, f"{action_of(client, operation)} on {key_arn} was answered though it was a dry run")


def call(client: Any, operation: str, key_arn: str, params: Mapping[str, Any]) -> Verdict:
    """Do *operation*, which only reads."""
    try:
        ask(client, operation, key_arn, KeyId=key_arn, **params)
    except PkiError as exc:
        return _refused(exc)
    return Verdict(ALLOWED)


def _refused(exc: PkiError) -> Verdict:
    return Verdict(DENIED if code_of(exc) in errors.DENIED else UNTESTED, str(exc))
