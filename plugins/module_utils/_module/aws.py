# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""AWS clients and required libraries, as a module's options say."""

from __future__ import annotations

from importlib.metadata import version
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from ansible.module_utils.basic import missing_required_lib

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

NO_RETRIES = {"total_max_attempts": 1, "mode": "standard"}
RETRIES = {"total_max_attempts": 5, "mode": "standard"}


def kms_client(module: Any) -> Any:
    """Return a KMS client of an AnsibleAWSModule that retries what may be repeated."""
    return aws_client(module, "kms")


def signing_client(module: Any) -> Any:
    """Return a KMS client that asks once, for calls that must not be repeated unseen: Sign and CreateKey."""
    return aws_client(module, "kms", retries=False)


def aws_client(module: Any, service: str, retries: bool = True) -> Any:
    """Return a client of *service*; the user's aws_config holds, except that no retries means none."""
    chosen = module.params.get("aws_config") or {}
    config = {"retries": RETRIES, **chosen} if retries else {**chosen, "retries": NO_RETRIES}
    return module.client(service, aws_config=config)


def require_cryptography(module: AnsibleModule, minimum: str | None = None) -> None:
    """Fail with a sentence unless cryptography, at least of version *minimum*, can be imported."""
    wanted = f"cryptography >= {minimum or '45'}"
    if find_spec("cryptography") is None:
        module.fail_json(msg=missing_required_lib(wanted))
    found = version("cryptography")
    if _release(found) < _release(minimum or "45"):
        module.fail_json(msg=f"this task needs {wanted}; found {found}. Install a newer one")


def _release(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")[:2] if part.isdigit())
