# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What AWS KMS refuses: operations that a key's state does not allow."""

from __future__ import annotations

from localaws.keys import CRYPTOGRAPHIC, RefusedError, Request

DISABLED, DELETION, IMPORT = {"Disabled"}, {"PendingDeletion", "PendingReplicaDeletion"}, {"PendingImport"}
REFUSING_STATES = {
    **dict.fromkeys(
        (*CRYPTOGRAPHIC, "CreateGrant", "ReplicateKey", "UpdatePrimaryRegion"), DISABLED | DELETION | IMPORT
    ),
    **dict.fromkeys(("GetPublicKey", "EnableKey", "DisableKey"), DELETION | IMPORT),
    **dict.fromkeys(("CreateAlias", "UpdateAlias", "TagResource", "UntagResource"), DELETION),
    **dict.fromkeys(("UpdateKeyDescription", "ScheduleKeyDeletion"), DELETION),
}
WORDS = {
    "PendingDeletion": "pending deletion",
    "PendingReplicaDeletion": "pending replica deletion",
    "PendingImport": "pending import",
}


def check_state(request: Request) -> None:
    """Refuse what a key in its state does not do (the developer guide's table of key states)."""
    key, operation = request.key, request.operation
    if key is None:
        return
    state, arn = key["KeyState"], key["Arn"]
    if operation == "CancelKeyDeletion" and state not in DELETION:
        raise RefusedError("KMSInvalidStateException", f"{arn} is not pending deletion.")
    if state not in REFUSING_STATES.get(operation, ()):
        return
    if state in DISABLED:
        raise RefusedError("DisabledException", f"{arn} is disabled.")
    raise RefusedError("KMSInvalidStateException", f"{arn} is {WORDS[state]}.")
