# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is laid over ministack, and in which order a request to KMS is checked."""

from __future__ import annotations

from localaws import documents, grants, keys, listings, policies, records, refusals, signatures, simulator

CHECKS = (  # the signature, the model and the permissions come before, in policies.py
    keys.check_key,
    signatures.check_spec,
    signatures.check_usage,
    refusals.check_state,
    refusals.check_kind,
    signatures.check_message,
    refusals.check_alias,
    refusals.check_tags,
    grants.check_grant,
    documents.check_document,
    policies.check_lockout,
    signatures.check_dry_run,
)


def install() -> None:
    """Extend ministack, before it serves."""
    signatures.install()
    policies.install()
    records.install()
    simulator.install()
    handlers = {**signatures.HANDLERS, **listings.HANDLERS, **records.HANDLERS}
    amendments = (documents.AMENDMENTS, grants.AMENDMENTS, refusals.AMENDMENTS)
    keys.install(CHECKS, handlers, amendments)
