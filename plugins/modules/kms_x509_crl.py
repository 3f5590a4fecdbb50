#!/usr/bin/python
# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make certificate revocation lists with an issuer key in AWS KMS."""

from __future__ import annotations

DOCUMENTATION = r"""
module: kms_x509_crl
short_description: Make certificate revocation lists with an issuer key in AWS KMS
version_added: 0.1.0
description:
  - Makes the CRL of an authority from its ledger, and keeps it fresh. What M(rootstock.pki.x509_revocation) recorded
    since is in it.
  - A CRL is signed again when a revocation is new, when RV(next_update) comes into O(renew_before), or when an option
    that shows in it differs. The reason is in the diff. Otherwise nothing is signed and AWS is not asked at all.
  - Every CRL has a number, higher than all before, and the identifier of the issuer's key. Certificates that have
    expired are left out once they were listed after their end (RFC 5280 3.3), those too that are revoked later and
    backdated.
  - With O(base_path) a delta CRL is made. With C({partition}) in O(path) there is one CRL for each partition of the
    authority.
  - Needs C(kms:Sign) on O(issuer_key_id), and nothing else.
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
options:
  issuer_path:
    description: Certificate of the authority, in PEM or DER.
    type: path
  issuer_content:
    description: As O(issuer_path), in PEM.
    type: str
  issuer_key_id:
    description: The authority's key, a KMS key's ID, ARN, alias name or alias ARN.
    type: str
    required: true
  ledger_path:
    description: The authority's ledger. The default is C(ledger.jsonl) beside O(issuer_path).
    type: path
  path:
    description:
      - Where the CRL is kept.
      - C({partition}) in it stands for the number of each partition, from 0 on, here as in O(der_path), O(base_path),
        O(crl_urls) and O(delta_crl_urls).
    type: path
    required: true
  format:
    description: Form of the file at O(path).
    type: str
    choices: [pem, der]
    default: pem
  der_path:
    description: Where a copy of the CRL is kept in DER, which is what relying parties fetch (RFC 5280 4.2.1.13).
    type: path
  base_path:
    description:
      - The authority's full CRL, for a delta CRL that says what changed since. It has to be the last one of the ledger.
      - Without it the CRL is a full one.
    type: path
  next_update:
    description: Until when the next CRL is there, relative such as C(+7d) or absolute, in UTC.
    type: str
    default: +7d
  renew_before:
    description:
      - How long before its next update the CRL is made again, as a time such as C(2d) or a share of its lifetime such
        as V(33%).
    type: str
    default: "33%"
  on_revocation:
    description:
      - V(sign) makes a CRL as soon as a revocation or a release is new.
      - V(wait) lets it come with the next regular CRL, for full CRLs beside which there are delta CRLs. Those are
        always made at once.
    type: str
    choices: [sign, wait]
    default: sign
  digest:
    description: Hash of the signature, where the issuer's key leaves a choice.
    type: str
    choices: [sha256, sha384, sha512]
  signature_padding:
    description: Padding of the signature, for RSA keys.
    type: str
    choices: [pkcs1v15, pss]
    default: pkcs1v15
  crl_urls:
    description:
      - Where relying parties find this CRL, as the certificates say in their C(crl_distribution_points). It goes into
        the CRL as its issuing distribution point.
      - Needed for full CRLs of partitions only. A delta CRL takes that of its base, and refuses another one.
      - C(openssl verify -crl_check_all) does not take such a CRL of an authority that signs itself, since that
        authority's certificate names none.
    type: list
    elements: str
    default: []
  delta_crl_urls:
    description: Where relying parties find the delta CRL. It goes into the full CRL as its freshest CRL.
    type: list
    elements: str
    default: []
  crl_partitions:
    description:
      - How many partitions the authority has, the same as its certificates were issued with.
      - To be left out for Ed25519 keys, whose partitions are opened as needed. Their CRLs have at most 4,096 bytes.
        Where it would be longer its entries have no invalidity dates, and then no reasons but that of a hold. Of a
        partition with more entries than that the task fails, once it has made the CRLs of all others.
      - An authority that signs itself has no partitions.
    type: int
  planned_revocations:
    description:
      - What tasks before this one would record in the ledger, and did not because of check mode. It makes check mode
        tell the CRL that would then be made.
      - Takes RV(rootstock.pki.x509_revocation#module:planned_revocations), which is empty where it was recorded.
    type: list
    elements: dict
    default: []
    suboptions:
      serial_number_hex:
        description: Serial number in upper-case hexadecimal digits.
        type: str
        required: true
      reason:
        description: Why it would be revoked. Without it a hold would be released.
        type: str
      revoked_at:
        description: Since when it would be revoked.
        type: str
      invalidity_date:
        description: Since when the key is suspected.
        type: str
      not_after:
        description: End of the certificate's life, where it is known.
        type: str
  force:
    description:
      - Make the CRL again even when nothing differs, and replace one that the ledger does not know. Where the same
        issuer signed that, the new number is higher.
    type: bool
    default: false
  backup:
    description: Keep a copy of each file that is replaced, with the time in its name.
    type: bool
    default: false
  return_content:
    description: Return the CRL as RV(crl).
    type: bool
    default: false
seealso:
  - module: rootstock.pki.x509_revocation
  - module: rootstock.pki.x509_crl_info
  - module: community.crypto.x509_crl
"""

EXAMPLES = r"""
- name: The CRL of the authority is fresh
  rootstock.pki.kms_x509_crl:
    issuer_path: pki/services/ca.pem
    issuer_key_id: alias/pki/acme/services
    path: pki/services/crl.pem
    der_path: pki/services/crl.der

- name: The full CRL is made once a week and names the delta CRL
  rootstock.pki.kms_x509_crl:
    issuer_path: pki/people/ca.pem
    issuer_key_id: alias/pki/acme/people
    path: pki/people/crl.pem
    on_revocation: wait
    delta_crl_urls: [http://pki.acme.example/people/delta.der]

- name: The delta CRL says what changed since
  rootstock.pki.kms_x509_crl:
    issuer_path: pki/people/ca.pem
    issuer_key_id: alias/pki/acme/people
    path: pki/people/delta.pem
    der_path: pki/people/delta.der
    base_path: pki/people/crl.pem
    next_update: +1d

- name: An authority with many certificates has eight CRLs
  rootstock.pki.kms_x509_crl:
    issuer_path: pki/devices/ca.pem
    issuer_key_id: alias/pki/acme/devices
    path: pki/devices/crl-{partition}.pem
    crl_partitions: 8
    crl_urls: ["http://pki.acme.example/devices/crl-{partition}.der"]
"""

RETURN = r"""
path:
  description: Where the CRL is.
  returned: without partitions
  type: str
der_path:
  description: Where its copy in DER is.
  returned: with O(der_path) and without partitions
  type: str
ledger_path:
  description: The ledger that it was made from.
  returned: always
  type: str
crl_number:
  description: Number of the CRL.
  returned: when there is one, without partitions
  type: int
base_crl_number:
  description: Number of the full CRL that a delta CRL builds on, V(none) for a full one.
  returned: when there is one, without partitions
  type: int
this_update:
  description: When it was made, as C(YYYYMMDDHHMMSSZ).
  returned: when there is one, without partitions
  type: str
next_update:
  description: Until when the next one will be there, as C(YYYYMMDDHHMMSSZ).
  returned: when there is one, without partitions
  type: str
revoked_count:
  description: How many certificates it lists.
  returned: when there is one, without partitions
  type: int
crl:
  description: The CRL in PEM, or with O(format=der) in DER, encoded in Base64.
  returned: when there is one and O(return_content=true), without partitions
  type: str
crls:
  description: The same of each partition.
  returned: with partitions
  type: list
  elements: dict
  contains:
    path:
      description: As RV(path).
      returned: always
      type: str
    der_path:
      description: As RV(der_path).
      returned: with O(der_path)
      type: str
    crl_number:
      description: As RV(crl_number).
      returned: always
      type: int
    base_crl_number:
      description: As RV(base_crl_number).
      returned: always
      type: int
    this_update:
      description: As RV(this_update).
      returned: always
      type: str
    next_update:
      description: As RV(next_update).
      returned: always
      type: str
    revoked_count:
      description: As RV(revoked_count).
      returned: always
      type: int
    crl:
      description: As RV(crl).
      returned: when O(return_content=true)
      type: str
reason:
  description: Why a CRL that exists was made again.
  returned: when it was
  type: str
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
  description: What must exist before the CRL can be made.
  returned: in check mode, when something is missing
  type: list
  elements: str
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.rootstock.pki.plugins.module_utils._aws.clients import aws_client, signing_client
from ansible_collections.rootstock.pki.plugins.module_utils._aws.kms import KmsSigner
from ansible_collections.rootstock.pki.plugins.module_utils._aws.sts import caller_arn
from ansible_collections.rootstock.pki.plugins.module_utils._module.aws import AWS_OPTIONS, require_cryptography
from ansible_collections.rootstock.pki.plugins.module_utils._module.converge import converge, milliseconds_now, utc_now
from ansible_collections.rootstock.pki.plugins.module_utils._module.crls import (
    CRL_OPTIONS,
    crl_file,
    crl_paths,
    crl_places,
    crl_results,
    der_copy,
    joint_plan,
    joint_reason,
    to_crl_task,
)
from ansible_collections.rootstock.pki.plugins.module_utils._module.files import KeptFile, write_files
from ansible_collections.rootstock.pki.plugins.module_utils._module.given import check_given
from ansible_collections.rootstock.pki.plugins.module_utils._module.places import check_places
from ansible_collections.rootstock.pki.plugins.module_utils._operations.crl_plan import (
    CrlPlan,
    file_crl_ports,
    plan_crls,
)
from ansible_collections.rootstock.pki.plugins.module_utils._operations.ledger_facts import assumed_revocations
from ansible_collections.rootstock.pki.plugins.module_utils._operations.make_crl import CrlSigning, carry_out_crl
from ansible_collections.rootstock.pki.plugins.module_utils._pki.crl_task import CrlTask
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import PkiError

ARGUMENT_SPEC: dict[str, Any] = {**AWS_OPTIONS, **CRL_OPTIONS}
FILE_OPTIONS = ("path", "der_path")


def check(module: AnsibleAWSModule, *tasks: CrlTask) -> None:
    """Refuse *tasks* that would write into files of others; those of partitions once their numbers are known too."""
    params = module.params
    check_places(module, FILE_OPTIONS, crl_places(params, tasks), {"ledger_path": params["issuer_path"]})


def run(module: AnsibleAWSModule) -> None:
    require_cryptography(module)
    params = module.params
    task = to_crl_task(params, compare_entries=module._diff)  # noqa: SLF001  # no public name says it
    ports = file_crl_ports(task, utc_now, assumed_revocations(params["planned_revocations"]))
    check(module, task)
    every = plan_crls(task, ports)
    check(module, *(one.task for one in every))
    planned = [one for one in every if not one.refusal]

    def apply() -> dict[str, Any]:
        backups: list[str] = []

        def write(file: KeptFile) -> None:
            backups.extend(write_files(module, [file], backup=params["backup"]).get("backup_files", []))

        def store(one: CrlPlan, der: bytes) -> None:
            write(crl_file(one.task, der))

        signer = KmsSigner(signing_client(module), task.issuer_key_id)
        signing = CrlSigning(signer, lambda: caller_arn(aws_client(module, "sts")), utc_now, store, milliseconds_now)
        made = []
        for one in planned:
            made.append(carry_out_crl(one, ports, signing))
            for file in der_copy(params, one.task, made[-1].der):
                write(file)
        told = crl_results(params, [(one.task, done.line) for one, done in zip(planned, made, strict=True)])
        told["sign_calls"] = sum(done.sign_calls for done in made)
        told["changed"] = not all(done.by_another for done in made)
        return told | ({"backup_files": backups} if backups else {})

    known: dict[str, Any] = {"ledger_path": task.ledger_path}
    known |= crl_results(params, [(one.task, one.last) for one in planned if one.last is not None])
    reason = joint_reason(planned)
    if reason:
        known["reason"] = reason
    files = crl_paths(params, [one.task for one in planned])
    refusals = [one.refusal for one in every if one.refusal]
    converge(module, joint_plan(params, planned), apply, known, files, refusals)


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec=ARGUMENT_SPEC,
        supports_check_mode=True,
        add_file_common_args=True,
        mutually_exclusive=[("issuer_path", "issuer_content")],
        required_one_of=[("issuer_path", "issuer_content")],
    )
    try:
        check_given(module)
        run(module)
    except PkiError as exc:
        module.fail_json(msg=str(exc))


if __name__ == "__main__":
    main()
