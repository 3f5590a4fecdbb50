# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is laid over ministack, and in which order a request to KMS is checked."""

from __future__ import annotations

from localaws import keys, refusals, signatures

CHECKS = (
    keys.check_model,
    keys.check_key,
    signatures.check_spec,
    signatures.check_usage,
    refusals.check_state,
    signatures.check_message,
    signatures.check_dry_run,
)


def install() -> None:
    """Extend ministack, before it serves."""
    signatures.install()
    keys.install(CHECKS, signatures.HANDLERS)
