#!/usr/bin/python
# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Issue X.509 certificates whose issuer's private key is in AWS KMS, without files of their own."""

from __future__ import annotations

DOCUMENTATION = r"""
module: kms_x509_cert_pipe
short_description: Issue X.509 certificates with an issuer key in AWS KMS, without a file
version_added: 0.1.0
description:
  - Issues a certificate as M(rootstock.pki.kms_x509_cert) does and returns it. What is there already goes in as
    O(content).
  - The ledger keeps its copy. Where O(content) is not the certificate that the ledger calls current, that one is
    returned.
author:
  - rootstock.pki contributors (@rootstock-pki)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - rootstock.pki.attributes
  - rootstock.pki.attributes.action_groups
  - rootstock.pki.aws
  - rootstock.pki.certificate
  - rootstock.pki.certificate.request
  - rootstock.pki.certificate.issuer
  - rootstock.pki.certificate.subject_key
options:
  content:
    description: The certificate that exists, in PEM.
    type: str
  name:
    description: What the ledger calls the certificate. One name has one current certificate.
    type: str
    required: true
  force:
    description: Issue again even when nothing differs.
    type: bool
    default: false
seealso:
  - module: rootstock.pki.kms_x509_cert
"""

EXAMPLES = r"""
- name: A TLS client has a certificate
  rootstock.pki.kms_x509_cert_pipe:
    content: "{{ stored_certificate | default(omit) }}"
    name: client
    certificate_profile: tls_client
    public_key_content: "{{ client_public_key }}"
    subject: {common_name: client}
    issuer_path: pki/services/ca.pem
    issuer_key_id: alias/pki/acme/services
  register: client
"""

RETURN = r"""
certificate:
  description: The certificate in PEM.
  returned: when there is one
  type: str
chain:
  description: The issuer and the authorities above it in PEM, nearest first, without the root.
  returned: when there is a certificate
  type: str
ledger_path:
  description: The ledger that knows the certificate.
  returned: always
  type: str
serial_number:
  description: Serial number of the current certificate.
  returned: when there is one
  type: int
serial_number_hex:
  description: The same in upper-case hexadecimal digits, as files are named.
  returned: when there is one
  type: str
not_before:
  description: Start of validity, as C(YYYYMMDDHHMMSSZ).
  returned: when there is one
  type: str
not_after:
  description: End of validity, as C(YYYYMMDDHHMMSSZ).
  returned: when there is one
  type: str
issued_path:
  description: The copy of the certificate beside the ledger.
  returned: when there is one
  type: str
reason:
  description: Why a certificate that exists was issued again.
  returned: when it was
  type: str
ignored_csr_extensions:
  description: Extensions that the CSR asks for and the profile does not copy.
  returned: with O(csr_path) or O(csr_content)
  type: list
  elements: str
lint_findings:
  description: What pkilint finds in a certificate that is about to be signed, the gravest first.
  returned: when O(lint) is not V(off)
  type: list
  elements: dict
  contains:
    severity:
      description: How grave it is, C(fatal), C(error) or C(warning).
      returned: always
      type: str
    code:
      description: What pkilint calls it.
      returned: always
      type: str
      sample: pkix.subject_email_address_not_in_san
    message:
      description: Where it was found, and what.
      returned: always
      type: str
sign_calls:
  description: How often kms:Sign was asked.
  returned: always
  type: int
pending:
  description: What must exist before the certificate can be issued.
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
from ansible_collections.rootstock.pki.plugins.module_utils._lint.lint import lint
from ansible_collections.rootstock.pki.plugins.module_utils._module.aws import AWS_OPTIONS, require_cryptography
from ansible_collections.rootstock.pki.plugins.module_utils._module.certificate_options import (
    CERTIFICATE_OPTIONS,
    ISSUER_OPTIONS,
    SUBJECT_KEY_OPTIONS,
)
from ansible_collections.rootstock.pki.plugins.module_utils._module.certificates import (
    certificate_result,
    chain_text,
    lint_result,
    to_task,
)
from ansible_collections.rootstock.pki.plugins.module_utils._module.converge import converge, utc_now
from ansible_collections.rootstock.pki.plugins.module_utils._module.files import octets_of
from ansible_collections.rootstock.pki.plugins.module_utils._module.given import check_given
from ansible_collections.rootstock.pki.plugins.module_utils._module.places import check_places
from ansible_collections.rootstock.pki.plugins.module_utils._operations.certificate_inputs import file_ports
from ansible_collections.rootstock.pki.plugins.module_utils._operations.certificate_plan import plan_certificate
from ansible_collections.rootstock.pki.plugins.module_utils._operations.issue_certificate import IssuingPorts, carry_out
from ansible_collections.rootstock.pki.plugins.module_utils._pki.certificates import to_pem
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import PkiError
from ansible_collections.rootstock.pki.plugins.module_utils._pki.plan import compare
from ansible_collections.rootstock.pki.plugins.module_utils._pki.task import CSR

ARGUMENT_SPEC: dict[str, Any] = {
    **AWS_OPTIONS,
    **SUBJECT_KEY_OPTIONS,
    **ISSUER_OPTIONS,
    **CERTIFICATE_OPTIONS,
    "content": {"type": "str"},
    "name": {"type": "str", "required": True},
    "force": {"type": "bool", "default": False},
}


def run(module: AnsibleAWSModule) -> None:
    require_cryptography(module)
    content = module.params["content"]
    check_places(module, beside={"ledger_path": module.params["issuer_path"]})
    task = to_task(module.params, "", octets_of(content, "content") if content else None)
    ports = file_ports(task, KmsPublicKeys(kms_client(module)), utc_now, lint)
    planned = plan_certificate(task, ports)
    for warning in planned.warnings:
        module.warn(warning)

    def told(certificate: Any, chain: Any) -> dict[str, Any]:
        return {**certificate_result(certificate, task.ledger_path, return_content=True), "chain": chain_text(chain)}

    def apply() -> dict[str, Any]:
        signer = KmsSigner(signing_client(module), task.issuer_key_id)
        issuing = IssuingPorts(signer, lambda: caller_arn(aws_client(module, "sts")), utc_now)
        issuance = carry_out(planned, ports, issuing)
        return {
            **told(issuance.certificate, issuance.bundle),
            "sign_calls": issuance.sign_calls,
            "changed": not issuance.by_another,
        }

    known: dict[str, Any] = {"ledger_path": task.ledger_path}
    changes = [*planned.plan.changes, *planned.completion]
    if planned.certificate is not None:
        known |= told(planned.certificate, planned.bundle)
        kept = to_pem([planned.certificate]).decode()
        changes += compare({"certificate": content}, {"certificate": kept}) if content != kept else []
    if planned.plan.reason:
        known["reason"] = planned.plan.reason
    known |= lint_result(task.lint, planned.findings)
    if task.subject_kind == CSR:
        known["ignored_csr_extensions"] = list(planned.ignored_csr_extensions)
    converge(module, replace(planned.plan, changes=tuple(changes)), apply, known)


def main() -> None:
    subject_keys = tuple(SUBJECT_KEY_OPTIONS)
    module = AnsibleAWSModule(
        argument_spec=ARGUMENT_SPEC,
        supports_check_mode=True,
        mutually_exclusive=[subject_keys, ("issuer_path", "issuer_content"), ("subject", "subject_ordered")],
        required_one_of=[subject_keys],
    )
    try:
        check_given(module)
        run(module)
    except PkiError as exc:
        module.fail_json(msg=str(exc))


if __name__ == "__main__":
    main()
