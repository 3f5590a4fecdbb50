#!/usr/bin/python
# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Issue X.509 certificates whose issuer's private key is in AWS KMS."""

from __future__ import annotations

DOCUMENTATION = r"""
module: kms_x509_cert
short_description: Issue X.509 certificates with an issuer key in AWS KMS
version_added: 0.1.0
description:
  - Issues a certificate and keeps it as the task says. The issuer's private key stays in AWS KMS, only a digest of the
    certificate is sent there.
  - What a relying party would refuse is refused before anything is signed. Every signature is written to the ledger
    before it is asked for, and verified before it is used.
  - A key of which a certificate is revoked in the issuer's ledger for C(key_compromise) is not certified again.
  - A certificate is issued again when a field of it differs from the task, when its issuer's key or name changed, or
    when it comes into O(renew_before). The reason is in the diff. Otherwise nothing is signed.
  - Needs C(kms:Sign) on the issuer's key, and C(kms:GetPublicKey) on O(key_id) where that is used.
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
  - rootstock.pki.certificate
  - rootstock.pki.certificate.request
  - rootstock.pki.certificate.issuer
  - rootstock.pki.certificate.subject_key
options:
  path:
    description: Where the certificate is kept, in PEM.
    type: path
    required: true
  name:
    description:
      - What the ledger calls the certificate. One name has one current certificate, and a new one supersedes it.
      - The default is the file name of O(path) without its ending. Where an issuer has several such as C(a/server.pem)
        and C(b/server.pem), give each a name.
      - A task is refused that wants another key and another subject or other alternative names than the current
        certificate of the name has, while that is still at the other path that it was issued for. O(force=true) lets it
        take the name.
    type: str
  chain_path:
    description: Where the issuer and the authorities above it are kept, in PEM, nearest first, without the root.
    type: path
  der_path:
    description:
      - Where a copy of the certificate is kept in DER, which is what the C(ca_issuers) URLs of certificates point to
        (RFC 5280 4.2.2.1).
    type: path
  fullchain_path:
    description: Where the certificate followed by O(chain_path)'s content is kept.
    type: path
  force:
    description: Issue again even when nothing differs.
    type: bool
    default: false
  reissue_root:
    description: Allow a self-signed certificate to be issued again. Every relying party must then get the new one.
    type: bool
    default: false
  backup:
    description: Keep a copy of each file that is replaced, with the time in its name.
    type: bool
    default: false
  return_content:
    description: Return the certificate as RV(certificate).
    type: bool
    default: false
seealso:
  - module: rootstock.pki.kms_key
  - module: rootstock.pki.kms_public_key
"""

EXAMPLES = r"""
- name: The root certificate exists
  rootstock.pki.kms_x509_cert:
    path: pki/root/ca.pem
    name: root
    certificate_profile: root_ca
    key_id: alias/pki/acme/root
    subject: {country_name: DE, organization_name: Acme, common_name: Acme Root R1}
    not_after: +10950d

- name: The issuing authority is certified by the root
  rootstock.pki.kms_x509_cert:
    path: pki/services/ca.pem
    name: services
    certificate_profile: subordinate_ca
    key_id: alias/pki/acme/services
    issuer_path: pki/root/ca.pem
    issuer_key_id: alias/pki/acme/root
    subject: {organization_name: Acme, common_name: Acme Services S1}
    path_length: 0
    name_constraints_permitted: ["DNS:acme.internal"]

- name: A TLS server has a certificate for its own key
  rootstock.pki.kms_x509_cert:
    path: pki/certificates/web.pem
    certificate_profile: tls_server
    csr_path: csr/web.csr
    issuer_path: pki/services/ca.pem
    issuer_chain_path: [pki/root/ca.pem]
    issuer_key_id: alias/pki/acme/services
    subject_alt_name: ["DNS:web.acme.internal"]
    fullchain_path: pki/certificates/web.fullchain.pem

- name: The authority of a partner is certified for the partner's names
  rootstock.pki.kms_x509_cert:
    path: pki/certificates/partner-ca.pem
    certificate_profile: subordinate_ca
    subject_certificate_path: incoming/partner-ca.pem
    issuer_path: pki/root/ca.pem
    issuer_key_id: alias/pki/acme/root
    path_length: 0
    name_constraints_permitted: ["DNS:partner.example"]
    not_after: +365d
"""

RETURN = r"""
path:
  description: Where the certificate is.
  returned: always
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
certificate:
  description: The certificate in PEM.
  returned: when there is one and O(return_content=true)
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
backup_files:
  description: Copies of the files that were replaced.
  returned: when O(backup=true) and files were replaced
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
    certificate_files,
    certificate_result,
    lint_result,
    to_task,
)
from ansible_collections.rootstock.pki.plugins.module_utils._module.converge import converge, utc_now
from ansible_collections.rootstock.pki.plugins.module_utils._module.files import (
    file_changes,
    read_if_there,
    write_files,
)
from ansible_collections.rootstock.pki.plugins.module_utils._module.given import check_given
from ansible_collections.rootstock.pki.plugins.module_utils._module.places import check_places
from ansible_collections.rootstock.pki.plugins.module_utils._operations.certificate_inputs import file_ports
from ansible_collections.rootstock.pki.plugins.module_utils._operations.certificate_plan import plan_certificate
from ansible_collections.rootstock.pki.plugins.module_utils._operations.issue_certificate import IssuingPorts, carry_out
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import PkiError
from ansible_collections.rootstock.pki.plugins.module_utils._pki.task import CSR, CertificateTask

ARGUMENT_SPEC: dict[str, Any] = {
    **AWS_OPTIONS,
    **SUBJECT_KEY_OPTIONS,
    **ISSUER_OPTIONS,
    **CERTIFICATE_OPTIONS,
    "path": {"type": "path", "required": True},
    "name": {"type": "str"},
    "der_path": {"type": "path"},
    "chain_path": {"type": "path"},
    "fullchain_path": {"type": "path"},
    "force": {"type": "bool", "default": False},
    "reissue_root": {"type": "bool", "default": False},
    "backup": {"type": "bool", "default": False},
    "return_content": {"type": "bool", "default": False},
}
FILE_OPTIONS = ("path", "der_path", "chain_path", "fullchain_path")


def issuing_ports(module: AnsibleAWSModule, task: CertificateTask) -> IssuingPorts:
    signer = KmsSigner(signing_client(module), task.issuer_key_id)
    return IssuingPorts(signer, lambda: caller_arn(aws_client(module, "sts")), utc_now)


def run(module: AnsibleAWSModule) -> None:
    require_cryptography(module)
    params = module.params
    beside = {"ledger_path": params["issuer_path"] or params["path"], "authority_ledger_path": params["path"]}
    check_places(module, FILE_OPTIONS, beside=beside)
    task = to_task(params, params["path"], read_if_there(params["path"]))
    ports = file_ports(task, KmsPublicKeys(kms_client(module)), utc_now, lint)
    planned = plan_certificate(task, ports)
    for warning in planned.warnings:
        module.warn(warning)

    def apply() -> dict[str, Any]:
        issuance = carry_out(planned, ports, issuing_ports(module, task))
        files = certificate_files(params, issuance.certificate, issuance.bundle)
        backups = write_files(module, files, backup=params["backup"])
        result = certificate_result(issuance.certificate, task.ledger_path, params["return_content"])
        return {**result, **backups, "sign_calls": issuance.sign_calls, "changed": not issuance.by_another}

    known: dict[str, Any] = {"path": task.path, "ledger_path": task.ledger_path}
    if planned.certificate is not None:
        known |= certificate_result(planned.certificate, task.ledger_path, params["return_content"])
    if planned.plan.reason:
        known["reason"] = planned.plan.reason
    known |= lint_result(task.lint, planned.findings)
    if task.subject_kind == CSR:
        known["ignored_csr_extensions"] = list(planned.ignored_csr_extensions)
    files = certificate_files(params, planned.certificate, planned.bundle)
    plan = replace(planned.plan, changes=(*planned.plan.changes, *planned.completion, *file_changes(files)))
    converge(module, plan, apply, known, [params[option] for option in FILE_OPTIONS if params[option]])


def main() -> None:
    subject_keys = tuple(SUBJECT_KEY_OPTIONS)
    module = AnsibleAWSModule(
        argument_spec=ARGUMENT_SPEC,
        supports_check_mode=True,
        add_file_common_args=True,
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
