#!/usr/bin/python
# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prove who may do what with a key in AWS KMS."""

from __future__ import annotations

DOCUMENTATION = r"""
module: kms_access_test
short_description: Prove who may do what with a key in AWS KMS
version_added: 0.1.0
description:
  - Assumes each role and tries what it may do with a key. Fails where that differs from what was declared, naming
    every difference.
  - Changes nothing and uses no key. C(kms:Sign), C(kms:Verify), C(kms:Encrypt), C(kms:Decrypt) with an RSA key,
    C(kms:CreateGrant), C(kms:GenerateDataKey), C(kms:GenerateDataKeyPair), both of these C(WithoutPlaintext),
    C(kms:GenerateMac), C(kms:VerifyMac) and C(kms:DeriveSharedSecret) are tried as dry runs. AWS says then what it
    would do, and does not do it.
  - What only reads is called. This is C(kms:DescribeKey), C(kms:GetPublicKey), C(kms:GetKeyPolicy),
    C(kms:GetKeyRotationStatus), C(kms:GetKeyLastUsage), C(kms:ListGrants), C(kms:ListKeyPolicies),
    C(kms:ListResourceTags), and C(kms:ListKeyRotations) with a symmetric key.
  - All other actions are V(untested), such as C(kms:PutKeyPolicy) and C(kms:ScheduleKeyDeletion), unless O(simulate)
    has IAM judge them. So are those that need a grant or a ciphertext of a symmetric key to be tried with, as
    C(kms:RetireGrant), C(kms:ReEncryptFrom) and, with such a key, C(kms:Decrypt). A warning names them.
  - What such a key cannot do at all, as C(kms:Sign) with a key that decrypts, is denied to everybody. Who declares it
    allowed is told so.
  - AWS takes up to a minute to make new roles and policies known everywhere. Tasks that follow such a change try again
    with C(until).
  - Needs C(kms:DescribeKey) on the key and C(sts:AssumeRole) on the roles, and C(kms:GetPublicKey) for C(kms:Decrypt)
    and C(kms:DeriveSharedSecret).
    O(simulate) needs C(kms:GetKeyPolicy), C(iam:SimulateCustomPolicy), C(iam:GetRole), C(iam:ListRolePolicies),
    C(iam:GetRolePolicy), C(iam:ListAttachedRolePolicies), C(iam:GetPolicy) and C(iam:GetPolicyVersion).
author:
  - rootstock.pki contributors (@rootstock-pki)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - rootstock.pki.attributes
  - rootstock.pki.attributes.info_module
  - rootstock.pki.attributes.action_groups
  - rootstock.pki.aws
options:
  key_id:
    description: The key, by ID, ARN, alias name or alias ARN.
    type: str
    required: true
  expected:
    description: Each role and what it may do. At least one.
    type: list
    elements: dict
    required: true
    suboptions:
      role_arn:
        description: ARN of the role, in this account or another one.
        type: str
        required: true
      session_name:
        description: What the session is called in CloudTrail.
        type: str
        default: rootstock
      external_id:
        description: The external ID that the role's trust policy asks for.
        type: str
      allowed:
        description: Actions that the role may do, such as V(kms:Sign) or V(Sign).
        type: list
        elements: str
        default: []
      denied:
        description: Actions that the role may not do.
        type: list
        elements: str
        default: []
  simulate:
    description:
      - Have C(iam:SimulateCustomPolicy) judge what is never tried, by the key policy and by the policies and
        the boundary of the role. Nothing is changed.
      - It is what the policies say, not what AWS does. Grants, the policies of an organisation and of sessions do not
        count, deletion is judged with a window of 30 days, and of actions on aliases the part of the key alone.
      - Roles of other accounts, and actions that depend on conditions nobody can know before, are not judged.
    type: bool
    default: false
  signing_algorithm:
    description:
      - The algorithm with which signing and verifying are tried, since key policies may allow only some.
      - The default is the one of certificates.
    type: str
    choices:
      - RSASSA_PKCS1_V1_5_SHA_256
      - RSASSA_PKCS1_V1_5_SHA_384
      - RSASSA_PKCS1_V1_5_SHA_512
      - RSASSA_PSS_SHA_256
      - RSASSA_PSS_SHA_384
      - RSASSA_PSS_SHA_512
      - ECDSA_SHA_256
      - ECDSA_SHA_384
      - ECDSA_SHA_512
      - ED25519_SHA_512
      - ED25519_PH_SHA_512
      - ML_DSA_SHAKE_256
  message_type:
    description:
      - What is sent to be signed or verified, since key policies may allow only some.
      - V(auto) is a digest for RSA and ECDSA, the message representative mu for ML-DSA, the message for Ed25519.
    type: str
    default: auto
    choices: [auto, raw, digest, external_mu]
seealso:
  - module: rootstock.pki.kms_key
  - module: rootstock.pki.kms_key_info
"""

EXAMPLES = r"""
- name: The issuer signs and does nothing else, the auditor only reads
  rootstock.pki.kms_access_test:
    key_id: alias/pki/acme/services
    expected:
      - role_arn: arn:aws:iam::111122223333:role/Issuer
        allowed: [kms:Sign]
        denied: [kms:GetPublicKey, kms:CreateGrant, kms:GetKeyPolicy]
      - role_arn: arn:aws:iam::444455556666:role/Auditor
        external_id: acme
        allowed: [kms:DescribeKey, kms:GetPublicKey]
        denied: [kms:Sign]

- name: The issuer can neither rewrite the policy nor have the key deleted
  rootstock.pki.kms_access_test:
    key_id: alias/pki/acme/services
    simulate: true
    expected:
      - role_arn: arn:aws:iam::111122223333:role/Issuer
        denied: [kms:PutKeyPolicy, kms:ScheduleKeyDeletion, kms:DisableKey]

- name: Nobody signs texts that were not hashed
  rootstock.pki.kms_access_test:
    key_id: alias/pki/acme/services
    message_type: raw
    expected:
      - role_arn: arn:aws:iam::111122223333:role/Issuer
        denied: [kms:Sign]
"""

RETURN = r"""
results:
  description: What was found, in the order of O(expected).
  returned: when the roles were tried, on failure too
  type: list
  elements: dict
  contains:
    role_arn:
      description: The role.
      type: str
    action:
      description: The action.
      type: str
      sample: kms:Sign
    expected:
      description: What was declared, V(allowed) or V(denied).
      type: str
    found:
      description: What was found, V(allowed), V(denied) or V(untested).
      type: str
    how:
      description:
        - How it was found, by V(dry_run), by V(call), V(simulated), or V(untested).
        - V(unsupported) where such a key cannot do it, whoever asks.
      type: str
    error:
      description: What AWS or the simulation said, empty where the action is allowed or was not tried.
      type: str
mismatches:
  description:
    - Those of RV(results) that are not as declared, and those that could not be found out. Actions that are never tried
      are not among them.
  returned: when the roles were tried, on failure too
  type: list
  elements: dict
pending:
  description: What must exist first.
  returned: in check mode, when the key does not exist
  type: list
  elements: str
sign_calls:
  description: How often kms:Sign was asked, dry runs not counted. Never.
  returned: success
  type: int
  sample: 0
"""

from typing import Any, NoReturn

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.rootstock.pki.plugins.module_utils._aws.clients import aws_client, kms_client, role_client
from ansible_collections.rootstock.pki.plugins.module_utils._aws.iam import IamPolicies
from ansible_collections.rootstock.pki.plugins.module_utils._aws.kms import (
    describe_key,
    get_key_policy,
    get_public_key,
)
from ansible_collections.rootstock.pki.plugins.module_utils._aws.probes import KmsProber
from ansible_collections.rootstock.pki.plugins.module_utils._keys.access_probes import (
    PROBES,
    UNTESTED,
    Expectation,
    Finding,
    differences,
)
from ansible_collections.rootstock.pki.plugins.module_utils._module.access_test_options import (
    ACCESS_TEST_OPTIONS,
    access_results,
    to_expectations,
    to_message_type,
)
from ansible_collections.rootstock.pki.plugins.module_utils._module.aws import AWS_OPTIONS, require_cryptography
from ansible_collections.rootstock.pki.plugins.module_utils._module.converge import converge
from ansible_collections.rootstock.pki.plugins.module_utils._module.given import check_given
from ansible_collections.rootstock.pki.plugins.module_utils._operations.prove_access import prepare_trial, prove_access
from ansible_collections.rootstock.pki.plugins.module_utils._operations.simulate_access import Simulator
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import PkiError
from ansible_collections.rootstock.pki.plugins.module_utils._pki.plan import Plan

ARGUMENT_SPEC: dict[str, Any] = {**AWS_OPTIONS, **ACCESS_TEST_OPTIONS}


def find_out(module: AnsibleAWSModule, expectations: list[Expectation]) -> list[Finding] | None:
    """Return what was found, or None where there is no such key."""
    params, kms = module.params, kms_client(module)
    key = describe_key(kms, params["key_id"])
    if key is None:
        return None
    by_public_key = any(PROBES[action].by_public_key for each in expectations for action, _expected in each.actions())
    trial = prepare_trial(
        key,
        params["signing_algorithm"],
        to_message_type(params["message_type"]),
        (lambda: get_public_key(kms, key.arn).der) if by_public_key else None,
    )
    judge = IamPolicies(aws_client(module, "iam")) if params["simulate"] else None
    return prove_access(
        trial,
        expectations,
        lambda each: KmsProber(role_client(module, "kms", each.role_arn, each.session_name, each.external_id)),
        Simulator(judge, lambda: get_key_policy(kms, key.arn)) if judge else None,
    )


def run(module: AnsibleAWSModule) -> NoReturn:
    require_cryptography(module)
    key_id = module.params["key_id"]
    findings = find_out(module, to_expectations(module.params["expected"]))
    if findings is None:
        converge(module, Plan(pending=(f"the KMS key {key_id} does not exist yet; create it with kms_key",)), dict)
    if told := differences(findings):
        module.fail_json(msg=f"{key_id}: {'; '.join(told)}", changed=False, **access_results(findings))
    left = sorted({each.action for each in findings if each.verdict.found == UNTESTED})
    if left:
        reason = "as trying that would change something, or needs a grant or a ciphertext"
        way_out = "" if module.params["simulate"] else "; simulate has IAM judge it by the policies"
        module.warn(f"{key_id}: nothing is proved of {', '.join(left)}, {reason}{way_out}")
    converge(module, Plan(), dict, access_results(findings))


def main() -> None:
    module = AnsibleAWSModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    try:
        check_given(module)
        run(module)
    except PkiError as exc:
        module.fail_json(msg=str(exc))


if __name__ == "__main__":
    main()
