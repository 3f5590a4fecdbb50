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
  - rootstock.pki.attributes.aws
  - rootstock.pki.attributes.files
options:
  path:
    description: Where the certificate is kept, in PEM.
    type: path
    required: true
  name:
    description:
      - What the ledger calls the certificate. One name has one current certificate.
      - The default is the file name of O(path) without its ending.
    type: str
  key_id:
    description: The subject key, a KMS key's ID, ARN, alias name or alias ARN.
    type: str
  csr_path:
    description:
      - PKCS#10 request of the subject, in PEM or DER. Its signature is checked.
      - Its subject is used when O(subject) is not given. Of its extensions those are copied that the profile allows
        and the task does not give.
    type: path
  csr_content:
    description: As O(csr_path), in PEM.
    type: str
  public_key_path:
    description: The subject key as a public key, in PEM or DER.
    type: path
  public_key_content:
    description: As O(public_key_path), in PEM.
    type: str
  issuer_path:
    description:
      - The issuer's certificate, in PEM. The first one in the file is the issuer, more may follow that are above it.
      - Without O(issuer_path) and O(issuer_content) the certificate is self-signed with O(key_id).
    type: path
  issuer_content:
    description: As O(issuer_path), as text.
    type: str
  issuer_chain_path:
    description:
      - Files with certificates above the issuer, in PEM, in any order.
      - They are needed for O(chain_path) and so that the constraints of all authorities above hold.
    type: list
    elements: path
    default: []
  issuer_key_id:
    description: The issuer's key, a KMS key's ID, ARN, alias name or alias ARN. Self-signed certificates use O(key_id).
    type: str
  certificate_profile:
    description: What kind of certificate this is. It decides basic constraints, key usage and extended key usage.
    type: str
    required: true
    choices: [root_ca, subordinate_ca, tls_server, tls_client, document_signing, code_signing, ocsp_signing]
  subject:
    description:
      - Subject, in the order written. Short, long and snake_case OpenSSL names and dotted OIDs are understood.
      - A value may be a list.
    type: dict
  subject_ordered:
    description: Subject as a list of dictionaries with one name each, for names that come more than once.
    type: list
    elements: dict
  subject_alt_name:
    description:
      - Subject alternative names with the prefixes C(DNS:), C(IP:), C(email:), C(URI:), C(RID:), C(dirName:) and
        C(otherName:).
    type: list
    elements: str
  subject_alt_name_critical:
    description: Whether the subject alternative names are critical. They always are where the subject is empty.
    type: bool
    default: false
  path_length:
    description: How many authorities may follow below this one. Only for authorities.
    type: int
  name_constraints_permitted:
    description:
      - Names that the authority may issue for, such as C(DNS:acme.internal) or C(IP:10.0.0.0/8). Only for authorities.
    type: list
    elements: str
    default: []
  name_constraints_excluded:
    description: Names that the authority may not issue for. Only for authorities.
    type: list
    elements: str
    default: []
  name_constraints_exclude_others:
    description:
      - Whether kinds of names that O(name_constraints_permitted) does not mention are excluded altogether.
      - Without this an authority for C(DNS:acme.internal) may issue for every IP address and every mailbox.
    type: bool
    default: true
  not_before:
    description:
      - Start of validity, relative such as C(-10m) or absolute such as C(20301231235959Z), in UTC.
      - A relative time is clipped to the issuer's start.
    type: str
    default: "-10m"
  not_after:
    description:
      - End of validity, relative such as C(+397d), absolute, or V(issuer) for as long as the issuer lives.
      - The default depends on the profile. For V(root_ca) it is C(+7300d), for V(subordinate_ca) C(+1825d), for TLS
        C(+397d), for V(ocsp_signing) C(+90d), otherwise C(+1095d).
    type: str
  renew_before:
    description:
      - How long before its end the certificate is issued again, as a time such as C(30d) or a share of its lifetime
        such as V(33%).
      - A self-signed certificate is not renewed unless O(reissue_root=true).
    type: str
    default: "33%"
  digest:
    description:
      - Hash of the signature, where the issuer's key leaves a choice. The default is V(sha256) for RSA and the curve's
        own for ECDSA.
    type: str
    choices: [sha256, sha384, sha512]
  signature_padding:
    description: Padding of RSA signatures.
    type: str
    choices: [pkcs1v15, pss]
    default: pkcs1v15
  authority_information_access:
    description: Where relying parties find the issuer's certificate and its OCSP responder.
    type: dict
    suboptions:
      ca_issuers:
        description: URLs of the issuer's certificate.
        type: list
        elements: str
        default: []
      ocsp:
        description: URLs of OCSP responders.
        type: list
        elements: str
        default: []
  crl_distribution_points:
    description: Where relying parties find the issuer's CRL.
    type: list
    elements: dict
    default: []
    suboptions:
      full_name:
        description: General names of the CRL, such as C(URI:http://pki.example/ca.crl).
        type: list
        elements: str
        default: []
      crl_issuer:
        description: Who signs the CRL, where that is not the issuer.
        type: list
        elements: str
        default: []
      reasons:
        description: Reasons that the CRL covers. All when none is given.
        type: list
        elements: str
        default: []
        choices:
          - key_compromise
          - ca_compromise
          - affiliation_changed
          - superseded
          - cessation_of_operation
          - certificate_hold
          - privilege_withdrawn
          - aa_compromise
  chain_path:
    description: Where the issuer and the authorities above it are kept, in PEM, nearest first, without the root.
    type: path
  fullchain_path:
    description: Where the certificate followed by O(chain_path)'s content is kept.
    type: path
  ledger_path:
    description:
      - The issuer's ledger. The default is C(ledger.jsonl) beside the issuer's certificate, or beside O(path) when
        self-signed.
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
    not_after: +7300d

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

import secrets
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.rootstock.pki.plugins.module_utils._aws.kms import KmsPublicKeys, KmsSigner
from ansible_collections.rootstock.pki.plugins.module_utils._aws.sts import caller_arn
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.entries import authority_of
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.files import FileLedger
from ansible_collections.rootstock.pki.plugins.module_utils._module.aws import (
    aws_client,
    kms_client,
    require_cryptography,
    signing_client,
)
from ansible_collections.rootstock.pki.plugins.module_utils._module.certificates import (
    CERTIFICATE_OPTIONS,
    ISSUER_OPTIONS,
    LEDGER,
    SUBJECT_KEY_OPTIONS,
    certificate_files,
    certificate_result,
    to_task,
)
from ansible_collections.rootstock.pki.plugins.module_utils._module.converge import converge
from ansible_collections.rootstock.pki.plugins.module_utils._module.files import file_changes, write_files
from ansible_collections.rootstock.pki.plugins.module_utils._operations.certificate_inputs import CertificatePorts
from ansible_collections.rootstock.pki.plugins.module_utils._operations.certificate_plan import plan_certificate
from ansible_collections.rootstock.pki.plugins.module_utils._operations.issue_certificate import IssuingPorts, carry_out
from ansible_collections.rootstock.pki.plugins.module_utils._pki.certificate import SERIAL_BITS
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import PkiError
from ansible_collections.rootstock.pki.plugins.module_utils._pki.task import CSR, CertificateTask

ARGUMENT_SPEC: dict[str, Any] = {
    **SUBJECT_KEY_OPTIONS,
    **ISSUER_OPTIONS,
    **CERTIFICATE_OPTIONS,
    "path": {"type": "path", "required": True},
    "name": {"type": "str"},
    "chain_path": {"type": "path"},
    "fullchain_path": {"type": "path"},
    "force": {"type": "bool", "default": False},
    "reissue_root": {"type": "bool", "default": False},
    "backup": {"type": "bool", "default": False},
    "return_content": {"type": "bool", "default": False},
}
FILE_OPTIONS = ("path", "chain_path", "fullchain_path")


def utc_now() -> datetime:
    return datetime.now(timezone.utc).replace(microsecond=0)


def planning_ports(module: AnsibleAWSModule, task: CertificateTask) -> CertificatePorts:
    def ledger(public_key: bytes) -> FileLedger:
        return FileLedger(Path(task.ledger_path), utc_now, authority_of(public_key) if public_key else "")

    children = FileLedger(Path(task.path).parent / LEDGER, utc_now) if task.request.profile.ca else None
    return CertificatePorts(ledger, children, KmsPublicKeys(kms_client(module)), utc_now)


def issuing_ports(module: AnsibleAWSModule, task: CertificateTask) -> IssuingPorts:
    return IssuingPorts(
        signer=KmsSigner(signing_client(module), task.issuer_key_id),
        caller_arn=lambda: caller_arn(aws_client(module, "sts")),
        random_bits=lambda: secrets.randbits(SERIAL_BITS),
        clock=utc_now,
    )


def run(module: AnsibleAWSModule) -> None:
    require_cryptography(module)
    params = module.params
    task = to_task(params)
    ports = planning_ports(module, task)
    planned = plan_certificate(task, ports)
    for warning in planned.warnings:
        module.warn(warning)

    def apply() -> dict[str, Any]:
        issuance = carry_out(planned, ports, issuing_ports(module, task))
        files = certificate_files(params, issuance.certificate, issuance.chain)
        backups = write_files(module, files, backup=params["backup"])
        result = certificate_result(issuance.certificate, task.ledger_path, params["return_content"])
        return {**result, **backups, "sign_calls": issuance.sign_calls, "changed": not issuance.by_another}

    known: dict[str, Any] = {"path": task.path, "ledger_path": task.ledger_path}
    if planned.certificate is not None:
        known |= certificate_result(planned.certificate, task.ledger_path, params["return_content"])
    if planned.plan.reason:
        known["reason"] = planned.plan.reason
    if task.subject_kind == CSR:
        known["ignored_csr_extensions"] = list(planned.ignored_csr_extensions)
    files = certificate_files(params, planned.certificate, planned.chain)
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
        run(module)
    except PkiError as exc:
        module.fail_json(msg=str(exc))


if __name__ == "__main__":
    main()
