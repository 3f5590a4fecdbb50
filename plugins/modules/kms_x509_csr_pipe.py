#!/usr/bin/python
# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make certificate signing requests for keys in AWS KMS, without a file."""

from __future__ import annotations

DOCUMENTATION = r"""
module: kms_x509_csr_pipe
short_description: Make a certificate signing request for a key in AWS KMS, without a file
version_added: 0.1.0
description:
  - Makes a PKCS#10 request for a key in AWS KMS and returns it. What is there already goes in as O(content).
  - A request for what relying parties would refuse, whoever issued it, is refused before anything is signed.
  - Needs C(kms:GetPublicKey) and C(kms:Sign) on O(key_id).
author:
  - rootstock.pki contributors (@rootstock-pki)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - rootstock.pki.attributes
  - rootstock.pki.attributes.action_groups
  - rootstock.pki.aws
  - rootstock.pki.certificate.request
options:
  content:
    description: The request that exists, in PEM. It is returned unchanged where nothing differs.
    type: str
  name:
    description: What the ledger calls the request.
    type: str
    required: true
  key_id:
    description: The key, a KMS key's ID, ARN, alias name or alias ARN.
    type: str
    required: true
  ledger_path:
    description: The ledger that the signature is recorded in.
    type: path
    required: true
  force:
    description: Make the request again even when nothing differs.
    type: bool
    default: false
seealso:
  - module: rootstock.pki.kms_x509_csr
"""

EXAMPLES = r"""
- name: A request is made from the one that a database holds
  rootstock.pki.kms_x509_csr_pipe:
    content: "{{ stored_csr | default(omit) }}"
    name: document-signer
    key_id: alias/pki/acme/document-signer
    ledger_path: pki/requests/ledger.jsonl
    certificate_profile: document_signing
    subject: {common_name: Acme Document Signer}
  register: request
"""

RETURN = r"""
csr:
  description: The request in PEM.
  returned: when there is one
  type: str
ledger_path:
  description: The ledger that the signature is recorded in.
  returned: always
  type: str
reason:
  description: Why a request that exists was made again.
  returned: when it was
  type: str
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
from ansible_collections.rootstock.pki.plugins.module_utils._module.files import octets_of
from ansible_collections.rootstock.pki.plugins.module_utils._module.given import check_given
from ansible_collections.rootstock.pki.plugins.module_utils._module.places import check_places
from ansible_collections.rootstock.pki.plugins.module_utils._operations.make_csr import CsrPorts, make_csr, plan_csr
from ansible_collections.rootstock.pki.plugins.module_utils._pki.certificates import csr_to_pem
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import PkiError

ARGUMENT_SPEC: dict[str, Any] = {
    **AWS_OPTIONS,
    **CSR_OPTIONS,
    "content": {"type": "str"},
    "name": {"type": "str", "required": True},
    "ledger_path": {"type": "path", "required": True},
    "force": {"type": "bool", "default": False},
}


def run(module: AnsibleAWSModule) -> None:
    require_cryptography(module)
    content = module.params["content"]
    check_places(module)
    task = to_csr_task(module.params, "", octets_of(content, "content") if content else None)
    planned = plan_csr(task, KmsPublicKeys(kms_client(module)))

    def apply() -> dict[str, Any]:
        ports = CsrPorts(
            KmsSigner(signing_client(module), task.key_id),
            open_ledger(task.ledger_path, utc_now),
            lambda: caller_arn(aws_client(module, "sts")),
            utc_now,
        )
        made = make_csr(planned, ports)
        return {"csr": csr_to_pem(made.csr).decode(), "sign_calls": made.sign_calls}

    known: dict[str, Any] = {"ledger_path": task.ledger_path}
    if planned.csr is not None:
        known["csr"] = csr_to_pem(planned.csr).decode()
    if planned.plan.reason:
        known["reason"] = planned.plan.reason
    converge(module, planned.plan, apply, known)


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec=ARGUMENT_SPEC,
        supports_check_mode=True,
        mutually_exclusive=[("subject", "subject_ordered")],
    )
    try:
        check_given(module)
        run(module)
    except PkiError as exc:
        module.fail_json(msg=str(exc))


if __name__ == "__main__":
    main()
