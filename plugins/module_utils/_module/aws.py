# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options that modules of AWS share, and required libraries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ansible.module_utils.basic import missing_required_lib

from .._pki.library import LEAST, too_old

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

# What every module has that talks to AWS, beyond the options of amazon.aws; twin of doc_fragments/aws.py.
AWS_OPTIONS: dict[str, Any] = {
    "assume_role": {
        "type": "dict",
        "options": {
            "role_arn": {"type": "str", "required": True},
            "session_name": {"type": "str", "default": "rootstock"},
            "external_id": {"type": "str"},
            "duration": {"type": "int", "default": 900},
        },
    },
}


def require_cryptography(module: AnsibleModule, minimum: str = LEAST) -> None:
    """Fail with a sentence unless cryptography, at least of version *minimum*, can be imported."""
    wanted, found = f"cryptography >= {minimum}", too_old(minimum)
    if found is not None:
        old = f"this task needs {wanted}; found {found}. Install a newer one"
        module.fail_json(msg=old if found else missing_required_lib(wanted))
