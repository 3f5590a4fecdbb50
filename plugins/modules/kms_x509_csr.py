#!/usr/bin/python
# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make certificate signing requests for keys in AWS KMS."""

from __future__ import annotations

DOCUMENTATION = r"""
module: kms_x509_csr
short_description: Make a certificate signing request for a key in AWS KMS
version_added: 0.1.0
description:
  - Makes a PKCS#10 request for a key in AWS KMS, to be signed by somebody else, such as a root that is not yours.
  - The request is made again when a field of it differs from the task. Otherwise nothing is signed.
  - A request for what relying parties would refuse, whoever issued it, is refused before anything is signed.
  - Needs C(kms:GetPublicKey) and C(kms:Sign) on O(key_id).
author:
  - rootstock.pki contributors (@rootstock-pki)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - ansible.builtin.files
  - rootstock.pki.attributes
  - rootstock.pki.attributes.action_groups
  - rootstock.pki.aws
  - rootstock.pki.attributes.files
  - rootstock.pki.certificate.request
options:
  path:
    description: Where the request is kept, in PEM.
    type: path
    required: true
  name:
    description: What the ledger calls the request. The default is the file name of O(path) without its ending.
    type: str
  key_id:
    description:
      - The key, a KMS key's ID, ARN, alias name or alias ARN.
      - While it is disabled, the key of the request that is there counts as the key.
    type: str
    required: true
  ledger_path:
    description: The ledger that the signature is recorded in. The default is C(ledger.jsonl) beside O(path).
    type: path
  force:
    description: Make the request again even when nothing differs.
    type: bool
    default: false
  backup:
    description: Keep a copy of the file that is replaced, with the time in its name.
    type: bool
    default: false
  return_content:
    description: Return the request as RV(csr).
    type: bool
    default: false
seealso:
  - module: rootstock.pki.kms_x509_csr_pipe
  - module: rootstock.pki.kms_x509_cert
"""

EXAMPLES = r"""
- name: The authority has a request for the corporate root to sign
  rootstock.pki.kms_x509_csr:
    path: pki/services/ca.csr
    name: services
    key_id: alias/pki/acme/services
    certificate_profile: subordinate_ca
    subject: {organization_name: Acme, common_name: Acme Services S1}
    path_length: 0
"""

RETURN = r"""
path:
  description: Where the request is.
  returned: always
  type: str
ledger_path:
  description: The ledger that the signature is recorded in.
  returned: always
  type: str
csr:
  description: The request in PEM.
  returned: when there is one and O(return_content=true)
  type: str
reason:
  description: Why a request that exists was made again.
  returned: when it was
  type: str
backup_files:
  description: Copies of the files that were replaced.
  returned: when O(backup=true) and the file was replaced
  type: list
  elements: str
sign_calls:
  description: How often kms:Sign was asked.
  returned: always
  type: int
pending:
  description: What must exist before the request can be made.
  returned: in check mode, when something is missing
  type: list
  elements: str
"""

from dataclasses import replace
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.rootstock.pki.plugins.module_utils._aws.clients import aws_client, kms_client, signing_client
from ansible_collections.rootstock.pki.plugins.module_utils._aws.kms import KmsPublicKeys, KmsSigner
from ansible_collections.rootstock.pki.plugins.module_utils._aws.sts import caller_arn
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.opening import open_ledger
from ansible_collections.rootstock.pki.plugins.module_utils._module.aws import AWS_OPTIONS, require_cryptography
from ansible_collections.rootstock.pki.plugins.module_utils._module.certificate_options import CSR_OPTIONS
from ansible_collections.rootstock.pki.plugins.module_utils._module.certificates import to_csr_task
from ansible_collections.rootstock.pki.plugins.module_utils._module.converge import converge, utc_now
from ansible_collections.rootstock.pki.plugins.module_utils._module.files import (
    KeptFile,
    file_changes,
    read_if_there,
    write_files,
)
from ansible_collections.rootstock.pki.plugins.module_utils._module.given import check_given
from ansible_collections.rootstock.pki.plugins.module_utils._module.places import check_places
from ansible_collections.rootstock.pki.plugins.module_utils._operations.make_csr import CsrPorts, make_csr, plan_csr
from ansible_collections.rootstock.pki.plugins.module_utils._pki.certificates import csr_to_pem
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import PkiError

ARGUMENT_SPEC: dict[str, Any] = {
    **AWS_OPTIONS,
    **CSR_OPTIONS,
    "path": {"type": "path", "required": True},
    "force": {"type": "bool", "default": False},
    "backup": {"type": "bool", "default": False},
    "return_content": {"type": "bool", "default": False},
}


def run(module: AnsibleAWSModule) -> None:
    require_cryptography(module)
    params = module.params
    check_places(module, ["path"], beside={"ledger_path": params["path"]})
    task = to_csr_task(params, params["path"], read_if_there(params["path"]))
    planned = plan_csr(task, KmsPublicKeys(kms_client(module)))

    def told(csr: Any) -> dict[str, Any]:
        return {"csr": csr_to_pem(csr).decode()} if params["return_content"] else {}

    def apply() -> dict[str, Any]:
        ports = CsrPorts(
            KmsSigner(signing_client(module), task.key_id),
            open_ledger(task.ledger_path, utc_now),
            lambda: caller_arn(aws_client(module, "sts")),
            utc_now,
        )
        made = make_csr(planned, ports)
        file = KeptFile(task.path, csr_to_pem(made.csr), "path")
        return {
            **told(made.csr),
            **write_files(module, [file], backup=params["backup"]),
            "sign_calls": made.sign_calls,
        }

    known: dict[str, Any] = {"path": task.path, "ledger_path": task.ledger_path}
    if planned.csr is not None:
        known |= told(planned.csr)
    if planned.plan.reason:
        known["reason"] = planned.plan.reason
    file = KeptFile(task.path, None if planned.csr is None else csr_to_pem(planned.csr), "path")
    plan = replace(planned.plan, changes=(*planned.plan.changes, *file_changes([file])))
    converge(module, plan, apply, known, [task.path])


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec=ARGUMENT_SPEC,
        supports_check_mode=True,
        add_file_common_args=True,
        mutually_exclusive=[("subject", "subject_ordered")],
    )
    try:
        check_given(module)
        run(module)
    except PkiError as exc:
        module.fail_json(msg=str(exc))


if __name__ == "__main__":
    main()
